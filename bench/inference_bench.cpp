// How long the questions take that a page, a batch or a start of the program asks. `build/bench/inference-bench` prints the table.
#include <benchmark/benchmark.h>

#include <string>

#include "inference/explain.h"
#include "support/builtin.h"

namespace {

using namespace dorsalgia;
using namespace dorsalgia::test;

// A woman of 68 in general practice, six weeks of pain in the chest part of the spine; the first so many of what is
// usually asked, with a blood test and an earlier cancer among them.
Presentation person(int answers) {
  static const std::vector<std::pair<const char*, int>> asked = {{"night_pain", 1},
                                                                 {"fever", 0},
                                                                 {"history_breast", 1},
                                                                 {"weight_loss", 0},
                                                                 {"esr", 54},
                                                                 {"progressive_pain", 1},
                                                                 {"weakness", 0},
                                                                 {"bladder_dysfunction", 0},
                                                                 {"radicular_pain", 1},
                                                                 {"morning_stiffness", 0},
                                                                 {"spinal_tenderness", 1},
                                                                 {"trauma", 0},
                                                                 {"constant_pain", 1},
                                                                 {"smoker", 0},
                                                                 {"crp", 12},
                                                                 {"gait_disturbance", 0},
                                                                 {"saddle_anaesthesia", 0},
                                                                 {"numbness", 1},
                                                                 {"babinski", 0},
                                                                 {"hyperreflexia", 0},
                                                                 {"pain_worse_lying", 1},
                                                                 {"pain_worse_coughing", 0},
                                                                 {"insidious_onset", 1},
                                                                 {"acute_onset", 0},
                                                                 {"recurrent_pain", 0},
                                                                 {"limited_movement", 1},
                                                                 {"bowel_dysfunction", 0},
                                                                 {"tingling", 0},
                                                                 {"haemoglobin", 112},
                                                                 {"pain_at_rest", 1},
                                                                 {"night_sweats", 0},
                                                                 {"abdominal_pain", 0},
                                                                 {"severe_pain", 1},
                                                                 {"deformity", 0}};
  Presentation p;
  p.age = 68, p.sex = Sex::female, p.setting = 1, p.weeks = {6, 6}, p.locations = {1};
  for (const auto& [id, value] : asked) {
    const int f = model().finding(id);
    if (f < 0 || static_cast<int>(p.answers.size()) == answers) continue;
    const ModelFinding& finding = model().findings[f];
    if (finding.shape == Shape::measured) p.answers.push_back({f, 0, 0, true, static_cast<double>(value), static_cast<double>(value), id});
    else p.answers.push_back({f, value ? 1 : 0, value ? finding.grades - 1 : 0, false, 0, 0, id});
  }
  return p;
}

void posterior(benchmark::State& state) {
  const Presentation p = person(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(engine().posterior(p).tumour);
  state.counters["answers"] = static_cast<double>(p.answers.size());
}
BENCHMARK(posterior)->Arg(5)->Arg(15)->Arg(30)->Unit(benchmark::kMicrosecond);

void posterior_age_and_sex_unknown(benchmark::State& state) {
  Presentation p = person(15);
  p.age.reset(), p.sex.reset();
  for (auto _ : state) benchmark::DoNotOptimize(engine().posterior(p).tumour);
}
BENCHMARK(posterior_age_and_sex_unknown)->Unit(benchmark::kMicrosecond);

// Every next question at once.
void prospects(benchmark::State& state) {
  const Presentation p = person(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(engine().prospects(p).size());
}
BENCHMARK(prospects)->Arg(5)->Arg(15)->Arg(30)->Unit(benchmark::kMicrosecond);

// 95% intervals over 256 draws, and what would be believed once all is asked.
void intervals(benchmark::State& state) {
  const Presentation p = person(static_cast<int>(state.range(0)));
  const Posterior x = engine().posterior(p);
  for (auto _ : state) benchmark::DoNotOptimize(draws().intervals(engine(), p, x).tumour.low);
}
BENCHMARK(intervals)->Arg(5)->Arg(15)->Arg(30)->Unit(benchmark::kMicrosecond);

void why(benchmark::State& state) {
  const Presentation p = person(static_cast<int>(state.range(0)));
  const Posterior x = engine().posterior(p);
  for (auto _ : state) benchmark::DoNotOptimize(reasons(engine(), knowledge(), p, x).size());
}
BENCHMARK(why)->Arg(5)->Arg(15)->Arg(30)->Unit(benchmark::kMicrosecond);

// The answers spread over three visits, every fifth asked at each.
Presentation seen_three_times(int answers) {
  Presentation p = person(answers);
  std::vector<Answer> all;
  std::swap(all, p.answers);
  p.later.resize(2);
  for (std::size_t i = 0; i < 2; ++i) p.later[i].weeks = 4.0 * static_cast<double>(i + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool lasting = model().findings[all[i].finding].shape != Shape::discrete;
    if (lasting || i % 3 == 0 || i % 5 == 0) p.answers.push_back(all[i]);
    for (std::size_t v = 0; v < 2; ++v)
      if (!lasting && (i % 3 == v + 1 || i % 5 == 0)) p.later[v].answers.push_back(all[i]);
  }
  return p;
}

void posterior_three_visits(benchmark::State& state) {
  const Presentation p = seen_three_times(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(engine().posterior(p).tumour);
}
BENCHMARK(posterior_three_visits)->Arg(5)->Arg(15)->Arg(30)->Unit(benchmark::kMillisecond);

void prospects_three_visits(benchmark::State& state) {
  const Presentation p = seen_three_times(15);
  for (auto _ : state) benchmark::DoNotOptimize(engine().prospects(p).size());
}
BENCHMARK(prospects_three_visits)->Unit(benchmark::kMillisecond);

// What every start of the program pays.
void unpack(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(builtin_knowledge().causes.size());
}
BENCHMARK(unpack)->Unit(benchmark::kMillisecond);

void compile_model(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(compile(knowledge()).findings.size());
}
BENCHMARK(compile_model)->Unit(benchmark::kMillisecond);

void build_engine(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(ExactEngine(model()).cells());
}
BENCHMARK(build_engine)->Unit(benchmark::kMillisecond);

// For contrast: the same posterior, written down as loops.
void oracle_posterior(benchmark::State& state) {
  const Presentation p = person(15);
  const Oracle oracle(model());
  for (auto _ : state) benchmark::DoNotOptimize(oracle.posterior(p).tumour);
}
BENCHMARK(oracle_posterior)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
