// Simulation-based calibration of the whole: what the engine states comes true as often as it states, for people drawn
// from the same tables. And the check can fail: any kind of table that the simulator reads a fifth off is noticed.
#include "evidence/self_consistency.h"

#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <thread>

#include "support/random_person.h"

namespace dorsalgia {
namespace {

constexpr double kAlarm = 0.001;

const Model& model() {
  static const Model m = compile(builtin_knowledge());
  return m;
}
const ExactEngine& engine() {
  static const ExactEngine e(model());
  return e;
}

// Every cause equally often in this setting, as far as it comes there at all.
CauseWeights all_alike(const Model& m, int setting) {
  CauseWeights out;
  for (const ModelCause& c : m.causes) {
    double rate = 0;
    for (int sex = 0; sex < 2; ++sex)
      for (int b = 0; b < kAgeBands; ++b) rate += m.people[sex][b] * c.rate[sex][b] * c.settings[setting];
    out.push_back(rate > 0 ? 1 / rate : 0);
  }
  return out;
}

std::vector<Check> checks_of(const People& people, const CauseWeights& weights, const Asking& asking, int count) {
  const std::uint64_t half = static_cast<std::uint64_t>(count) / 2;
  Calibration first(model());
  std::thread other([&] { first = self_consistency(engine(), people, weights, asking, 0, half); });
  Calibration all = self_consistency(engine(), people, weights, asking, half, static_cast<std::uint64_t>(count) - half);
  other.join();
  all.add(first);
  return all.checks();
}

std::string told(const std::vector<Check>& checks) {
  std::ostringstream out;
  for (const Check& c : checks) {
    out << c.name << ": " << c.statistic << " / " << c.freedom << ", p " << c.p << (c.worst.empty() ? "" : " (" + c.worst + ")") << "\n";
    if (c.p < kAlarm && c.name.rfind("each", 0) != 0)
      for (const Tally& t : c.bins)
        out << "    " << t.people << " stated " << t.stated << " observed " << t.observed << " z " << t.z() << "\n";
  }
  return out.str();
}

TEST(SelfConsistency, WhatIsStatedComesTrueAtBaseRates) {
  Cohort cohort;
  cohort.later = {12};  // for the forecast
  const auto checks = checks_of(People(model(), 20260101, cohort), {}, Asking{}, test::share_of(200000));
  for (const Check& c : checks) EXPECT_GT(c.p, kAlarm) << c.name;
  std::cout << told(checks);
}

TEST(SelfConsistency, WhatIsStatedComesTrueWhenEveryCauseIsAlikeOften) {
  Cohort cohort;
  cohort.setting = 1;
  cohort.causes = all_alike(model(), 1);
  cohort.later = {12};
  Asking asking;
  asking.setting_may_be_unknown = false;
  const auto checks = checks_of(People(model(), 7, cohort), cohort.causes, asking, test::share_of(40000));
  for (const Check& c : checks) EXPECT_GT(c.p, kAlarm) << c.name;
  std::cout << told(checks);
}

}  // namespace
}  // namespace dorsalgia
