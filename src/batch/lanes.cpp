#include "batch/lanes.h"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kFirstWeeks = 0.1;  // log(t + this): cells are as wide as t is long, but near 0
constexpr double kLastWeeks = 5200;  // a century
constexpr int kCells = 96;

ByAge by_age(const AgeSex& table) {
  ByAge out{};
  for (std::size_t sex = 0; sex < 2; ++sex)
    for (std::size_t band = 0; band < kAgeBands; ++band) out[sex * kAgeBands + band] = static_cast<float>(table[sex][band]);
  return out;
}

float narrow(double x) { return static_cast<float>(x); }

// Shares of a discrete finding's a, by parent.
struct Parts {
  const Model& m;
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
      stages_told(0),
      course_stages(0),
      sets(static_cast<int>(s.sets.size())),
      signatures(static_cast<int>(s.signatures.size())),
      mechanisms(static_cast<int>(m.mechanisms.size())),
      places(static_cast<int>(m.levels.size())),
      patterns(static_cast<int>(s.patterns.size())),
      settings(static_cast<int>(m.settings.size())),
      stage_of(s.stage_of),
      set_of(s.set_of) {
  const auto at = [](int i) { return static_cast<std::size_t>(i); };

  // ---- who comes
  rate.assign(at(2 * kAgeBands * padded(causes)), 0);
  for (int c = 0; c < causes; ++c) {
    const ModelCause& cause = m.causes[at(c)];
    for (int sex = 0; sex < 2; ++sex)
      for (int band = 0; band < kAgeBands; ++band)
        rate[at((sex * kAgeBands + band) * padded(causes) + c)] = narrow(cause.rate[at(sex)][at(band)]);
    for (double x : cause.settings) setting.push_back(narrow(x));
    tumour.push_back(m.is_tumour(c)), malignant.push_back(m.is_malignant(c));
  }

  // ---- stages and sets
  std::vector<int> first_of_course;
  for (const ModelCourse& course : m.courses) {
    first_of_course.push_back(course_stages);
    course_stages += static_cast<int>(course.stages.size());
  }
  for (int c = 0; c < causes; ++c) {
    stages_told += s.stages(c);
    for (int k = s.stage_offset[at(c)]; k < s.stage_offset[at(c) + 1]; ++k) {
      cause_of_stage.push_back(c);
      course_stage_of.push_back(first_of_course[at(m.causes[at(c)].course)] + (k - s.stage_offset[at(c)]) % s.stages(c));
    }
  }
  for (int i = 0; i < sets; ++i) {
    mechanisms_of_set.emplace_back();
    for (MechanismSet rest = s.sets[at(i)]; rest; rest &= rest - 1) mechanisms_of_set.back().push_back(__builtin_ctz(rest));
    set_order.push_back(i);
  }
  std::stable_sort(set_order.begin(), set_order.end(),
                   [&](int a, int b) { return mechanisms_of_set[at(a)].size() < mechanisms_of_set[at(b)].size(); });

  // ---- when they come: a polynomial a cell, through the Chebyshev nodes
  ever.assign(at(padded(stages)), 0);
  for (int k = 0; k < stages; ++k) ever[at(k)] = narrow(s.ever[at(k)]);
  cells = kCells;
  first_weeks = kFirstWeeks, first_log = std::log(kFirstWeeks), last_weeks = kLastWeeks;
  cell_width = (std::log(kLastWeeks + kFirstWeeks) - first_log) / kCells;
  constexpr int n = kTimeDegree + 1;
  time.assign(at(cells * n * padded(stages)), 0);
  Eigen::Matrix<double, n, n> powers;
  std::array<double, n> node{};
  for (int i = 0; i < n; ++i) {
    node[at(i)] = std::cos((2 * i + 1) * M_PI / (2 * n));
    for (int j = 0; j < n; ++j) powers(i, j) = std::pow(node[at(i)], j);
  }
  const Eigen::Matrix<double, n, n> to_coefficients = powers.inverse();
  for (int cell = 0; cell < cells; ++cell) {
    Eigen::MatrixXd values(n, stages);
    for (int i = 0; i < n; ++i) {
      const double t = std::max(0.0, std::exp(first_log + (cell + (node[at(i)] + 1) / 2) * cell_width) - kFirstWeeks);
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
      for (int k = 0; k < stages; ++k) time[at((cell * n + j) * padded(stages) + k)] = narrow(coefficients(j, k));
  }

  // ---- findings
  std::vector<int> slot_of(at(mechanisms), -1);  // of the mechanisms that place findings know
  for (MechanismSet pattern : s.patterns)
    for (MechanismSet rest = pattern; rest; rest &= rest - 1)
      if (int& slot = slot_of[at(__builtin_ctz(rest))]; slot < 0) slot = slots++;
  for (MechanismSet pattern : s.patterns) {
    slots_of_pattern.emplace_back();
    for (MechanismSet rest = pattern; rest; rest &= rest - 1) slots_of_pattern.back().push_back(slot_of[at(__builtin_ctz(rest))]);
  }
  finding.resize(m.findings.size()), context.resize(m.findings.size()), measured.resize(m.findings.size()), place.resize(m.findings.size());
  for (std::size_t i = 0; i < m.findings.size(); ++i) {
    const ModelFinding& f = m.findings[i];
    if (f.shape == Shape::context || f.shape == Shape::history) {
      ContextLanes& out = context[i];
      out.prevalence = by_age(f.prevalence);
      for (std::size_t b = 1; b < kHistoryBins; ++b) out.bin_possible[b] = f.shape == Shape::context || f.years[b - 1] > 0;
      for (int c = 0; c < causes; ++c)
        for (const ModelContextLink& link : m.causes[at(c)].context) {
          if (link.finding != static_cast<int>(i)) continue;
          ContextLanes::Linked x{c, link.is_share, narrow(link.value), {1, 1, 1, 1, 1}};
          if (f.shape == Shape::history)
            for (std::size_t b = 1; b < kHistoryBins; ++b) x.years[b] = f.years[b - 1] > 0 ? narrow(link.years[b - 1] / f.years[b - 1]) : 0;
          out.linked.push_back(x);
        }
    } else if (f.shape == Shape::measured) {
      MeasuredLanes& out = measured[i];
      out.unmodelled = narrow(kUnmodelled / (on_scale(f.log_scale, f.possible_high) - on_scale(f.log_scale, f.possible_low)));
      std::map<std::pair<double, double>, int> known;
      const auto shift_class = [&](MechanismSet set, int cause) {
        double shift = 0, variance = f.spread * f.spread;
        for (const ShiftLink& link : f.shifts)
          if (link.is_cause ? link.index == cause : (set >> link.index & 1) != 0) shift += link.shift, variance += link.variance;
        const auto [it, fresh] = known.emplace(std::make_pair(shift, variance), static_cast<int>(known.size()));
        if (fresh) out.shifts.push_back({narrow(shift), narrow(std::sqrt(variance))});
        return it->second;
      };
      for (MechanismSet set : s.sets) out.shift_of_set.push_back(shift_class(set, -1));
      for (int k = 0; k < signatures; ++k) {
        const Signature& x = s.signatures[at(k)];
        const int own = shift_class(x.active, x.cause), base = out.shift_of_set[at(set_of[at(k)])];
        if (own != base) out.exceptions.push_back({k, own, base});
      }
    } else if (f.place_segment >= 0) {
      PlaceLanes& out = place[i];
      out.leak = by_age(f.leak[0]);
      for (int p = 0; p < patterns; ++p)
        for (int l = 0; l < places; ++l) {
          double a = 1;
          for (const Link& link : f.links)
            if (s.patterns[at(p)] >> link.index & 1) a *= 1 - link.p[0] * reach(m, f, link.index, s.level_at[at(l)]);
          out.a.push_back(narrow(a)), out.b.push_back(narrow(1 - a));
        }
      for (const Link& link : f.links)
        for (int l = 0; l < places; ++l)
          if (const double p = link.p[0] * reach(m, f, link.index, s.level_at[at(l)]); p > 0)
            out.factors.push_back({slot_of[at(link.index)] * places + l, narrow(1 - p)});
    } else {
      FindingLanes& out = finding[i];
      const Parts parts{m, f};
      out.base = parts.any(Parent::mechanism) ? FindingLanes::Base::sets
                 : parts.any(Parent::stage)   ? FindingLanes::Base::course_stages
                                              : FindingLanes::Base::causes;
      for (const Link& link : f.links) {
        const int parent = link.parent == Parent::mechanism ? link.index
                           : link.parent == Parent::cause   ? mechanisms + link.index
                                                            : mechanisms + causes + first_of_course[at(link.index)] + link.stage;
        out.factors.push_back({static_cast<std::uint16_t>(parent), narrow(1 - link.p[0])});
      }
      for (std::size_t g = 0; g + 1 < at(f.grades); ++g) {
        FindingLanes::Grade grade;
        grade.leak = by_age(f.leak[g]);
        std::vector<double> base;
        if (out.base == FindingLanes::Base::sets)
          for (MechanismSet set : s.sets) base.push_back(parts.of_set(set, g));
        if (out.base == FindingLanes::Base::causes)
          for (int c = 0; c < causes; ++c) base.push_back(parts.of_cause(c, g));
        if (out.base == FindingLanes::Base::course_stages)
          for (int course = 0; course < static_cast<int>(m.courses.size()); ++course)
            for (int k = 0; k < static_cast<int>(m.courses[at(course)].stages.size()); ++k) base.push_back(parts.of_stage(course, k, g));
        grade.a.assign(at(padded(static_cast<int>(base.size()))), 1), grade.b.assign(grade.a.size(), 0);
        for (std::size_t k = 0; k < base.size(); ++k) grade.a[k] = narrow(base[k]), grade.b[k] = narrow(1 - base[k]);
        for (int k = 0; k < signatures; ++k) {
          const Signature& x = s.signatures[at(k)];
          const double full =
              parts.of_set(x.active, g) * parts.of_cause(x.cause, g) * parts.of_stage(m.causes[at(x.cause)].course, x.stage, g);
          const double its = out.base == FindingLanes::Base::sets     ? base[at(set_of[at(k)])]
                             : out.base == FindingLanes::Base::causes ? base[at(x.cause)]
                                                                      : base[at(course_stage_of[at(stage_of[at(k)])])];
          if (std::abs(full - its) <= 1e-12) continue;
          auto& windows = grade.exceptions;
          if (windows.empty() || k >= windows.back().from + kMostLanes) {
            windows.push_back({k, {}, {}, {}, {}});
            windows.back().a_base.fill(1), windows.back().a_full.fill(1);
          }
          const std::size_t lane = at(k - windows.back().from);
          windows.back().a_full[lane] = narrow(full), windows.back().b_full[lane] = narrow(1 - full);
          windows.back().a_base[lane] = narrow(its), windows.back().b_base[lane] = narrow(1 - its);
        }
        out.graded_with_exceptions = out.graded_with_exceptions || (!grade.exceptions.empty() && f.grades > 2);
        out.upto.push_back(std::move(grade));
      }
    }
  }

  // ---- places
  const int locations = static_cast<int>(m.locations.size());
  for (int l = 0; l < places; ++l)
    for (int x = 0; x < locations; ++x) pain.push_back(l == s.outside ? 1 : narrow(m.levels[at(s.level_at[at(l)])].pain[at(x)]));
  for (const ModelCause& c : m.causes)
    for (int x = 0; x < locations; ++x) referral.push_back(narrow(c.referral[at(x)]));
  std::vector<int> order(s.groups.size());
  std::iota(order.begin(), order.end(), 0);
  const auto bucket_of = [&](int g) { return std::make_pair(s.groups[at(g)].canal, s.groups[at(g)].pattern); };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return bucket_of(a) < bucket_of(b); });
  std::vector<int> new_index(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const PlaceGroup& g = s.groups[at(order[i])];
    new_index[at(order[i])] = static_cast<int>(i);
    const int from = static_cast<int>(s.canal_begin[at(g.canal)]), count = static_cast<int>(s.canal_begin[at(g.canal) + 1]) - from;
    if (i == 0 || bucket_of(order[i]) != bucket_of(order[i - 1])) buckets.push_back({g.pattern, from, count, static_cast<int>(i), 0, {}});
    ++buckets.back().groups;
    cause_of_group.push_back(g.cause), pattern_of_group.push_back(g.pattern);
    for (int l = from; l < from + count; ++l) {
      const float share = narrow(s.level_share(l, g.cause));
      buckets.back().share.push_back(l == s.outside ? 0 : share);
      if (l == s.outside && share > 0) outside.emplace_back(static_cast<int>(i), share);
    }
  }
  first_placed.assign(at(signatures) + 1, 0);
  for (const Cell& c : s.cells) {  // by signature
    placed.push_back({new_index[at(c.group)], narrow(c.share)});
    first_placed[at(c.signature) + 1] = static_cast<int>(placed.size());
  }
  const auto ahead = [&](int signature, int group, double share, const Forecast& p) {
    Ahead out{signature, group, narrow(share), {}};
    for (std::size_t i = 0; i < p.size(); ++i) out.p[i] = narrow(p[i]);
    return out;
  };
  for (const auto& [cell, p] : s.compressible) {
    const Cell& c = s.cells[at(cell)];
    compression.push_back(ahead(c.signature, new_index[at(c.group)], c.share, p));
  }
  for (int k = 0; k < kClasses; ++k)
    for (int i = s.class_begin[at(k)]; i < s.class_begin[at(k) + 1]; ++i) {
      if (runs.empty() || runs.back().klass != k || runs.back().stage != stage_of[at(i)]) runs.push_back({k, stage_of[at(i)], i, i});
      runs.back().to = i + 1;
    }
}

}  // namespace dorsalgia
