// dorsalgia score: published scores of tumour, instability and performance, item by item.
#include "pathway/score.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/cli.h"
#include "report/reference.h"

namespace dorsalgia::cli {

using nlohmann::ordered_json;

namespace {

constexpr int kWidth = 100;

std::string points_told(double x) { return fmt::format("{:g}", x); }

std::string band_told(const ScoreBand& b) { return b.label + (b.action.empty() ? "" : ": " + b.action); }

// Bands that a sum between lowest and highest can still fall into.
std::vector<std::string> bands_left(const Score& s, const ScoreResult& r) {
  std::vector<std::string> out;
  for (const ScoreBand& b : s.interpretation)
    if (b.grades.empty() && (!b.min || *b.min <= r.highest) && (!b.max || *b.max >= r.lowest)) out.push_back(b.label);
  return out;
}

std::string how_to(const Score& s) {
  std::string out = "dorsalgia score " + s.id;
  for (const ScoreItem& item : s.items) out += fmt::format(" {}={}", item.id, item.options.empty() ? "..." : item.options.front().id);
  return out;
}

std::string explain_text(const Knowledge& k, const Score& s, bool colour) {
  const auto pages = reference_pages(k, compile(k), "score/" + s.id);
  return text_page(pages.at(0), k, kWidth, colour) + fmt::format("\nFor example:\n  {}\n", wrapped(how_to(s), kWidth, 6));
}

std::string result_text(const Score& s, const ScoreResult& r, bool colour) {
  std::size_t width = 0;
  for (const ScoreItem& item : s.items) width = std::max(width, item.name.size());
  std::string out = fmt::format("{}\n\n", colour ? "\x1b[1m" + s.name + "\x1b[0m" : s.name);
  const bool grades = s.aggregation == "category";
  for (const auto& [item, option] : r.given)
    out += fmt::format("  {:<{}}  {:>4}  {}\n", item->name, width, grades ? option->grade : points_told(option->points),
                       wrapped(option->name, kWidth, static_cast<int>(width) + 10));
  for (const ScoreItem& item : s.items)
    if (std::count(r.missing.begin(), r.missing.end(), item.id)) {
      std::vector<std::string> options;
      for (const ScoreOption& o : item.options) options.push_back(o.id);
      out += fmt::format("  {:<{}}     ?  {}\n", item.name, width,
                         wrapped(fmt::format("missing: {}={}", item.id, fmt::join(options, "|")), kWidth, static_cast<int>(width) + 10));
    }
  out += "\n";
  if (r.complete) {
    const std::string result = grades ? "grade " + r.grade : points_told(r.points) + (s.aggregation == "max" ? "" : " points");
    out += "  " + wrapped(result + (r.band ? ", " + band_told(*r.band) : ""), kWidth, 2) + "\n";
  } else if (grades) {
    out += "  incomplete: no grade yet\n";
  } else {
    const auto left = bands_left(s, r);
    out +=
        "  " +
        wrapped(fmt::format("incomplete: {} so far; the whole score can still be {} to {}{}", points_told(r.points), points_told(r.lowest),
                            points_told(r.highest), left.empty() ? "" : fmt::format(" ({})", fmt::join(left, " or "))),
                kWidth, 2) +
        "\n";
  }
  out += fmt::format("\n  For: {}\n", wrapped(s.applies_to, kWidth, 7));
  for (const auto& note : s.notes) out += fmt::format("  - {}\n", wrapped(note, kWidth, 4));
  return out;
}

ordered_json result_json(const Score& s, const ScoreResult& r) {
  ordered_json out = {{"id", s.id}, {"name", s.name}, {"complete", r.complete}};
  const bool grades = s.aggregation == "category";
  if (grades) out["grade"] = r.complete ? ordered_json(r.grade) : ordered_json(nullptr);
  else {
    out["points"] = r.complete ? ordered_json(r.points) : ordered_json(nullptr);
    out["points_so_far"] = r.points;
    out["range"] = {r.lowest, r.highest};
  }
  if (r.band) {
    out["meaning"] = r.band->label;
    if (!r.band->action.empty()) out["action"] = r.band->action;
  }
  if (!r.complete && !grades) out["can_still_mean"] = bands_left(s, r);
  out["missing"] = r.missing;
  out["items"] = ordered_json::object();
  for (const auto& [item, option] : r.given) {
    out["items"][item->id] = {{"option", option->id}, {"name", option->name}};
    if (grades) out["items"][item->id]["grade"] = option->grade;
    else out["items"][item->id]["points"] = option->points;
  }
  out["applies_to"] = s.applies_to;
  out["notes"] = s.notes;
  out["source"] = s.cite.source;
  return out;
}

void list_scores(const Knowledge& k, bool json) {
  if (json) {
    ordered_json out = ordered_json::array();
    for (const Score& s : k.scores)
      out.push_back({{"id", s.id}, {"name", s.name}, {"describes", s.describes}, {"applies_to", s.applies_to}});
    return write_output("", out.dump(2) + "\n");
  }
  std::size_t width = 0;
  for (const Score& s : k.scores) width = std::max(width, s.id.size());
  std::string out;
  for (const Score& s : k.scores)
    out += fmt::format("  {:<{}}  {}\n", s.id, width, wrapped(s.name + ". " + s.describes, kWidth, static_cast<int>(width) + 4));
  write_output("", out + "\nItems and options of one: dorsalgia score ID\n");
}

void run(const Shared& shared, const std::string& id, const std::vector<std::string>& words, bool json) {
  const Knowledge& k = shared.knowledge();
  if (id.empty()) return list_scores(k, json);
  std::vector<std::string> ids;
  for (const Score& s : k.scores) ids.push_back(s.id);
  const Score* s = k.score(id);
  if (!s) {
    const std::string near = nearest_name(id, ids);
    throw Stop(kBadInput, fmt::format("no score is called '{}' ({})", id,
                                      near.empty() ? fmt::format("{}", fmt::join(ids, ", ")) : fmt::format("did you mean '{}'?", near)));
  }
  if (words.empty()) {
    if (!json) return write_output("", explain_text(k, *s, shared.use_colour()));
    return write_output("", json_page(reference_pages(k, compile(k), "score/" + id).at(0), k).dump(2) + "\n");
  }
  std::map<std::string, std::string> answers;
  std::string faults;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == word.size())
      faults += fmt::format("'{}' is not item=option (for example: {})\n", word, how_to(*s));
    else if (!answers.emplace(word.substr(0, equals), word.substr(equals + 1)).second)
      faults += fmt::format("item '{}' is given twice\n", word.substr(0, equals));
  }
  const ScoreResult r = score(*s, answers);
  for (const auto& f : r.faults) faults += f + "\n";
  if (!faults.empty()) throw Stop(kBadInput, faults.substr(0, faults.size() - 1));
  write_output("", json ? result_json(*s, r).dump(2) + "\n" : result_text(*s, r, shared.use_colour()));
}

}  // namespace

void add_score(CLI::App& app, Shared& shared) {
  struct Options {
    std::string id;
    std::vector<std::string> answers;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("score", "Published scores (SINS, ESCC, Tokuhashi, ...); a missing item makes one incomplete, never 0");
  command->add_option("ID", options->id, "Which score; without it, all are listed");
  command->add_option(
      "ANSWERS", options->answers,
      "item=option, as many as are known; without any, items and options are explained. location=T12 works where levels do");
  command->add_flag("--json", options->json, "As JSON");
  command->callback([&shared, options] { run(shared, options->id, options->answers, options->json); });
}

}  // namespace dorsalgia::cli
