#include "inference/intervals.h"

#include <algorithm>
#include <cmath>

#include "inference/draws.h"
#include "inference/visits.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::Index;

namespace {

constexpr int kWholeAnswers = 64;  // sets of answers to all open questions that are tried

double logit(double p) {
  const double q = std::clamp(p, 1e-12, 1 - 1e-12);
  return std::log(q / (1 - q));
}
double back(double x) { return 1 / (1 + std::exp(-x)); }

// The middle 95% of the values, and what lies between two of them on the scale of log-odds. Reorders them.
Interval middle(double* first, double* last) {
  const auto n = static_cast<double>(last - first - 1);
  const auto at = [&](double share) {
    const auto below = static_cast<std::ptrdiff_t>(share * n);
    const double w = share * n - static_cast<double>(below);
    std::nth_element(first, first + below, last);
    const double low = first[below];
    if (w <= 0 || first + below + 1 == last) return low;
    return back((1 - w) * logit(low) + w * logit(*std::min_element(first + below + 1, last)));
  };
  return {at(0.025), at(0.975)};
}

// Around where the posterior stands, so that it always holds the value. With later visits: the draws' distance (in log-odds) from
// the posterior of one visit, laid around the filtered one.
Interval around(double filtered, double at_one_visit, ArrayXd draws) {
  if (filtered <= 0 || filtered >= 1) return {filtered, filtered};
  Interval i = middle(draws.data(), draws.data() + draws.size());
  if (filtered != at_one_visit)
    for (double* end : {&i.low, &i.high}) *end = back(logit(*end) - logit(at_one_visit) + logit(filtered));
  return {std::min(filtered, i.low), std::max(filtered, i.high)};
}

double variance(const double* first, const double* last) {
  double sum = 0, squares = 0;
  for (const double* p = first; p != last; ++p) sum += logit(*p), squares += logit(*p) * logit(*p);
  const auto n = static_cast<double>(last - first);
  return std::max(0.0, squares / n - sum / n * sum / n);
}

}  // namespace

ModelDraws::ModelDraws(const Knowledge& knowledge, const Model& model, int draws) : k_(knowledge), m_(model), count_(draws) {}
ModelDraws::~ModelDraws() = default;

const MovedNumbers& ModelDraws::numbers() const {
  std::call_once(made_, [&] { numbers_ = std::make_unique<const MovedNumbers>(k_, m_, count_); });
  return *numbers_;
}

DrawnPosteriors ModelDraws::one_by_one(const ExactEngine& engine, const Presentation& person) const {
  const std::vector<Parameter>& parameters = numbers().parameters();
  const std::vector<int> named = named_findings(person);
  // Only numbers that this person's answers can feel are displaced.
  std::vector<bool> asked(m_.findings.size(), false);
  for (int f : named) asked[f] = true;
  std::vector<std::size_t> felt;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    switch (p.kind) {
      case Parameter::Kind::rate: felt.push_back(i); break;
      case Parameter::Kind::setting:
      case Parameter::Kind::cancers_in:
        if (person.setting < 0 || person.setting == p.index) felt.push_back(i);
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
    for (int f : named) displaced.findings[f] = m_.findings[f];
    for (std::size_t i : felt) displace(displaced, parameters[i], numbers().z(draw, i));
    return true;
  };
  DrawnPosteriors out;
  Index n = 0;  // draws under which the answers are possible
  for (ArrayXd* its : {&out.tumour, &out.malignant, &out.emergency}) its->resize(count_);
  out.causes.resize(count_, static_cast<Index>(m_.causes.size()));
  out.compression.resize(count_, static_cast<Index>(kForecastWeeks.size()));
  engine.under_other_numbers(person, displaced, next, [&](const Posterior& p) {
    if (!p.possible) return;
    out.tumour[n] = p.tumour, out.malignant[n] = p.malignant, out.emergency[n] = p.emergency;
    for (std::size_t c = 0; c < p.causes.size(); ++c) out.causes(n, static_cast<Index>(c)) = p.causes[c];
    for (std::size_t w = 0; w < p.compression.size(); ++w) out.compression(n, static_cast<Index>(w)) = p.compression[w];
    ++n;
  });
  for (ArrayXd* its : {&out.tumour, &out.malignant, &out.emergency}) its->conservativeResize(n);
  out.causes.conservativeResize(n, Eigen::NoChange);
  out.compression.conservativeResize(n, Eigen::NoChange);
  return out;
}

Intervals ModelDraws::intervals(const ExactEngine& engine, const Presentation& person, const Posterior& posterior) const {
  Intervals out;
  out.causes.resize(m_.causes.size());
  if (!posterior.possible) return out;
  const bool seen_again = !person.later.empty();
  const Presentation now = seen_again ? at_last_visit(person) : person;
  std::optional<DrawnPosteriors> drawn = under_draws(engine, numbers(), now);
  if (!drawn) drawn = one_by_one(engine, now);
  if (drawn->tumour.size() == 0) return out;
  const Posterior one = seen_again ? engine.posterior(now) : posterior;
  out.tumour = around(posterior.tumour, one.tumour, drawn->tumour);
  out.malignant = around(posterior.malignant, one.malignant, drawn->malignant);
  out.emergency = around(posterior.emergency, one.emergency, drawn->emergency);
  for (std::size_t c = 0; c < out.causes.size(); ++c)
    out.causes[c] = around(posterior.causes[c], one.causes[c], drawn->causes.col(static_cast<Index>(c)));
  for (std::size_t w = 0; w < out.compression.size(); ++w)
    out.compression[w] = around(posterior.compression[w], one.compression[w], drawn->compression.col(static_cast<Index>(w)));

  // Questions and signs that are still open, not tests.
  std::vector<int> open;
  const std::vector<int> named = named_findings(now);
  for (std::size_t f = 0; f < m_.findings.size(); ++f) {
    const bool question = k_.findings[f].kind != FindingKind::test && k_.findings[f].kind != FindingKind::measured;
    if (question && !std::binary_search(named.begin(), named.end(), static_cast<int>(f))) open.push_back(static_cast<int>(f));
  }
  if (open.empty()) return out;
  std::vector<double> answered = engine.once_answered(now, open, kWholeAnswers);
  if (answered.empty()) return out;
  const double questions = variance(answered.data(), answered.data() + answered.size());
  const double numbers = variance(drawn->tumour.data(), drawn->tumour.data() + drawn->tumour.size());
  out.unanswered_share = questions + numbers > 0 ? questions / (questions + numbers) : 0;
  out.if_all_answered = middle(answered.data(), answered.data() + answered.size());
  return out;
}

}  // namespace dorsalgia
