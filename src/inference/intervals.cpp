#include "inference/intervals.h"

#include <algorithm>
#include <cmath>
#include <functional>

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

// The middle 95% of the values, and what lies between two of them on the scale of log-odds.
Interval middle(const double* first, const double* last) {
  const double place = 0.025 * static_cast<double>(last - first - 1), w = place - std::floor(place);
  const std::size_t below = static_cast<std::size_t>(place), kept = below + 1 + (w > 0);
  std::vector<double> ends(kept);  // those that come first, in order: few, and soon hardly any other comes before one of them
  const auto at_end = [&](const auto& before) {
    for (const double* x = first; x != last; ++x) {
      std::size_t i = std::min(static_cast<std::size_t>(x - first), kept);
      if (i == kept && !before(*x, ends[--i])) continue;
      for (; i > 0 && before(*x, ends[i - 1]); --i) ends[i] = ends[i - 1];
      ends[i] = *x;
    }
    return w > 0 ? back((1 - w) * logit(ends[below]) + w * logit(ends[below + 1])) : ends[below];
  };
  return {at_end(std::less<>()), at_end(std::greater<>())};
}

// Around where the posterior stands, so that it always holds the value. With later visits: the draws' distance (in log-odds) from
// the posterior of one visit, laid around the filtered one.
Interval around(double filtered, double at_one_visit, const Eigen::Ref<const ArrayXd>& draws) {
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

Intervals ModelDraws::intervals(const ExactEngine& engine, const Presentation& person, const Posterior& posterior) const {
  Intervals out;
  out.causes.resize(m_.causes.size());
  if (!posterior.possible) return out;
  const bool seen_again = !person.later.empty();
  const Presentation now = seen_again ? at_last_visit(person) : person;
  const DrawnPosteriors drawn = under_draws(engine, numbers(), now);
  if (drawn.tumour.size() == 0) return out;
  const Posterior one = seen_again ? engine.posterior(now) : posterior;
  out.tumour = around(posterior.tumour, one.tumour, drawn.tumour);
  out.malignant = around(posterior.malignant, one.malignant, drawn.malignant);
  out.emergency = around(posterior.emergency, one.emergency, drawn.emergency);
  for (std::size_t c = 0; c < out.causes.size(); ++c)
    out.causes[c] = around(posterior.causes[c], one.causes[c], drawn.causes.col(static_cast<Index>(c)));
  for (std::size_t w = 0; w < out.compression.size(); ++w)
    out.compression[w] = around(posterior.compression[w], one.compression[w], drawn.compression.col(static_cast<Index>(w)));

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
  const double numbers = variance(drawn.tumour.data(), drawn.tumour.data() + drawn.tumour.size());
  out.unanswered_share = questions + numbers > 0 ? questions / (questions + numbers) : 0;
  out.if_all_answered = middle(answered.data(), answered.data() + answered.size());
  return out;
}

}  // namespace dorsalgia
