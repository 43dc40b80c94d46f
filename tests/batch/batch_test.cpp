// Every instruction set's lanes against the exact engine, row by row, on people drawn from the model with part of what is
// true of them in the table.
#include "batch/batch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <thread>

#include "pathway/pathway.h"
#include "simulation/people.h"
#include "support/builtin.h"
#include "support/fewer_causes.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::knowledge;
using test::model;

// People of the model, half of them with rare causes; `share` of their findings in the table, some things unknown.
PeopleTable table_of(int rows, std::uint64_t seed, double share, bool odd = true) {
  const Model& m = model();
  Cohort cohort;
  cohort.causes.assign(m.causes.size(), 1);
  for (std::size_t c = 0; c < m.causes.size(); ++c)
    if (m.is_tumour(static_cast<int>(c))) cohort.causes[c] = 100;
  const People people(m, seed, cohort);
  std::mt19937_64 random(seed);
  const auto chance = [&](double p) { return std::uniform_real_distribution<double>(0, 1)(random) < p; };
  PeopleTable t;
  t.rows = rows;
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    const auto n = static_cast<std::size_t>(rows);
    if (m.findings[f].shape == Shape::measured)
      t.measured.push_back({static_cast<int>(f), std::vector<double>(n, 0), std::vector<std::uint8_t>(n, 0)});
    else t.graded.push_back({static_cast<int>(f), std::vector<std::int8_t>(n, kUnknown)});
  }
  VirtualPerson person;
  for (int r = 0; r < rows; ++r) {
    people.draw(static_cast<std::uint64_t>(r), person);
    const VirtualVisit& visit = person.visits[0];
    t.age.push_back(odd && chance(0.02) ? -1 : person.age);
    t.sex.push_back(odd && chance(0.02) ? kUnknown : static_cast<std::int8_t>(person.sex));
    t.setting.push_back(chance(0.2) ? kUnknown : static_cast<std::int8_t>(person.setting));
    t.location.push_back(chance(0.3) ? kUnknown : static_cast<std::int8_t>(person.location));
    t.weeks.push_back(chance(0.2) ? -1 : person.stated_weeks);
    const double mine = chance(0.1) ? 1 : chance(0.1) ? 0 : share;
    for (auto& column : t.graded) {
      if (!chance(mine)) continue;
      const ModelFinding& f = m.findings[static_cast<std::size_t>(column.finding)];
      const auto grade = static_cast<std::int8_t>(visit.grades[static_cast<std::size_t>(column.finding)]);
      const bool vague = grade > 0 && chance(0.3) && (f.shape == Shape::history || f.grades > 2);
      column.grade[static_cast<std::size_t>(r)] = vague ? kPresentAny : grade;
    }
    for (auto& column : t.measured) {
      if (!chance(mine)) continue;
      column.known[static_cast<std::size_t>(r)] = 1;
      column.value[static_cast<std::size_t>(r)] =
          in_unit(m.findings[static_cast<std::size_t>(column.finding)], visit.values[static_cast<std::size_t>(column.finding)]);
    }
  }
  return t;
}

struct Worst {
  double relative = 0;
  std::string where;
  void meet(double got, double want, const std::string& what) {
    // As the batch engine promises: 1e-5 of the probability, or 1e-9.
    const double off = std::abs(got - want) / std::max(1e-4, want);
    if (off > relative) relative = off, where = what + ": " + std::to_string(got) + " for " + std::to_string(want);
    EXPECT_LE(std::abs(got - want), std::max(1e-9, 1e-5 * want)) << what;
  }
};

void compare(const PeopleTable& t, const BatchEngine& batch, const ExactEngine& exact = engine()) {
  const Model& m = batch.model();
  PosteriorTable out;
  batch.posterior(t, Wanted{}, out);
  const auto rows = static_cast<std::size_t>(t.rows);
  Worst worst;
  for (std::size_t r = 0; r < rows && !testing::Test::HasFailure(); ++r) {
    const Presentation person = person_of(t, m, static_cast<int>(r));
    const Posterior p = exact.posterior(person);
    const std::string row = "row " + std::to_string(r) + " ";
    ASSERT_EQ(out.possible[r] != 0, p.possible) << row;
    if (!p.possible) continue;
    worst.meet(static_cast<double>(out.tumour[r]), p.tumour, row + "tumour");
    worst.meet(static_cast<double>(out.malignant[r]), p.malignant, row + "malignant");
    worst.meet(static_cast<double>(out.emergency[r]), p.emergency, row + "emergency");
    std::size_t flat = 0;
    for (std::size_t c = 0; c < p.causes.size(); ++c) {
      worst.meet(static_cast<double>(out.causes[c * rows + r]), p.causes[c], row + m.causes[c].id);
      for (double x : p.stages[c]) worst.meet(static_cast<double>(out.stages[flat++ * rows + r]), x, row + m.causes[c].id + " stage");
    }
    for (std::size_t i = 0; i < p.mechanisms.size(); ++i)
      worst.meet(static_cast<double>(out.mechanisms[i * rows + r]), p.mechanisms[i], row + m.mechanisms[i].id);
    for (std::size_t i = 0; i < p.levels.size(); ++i)
      worst.meet(static_cast<double>(out.levels[i * rows + r]), p.levels[i], row + m.levels[i].id);
    for (std::size_t i = 0; i < p.compression.size(); ++i)
      worst.meet(static_cast<double>(out.compression[i * rows + r]), p.compression[i], row + "compression");
    const Triage its = triage(knowledge(), m, person, "uk", &p);
    // A probability on a threshold may fall to either side.
    bool on_threshold = false;
    for (const Threshold& x : knowledge().thresholds)
      for (double now : {p.malignant, p.tumour, p.emergency}) on_threshold = on_threshold || std::abs(now - x.at_least) < 1e-5;
    if (!on_threshold) {
      EXPECT_EQ(static_cast<int>(out.urgency[r]), static_cast<int>(its.urgency)) << row;
    }
  }
  std::cout << "furthest off: " << worst.relative << " " << worst.where << "\n";
}

class EveryTarget : public testing::TestWithParam<std::string> {};

TEST_P(EveryTarget, AgreesWithTheExactEngine) {
  const BatchEngine batch(knowledge(), model(), engine(), "uk", GetParam());
  compare(table_of(test::share_of(600), 1, 0.15), batch);
  compare(table_of(test::share_of(200), 2, 0.7), batch);
  compare(table_of(7, 3, 0.3), batch);
  compare(table_of(1, 4, 0.3), batch);
  compare(table_of(0, 5, 0.3), batch);
}

// From the first minute to the longest time that may be said.
TEST_P(EveryTarget, ServesEveryDuration) {
  PeopleTable t = table_of(200, 7, 0.1, false);
  for (std::size_t r = 0; r < t.weeks.size(); ++r) t.weeks[r] = r == 0 ? 0 : 1e-3 * std::pow(6.5e6, static_cast<double>(r) / 199);
  t.weeks.back() = 6500;
  compare(t, BatchEngine(knowledge(), model(), engine(), "uk", GetParam()));
}

// Columns in which nobody says anything, and values that only a later block has.
TEST_P(EveryTarget, ServesColumnsThatAreEmpty) {
  const BatchEngine batch(knowledge(), model(), engine(), "uk", GetParam());
  PeopleTable t = table_of(70, 23, 0.3, false);
  for (std::size_t i = 0; i < t.graded.size(); i += 2) std::fill(t.graded[i].grade.begin(), t.graded[i].grade.end(), kUnknown);
  for (std::size_t i = 0; i < t.measured.size(); ++i)
    for (std::size_t r = 0; r < 70; ++r)
      if (i != 1 || r < 40) t.measured[i].known[r] = 0;
  compare(t, batch);
  std::fill(t.measured[1].known.begin(), t.measured[1].known.end(), std::uint8_t{0});
  for (auto& column : t.graded) std::fill(column.grade.begin(), column.grade.end(), kUnknown);
  compare(t, batch);
  t.graded.clear(), t.measured.clear();
  compare(t, batch);
}

// What is laid out side by side hangs on how many causes there are and what they share.
TEST_P(EveryTarget, ServesSmallerModels) {
  for (const std::size_t causes : {1, 5, 30}) {
    const Model fewer = test::with_causes(model(), causes);
    const ExactEngine exact(fewer);
    compare(table_of(60, 8 + causes, 0.2), BatchEngine(knowledge(), fewer, exact, "uk", GetParam()), exact);
  }
}

TEST_P(EveryTarget, ARowDoesNotHangOnItsNeighbours) {
  const PeopleTable all = table_of(100, 6, 0.2);
  const BatchEngine batch(knowledge(), model(), engine(), "uk", GetParam());
  PosteriorTable together, alone;
  batch.posterior(all, Wanted{}, together);
  for (std::size_t r = 0; r < 100; r += 7) {
    PeopleTable one;
    one.rows = 1;
    one.age = {all.age[r]}, one.sex = {all.sex[r]}, one.setting = {all.setting[r]}, one.location = {all.location[r]},
    one.weeks = {all.weeks[r]};
    for (const auto& c : all.graded) one.graded.push_back({c.finding, {c.grade[r]}});
    for (const auto& c : all.measured) one.measured.push_back({c.finding, {c.value[r]}, {c.known[r]}});
    batch.posterior(one, Wanted{}, alone);
    EXPECT_EQ(alone.tumour[0], together.tumour[r]) << r;
    for (std::size_t c = 0; c < model().causes.size(); ++c) ASSERT_EQ(alone.causes[c], together.causes[c * 100 + r]) << r;
    for (std::size_t c = 0; c < model().levels.size(); ++c) ASSERT_EQ(alone.levels[c], together.levels[c * 100 + r]) << r;
  }
}

// What works on chunks is kept from one to the next: nothing of those before may be left, whatever columns they had and was wanted.
TEST_P(EveryTarget, AChunkDoesNotHangOnThoseBefore) {
  const BatchEngine used(knowledge(), model(), engine(), "uk", GetParam()), fresh(knowledge(), model(), engine(), "uk", GetParam());
  PeopleTable with_fewer = table_of(7, 21, 0.3);
  for (std::size_t i = with_fewer.graded.size(); i-- > 0;)
    if (i % 3 != 0) with_fewer.graded.erase(with_fewer.graded.begin() + static_cast<std::ptrdiff_t>(i));
  with_fewer.measured.resize(2);
  PosteriorTable out, alone;
  Wanted causes;
  causes.stages = causes.mechanisms = causes.levels = causes.forecast = false;
  used.posterior(table_of(60, 20, 0.4), Wanted{}, out);
  used.posterior(table_of(60, 22, 0.9), causes, out);
  used.posterior(with_fewer, Wanted{}, out);
  fresh.posterior(with_fewer, Wanted{}, alone);
  EXPECT_EQ(out.causes, alone.causes);
  EXPECT_EQ(out.stages, alone.stages);
  EXPECT_EQ(out.levels, alone.levels);
  EXPECT_EQ(out.mechanisms, alone.mechanisms);
  EXPECT_EQ(out.compression, alone.compression);
  EXPECT_EQ(out.urgency, alone.urgency);
}

INSTANTIATE_TEST_SUITE_P(Batch, EveryTarget, testing::ValuesIn(BatchEngine::targets()), [](const auto& its) { return its.param; });

TEST(Batch, ThreadsChangeNothing) {
  const BatchEngine batch(knowledge(), model(), engine());
  std::vector<PeopleTable> chunks;
  for (std::uint64_t seed = 0; seed < 4; ++seed) chunks.push_back(table_of(60, 10 + seed, 0.2));
  std::vector<PosteriorTable> one(chunks.size()), many(chunks.size());
  for (std::size_t i = 0; i < chunks.size(); ++i) batch.posterior(chunks[i], Wanted{}, one[i]);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < chunks.size(); ++i)
    threads.emplace_back([&, i] {
      for (int again = 0; again < 20; ++again) batch.posterior(chunks[i], Wanted{}, many[i]);
    });
  for (std::thread& its : threads) its.join();
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    EXPECT_EQ(one[i].tumour, many[i].tumour);
    EXPECT_EQ(one[i].causes, many[i].causes);
    EXPECT_EQ(one[i].stages, many[i].stages);
    EXPECT_EQ(one[i].levels, many[i].levels);
    EXPECT_EQ(one[i].mechanisms, many[i].mechanisms);
    EXPECT_EQ(one[i].compression, many[i].compression);
    EXPECT_EQ(one[i].urgency, many[i].urgency);
  }
}

TEST(Batch, AnUnknownInstructionSetIsRefused) {
  EXPECT_THROW(BatchEngine(knowledge(), model(), engine(), "uk", "avx9000"), std::invalid_argument);
}

}  // namespace
}  // namespace dorsalgia
