// The tables of the exact engine and one profile's belief over them; what the tables are for is told in exact.cpp.
#include "inference/tables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <unordered_map>

#include "inference/lanes.h"
#include "inference/prospects.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::ArrayXXd;
using Eigen::Index;

namespace {
constexpr double kInfinity = std::numeric_limits<double>::infinity();
}  // namespace

int Numbers::of(const std::vector<int>& key) { return known_.emplace(key, count()).first->second; }

std::optional<Answer> both(const Answer& a, const Answer& b) {
  Answer out{a.finding, std::max(a.low, b.low), std::min(a.high, b.high), a.measured, std::max(a.from, b.from), std::min(a.to, b.to), ""};
  if (!a.measured) return out.low <= out.high ? std::optional(out) : std::nullopt;
  const bool exact = out.from == out.to && (b.from == b.to ? a.from == a.to || out.from < a.to : a.from == a.to && out.from < b.to);
  return out.from < out.to || exact ? std::optional(out) : std::nullopt;
}

MeasuredAnswer::MeasuredAnswer(const Answer& a, const ModelFinding& f, const Profile& x) : exact(a.from == a.to) {
  const double low = on_scale(f.log_scale, f.possible_low), high = on_scale(f.log_scale, f.possible_high);
  from = on_scale(f.log_scale, a.from);
  to = exact ? from : on_scale(f.log_scale, a.to);
  centre = on_scale(f.log_scale, at_age(f.centre, x.sex, x.age));
  unmodelled = kUnmodelled / (high - low) * (exact ? 1 : std::max(0.0, std::min(high, to) - std::max(low, from)));
}

Answer of_grade(const ModelFinding& f, int finding, int grade, Sex sex) {
  const double low = f.reference_low[static_cast<int>(sex)], high = f.reference_high[static_cast<int>(sex)];
  if (f.shape != Shape::measured) return {finding, grade, grade, false, 0, 0, ""};
  return {finding, 0, 0, true, grade == 0 ? -kInfinity : grade == 1 ? low : high, grade == 0 ? low : grade == 1 ? high : kInfinity, ""};
}

// ---- building

namespace {
const Lanes& lanes_called(const std::string& target) {
  static const std::vector<Lanes> all = lanes();
  for (const Lanes& its : all)
    if (target.empty() || target == its.name) return its;
  throw std::invalid_argument("this machine has no instruction set called " + target);
}
}  // namespace

ExactEngine::Tables::Tables(const Model& model, const std::string& target) : Space(model), lanes(lanes_called(target)) {
  int columns = 0;
  for (const ModelFinding& f : m->findings) {
    first_column.push_back(tabled(f) ? columns : -1);
    columns += tabled(f) ? f.grades - 1 : 0;
  }
  at_most.resize(n(), columns);
  number_parts();
  for (std::size_t f = 0; f < m->findings.size(); ++f) build_finding(static_cast<int>(f));
  first_left.push_back(static_cast<int>(left.size()));
}

ExactEngine::Tables::~Tables() = default;

const ProspectTables& ExactEngine::Tables::for_prospects() const {
  std::call_once(joined_, [&] { for_prospects_ = std::make_unique<ProspectTables>(*this); });
  return *for_prospects_;
}

void ExactEngine::Tables::number_parts() {
  auto next = static_cast<int>(m->mechanisms.size() + m->causes.size());
  for (const ModelCourse& course : m->courses) {
    first_stage.push_back(next);
    next += static_cast<int>(course.stages.size());
  }
  first_stage.push_back(next);
  for (const Strand& strand : strands)
    for (int k = 0; k < stages(strand.cause); ++k) {
      part_of_stage.push_back(first_stage[m->causes[strand.cause].course] + k);
      cause_of_stage.push_back(strand.cause);
    }
}

LinkClasses ExactEngine::Tables::classes_of(const ModelFinding& f) const {
  // What of a signature is linked: some mechanisms, its cause or not, its stage or not.
  const std::size_t all_stages = ever.size();
  std::vector<bool> causes(m->causes.size(), false);
  std::vector<std::vector<bool>> stages(m->courses.size());
  MechanismSet mechanisms = 0;
  for (const ShiftLink& link : f.shifts) {
    if (link.is_cause) causes[link.index] = true;
    else mechanisms |= MechanismSet{1} << link.index;
  }
  for (const Link& link : f.links) {
    if (link.parent == Parent::mechanism) mechanisms |= MechanismSet{1} << link.index;
    if (link.parent == Parent::cause) causes[link.index] = true;
    if (link.parent != Parent::stage) continue;
    stages[link.index].resize(m->courses[link.index].stages.size());
    stages[link.index][link.stage] = true;
  }
  LinkClasses out;
  out.of.reserve(signatures.size());
  std::unordered_map<std::uint64_t, std::uint16_t> known;
  for (const Signature& s : signatures) {
    const int course = m->causes[s.cause].course;
    const bool staged = !stages[course].empty() && stages[course][s.stage];
    const std::uint64_t stage = staged ? static_cast<std::uint64_t>(course) * all_stages + s.stage + 1 : 0;
    const std::uint64_t cause = causes[s.cause] ? s.cause + 1 : 0;
    const std::uint64_t key = (stage * (m->causes.size() + 1) + cause) << 32 | (s.active & mechanisms);
    const auto [it, fresh] = known.emplace(key, static_cast<std::uint16_t>(known.size()));
    if (fresh) {
      auto& its = out.links.emplace_back();
      for (std::size_t i = 0; i < f.shifts.size(); ++i)
        if (f.shifts[i].is_cause ? f.shifts[i].index == s.cause : (s.active >> f.shifts[i].index & 1) != 0)
          its.push_back(static_cast<int>(i));
      for (std::size_t i = 0; i < f.links.size(); ++i) {
        const Link& link = f.links[i];
        if (link.parent == Parent::mechanism ? (s.active >> link.index & 1) != 0
            : link.parent == Parent::cause   ? link.index == s.cause
                                             : link.index == course && link.stage == s.stage)
          its.push_back(static_cast<int>(i));
      }
    }
    out.of.push_back(it->second);
  }
  return out;
}

void ExactEngine::Tables::build_finding(int index) {
  const ModelFinding& f = m->findings[index];
  place_at_most.emplace_back();
  shift_class.emplace_back();
  auto& links = context_link.emplace_back();
  classes.push_back(tabled(f) || f.shape == Shape::measured ? classes_of(f) : LinkClasses{});
  if (f.shape == Shape::context || f.shape == Shape::history) {
    links.assign(m->causes.size(), -1);
    for (std::size_t c = 0; c < m->causes.size(); ++c)
      for (std::size_t i = 0; i < m->causes[c].context.size(); ++i)
        if (m->causes[c].context[i].finding == index) links[c] = static_cast<int>(i);
  }
  fill(index);
}

void ExactEngine::Tables::fill(int index) {
  const ModelFinding& f = m->findings[index];
  const LinkClasses& its = classes[index];
  if (f.shape == Shape::measured) {
    shift_class[index].clear();
    for (const auto& links : its.links) {
      double shift = 0, variance = f.spread * f.spread;
      for (int k : links) shift += f.shifts[k].shift, variance += f.shifts[k].variance;
      shift_class[index].emplace_back(shift, variance);
    }
  } else if (f.shape == Shape::discrete && f.place_segment >= 0) {
    place_at_most[index] = at_places_of(f);
  } else if (f.shape == Shape::discrete) {
    std::vector<double> of_class;
    for (int g = 0; g < f.grades - 1; ++g) {
      first_left.push_back(static_cast<int>(left.size()));
      for (const Link& link : f.links) {
        const int part = link.parent == Parent::mechanism ? link.index
                         : link.parent == Parent::cause   ? static_cast<int>(m->mechanisms.size()) + link.index
                                                          : first_stage[link.index] + link.stage;
        left.push_back({part, 1 - link.p[g]});
      }
      of_class.assign(its.links.size(), 1);
      for (std::size_t c = 0; c < of_class.size(); ++c)
        for (int k : its.links[c]) of_class[c] *= 1 - f.links[k].p[g];
      for (Index i = 0; i < n(); ++i) at_most(i, first_column[index] + g) = of_class[its.of[i]];
      least.push_back(*std::min_element(of_class.begin(), of_class.end()));
    }
  }
}

ArrayXXd ExactEngine::Tables::at_places_of(const ModelFinding& f) const {
  ArrayXXd table = ArrayXXd::Ones(places(), static_cast<Index>(patterns.size()));
  for (std::size_t p = 0; p < patterns.size(); ++p)
    for (Index i = 0; i < places(); ++i)
      for (const Link& link : f.links)
        if (patterns[p] >> link.index & 1) table(i, static_cast<Index>(p)) *= 1 - link.p[0] * reach(*m, f, link.index, level_at[i]);
  return table;
}

// ---- likelihoods

ArrayXd ExactEngine::Tables::of_value(const Answer& a, const Profile& x) const {
  const MeasuredAnswer value(a, m->findings[a.finding], x);
  std::vector<double> p;
  for (const auto& [shift, variance] : shift_class[a.finding]) p.push_back(value.likelihood(shift, variance));
  const auto& which = classes[a.finding].of;
  ArrayXd out(n());
  for (Index i = 0; i < n(); ++i) out[i] = p[which[i]];
  return out;
}

ArrayXd ExactEngine::Tables::of_context(const Answer& a, const Profile& x) const {
  const ArrayXd p = context(a, x);
  ArrayXd out(n());
  for (Index i = 0; i < n(); ++i) out[i] = p[cause_of[i]];
  return out;
}

ArrayXd ExactEngine::Tables::likelihood(const Answer& a, const Profile& x) const {
  const ModelFinding& f = m->findings[a.finding];
  if (f.shape != Shape::discrete) return f.shape == Shape::measured ? of_value(a, x) : of_context(a, x);
  const auto keep = [&](int grade) { return 1 - at_age(f.leak[grade], x.sex, x.age); };
  const auto column = [&](int grade) { return at_most.col(first_column[a.finding] + grade).array(); };
  const bool high = a.high<f.grades - 1, low = a.low> 0;
  if (high && low) return (keep(a.high) * column(a.high) - keep(a.low - 1) * column(a.low - 1)).max(0.0);
  if (high) return keep(a.high) * column(a.high);
  if (low) return 1 - keep(a.low - 1) * column(a.low - 1);
  return ArrayXd::Ones(n());
}

// P(this member of an "any of" holds | what is answered about the same finding): "had cancer" says nothing new once
// "breast cancer" is known, and points to the others once it is known to be absent. `of` gives likelihoods.
template <class Likelihood>
ArrayXd ExactEngine::Tables::holds(const Answer& a, const Presentation& p, Likelihood of) const {
  const Answer* own = p.answer(a.finding);
  if (!own) return of(a);
  const ArrayXd known = of(*own);
  const std::optional<Answer> together = both(a, *own);
  if (!together) return ArrayXd::Zero(known.size());
  return (known > 0).select(of(*together) / known, 0.0);
}
double ExactEngine::Tables::present(int finding, int c, double prevalence) const {
  const int at = context_link[finding][c];
  if (at < 0 || prevalence <= 0) return prevalence;
  const ModelContextLink& link = m->causes[c].context[at];
  return link.is_share ? link.value : prevalence * link.value / (1 + prevalence * (link.value - 1));
}
const std::array<double, kHistoryBins - 1>& ExactEngine::Tables::years(int finding, int c) const {
  const int at = context_link[finding][c];
  return at < 0 ? m->findings[finding].years : m->causes[c].context[at].years;
}
double ExactEngine::Tables::meant(const Answer& a, int c) const {
  if (m->findings[a.finding].shape != Shape::history) return 1;
  double share = 0;
  for (int bin = std::max(1, a.low); bin <= a.high; ++bin) share += years(a.finding, c)[bin - 1];
  return share;
}

ArrayXd ExactEngine::Tables::context(const Answer& a, const Profile& x) const {
  const double prevalence = at_age(m->findings[a.finding].prevalence, x.sex, x.age);
  ArrayXd out(static_cast<Index>(m->causes.size()));
  for (int c = 0; c < out.size(); ++c) {
    const double p = present(a.finding, c, prevalence);
    out[c] = (a.low == 0 ? 1 - p : 0) + (a.high >= 1 ? p * meant(a, c) : 0);
  }
  return out;
}

ArrayXd ExactEngine::Tables::prior(const Presentation& p, const Profile& x, const CauseWeights& weights) const {
  ArrayXd rate(static_cast<Index>(m->causes.size())), out = ArrayXd::Zero(rate.size());
  for (Index c = 0; c < rate.size(); ++c) rate[c] = at_age(m->causes[c].rate, x.sex, x.age) * (weights.empty() ? 1 : weights[c]);
  for (std::size_t s = 0; s < m->settings.size(); ++s) {
    if (p.setting >= 0 && p.setting != static_cast<int>(s)) continue;
    ArrayXd there(rate.size());
    for (Index c = 0; c < rate.size(); ++c) there[c] = rate[c] * m->causes[c].settings[s];
    out += (p.setting >= 0 ? 1 : m->setting_shares[s]) / there.sum() * there;
  }
  return out;
}
std::vector<double> ExactEngine::Tables::presenting(const Presentation& p) const {
  if (!p.weeks) return ever;
  std::vector<double> out(ever.size());
  const auto [from, to] = *p.weeks;
  const double e = m->background_share;
  auto z = [&](double t) { return (std::log(t) - m->background_log_median) / m->background_log_spread; };
  double background = 0;
  if (from < to) background = (std::isfinite(to) ? normal_cdf(z(to)) : 1) - (from > 0 ? normal_cdf(z(from)) : 0);
  else if (from > 0) background = normal_pdf(z(from)) / (m->background_log_spread * from);
  std::vector<int> done(chains.size(), -1);  // where a chain's numbers stand already
  for (const Strand& strand : strands) {
    double* at = out.data() + strand.first;
    const Chain& chain = chains[strand.chain];
    int& before = done[strand.chain];
    if (before >= 0) {
      std::copy_n(out.data() + before, chain.stages(), at);
      continue;
    }
    before = strand.first;
    if (from == to) chain.density(from, at);
    else chain.within(from, to, at);
    for (int k = 0; k < chain.stages(); ++k) at[k] = (1 - e) * at[k] + e * background * ever[strand.first + k];
  }
  return out;
}
// ---- one profile's belief

ExactEngine::Tables::Belief ExactEngine::Tables::believe(const Presentation& p, const Profile& x, const CauseWeights& weights,
                                                         const std::vector<double>& by_stage) const {
  Belief b;
  b.x = x;
  auto of_cause = [&](const Answer& a) { return context(a, x); };
  auto of_signature = [&](const Answer& a) { return likelihood(a, x); };
  auto any_holds = [&](const AnyOf& any, Index count, auto of) {
    ArrayXd none = ArrayXd::Ones(count);
    for (const Answer& a : any.answers) none *= 1 - holds(a, p, of);
    return ArrayXd(1 - none);
  };
  ArrayXd by_cause = x.weight * prior(p, x, weights);
  for (const Answer& a : p.answers)
    if (about_context(a)) by_cause *= context(a, x);
  for (const AnyOf& any : p.any_of)
    if (about_context(any)) by_cause *= any_holds(any, by_cause.size(), of_cause);

  // Answers "absent" come apart over what could have brought the finding: however many there are, signatures are met once.
  ArrayXd parts = ArrayXd::Ones(first_stage.back());
  double kept = 1;
  for (const Answer& a : p.answers) {
    if (!is_absent(a)) continue;
    kept *= 1 - at_age(m->findings[a.finding].leak[a.high], x.sex, x.age);
    const int column = first_column[a.finding] + a.high;
    for (int i = first_left[column]; i < first_left[column + 1]; ++i) parts[left[i].part] *= left[i].by;
  }
  ArrayXd of_stage(static_cast<Index>(by_stage.size())), of_set = ArrayXd::Constant(static_cast<Index>(sets.size()), kept);
  by_cause *= parts.segment(static_cast<Index>(m->mechanisms.size()), by_cause.size());
  for (Index i = 0; i < of_stage.size(); ++i) of_stage[i] = by_cause[cause_of_stage[i]] * by_stage[i] * parts[part_of_stage[i]];
  for (Index i = 0; i < of_set.size(); ++i)
    for (MechanismSet rest = sets[i]; rest; rest &= rest - 1) of_set[i] *= parts[__builtin_ctz(rest)];
  b.apart.resize(n());
  for (Index i = 0; i < n(); ++i) b.apart[i] = of_stage[stage_of[i]] * of_set[set_of[i]];
  rescale(b);
  int since = 0;
  for (const Answer& a : p.answers) {
    if (about_place(a) || about_context(a) || is_absent(a)) continue;
    b.apart *= likelihood(a, x);
    if (++since % 8 == 0) rescale(b);
  }
  for (const AnyOf& any : p.any_of)
    if (!about_context(any)) b.apart *= any_holds(any, n(), of_signature);
  rescale(b);
  place(p, x, b);
  return b;
}
// Forty answers at one in a thousand each are 1e-120: keep the largest weight near 1. By powers of two, which lose nothing.
void ExactEngine::Tables::rescale(Belief& b) {
  const double top = b.apart.maxCoeff();
  if (!(top > 0) || top > 1e-60) return;
  const int power = std::ilogb(top);
  b.apart *= std::ldexp(1, -power / 2);  // in two steps: 2^-power itself may be too large to write
  b.apart *= std::ldexp(1, -(power - power / 2));
  b.scale += power * M_LN2;
}
bool ExactEngine::Tables::has_place(const Presentation& p) const {
  return !p.locations.empty() || p.sensory_segment >= 0 ||
         std::any_of(p.answers.begin(), p.answers.end(), [&](const Answer& a) { return about_place(a); });
}
ArrayXXd ExactEngine::Tables::evidence_at_places(const Presentation& p, const Profile& x) const {
  ArrayXXd out = ArrayXXd::Ones(places(), static_cast<Index>(patterns.size()));
  for (const Answer& a : p.answers) {
    if (!about_place(a)) continue;
    const double keep = 1 - at_age(m->findings[a.finding].leak[0], x.sex, x.age);
    if (a.low == a.high && a.low == 0) out *= keep * place_at_most[a.finding];
    if (a.low == a.high && a.low == 1) out *= 1 - keep * place_at_most[a.finding];
  }
  if (p.sensory_segment >= 0) {
    const double nowhere = 1.0 / static_cast<double>(m->segments.size());
    for (std::size_t pattern = 0; pattern < patterns.size(); ++pattern) {
      const bool cord = m->cord_compression >= 0 && (patterns[pattern] >> m->cord_compression & 1);
      for (Index i = 0; i < places(); ++i) {
        double there = 0.1 * nowhere;
        for (const auto& [offset, share] : m->sensory_level_offset)
          if (m->levels[level_at[i]].cord_segment + offset == p.sensory_segment) there += 0.9 * share;
        out(i, static_cast<Index>(pattern)) *= cord ? there : nowhere;
      }
    }
  }
  if (!p.locations.empty())
    for (Index i = 0; i < places(); ++i) {
      if (i == outside) continue;
      double sum = 0;
      for (int l : p.locations) sum += m->levels[level_at[i]].pain[l];
      out.row(i) *= sum;
    }
  return out;
}
ArrayXd ExactEngine::Tables::referred(const Presentation& p) const {
  ArrayXd out = ArrayXd::Ones(static_cast<Index>(m->causes.size()));
  if (p.locations.empty()) return out;
  for (Index c = 0; c < out.size(); ++c) {
    out[c] = 0;
    for (int l : p.locations) out[c] += m->causes[c].referral[l];
  }
  return out;
}

ArrayXd ExactEngine::Tables::over_groups(const ArrayXXd& at_places, const ArrayXd& referred) const {
  ArrayXd out(static_cast<Index>(groups.size()));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto [cause, canal, pattern, klass] = groups[g];
    const Index from = canal_begin[canal], count = canal_begin[canal + 1] - from;
    double sum = level_share.col(cause).segment(from, count).dot(at_places.col(pattern).segment(from, count).matrix());
    if (from <= outside && outside < from + count) sum += (referred[cause] - 1) * level_share(outside, cause) * at_places(outside, pattern);
    out[static_cast<Index>(g)] = std::max(0.0, sum);
  }
  return out;
}

ArrayXd ExactEngine::Tables::over_cells(const ArrayXd& by_group) const {
  ArrayXd out = ArrayXd::Zero(n());
  for (const Cell& cell : cells) out[cell.signature] += cell.share * by_group[cell.group];
  return out;
}

void ExactEngine::Tables::place(const Presentation& p, const Profile& x, Belief& b) const {
  if (!has_place(p)) {
    b.w = b.apart * share_of;
    return;
  }
  b.at_places = evidence_at_places(p, x);
  b.referred = referred(p);
  b.factor = over_groups(b.at_places, b.referred);
  b.w = b.apart * over_cells(b.factor);
}

ExactEngine::Tables::Places ExactEngine::Tables::over_places(const Belief& b) const {
  Places out;
  out.fill(ArrayXXd::Zero(places(), static_cast<Index>(patterns.size())));
  ArrayXd by_group = ArrayXd::Zero(static_cast<Index>(groups.size()));
  for (const Cell& cell : cells) by_group[cell.group] += b.apart[cell.signature] * cell.share;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto [cause, canal, pattern, klass] = groups[g];
    const Index from = canal_begin[canal], count = canal_begin[canal + 1] - from;
    const double w = by_group[static_cast<Index>(g)];
    out[klass].col(pattern).segment(from, count) += w * level_share.col(cause).segment(from, count).array();
    if (b.referred.size() > 0 && from <= outside && outside < from + count)
      out[klass](outside, pattern) += w * (b.referred[cause] - 1) * level_share(outside, cause);
  }
  if (b.at_places.size() > 0)
    for (auto& joint : out) joint *= b.at_places;
  return out;
}
ExactEngine::Tables::Beliefs ExactEngine::Tables::believe_all(const Presentation& p, const CauseWeights& weights) const {
  Beliefs out;
  const std::vector<double> by_stage = presenting(p);
  const std::vector<Profile> people = profiles(*m, p);
  auto believe_in = [&](const Presentation& part) {
    for (const Profile& x : people) out.all.push_back(believe(part, x, weights, by_stage));
  };
  if (p.any_of.empty()) believe_in(p);
  else
    for (const Presentation& part : taken_apart(*m, p, true)) believe_in(part);
  out.scale = -kInfinity;
  for (const Belief& b : out.all)
    if (b.w.maxCoeff() > 0) out.scale = std::max(out.scale, b.scale);
  if (out.scale == -kInfinity) out.scale = 0;
  for (Belief& b : out.all) {
    const double factor = std::exp(b.scale - out.scale);
    if (b.scale == out.scale) continue;
    b.w *= factor;
    b.apart *= factor;
    b.scale = out.scale;
  }
  return out;
}
ByClass ExactEngine::Tables::by_class(const ArrayXd& w) const {
  ByClass out{};
  for (int k = 0; k < kClasses; ++k) out[k] = w.segment(class_begin[k], class_begin[k + 1] - class_begin[k]).sum();
  return out;
}
Posterior ExactEngine::Tables::posterior(const Presentation& person, const CauseWeights& weights, bool where) const {
  Posterior out;
  out.causes.assign(m->causes.size(), 0);
  if (where) {
    out.mechanisms.assign(m->mechanisms.size(), 0);
    out.levels.assign(m->levels.size(), 0);
  }
  for (std::size_t c = 0; c < m->causes.size(); ++c) out.stages.emplace_back(stages(static_cast<int>(c)), 0.0);

  const Tables::Beliefs beliefs = believe_all(person, weights);
  ByClass mass{};
  std::vector<double> by_stage(stage_offset.back(), 0.0), by_set(sets.size(), 0.0);
  for (const auto& b : beliefs.all) {
    const ByClass one = by_class(b.w);
    for (int k = 0; k < kClasses; ++k) mass[k] += one[k];
    for (Index i = 0; i < n(); ++i) by_stage[stage_of[i]] += b.w[i];
    for (Index i = 0; i < n() && where; ++i) by_set[set_of[i]] += b.w[i];
  }
  const double sum = mass[0] + mass[1] + mass[2] + mass[3];
  out.possible = sum > 0 && std::isfinite(sum);
  out.log_evidence = std::log(sum) + beliefs.scale;
  if (!out.possible) return out;

  out.tumour = (mass[2] + mass[3]) / sum;
  out.emergency = (mass[1] + mass[3]) / sum;
  for (std::size_t c = 0; c < m->causes.size(); ++c) {
    const std::size_t stages = out.stages[c].size();
    for (int i = stage_offset[c]; i < stage_offset[c + 1]; ++i) {
      out.stages[c][static_cast<std::size_t>(i - stage_offset[c]) % stages] += by_stage[i] / sum;
      out.causes[c] += by_stage[i] / sum;
    }
    if (m->is_malignant(static_cast<int>(c))) out.malignant += out.causes[c];
  }
  for (std::size_t s = 0; s < by_set.size() && where; ++s)
    for (MechanismSet rest = sets[s]; rest; rest &= rest - 1) out.mechanisms[__builtin_ctz(rest)] += by_set[s] / sum;
  for (const auto& b : beliefs.all) {
    if (where) {
      ArrayXd at_place = ArrayXd::Zero(places());
      for (const ArrayXXd& joint : over_places(b)) at_place += joint.rowwise().sum();
      for (Index i = 0; i < places(); ++i) out.levels[level_at[i]] += at_place[i];
    }
    // Where the canal is cord or cauda decides what can be compressed, so place evidence forecasts cell by cell.
    Forecast compression{};
    if (b.factor.size() == 0) {
      for (Index i = 0; i < n(); ++i)
        for (std::size_t w = 0; w < compression.size(); ++w) compression[w] += b.w[i] * compression_of[i][w];
    } else {
      for (const auto& [index, ahead] : compressible) {
        const Cell& cell = cells[index];
        const double p = b.apart[cell.signature] * cell.share * b.factor[cell.group];
        for (std::size_t w = 0; w < compression.size(); ++w) compression[w] += p * ahead[w];
      }
    }
    for (std::size_t w = 0; w < compression.size(); ++w) out.compression[w] += compression[w];
  }
  for (double& p : out.levels) p /= sum;
  for (double& p : out.compression) p /= sum;
  return out;
}
}  // namespace dorsalgia
