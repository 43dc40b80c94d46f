// The numbers of a model that may be moved: by calibration, and from draw to draw. Each is measured in standard deviations
// of its own prior, which is the hand-written value with its 95% interval, on a scale without borders (log for rates and
// ratios, logit for probabilities): 0 is the hand-written value, and no parameter can be pushed to 0 or 1.
//
// Left where they are: courses (their speeds), levels, anatomy, population. A probability of exactly 0 or 1 is structure.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "model/model.h"

namespace dorsalgia {

inline constexpr int kDraws = 256;  // of the model's numbers: kept by calibration, used by intervals

struct Parameter {
  enum class Kind : std::uint8_t { rate, setting, cancers_in, link, leak, prevalence, factor, shift };
  std::string id;  // "met_lung rate", "met_lung in emergency", "weakness | cord_compression", "osteoporosis | osteoporotic_fracture"
  Kind kind;
  int owner;      // cause (rate, setting, factor) or finding; -1 for cancers_in
  int index;      // setting, link, grade of the leak, context link, shift
  double spread;  // standard deviation of the prior on the parameter's scale

  bool counts_people() const { return kind == Kind::rate || kind == Kind::setting || kind == Kind::cancers_in; }
};

// How strongly a setting selects for malignant causes was judged once for all of them; if it is wrong it is wrong for all
// alike. So beside each cause's own weight there is a factor common to all of them, by setting. Natural log.
inline constexpr double kCancersInSettingSpread = 0.5;

// Every movable number of a model compiled from this knowledge, in a fixed order.
std::vector<Parameter> parameters(const Knowledge& knowledge, const Model& model);

template <class T>
T moved_log(const T& value, const T& by) {
  using std::exp;
  return value * exp(by);
}
// Stays inside (0, 1) for every finite `by`; 0 and 1 stay what they are.
template <class T>
T moved_logit(const T& value, const T& by) {
  using std::exp;
  return value / (value + (1.0 - value) * exp(-by));
}

// Moves one number by z of its prior standard deviations from where it stands.
template <class T>
void displace(ModelOf<T>& m, const Parameter& p, const T& z) {
  const T by = z * p.spread;
  auto over_ages = [&](AgeSexOf<T>& table, auto moved) {
    for (auto& sex : table)
      for (T& x : sex) x = moved(x, by);
  };
  const auto log = [](const T& x, const T& y) { return moved_log(x, y); };
  const auto logit = [](const T& x, const T& y) { return moved_logit(x, y); };
  switch (p.kind) {
    case Parameter::Kind::rate: over_ages(m.causes[p.owner].rate, log); break;
    case Parameter::Kind::setting: m.causes[p.owner].settings[p.index] = moved_log(m.causes[p.owner].settings[p.index], by); break;
    case Parameter::Kind::cancers_in:
      for (auto& cause : m.causes)
        if (cause.behaviour == Behaviour::malignant) cause.settings[p.index] = moved_log(cause.settings[p.index], by);
      break;
    case Parameter::Kind::link:  // all grades together, so that they stay in order
      for (T& x : m.findings[p.owner].links[p.index].p) x = moved_logit(x, by);
      break;
    case Parameter::Kind::leak:
      for (auto& table : m.findings[p.owner].leak) over_ages(table, logit);
      break;
    case Parameter::Kind::prevalence: over_ages(m.findings[p.owner].prevalence, logit); break;
    case Parameter::Kind::factor: {
      auto& link = m.causes[p.owner].context[p.index];
      link.value = link.is_share ? moved_logit(link.value, by) : moved_log(link.value, by);
      break;
    }
    case Parameter::Kind::shift: m.findings[p.owner].shifts[p.index].shift += by; break;
  }
}

// The same model with numbers of another type.
template <class T>
ModelOf<T> with_scalar(const Model& m) {
  const auto ages = [](const AgeSex& table) {
    AgeSexOf<T> out;
    for (std::size_t s = 0; s < table.size(); ++s)
      for (std::size_t b = 0; b < table[s].size(); ++b) out[s][b] = T(table[s][b]);
    return out;
  };
  ModelOf<T> out;
  out.version = m.version, out.hash = m.hash, out.mechanisms = m.mechanisms, out.levels = m.levels, out.segments = m.segments;
  out.locations = m.locations, out.settings = m.settings, out.setting_shares = m.setting_shares;
  out.sensory_level_offset = m.sensory_level_offset, out.people = m.people;
  out.background_share = m.background_share, out.background_log_median = m.background_log_median;
  out.background_log_spread = m.background_log_spread, out.courses = m.courses;
  out.cord_compression = m.cord_compression, out.cauda_equina_compression = m.cauda_equina_compression;
  out.root_compression = m.root_compression, out.sensory_level = m.sensory_level;
  for (const ModelFinding& f : m.findings) {
    ModelFindingOf<T> x;
    x.id = f.id, x.shape = f.shape, x.grades = f.grades, x.place_segment = f.place_segment, x.years = f.years;
    x.log_scale = f.log_scale, x.possible_low = f.possible_low, x.possible_high = f.possible_high, x.centre = f.centre;
    x.spread = f.spread, x.reference_low = f.reference_low, x.reference_high = f.reference_high;
    x.prevalence = ages(f.prevalence);
    for (const AgeSex& leak : f.leak) x.leak.push_back(ages(leak));
    for (const Link& link : f.links) {
      x.links.push_back({link.parent, link.index, link.stage, {}});
      for (double p : link.p) x.links.back().p.emplace_back(p);
    }
    for (const ShiftLink& link : f.shifts) x.shifts.push_back({link.is_cause, link.index, T(link.shift), link.variance});
    out.findings.push_back(std::move(x));
  }
  for (const ModelCause& c : m.causes) {
    ModelCauseOf<T> x;
    x.id = c.id, x.group = c.group, x.behaviour = c.behaviour, x.emergency = c.emergency, x.course = c.course, x.tempo = c.tempo;
    x.levels = c.levels, x.referral = c.referral, x.accompaniment = c.accompaniment, x.accompanied = c.accompanied;
    x.rate = ages(c.rate);
    for (double weight : c.settings) x.settings.emplace_back(weight);
    for (const ModelContextLink& link : c.context) x.context.push_back({link.finding, link.is_share, T(link.value), link.years});
    out.causes.push_back(std::move(x));
  }
  return out;
}

}  // namespace dorsalgia
