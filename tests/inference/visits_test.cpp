// The filter over later visits against a sum over all stage paths at all levels, written here on its own and plainly; and
// what must hold of any such posterior.
#include "inference/visits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "model/state.h"
#include "support/builtin.h"
#include "support/compare.h"
#include "support/random_person.h"
#include "support/tiny_model.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::model;

using test::difference;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ---- every path of every state, one by one

class EveryPath {
 public:
  EveryPath(const Model& model, const Presentation& person, double renewal_weeks = kRenewalWeeks)
      : m_(model), p_(person), renewal_weeks_(renewal_weeks) {
    visits_.push_back({0, p_.answers, p_.any_of, p_.locations, p_.sensory_segment, false});
    visits_.insert(visits_.end(), p_.later.begin(), p_.later.end());
    for (std::size_t i = 0; i < visits_.size(); ++i)
      for (const AnyOf& any : visits_[i].any_of) any_of_.emplace_back(i, any);
  }

  Posterior run() {
    out_.causes.assign(m_.causes.size(), 0);
    out_.mechanisms.assign(m_.mechanisms.size(), 0);
    out_.levels.assign(m_.levels.size(), 0);
    for (const auto& c : m_.causes) out_.stages.emplace_back(m_.courses[c.course].stages.size(), 0.0);
    for (const Profile& x : profiles(m_, p_))
      for (int c = 0; c < static_cast<int>(m_.causes.size()); ++c) cause(x, c);
    out_.possible = sum_ > 0;
    out_.log_evidence = std::log(sum_);
    if (!out_.possible) return out_;
    for (double* p : {&out_.tumour, &out_.malignant, &out_.emergency}) *p /= sum_;
    for (auto* v : {&out_.causes, &out_.mechanisms, &out_.levels})
      for (double& p : *v) p /= sum_;
    for (auto& v : out_.stages)
      for (double& p : v) p /= sum_;
    for (double& p : out_.compression) p /= sum_;
    return out_;
  }

 private:
  void cause(const Profile& x, int c) {
    double prior = 0;
    for (int s = 0; s < static_cast<int>(m_.settings.size()); ++s) {
      if (p_.setting >= 0 && p_.setting != s) continue;
      double all = 0;
      for (int i = 0; i < static_cast<int>(m_.causes.size()); ++i) all += rate(m_, i, s, x.sex, x.age);
      prior += (p_.setting >= 0 ? 1 : m_.setting_shares[s]) * rate(m_, c, s, x.sex, x.age) / all;
    }
    for (int canal = 0; canal < kCanals; ++canal) beside(x, c, canal, prior);
  }

  // Lesions in one part of the canal.
  void beside(const Profile& x, int c, int canal, double prior) {
    const ModelCause& cause = m_.causes[c];
    const Chain chain(m_.courses[cause.course], cause.tempo, static_cast<Canal>(canal));
    Eigen::VectorXd first = chain.within_by_matrix(0, kInfinity);
    if (p_.weeks) {
      const auto [from, to] = *p_.weeks;
      const double e = m_.background_share;
      if (from == to) first = (1 - e) * chain.density_by_matrix(from) + e * background_density(m_, from) * first;
      else first = (1 - e) * chain.within_by_matrix(from, to) + e * (background_before(m_, to) - background_before(m_, from)) * first;
    }
    moves_.clear();
    for (std::size_t i = 1; i < visits_.size(); ++i) moves_.push_back(chain.moves(visits_[i].weeks - visits_[i - 1].weeks));
    std::vector<bool> target;
    for (const ModelStage& stage : m_.courses[cause.course].stages)
      target.push_back(m_.is_compressed(m_.real(stage.mechanisms, static_cast<Canal>(canal))));
    const bool never = std::find(target.begin(), target.end(), true) == target.end();
    for (std::size_t w = 0; w < kForecastWeeks.size(); ++w)
      reaches_[canal][w] = never ? Eigen::VectorXd::Zero(chain.stages()) : chain.reaches(target, kForecastWeeks[w]);
    for (int variant = 0; variant < 2; ++variant)
      for (int l = 0; l < static_cast<int>(m_.levels.size()); ++l) {
        const double share = (variant ? cause.accompanied : 1 - cause.accompanied) * cause.levels[l];
        if (share <= 0 || static_cast<int>(m_.levels[l].canal) != canal) continue;
        for (int k = 0; k < chain.stages(); ++k) path(x, chain, {state(c, variant, k, l)}, x.weight * prior * share * first[k]);
      }
  }

  State state(int c, int variant, int k, int l) const { return {c, variant, k, l, active(m_, c, variant, k, m_.levels[l].canal)}; }

  void path(const Profile& x, const Chain& chain, const std::vector<State>& states, double weight) {
    if (weight <= 0) return;
    const std::size_t next = states.size();
    const State& now = states.back();
    const bool end = next == visits_.size();
    if (end || visits_[next].recovered) {
      if (!end) {
        const double gone = 1 - moves_[next - 1].row(now.stage).sum();
        if (gone < 1e-14) return;  // what is left of 1 - 1
        weight *= gone;
      }
      return finish(states, weight * some(x, states, any_of_.size(), {}), !end);
    }
    const Eigen::MatrixXd& move = moves_[next - 1];
    for (int k = 0; k < chain.stages(); ++k) {
      std::vector<State> longer = states;
      longer.push_back(state(now.cause, now.variant, k, now.level));
      path(x, chain, longer, weight * move(now.stage, k));
    }
  }

  void finish(const std::vector<State>& states, double p, bool recovered) {
    if (p <= 0) return;
    State s = states.back();
    sum_ += p;
    if (recovered)
      s.active = s.variant ? m_.real(MechanismSet{1} << m_.causes[s.cause].accompaniment, m_.levels[s.level].canal) : MechanismSet{0};
    else out_.stages[s.cause][s.stage] += p;
    out_.causes[s.cause] += p;
    out_.levels[s.level] += p;
    if (m_.is_tumour(s.cause)) out_.tumour += p;
    if (m_.is_malignant(s.cause)) out_.malignant += p;
    if (m_.is_emergency(s.cause, s.active)) out_.emergency += p;
    for (std::size_t i = 0; i < m_.mechanisms.size(); ++i)
      if (s.active >> i & 1) out_.mechanisms[i] += p;
    if (recovered) return;
    for (std::size_t w = 0; w < kForecastWeeks.size(); ++w)
      out_.compression[w] += p * reaches_[static_cast<int>(m_.levels[s.level].canal)][w][s.stage];
  }

  // P(the first `count` "any of"s, and `also`, and all plain answers | path), by inclusion and exclusion.
  using Also = std::vector<std::pair<std::size_t, Answer>>;
  double some(const Profile& x, const std::vector<State>& states, std::size_t count, const Also& also) const {
    if (count == 0) return all(x, states, also);
    const auto& [visit, any] = any_of_[count - 1];
    double sum = 0;
    for (unsigned subset = 1; subset < 1u << any.answers.size(); ++subset) {
      Also more = also;
      int size = 0;
      for (std::size_t i = 0; i < any.answers.size(); ++i)
        if (subset >> i & 1) more.emplace_back(visit, any.answers[i]), ++size;
      sum += (size % 2 ? 1 : -1) * some(x, states, count - 1, more);
    }
    return sum;
  }

  double all(const Profile& x, const std::vector<State>& states, const Also& also) const {
    Also said = also;
    for (std::size_t i = 0; i < visits_.size(); ++i)
      for (const Answer& a : visits_[i].answers) said.emplace_back(i, a);
    std::stable_sort(said.begin(), said.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    double p = 1;
    for (int f = 0; f < static_cast<int>(m_.findings.size()) && p > 0; ++f) p *= one(x, states, f, said);
    // Where it hurts: about the level, which stays.
    std::vector<int> places;
    for (const Visit& v : visits_) {
      if (v.locations.empty()) continue;
      std::vector<int> shared, either = places;
      for (int l : v.locations) {
        if (std::count(places.begin(), places.end(), l)) shared.push_back(l);
        else either.push_back(l);
      }
      places = places.empty() ? v.locations : shared.empty() ? either : shared;
    }
    if (!places.empty()) {
      double sum = 0;
      for (int l : places) sum += felt(m_, l, states[0]);
      p *= sum;
    }
    int segment = -1, at = -1;
    for (std::size_t i = 0; i < states.size(); ++i)
      if (visits_[i].sensory_segment >= 0) segment = visits_[i].sensory_segment, at = static_cast<int>(i);
    if (segment >= 0) p *= sensory_border(m_, segment, states[at]);
    return p;
  }

  double one(const Profile& x, const std::vector<State>& states, int f, const Also& said) const {
    const ModelFinding& finding = m_.findings[f];
    Also mine;
    for (const auto& s : said)
      if (s.second.finding == f && (s.first < states.size() || finding.shape != Shape::measured)) mine.push_back(s);
    if (mine.empty()) return 1;
    if (finding.shape == Shape::discrete) {
      std::vector<Stretch> run;
      for (const auto& [i, a] : mine)
        run.push_back({visits_[i].weeks, at_most(m_, finding, a.low - 1, states[i], x.sex, x.age),
                       at_most(m_, finding, a.high, states[i], x.sex, x.age)});
      return proneness(run);
    }
    if (finding.shape != Shape::measured) {
      int low = 0, high = finding.grades - 1;
      for (const auto& [i, a] : mine) low = std::max(low, a.low), high = std::min(high, a.high);
      return low > high ? 0 : graded(m_, f, low, high, states[0], x.sex, x.age);
    }
    return lab(x, states, finding, mine);
  }

  // Every way in which U may have been drawn anew between answers: P(all of them). [from, to) at each week.
  struct Stretch {
    double weeks, from, to;
  };
  double proneness(const std::vector<Stretch>& said) const {
    if (said.empty()) return 1;
    double sum = 0;
    for (unsigned ways = 0; ways < 1u << (said.size() - 1); ++ways) {
      double p = 1, from = said[0].from, to = said[0].to;
      for (std::size_t i = 1; i < said.size(); ++i) {
        const double keeps = std::isinf(renewal_weeks_) ? 1 : std::exp(-(said[i].weeks - said[i - 1].weeks) / renewal_weeks_);
        const bool anew = ways >> (i - 1) & 1;
        p *= anew ? 1 - keeps : keeps;
        if (anew) p *= std::max(0.0, to - from), from = 0, to = 1;
        from = std::max(from, said[i].from), to = std::min(to, said[i].to);
      }
      sum += p * std::max(0.0, to - from);
    }
    return sum;
  }

  // Runs of ranges share one U; a value stands alone or follows the value before it.
  double lab(const Profile& x, const std::vector<State>& states, const ModelFinding& f, const Also& mine) const {
    double p = 1;
    std::vector<Stretch> run;
    bool valued = false;
    Answer range;
    std::size_t range_at = 0, value_at = 0;
    double value = 0;
    const auto like = [&](std::size_t i, std::size_t j) {
      const auto a = bell(f, states[i], x.sex, x.age), b = bell(f, states[j], x.sex, x.age);
      return a.mean == b.mean && a.variance == b.variance;
    };
    for (const auto& [i, a] : mine) {
      if (a.from == a.to) {
        if (valued && value == a.from) continue;
        if (valued) {
          const auto then = bell(f, states[value_at], x.sex, x.age), now = bell(f, states[i], x.sex, x.age);
          const double e = (on_scale(f.log_scale, value) - then.mean) / std::sqrt(then.variance);
          const double sd = std::sqrt(now.variance * (1 - kSteadiness * kSteadiness));
          const double mean = now.mean + kSteadiness * std::sqrt(now.variance) * e;
          p *= (1 - kUnmodelled) * normal_pdf((on_scale(f.log_scale, a.from) - mean) / sd) / sd +
               kUnmodelled / (on_scale(f.log_scale, f.possible_high) - on_scale(f.log_scale, f.possible_low));
        } else {
          p *= measured(f, a.from, a.to, states[i], x.sex, x.age);
          p *= proneness(run);
          if (!run.empty() && range.from <= a.from && a.from < range.to && like(range_at, i))
            p /= measured(f, range.from, range.to, states[i], x.sex, x.age);
        }
        run.clear();
        valued = true, value = a.from, value_at = i;
        continue;
      }
      if (valued && a.from <= value && value < a.to && like(value_at, i)) continue;
      const double below = a.from == -kInfinity ? 0 : measured(f, -kInfinity, a.from, states[i], x.sex, x.age);
      run.push_back({visits_[i].weeks, below, below + measured(f, a.from, a.to, states[i], x.sex, x.age)});
      valued = false, range = a, range_at = i;
    }
    return p * proneness(run);
  }

  const Model& m_;
  const Presentation& p_;
  const double renewal_weeks_;
  std::vector<Visit> visits_;
  std::vector<std::pair<std::size_t, AnyOf>> any_of_;
  std::vector<Eigen::MatrixXd> moves_;  // of the cause in hand, by interval
  std::array<std::array<Eigen::VectorXd, kForecastWeeks.size()>, kCanals> reaches_;
  Posterior out_;
  double sum_ = 0;
};

// ---- people with visits, at random; the same few findings are asked again and again

Presentation random_visits(const Model& m, std::uint64_t seed, int most_visits, int pool, bool any_of = true) {
  test::RandomPeople random(m, seed);
  Presentation p = random.person(0);
  p.any_of.clear();
  if (!p.age) p.age = 61;
  std::vector<int> asked;
  for (int i = 0; i < pool; ++i) asked.push_back(random.below(static_cast<int>(m.findings.size())));
  std::sort(asked.begin(), asked.end());
  asked.erase(std::unique(asked.begin(), asked.end()), asked.end());
  auto facts = [&](auto& visit, const Visit* before) {
    for (int f : asked) {
      if (random.chance(0.35)) continue;
      const bool still = m.findings[f].shape == Shape::context || m.findings[f].shape == Shape::history;
      if (still && before) continue;  // said once: at random two would mostly exclude each other
      Answer a = random.answer(f);
      if (before && random.chance(0.4))
        for (const Answer& old : before->answers)
          if (old.finding == f) a = old;
      visit.answers.push_back(a);
    }
    if (any_of && random.chance(0.25)) {
      AnyOf any;
      for (int f : asked)
        if (m.findings[f].shape != Shape::measured && any.answers.size() < 3 && random.chance(0.5)) any.answers.push_back(random.answer(f));
      if (!any.answers.empty()) visit.any_of.push_back(any);
    }
  };
  Visit last;
  facts(p, nullptr);
  last.answers = p.answers;
  double weeks = 0;
  const int later = 1 + random.below(most_visits - 1);
  for (int i = 0; i < later; ++i) {
    Visit v;
    v.weeks = weeks += random.chance(0.1) ? 0.1 : 12 * random.uniform();
    v.recovered = i + 1 == later && random.chance(0.15);
    if (!v.recovered) {
      facts(v, &last);
      if (random.chance(0.2)) v.locations = {random.below(static_cast<int>(m.locations.size()))};
      if (random.chance(0.2)) v.sensory_segment = random.below(static_cast<int>(m.segments.size()));
    }
    last = v;
    p.later.push_back(v);
  }
  return p;
}

std::string told(const Model& m, const Presentation& p) {
  std::ostringstream out;
  out << test::words(m, p);
  for (const Visit& v : p.later) {
    Presentation facts;
    facts.answers = v.answers, facts.any_of = v.any_of, facts.locations = v.locations, facts.sensory_segment = v.sensory_segment;
    out << " | week " << v.weeks << (v.recovered ? " recovered" : "") << ": " << test::words(m, facts);
  }
  return out.str();
}

// Over so many random people, of whom more than a quarter must be possible.
void compare_with_every_path(const Model& m, int people, int most_visits, int pool, std::uint64_t seed, bool any_of = true,
                             double renewal_weeks = kRenewalWeeks) {
  const VisitFilter filter(m, renewal_weeks);
  double worst = 0;
  int possible = 0;
  for (int i = 0; i < people; ++i) {
    const Presentation p = random_visits(m, seed + static_cast<std::uint64_t>(i), most_visits, pool, any_of);
    const Posterior a = filter.posterior(p), b = EveryPath(m, p, renewal_weeks).run();
    const test::Difference d = difference(a, b);
    ASSERT_TRUE(d.within(1e-10)) << i << ": " << d.where << " " << d.worst << ", log evidence " << a.log_evidence << " v " << b.log_evidence
                                 << ": " << told(m, p);
    worst = std::max({worst, d.worst, d.log_evidence});
    possible += a.possible;
  }
  EXPECT_GT(4 * possible, people);
  testing::Test::RecordProperty("worst", std::to_string(worst));
}

TEST(Visits, EqualTheSumOverAllPathsOfATinyModel) { compare_with_every_path(test::tiny_model(), test::share_of(1200), 4, 6, 1); }

TEST(Visits, EqualTheSumOverAllPathsWhenPronenessIsDrawnAnew) {
  compare_with_every_path(test::tiny_model(), test::share_of(600), 5, 6, 9, true, 30);
}

// Stages that come and go: many paths, which the filter sums on the way.
TEST(Visits, EqualTheSumOverAllPathsWhenStagesComeAndGo) {
  Model m = test::tiny_model();
  m.courses[0].generator.fill({-0.3, 0.2, 0.08, 0.1, -0.3, 0.15, 0.05, 0.1, -0.15});
  compare_with_every_path(m, test::share_of(100), 5, 5, 77);
}

TEST(Visits, EqualTheSumOverAllPathsOfTheModelInUse) { compare_with_every_path(model(), test::share_of(5), 3, 6, 4242, false); }

TEST(Visits, ARangeInSeveralIsTakenApart) {
  const Model m = test::tiny_model();
  const VisitFilter filter(m);
  Presentation p;
  p.age = 60, p.sex = Sex::female, p.setting = 0;
  p.any_of.push_back({{{5, 0, 0, true, 20, kInfinity, ""}, {0, 1, 1, false, 0, 0, ""}}, ""});
  Visit v;
  v.weeks = 4;
  v.any_of.push_back({{{5, 0, 0, true, 40, kInfinity, ""}, {1, 2, 2, false, 0, 0, ""}, {3, 1, 1, false, 0, 0, ""}}, ""});
  v.answers = {{0, 1, 1, false, 0, 0, ""}};
  p.later = {v};
  EXPECT_LE(difference(filter.posterior(p), EveryPath(m, p).run()).worst, 1e-12);
}

TEST(Visits, OneVisitIsWhatTheEngineSays) {
  const VisitFilter filter(model());
  int possible = 0;
  for (int i = 0; i < test::share_of(60); ++i) {
    const Presentation p = test::RandomPeople(model(), 9000 + static_cast<std::uint64_t>(i)).person(15);
    const Posterior a = filter.posterior(p), b = engine().posterior(p);
    const test::Difference d = difference(a, b);
    ASSERT_TRUE(d.within(1e-9)) << d.where << " " << d.worst << ", log evidence " << a.log_evidence << " v " << b.log_evidence << ": "
                                << told(model(), p);
    possible += a.possible;
  }
  EXPECT_GT(possible, test::share_of(60) / 3);
}

TEST(Visits, ProspectsOfOneVisitAreWhatTheEngineSays) {
  const VisitFilter filter(model());
  for (int i = 0; i < 4; ++i) {
    Presentation p = test::RandomPeople(model(), 500 + static_cast<std::uint64_t>(i)).person(6);
    p.any_of.clear();
    const auto a = filter.prospects(p), b = engine().prospects(p);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t f = 0; f < a.size(); ++f) {
      ASSERT_EQ(a[f].finding, b[f].finding);
      for (std::size_t g = 0; g < a[f].grades.size(); ++g) {
        EXPECT_NEAR(a[f].grades[g].probability, b[f].grades[g].probability, 1e-10);
        EXPECT_NEAR(a[f].grades[g].probability * a[f].grades[g].tumour, b[f].grades[g].probability * b[f].grades[g].tumour, 1e-10);
        EXPECT_NEAR(a[f].grades[g].probability * a[f].grades[g].emergency, b[f].grades[g].probability * b[f].grades[g].emergency, 1e-10);
      }
      EXPECT_NEAR(a[f].tumour_bits, b[f].tumour_bits, 1e-9);
    }
  }
}

// ---- what must hold

Answer said(const char* finding, bool present) {
  const int f = model().finding(finding);
  EXPECT_GE(f, 0) << finding;
  return {f, present ? 1 : 0, present ? model().findings[f].grades - 1 : 0, false, 0, 0, finding};
}

Answer value(const char* finding, double x) { return {model().finding(finding), 0, 0, true, x, x, finding}; }

Presentation woman() {
  Presentation p;
  p.age = 62, p.sex = Sex::female, p.setting = 0;
  p.weeks = {3, 3};
  return p;
}

Visit visit(double weeks, std::vector<Answer> answers = {}) {
  Visit v;
  v.weeks = weeks;
  v.answers = std::move(answers);
  return v;
}

// Of stages that only add mechanisms nothing that was there can go; where stages come and go, that it stayed is news. So the
// law is exact while no time passes to speak of, and for values always.
TEST(Visits, SayingTheSameAgainTellsNothing) {
  Presentation bare = woman();
  bare.answers = {value("esr", 54), value("crp", 40)};
  Presentation again = bare;
  for (double weeks : {2.0, 6.0}) {
    bare.later.push_back(visit(weeks));
    again.later.push_back(visit(weeks, {value("esr", 54), value("crp", 40)}));
  }
  EXPECT_TRUE(difference(engine().posterior(again), engine().posterior(bare)).within(1e-12));

  Presentation once = woman();
  once.answers = {
      said("night_pain", true), said("fever", false), said("weight_loss", true), {model().finding("crp"), 0, 0, true, 5, kInfinity, ""}};
  Presentation thrice = once;
  for (double weeks : {1e-9, 2e-9}) thrice.later.push_back(visit(weeks, once.answers));
  const Posterior a = engine().posterior(thrice), b = engine().posterior(once);
  EXPECT_NEAR(a.tumour, b.tumour, 1e-8);
  EXPECT_NEAR(a.log_evidence, b.log_evidence, 1e-7);

  // With stages that only add mechanisms (tiny: growing), "present" again and again is exactly "present" once.
  Model tiny = test::tiny_model();
  tiny.causes[1].levels[0] = 1, tiny.causes[1].levels[1] = tiny.causes[1].levels[2] = 0;
  tiny.courses[1].generator.fill({-0.5, 0.1, 0, -0.05});
  tiny.findings[0].links[2].p = {0.0};  // the lasting stage brings nothing of its own
  const VisitFilter filter(tiny, kInfinity);
  Presentation p;
  p.age = 50, p.sex = Sex::male;
  p.answers = {{0, 1, 1, false, 0, 0, ""}, {2, 1, 1, false, 0, 0, ""}};
  Presentation q = p;
  for (double weeks : {1.0, 5.0, 30.0}) p.later.push_back(visit(weeks)), q.later.push_back(visit(weeks, q.answers));
  EXPECT_TRUE(difference(filter.posterior(p), filter.posterior(q)).within(1e-12));
}

TEST(Visits, TwoVisitsOnOneDayAreOneVisitWithBothFacts) {
  Presentation apart = woman(), together = woman();
  apart.answers = {said("night_pain", true), {model().finding("crp"), 0, 0, true, 5, kInfinity, ""}};
  apart.later = {visit(0, {said("weakness", true), value("crp", 60)}), visit(5, {said("fever", false)}),
                 visit(5, {said("weight_loss", true), said("night_pain", true)})};
  together.answers = {said("night_pain", true), said("weakness", true), value("crp", 60)};
  together.later = {visit(5, {said("weight_loss", true), said("night_pain", true), said("fever", false)})};
  EXPECT_TRUE(difference(engine().posterior(apart), engine().posterior(together)).within(1e-12));
  apart.later[2].answers.push_back(said("fever", true));
  EXPECT_FALSE(engine().posterior(apart).possible);
}

TEST(Visits, OrderIsKept) {
  Presentation p = woman();
  p.later = {visit(5), visit(3)};
  EXPECT_THROW(engine().posterior(p), std::invalid_argument);
  p.later = {visit(-1)};
  EXPECT_THROW(engine().posterior(p), std::invalid_argument);
  p.later = {visit(std::nan(""))};
  EXPECT_THROW(engine().posterior(p), std::invalid_argument);
  p.later = {visit(2), visit(5)};
  p.later[0].recovered = true;
  EXPECT_FALSE(engine().posterior(p).possible);  // pain after recovery is another pain
}

TEST(Visits, ProbabilitiesAreProbabilities) {
  int possible = 0;
  for (int i = 0; i < test::share_of(60); ++i) {
    const Presentation p = random_visits(model(), 31 + static_cast<std::uint64_t>(i), 4, 12);
    const Posterior x = engine().posterior(p);
    if (!x.possible) continue;
    ++possible;
    double causes = 0, levels = 0, stages = 0;
    for (double q : x.causes) causes += q;
    for (double q : x.levels) levels += q;
    for (const auto& v : x.stages)
      for (double q : v) stages += q;
    EXPECT_NEAR(causes, 1, 1e-12);
    EXPECT_NEAR(levels, 1, 1e-12);
    EXPECT_NEAR(stages, p.later.back().recovered ? 0 : 1, 1e-12);
    std::vector<double> all = {x.tumour, x.malignant, x.emergency};
    for (const auto* v : {&x.causes, &x.mechanisms, &x.levels}) all.insert(all.end(), v->begin(), v->end());
    all.insert(all.end(), x.compression.begin(), x.compression.end());
    for (double q : all) EXPECT_TRUE(q >= 0 && q <= 1 + 1e-12) << told(model(), p);
    EXPECT_LE(x.malignant, x.tumour + 1e-12);
    for (std::size_t w = 1; w < x.compression.size(); ++w) EXPECT_GE(x.compression[w], x.compression[w - 1] - 1e-12);
  }
  EXPECT_GT(possible, 20 * test::share_of(60) / 60);
}

// Over the answers of a finding at the last visit the probabilities sum to 1 and average to what is believed now.
TEST(Visits, WhatIsAskedNextIsSummedOut) {
  Presentation p = woman();
  p.answers = {said("night_pain", true), said("weakness", false), said("fever", false)};
  p.later = {visit(4, {said("night_pain", true)}), visit(6)};
  const Posterior now = engine().posterior(p);
  int again = 0;
  for (const Prospect& x : engine().prospects(p)) {
    double all = 0, tumour = 0, emergency = 0;
    for (std::size_t g = 0; g < x.grades.size(); ++g)
      all += x.grades[g].probability, tumour += x.grades[g].probability * x.grades[g].tumour,
          emergency += x.grades[g].probability * x.grades[g].emergency;
    EXPECT_NEAR(all, 1, 1e-10) << model().findings[x.finding].id;
    EXPECT_NEAR(tumour, now.tumour, 1e-10);
    EXPECT_NEAR(emergency, now.emergency, 1e-10);
    for (const Answer& a : p.answers) again += a.finding == x.finding;
    const ModelFinding& f = model().findings[x.finding];
    if (f.shape != Shape::discrete || x.finding % 9) continue;
    Presentation q = p;
    q.later.back().answers = {{x.finding, 1, 1, false, 0, 0, ""}};
    const Posterior then = engine().posterior(q);
    EXPECT_NEAR(x.grades[1].probability, std::exp(then.log_evidence - now.log_evidence), 1e-10);
    EXPECT_NEAR(x.grades[1].tumour, then.tumour, 1e-9);
  }
  EXPECT_EQ(again, 3);  // what was asked weeks ago may be asked again
}

TEST(Visits, NewWeaknessRaisesCompressionAndRecoveryLowersTumour) {
  Presentation p = woman();
  p.answers = {said("history_breast", true), said("night_pain", true), said("weakness", false)};
  p.later = {visit(4), visit(6)};
  const Posterior before = engine().posterior(p);
  p.later.back().answers = {said("weakness", true)};
  const Posterior weak = engine().posterior(p);
  EXPECT_GT(weak.compression[0], 3 * before.compression[0]);
  EXPECT_GT(weak.emergency, before.emergency);

  Presentation still = woman();
  still.later = {visit(6)};
  Presentation gone = still;
  gone.later[0].recovered = true;
  EXPECT_LT(engine().posterior(gone).tumour, 0.5 * engine().posterior(woman()).tumour);
  EXPECT_GT(engine().posterior(still).tumour, engine().posterior(woman()).tumour);
  for (double w : engine().posterior(gone).compression) EXPECT_EQ(w, 0);
  EXPECT_TRUE(engine().prospects(gone).empty());
}

TEST(Visits, TheTrajectoryIsThePosteriorAtEachVisit) {
  Presentation p = woman();
  p.answers = {said("night_pain", true)};
  p.later = {visit(3, {said("weight_loss", true)}), visit(7, {said("weakness", true)})};
  const std::vector<Posterior> all = trajectory(engine(), p);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_TRUE(difference(all[2], engine().posterior(p)).within(0));
  p.later.pop_back();
  EXPECT_TRUE(difference(all[1], engine().posterior(p)).within(0));
  p.later.clear();
  EXPECT_TRUE(difference(all[0], engine().posterior(p)).within(0));
}

TEST(Visits, RulesSeeTheLatestAnswerAndWhatWasFoundBefore) {
  Presentation p = woman();
  p.answers = {said("night_pain", true), said("weakness", false)};
  p.later = {visit(4, {said("weakness", true)}), visit(6, {said("fever", false)})};
  const Presentation all = at_last_visit(p);
  EXPECT_TRUE(all.later.empty());
  EXPECT_TRUE(all.answer(model().finding("night_pain"))->present());
  EXPECT_TRUE(all.answer(model().finding("weakness"))->present());
  EXPECT_TRUE(all.answer(model().finding("fever"))->absent());
  EXPECT_EQ((*all.weeks)[0], 9);
}

// A complaint that comes anew for reasons of its own is possible only if proneness may change.
TEST(Visits, WithoutRenewalAChangeForcesAChangeOfStage) {
  const VisitFilter steady(model(), kInfinity), renewed(model(), 104);
  Presentation p = woman();
  p.answers = {said("pulsatile_abdominal_mass", false)};
  p.later = {visit(4, {said("pulsatile_abdominal_mass", true)})};
  EXPECT_FALSE(steady.posterior(p).possible);
  EXPECT_TRUE(renewed.posterior(p).possible);
  p.answers = {said("fever", true)};
  p.later = {visit(4, {said("fever", false)})};
  EXPECT_LT(renewed.posterior(p).tumour, 0.1);
}

// Forty answers at each of six visits: no underflow, and the paths stay few.
TEST(Visits, SixVisitsWithManyAnswers) {
  const std::size_t stride = test::share_of(100) < 100 ? 12 : 4;
  Presentation p = woman();
  for (int i = 0; i < 5; ++i) {
    Visit v = visit(1.5 * (i + 1));
    for (std::size_t f = 0; f < model().findings.size(); ++f)
      if (model().findings[f].shape == Shape::discrete && f % stride == 0)
        v.answers.push_back({static_cast<int>(f), 1, 1, false, 0, 0, ""});
    p.later.push_back(v);
  }
  const Posterior x = engine().posterior(p);
  EXPECT_TRUE(x.possible);
  EXPECT_TRUE(std::isfinite(x.log_evidence));
}

}  // namespace
}  // namespace dorsalgia
