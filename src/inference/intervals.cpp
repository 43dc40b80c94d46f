#include "inference/intervals.h"

#include <Random123/philox.h>

#include <Random123/boxmuller.hpp>
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "inference/visits.h"
#include "knowledge/noise.h"
#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr int kWholeAnswers = 64;  // sets of answers to all open questions that are tried

double logit(double p) {
  const double q = std::clamp(p, 1e-12, 1 - 1e-12);
  return std::log(q / (1 - q));
}

// The middle 95% of the values.
Interval middle(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(values.size() - 1);
    const auto i = static_cast<std::size_t>(place);
    const double w = place - static_cast<double>(i);
    return i + 1 < values.size() ? values[i] * (1 - w) + values[i + 1] * w : values.back();
  };
  return {at(0.025), at(0.975)};
}

// Around where the posterior stands: the spread of the draws, on the log-odds scale, so that it always holds the value.
Interval around(double value, const std::vector<double>& draws) {
  if (value <= 0 || value >= 1) return {value, value};
  std::vector<double> odds;
  for (double p : draws) odds.push_back(logit(p));
  const Interval i = middle(odds);
  const auto back = [](double x) { return 1 / (1 + std::exp(-x)); };
  return {std::min(value, back(i.low)), std::max(value, back(i.high))};
}

double variance(const std::vector<double>& probabilities) {
  double sum = 0, squares = 0;
  for (double p : probabilities) sum += logit(p), squares += logit(p) * logit(p);
  const double n = static_cast<double>(probabilities.size());
  return std::max(0.0, squares / n - sum / n * sum / n);
}

// Numbers by counter: the same person always gets the same interval.
struct Random {
  r123::Philox4x32 philox;
  std::uint32_t purpose, a = 0;
  std::uint32_t b = 0;
  double uniform() {
    const auto r = philox({{a, b++, purpose, 0}}, {{0x5eed0001u, 0x0d0b5a16u}});
    return (static_cast<double>(r[0]) + 0.5) / 4294967296.0;
  }
};

}  // namespace

ModelDraws::ModelDraws(const Knowledge& knowledge, const Model& model, int draws)
    : k_(knowledge), m_(model), count_(draws), parameters_(parameters(knowledge, model)) {
  std::map<std::string, int> place;
  for (std::size_t i = 0; i < k_.fitted.parameters.size(); ++i) place[k_.fitted.parameters[i]] = static_cast<int>(i);
  for (const Parameter& p : parameters_) {
    const auto it = place.find(p.id);
    fitted_.push_back(it == place.end() ? -1 : it->second);
  }
}

double ModelDraws::z(int draw, std::size_t parameter) const {
  const int at = fitted_[parameter];
  if (at >= 0 && !k_.fitted.draws.empty()) {
    // Its distance from the noise in tenths, which is what the page fetches of it; that adds a thousandth to a variance of 1.
    const std::size_t row = static_cast<std::size_t>(draw) % k_.fitted.draws.size(), column = static_cast<std::size_t>(at);
    const double its_noise = noise(row, column);
    const double kept = k_.fitted.draws[row][column];
    return its_noise + std::round(10 * (k_.fitted.from_noise ? kept : kept - its_noise)) / 10 - k_.fitted.mean[column];
  }
  r123::Philox4x32 philox;
  const auto r = philox({{static_cast<std::uint32_t>(parameter), static_cast<std::uint32_t>(draw), 1, 0}}, {{0x5eed0001u, 0x0d0b5a16u}});
  return r123::boxmuller((static_cast<std::uint64_t>(r[0]) << 32) | r[1], (static_cast<std::uint64_t>(r[2]) << 32) | r[3]).x;
}

Intervals ModelDraws::intervals(const ExactEngine& engine, const Presentation& person, const Posterior& posterior) const {
  Intervals out;
  out.causes.resize(m_.causes.size());
  if (!posterior.possible) return out;
  const Presentation now = person.later.empty() ? person : at_last_visit(person);

  // Only numbers that this person's answers can feel are displaced.
  std::vector<bool> asked(m_.findings.size(), false);
  for (int f : named_findings(now)) asked[f] = true;
  std::vector<std::size_t> felt;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    switch (p.kind) {
      case Parameter::Kind::rate: felt.push_back(i); break;
      case Parameter::Kind::setting:
      case Parameter::Kind::cancers_in:
        if (now.setting < 0 || now.setting == p.index) felt.push_back(i);
        break;
      case Parameter::Kind::factor:
        if (asked[m_.causes[p.owner].context[p.index].finding]) felt.push_back(i);
        break;
      default:
        if (asked[p.owner]) felt.push_back(i);
    }
  }
  Model displaced = m_;
  int draw = -1;
  const auto next = [&] {
    if (++draw >= count_) return false;
    // Back to where the model stands, then to the draw: displacements of one number add up.
    for (std::size_t c = 0; c < m_.causes.size(); ++c) {
      displaced.causes[c].rate = m_.causes[c].rate;
      displaced.causes[c].settings = m_.causes[c].settings;
      for (std::size_t k = 0; k < m_.causes[c].context.size(); ++k) displaced.causes[c].context[k].value = m_.causes[c].context[k].value;
    }
    for (int f : named_findings(now)) displaced.findings[f] = m_.findings[f];
    for (std::size_t i : felt) displace(displaced, parameters_[i], z(draw, i));
    return true;
  };
  std::vector<double> tumour, malignant, emergency;
  std::vector<std::vector<double>> causes(m_.causes.size());
  std::array<std::vector<double>, kForecastWeeks.size()> compression;
  engine.under_other_numbers(now, displaced, next, [&](const Posterior& p) {
    if (!p.possible) return;
    tumour.push_back(p.tumour);
    malignant.push_back(p.malignant);
    emergency.push_back(p.emergency);
    for (std::size_t c = 0; c < causes.size(); ++c) causes[c].push_back(p.causes[c]);
    for (std::size_t w = 0; w < compression.size(); ++w) compression[w].push_back(p.compression[w]);
  });
  if (tumour.empty()) return out;
  // With later visits: the draws' distance from the one-visit posterior, laid around the filtered one.
  const auto interval = [&](double filtered, double at_one_visit, std::vector<double> draws) {
    if (!person.later.empty())
      for (double& p : draws) p = 1 / (1 + std::exp(-(logit(p) - logit(at_one_visit) + logit(filtered))));
    return around(filtered, draws);
  };
  const Posterior one = person.later.empty() ? posterior : engine.posterior(now);
  out.tumour = interval(posterior.tumour, one.tumour, tumour);
  out.malignant = interval(posterior.malignant, one.malignant, malignant);
  out.emergency = interval(posterior.emergency, one.emergency, emergency);
  for (std::size_t c = 0; c < causes.size(); ++c) out.causes[c] = interval(posterior.causes[c], one.causes[c], causes[c]);
  for (std::size_t w = 0; w < compression.size(); ++w)
    out.compression[w] = interval(posterior.compression[w], one.compression[w], compression[w]);

  const std::vector<double> answered = all_answered(engine, now);
  if (!answered.empty()) {
    out.if_all_answered = middle(answered);
    const double questions = variance(answered), numbers = variance(tumour);
    out.unanswered_share = questions + numbers > 0 ? questions / (questions + numbers) : 0;
  }
  return out;
}

// P(tumour) once all open questions and signs are answered: states drawn from the posterior, answers from the states.
std::vector<double> ModelDraws::all_answered(const ExactEngine& engine, const Presentation& person) const {
  std::vector<int> open;
  const std::vector<int> named = named_findings(person);
  for (std::size_t f = 0; f < m_.findings.size(); ++f) {
    const bool question = k_.findings[f].kind != FindingKind::test && k_.findings[f].kind != FindingKind::measured;
    if (question && !std::binary_search(named.begin(), named.end(), static_cast<int>(f))) open.push_back(static_cast<int>(f));
  }
  if (open.empty()) return {};
  std::vector<double> out, places;
  for (int i = 0; i < kWholeAnswers; ++i) places.push_back((i + 0.5) / kWholeAnswers);
  std::uint32_t i = 0;
  for (const DrawnState& drawn : engine.states_at(person, places)) {
    Random random{{}, 2, i++};
    Presentation p = person;
    p.age = drawn.person.age, p.sex = drawn.person.sex;
    for (int f : open) {
      double u = random.uniform();
      const int grades = m_.findings[f].shape == Shape::history ? kHistoryBins : m_.findings[f].grades;
      int grade = 0;
      while (grade + 1 < grades && (u -= graded(m_, f, grade, grade, drawn.state, *p.sex, *p.age)) >= 0) ++grade;
      p.answers.push_back({f, grade, grade, false, 0, 0, ""});
    }
    out.push_back(engine.outcomes(p).tumour);
  }
  return out;
}

}  // namespace dorsalgia
