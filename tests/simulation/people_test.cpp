// Virtual people are what the model says: the fast rows give the grades of the plain rule, courses have the times of
// course/chain.h, shares are as inference assumes them, and person i of a seed is always the same.
#include "simulation/people.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "course/chain.h"
#include "person/read.h"
#include "simulation/draws.h"
#include "simulation/lines.h"
#include "support/builtin.h"
#include "support/random_person.h"
#include "support/tiny_model.h"

namespace dorsalgia {
namespace {

using test::knowledge;
using test::model;

// |observed - expected| in standard deviations of a binomial count, and one more so that a rare event does not alarm.
double off(double observed, double n, double p) { return std::abs(observed - n * p) / std::sqrt(n * p * (1 - p) + 1); }

// The grade by the definition: the first for which U lies below P(at most it), with all bits of U; U is that of the last
// visit at which it was drawn.
int plain_grade(const Model& m, std::uint64_t seed, const VirtualPerson& p, std::size_t visit, const State& s, int f) {
  const auto at = static_cast<std::size_t>(f);
  std::size_t drawn = 0;
  for (std::size_t v = 1; v <= visit && m.findings[at].shape == Shape::discrete; ++v) {
    const double renewed = 1 - std::exp(-(p.visits[v].weeks - p.visits[v - 1].weeks) / kRenewalWeeks);
    if (unit(block(seed, p.index, Purpose::renewal, v, at / 4)[at % 4]) < renewed) drawn = v;
  }
  const Block bits = block(seed, p.index, Purpose::proneness, drawn, at / 16);
  const auto lane = static_cast<double>(bits[at % 16 / 4] >> (16 * (at % 4)) & 0xffffU);
  const double u = (lane + unit(block(seed, p.index, Purpose::finer, 0, at)[0])) / 65536;
  int g = 0;
  while (g < m.findings[at].grades - 1 && u >= graded(m, f, 0, g, s, p.sex, p.age)) ++g;
  return g;
}

void fast_is_plain(const Model& m, int people) {
  Cohort cohort;
  cohort.later = {2, 30};
  const People virtual_people(m, 5, cohort);
  VirtualPerson p;
  for (int i = 0; i < people; ++i) {
    virtual_people.draw(static_cast<std::uint64_t>(i), p);
    for (std::size_t v = 0; v < p.visits.size() && p.visits[v].stage >= 0; ++v) {
      const State s = p.state(v);
      EXPECT_EQ(s.active, active(m, s.cause, s.variant, s.stage, m.levels[s.level].canal));
      for (int f = 0; f < static_cast<int>(m.findings.size()); ++f) {
        if (m.findings[f].shape == Shape::measured) continue;
        ASSERT_EQ(p.visits[v].grades[f], plain_grade(m, 5, p, v, s, f)) << "person " << i << ", visit " << v << ", " << m.findings[f].id;
      }
    }
  }
}

TEST(People, EveryGradeIsThatOfThePlainRule) { fast_is_plain(model(), test::share_of(10000)); }
TEST(People, EveryGradeIsThatOfThePlainRuleInATinyModel) { fast_is_plain(test::tiny_model(), test::share_of(50000)); }

TEST(People, StagesAndTimesAreThoseOfTheChain) {
  const Model& m = model();
  const double inf = std::numeric_limits<double>::infinity();
  const int n = test::share_of(40000);
  for (const char* id : {"met_lung", "disc_herniation", "muscle_strain", "myeloma"}) {
    const int c = m.cause(id);
    Cohort cohort;
    cohort.causes.assign(m.causes.size(), 0);
    cohort.causes[static_cast<std::size_t>(c)] = 1;
    const People people(m, 3, cohort);
    const std::vector<double> borders = {0, 1, 3, 8, 20, 60, inf};
    std::map<std::pair<int, int>, double> seen;
    int background = 0;
    VirtualPerson p;
    for (int i = 0; i < n; ++i) {
      people.draw(static_cast<std::uint64_t>(i), p);
      ASSERT_EQ(p.cause, c);
      const auto bin = std::upper_bound(borders.begin(), borders.end(), p.weeks) - borders.begin() - 1;
      ++seen[{p.visits[0].stage, static_cast<int>(bin)}];
      background += p.stated_weeks != p.weeks;
      ASSERT_EQ(p.path.back().stage, p.visits[0].stage);
      ASSERT_EQ(p.path.front().weeks, 0);
    }
    for (std::size_t b = 0; b + 1 < borders.size(); ++b) {
      Eigen::VectorXd expected = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(m.courses[m.causes[c].course].stages.size()));
      for (std::size_t l = 0; l < m.levels.size(); ++l)
        if (m.causes[c].levels[l] > 0)
          expected +=
              m.causes[c].levels[l] *
              Chain(m.courses[m.causes[c].course], m.causes[c].tempo, m.levels[l].canal).within_by_matrix(borders[b], borders[b + 1]);
      for (int k = 0; k < static_cast<int>(expected.size()); ++k)
        EXPECT_LT(off(seen[{k, static_cast<int>(b)}], n, expected[k]), 5) << id << ", stage " << k << ", from week " << borders[b];
    }
    EXPECT_LT(off(background, n, m.background_share), 5);
  }
}

// Left to itself after the first visit: compared with the matrix exponential.
TEST(People, TheCourseGoesOnByTheGenerator) {
  const Model& m = model();
  const int c = m.cause("disc_herniation");
  Cohort cohort;
  cohort.causes.assign(m.causes.size(), 0);
  cohort.causes[static_cast<std::size_t>(c)] = 1;
  cohort.later = {2, 6};
  const People people(m, 3, cohort);
  const ModelCourse& course = m.courses[m.causes[c].course];
  const int n = static_cast<int>(course.stages.size()), many = test::share_of(40000);
  const Chain chain(course, m.causes[c].tempo, Canal::cord);  // discs do not fill the canal: everywhere the same
  std::vector<std::vector<double>> seen(static_cast<std::size_t>(n), std::vector<double>(static_cast<std::size_t>(n), 0.0));
  std::vector<double> from(static_cast<std::size_t>(n), 0.0);
  VirtualPerson p;
  for (int i = 0; i < many; ++i) {
    people.draw(static_cast<std::uint64_t>(i), p);
    for (const std::size_t v : {0U, 1U}) {
      if (p.visits[v].stage < 0) continue;
      const auto k = static_cast<std::size_t>(p.visits[v].stage);
      if (v == 1) {  // two to six weeks: passed through or in `target`
        ++from[k];
        for (std::size_t target = 0; target < static_cast<std::size_t>(n); ++target) {
          bool reached = false;
          for (std::size_t i2 = 0; i2 < p.path.size(); ++i2) {
            const bool before = i2 + 1 < p.path.size() && p.path[i2 + 1].weeks <= p.weeks + 2;
            if (!before && p.path[i2].weeks <= p.weeks + 6) reached = reached || p.path[i2].stage == static_cast<int>(target);
          }
          seen[k][target] += reached;
        }
      } else {
        EXPECT_GE(p.visits[1].weeks, 2);
      }
    }
  }
  for (int target = 0; target < n; ++target) {
    std::vector<bool> is(static_cast<std::size_t>(n), false);
    is[static_cast<std::size_t>(target)] = true;
    const Eigen::VectorXd expected = chain.reaches(is, 4);
    for (int k = 0; k < n; ++k)
      EXPECT_LT(off(seen[static_cast<std::size_t>(k)][static_cast<std::size_t>(target)], from[static_cast<std::size_t>(k)], expected[k]), 5)
          << course.stages[static_cast<std::size_t>(k)].id << " to " << course.stages[static_cast<std::size_t>(target)].id;
  }
}

// Weights of an enriched cohort count as in the population.
TEST(People, WeightsOfACohortCountAsInThePopulation) {
  const Model& m = model();
  Cohort tumours;
  for (std::size_t c = 0; c < m.causes.size(); ++c) tumours.causes.push_back(m.is_tumour(static_cast<int>(c)));
  const People everybody(m, 1), enriched(m, 2, tumours);
  const int many = test::share_of(1000000), few = test::share_of(100000);
  // Tumours by setting and age: natural counts, and weights.
  std::map<std::pair<int, int>, double> natural, weighted;
  VirtualPerson p;
  for (int i = 0; i < many; ++i) {
    everybody.draw(static_cast<std::uint64_t>(i), p);
    EXPECT_EQ(p.weight, 1);
    if (m.is_tumour(p.cause)) ++natural[{p.setting, p.age >= 60}];
  }
  for (int i = 0; i < few; ++i) {
    enriched.draw(static_cast<std::uint64_t>(i), p);
    ASSERT_TRUE(m.is_tumour(p.cause));
    EXPECT_NEAR(p.weight, enriched.share(p.setting), 1e-12);
    weighted[{p.setting, p.age >= 60}] += p.weight;
  }
  ASSERT_EQ(weighted.size(), 2 * m.settings.size());
  for (const auto& [key, w] : weighted) {
    const double expected = w / few * many;
    EXPECT_LT(std::abs(natural[key] - expected), 5 * std::sqrt(expected) + 0.02 * expected)
        << m.settings[static_cast<std::size_t>(key.first)] << (key.second ? ", 60 and older" : ", younger");
  }
}

TEST(People, ACauseThatDoesNotComeIsNobody) {
  Model m = test::tiny_model();
  m.causes[0].settings[1] = 0;
  Cohort cohort;
  cohort.setting = 1, cohort.causes = {1, 0, 0};
  EXPECT_THROW(People(m, 1, cohort), std::invalid_argument);
  // Where it comes to one setting of two, everybody is seen there, and weighs what that setting is of all.
  cohort.setting = -1;
  const People people(m, 1, cohort);
  VirtualPerson p;
  for (std::uint64_t i = 0; i < 100; ++i) {
    people.draw(i, p);
    EXPECT_EQ(p.setting, 0);
    EXPECT_NEAR(p.weight, m.setting_shares[0] * people.share(0), 1e-12);
  }
}

TEST(People, MeasuredValuesHaveTheBellAndStayWithThePerson) {
  const Model& m = model();
  Cohort cohort;
  cohort.later = {1};
  const People people(m, 4, cohort);
  const int n = test::share_of(40000);
  const double inf = std::numeric_limits<double>::infinity();
  std::map<int, std::array<double, 20>> ranks;  // of the first value among all that the state allows: uniform
  std::map<int, std::array<double, 4>> sums;    // n, z^2, strays, z z'
  VirtualPerson p;
  for (int i = 0; i < n; ++i) {
    people.draw(static_cast<std::uint64_t>(i), p);
    for (int f = 0; f < static_cast<int>(m.findings.size()); ++f) {
      const ModelFinding& finding = m.findings[f];
      if (finding.shape != Shape::measured || p.visits[1].stage < 0) continue;
      const auto now = bell(finding, p.state(0), p.sex, p.age), then = bell(finding, p.state(1), p.sex, p.age);
      const double z = (p.visits[0].values[f] - now.mean) / std::sqrt(now.variance);
      const double next = (p.visits[1].values[f] - then.mean) / std::sqrt(then.variance);
      const double below = measured(finding, -inf, in_unit(finding, p.visits[0].values[f]), p.state(0), p.sex, p.age);
      ++ranks[f][std::min<std::size_t>(19, static_cast<std::size_t>(20 * below))];
      auto& s = sums[f];
      ++s[0];
      if (std::abs(z) > 4 || std::abs(next) > 4) ++s[2];
      else s[1] += z * z, s[3] += z * next;
    }
  }
  ASSERT_FALSE(sums.empty());
  for (const auto& [f, s] : sums) {
    double chi_square = 0;
    for (double count : ranks[f]) chi_square += (count - s[0] / 20) * (count - s[0] / 20) / (s[0] / 20);
    EXPECT_LT(chi_square, 60) << m.findings[f].id;  // 19 degrees of freedom: once in 250,000
    EXPECT_NEAR(s[3] / s[1], kSteadiness, 0.06 + 4 / std::sqrt(s[0])) << m.findings[f].id;
    const double strays = 2 * kUnmodelled;  // at either of two visits
    EXPECT_LT(s[2] / s[0], 1.1 * strays + 5 * std::sqrt(strays / s[0])) << m.findings[f].id;
  }
}

TEST(People, TheSamePersonWhateverCameBefore) {
  const People people(model(), 9), again(model(), 9), other(model(), 10);
  VirtualPerson a, b, c;
  int differ = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    people.draw(i, a);
    again.draw(199 - i, b);
    again.draw(i, b);
    other.draw(i, c);
    ASSERT_EQ(a.age, b.age);
    ASSERT_EQ(a.cause, b.cause);
    ASSERT_EQ(a.weeks, b.weeks);
    ASSERT_EQ(a.visits[0].grades, b.visits[0].grades);
    ASSERT_EQ(a.visits[0].values, b.visits[0].values);
    differ += a.age != c.age;
  }
  EXPECT_GT(differ, 190);
}

// A record: unknown is not absent; what is there is written down more often; no result without the test.
TEST(People, ARecordHoldsAPart) {
  const Recording recording = compile_recording(knowledge(), model());
  ASSERT_FALSE(recording.kinds.empty());
  const Model& m = model();
  const People people(m, 1, {}, &recording), plain(m, 1);
  const int f = m.finding("night_pain");
  std::array<double, 2> written{}, all{};
  int scanned = 0, in_part = 0;
  VirtualPerson p, q;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(test::share_of(20000)); ++i) {
    people.draw(i, p);
    plain.draw(i, q);
    ASSERT_EQ(p.visits[0].grades, q.visits[0].grades);
    ++all[p.visits[0].grades[f]];
    written[p.visits[0].grades[f]] += p.visits[0].recorded[f];
    int mri = 0, of = 0;
    for (std::size_t k = 0; k < m.findings.size(); ++k)
      if (knowledge().findings[k].burden == "mri") ++of, mri += p.visits[0].recorded[k];
    scanned += mri > 0;
    in_part += mri >= 3;
    const Presentation told = presentation(m, p);
    for (const Answer& a : told.answers) ASSERT_TRUE(p.visits[0].recorded[a.finding]);
  }
  EXPECT_GT(written[1] / all[1], 2 * written[0] / all[0]);
  EXPECT_GT(in_part, scanned * 0.9);  // results of one scan come together
}

// Every line can be read as a person, says what was drawn, and has its truth beside it.
TEST(People, LinesAreReadBackAsThePerson) {
  const Model& m = model();
  const PersonLines lines(knowledge(), m);
  const Recording recording = compile_recording(knowledge(), m);
  const std::string head = lines.csv_head();
  const auto columns = std::count(head.begin(), head.end(), ',');
  for (const Recording* r : {static_cast<const Recording*>(nullptr), &recording}) {
    Cohort cohort;
    for (std::size_t c = 0; c < m.causes.size(); ++c) cohort.causes.push_back(c % 2 ? 1 : 50);
    const People people(m, 8, cohort, r);
    VirtualPerson p;
    std::string line, row;
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(test::share_of(2000)); ++i) {
      people.draw(i, p);
      line.clear(), row.clear();
      lines.json(p, line);
      lines.csv(p, row);
      ASSERT_EQ(std::count(row.begin(), row.end(), ','), columns);
      ASSERT_EQ(line.back(), '\n');
      const PersonRead read = read_person(line, knowledge(), m);
      ASSERT_TRUE(read.faults.empty()) << read.faults[0].text() << "\n" << line;
      const Presentation expected = presentation(m, p);
      ASSERT_EQ(read.person.answers.size(), expected.answers.size());
      for (std::size_t a = 0; a < expected.answers.size(); ++a) {
        const Answer& x = read.person.answers[a];
        const Answer& y = expected.answers[a];
        ASSERT_EQ(x.finding, y.finding);
        if (y.measured) {
          const ModelFinding& f = m.findings[y.finding];
          if (y.from >= f.possible_low && y.from <= f.possible_high) ASSERT_NEAR(x.from, y.from, 1e-3 * std::abs(y.from)) << line;
          else ASSERT_TRUE(x.from <= y.from && y.from <= x.to);
        } else {
          ASSERT_TRUE(x.low <= y.low && y.high <= x.high) << m.findings[y.finding].id;
          ASSERT_EQ(x.low == 0, y.low == 0);
        }
      }
      ASSERT_EQ(read.person.setting, p.setting);
      ASSERT_EQ(read.person.locations, expected.locations);
      ASSERT_EQ(read.person.sensory_segment, expected.sensory_segment);
      ASSERT_EQ(read.person.weeks.has_value(), expected.weeks.has_value());
      const auto truth = nlohmann::json::parse(line)["truth"];
      ASSERT_EQ(truth["cause"], m.causes[p.cause].id);
      ASSERT_EQ(truth["is_tumour"], m.is_tumour(p.cause));
      ASSERT_EQ(truth["stages"].size(), p.path.size());
    }
  }
}

}  // namespace
}  // namespace dorsalgia
