// A finding moves a posterior exactly if its likelihood differs between two states that can both be. So: list the states
// (cause, accompaniment, stage, level) with a probability above 0, and for each finding and grade compare what is left of
// the likelihood once the leak, which all states share, is taken out. Equal everywhere: the answer tells nothing.
#include "model/influence.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kSame = 1e-12;

// Stages that somebody presents in: entered directly or through others, with a hazard of coming to care. Where in the canal
// makes no difference: it multiplies speeds by factors above 0.
std::vector<bool> presenting(const ModelCourse& course) {
  const std::size_t n = course.stages.size();
  std::vector<bool> reached(n);
  for (std::size_t k = 0; k < n; ++k) reached[k] = course.stages[k].entry > 0;
  for (std::size_t round = 0; round < n; ++round)
    for (std::size_t from = 0; from < n; ++from)
      for (std::size_t to = 0; to < n; ++to)
        if (reached[from] && from != to && course.generator[0][from * n + to] > 0) reached[to] = true;
  for (std::size_t k = 0; k < n; ++k) reached[k] = reached[k] && course.stages[k].presents > 0;
  return reached;
}

bool ever(const AgeSex& rate) {
  return std::any_of(rate.begin(), rate.end(),
                     [](const auto& bands) { return std::any_of(bands.begin(), bands.end(), [](double x) { return x > 0; }); });
}

std::vector<State> states(const Model& m) {
  std::vector<State> out;
  for (std::size_t c = 0; c < m.causes.size(); ++c) {
    const ModelCause& cause = m.causes[c];
    if (!ever(cause.rate)) continue;
    const ModelCourse& course = m.courses[cause.course];
    const std::vector<bool> present = presenting(course);
    for (int variant = 0; variant < 2; ++variant) {
      if ((variant == 0 ? 1 - cause.accompanied : cause.accompanied) <= 0) continue;
      for (std::size_t k = 0; k < course.stages.size(); ++k)
        for (std::size_t l = 0; l < m.levels.size(); ++l) {
          if (!present[k] || cause.levels[l] <= 0) continue;
          const int c_ = static_cast<int>(c), k_ = static_cast<int>(k);
          out.push_back({c_, variant, k_, static_cast<int>(l), active(m, c_, variant, k_, m.levels[l].canal)});
        }
    }
  }
  return out;
}

bool differs(const std::vector<double>& values) {
  if (values.empty()) return false;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low > kSame;
}

bool discrete_moves(const Model& m, const std::vector<State>& all, const ModelFinding& f, int grade) {
  std::vector<double> values;
  for (const State& s : all) values.push_back(at_most(m, f, grade, s, Sex::male, kAgeMiddle[0]));
  return differs(values);
}

bool measured_moves(const std::vector<State>& all, const ModelFinding& f) {
  std::vector<double> centres, variances;
  for (const State& s : all) {
    centres.push_back(0), variances.push_back(0);
    for (const ShiftLink& link : f.shifts)
      if (link.is_cause ? link.index == s.cause : (s.active >> link.index & 1) != 0)
        centres.back() += link.shift, variances.back() += link.variance;
  }
  return differs(centres) || differs(variances);
}

// By what the prevalence is multiplied, and for a history when it was, at some age of some sex at which the cause occurs.
bool context_moves(const Model& m, int finding, const ModelFinding& f) {
  for (int sex = 0; sex < 2; ++sex)
    for (int band = 0; band < kAgeBands; ++band) {
      const double prevalence = f.prevalence[sex][band];
      std::vector<std::vector<double>> by_bin(kHistoryBins);
      for (const ModelCause& c : m.causes) {
        if (c.rate[sex][band] <= 0) continue;
        const auto link = std::find_if(c.context.begin(), c.context.end(), [&](const auto& x) { return x.finding == finding; });
        double present = prevalence;
        if (link != c.context.end() && prevalence > 0)
          present = link->is_share ? link->value : prevalence * link->value / (1 + prevalence * (link->value - 1));
        by_bin[0].push_back(present);
        if (f.shape == Shape::history)
          for (int bin = 1; bin < kHistoryBins; ++bin)
            by_bin[bin].push_back(present * (link != c.context.end() ? link->years : f.years)[bin - 1]);
      }
      if (std::any_of(by_bin.begin(), by_bin.end(), differs)) return true;
    }
  return false;
}

}  // namespace

std::vector<Complaint> findings_without_influence(const Knowledge& k, const Model& m) {
  std::vector<Complaint> out;
  // One state for each (cause, stage, active, level): variants often share them.
  std::vector<State> all = states(m);
  auto key = [](const State& s) { return std::tie(s.cause, s.stage, s.level, s.active); };
  std::sort(all.begin(), all.end(), [&](const State& a, const State& b) { return key(a) < key(b); });
  all.erase(std::unique(all.begin(), all.end(), [&](const State& a, const State& b) { return key(a) == key(b); }), all.end());

  for (std::size_t i = 0; i < m.findings.size(); ++i) {
    const ModelFinding& f = m.findings[i];
    const Finding& written = k.findings[i];
    auto complain = [&](const std::string& what) {
      out.push_back({written.file, std::max(1, written.line), what + " moves no posterior: it is as likely in every cause, stage and level",
                     "check for probabilities of 0, ratios of 1 and mechanisms of stages that nobody reaches"});
    };
    if (f.shape == Shape::measured) {
      if (!measured_moves(all, f)) complain(fmt::format("'{}'", f.id));
    } else if (f.shape != Shape::discrete) {
      if (!context_moves(m, static_cast<int>(i), f)) complain(fmt::format("'{}'", f.id));
    } else {
      std::vector<std::string> idle;
      for (int grade = 1; grade < f.grades; ++grade)
        if (!discrete_moves(m, all, f, grade - 1)) idle.push_back(written.grades.empty() ? "present" : written.grades[grade]);
      if (static_cast<int>(idle.size()) == f.grades - 1) complain(fmt::format("'{}'", f.id));
      else
        for (const auto& grade : idle) complain(fmt::format("grade '{}' of '{}'", grade, f.id));
    }
  }
  return out;
}

}  // namespace dorsalgia
