// Two causes, worked with pencil and paper; every engine must give these numbers.
//
// The model. In a year 10 of 1,000 people who come have a tumour, 990 a strain, whatever their age and sex.
//   tumour  level T (cord) or L (cauda), half each. Begins with pain (0.75) or with pressure (0.25); pain turns to
//           pressure at 0.1 a week; people come at 0.1 a week with pain, at 0.5 with pressure. Nobody recovers.
//           Of those in pain half come as they are, half go on to pressure: pain 0.375, pressure 0.25 + 0.375 = 0.625.
//           Pressure is real on the cord only: emergency 0.625 x 0.5 = 0.3125.
//   strain  level L, one stage, comes at 0.2 a week, recovers unseen at 0.2: those who come do so at exp(-0.4 t) 0.4.
// Night pain: leak 0.1, tumour pain 0.5, strain 0.2.
//   tumour 1 - 0.9 x 0.5 = 0.55;  strain 1 - 0.9 x 0.8 = 0.28
// Weak legs (none, some, severe): leak 0.02 at least some, 0.01 severe; pressure on the cord 0.6 and 0.3.
//   with pressure: at least some 1 - 0.98 x 0.4 = 0.608, severe 1 - 0.99 x 0.7 = 0.307; without: 0.02, 0.01
// Pain at T is felt in the chest 0.8, low back 0.2; at L 0.1 and 0.9.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "inference/exact.h"
#include "support/tiny_model.h"

namespace dorsalgia {
namespace {

using test::everybody;

enum { tumour, strain };
enum { esr, history, night_pain, weak_legs };
enum { chest, low_back };

Model two_causes() {
  enum { bone, muscle, cord };
  Model m;
  m.mechanisms = {
      {"bone", {true, true, true, true}}, {"muscle", {true, true, true, true}}, {"cord_compression", {true, true, false, false}}};
  m.cord_compression = cord;
  m.segments = {"T6", "T7"};
  m.locations = {"chest", "low back"};
  m.settings = {"gp", "emergency"};
  m.setting_shares = {0.9, 0.1};
  m.sensory_level_offset = {{0, 1.0}};
  m.people = everybody(1.0 / 16);
  m.background_share = 0, m.background_log_median = std::log(100), m.background_log_spread = 1;
  m.levels = {{"T", Canal::cord, 0, 0, {}, {0.8, 0.2}}, {"L", Canal::cauda, -1, -1, {}, {0.1, 0.9}}};
  m.causes.resize(2);
  m.causes[tumour] = {"tumour", "metastasis", Behaviour::malignant, false, 0, 1, everybody(10), {1, 11}, {0.5, 0.5}, {0, 0}, -1, 0, {}};
  m.causes[tumour].context = {{history, true, 0.4, {0.25, 0.25, 0.25, 0.25}}};
  m.causes[strain] = {"strain", "nonspecific", Behaviour::none, false, 1, 1, everybody(990), {1, 1}, {0, 1}, {0, 0}, -1, 0, {}};
  m.courses.resize(2);
  m.courses[0].stages = {{"pain", 1u << bone, 0.75, 0.1}, {"pressure", (1u << bone) | (1u << cord), 0.25, 0.5}};
  m.courses[0].generator.fill({-0.1, 0.1, 0, 0});
  m.courses[1].stages = {{"strain", 1u << muscle, 1, 0.2}};
  m.courses[1].generator.fill({-0.2});

  const double inf = std::numeric_limits<double>::infinity();
  m.findings.resize(4);
  m.findings[esr].id = "esr", m.findings[esr].shape = Shape::measured, m.findings[esr].grades = 3, m.findings[esr].log_scale = true;
  m.findings[esr].possible_low = 1, m.findings[esr].possible_high = std::exp(5);
  m.findings[esr].centre = everybody(10), m.findings[esr].spread = 0.5;
  m.findings[esr].reference_low = {-inf, -inf}, m.findings[esr].reference_high = {20, 20};
  m.findings[esr].shifts = {{true, tumour, std::log(3), 0}};
  m.findings[history].id = "history", m.findings[history].shape = Shape::history, m.findings[history].grades = kHistoryBins;
  m.findings[history].prevalence = everybody(0.02), m.findings[history].years = {0.1, 0.25, 0.25, 0.4};
  m.findings[night_pain].id = "night_pain", m.findings[night_pain].leak = {everybody(0.1)};
  m.findings[night_pain].links = {{Parent::mechanism, bone, -1, {0.5}}, {Parent::mechanism, muscle, -1, {0.2}}};
  m.findings[weak_legs].id = "weak_legs", m.findings[weak_legs].grades = 3;
  m.findings[weak_legs].leak = {everybody(0.02), everybody(0.01)};
  m.findings[weak_legs].links = {{Parent::mechanism, cord, -1, {0.6, 0.3}}};
  return m;
}

class HandWorked : public testing::TestWithParam<const char*> {
 protected:
  HandWorked() : model_(two_causes()), exact_(model_), oracle_(model_) { p_.age = 50, p_.sex = Sex::female, p_.setting = 0; }
  Posterior now() const { return std::string(GetParam()) == "exact" ? exact_.posterior(p_) : oracle_.posterior(p_); }
  void answer(int finding, int low, int high) { p_.answers.push_back({finding, low, high, false, 0, 0, ""}); }

  Model model_;
  ExactEngine exact_;
  Oracle oracle_;
  Presentation p_;
};

constexpr double kTiny = 1e-13;

TEST_P(HandWorked, NothingAnswered) {
  const Posterior x = now();
  EXPECT_NEAR(x.tumour, 0.01, kTiny);
  EXPECT_NEAR(x.malignant, 0.01, kTiny);
  EXPECT_NEAR(x.stages[tumour][0], 0.00375, kTiny);
  EXPECT_NEAR(x.stages[tumour][1], 0.00625, kTiny);
  EXPECT_NEAR(x.emergency, 0.003125, kTiny);
  EXPECT_NEAR(x.mechanisms[2], 0.003125, kTiny);
  EXPECT_NEAR(x.mechanisms[1], 0.99, kTiny);
  EXPECT_NEAR(x.levels[0], 0.005, kTiny);
  EXPECT_NEAR(x.log_evidence, 0, kTiny);
  // In four weeks 1 - exp(-0.4) of those in pain at T have gone on.
  EXPECT_NEAR(x.compression[2], 0.01 * 0.5 * (0.625 + 0.375 * (1 - std::exp(-0.4))), kTiny);
}

TEST_P(HandWorked, NightPain) {
  answer(night_pain, 1, 1);
  // 0.01 x 0.55 = 0.0055 against 0.99 x 0.28 = 0.2772
  EXPECT_NEAR(now().tumour, 0.0055 / 0.2827, kTiny);
  EXPECT_NEAR(now().log_evidence, std::log(0.2827), kTiny);
}

TEST_P(HandWorked, NoNightPain) {
  answer(night_pain, 0, 0);
  // 0.01 x 0.45 = 0.0045 against 0.99 x 0.72 = 0.7128
  EXPECT_NEAR(now().tumour, 0.0045 / 0.7173, kTiny);
}

TEST_P(HandWorked, NightPainFeltInTheChest) {
  answer(night_pain, 1, 1);
  p_.locations = {chest};
  // tumour 0.0055 x (0.5 x 0.8 + 0.5 x 0.1) = 0.0055 x 0.45 = 0.002475; strain 0.2772 x 0.1 = 0.02772; together 0.030195
  const Posterior x = now();
  EXPECT_NEAR(x.tumour, 0.002475 / 0.030195, kTiny);
  EXPECT_NEAR(x.levels[0], 0.0022 / 0.030195, kTiny);          // 0.0055 x 0.5 x 0.8
  EXPECT_NEAR(x.emergency, 0.0022 * 0.625 / 0.030195, kTiny);  // of those at T, 0.625 come with pressure
  EXPECT_NEAR(x.compression[2], 0.0022 / 0.030195 * (0.625 + 0.375 * (1 - std::exp(-0.4))), kTiny);
}

TEST_P(HandWorked, LegsSomewhatWeak) {
  answer(weak_legs, 1, 1);
  // with pressure 0.608 - 0.307 = 0.301, without 0.01: tumour 0.3125 x 0.301 + 0.6875 x 0.01 = 0.1009375
  const double sum = 0.01 * 0.1009375 + 0.99 * 0.01;
  EXPECT_NEAR(now().tumour, 0.001009375 / sum, kTiny);
  EXPECT_NEAR(now().emergency, 0.003125 * 0.301 / sum, kTiny);
}

TEST_P(HandWorked, LegsAtLeastSomewhatWeak) {
  answer(weak_legs, 1, 2);
  // 0.608 with pressure, 0.02 without
  EXPECT_NEAR(now().emergency, 0.003125 * 0.608 / (0.003125 * 0.608 + 0.996875 * 0.02), kTiny);
}

TEST_P(HandWorked, FiveWeeks) {
  p_.weeks = {5, 5};
  // In pain at t: 0.75 exp(-0.2 t). With pressure: 0.25 exp(-0.5 t) + 0.75 x 0.1 (exp(-0.2 t) - exp(-0.5 t)) / 0.3.
  const double e1 = std::exp(-1), e25 = std::exp(-2.5), e2 = std::exp(-2);
  const double pain = 0.1 * 0.75 * e1, pressure = 0.5 * (0.25 * e25 + 0.25 * (e1 - e25)), other = 0.4 * e2;
  const double sum = 0.01 * (pain + pressure) + 0.99 * other;
  EXPECT_NEAR(now().tumour, 0.01 * (pain + pressure) / sum, kTiny);
  EXPECT_NEAR(now().stages[tumour][1], 0.01 * pressure / sum, kTiny);
  EXPECT_NEAR(now().log_evidence, std::log(sum), kTiny);
}

TEST_P(HandWorked, MoreThanFiveWeeks) {
  p_.weeks = {5, std::numeric_limits<double>::infinity()};
  // The same integrated: 0.1 x 0.75 exp(-1) / 0.2 in pain. With pressure 0.5 x 0.25 exp(-0.2 t) (the terms in exp(-0.5 t)
  // cancel), so 0.125 exp(-1) / 0.2. Strain exp(-2).
  const double sum = 0.01 * (0.375 + 0.625) * std::exp(-1) + 0.99 * std::exp(-2);
  EXPECT_NEAR(now().tumour, 0.01 * std::exp(-1) / sum, kTiny);
}

TEST_P(HandWorked, BreastCancerTwoYearsAgo) {
  answer(history, 2, 2);
  // tumour 0.4 x 0.25 = 0.1; strain 0.02 x 0.25 = 0.005
  EXPECT_NEAR(now().tumour, 0.001 / (0.001 + 0.99 * 0.005), kTiny);
}

TEST_P(HandWorked, Esr30) {
  p_.answers.push_back({esr, 0, 0, true, 30, 30, ""});
  // On the log scale: tumour mean ln 30, z = 0; strain mean ln 10, z = ln 3 / 0.5. Two in a hundred values follow no
  // disease, evenly from ln 1 to 5.
  const double z = std::log(3) / 0.5, density = 1 / (0.5 * std::sqrt(2 * M_PI));
  const double t = 0.98 * density + 0.02 / 5, s = 0.98 * density * std::exp(-z * z / 2) + 0.02 / 5;
  EXPECT_NEAR(now().tumour, 0.01 * t / (0.01 * t + 0.99 * s), kTiny);
}

TEST_P(HandWorked, EsrRaised) {
  p_.answers.push_back({esr, 0, 0, true, 20, std::numeric_limits<double>::infinity(), ""});
  // tumour P(Z > ln(20/30) / 0.5), strain P(Z > ln 2 / 0.5); evenly: (5 - ln 20) / 5
  const double t = 0.98 * 0.5 * std::erfc(std::log(2.0 / 3) / 0.5 / std::sqrt(2)) + 0.02 * (5 - std::log(20)) / 5;
  const double s = 0.98 * 0.5 * std::erfc(std::log(2) / 0.5 / std::sqrt(2)) + 0.02 * (5 - std::log(20)) / 5;
  EXPECT_NEAR(now().tumour, 0.01 * t / (0.01 * t + 0.99 * s), kTiny);
}

TEST_P(HandWorked, EmergencyDepartment) {
  p_.setting = 1;
  // a tumour is eleven times as likely to be seen there: 110 : 990
  EXPECT_NEAR(now().tumour, 0.1, kTiny);
  p_.setting = -1;
  EXPECT_NEAR(now().tumour, 0.9 * 0.01 + 0.1 * 0.1, kTiny);
}

TEST_P(HandWorked, SensoryLevel) {
  p_.sensory_segment = 0;
  // Without pressure on the cord 1/2 of two segments; with it (T lies at segment 0) 0.9 + 0.1 / 2 = 0.95.
  EXPECT_NEAR(now().emergency, 0.003125 * 0.95 / (0.003125 * 0.95 + 0.996875 * 0.5), kTiny);
}

TEST_P(HandWorked, NightPainOrWeakLegs) {
  p_.any_of.push_back({{{night_pain, 1, 1, false, 0, 0, ""}, {weak_legs, 2, 2, false, 0, 0, ""}}, ""});
  // neither: tumour with pressure 0.45 x 0.693, without 0.45 x 0.99; strain 0.72 x 0.99
  const double t = 0.3125 * (1 - 0.45 * 0.693) + 0.6875 * (1 - 0.45 * 0.99), s = 1 - 0.72 * 0.99;
  EXPECT_NEAR(now().tumour, 0.01 * t / (0.01 * t + 0.99 * s), kTiny);
  // and once it is known that there is no night pain, the legs are severely weak
  answer(night_pain, 0, 0);
  EXPECT_NEAR(now().emergency, 0.003125 * 0.45 * 0.307 / (0.01 * 0.45 * (0.3125 * 0.307 + 0.6875 * 0.01) + 0.99 * 0.72 * 0.01), kTiny);
}

TEST_P(HandWorked, TwoAnyOfsThatShareNightPain) {
  const Answer night{night_pain, 1, 1, false, 0, 0, ""}, legs{weak_legs, 2, 2, false, 0, 0, ""}, cancer{history, 1, 4, false, 0, 0, ""};
  p_.any_of = {{{night, legs}, ""}, {{night, cancer}, ""}};
  // night pain, or else both of the others: tumour 0.55 + 0.45 x 0.4 x (0.3125 x 0.307 + 0.6875 x 0.01)
  const double t = 0.55 + 0.45 * 0.4 * (0.3125 * 0.307 + 0.6875 * 0.01), s = 0.28 + 0.72 * 0.02 * 0.01;
  EXPECT_NEAR(now().tumour, 0.01 * t / (0.01 * t + 0.99 * s), kTiny);
}

// The same with a value that two ranges cut in three: below 20, 20 to 30, above 30.
TEST_P(HandWorked, TwoAnyOfsThatShareAValue) {
  const double inf = std::numeric_limits<double>::infinity();
  const Answer above20{esr, 0, 0, true, 20, inf, ""}, below30{esr, 0, 0, true, -inf, 30, ""}, night{night_pain, 1, 1, false, 0, 0, ""};
  p_.any_of = {{{above20, night}, ""}, {{below30, night}, ""}};
  // 20 to 30, or else night pain
  auto either = [](double mean, double night_p) {
    const double z20 = (std::log(20) - mean) / 0.5, z30 = (std::log(30) - mean) / 0.5;
    const double between = 0.98 * 0.5 * (std::erfc(z20 / std::sqrt(2)) - std::erfc(z30 / std::sqrt(2))) + 0.02 * std::log(1.5) / 5;
    return between + (1 - between) * night_p;
  };
  const double t = either(std::log(30), 0.55), s = either(std::log(10), 0.28);
  EXPECT_NEAR(now().tumour, 0.01 * t / (0.01 * t + 0.99 * s), kTiny);
}

INSTANTIATE_TEST_SUITE_P(Engines, HandWorked, testing::Values("oracle", "exact"), [](const auto& p) { return std::string(p.param); });

}  // namespace
}  // namespace dorsalgia
