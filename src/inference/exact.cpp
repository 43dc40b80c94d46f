// The idea. Findings see a state only through its *signature*: which cause, which stage, which mechanisms are really
// active. Over the signatures, P(finding at most this grade) without its leak is a table made once: an answer costs one
// multiplication a signature, and the leak, which depends on age, one factor for all. Answers about context depend on the
// cause alone and are multiplied in before signatures are met.
//
// Levels never meet the other findings: what points to a place (where it hurts, a numb dermatome, a sensory level) is
// summed over the levels of a part of the canal for each *group* (cause, part of the canal, the mechanisms that place
// findings know). A *cell* is a signature in one part of the canal: its share of the levels times what its group's
// places say. Summing a signature's cells gives the mass by which its other findings are multiplied.
//
// All unanswered findings are then weighed in one pass over the same tables (the derivative trick of arithmetic circuits:
// Darwiche A, J ACM 2003;50:280), because a single finding's answer multiplies each signature by its own table entry.
// Signatures are sorted by class (tumour or not, emergency or not), so that class sums are sums over ranges.
//
// What the simple story leaves out: unknown age or sex means one pass for each age band and sex it may be; measured
// values share their density between signatures with the same shift; "any of" answers are multiplied out signature by
// signature, and where two name the same finding, or one a place, the presentation is first taken apart.
#include "inference/exact.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <optional>

#include "inference/space.h"
#include "inference/visits.h"
#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using ByClass = std::array<double, kClasses>;
using Eigen::ArrayXd;
using Eigen::Index;

double entropy2(double p) { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

// What both answers about one finding say together; nothing when they exclude each other.
std::optional<Answer> both(const Answer& a, const Answer& b) {
  Answer out{a.finding, std::max(a.low, b.low), std::min(a.high, b.high), a.measured, std::max(a.from, b.from), std::min(a.to, b.to), ""};
  if (!a.measured) return out.low <= out.high ? std::optional(out) : std::nullopt;
  const bool exact = out.from == out.to && (b.from == b.to ? a.from == a.to || out.from < a.to : a.from == a.to && out.from < b.to);
  return out.from < out.to || exact ? std::optional(out) : std::nullopt;
}

// An answer about a measured value for one profile, on the finding's scale.
class MeasuredAnswer {
 public:
  MeasuredAnswer(const Answer& a, const ModelFinding& f, const Profile& x) : exact_(a.from == a.to) {
    const auto scaled = [&](double v) { return f.log_scale ? (v > 0 ? std::log(v) : -kInfinity) : v; };
    const double low = scaled(f.possible_low), high = scaled(f.possible_high);
    from_ = scaled(a.from);
    to_ = exact_ ? from_ : scaled(a.to);
    centre_ = scaled(at_age(f.centre, x.sex, x.age));
    unmodelled_ = kUnmodelled / (high - low) * (exact_ ? 1 : std::max(0.0, std::min(high, to_) - std::max(low, from_)));
  }
  double likelihood(double shift, double variance) const {
    const double mean = centre_ + shift, sd = std::sqrt(variance);
    const double modelled = exact_ ? normal_pdf((from_ - mean) / sd) / sd : normal_between((from_ - mean) / sd, (to_ - mean) / sd);
    return (1 - kUnmodelled) * modelled + unmodelled_;
  }

 private:
  bool exact_;
  double from_, to_, centre_, unmodelled_;
};

// The answer "this grade", as prospects count grades.
Answer of_grade(const ModelFinding& f, int finding, int grade, Sex sex) {
  const double low = f.reference_low[static_cast<int>(sex)], high = f.reference_high[static_cast<int>(sex)];
  if (f.shape != Shape::measured) return {finding, grade, grade, false, 0, 0, ""};
  return {finding, 0, 0, true, grade == 0 ? -kInfinity : grade == 1 ? low : high, grade == 0 ? low : grade == 1 ? high : kInfinity, ""};
}

}  // namespace

struct ExactEngine::Tables : Space {
  // by finding: link of each cause (index into ModelCause::context) or -1; empty unless context or history
  std::vector<std::vector<int>> context_link;
  // discrete findings that are not about a place: P(at most grade g) without leak, by signature, in column first_column + g
  Eigen::MatrixXd at_most;
  std::vector<int> first_column;
  // by place finding: at_most without leak, [place, pattern]
  std::vector<Eigen::ArrayXXd> place_at_most;
  // measured: classes of (shift, variance), and each signature's class
  std::vector<std::vector<std::pair<double, double>>> shift_class;
  std::vector<std::vector<std::uint16_t>> which_shift;

  // Under other numbers: the findings that are asked for and, by them, the sets of links (or shifts) that are active together
  // in some signature; which_shift says in which. There are far fewer sets than signatures.
  std::vector<int> asked_;
  std::vector<std::vector<std::vector<int>>> links_of_class_;
  std::vector<double> presented_;  // what presenting() says, which no number that is displaced changes; empty: ask it

  // Made when the first person with later visits comes.
  mutable std::once_flag made;
  mutable std::unique_ptr<VisitFilter> filter;
  const VisitFilter& visits() const {
    std::call_once(made, [&] { filter = std::make_unique<VisitFilter>(*m); });
    return *filter;
  }

  bool about_place(const Answer& a) const { return m->findings[a.finding].place_segment >= 0; }
  bool about_context(const Answer& a) const {
    const Shape shape = m->findings[a.finding].shape;
    return shape == Shape::context || shape == Shape::history;
  }

  // ---- building

  explicit Tables(const Model& model) : Space(model) {
    int columns = 0;
    for (const ModelFinding& f : m->findings) {
      const bool tabled = f.shape == Shape::discrete && f.place_segment < 0;
      first_column.push_back(tabled ? columns : -1);
      columns += tabled ? f.grades - 1 : 0;
    }
    at_most = Eigen::MatrixXd::Ones(n(), columns);
    for (std::size_t f = 0; f < m->findings.size(); ++f) build_finding(static_cast<int>(f));
  }

  // The same states under other numbers, for those who name no other findings than `asked`. `other` is displaced from the
  // model of `base` and may be displaced again: then call reread().
  Tables(const Tables& base, const Model& other, const std::vector<int>& asked) : Space(base), asked_(asked) {
    m = &other;
    context_link = base.context_link;
    const std::size_t findings = m->findings.size();
    first_column.assign(findings, -1);
    place_at_most.resize(findings);
    shift_class.resize(findings);
    which_shift.resize(findings);
    int columns = 0;
    for (int f : asked_) {
      const ModelFinding& finding = m->findings[f];
      const bool tabled = finding.shape == Shape::discrete && finding.place_segment < 0;
      std::map<std::vector<int>, int> classes;
      std::vector<int> links;
      for (Index i = 0; i < n() && (tabled || finding.shape == Shape::measured); ++i) {
        const Signature& s = signatures[i];
        links.clear();
        for (std::size_t k = 0; k < finding.shifts.size(); ++k)
          if (finding.shifts[k].is_cause ? finding.shifts[k].index == s.cause : (s.active >> finding.shifts[k].index & 1))
            links.push_back(static_cast<int>(k));
        for (std::size_t k = 0; k < finding.links.size() && tabled; ++k)
          if (is_active(finding.links[k], s)) links.push_back(static_cast<int>(k));
        which_shift[f].push_back(static_cast<std::uint16_t>(classes.emplace(links, static_cast<int>(classes.size())).first->second));
      }
      if (tabled) first_column[f] = columns, columns += finding.grades - 1;
      links_of_class_.emplace_back(classes.size());
      for (const auto& [set, k] : classes) links_of_class_.back()[k] = set;
    }
    at_most.resize(n(), columns);
  }

  void reread() {
    std::vector<double> of_class;
    for (std::size_t a = 0; a < asked_.size(); ++a) {
      const int f = asked_[a];
      const ModelFinding& finding = m->findings[f];
      if (finding.shape == Shape::measured) {
        shift_class[f].clear();
        for (const auto& links : links_of_class_[a]) {
          double shift = 0, variance = finding.spread * finding.spread;
          for (int k : links) shift += finding.shifts[k].shift, variance += finding.shifts[k].variance;
          shift_class[f].emplace_back(shift, variance);
        }
      } else if (finding.place_segment >= 0) {
        place_at_most[f] = at_places(finding);
      } else if (finding.shape == Shape::discrete) {
        const auto& which = which_shift[f];
        for (int g = 0; g < finding.grades - 1; ++g) {
          of_class.assign(links_of_class_[a].size(), 1);
          for (std::size_t c = 0; c < of_class.size(); ++c)
            for (int k : links_of_class_[a][c]) of_class[c] *= 1 - finding.links[k].p[g];
          for (Index i = 0; i < n(); ++i) at_most(i, first_column[f] + g) = of_class[which[i]];
        }
      }
    }
  }

  double reach(const ModelFinding& f, int mechanism, int level) const {
    const ModelLevel& l = m->levels[level];
    if (mechanism == m->root_compression) {
      for (const auto& [segment, share] : l.roots)
        if (segment == f.place_segment) return share;
      return 0;
    }
    if (mechanism == m->cord_compression) return l.cord_segment >= 0 && f.place_segment >= l.cord_segment;
    if (mechanism == m->cauda_equina_compression) return l.first_root >= 0 && f.place_segment >= l.first_root;
    return 1;
  }

  void build_finding(int index) {
    const ModelFinding& f = m->findings[index];
    place_at_most.emplace_back();
    shift_class.emplace_back();
    which_shift.emplace_back();
    context_link.emplace_back();
    if (f.shape == Shape::context || f.shape == Shape::history) {
      auto& links = context_link.back();
      links.assign(m->causes.size(), -1);
      for (std::size_t c = 0; c < m->causes.size(); ++c)
        for (std::size_t i = 0; i < m->causes[c].context.size(); ++i)
          if (m->causes[c].context[i].finding == index) links[c] = static_cast<int>(i);
    } else if (f.shape == Shape::measured) {
      std::map<std::pair<double, double>, int> known;
      for (const Signature& s : signatures) {
        double shift = 0, variance = f.spread * f.spread;
        for (const ShiftLink& link : f.shifts)
          if (link.is_cause ? link.index == s.cause : (s.active >> link.index & 1)) shift += link.shift, variance += link.variance;
        const auto [it, fresh] = known.emplace(std::make_pair(shift, variance), static_cast<int>(known.size()));
        if (fresh) shift_class.back().emplace_back(shift, variance);
        which_shift.back().push_back(static_cast<std::uint16_t>(it->second));
      }
    } else if (f.place_segment >= 0) {
      place_at_most.back() = at_places(f);
    } else {
      for (Index i = 0; i < n(); ++i)
        for (const Link& link : f.links)
          if (is_active(link, signatures[i]))
            for (int g = 0; g < f.grades - 1; ++g) at_most(i, first_column[index] + g) *= 1 - link.p[g];
    }
  }

  bool is_active(const Link& link, const Signature& s) const {
    switch (link.parent) {
      case Parent::mechanism: return s.active >> link.index & 1;
      case Parent::cause: return link.index == s.cause;
      case Parent::stage: return link.index == m->causes[s.cause].course && link.stage == s.stage;
    }
    return false;
  }

  Eigen::ArrayXXd at_places(const ModelFinding& f) const {
    Eigen::ArrayXXd table = Eigen::ArrayXXd::Ones(places(), static_cast<Index>(patterns.size()));
    for (std::size_t p = 0; p < patterns.size(); ++p)
      for (Index i = 0; i < places(); ++i)
        for (const Link& link : f.links)
          if (patterns[p] >> link.index & 1) table(i, static_cast<Index>(p)) *= 1 - link.p[0] * reach(f, link.index, level_at[i]);
    return table;
  }

  // ---- likelihoods

  // Calls use(likelihood) with that of one answer that is not about a place, by signature: a row of numbers, perhaps not
  // yet worked out, so that it can be multiplied in without being written down first.
  template <class Use>
  void with_likelihood(const Answer& a, const Profile& x, Use use) const {
    const ModelFinding& f = m->findings[a.finding];
    if (f.shape == Shape::discrete) {
      const auto keep = [&](int grade) { return 1 - at_age(f.leak[grade], x.sex, x.age); };
      const auto column = [&](int grade) { return at_most.col(first_column[a.finding] + grade).array(); };
      const bool high = a.high<f.grades - 1, low = a.low> 0;
      if (high && low) use((keep(a.high) * column(a.high) - keep(a.low - 1) * column(a.low - 1)).max(0.0));
      else if (high) use(keep(a.high) * column(a.high));
      else if (low) use(1 - keep(a.low - 1) * column(a.low - 1));
      else use(ArrayXd::Ones(n()));
      return;
    }
    ArrayXd out(n());
    if (f.shape == Shape::measured) {
      const MeasuredAnswer value(a, f, x);
      const auto& classes = shift_class[a.finding];
      std::vector<double> p(classes.size());
      for (std::size_t k = 0; k < classes.size(); ++k) p[k] = value.likelihood(classes[k].first, classes[k].second);
      const auto& which = which_shift[a.finding];
      for (Index i = 0; i < n(); ++i) out[i] = p[which[i]];
    } else {
      const ArrayXd p = context(a, x);
      for (Index i = 0; i < n(); ++i) out[i] = p[cause_of[i]];
    }
    use(out);
  }

  // P(this member of an "any of" holds | what is answered about the same finding): "had cancer" says nothing new once
  // "breast cancer" is known, and points to the others once it is known to be absent. `of` gives likelihoods.
  template <class Likelihood>
  ArrayXd holds(const Answer& a, const Presentation& p, Likelihood of) const {
    const Answer* own = p.answer(a.finding);
    if (!own) return of(a);
    const ArrayXd known = of(*own);
    const std::optional<Answer> together = both(a, *own);
    if (!together) return ArrayXd::Zero(known.size());
    return (known > 0).select(of(*together) / known, 0.0);
  }

  // By cause: P(factor present | cause).
  double present(int finding, int c, double prevalence) const {
    const int at = context_link[finding][c];
    if (at < 0 || prevalence <= 0) return prevalence;
    const ModelContextLink& link = m->causes[c].context[at];
    return link.is_share ? link.value : prevalence * link.value / (1 + prevalence * (link.value - 1));
  }

  const std::array<double, kHistoryBins - 1>& years(int finding, int c) const {
    const int at = context_link[finding][c];
    return at < 0 ? m->findings[finding].years : m->causes[c].context[at].years;
  }

  // Likelihood of an answer about context, by cause.
  ArrayXd context(const Answer& a, const Profile& x) const {
    const ModelFinding& f = m->findings[a.finding];
    const double prevalence = at_age(f.prevalence, x.sex, x.age);
    ArrayXd out(static_cast<Index>(m->causes.size()));
    for (int c = 0; c < out.size(); ++c) {
      const double p = present(a.finding, c, prevalence);
      double share = f.shape == Shape::history ? 0 : 1;  // of those with the factor, whom the answer means
      if (f.shape == Shape::history)
        for (int bin = std::max(1, a.low); bin <= a.high; ++bin) share += years(a.finding, c)[bin - 1];
      out[c] = (a.low == 0 ? 1 - p : 0) + (a.high >= 1 ? p * share : 0);
    }
    return out;
  }

  // By cause: P(cause | age, sex, setting).
  ArrayXd prior(const Presentation& p, const Profile& x, const CauseWeights& weights) const {
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

  // By flat stage index: P(presenting then, in that stage | cause).
  std::vector<double> presenting(const Presentation& p) const {
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

  struct Belief {
    Profile x{};
    ArrayXd apart;              // by signature: everything but place; not normalised
    ArrayXd w;                  // by signature: with place; not normalised
    Eigen::ArrayXXd at_places;  // [place, pattern]: what place evidence says of it; empty: nothing
    ArrayXd referred;           // by cause: how well pain referred from it fits where it hurts
    ArrayXd factor;             // by group: place evidence summed over its levels; empty: nothing
    double scale = 0;           // log of what was divided out of both
  };

  Belief believe(const Presentation& p, const Profile& x, const CauseWeights& weights, const std::vector<double>& by_stage) const {
    Belief b;
    b.x = x;
    auto of_cause = [&](const Answer& a) { return context(a, x); };
    auto of_signature = [&](const Answer& a) {
      ArrayXd out;
      with_likelihood(a, x, [&](const auto& likelihood) { out = likelihood; });
      return out;
    };
    auto any_holds = [&](const AnyOf& any, Index count, auto of) {
      ArrayXd none = ArrayXd::Ones(count);
      for (const Answer& a : any.answers) none *= 1 - holds(a, p, of);
      return ArrayXd(1 - none);
    };
    auto only_context = [&](const AnyOf& any) {
      return std::all_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return about_context(a); });
    };

    ArrayXd by_cause = x.weight * prior(p, x, weights);
    for (const Answer& a : p.answers)
      if (about_context(a)) by_cause *= context(a, x);
    for (const AnyOf& any : p.any_of)
      if (only_context(any)) by_cause *= any_holds(any, by_cause.size(), of_cause);

    b.apart.resize(n());
    for (Index i = 0; i < n(); ++i) b.apart[i] = by_cause[cause_of[i]] * by_stage[stage_of[i]];
    rescale(b);
    int since = 0;
    for (const Answer& a : p.answers) {
      if (about_place(a) || about_context(a)) continue;
      with_likelihood(a, x, [&](const auto& likelihood) { b.apart *= likelihood; });
      if (++since % 8 == 0) rescale(b);
    }
    for (const AnyOf& any : p.any_of)
      if (!only_context(any)) b.apart *= any_holds(any, n(), of_signature);
    rescale(b);
    place(p, x, b);
    return b;
  }

  // Forty answers at one in a thousand each are 1e-120: keep the largest weight near 1. By powers of two, which lose nothing.
  static void rescale(Belief& b) {
    const double top = b.apart.maxCoeff();
    if (!(top > 0) || top > 1e-60) return;
    const int power = std::ilogb(top);
    b.apart *= std::ldexp(1, -power / 2);  // in two steps: 2^-power itself may be too large to write
    b.apart *= std::ldexp(1, -(power - power / 2));
    b.scale += power * M_LN2;
  }

  bool has_place(const Presentation& p) const {
    return !p.locations.empty() || p.sensory_segment >= 0 ||
           std::any_of(p.answers.begin(), p.answers.end(), [&](const Answer& a) { return about_place(a); });
  }

  // What place evidence says about each level: common to all causes but for referred pain, which has no level.
  Eigen::ArrayXXd evidence_at_places(const Presentation& p, const Profile& x) const {
    Eigen::ArrayXXd out = Eigen::ArrayXXd::Ones(places(), static_cast<Index>(patterns.size()));
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

  void place(const Presentation& p, const Profile& x, Belief& b) const {
    if (!has_place(p)) {
      b.w = b.apart * share_of;
      return;
    }
    b.at_places = evidence_at_places(p, x);
    b.referred = ArrayXd::Ones(static_cast<Index>(m->causes.size()));
    if (!p.locations.empty())
      for (Index c = 0; c < b.referred.size(); ++c) {
        b.referred[c] = 0;
        for (int l : p.locations) b.referred[c] += m->causes[c].referral[l];
      }
    b.factor.resize(static_cast<Index>(groups.size()));
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto [cause, canal, pattern, klass] = groups[g];
      const Index from = canal_begin[canal], count = canal_begin[canal + 1] - from;
      double sum = level_share.col(cause).segment(from, count).dot(b.at_places.col(pattern).segment(from, count).matrix());
      if (from <= outside && outside < from + count)
        sum += (b.referred[cause] - 1) * level_share(outside, cause) * b.at_places(outside, pattern);
      b.factor[static_cast<Index>(g)] = std::max(0.0, sum);
    }
    ArrayXd mass = ArrayXd::Zero(n());
    for (const Cell& cell : cells) mass[cell.signature] += cell.share * b.factor[cell.group];
    b.w = b.apart * mass;
  }

  // [place, pattern] by class: the joint of where and what, not normalised.
  using Places = std::array<Eigen::ArrayXXd, kClasses>;
  Places over_places(const Belief& b) const {
    Places out;
    out.fill(Eigen::ArrayXXd::Zero(places(), static_cast<Index>(patterns.size())));
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

  struct Beliefs {
    std::vector<Belief> all;  // of each profile and each part of the presentation, on one scale
    double scale = 0;
  };

  Beliefs believe_all(const Presentation& p, const CauseWeights& weights) const {
    Beliefs out;
    const std::vector<double> by_stage = presented_.empty() ? presenting(p) : presented_;
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

  ByClass by_class(const ArrayXd& w) const {
    ByClass out{};
    for (int k = 0; k < kClasses; ++k) out[k] = w.segment(class_begin[k], class_begin[k + 1] - class_begin[k]).sum();
    return out;
  }

  // `where`: mechanisms and levels as well, which cost as much again.
  Posterior posterior(const Presentation& person, const CauseWeights& weights, bool where = true) const;

  // ---- prospects: P(grade, class) of one finding, not normalised

  using Joint = std::vector<ByClass>;  // by grade

  // What a belief says of causes, places and tabled findings, once for all findings.
  struct Marginals {
    std::vector<ByClass> cause;
    Places place;
    std::array<ArrayXd, kClasses> upto;  // by column of at_most: P(at most that grade, class), without leak
    ByClass all{};
  };

  Marginals marginals(const Belief& b) const {
    Marginals out;
    out.all = by_class(b.w);
    out.cause.assign(m->causes.size(), ByClass{});
    for (Index i = 0; i < n(); ++i) out.cause[cause_of[i]][signatures[i].klass] += b.w[i];
    for (int k = 0; k < kClasses; ++k) {
      const int from = class_begin[k], count = class_begin[k + 1] - from;
      out.upto[k] = (at_most.middleRows(from, count).transpose() * b.w.segment(from, count).matrix()).array();
    }
    out.place = over_places(b);
    return out;
  }

  void add_prospect(int index, const Belief& b, const Marginals& mass, Joint& joint) const {
    const ModelFinding& f = m->findings[index];
    const Profile& x = b.x;
    switch (f.shape) {
      case Shape::discrete: {
        ByClass below{};
        for (int g = 0; g < f.grades; ++g) {
          const bool top = g == f.grades - 1;
          const double keep = top ? 1 : 1 - at_age(f.leak[g], x.sex, x.age);
          for (int k = 0; k < kClasses; ++k) {
            const double upto = top                    ? mass.all[k]
                                : f.place_segment >= 0 ? keep * (mass.place[k] * place_at_most[index]).sum()
                                                       : keep * mass.upto[k][first_column[index] + g];
            joint[g][k] += upto - below[k];
            below[k] = upto;
          }
        }
        break;
      }
      case Shape::measured: {
        const auto& classes = shift_class[index];
        const auto& which = which_shift[index];
        std::vector<ByClass> by_shift(classes.size(), ByClass{});
        for (int k = 0; k < kClasses; ++k)
          for (Index i = class_begin[k]; i < class_begin[k + 1]; ++i) by_shift[which[i]][k] += b.w[i];
        const Answer low = of_grade(f, index, 0, x.sex), high = of_grade(f, index, 2, x.sex);
        const MeasuredAnswer is_low(low, f, x), is_high(high, f, x);
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
        break;
      }
      default: {
        const double prevalence = at_age(f.prevalence, x.sex, x.age);
        for (std::size_t c = 0; c < m->causes.size(); ++c) {
          const double p = present(index, static_cast<int>(c), prevalence);
          for (int k = 0; k < kClasses; ++k) {
            const double w = mass.cause[c][k];
            if (w <= 0) continue;
            joint[0][k] += w * (1 - p);
            if (f.shape == Shape::context) joint[1][k] += w * p;
            else
              for (int bin = 1; bin < kHistoryBins; ++bin) joint[bin][k] += w * p * years(index, static_cast<int>(c))[bin - 1];
          }
        }
      }
    }
  }

  // The same for a finding that stands in an "any of": its answers change what the others must explain, so each is tried.
  Joint try_answers(const Presentation& person, int index, double scale) const {
    const ModelFinding& f = m->findings[index];
    Joint joint(f.grades, ByClass{});
    const std::vector<double> by_stage = presenting(person);
    for (const Profile& x : profiles(*m, person))
      for (int g = 0; g < f.grades; ++g) {
        Presentation q = person;
        q.answers.push_back(of_grade(f, index, g, x.sex));
        if (q.answers.back().measured && !(q.answers.back().from < q.answers.back().to)) continue;
        for (const Presentation& part : taken_apart(*m, q, true)) {
          const Belief b = believe(part, x, {}, by_stage);
          const ByClass mass = by_class(b.w);
          for (int k = 0; k < kClasses; ++k) joint[g][k] += mass[k] * std::exp(b.scale - scale);
        }
      }
    return joint;
  }
};

ExactEngine::ExactEngine(const Model& model) : t_(std::make_unique<Tables>(model)) {}
ExactEngine::~ExactEngine() = default;
ExactEngine::ExactEngine(ExactEngine&&) noexcept = default;
const Model& ExactEngine::model() const { return *t_->m; }
int ExactEngine::cells() const { return static_cast<int>(t_->cells.size()); }

Posterior ExactEngine::outcomes(const Presentation& person) const { return t_->posterior(person, {}, false); }

Posterior ExactEngine::posterior(const Presentation& person, const CauseWeights& weights) const {
  return person.later.empty() ? t_->posterior(person, weights) : t_->visits().posterior(person, weights);
}

void ExactEngine::under_other_numbers(const Presentation& person, Model& displaced, const std::function<bool()>& displace,
                                      const std::function<void(const Posterior&)>& use) const {
  Tables t(*t_, displaced, named_findings(person));
  t.presented_ = t.presenting(person);
  while (displace()) {
    t.reread();
    use(t.posterior(person, {}, false));
  }
}

std::vector<DrawnState> ExactEngine::states_at(const Presentation& person, const std::vector<double>& places) const {
  const Tables& t = *t_;
  const Tables::Beliefs beliefs = t.believe_all(person, {});
  double all = 0;
  for (const auto& b : beliefs.all) all += b.w.sum();
  std::vector<DrawnState> out;
  if (!(all > 0)) return out;
  // Cells of each signature stand together.
  std::vector<std::size_t> first(t.signatures.size() + 1, 0);
  for (const Cell& cell : t.cells) ++first[cell.signature + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  std::size_t next = 0;
  double before = 0;
  for (const auto& b : beliefs.all)
    for (Index i = 0; i < t.n(); ++i) {
      const double mass = b.w[i] / all;
      for (; next < places.size() && mass > 0 && places[next] < before + mass; ++next) {
        double left = (places[next] - before) / mass;  // where within the signature: in which cell, and there at which level
        const Signature& s = t.signatures[i];
        double total = 0;
        const auto weight = [&](const Cell& cell) { return cell.share * (b.factor.size() > 0 ? b.factor[cell.group] : 1); };
        for (std::size_t c = first[i]; c < first[i + 1]; ++c) total += weight(t.cells[c]);
        std::size_t c = first[i];
        left *= total;
        while (c + 1 < first[i + 1] && left >= weight(t.cells[c])) left -= weight(t.cells[c++]);
        const PlaceGroup& group = t.groups[t.cells[c].group];
        left /= weight(t.cells[c]);
        const Index from = t.canal_begin[group.canal], count = t.canal_begin[group.canal + 1] - from;
        ArrayXd where = t.level_share.col(group.cause).segment(from, count).array();
        if (b.at_places.size() > 0) where *= b.at_places.col(group.pattern).segment(from, count);
        if (b.referred.size() > 0 && from <= t.outside && t.outside < from + count) where[t.outside - from] *= b.referred[group.cause];
        left *= where.sum();
        Index l = 0;
        while (l + 1 < count && left >= where[l]) left -= where[l++];
        out.push_back({{s.cause, 0, s.stage, t.level_at[from + l], s.active}, b.x});
      }
      before += mass;
    }
  return out;
}

Posterior ExactEngine::Tables::posterior(const Presentation& person, const CauseWeights& weights, bool where) const {
  const Tables& t = *this;
  Posterior out;
  out.causes.assign(m->causes.size(), 0);
  if (where) {
    out.mechanisms.assign(m->mechanisms.size(), 0);
    out.levels.assign(m->levels.size(), 0);
  }
  for (std::size_t c = 0; c < m->causes.size(); ++c) out.stages.emplace_back(t.stages(static_cast<int>(c)), 0.0);

  const Tables::Beliefs beliefs = t.believe_all(person, weights);
  ByClass mass{};
  std::vector<double> by_stage(t.stage_offset.back(), 0.0), by_set(t.sets.size(), 0.0);
  for (const auto& b : beliefs.all) {
    const ByClass one = t.by_class(b.w);
    for (int k = 0; k < kClasses; ++k) mass[k] += one[k];
    for (Index i = 0; i < t.n(); ++i) by_stage[t.stage_of[i]] += b.w[i];
    for (Index i = 0; i < t.n() && where; ++i) by_set[t.set_of[i]] += b.w[i];
  }
  const double sum = mass[0] + mass[1] + mass[2] + mass[3];
  out.possible = sum > 0 && std::isfinite(sum);
  out.log_evidence = std::log(sum) + beliefs.scale;
  if (!out.possible) return out;

  out.tumour = (mass[2] + mass[3]) / sum;
  out.emergency = (mass[1] + mass[3]) / sum;
  for (std::size_t c = 0; c < m->causes.size(); ++c) {
    const std::size_t stages = out.stages[c].size();
    for (int i = t.stage_offset[c]; i < t.stage_offset[c + 1]; ++i) {
      out.stages[c][static_cast<std::size_t>(i - t.stage_offset[c]) % stages] += by_stage[i] / sum;
      out.causes[c] += by_stage[i] / sum;
    }
    if (m->is_malignant(static_cast<int>(c))) out.malignant += out.causes[c];
  }
  for (std::size_t s = 0; s < by_set.size() && where; ++s)
    for (MechanismSet rest = t.sets[s]; rest; rest &= rest - 1) out.mechanisms[__builtin_ctz(rest)] += by_set[s] / sum;
  for (const auto& b : beliefs.all) {
    if (where) {
      ArrayXd at_place = ArrayXd::Zero(t.places());
      for (const Eigen::ArrayXXd& joint : t.over_places(b)) at_place += joint.rowwise().sum();
      for (Index i = 0; i < t.places(); ++i) out.levels[t.level_at[i]] += at_place[i];
    }
    // Where the canal is cord or cauda decides what can be compressed, so place evidence forecasts cell by cell.
    Forecast compression{};
    if (b.factor.size() == 0) {
      for (Index i = 0; i < t.n(); ++i)
        for (std::size_t w = 0; w < compression.size(); ++w) compression[w] += b.w[i] * t.compression_of[i][w];
    } else {
      for (const auto& [index, ahead] : t.compressible) {
        const Cell& cell = t.cells[index];
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

std::vector<Prospect> ExactEngine::prospects(const Presentation& person) const {
  const Tables& t = *t_;
  const Model& m = *t.m;
  if (!person.later.empty()) return t.visits().prospects(person);
  const Tables::Beliefs beliefs = t.believe_all(person, {});
  std::vector<Tables::Marginals> marginals;
  ByClass mass{};
  for (const auto& b : beliefs.all) {
    marginals.push_back(t.marginals(b));
    for (int k = 0; k < kClasses; ++k) mass[k] += marginals.back().all[k];
  }
  const double sum = mass[0] + mass[1] + mass[2] + mass[3];
  std::vector<Prospect> out;
  if (!(sum > 0)) return out;

  std::vector<bool> answered(m.findings.size(), false), in_any_of(m.findings.size(), false);
  for (const Answer& a : person.answers) answered[a.finding] = true;
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) in_any_of[a.finding] = true;

  const double tumour_now = entropy2((mass[2] + mass[3]) / sum), emergency_now = entropy2((mass[1] + mass[3]) / sum);
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    if (answered[f]) continue;
    const int finding = static_cast<int>(f);
    Tables::Joint joint(m.findings[f].grades, ByClass{});
    if (in_any_of[f]) {
      joint = t.try_answers(person, finding, beliefs.scale);
    } else {
      for (std::size_t b = 0; b < beliefs.all.size(); ++b) t.add_prospect(finding, beliefs.all[b], marginals[b], joint);
    }
    Prospect next;
    next.finding = finding;
    double tumour_after = 0, emergency_after = 0;
    for (const ByClass& by_class : joint) {
      const double p = by_class[0] + by_class[1] + by_class[2] + by_class[3];
      next.probability.push_back(p / sum);
      next.tumour.push_back(p > 0 ? (by_class[2] + by_class[3]) / p : 0);
      next.emergency.push_back(p > 0 ? (by_class[1] + by_class[3]) / p : 0);
      tumour_after += next.probability.back() * entropy2(next.tumour.back());
      emergency_after += next.probability.back() * entropy2(next.emergency.back());
    }
    next.tumour_bits = std::max(0.0, tumour_now - tumour_after);
    next.emergency_bits = std::max(0.0, emergency_now - emergency_after);
    out.push_back(std::move(next));
  }
  return out;
}

Posterior ExactEngine::but_for_lasting(const Presentation& person) const { return t_->visits().but_for_lasting(person); }

std::vector<double> ExactEngine::carriers(const Posterior& posterior, int finding) const {
  const Model& m = *t_->m;
  std::vector<double> out(m.mechanisms.size(), 0.0);
  const ModelFinding& f = m.findings[finding];
  if (f.shape == Shape::context || f.shape == Shape::history) return {};
  const std::vector<double>& active = posterior.mechanisms;
  for (const Link& link : f.links)
    if (link.parent == Parent::mechanism) out[link.index] += active[link.index] * link.p[0];
  for (const ShiftLink& link : f.shifts)
    if (!link.is_cause) out[link.index] += active[link.index] * std::abs(link.shift);
  return out;
}

}  // namespace dorsalgia
