#include "knowledge/condition.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

namespace dorsalgia {

namespace {

constexpr std::size_t kDeepest = 64;
constexpr int kMostNodes = 200000;

Condition read_list(Reader r, Condition::Kind kind, Words words) {
  Condition c;
  c.kind = kind;
  c.line = r.line();
  for (auto& item : r.items()) c.of.push_back(read_condition(item, words));
  return c;
}

void read_range(Reader r, Condition& c, const char* low, const char* high) {
  if (!r.is_map() || (!r.has(low) && !r.has(high))) r.fault(fmt::format("a range is needed here: {{{}: ..., {}: ...}}", low, high));
  if (r.has(low)) c.low = r.get(low).number();
  if (r.has(high)) c.high = r.get(high).number();
  if (r.is_map()) r.finish();
}

// Names in conditions become indices, and definitions stand where they are used, so that rules can be asked thousands of
// times. A definition that (directly or not) uses itself is a fault.
class Resolver {
 public:
  Resolver(const Knowledge& k, std::vector<Complaint>& complaints) : k_(k), complaints_(complaints) {
    for (std::size_t f = 0; f < k.findings.size(); ++f) index_[k.findings[f].id] = static_cast<int>(f);
  }

  void resolve(Condition& c) {
    using Kind = Condition::Kind;
    if (++visited_ > kMostNodes || open_.size() > kDeepest) {  // definitions of definitions unfold like aliases
      if (std::exchange(complete_, false))
        complaints_.push_back(
            {"pathways/definitions.yaml", c.line, "definitions unfold to too many conditions", "use fewer definitions of definitions"});
      return;
    }
    for (Condition& child : c.of) resolve(child);
    if (c.kind != Kind::finding && c.kind != Kind::measured) return;
    if (const auto it = index_.find(c.id); it != index_.end()) c.finding = it->second;
    const auto definition = k_.definitions.find(c.id);
    if (c.kind != Kind::finding || definition == k_.definitions.end() || !c.of.empty()) return;
    if (!open_.insert(c.id).second) {
      if (told_.insert(c.id).second)
        complaints_.push_back({"pathways/definitions.yaml", definition->second.line, fmt::format("'{}' is defined by itself", c.id),
                               "definitions may use others, not themselves"});
      return;
    }
    Condition meaning = definition->second;
    resolve(meaning);
    open_.erase(c.id);
    c.of = {std::move(meaning)};
  }

 private:
  const Knowledge& k_;
  std::vector<Complaint>& complaints_;
  std::map<std::string, int> index_;
  std::set<std::string> open_, told_;
  int visited_ = 0;
  bool complete_ = true;
};

}  // namespace

// A map may hold several of all / any / none and single tests; together they are an `all`.
Condition read_condition(Reader r, Words words) {
  Condition out;
  out.line = r.line();
  if (r.is_scalar()) {
    out.id = r.text();
    out.kind = out.id == "any_cancer_history" ? Condition::Kind::any_cancer_history : Condition::Kind::finding;
    return out;
  }
  if (!r.is_map()) {
    r.fault("a condition is needed here: a finding, or {all: [...]}, {any: [...]}, {none: [...]}");
    return out;
  }
  std::vector<Condition> parts;
  if (r.has("all")) parts.push_back(read_list(r.get("all"), Condition::Kind::all, words));
  if (r.has("any")) parts.push_back(read_list(r.get("any"), Condition::Kind::any, words));
  if (r.has("none")) parts.push_back(read_list(r.get("none"), Condition::Kind::none, words));
  if (r.has("at_least")) {
    Condition c = read_list(r.get("of"), Condition::Kind::at_least, words);
    c.count = r.get("at_least").whole();
    parts.push_back(c);
  }
  auto part = [&](Condition::Kind kind) {
    Condition c;
    c.kind = kind;
    c.line = r.line();
    return c;
  };
  if (r.has("age")) {
    Condition c = part(Condition::Kind::age);
    read_range(r.get("age"), c, "min", "max");
    parts.push_back(c);
  }
  if (r.has("duration_weeks")) {
    Condition c = part(Condition::Kind::duration);
    read_range(r.get("duration_weeks"), c, "min", "max");
    parts.push_back(c);
  }
  if (r.has("sex")) {
    Condition c = part(Condition::Kind::sex);
    c.id = r.get("sex").text();
    if (c.id != "male" && c.id != "female") r.get("sex").fault("sex is male or female");
    parts.push_back(c);
  }
  if (r.has("location")) {
    Condition c = part(Condition::Kind::location);
    c.names = r.get("location").texts();
    parts.push_back(c);
  }
  if (r.has("setting")) {
    Condition c = part(Condition::Kind::setting);
    c.names = r.get("setting").texts();
    parts.push_back(c);
  }
  if (words == Words::studies)
    for (const auto& [word, kind] : {std::pair{"cause", Condition::Kind::cause}, std::pair{"mechanism", Condition::Kind::mechanism},
                                     std::pair{"region", Condition::Kind::region}, std::pair{"stage", Condition::Kind::stage}})
      if (r.has(word)) {
        Condition c = part(kind);
        c.names = r.get(word).texts();
        parts.push_back(c);
      }
  if (r.has("measured"))
    for (auto& [name, value] : r.get("measured").entries()) {
      Condition c = part(Condition::Kind::measured);
      c.id = name;
      read_range(value, c, "above", "below");
      parts.push_back(c);
    }
  r.finish();
  if (parts.empty()) r.fault("an empty condition");
  if (parts.size() == 1) return parts[0];
  out.kind = Condition::Kind::all;
  out.of = std::move(parts);
  return out;
}

void resolve(const Knowledge& knowledge, const std::vector<Condition*>& conditions, std::vector<Complaint>& complaints) {
  Resolver resolver(knowledge, complaints);
  for (Condition* c : conditions) resolver.resolve(*c);
}

}  // namespace dorsalgia
