// How many people a second the batch engine assesses on one core: people of general practice, known as far as their
// records go (knowledge/recording.yaml), every output worked out.
#include <benchmark/benchmark.h>

#include "batch/batch.h"
#include "support/builtin.h"
#include "support/tables.h"

namespace {

using namespace dorsalgia;
using namespace dorsalgia::test;

const Recording& recording() {
  static const Recording r = compile_recording(knowledge(), model());
  return r;
}

// Each thread has a chunk and results of its own, as the library has it; the tables are shared.
void assess(benchmark::State& state, const BatchEngine& batch, Wanted wanted) {
  static const PeopleTable table = general_practice(model(), recording(), kChunk);
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
  benchmark::RegisterBenchmark("batch/without_forecast", [](benchmark::State& s) {
    Wanted wanted;
    wanted.forecast = false;
    assess(s, "", wanted);
  });
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
