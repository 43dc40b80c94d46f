// Discrimination, calibration and net benefit against plain counts, known lines and sums by hand.
#include "evidence/discrimination.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace dorsalgia {
namespace {

using People = std::vector<Prediction>;

// Scores of few values, so that ties are common; the outcome likelier with a higher score.
People people_with_ties(unsigned seed, int n, bool weights) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> ten(0, 9), three(1, 3);
  std::uniform_real_distribution<double> even(0, 1);
  People out;
  for (int i = 0; i < n; ++i) {
    const double p = ten(random) / 10.0;
    out.push_back({p, even(random) < 0.1 + 0.7 * p, weights ? static_cast<double>(three(random)) : 1});
  }
  return out;
}

// Everybody as often as the weight says.
People repeated(const People& people) {
  People out;
  for (const Prediction& p : people)
    for (int i = 0; i < static_cast<int>(p.weight); ++i) out.push_back({p.predicted, p.truth, 1});
  return out;
}

double area_by_pairs(const People& people) {
  double wins = 0, pairs = 0;
  for (const Prediction& a : people)
    for (const Prediction& b : people) {
      if (!a.truth || b.truth) continue;
      pairs += a.weight * b.weight;
      wins += a.weight * b.weight * (a.predicted > b.predicted ? 1 : a.predicted == b.predicted ? 0.5 : 0);
    }
  return wins / pairs;
}

// log odds of the truth = intercept + slope * log odds predicted.
People on_a_line(double intercept, double slope, int n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(-1.5, 1.5);
  std::uniform_real_distribution<double> even(0, 1);
  People out;
  for (int i = 0; i < n; ++i) {
    const double x = normal(random);
    out.push_back({1 / (1 + std::exp(-x)), even(random) < 1 / (1 + std::exp(-intercept - slope * x)), 1});
  }
  return out;
}

TEST(Discrimination, AreaIsTheShareOfPairsRankedRight) {
  for (unsigned seed = 1; seed <= 30; ++seed) {
    const People people = people_with_ties(seed, 60, seed % 2 == 0);
    const auto got = auroc(people);
    ASSERT_TRUE(got);
    EXPECT_NEAR(got->value, area_by_pairs(people), 1e-12) << seed;
    EXPECT_LT(got->low, got->value);
    EXPECT_GT(got->high, got->value);
  }
}

TEST(Discrimination, AreaByHand) {
  // Pairs: 0.8 beats both; 0.4 ties with 0.4 and beats 0.1.
  EXPECT_DOUBLE_EQ(auroc({{0.8, true}, {0.4, true}, {0.4, false}, {0.1, false}})->value, 3.5 / 4);
  EXPECT_DOUBLE_EQ(auroc({{0.5, true}, {0.5, false}})->value, 0.5);
  EXPECT_DOUBLE_EQ(auroc({{0.9, true}, {0.1, false}})->value, 1);
  EXPECT_DOUBLE_EQ(auroc({{0.1, true}, {0.9, false}})->value, 0);
  EXPECT_TRUE(std::isnan(auroc({{0.9, true}, {0.1, false}})->low));  // too few to have an interval
  People apart;                                                      // no rank lost, many sums
  for (int i = 0; i < 1000; ++i) apart.push_back({i / 1000.0, i >= 977, 0.1});
  EXPECT_DOUBLE_EQ(auroc(apart)->value, 1);
  EXPECT_TRUE(std::isnan(auroc(apart)->low));
  EXPECT_FALSE(auroc({{0.5, true}, {0.6, true}}));
  EXPECT_FALSE(auroc({}));
}

// DeLong's variance written out as in the paper: sample variances of the placements.
TEST(Discrimination, IntervalIsDeLongs) {
  const People people = people_with_ties(5, 80, false);
  std::vector<double> of_yes, of_no;
  for (const Prediction& a : people) {
    double sum = 0, n = 0;
    for (const Prediction& b : people)
      if (a.truth != b.truth) {
        const double yes = a.truth ? a.predicted : b.predicted, no = a.truth ? b.predicted : a.predicted;
        sum += yes > no ? 1 : yes == no ? 0.5 : 0, ++n;
      }
    (a.truth ? of_yes : of_no).push_back(sum / n);
  }
  const auto variance_of_mean = [](const std::vector<double>& x) {
    double mean = 0, squares = 0;
    for (double v : x) mean += v / static_cast<double>(x.size());
    for (double v : x) squares += (v - mean) * (v - mean);
    return squares / static_cast<double>(x.size() - 1) / static_cast<double>(x.size());
  };
  const double sd = std::sqrt(variance_of_mean(of_yes) + variance_of_mean(of_no));
  const Estimate got = *auroc(people);
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  EXPECT_NEAR(logit(got.high) - logit(got.low), 2 * 1.959964 * sd / got.value / (1 - got.value), 1e-5);
}

TEST(Discrimination, IntervalOfTheAreaHoldsTheTruthNineteenTimesInTwenty) {
  const double truth = auroc(on_a_line(0.3, 0.8, 200000, 99))->value;
  int held = 0;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    const Estimate e = *auroc(on_a_line(0.3, 0.8, 200, seed));
    held += e.low <= truth && truth <= e.high;
  }
  EXPECT_GE(held, 364);  // 380 expected; 364 is 3.7 standard deviations less
  EXPECT_LE(held, 396);
}

TEST(Discrimination, WeightsCountAsRepetition) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    const People weighted = people_with_ties(seed, 200, true), plain = repeated(weighted);
    EXPECT_NEAR(auroc(weighted)->value, auroc(plain)->value, 1e-12);
    EXPECT_NEAR(brier(weighted).value, brier(plain).value, 1e-12);
    EXPECT_NEAR(brier(weighted).uninformed, brier(plain).uninformed, 1e-12);
    EXPECT_NEAR(calibration_line(weighted)->slope.value, calibration_line(plain)->slope.value, 1e-8);
    EXPECT_NEAR(calibration_line(weighted)->intercept.value, calibration_line(plain)->intercept.value, 1e-8);
    EXPECT_NEAR(calibration_line(weighted)->offset.value, calibration_line(plain)->offset.value, 1e-8);
    for (double t : {0.0, 0.05, 0.3, 0.5}) {
      EXPECT_NEAR(act_from(t, weighted).true_positive, act_from(t, plain).true_positive, 1e-12);
      EXPECT_NEAR(act_from(t, weighted).false_positive, act_from(t, plain).false_positive, 1e-12);
    }
    const auto a = calibration_by_tenths(weighted), b = calibration_by_tenths(plain);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_NEAR(a[i].share, b[i].share, 1e-12);
      EXPECT_NEAR(a[i].predicted, b[i].predicted, 1e-12);
      EXPECT_NEAR(a[i].observed, b[i].observed, 1e-12);
    }
  }
}

TEST(Discrimination, EnrichedCohortWithWeightsGivesTheSameAsAnUnenrichedOne) {
  const People all = on_a_line(-1, 1, 100000, 7);
  People enriched;
  int no = 0;
  for (const Prediction& p : all)
    if (p.truth || no++ % 10 == 0) enriched.push_back({p.predicted, p.truth, p.truth ? 1.0 : 10.0});
  EXPECT_NEAR(auroc(enriched)->value, auroc(all)->value, 0.01);
  EXPECT_NEAR(calibration_line(enriched)->slope.value, calibration_line(all)->slope.value, 0.05);
  EXPECT_NEAR(calibration_line(enriched)->intercept.value, calibration_line(all)->intercept.value, 0.1);
  EXPECT_GT(auroc(enriched)->high - auroc(enriched)->low, auroc(all)->high - auroc(all)->low);
}

TEST(Discrimination, CalibrationLineIsFoundAgain) {
  for (const auto& [intercept, slope] : {std::pair{0.0, 1.0}, {0.7, 0.6}, {-1.2, 1.4}, {0.0, 0.0}}) {
    const auto line = calibration_line(on_a_line(intercept, slope, 40000, 3));
    ASSERT_TRUE(line);
    EXPECT_NEAR(line->slope.value, slope, 0.06);
    EXPECT_NEAR(line->intercept.value, intercept, 0.1);
    EXPECT_LT(line->slope.low, slope);
    EXPECT_GT(line->slope.high, slope);
    EXPECT_LT(line->slope.high - line->slope.low, 0.12);
  }
  const auto shifted = calibration_line(on_a_line(0.7, 1, 40000, 4));
  EXPECT_NEAR(shifted->offset.value, 0.7, 0.06);
}

TEST(Discrimination, NoLineWhereNoneIsBest) {
  EXPECT_FALSE(calibration_line({{0.2, false}, {0.3, false}}));                            // nobody has it
  EXPECT_FALSE(calibration_line({{0.2, true}, {0.2, false}, {0.2, false}}));               // one prediction for all
  EXPECT_FALSE(calibration_line({{0.1, false}, {0.2, false}, {0.6, true}, {0.7, true}}));  // separated
  EXPECT_FALSE(calibration_line({{1e-7, false}, {1e-6, false}, {0.6, true}, {0.6, false}, {0.7, true}}));
  const auto at_the_ends = calibration_line({{0, false}, {1, true}, {0, true}, {1, false}, {1, true}, {0, false}});
  ASSERT_TRUE(at_the_ends);  // certain and wrong: kept finite
  EXPECT_TRUE(std::isfinite(at_the_ends->slope.value));
}

TEST(Discrimination, TenthsHoldEverybodyOnceAndKeepTiesTogether) {
  People people = on_a_line(0, 1, 1000, 1);
  auto groups = calibration_by_tenths(people);
  ASSERT_EQ(groups.size(), 10U);
  int n = 0;
  for (std::size_t i = 0; i < 10; ++i) {
    n += groups[i].people;
    EXPECT_EQ(groups[i].people, 100);
    EXPECT_NEAR(groups[i].share, 0.1, 1e-12);
    EXPECT_TRUE(i == 0 || groups[i].predicted > groups[i - 1].predicted);
    EXPECT_LE(groups[i].low, groups[i].observed);
    EXPECT_GE(groups[i].high, groups[i].observed);
  }
  EXPECT_EQ(n, 1000);
  groups = calibration_by_tenths({{0.1, false}, {0.1, true}, {0.1, false}, {0.9, true}});
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0].people, 3);
  EXPECT_EQ(groups[0].events, 1);
  EXPECT_DOUBLE_EQ(groups[1].observed, 1);
}

TEST(Discrimination, NetBenefitByHand) {
  // Ten people, two with the outcome; at 20% the rule acts on three: one right, two for nothing.
  People people = {{0.5, true}, {0.2, false}, {0.3, false}, {0.05, true}};
  for (int i = 0; i < 6; ++i) people.push_back({0.01, false});
  const Decisions d = act_from(0.2, people);
  EXPECT_DOUBLE_EQ(d.true_positive, 0.1);
  EXPECT_DOUBLE_EQ(d.false_positive, 0.2);
  EXPECT_DOUBLE_EQ(d.sensitivity(), 0.5);
  EXPECT_DOUBLE_EQ(d.specificity(), 0.75);
  EXPECT_NEAR(d.net_benefit(0.2), 0.1 - 0.2 * 0.25, 1e-15);
  EXPECT_NEAR(act_from(0, people).net_benefit(0.2), 0.2 - 0.8 * 0.25, 1e-15);  // all: 0, for the threshold is the share
  EXPECT_NEAR(act_from(0.9, people).net_benefit(0.2), 0, 1e-15);               // none
  const std::vector<bool> second_and_fourth = {false, true, false, true, false, false, false, false, false, false};
  EXPECT_NEAR(act_when(second_and_fourth, people).net_benefit(0.5), 0, 1e-15);
}

TEST(Discrimination, BrierByHand) {
  const Brier b = brier({{0.8, true, 1}, {0.4, false, 3}});
  EXPECT_NEAR(b.value, (0.04 + 3 * 0.16) / 4, 1e-15);
  EXPECT_NEAR(b.uninformed, 0.25 * 0.75, 1e-15);
}

// Well calibrated predictions are never worse than acting on all or none, whatever the threshold.
TEST(Discrimination, TruePredictionsAreWorthHaving) {
  const People people = on_a_line(0, 1, 20000, 11);
  for (double t : {0.01, 0.05, 0.1, 0.2, 0.4}) {
    EXPECT_GE(act_from(t, people).net_benefit(t), act_from(0, people).net_benefit(t) - 0.002);
    EXPECT_GE(act_from(t, people).net_benefit(t), -0.002);
  }
}

}  // namespace
}  // namespace dorsalgia
