#include "knowledge/reader.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace dorsalgia {

Reader::Reader(YAML::Node node, std::string file, std::string path, std::vector<Complaint>& complaints)
    : node_(std::move(node)), file_(std::move(file)), path_(std::move(path)), complaints_(&complaints) {
  if (!is_map()) return;
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    if (!seen.insert(key).second)
      complaints_->push_back(
          {file_, entry.first.Mark().line + 1, fmt::format("key '{}' stands twice in {}", key, path_), "keep one of the two"});
  }
}

int Reader::line() const { return node_.IsDefined() ? node_.Mark().line + 1 : 0; }

void Reader::fault(const std::string& message, const std::string& hint) const {
  complaints_->push_back({file_, line(), path_.empty() ? message : fmt::format("{}: {}", path_, message), hint});
}

Reader Reader::get(const std::string& key, bool required) {
  known_.insert(key);
  const std::string path = path_.empty() ? key : path_ + "." + key;
  if (!is_map()) {
    if (required) fault(fmt::format("a map with '{}' is needed here", key));
    return Reader(YAML::Node(YAML::NodeType::Undefined), file_, path, *complaints_);
  }
  const YAML::Node& self = node_;
  YAML::Node child = self[key];
  if (!child.IsDefined()) {
    if (required) fault(fmt::format("'{}' is missing", key), fmt::format("add a line '{}: ...'", key));
    return Reader(YAML::Node(YAML::NodeType::Undefined), file_, path, *complaints_);
  }
  read_.insert(key);
  return Reader(child, file_, path, *complaints_);
}

bool Reader::has(const std::string& key) const {
  if (!is_map()) return false;
  const YAML::Node& self = node_;
  return self[key].IsDefined() && !self[key].IsNull();
}

std::string Reader::text() {
  if (!is_scalar()) {
    if (ok()) fault("a word or sentence is needed here");
    return "";
  }
  return node_.Scalar();
}

double Reader::number() {
  if (is_scalar()) {
    const std::string& word = node_.Scalar();
    try {
      std::size_t used = 0;
      const double value = std::stod(word, &used);
      if (used == word.size() && std::isfinite(value)) return value;
    } catch (const std::exception&) {
      // told below
    }
    fault(fmt::format("'{}' is not a number", word.substr(0, 40)), "write digits with a decimal point");
  } else if (ok()) {
    fault("a number is needed here");
  }
  return 0;
}

int Reader::whole() {
  const double value = number();
  if (value == std::trunc(value) && std::abs(value) < 1e9) return static_cast<int>(value);
  fault(fmt::format("'{}' is not a whole number", node_.Scalar().substr(0, 40)));
  return 0;
}

bool Reader::flag() {
  if (is_scalar()) {
    if (node_.Scalar() == "true") return true;
    if (node_.Scalar() == "false") return false;
  }
  if (ok()) fault("true or false is needed here");
  return false;
}

std::vector<Reader> Reader::items() {
  std::vector<Reader> out;
  if (!is_list()) {
    if (ok()) fault("a list is needed here", "write [a, b] or lines that start with '- '");
    return out;
  }
  int i = 0;
  for (const auto& child : node_) out.emplace_back(child, file_, fmt::format("{}[{}]", path_, i++), *complaints_);
  return out;
}

std::vector<std::pair<std::string, Reader>> Reader::entries() {
  std::vector<std::pair<std::string, Reader>> out;
  if (!is_map()) {
    if (ok()) fault("a map is needed here", "write 'key: value' lines");
    return out;
  }
  for (const auto& child : node_) {
    const std::string key = child.first.IsScalar() ? child.first.Scalar() : "?";
    read_.insert(key);
    out.emplace_back(key, Reader(child.second, file_, path_.empty() ? key : path_ + "." + key, *complaints_));
  }
  return out;
}

std::vector<std::string> Reader::texts() {
  std::vector<std::string> out;
  for (auto& item : items()) out.push_back(item.text());
  return out;
}

void Reader::finish() {
  if (!is_map()) {
    if (ok()) fault("a map is needed here", "write 'key: value' lines");
    return;
  }
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& entry : node_) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
    if (read_.count(key)) continue;
    const std::string near = nearest_name(key, known);
    std::string allowed;
    for (const auto& k : known) allowed += (allowed.empty() ? "" : ", ") + k;
    complaints_->push_back({file_, entry.first.Mark().line + 1,
                            fmt::format("{}unknown or misplaced key '{}'", path_.empty() ? "" : path_ + ": ", key),
                            near.empty() ? "known here: " + allowed : fmt::format("did you mean '{}'?", near)});
  }
}

Status read_status(Reader r) {
  const std::string word = r.text();
  for (Status s : {Status::checked, Status::secondary, Status::recalled, Status::judgement})
    if (word == status_name(s)) return s;
  if (r.ok()) r.fault(fmt::format("'{}' is not a status", word), "checked, secondary, recalled or judgement");
  return Status::judgement;
}

}  // namespace dorsalgia
