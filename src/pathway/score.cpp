#include "pathway/score.h"

#include <fmt/format.h>

#include <algorithm>

namespace dorsalgia {

namespace {

std::string plain(std::string s) {  // t12 is T12, Bone-Lesion is bone_lesion
  for (char& c : s) c = c == '-' || c == ' ' ? '_' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

const ScoreOption* option_named(const ScoreItem& item, const std::string& word) {
  for (const ScoreOption& o : item.options)
    if (plain(o.id) == plain(word)) return &o;
  for (const ScoreOption& o : item.options) {
    if (!o.grade.empty() && plain(o.grade) == plain(word)) return &o;
    for (const auto& level : o.levels)
      if (plain(level) == plain(word)) return &o;
  }
  return nullptr;
}

std::string instead(const std::string& word, const std::vector<std::string>& known) {
  const std::string near = nearest_name(plain(word), known);
  return near.empty() ? fmt::format("known here: {}", fmt::join(known, ", ")) : fmt::format("did you mean '{}'?", near);
}

bool fits(const ScoreBand& band, const ScoreResult& r) {
  if (!band.grades.empty()) return std::count(band.grades.begin(), band.grades.end(), r.grade) > 0;
  return (!band.min || r.points >= *band.min) && (!band.max || r.points <= *band.max);
}

}  // namespace

ScoreResult score(const Score& s, const std::map<std::string, std::string>& answers) {
  ScoreResult r;
  std::vector<std::string> items;
  for (const ScoreItem& item : s.items) items.push_back(item.id);
  std::map<std::string, std::string> given;
  for (const auto& [name, option] : answers) {
    const auto item = std::find_if(items.begin(), items.end(), [wanted = plain(name)](const auto& id) { return plain(id) == wanted; });
    if (item == items.end()) r.faults.push_back(fmt::format("no item of {} is called '{}' ({})", s.id, name, instead(name, items)));
    else if (!given.emplace(*item, option).second) r.faults.push_back(fmt::format("item '{}' is given twice", *item));
  }

  const bool highest_counts = s.aggregation == "max";
  for (const ScoreItem& item : s.items) {
    const auto answer = given.find(item.id);
    const ScoreOption* chosen = answer == given.end() ? nullptr : option_named(item, answer->second);
    if (answer != given.end() && !chosen) {
      std::vector<std::string> options;
      for (const ScoreOption& o : item.options) options.push_back(o.id);
      r.faults.push_back(fmt::format("{}: no option is called '{}' ({})", item.id, answer->second, instead(answer->second, options)));
    }
    double low = 0, high = 0;
    if (chosen) {
      r.given.emplace_back(&item, chosen);
      low = high = chosen->points;
      r.points = highest_counts ? std::max(r.points, chosen->points) : r.points + chosen->points;
    } else {
      r.missing.push_back(item.id);
      const auto [least, most] =
          std::minmax_element(item.options.begin(), item.options.end(), [](const auto& a, const auto& b) { return a.points < b.points; });
      if (least != item.options.end()) low = least->points, high = most->points;
    }
    r.lowest = highest_counts ? std::max(r.lowest, low) : r.lowest + low;
    r.highest = highest_counts ? std::max(r.highest, high) : r.highest + high;
  }
  r.complete = r.missing.empty() && r.faults.empty();
  if (!r.complete) return r;
  if (s.aggregation == "category" && !r.given.empty()) r.grade = r.given.back().second->grade;
  for (const ScoreBand& band : s.interpretation)
    if (!r.band && fits(band, r)) r.band = &band;
  return r;
}

}  // namespace dorsalgia
