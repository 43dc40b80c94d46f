// What the tables of a Model mean for one state of one person: P(finding | state), P(factor | cause), rates. Written once,
// for any scalar: the oracle reads it with double, calibration with dual numbers that carry derivatives.
#pragma once

#include <cmath>
#include <limits>

#include "model/model.h"

namespace dorsalgia {

// Share of measured values that follow no disease: mistakes, other illness. One odd value can rule nothing out.
inline constexpr double kUnmodelled = 0.02;

// How steady a measured value is in one person: the correlation of what two visits leave unexplained, so that 0.64 of the
// spread between people is lasting. A judgement: blood tests differ far more between people than within one (index of
// individuality below 0.6 for ESR, CRP, haemoglobin and calcium: Fraser & Harris, Crit Rev Clin Lab Sci 1989;27:409, recalled).
inline constexpr double kSteadiness = 0.8;

// After how many weeks, on average, a person's proneness to one finding is drawn anew (exponential), so that complaints may
// come and go for reasons of their own. A judgement: two years. Never, and every fever that goes would have to be a change
// of stage (docs/limits.md); a few weeks, and asking three times would count three times.
inline constexpr double kRenewalWeeks = 104;

struct State {
  int cause, variant, stage, level;
  MechanismSet active;
};

template <class T>
T normal_cdf(const T& z) {
  using std::erfc;
  return 0.5 * erfc(-z * M_SQRT1_2);
}

template <class T>
T normal_pdf(const T& z) {
  using std::exp;
  return exp(-0.5 * z * z) * 0.3989422804014326779;
}

// P(from <= Z < to), from the side on which the tail is thin: 1 - 1 would lose it.
template <class T>
T normal_between(const T& from, const T& to) {
  return from > T(0.0) ? T(normal_cdf(T(-from)) - normal_cdf(T(-to))) : T(normal_cdf(to) - normal_cdf(from));
}

// The mechanisms that are really active in a stage, at a level, with (1) or without (0) the cause's accompaniment.
template <class T>
MechanismSet active(const ModelOf<T>& m, int cause, int variant, int stage, Canal canal) {
  const auto& c = m.causes[cause];
  MechanismSet set = m.courses[c.course].stages[stage].mechanisms;
  if (variant == 1) set |= MechanismSet{1} << c.accompaniment;
  return m.real(set, canal);
}

// Episodes of this cause that come to care in a setting, up to a factor common to all causes.
template <class T>
T rate(const ModelOf<T>& m, int cause, int setting, Sex sex, double age) {
  return at_age(m.causes[cause].rate, sex, age) * m.causes[cause].settings[setting];
}

// Place findings: how far a mechanism at this level reaches the segment that the finding tests.
template <class T>
double reach(const ModelOf<T>& m, const ModelFindingOf<T>& f, int mechanism, int level) {
  if (f.place_segment < 0) return 1;
  const ModelLevel& l = m.levels[level];
  if (mechanism == m.root_compression) {
    for (const auto& [segment, share] : l.roots)
      if (segment == f.place_segment) return share;
    return 0;
  }
  if (mechanism == m.cord_compression) return l.cord_segment >= 0 && f.place_segment >= l.cord_segment ? 1 : 0;
  if (mechanism == m.cauda_equina_compression) return l.first_root >= 0 && f.place_segment >= l.first_root ? 1 : 0;
  return 1;
}

// P(no active parent brings more than this grade of a discrete finding), the leak left out. grade < f.grades - 1.
template <class T>
T unbrought(const ModelOf<T>& m, const ModelFindingOf<T>& f, int grade, const State& s) {
  T p(1.0);
  for (const LinkOf<T>& link : f.links) switch (link.parent) {
      case Parent::mechanism:
        if (s.active >> link.index & 1) p *= 1.0 - link.p[grade] * reach(m, f, link.index, s.level);
        break;
      case Parent::cause:
        if (link.index == s.cause) p *= 1.0 - link.p[grade];
        break;
      case Parent::stage:
        if (link.index == m.causes[s.cause].course && link.stage == s.stage) p *= 1.0 - link.p[grade];
        break;
    }
  return p;
}

// P(discrete finding is at most this grade): every active parent failed to bring more. -1: impossible; the top: certain.
template <class T>
T at_most(const ModelOf<T>& m, const ModelFindingOf<T>& f, int grade, const State& s, Sex sex, double age) {
  if (grade < 0) return T(0.0);
  if (grade >= f.grades - 1) return T(1.0);
  return (1.0 - at_age(f.leak[grade], sex, age)) * unbrought(m, f, grade, s);
}

// Mean and variance of a measured value in this state, on the finding's scale.
template <class T>
struct Bell {
  T mean;
  double variance;
};

inline double on_scale(bool log_scale, double x) { return !log_scale ? x : x > 0 ? std::log(x) : -std::numeric_limits<double>::infinity(); }

template <class T>
Bell<T> bell(const ModelFindingOf<T>& f, const State& s, Sex sex, double age) {
  Bell<T> out{T(on_scale(f.log_scale, at_age(f.centre, sex, age))), f.spread * f.spread};
  for (const ShiftLinkOf<T>& link : f.shifts)
    if (link.is_cause ? link.index == s.cause : (s.active >> link.index & 1) != 0) out.mean += link.shift, out.variance += link.variance;
  return out;
}

// Density at `from` when from == to (on the finding's scale), else P(from <= value < to); both in the finding's unit.
template <class T>
T measured(const ModelFindingOf<T>& f, double from, double to, const State& s, Sex sex, double age) {
  const auto [mean, variance] = bell(f, s, sex, age);
  const double sd = std::sqrt(variance), low = on_scale(f.log_scale, f.possible_low), high = on_scale(f.log_scale, f.possible_high);
  const double a = on_scale(f.log_scale, from), b = on_scale(f.log_scale, to);
  if (from == to) return (1 - kUnmodelled) * normal_pdf(T((a - mean) / sd)) / sd + kUnmodelled / (high - low);
  const double inside = std::max(0.0, std::min(high, b) - std::max(low, a));
  // An open end is a certainty without a derivative; infinity minus a dual number is not.
  const T modelled = std::isinf(a) && std::isinf(b) ? T(1.0)
                     : std::isinf(b)                ? normal_cdf(T((mean - a) / sd))
                     : std::isinf(a)                ? normal_cdf(T((b - mean) / sd))
                                                    : normal_between(T((a - mean) / sd), T((b - mean) / sd));
  return (1 - kUnmodelled) * modelled + kUnmodelled * inside / (high - low);
}

template <class T>
const ModelContextLinkOf<T>* context_link(const ModelOf<T>& m, int finding, int cause) {
  for (const auto& link : m.causes[cause].context)
    if (link.finding == finding) return &link;
  return nullptr;
}

// P(factor present | cause): its share among those with the cause, or a rate ratio applied to its prevalence.
template <class T>
T factor_present(const ModelOf<T>& m, int finding, int cause, Sex sex, double age) {
  const T prevalence = at_age(m.findings[finding].prevalence, sex, age);
  const auto* link = context_link(m, finding, cause);
  if (!link || prevalence <= T(0.0)) return prevalence;
  if (link->is_share) return link->value;
  return prevalence * link->value / (1.0 + prevalence * (link->value - 1.0));
}

// P(low <= grade <= high) for any finding but measured ones: grades of a symptom, presence of a factor, bins of a history.
template <class T>
T graded(const ModelOf<T>& m, int finding, int low, int high, const State& s, Sex sex, double age) {
  const auto& f = m.findings[finding];
  if (f.shape == Shape::discrete) return at_most(m, f, high, s, sex, age) - at_most(m, f, low - 1, s, sex, age);
  const T present = factor_present(m, finding, s.cause, sex, age);
  T p = low == 0 ? T(1.0 - present) : T(0.0);
  if (f.shape == Shape::context) return high >= 1 ? T(p + present) : p;
  const auto* link = context_link(m, finding, s.cause);
  for (int bin = std::max(1, low); bin <= high; ++bin) p += present * (link ? link->years : f.years)[bin - 1];
  return p;
}

// The border of a sensory level points to the cord segment under pressure; without a cord lesion it points nowhere.
template <class T>
double sensory_border(const ModelOf<T>& m, int segment, const State& s) {
  const double nowhere = 1.0 / static_cast<double>(m.segments.size());
  if (m.cord_compression < 0 || !(s.active >> m.cord_compression & 1)) return nowhere;
  double p = 0.1 * nowhere;
  for (const auto& [offset, share] : m.sensory_level_offset)
    if (m.levels[s.level].cord_segment + offset == segment) p += 0.9 * share;
  return p;
}

// Where it hurts: P(felt at this location | state). Pain from outside the spine is felt where the cause refers it.
template <class T>
double felt(const ModelOf<T>& m, int location, const State& s) {
  return m.levels[s.level].id == "not_spinal" ? m.causes[s.cause].referral[location] : m.levels[s.level].pain[location];
}

// The share of stated durations that count older ordinary back pain in: P(stated duration < t weeks | so counted).
template <class T>
double background_before(const ModelOf<T>& m, double weeks) {
  if (weeks <= 0) return 0;
  return std::isinf(weeks) ? 1 : normal_cdf((std::log(weeks) - m.background_log_median) / m.background_log_spread);
}

template <class T>
double background_density(const ModelOf<T>& m, double weeks) {
  if (weeks <= 0) return 0;
  return normal_pdf((std::log(weeks) - m.background_log_median) / m.background_log_spread) / (m.background_log_spread * weeks);
}

}  // namespace dorsalgia
