#include "batch/lanes.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kFirstWeeks = 0.1;  // log(t + this): cells are as wide as t is long, but near 0
constexpr double kLastWeeks = 5200;  // a century
constexpr int kCells = 96;
constexpr double kLeastLeak = 1e-20;  // in place of 0: a likelihood is divided by another

float narrow(double x) { return static_cast<float>(x); }
std::size_t at(int i) { return static_cast<std::size_t>(i); }
Floats row(int n, float value) { return Floats(at(padded(n)), value); }

ByAge by_age(const AgeSex& table, double least) {
  ByAge out{};
  for (std::size_t sex = 0; sex < 2; ++sex)
    for (std::size_t band = 0; band < kAgeBands; ++band) out[sex * kAgeBands + band] = narrow(std::max(least, table[sex][band]));
  return out;
}

std::vector<int> members(MechanismSet set) {
  std::vector<int> out;
  for (MechanismSet rest = set; rest; rest &= rest - 1) out.push_back(__builtin_ctz(rest));
  return out;
}

// What is left of "absent", by parent.
struct Shares {
  const ModelFinding& f;

  double of_set(MechanismSet set, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::mechanism && (set >> l.index & 1); });
  }
  double of_cause(int cause, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::cause && l.index == cause; });
  }
  double of_stage(int course, int stage, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::stage && l.index == course && l.stage == stage; });
  }
  bool any(Parent parent) const {
    return std::any_of(f.links.begin(), f.links.end(), [&](const Link& l) { return l.parent == parent; });
  }

 private:
  template <class Speaks>
  double product(std::size_t g, Speaks speaks) const {
    double a = 1;
    for (const Link& l : f.links)
      if (speaks(l)) a *= 1 - l.p[g];
    return a;
  }
};

}  // namespace

LaneTables::LaneTables(const Model& model, const Space& space)
    : m(model),
      s(space),
      causes(static_cast<int>(m.causes.size())),
      stages(s.stage_offset.back()),
      sets(static_cast<int>(s.sets.size())),
      signatures(static_cast<int>(s.signatures.size())),
      mechanisms(static_cast<int>(m.mechanisms.size())),
      places(static_cast<int>(m.levels.size())),
      settings(static_cast<int>(m.settings.size())) {
  for (const ModelCourse& course : m.courses) {
    first_of_course_.push_back(course_stages);
    course_stages += static_cast<int>(course.stages.size());
  }
  for (Floats& its : rate) its = row(causes, 0);
  setting.assign(at(settings), row(causes, 0)), coming.assign(at(settings), {});
  for (int c = 0; c < causes; ++c) {
    const ModelCause& cause = m.causes[at(c)];
    tumour.push_back(m.is_tumour(c)), malignant.push_back(m.is_malignant(c));
    stages_told += s.stages(c);
    for (int k = s.stage_offset[at(c)]; k < s.stage_offset[at(c) + 1]; ++k) {
      cause_of_stage.push_back(c);
      course_stage_of.push_back(first_of_course_[at(cause.course)] + (k - s.stage_offset[at(c)]) % s.stages(c));
    }
    for (std::size_t i = 0; i < at(settings); ++i) setting[i][at(c)] = narrow(cause.settings[i]);
    for (std::size_t i = 0; i < rate.size(); ++i) {
      const double its = cause.rate[i / kAgeBands][i % kAgeBands];
      rate[i][at(c)] = narrow(its);
      for (std::size_t k = 0; k < at(settings); ++k) coming[k][i] += narrow(its * cause.settings[k]);
    }
  }
  lay_out_states();
  fit_times();
  finding.resize(m.findings.size()), context.resize(m.findings.size()), measured.resize(m.findings.size());
  for (std::size_t i = 0; i < m.findings.size(); ++i) {
    const ModelFinding& f = m.findings[i];
    if (f.shape == Shape::context || f.shape == Shape::history) add_context(i);
    else if (f.shape == Shape::measured) add_measured(i);
    else if (f.place_segment >= 0) add_place(i);
    else add_discrete(i);
  }
}

void LaneTables::lay_out_states() {
  signature_order_.resize(at(signatures));
  std::iota(signature_order_.begin(), signature_order_.end(), 0);
  std::stable_sort(signature_order_.begin(), signature_order_.end(), [&](int a, int b) { return s.stage_of[at(a)] < s.stage_of[at(b)]; });
  std::vector<int> new_signature(at(signatures));
  for (int i = 0; i < signatures; ++i) {
    const std::size_t old = at(signature_order_[at(i)]);
    new_signature[old] = i;
    stage_of.push_back(s.stage_of[old]), set_of.push_back(s.set_of[old]);
  }
  for (MechanismSet set : s.sets) mechanisms_of_set.push_back(members(set));

  // Groups, bucket by bucket
  std::vector<int> order(s.groups.size()), new_group(s.groups.size());
  std::iota(order.begin(), order.end(), 0);
  const auto bucket_of = [&](int g) { return std::make_pair(s.groups[at(g)].canal, s.groups[at(g)].pattern); };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return bucket_of(a) < bucket_of(b); });
  for (int old : order) {
    const PlaceGroup& g = s.groups[at(old)];
    const int from = static_cast<int>(s.canal_begin[at(g.canal)]), count = static_cast<int>(s.canal_begin[at(g.canal) + 1]) - from;
    if (groups == 0 || bucket_of(old) != bucket_of(order[at(groups - 1)])) {
      buckets.push_back({g.pattern, from, count, spots, groups, 0, {}});
      spots += count;
    }
    ++buckets.back().groups;
    for (int l = from; l < from + count; ++l)
      buckets.back().share.push_back(l == s.outside ? 0 : narrow(m.causes[at(g.cause)].levels[at(s.level_at[at(l)])]));
    new_group[at(old)] = groups++;
  }

  // Cells, state by state
  MechanismSet neural = 0;
  for (MechanismSet pattern : s.patterns) neural |= pattern, mechanisms_of_pattern.push_back(members(pattern));
  std::map<int, Forecast> ahead(s.compressible.begin(), s.compressible.end());
  using Key = std::tuple<int, float, bool, MechanismSet, Forecast>;  // stage first: so they are in the order of stages
  std::map<Key, std::map<int, std::vector<int>>> by_state;           // groups of each signature
  for (std::size_t i = 0; i < s.cells.size(); ++i) {
    const auto& its = s.cells[i];
    const Signature& x = s.signatures[at(its.signature)];
    const PlaceGroup& g = s.groups[at(its.group)];
    double part = 0;  // of the levels
    for (Eigen::Index l = s.canal_begin[at(g.canal)]; l < s.canal_begin[at(g.canal) + 1]; ++l)
      part += m.causes[at(x.cause)].levels[at(s.level_at[static_cast<std::size_t>(l)])];
    const Key key{s.stage_of[at(its.signature)], narrow(its.share / part), (x.klass & 1) != 0, x.active & ~neural,
                  ahead[static_cast<int>(i)]};
    by_state[key][new_signature[at(its.signature)]].push_back(new_group[at(its.group)]);
  }
  std::map<MechanismSet, int> others;
  std::map<std::vector<int>, int> joints;
  first_state.assign(at(stages) + 1, 0);
  for (const auto& [key, signatures_of_it] : by_state) {
    const auto& [stage, share, emergency, rest, p] = key;
    const auto [it, fresh] = others.emplace(rest, static_cast<int>(others.size()));
    if (fresh) mechanisms_of_others.push_back(members(rest));
    for (const auto& [signature, its] : signatures_of_it) {
      int group = its[0];
      if (its.size() > 1) {
        const auto [joint, first] = joints.emplace(its, groups + static_cast<int>(joined.size()));
        if (first) joined.push_back(its);
        group = joint->second;
      }
      cell.push_back({set_of[at(signature)], group, signature});
    }
    State out{static_cast<int>(cell.size()), share, it->second, emergency, p.back() > 0, {}};
    std::transform(p.begin(), p.end(), out.p.begin(), narrow);
    state.push_back(out);
    first_state[at(stage) + 1] = static_cast<int>(state.size());
  }
  for (std::size_t k = 1; k < first_state.size(); ++k) first_state[k] = std::max(first_state[k], first_state[k - 1]);

  for (const Bucket& b : buckets)
    if (s.outside >= b.from && s.outside < b.from + b.places)
      for (int g = b.first; g < b.first + b.groups; ++g)
        if (const double share = m.causes[at(s.groups[at(order[at(g)])].cause)].levels[at(s.level_at[at(s.outside)])]; share > 0)
          outside.push_back({g, spots++, narrow(share)});

  // Where it hurts: of spots in the spine it hangs on the level, outside on the cause that refers it there.
  pain.assign(m.locations.size() + 1, row(spots, 1));
  for (std::size_t x = 0; x < m.locations.size(); ++x) {
    for (const Bucket& b : buckets)
      for (int l = 0; l < b.places; ++l)
        if (b.from + l != s.outside) pain[x + 1][at(b.spot + l)] = narrow(m.levels[at(s.level_at[at(b.from + l)])].pain[x]);
    for (const Outside& o : outside) pain[x + 1][at(o.spot)] = narrow(m.causes[at(s.groups[at(order[at(o.group)])].cause)].referral[x]);
  }
}

// A polynomial a cell, through the Chebyshev nodes.
void LaneTables::fit_times() {
  ever = row(stages, 0);
  std::transform(s.ever.begin(), s.ever.end(), ever.begin(), narrow);
  cells = kCells;
  first_weeks = kFirstWeeks, first_log = std::log(kFirstWeeks), last_weeks = kLastWeeks;
  cell_width = (std::log(kLastWeeks + kFirstWeeks) - first_log) / kCells;
  constexpr int n = kTimeDegree + 1;
  time = row(cells * n * padded(stages), 0);
  Eigen::Matrix<double, n, n> powers;
  std::array<double, n> node{};
  for (int i = 0; i < n; ++i) {
    node[at(i)] = std::cos((2 * i + 1) * M_PI / (2 * n));
    for (int j = 0; j < n; ++j) powers(i, j) = std::pow(node[at(i)], j);
  }
  const Eigen::Matrix<double, n, n> to_coefficients = powers.inverse();
  for (int piece = 0; piece < cells; ++piece) {
    Eigen::MatrixXd values(n, stages);
    for (int i = 0; i < n; ++i) {
      const double t = std::max(0.0, std::exp(first_log + (piece + (node[at(i)] + 1) / 2) * cell_width) - kFirstWeeks);
      for (const Strand& strand : s.strands) {
        std::vector<double> density(at(s.chains[at(strand.chain)].stages()));
        s.chains[at(strand.chain)].density(t, density.data());
        for (std::size_t k = 0; k < density.size(); ++k) {
          const int flat = strand.first + static_cast<int>(k);
          values(i, flat) = (1 - m.background_share) * density[k] + m.background_share * background_density(m, t) * s.ever[at(flat)];
        }
      }
    }
    const Eigen::MatrixXd coefficients = to_coefficients * values;
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < stages; ++k) time[at((piece * n + j) * padded(stages) + k)] = narrow(coefficients(j, k));
  }
}

void LaneTables::add_context(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  ContextLanes& out = context[i];
  out.prevalence = by_age(f.prevalence, 0);
  for (std::size_t b = 1; b < kHistoryBins; ++b) out.bin_possible[b] = f.shape == Shape::context || f.years[b - 1] > 0;
  for (int c = 0; c < causes; ++c)
    for (const ModelContextLink& link : m.causes[at(c)].context) {
      if (link.finding != static_cast<int>(i)) continue;
      ContextLanes::Linked x{c, link.is_share, narrow(link.value), {1, 1, 1, 1, 1}};
      if (f.shape == Shape::history)
        for (std::size_t b = 1; b < kHistoryBins; ++b) x.years[b] = f.years[b - 1] > 0 ? narrow(link.years[b - 1] / f.years[b - 1]) : 0;
      out.linked.push_back(x);
    }
}

void LaneTables::add_measured(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  MeasuredLanes& out = measured[i];
  out.unmodelled = narrow(kUnmodelled / (on_scale(f.log_scale, f.possible_high) - on_scale(f.log_scale, f.possible_low)));
  std::map<std::pair<double, double>, int> known;
  const auto shift_class = [&](MechanismSet set, int cause) {
    double shift = 0, variance = f.spread * f.spread;
    for (const ShiftLink& link : f.shifts)
      if (link.is_cause ? link.index == cause : (set >> link.index & 1) != 0) shift += link.shift, variance += link.variance;
    const auto [it, fresh] = known.emplace(std::make_pair(shift, variance), static_cast<int>(known.size()));
    if (fresh) {
      const std::size_t k = at(it->second), n = at(padded(it->second + 1));
      out.shift.resize(n), out.precision.resize(n), out.height.resize(n);
      out.shift[k] = narrow(shift), out.precision[k] = narrow(1 / std::sqrt(variance));
      out.height[k] = narrow((1 - kUnmodelled) / std::sqrt(2 * M_PI * variance));
    }
    return it->second;
  };
  for (MechanismSet set : s.sets) out.class_of_set.push_back(shift_class(set, -1));
  for (int k = 0; k < signatures; ++k) {
    const Signature& x = s.signatures[at(signature_order_[at(k)])];
    const int own = shift_class(x.active, x.cause), base = out.class_of_set[at(set_of[at(k)])];
    if (own == base) continue;
    const int from = k / kMostLanes * kMostLanes;
    if (out.exceptions.empty() || out.exceptions.back().from != from) out.exceptions.emplace_back().from = from;
    out.exceptions.back().own[at(k - from)] = own, out.exceptions.back().base[at(k - from)] = base;
  }
  out.class_of_set.resize(at(padded(sets)));
  if (known.size() > at(kMostClasses)) throw std::length_error(f.id + ": more classes of shifts than the batch engine has room for");
}

void LaneTables::add_place(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  FindingLanes& out = finding[i];
  out.base = Part::spots;
  FindingLanes::Grade grade{by_age(f.leak[0], kLeastLeak), false, row(spots, 0), {}};
  Floats& absent = out.absent[static_cast<std::size_t>(Part::spots)];
  absent = row(spots, 1);
  const auto fill = [&](int spot, MechanismSet pattern, int place) {
    double a = 1;
    for (const Link& link : f.links)
      if (pattern >> link.index & 1) a *= 1 - link.p[0] * reach(m, f, link.index, s.level_at[at(place)]);
    absent[at(spot)] = narrow(a), grade.b[at(spot)] = narrow(1 - a);
  };
  for (const Bucket& b : buckets) {
    for (int l = 0; l < b.places; ++l) fill(b.spot + l, s.patterns[at(b.pattern)], b.from + l);
    for (const Outside& o : outside)
      if (o.group >= b.first && o.group < b.first + b.groups) fill(o.spot, s.patterns[at(b.pattern)], s.outside);
  }
  out.speaks_of.push_back(Part::spots);
  out.upto.push_back(std::move(grade));
}

void LaneTables::add_discrete(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  FindingLanes& out = finding[i];
  const Shares shares{f};
  out.base = shares.any(Parent::mechanism) ? Part::sets : shares.any(Parent::stage) ? Part::course_stages : Part::causes;
  for (const Link& link : f.links) {
    const auto [part, length, which] =
        link.parent == Parent::mechanism ? std::make_tuple(Part::mechanisms, mechanisms, link.index)
        : link.parent == Parent::cause   ? std::make_tuple(Part::causes, causes, link.index)
                                       : std::make_tuple(Part::course_stages, course_stages, first_of_course_[at(link.index)] + link.stage);
    Floats& its = out.absent[static_cast<std::size_t>(part)];
    if (its.empty()) its = row(length, 1), out.speaks_of.push_back(part);
    its[at(which)] *= narrow(1 - link.p[0]);
  }
  for (std::size_t g = 0; g + 1 < at(f.grades); ++g) {
    std::vector<double> base;
    if (out.base == Part::sets)
      for (MechanismSet set : s.sets) base.push_back(shares.of_set(set, g));
    if (out.base == Part::causes)
      for (int c = 0; c < causes; ++c) base.push_back(shares.of_cause(c, g));
    if (out.base == Part::course_stages)
      for (int course = 0; course < static_cast<int>(m.courses.size()); ++course)
        for (int k = 0; k < static_cast<int>(m.courses[at(course)].stages.size()); ++k) base.push_back(shares.of_stage(course, k, g));
    const int n = static_cast<int>(base.size());
    FindingLanes::Grade grade{by_age(f.leak[g], kLeastLeak), false, row(n, 0), {}};
    grade.one_leak = std::all_of(grade.leak.begin(), grade.leak.end(), [&](float x) { return x == grade.leak[0]; });
    for (std::size_t k = 0; k < base.size(); ++k) grade.b[k] = narrow(1 - base[k]);
    const double leak = static_cast<double>(grade.leak[0]);
    for (int k = 0; k < signatures; ++k) {
      const Signature& x = s.signatures[at(signature_order_[at(k)])];
      const double full =
          shares.of_set(x.active, g) * shares.of_cause(x.cause, g) * shares.of_stage(m.causes[at(x.cause)].course, x.stage, g);
      const double its = out.base == Part::sets     ? base[at(set_of[at(k)])]
                         : out.base == Part::causes ? base[at(x.cause)]
                                                    : base[at(course_stage_of[at(stage_of[at(k)])])];
      if (std::abs(full - its) <= 1e-12) continue;
      auto& windows = grade.exceptions;
      const int from = k / kMostLanes * kMostLanes;
      if (windows.empty() || windows.back().from != from) {
        windows.emplace_back().from = from;
        windows.back().ratio.fill(1);
      }
      FindingLanes::Window& w = windows.back();
      const std::size_t lane = at(k - from);
      w.full[lane] = narrow(1 - full), w.base[lane] = narrow(1 - its);
      w.ratio[lane] = narrow((1 - full + full * leak) / (1 - its + its * leak));
    }
    out.graded_with_exceptions = out.graded_with_exceptions || (!grade.exceptions.empty() && f.grades > 2);
    out.upto.push_back(std::move(grade));
  }
}

}  // namespace dorsalgia
