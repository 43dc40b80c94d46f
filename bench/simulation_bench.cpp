// How many virtual people a second, on one core.
#include <benchmark/benchmark.h>

#include "simulation/people.h"
#include "support/builtin.h"

namespace {

using namespace dorsalgia;
using namespace dorsalgia::test;

void draw(benchmark::State& state, Cohort cohort, bool as_a_record) {
  const Recording recording = compile_recording(knowledge(), model());
  const People people(model(), 1, std::move(cohort), as_a_record ? &recording : nullptr);
  VirtualPerson person;
  std::uint64_t i = 0;
  for (auto _ : state) {
    people.draw(i++, person);
    benchmark::DoNotOptimize(person.visits.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK_CAPTURE(draw, everything, Cohort{}, false);
BENCHMARK_CAPTURE(draw, a_record, Cohort{}, true);
BENCHMARK_CAPTURE(draw, three_visits, Cohort{-1, {}, {4, 12}}, false);

// What an assessment is given.
void to_presentation(benchmark::State& state) {
  const People people(model(), 1);
  VirtualPerson person;
  std::uint64_t i = 0;
  for (auto _ : state) {
    people.draw(i++, person);
    benchmark::DoNotOptimize(presentation(model(), person).answers.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(to_presentation);

void build_tables(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(People(model(), 1).share(0));
}
BENCHMARK(build_tables)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
