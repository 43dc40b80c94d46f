// All unanswered findings are weighed in one pass over the tables of the exact engine (the derivative trick of arithmetic
// circuits: Darwiche A, J ACM 2003;50:280), because a single finding's answer multiplies each signature by its own table
// entry. Most entries hang on the mechanisms alone: signatures of one set and class are summed first and share a row; where a
// stage or a cause brings the finding as well, the difference is added.
#include "inference/prospects.h"

#include <algorithm>
#include <cmath>

#include "inference/lanes.h"

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::Index;

ProspectTables::ProspectTables(const ExactEngine::Tables& tables) : t(tables) {
  join_rows();
  join_spots();
  for (const auto& links : t.context_link) {
    auto& its = linked.emplace_back();
    for (std::size_t c = 0; c < links.size(); ++c)
      if (links[c] >= 0) its.push_back({static_cast<int>(c), &t.m->causes[c].context[links[c]]});
  }
}

void ProspectTables::join_rows() {
  const Model& m = *t.m;
  Numbers kinds, rows;  // signatures come by class
  std::vector<int> signature_of_kind, rows_at;
  for (std::size_t i = 0; i < t.signatures.size(); ++i) {
    const Signature& s = t.signatures[i];
    if (runs.empty() || runs.back().klass != s.klass || runs.back().cause != s.cause)
      runs.push_back({s.cause, s.klass, static_cast<Index>(i), 0});
    ++runs.back().count;
    if (i == 0 || t.signatures[i - 1].klass != s.klass) set_of_row.resize(filled_up(static_cast<int>(set_of_row.size())));
    const int set = t.set_of[i], row = rows.of({s.klass, set}), kind = kinds.of({s.klass, m.causes[s.cause].course, s.stage, set});
    if (row == static_cast<int>(rows_at.size())) {
      rows_at.push_back(static_cast<int>(set_of_row.size()));
      set_of_row.push_back(s.active);
    }
    if (kind == static_cast<int>(row_of_kind.size())) {
      row_of_kind.push_back(rows_at[row]);
      signature_of_kind.push_back(static_cast<int>(i));
    }
    kind_of.push_back(kind);
    for (int k = s.klass + 1; k <= kClasses; ++k) row_begin[k] = filled_up(static_cast<int>(set_of_row.size()));
  }
  set_of_row.resize(static_cast<std::size_t>(row_begin[kClasses]));
  at_most = Eigen::MatrixXd::Ones(static_cast<Index>(set_of_row.size()), t.at_most.cols());
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    const ModelFinding& finding = m.findings[f];
    measured.push_back(finding.shape == Shape::measured ? join_measured(finding, t.classes[f]) : Measured{});
    for (int g = 0; t.tabled(finding) && g < finding.grades - 1; ++g) join_column(finding, g, t.first_column[f] + g, signature_of_kind);
  }
  first_stages.push_back(stages.size()), first_causes.push_back(causes.size());
}

void ProspectTables::join_column(const ModelFinding& f, int grade, Index column, const std::vector<int>& signature_of_kind) {
  constexpr double kSame = 1e-15;
  auto its = at_most.col(column);
  for (const Link& link : f.links)
    for (std::size_t r = 0; r < set_of_row.size() && link.parent == Parent::mechanism; ++r)
      if (set_of_row[r] >> link.index & 1) its[static_cast<Index>(r)] *= 1 - link.p[grade];
  std::vector<double> of_kind;
  for (std::size_t k = 0; k < row_of_kind.size(); ++k) {
    const Signature& s = t.signatures[signature_of_kind[k]];
    of_kind.push_back(its[row_of_kind[k]]);
    for (const Link& link : f.links)
      if (link.parent == Parent::stage && link.index == t.m->causes[s.cause].course && link.stage == s.stage)
        of_kind.back() *= 1 - link.p[grade];
  }
  const auto fill_up = [&] {
    by_cause.resize(static_cast<std::size_t>(filled_up(static_cast<int>(by_cause.size()))), 0);
    if (!causes.empty()) causes.back().count = filled_up(static_cast<int>(causes.back().count));
  };
  std::size_t kind = 0;
  for (int k = 0; k < kClasses; ++k) {
    first_stages.push_back(stages.size());
    for (; kind < of_kind.size() && t.signatures[signature_of_kind[kind]].klass == k; ++kind)
      if (const double by = of_kind[kind] - its[row_of_kind[kind]]; std::abs(by) > kSame) stages.push_back({static_cast<int>(kind), by});
    first_causes.push_back(causes.size());
    Index last = -1;
    for (Index i = t.class_begin[k]; i < t.class_begin[k + 1]; ++i) {
      const double by = t.at_most(i, column) - of_kind[kind_of[i]];
      if (std::abs(by) <= kSame) continue;
      if (last < 0 || last + 1 < i) {
        fill_up();
        causes.push_back({i, 0, static_cast<Index>(by_cause.size())});
      }
      by_cause.push_back(by);
      ++causes.back().count;
      last = i;
    }
    fill_up();
  }
}

ProspectTables::Measured ProspectTables::join_measured(const ModelFinding& f, const LinkClasses& classes) const {
  Measured out;
  Numbers known;
  const auto bell = [&](const std::vector<int>& shifts) {
    const int its = known.of(shifts);
    if (its == static_cast<int>(out.bells.size())) {
      double shift = 0, variance = f.spread * f.spread;
      for (int k : shifts) shift += f.shifts[k].shift, variance += f.shifts[k].variance;
      out.bells.push_back({shift, M_SQRT1_2 / std::sqrt(variance)});
    }
    return its;
  };
  for (MechanismSet set : set_of_row) {
    std::vector<int> shifts;
    for (std::size_t k = 0; k < f.shifts.size(); ++k)
      if (!f.shifts[k].is_cause && (set >> f.shifts[k].index & 1)) shifts.push_back(static_cast<int>(k));
    out.bell_of_row.push_back(bell(shifts));
  }
  for (std::size_t i = 0; i < t.signatures.size(); ++i) {
    const std::vector<int>& shifts = classes.links[classes.of[i]];
    if (std::any_of(shifts.begin(), shifts.end(), [&](int k) { return f.shifts[k].is_cause; }))
      out.causes.push_back({static_cast<int>(i), bell(shifts), out.bell_of_row[row_of_kind[kind_of[i]]]});
    for (int k = t.signatures[i].klass + 1; k <= kClasses; ++k) out.first_cause[k] = out.causes.size();
  }
  return out;
}

void ProspectTables::join_spots() {
  std::array<std::vector<Spot>, kClasses> by_class;
  for (const PlaceGroup& g : t.groups)
    for (Index i = t.canal_begin[g.canal]; i < t.canal_begin[g.canal + 1]; ++i) {
      auto& its = by_class[g.klass];
      const auto same = [&](const Spot& s) { return s.place == i && s.pattern == g.pattern; };
      if (std::none_of(its.begin(), its.end(), same)) its.push_back({i, g.pattern});
    }
  for (int k = 0; k < kClasses; ++k) {
    spots.insert(spots.end(), by_class[k].begin(), by_class[k].end());
    spot_begin[k + 1] = static_cast<Index>(spots.size());
  }
  place_column.assign(t.place_at_most.size(), -1);
  Index columns = 0;
  for (std::size_t f = 0; f < place_column.size(); ++f)
    if (t.place_at_most[f].size() > 0) place_column[f] = columns++;
  at_spot.resize(static_cast<Index>(spots.size()), columns);
  for (std::size_t f = 0; f < place_column.size(); ++f)
    for (std::size_t s = 0; s < spots.size() && place_column[f] >= 0; ++s)
      at_spot(static_cast<Index>(s), place_column[f]) = t.place_at_most[f](spots[s].place, spots[s].pattern);
}

namespace {

using Joint = std::vector<ByClass>;  // by grade: P(grade, class), not normalised

// What a belief says of causes, places and tabled findings, once for all findings.
class Marginals {
 public:
  Marginals(const ProspectTables& tables, const ExactEngine::Tables::Belief& belief)
      : p_(tables), t_(tables.t), b_(belief), age_(belief.x.age) {
    all_ = t_.by_class(b_.w);
    cause_.assign(t_.m->causes.size(), ByClass{});
    for (const auto& [cause, klass, first, count] : p_.runs) cause_[cause][klass] = b_.w.segment(first, count).sum();

    ArrayXd of_kind = ArrayXd::Zero(static_cast<Index>(p_.row_of_kind.size()));
    for (Index i = 0; i < t_.n(); ++i) of_kind[p_.kind_of[i]] += b_.w[i];
    row_.setZero(p_.at_most.rows());
    for (Index i = 0; i < of_kind.size(); ++i) row_[p_.row_of_kind[i]] += of_kind[i];
    upto_.resize(static_cast<std::size_t>(p_.at_most.cols()));
    ArrayXd w = ArrayXd::Zero(t_.n() + ProspectTables::kAtOnce);
    w.head(t_.n()) = b_.w;
    t_.lanes.at_most(p_, {row_.data(), of_kind.data(), w.data()}, upto_.data());
    const auto places = t_.over_places(b_);
    for (int k = 0; k < kClasses; ++k) {
      const Index spot = p_.spot_begin[k], spots = p_.spot_begin[k + 1] - spot;
      Eigen::VectorXd of_spot(spots);
      for (Index s = 0; s < spots; ++s) of_spot[s] = places[k](p_.spots[spot + s].place, p_.spots[spot + s].pattern);
      place_[k] = p_.at_spot.middleRows(spot, spots).transpose() * of_spot;
    }
  }

  const ByClass& all() const { return all_; }

  void add(int index, Joint& joint) const {
    switch (t_.m->findings[index].shape) {
      case Shape::discrete: add_discrete(index, joint); break;
      case Shape::measured: add_measured(index, joint); break;
      default: add_context(index, joint);
    }
  }

 private:
  void add_discrete(int index, Joint& joint) const {
    const ModelFinding& f = t_.m->findings[index];
    ByClass below{};
    for (int g = 0; g < f.grades; ++g) {
      const bool top = g == f.grades - 1;
      const double keep = top ? 1 : 1 - at_age(f.leak[g], b_.x.sex, age_);
      for (int k = 0; k < kClasses; ++k) {
        const double upto = top                    ? all_[k]
                            : f.place_segment >= 0 ? keep * place_[k][p_.place_column[index]]
                                                   : keep * upto_[t_.first_column[index] + g][k];
        joint[g][k] += upto - below[k];
        below[k] = upto;
      }
    }
  }

  void add_measured(int index, Joint& joint) const {
    const ModelFinding& f = t_.m->findings[index];
    const ProspectTables::Measured& its = p_.measured[index];
    const MeasuredAnswer low(of_grade(f, index, 0, b_.x.sex), f, b_.x), high(of_grade(f, index, 2, b_.x.sex), f, b_.x);
    // P(low), P(high) under each bell.
    const bool any_low = std::isfinite(low.to), any_high = std::isfinite(high.from);
    struct Tails {
      double low, high;
    };
    std::vector<Tails> tails;
    tails.reserve(its.bells.size());
    for (const auto& [shift, per_sd] : its.bells) {
      const double mean = low.centre + shift, half = 0.5 * (1 - kUnmodelled);
      tails.push_back({any_low ? half * std::erfc((mean - low.to) * per_sd) + low.unmodelled : 0,
                       any_high ? half * std::erfc((high.from - mean) * per_sd) + high.unmodelled : 0});
    }
    for (int k = 0; k < kClasses; ++k) {
      double is_low = 0, is_high = 0;
      for (Index r = p_.row_begin[k]; r < p_.row_begin[k + 1]; ++r) {
        const Tails& of_row = tails[its.bell_of_row[r]];
        is_low += row_[r] * of_row.low, is_high += row_[r] * of_row.high;
      }
      for (std::size_t i = its.first_cause[k]; i < its.first_cause[k + 1]; ++i) {
        const auto [signature, bell, instead_of] = its.causes[i];
        is_low += b_.w[signature] * (tails[bell].low - tails[instead_of].low);
        is_high += b_.w[signature] * (tails[bell].high - tails[instead_of].high);
      }
      joint[0][k] += is_low;
      joint[1][k] += all_[k] - is_low - is_high;
      joint[2][k] += is_high;
    }
  }

  // Causes without a link to the factor have it as often as others of their age.
  void add_context(int index, Joint& joint) const {
    using Sum = Eigen::Array4d;  // by class
    const ModelFinding& f = t_.m->findings[index];
    const double prevalence = at_age(f.prevalence, b_.x.sex, age_);
    std::array<Sum, kHistoryBins> sums;
    for (Sum& sum : sums) sum.setZero();
    const auto add = [&](const Sum& w, double p, const std::array<double, kHistoryBins - 1>& years) {
      sums[0] += (1 - p) * w;
      if (f.shape == Shape::context) sums[1] += p * w;
      else
        for (std::size_t bin = 1; bin < sums.size(); ++bin) sums[bin] += p * years[bin - 1] * w;
    };
    Sum others = Sum::Map(all_.data());
    for (const auto& [cause, link] : p_.linked[index]) {
      const Sum its = Sum::Map(cause_[cause].data());
      const double ratio = prevalence * link->value;
      add(its, prevalence <= 0 || !link->is_share ? ratio / (1 - prevalence + ratio) : link->value, link->years);
      others -= its;
    }
    add(others.max(0.0), prevalence, f.years);
    for (std::size_t bin = 0; bin < joint.size(); ++bin) Sum::Map(joint[bin].data()) += sums[bin];
  }

  const ProspectTables& p_;
  const ExactEngine::Tables& t_;
  const ExactEngine::Tables::Belief& b_;
  const AgeBetween age_;
  ByClass all_{};
  std::vector<ByClass> cause_;
  ArrayXd row_;
  // By column of at_most, of at_spot: P(at most that grade, class), without leak.
  std::vector<ByClass> upto_;
  std::array<Eigen::VectorXd, kClasses> place_;
};

// The same for a finding that stands in an "any of": its answers change what the others must explain, so each is tried.
Joint try_answers(const ExactEngine::Tables& t, const Presentation& person, int index, double scale) {
  const ModelFinding& f = t.m->findings[index];
  Joint joint(f.grades, ByClass{});
  const std::vector<double> by_stage = t.presenting(person);
  for (const Profile& x : profiles(*t.m, person))
    for (int g = 0; g < f.grades; ++g) {
      Presentation q = person;
      q.answers.push_back(of_grade(f, index, g, x.sex));
      if (q.answers.back().measured && !(q.answers.back().from < q.answers.back().to)) continue;
      for (const Presentation& part : taken_apart(*t.m, q, true)) {
        const auto b = t.believe(part, x, {}, by_stage);
        const ByClass mass = t.by_class(b.w);
        for (int k = 0; k < kClasses; ++k) joint[g][k] += mass[k] * std::exp(b.scale - scale);
      }
    }
  return joint;
}

}  // namespace

std::vector<Prospect> ExactEngine::prospects(const Presentation& person) const {
  const Tables& t = *t_;
  const Model& m = *t.m;
  if (!person.later.empty()) return t.visits().prospects(person);
  const Tables::Beliefs beliefs = t.believe_all(person, {});
  std::vector<Marginals> marginals;
  marginals.reserve(beliefs.all.size());
  ByClass mass{};
  for (const auto& b : beliefs.all) {
    marginals.emplace_back(t.for_prospects(), b);
    for (int k = 0; k < kClasses; ++k) mass[k] += marginals.back().all()[k];
  }
  const double sum = mass[0] + mass[1] + mass[2] + mass[3];
  std::vector<Prospect> out;
  if (!(sum > 0)) return out;
  const double per_sum = 1 / sum;

  std::vector<bool> answered(m.findings.size(), false), in_any_of(m.findings.size(), false);
  for (const Answer& a : person.answers) answered[a.finding] = true;
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) in_any_of[a.finding] = true;

  // By finding and grade: P(grade), P(grade, tumour), P(grade, emergency); entropies are taken of all at once.
  out.reserve(m.findings.size());
  std::vector<std::array<double, 5>> shares;
  shares.reserve(3 * m.findings.size());
  Joint joint;
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    if (answered[f]) continue;
    const int finding = static_cast<int>(f);
    joint.assign(m.findings[f].grades, ByClass{});
    if (in_any_of[f]) {
      joint = try_answers(t, person, finding, beliefs.scale);
    } else {
      for (const Marginals& its : marginals) its.add(finding, joint);
    }
    Prospect& next = out.emplace_back();
    next.finding = finding;
    next.grades.reserve(joint.size());
    for (const ByClass& by_class : joint) {
      const double p = by_class[0] + by_class[1] + by_class[2] + by_class[3], tumour = by_class[2] + by_class[3],
                   emergency = by_class[1] + by_class[3];
      next.grades.push_back({p * per_sum, p > 0 ? tumour / p : 0, p > 0 ? emergency / p : 0});
      shares.push_back({p * per_sum, tumour * per_sum, (p - tumour) * per_sum, emergency * per_sum, (p - emergency) * per_sum});
    }
  }
  t.lanes.times_log2(shares.empty() ? nullptr : shares[0].data(), 5 * shares.size());
  const auto entropy = [&](double p) {
    std::array<double, 2> both = {p, 1 - p};
    t.lanes.times_log2(both.data(), both.size());
    return -both[0] - both[1];
  };
  const double tumour_now = entropy((mass[2] + mass[3]) / sum), emergency_now = entropy((mass[1] + mass[3]) / sum);
  auto its = shares.begin();
  for (Prospect& next : out) {
    double tumour_after = 0, emergency_after = 0;
    for (std::size_t g = 0; g < next.grades.size(); ++g, ++its) {
      const auto [grade, tumour, no_tumour, emergency, no_emergency] = *its;
      tumour_after += grade - tumour - no_tumour;
      emergency_after += grade - emergency - no_emergency;
    }
    next.tumour_bits = std::max(0.0, tumour_now - tumour_after);
    next.emergency_bits = std::max(0.0, emergency_now - emergency_after);
  }
  return out;
}

}  // namespace dorsalgia
