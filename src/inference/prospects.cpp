// All unanswered findings are weighed in one pass over the tables of the exact engine (the derivative trick of arithmetic
// circuits: Darwiche A, J ACM 2003;50:280), because a single finding's answer multiplies each signature by its own table
// entry. Most entries hang on the mechanisms alone: signatures of one set and class are summed first and share a row; where a
// cause or a stage brings the finding as well, the difference is added.
#include "inference/prospects.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace dorsalgia {

using Eigen::ArrayXd;
using Eigen::Index;

ProspectTables::ProspectTables(const ExactEngine::Tables& tables) : t(tables) {
  join_rows();
  join_spots();
  for (const auto& links : t.context_link) {
    auto& its = linked.emplace_back();
    for (std::size_t c = 0; c < links.size(); ++c)
      if (links[c] >= 0) its.push_back(static_cast<int>(c));
  }
}

void ProspectTables::join_rows() {
  const Model& m = *t.m;
  std::map<std::pair<int, int>, int> known;  // class and set; signatures come by class
  std::vector<MechanismSet> set_of_row;
  for (std::size_t i = 0; i < t.signatures.size(); ++i) {
    const int klass = t.signatures[i].klass;
    const auto [it, fresh] = known.emplace(std::make_pair(klass, t.set_of[i]), static_cast<int>(known.size()));
    if (fresh) set_of_row.push_back(t.signatures[i].active);
    row_of.push_back(it->second);
    for (int k = klass + 1; k <= kClasses; ++k) row_begin[k] = static_cast<int>(known.size());
  }
  at_most = Eigen::MatrixXd::Ones(static_cast<Index>(set_of_row.size()), t.at_most.cols());
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    const ModelFinding& finding = m.findings[f];
    if (!t.tabled(finding)) continue;
    for (int g = 0; g < finding.grades - 1; ++g) {
      const Index column = t.first_column[f] + g;
      for (const Link& link : finding.links)
        for (std::size_t r = 0; r < set_of_row.size() && link.parent == Parent::mechanism; ++r)
          if (set_of_row[r] >> link.index & 1) at_most(static_cast<Index>(r), column) *= 1 - link.p[g];
      for (std::size_t i = 0; i < t.signatures.size(); ++i) {
        first_exception.resize(static_cast<std::size_t>(kClasses * column + t.signatures[i].klass) + 1,
                               static_cast<int>(exceptions.size()));
        const double by = t.at_most(static_cast<Index>(i), column) - at_most(row_of[i], column);
        if (std::abs(by) > 1e-15) exceptions.push_back({static_cast<int>(i), by});
      }
    }
  }
  first_exception.resize(static_cast<std::size_t>(kClasses * t.at_most.cols()) + 1, static_cast<int>(exceptions.size()));
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
  Marginals(const ProspectTables& tables, const ExactEngine::Tables::Belief& belief) : p_(tables), t_(tables.t), b_(belief) {
    all_ = t_.by_class(b_.w);
    cause_.assign(t_.m->causes.size(), ByClass{});
    for (Index i = 0; i < t_.n(); ++i) cause_[t_.cause_of[i]][t_.signatures[i].klass] += b_.w[i];

    ArrayXd of_row = ArrayXd::Zero(p_.at_most.rows());
    for (Index i = 0; i < t_.n(); ++i) of_row[p_.row_of[i]] += b_.w[i];
    const auto places = t_.over_places(b_);
    for (int k = 0; k < kClasses; ++k) {
      const Index from = p_.row_begin[k], count = p_.row_begin[k + 1] - from;
      upto_[k] = p_.at_most.middleRows(from, count).transpose() * of_row.segment(from, count).matrix();
      for (Index c = 0; c < upto_[k].size(); ++c) {
        const std::size_t at = static_cast<std::size_t>(kClasses * c + k);
        for (int e = p_.first_exception[at]; e < p_.first_exception[at + 1]; ++e)
          upto_[k][c] += b_.w[p_.exceptions[e].signature] * p_.exceptions[e].by;
      }
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
      const double keep = top ? 1 : 1 - at_age(f.leak[g], b_.x.sex, b_.x.age);
      for (int k = 0; k < kClasses; ++k) {
        const double upto = top                    ? all_[k]
                            : f.place_segment >= 0 ? keep * place_[k][p_.place_column[index]]
                                                   : keep * upto_[k][t_.first_column[index] + g];
        joint[g][k] += upto - below[k];
        below[k] = upto;
      }
    }
  }

  void add_measured(int index, Joint& joint) const {
    const ModelFinding& f = t_.m->findings[index];
    const auto& classes = t_.shift_class[index];
    const auto& which = t_.classes[index].of;
    std::vector<ByClass> by_shift(classes.size(), ByClass{});
    for (int k = 0; k < kClasses; ++k)
      for (Index i = t_.class_begin[k]; i < t_.class_begin[k + 1]; ++i) by_shift[which[i]][k] += b_.w[i];
    const Answer low = of_grade(f, index, 0, b_.x.sex), high = of_grade(f, index, 2, b_.x.sex);
    const MeasuredAnswer is_low(low, f, b_.x), is_high(high, f, b_.x);
    for (std::size_t c = 0; c < by_shift.size(); ++c) {
      const auto [shift, variance] = classes[c];
      const double p_low = std::isfinite(low.to) ? is_low.likelihood(shift, variance) : 0;
      const double p_high = std::isfinite(high.from) ? is_high.likelihood(shift, variance) : 0;
      for (int k = 0; k < kClasses; ++k) {
        joint[0][k] += by_shift[c][k] * p_low;
        joint[1][k] += by_shift[c][k] * (1 - p_low - p_high);
        joint[2][k] += by_shift[c][k] * p_high;
      }
    }
  }

  // Causes without a link to the factor have it as often as others of their age.
  void add_context(int index, Joint& joint) const {
    const ModelFinding& f = t_.m->findings[index];
    const double prevalence = at_age(f.prevalence, b_.x.sex, b_.x.age);
    const auto add = [&](const ByClass& w, double p, const std::array<double, kHistoryBins - 1>& years) {
      for (int k = 0; k < kClasses; ++k) {
        joint[0][k] += w[k] * (1 - p);
        if (f.shape == Shape::context) joint[1][k] += w[k] * p;
        else
          for (int bin = 1; bin < kHistoryBins; ++bin) joint[bin][k] += w[k] * p * years[bin - 1];
      }
    };
    ByClass others = all_;
    for (int c : p_.linked[index]) {
      add(cause_[c], t_.present(index, c, prevalence), t_.years(index, c));
      for (int k = 0; k < kClasses; ++k) others[k] -= cause_[c][k];
    }
    for (double& w : others) w = std::max(0.0, w);
    add(others, prevalence, f.years);
  }

  const ProspectTables& p_;
  const ExactEngine::Tables& t_;
  const ExactEngine::Tables::Belief& b_;
  ByClass all_{};
  std::vector<ByClass> cause_;
  std::array<Eigen::VectorXd, kClasses> upto_, place_;  // by column of at_most, of at_spot: P(at most that grade, class), without leak
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

// x log2 x, with 0 for 0: sums of these are entropies.
ArrayXd times_log(const ArrayXd& x) { return x * x.max(1e-300).log() * M_LOG2E; }

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

  std::vector<bool> answered(m.findings.size(), false), in_any_of(m.findings.size(), false);
  for (const Answer& a : person.answers) answered[a.finding] = true;
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) in_any_of[a.finding] = true;

  // By finding and grade: P(grade), P(grade, tumour), P(grade, emergency); entropies are taken of all at once.
  out.reserve(m.findings.size());
  std::vector<std::array<double, 5>> shares;
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    if (answered[f]) continue;
    const int finding = static_cast<int>(f);
    Joint joint(m.findings[f].grades, ByClass{});
    if (in_any_of[f]) {
      joint = try_answers(t, person, finding, beliefs.scale);
    } else {
      for (const Marginals& its : marginals) its.add(finding, joint);
    }
    Prospect& next = out.emplace_back();
    next.finding = finding;
    for (const ByClass& by_class : joint) {
      const double p = by_class[0] + by_class[1] + by_class[2] + by_class[3], tumour = by_class[2] + by_class[3],
                   emergency = by_class[1] + by_class[3];
      next.grades.push_back({p / sum, p > 0 ? tumour / p : 0, p > 0 ? emergency / p : 0});
      shares.push_back({p / sum, tumour / sum, (p - tumour) / sum, emergency / sum, (p - emergency) / sum});
    }
  }
  const auto wide = static_cast<Index>(5 * shares.size());
  const ArrayXd logs = times_log(Eigen::Map<const ArrayXd>(shares.empty() ? nullptr : shares[0].data(), wide).max(0.0));
  const auto entropy = [](double p) { return -times_log(Eigen::Array2d(p, 1 - p)).sum(); };
  const double tumour_now = entropy((mass[2] + mass[3]) / sum), emergency_now = entropy((mass[1] + mass[3]) / sum);
  Index at = 0;
  for (Prospect& next : out) {
    double tumour_after = 0, emergency_after = 0;
    for (std::size_t g = 0; g < next.grades.size(); ++g, at += 5) {
      tumour_after += logs[at] - logs[at + 1] - logs[at + 2];
      emergency_after += logs[at] - logs[at + 3] - logs[at + 4];
    }
    next.tumour_bits = std::max(0.0, tumour_now - tumour_after);
    next.emergency_bits = std::max(0.0, emergency_now - emergency_after);
  }
  return out;
}

}  // namespace dorsalgia
