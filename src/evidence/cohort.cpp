#include "evidence/cohort.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "evidence/discrimination.h"
#include "pathway/pathway.h"
#include "person/read.h"

namespace dorsalgia {

using nlohmann::json;

namespace {

constexpr std::size_t kChunk = 256;  // people that a thread takes at once

// Thresholds of the decision curve: from one scan in a thousand people with cancer among them to one in three.
const std::vector<double> kThresholds = {0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.007, 0.01, 0.015,
                                         0.02,  0.03,   0.04,  0.05,  0.07,  0.1,   0.15,  0.2,  0.3};

// The parts of a red-flag list that ask for a search for a tumour; those on fractures, infection and so on do not count.
bool looks_for_tumours(const std::string& part) {
  for (const char* start : {"malignancy", "tumour", "cord_compression", "any_red_flag"})
    if (part.rfind(start, 0) == 0) return true;
  return false;
}

struct Person {
  double tumour = 0, malignant = 0, weight = 0;
  bool has_tumour = false, has_malignant = false;
  std::vector<Truth> lists;  // by list: whether one of the parts that look for tumours fires
};

struct Chunk {
  std::vector<Person> people;
  std::vector<CaseFault> faults;
  int children = 0, impossible = 0;
};

class Reader {
 public:
  Reader(const Knowledge& k, const ExactEngine& engine, const std::vector<std::string>& without) : k_(k), engine_(engine) {
    for (const Finding& f : k.findings) forgotten_.push_back(std::find(without.begin(), without.end(), f.group) != without.end());
  }

  void read(const std::string& line, int number, Chunk& out) const {
    json j;
    std::vector<PersonFault> bad;
    const auto fault = [&](const std::string& text) { out.faults.push_back({number, text}); };
    if (!parse_strictly(line, kLargestPerson, j, bad)) return fault(bad[0].text());
    Person p;
    if (!j.is_object() || !j.contains("truth") || !j["truth"].is_object())
      return fault("truth: missing; a line of a simulated cohort is a person with \"truth\" (dorsalgia simulate)");
    const json truth = j["truth"];
    for (const char* key : {"is_tumour", "malignant"})
      if (!truth.contains(key) || !truth[key].is_boolean()) return fault(fmt::format("truth.{}: true or false is needed", key));
    if (!truth.contains("weight") || !truth["weight"].is_number() || !(truth["weight"] > 0))
      return fault("truth.weight: a number above 0 is needed; cohorts with and without weights do not go into one file");
    p.has_tumour = truth["is_tumour"], p.has_malignant = truth["malignant"], p.weight = truth["weight"];
    j.erase("truth");

    PersonRead person = read_person(j, k_, engine_.model());
    if (!person.faults.empty()) return fault(person.faults[0].text());
    forget(person.person);
    if (person.person.age && *person.person.age < kAdult) {
      ++out.children;
      return;
    }
    const Posterior posterior = engine_.posterior(person.person);
    if (!posterior.possible) {
      ++out.impossible;
      return;
    }
    p.tumour = posterior.tumour, p.malignant = posterior.malignant;
    for (const ComparatorResult& list : compare(k_, engine_.model(), person.person)) {
      Truth any = Truth::no;
      for (const auto& [part, fires] : list.parts)
        if (looks_for_tumours(part)) any = std::max(any, fires);
      p.lists.push_back(any);
    }
    out.people.push_back(std::move(p));
  }

 private:
  void forget(Presentation& person) const {
    const auto gone = [&](const Answer& a) { return forgotten_[static_cast<std::size_t>(a.finding)]; };
    const auto partly_gone = [&](const AnyOf& any) { return std::any_of(any.answers.begin(), any.answers.end(), gone); };
    const auto clear = [&](auto& visit) {
      std::erase_if(visit.answers, gone);
      std::erase_if(visit.any_of, partly_gone);  // what is left of it is not known to hold
    };
    clear(person);
    for (Visit& v : person.later) clear(v);
    if (engine_.model().sensory_level >= 0 && forgotten_[static_cast<std::size_t>(engine_.model().sensory_level)]) {
      person.sensory_segment = -1;
      for (Visit& v : person.later) v.sensory_segment = -1;
    }
  }
  const Knowledge& k_;
  const ExactEngine& engine_;
  std::vector<bool> forgotten_;  // by finding
};

json told(const Estimate& e) {  // what is not a number is null
  const auto number = [](double x) { return std::isfinite(x) ? json(x) : json(nullptr); };
  return {{"value", e.value}, {"low", number(e.low)}, {"high", number(e.high)}};
}

json told(const std::vector<Prediction>& people, const std::vector<std::vector<Truth>>& lists, const Knowledge& k) {
  json out;
  const Decisions all = act_from(0, people);
  double predicted = 0, weight = 0;
  int with = 0;
  for (const Prediction& p : people) predicted += p.weight * p.predicted, weight += p.weight, with += p.truth;
  out["people"] = with;
  out["share"] = all.true_positive;
  out["predicted"] = weight > 0 ? predicted / weight : 0;
  const auto area = auroc(people);
  out["auroc"] = area ? told(*area) : json(nullptr);
  const auto line = calibration_line(people);
  out["calibration"] =
      line ? json{{"slope", told(line->slope)}, {"intercept", told(line->intercept)}, {"offset", told(line->offset)}} : json(nullptr);
  const Brier b = brier(people);
  out["brier"] = {{"value", b.value}, {"uninformed", b.uninformed}};
  out["tenths"] = json::array();
  for (const CalibrationGroup& g : calibration_by_tenths(people))
    out["tenths"].push_back({{"share", g.share},
                             {"predicted", g.predicted},
                             {"observed", g.observed},
                             {"low", g.low},
                             {"high", g.high},
                             {"people", g.people},
                             {"with", g.events}});
  out["thresholds"] = kThresholds;
  const auto curve = [&](const Decisions& d) {
    json values = json::array();
    for (double t : kThresholds) values.push_back(d.net_benefit(t));
    return values;
  };
  json model = json::array();
  for (double t : kThresholds) model.push_back(act_from(t, people).net_benefit(t));
  out["net_benefit"] = {{"model", model}, {"all", curve(all)}, {"none", json::array()}};
  for (std::size_t i = 0; i < kThresholds.size(); ++i) out["net_benefit"]["none"].push_back(0);

  out["lists"] = json::array();
  for (std::size_t l = 0; l < k.comparators.size(); ++l) {
    json parts = json::array();
    for (const auto& [name, condition] : k.comparators[l].lists)
      if (looks_for_tumours(name)) parts.push_back(name);
    if (parts.empty()) continue;
    std::vector<bool> acts;
    double open = 0;
    for (std::size_t i = 0; i < people.size(); ++i) {
      acts.push_back(lists[i][l] == Truth::yes);
      if (lists[i][l] == Truth::unknown) open += people[i].weight;
    }
    const Decisions d = act_when(acts, people);
    const double fired = d.true_positive + d.false_positive;
    if (fired == 0 && open == 0) continue;  // lists for children
    out["lists"].push_back({{"id", k.comparators[l].id},
                            {"name", k.comparators[l].name},
                            {"parts", parts},
                            {"acts", fired},
                            {"not_assessable", weight > 0 ? open / weight : 0},
                            {"sensitivity", with ? json(d.sensitivity()) : json(nullptr)},
                            {"specificity", with < static_cast<int>(people.size()) ? json(d.specificity()) : json(nullptr)},
                            {"net_benefit", curve(d)}});
  }
  return out;
}

}  // namespace

bool is_cohort_line(const std::string& line) {
  const json j = json::parse(line, nullptr, false);
  return j.is_object() && j.contains("truth") && j["truth"].is_object() && j["truth"].contains("weight");
}

json evaluate_cohort(std::istream& lines, const Knowledge& knowledge, const ExactEngine& engine, const CohortOptions& options,
                     std::vector<CaseFault>& faults) {
  const Reader reader(knowledge, engine, options.without);
  std::map<std::size_t, Chunk> chunks;  // by place in the file, so that sums do not depend on which thread was first
  std::mutex mutex;
  std::size_t taken = 0;
  int number = 0;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (;;) {
        std::vector<std::pair<int, std::string>> mine;
        std::size_t place = 0;
        {
          const std::lock_guard lock(mutex);
          if (failure) return;
          place = taken++;
          std::string line;
          while (mine.size() < kChunk && std::getline(lines, line))
            if (++number; line.find_first_not_of(" \t\r") != std::string::npos) mine.emplace_back(number, line);
        }
        if (mine.empty()) return;
        Chunk chunk;
        for (const auto& [at, line] : mine) reader.read(line, at, chunk);
        if (options.progress) options.progress(mine.size());
        const std::lock_guard lock(mutex);
        chunks[place] = std::move(chunk);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  const unsigned threads = options.threads ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (auto& t : others) t.join();
  if (failure) std::rethrow_exception(failure);

  std::vector<Prediction> tumour, malignant;
  std::vector<std::vector<Truth>> lists;
  int children = 0, impossible = 0;
  double weight = 0;
  for (auto& [place, chunk] : chunks) {
    children += chunk.children, impossible += chunk.impossible;
    for (const CaseFault& f : chunk.faults)
      if (faults.size() < kMostFaults) faults.push_back(f);
    for (Person& p : chunk.people) {
      tumour.push_back({p.tumour, p.has_tumour, p.weight});
      malignant.push_back({p.malignant, p.has_malignant, p.weight});
      weight += p.weight;
      lists.push_back(std::move(p.lists));
    }
  }
  json out;
  out["model"] = {{"version", engine.model().version}, {"hash", engine.model().hash}};
  out["people"] = tumour.size();
  out["children"] = children;
  out["impossible"] = impossible;
  out["weight"] = weight;
  out["without"] = options.without;
  out["outcomes"] = {{"tumour", told(tumour, lists, knowledge)}, {"malignant", told(malignant, lists, knowledge)}};
  return out;
}

}  // namespace dorsalgia
