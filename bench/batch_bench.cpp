// How many people a second the batch engine assesses on one core: people of general practice, known as far as their
// records go (knowledge/recording.yaml), every output worked out.
#include <benchmark/benchmark.h>

#include "batch/batch.h"
#include "builtin.h"
#include "simulation/people.h"

namespace {

using namespace dorsalgia;

PeopleTable records(int rows) {
  const Model& m = model();
  const Recording recording = compile_recording(knowledge(), m);
  Cohort cohort;
  cohort.setting = 1;
  const People people(m, 1, cohort, &recording);
  PeopleTable t;
  t.rows = rows;
  const auto n = static_cast<std::size_t>(rows);
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    if (m.findings[f].shape == Shape::measured)
      t.measured.push_back({static_cast<int>(f), std::vector<double>(n, 0), std::vector<std::uint8_t>(n, 0)});
    else t.graded.push_back({static_cast<int>(f), std::vector<std::int8_t>(n, kUnknown)});
  }
  VirtualPerson person;
  for (std::size_t r = 0; r < n; ++r) {
    people.draw(r, person);
    const VirtualVisit& visit = person.visits[0];
    t.age.push_back(person.age), t.sex.push_back(static_cast<std::int8_t>(person.sex));
    t.setting.push_back(static_cast<std::int8_t>(person.setting));
    t.location.push_back(person.location_recorded ? static_cast<std::int8_t>(person.location) : kUnknown);
    t.weeks.push_back(person.duration_recorded ? person.stated_weeks : -1);
    for (auto& column : t.graded)
      if (visit.recorded[static_cast<std::size_t>(column.finding)])
        column.grade[r] = static_cast<std::int8_t>(visit.grades[static_cast<std::size_t>(column.finding)]);
    for (auto& column : t.measured)
      if (visit.recorded[static_cast<std::size_t>(column.finding)]) {
        column.known[r] = 1;
        column.value[r] =
            in_unit(m.findings[static_cast<std::size_t>(column.finding)], visit.values[static_cast<std::size_t>(column.finding)]);
      }
  }
  return t;
}

// Each thread has a chunk and results of its own, as the library has it; the tables are shared.
void assess(benchmark::State& state, const BatchEngine& batch, Wanted wanted) {
  static const PeopleTable table = records(kChunk);
  PosteriorTable out;
  batch.posterior(table, wanted, out);
  for (auto _ : state) {
    batch.posterior(table, wanted, out);
    benchmark::DoNotOptimize(out.tumour.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * table.rows);
  double answers = 0, present = 0;
  for (const auto& column : table.graded)
    for (auto grade : column.grade) answers += grade != kUnknown, present += grade > 0;
  for (const auto& column : table.measured)
    for (auto known : column.known) answers += known;
  using benchmark::Counter;
  state.counters["answers"] = Counter(answers / table.rows, Counter::kAvgThreads);
  state.counters["present"] = Counter(present / table.rows, Counter::kAvgThreads);
}

void assess(benchmark::State& state, const std::string& target, Wanted wanted) {
  assess(state, BatchEngine(knowledge(), model(), engine(), "uk", target), wanted);
}

const bool registered = [] {
  for (const std::string& target : BatchEngine::targets())
    benchmark::RegisterBenchmark(("batch/" + target).c_str(), [target](benchmark::State& s) { assess(s, target, Wanted{}); });
  benchmark::RegisterBenchmark("batch/without_stages", [](benchmark::State& s) {
    Wanted wanted;
    wanted.stages = false;
    assess(s, "", wanted);
  });
  benchmark::RegisterBenchmark("batch/tumour_only", [](benchmark::State& s) { assess(s, "", {false, false, false, false, false, false}); });
  benchmark::RegisterBenchmark("batch/tumour_and_urgency", [](benchmark::State& s) {
    assess(s, "", {false, false, false, false, false, true});
  });
  for (int threads : {1, 2})
    benchmark::RegisterBenchmark("batch",
                                 [](benchmark::State& s) {
                                   static const BatchEngine batch(knowledge(), model(), engine());
                                   assess(s, batch, Wanted{});
                                 })
        ->Threads(threads)
        ->UseRealTime();
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
