#include "evidence/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <sstream>

#include "pathway/pathway.h"
#include "person/read.h"

namespace dorsalgia {

using nlohmann::json;

namespace {

const std::vector<std::string> kAllowed = {"id", "age", "sex", "setting", "context", "duration_weeks", "findings", "labs", "location"};

// The area under the ROC curve (Mann-Whitney, ties count half) of a score for truth yes/no.
struct Auroc {
  std::vector<double> yes, no;
  json value() const {
    if (yes.empty() || no.empty()) return nullptr;
    double wins = 0;
    for (double a : yes)
      for (double b : no) wins += a > b ? 1 : a == b ? 0.5 : 0;
    return wins / (static_cast<double>(yes.size()) * static_cast<double>(no.size()));
  }
};

struct Share {
  int hits = 0, of = 0;
  void add(bool hit) { hits += hit, ++of; }
  json value() const { return of ? json(static_cast<double>(hits) / of) : json(nullptr); }
};

struct Ranking {
  Share top1, top3;
  Auroc tumour;
};

struct Tally {
  Share emergency, agreement, under, over, level;
  Ranking equal, base;
  int cases = 0, children = 0, causes_scored = 0;

  json report() const {
    return {{"urgency",
             {{"emergency_sensitivity", emergency.value()},
              {"agreement", agreement.value()},
              {"under_triaged", under.value()},
              {"over_triaged", over.value()}}},
            {"cause",
             {{"top1", equal.top1.value()},
              {"top3", equal.top3.value()},
              {"tumour_auroc", equal.tumour.value()},
              {"with_base_rates", {{"top1", base.top1.value()}, {"top3", base.top3.value()}, {"tumour_auroc", base.tumour.value()}}}}},
            {"level", {{"within_two", level.value()}}},
            {"counts",
             {{"cases", cases},
              {"urgency_scored", agreement.of},
              {"emergencies_not_borderline", emergency.of},
              {"causes_scored", equal.top1.of},
              {"tumours", static_cast<int>(equal.tumour.yes.size())},
              {"children_probabilities_withheld", children},
              {"levels_scored", level.of}}}};
  }
};

// "T11-L1", "L5", "thoracic", "cauda equina", "lower sacrum": the levels it may mean; empty when none can be told.
std::vector<int> levels_named(const std::string& text, const Model& m) {
  std::vector<int> found;
  const std::regex name("[CTLS][0-9]{1,2}|coccyx");
  for (std::sregex_iterator it(text.begin(), text.end(), name), end; it != end; ++it)
    for (std::size_t l = 0; l < m.levels.size(); ++l)
      if (m.levels[l].id == it->str()) found.push_back(static_cast<int>(l));
  if (found.size() >= 2) {  // a range
    const auto [low, high] = std::minmax_element(found.begin(), found.end());
    std::vector<int> range;
    for (int l = *low; l <= *high; ++l) range.push_back(l);
    return range;
  }
  return found;
}

std::string group_asked(std::string group) {
  if (group.rfind("metastasis/", 0) == 0) group = "metastasis";  // "metastasis/unspecified malignant cord compression"
  return group;
}

std::optional<Urgency> stated_urgency(const json& c) {
  if (!c.contains("appropriate_urgency") || !c["appropriate_urgency"].is_string()) return std::nullopt;
  const std::string word = c["appropriate_urgency"];
  for (Urgency u : {Urgency::emergency, Urgency::urgent, Urgency::soon, Urgency::routine})
    if (word.rfind(urgency_id(u), 0) == 0) return u;
  return std::nullopt;
}

std::vector<std::pair<std::string, double>> groups_ranked(const Posterior& p, const Model& m) {
  std::map<std::string, double> sums;
  for (std::size_t c = 0; c < m.causes.size(); ++c) sums[m.causes[c].group] += p.causes[c];
  std::vector<std::pair<std::string, double>> out(sums.begin(), sums.end());
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return out;
}

// Reads anything; nothing that is not as it should be gets further than this.
std::string text_at(const json& j, const char* key) {
  return j.is_object() && j.contains(key) && j[key].is_string() ? j[key].get<std::string>() : "";
}

}  // namespace

CauseWeights equal_groups(const Model& m) {
  // P(cause) over everybody who comes with back pain: all ages, both sexes, all settings.
  std::vector<double> own(m.causes.size(), 0.0);
  for (std::size_t s = 0; s < m.settings.size(); ++s) {
    std::vector<double> rate(m.causes.size(), 0.0);
    double all = 0;
    for (std::size_t c = 0; c < m.causes.size(); ++c) {
      for (int sex = 0; sex < 2; ++sex)
        for (int b = 0; b < kAgeBands; ++b) rate[c] += m.people[sex][b] * m.causes[c].rate[sex][b] * m.causes[c].settings[s];
      all += rate[c];
    }
    for (std::size_t c = 0; c < m.causes.size(); ++c) own[c] += m.setting_shares[s] * rate[c] / all;
  }
  std::map<std::string, double> totals;
  for (std::size_t c = 0; c < m.causes.size(); ++c) totals[m.causes[c].group] += own[c];
  CauseWeights out;
  for (const ModelCause& c : m.causes) out.push_back(1 / totals[c.group]);
  return out;
}

json evaluate(const std::string& lines, const Knowledge& k, const ExactEngine& engine, const std::string& profile,
              std::vector<CaseFault>& faults, const std::function<void()>& one_more) {
  const Model& m = engine.model();
  const CauseWeights equal = equal_groups(m);
  Tally all, headline;
  json misses = json::array();
  std::map<std::string, int> unknown_names;

  std::istringstream in(lines);
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (number > 1 && one_more) one_more();
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    json c;
    std::vector<PersonFault> bad;
    if (!parse_strictly(line, kLargestPerson, c, bad)) {
      faults.push_back({number, bad[0].text()});
      continue;
    }
    if (!c.is_object()) {
      faults.push_back({number, "a case is an object {...}"});
      continue;
    }
    json given = json::object();
    for (const auto& key : kAllowed)
      if (c.contains(key)) given[key] = c[key];
    const PersonRead read = read_person(given, k, m, UnknownNames::note);
    if (!read.faults.empty()) {
      for (const auto& f : read.faults) faults.push_back({number, f.text()});
      continue;
    }
    for (const auto& n : read.person.noted)
      if (n.rfind("unknown: ", 0) == 0) ++unknown_names[n.substr(9)];

    const Posterior base = engine.posterior(read.person), even = engine.posterior(read.person, equal);
    const Triage t = triage(k, m, read.person, profile, &base);
    const json truth = c.contains("truth") && c["truth"].is_object() ? c["truth"] : json::object();
    const bool is_headline =
        text_at(c, "richness") != "thin" && text_at(c, "cause_confidence") == "stated" && text_at(c, "back_pain_stated") == "yes";
    const bool borderline = c.contains("urgency_borderline") && c["urgency_borderline"].is_boolean() && c["urgency_borderline"].get<bool>();
    const std::string id = text_at(c, "id").empty() ? fmt::format("line {}", number) : text_at(c, "id");

    std::vector<Tally*> tallies = {&all};
    if (is_headline) tallies.push_back(&headline);
    for (Tally* tally : tallies) ++tally->cases, tally->children += t.child;

    if (const auto want = stated_urgency(c)) {
      const int gap = static_cast<int>(t.urgency) - static_cast<int>(*want);
      const bool agrees = gap == 0 || (borderline && std::abs(gap) == 1);
      for (Tally* tally : tallies) {
        tally->agreement.add(agrees);
        tally->under.add(!agrees && gap < 0);
        tally->over.add(!agrees && gap > 0);
        if (*want == Urgency::emergency && !borderline) tally->emergency.add(t.urgency == Urgency::emergency);
      }
      if (!agrees) {
        std::string why = t.fired.empty()   ? "no rule fired"
                          : t.fired[0].rule ? "rule " + t.fired[0].rule->id
                                            : fmt::format("threshold {} at {:.3g}", t.fired[0].threshold->id, t.fired[0].probability);
        misses.push_back(
            {{"id", id}, {"what", "urgency"}, {"expected", urgency_id(*want)}, {"got", urgency_id(t.urgency)}, {"reason", why}});
      }
    }

    const std::string group = group_asked(text_at(truth, "group"));
    if (!t.child && base.possible && !group.empty()) {
      const bool tumour = truth.contains("is_tumour") && truth["is_tumour"].is_boolean() && truth["is_tumour"].get<bool>();
      const bool told = truth.contains("is_tumour") && truth["is_tumour"].is_boolean();
      auto score = [&](const Posterior& p, Ranking Tally::*ranking) {
        const auto ranked = groups_ranked(p, m);
        std::size_t rank = ranked.size();
        for (std::size_t i = 0; i < ranked.size(); ++i)
          if (ranked[i].first == group) rank = i;
        for (Tally* tally : tallies) {
          Ranking& r = tally->*ranking;
          r.top1.add(rank == 0);
          r.top3.add(rank < 3);
          if (told) (tumour ? r.tumour.yes : r.tumour.no).push_back(p.tumour);
        }
        return std::make_pair(rank, ranked);
      };
      const auto [rank, ranked] = score(even, &Tally::equal);
      score(base, &Tally::base);
      if (rank >= 3)
        misses.push_back({{"id", id},
                          {"what", "cause"},
                          {"expected", group},
                          {"got", {ranked[0].first, ranked[1].first, ranked[2].first}},
                          {"reason", rank < ranked.size() ? fmt::format("{} is number {} at {:.2g}", group, rank + 1, ranked[rank].second)
                                                          : "no cause has this group"}});
    }

    if (const auto levels = levels_named(text_at(truth, "level"), m); !t.child && base.possible && !levels.empty()) {
      int best = -1;  // the likeliest level, given that there is one
      for (std::size_t l = 0; l < m.levels.size(); ++l)
        if (m.levels[l].canal != Canal::none && (best < 0 || even.levels[l] > even.levels[best])) best = static_cast<int>(l);
      const bool near = best >= levels.front() - 2 && best <= levels.back() + 2;
      for (Tally* tally : tallies) tally->level.add(near);
      if (!near)
        misses.push_back({{"id", id},
                          {"what", "level"},
                          {"expected", text_at(truth, "level")},
                          {"got", m.levels[best].id},
                          {"reason", read.person.locations.empty() ? "where it hurts is not recorded"
                                                                   : "the likeliest level by where it hurts and by cause"}});
    }
  }

  json out = all.report();
  out["headline"] = headline.report();
  out["misses"] = misses;
  out["unknown_names"] = unknown_names;
  out["model"] = {{"version", m.version}, {"hash", m.hash}};
  out["profile"] = profile;
  return out;
}

}  // namespace dorsalgia
