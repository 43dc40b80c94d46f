// What docs/benchmarks.md is made of, one JSON object a call (bench/bench.py asks for them and writes the page):
//
//   measure single PEOPLE           one person at a time, warm: posterior, next question, intervals
//   measure batch ROWS              tables: every instruction set, every choice of outputs, one thread and all
//   measure scaling                 tables by rows, answers and causes
//   measure start                   what every process pays before its first answer
//   measure peers FOLDER COUNT      our network (FOLDER/network.bif, .xdsl), COUNT cases (FOLDER/cases.jsonl) and our times on them
//   measure machine                 what the cores could do at best
//   measure rows ROWS TARGET        works through so many rows once, for valgrind to count
#include <fmt/format.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "inference/intervals.h"
#include "model/export.h"
#include "support/builtin.h"
#include "support/fewer_causes.h"
#include "support/tables.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using namespace dorsalgia;
using namespace dorsalgia::test;
using nlohmann::json;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Seconds that this thread has been running: what else the machine does meanwhile does not count.
double running() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class T>
void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

const Recording& recording() {
  static const Recording r = compile_recording(knowledge(), model());
  return r;
}

// ---- one person

json percentiles(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const auto at = [&](double share) {
    return seconds[std::min(seconds.size() - 1, static_cast<std::size_t>(share * static_cast<double>(seconds.size())))];
  };
  double sum = 0;
  for (double s : seconds) sum += s;
  const double mean = sum / static_cast<double>(seconds.size());
  return {{"count", seconds.size()}, {"p50_us", at(0.5) * 1e6}, {"p99_us", at(0.99) * 1e6}, {"mean_us", mean * 1e6}};
}

// One time for each person; a round before warms caches.
template <class Ask>
json timed(const std::vector<Presentation>& people, const Ask& ask) {
  std::vector<double> seconds;
  for (int round = 0; round < 2; ++round) {
    seconds.clear();
    for (const Presentation& p : people) {
      const double begin = running();
      ask(p);
      seconds.push_back(running() - begin);
    }
  }
  return percentiles(seconds);
}

json single(int count) {
  const Model& m = model();
  const PeopleTable table = general_practice(m, recording(), count);
  std::vector<Presentation> people;
  for (int r = 0; r < count; ++r) people.push_back(person_of(table, m, r));
  json out = {{"answers", answers_of(table).first}};
  out["posterior"] = timed(people, [](const Presentation& p) { keep(engine().posterior(p).tumour); });
  out["prospects"] = timed(people, [](const Presentation& p) { keep(engine().prospects(p).size()); });
  people.resize(std::min<std::size_t>(people.size(), 100));
  const ModelDraws draws(knowledge(), m, 256);
  out["intervals"] = timed(people, [&](const Presentation& p) { keep(draws.intervals(engine(), p, engine().posterior(p)).tumour.low); });
  const Oracle oracle(m);
  out["oracle"] = timed({people.begin(), people.begin() + 10}, [&](const Presentation& p) { keep(oracle.posterior(p).tumour); });
  return out;
}

// ---- tables

// Chunks of at most kChunk rows of a table: what one call of the engine is given.
std::vector<PeopleTable> chunks(const PeopleTable& t) {
  std::vector<PeopleTable> out;
  for (int from = 0; from < t.rows; from += kChunk) {
    const int rows = std::min(kChunk, t.rows - from);
    const auto part = [&](const auto& column) {
      return std::decay_t<decltype(column)>(column.begin() + from, column.begin() + from + rows);
    };
    PeopleTable c;
    c.rows = rows;
    c.age = part(t.age), c.sex = part(t.sex), c.setting = part(t.setting), c.location = part(t.location), c.weeks = part(t.weeks);
    for (const auto& g : t.graded) c.graded.push_back({g.finding, part(g.grade)});
    for (const auto& g : t.measured) c.measured.push_back({g.finding, part(g.value), part(g.known)});
    out.push_back(std::move(c));
  }
  return out;
}

// A run takes some 20 ms, in which the machine may do something else: a median of five differed by a twentieth from the next.
constexpr int kRuns = 41;

// Seconds of working through all chunks: the least of `rounds` and their median. Each thread takes the next chunk. One thread is timed
// by what it ran, several (and one beside them) by the clock on the wall.
std::pair<double, double> work(const BatchEngine& batch, const std::vector<PeopleTable>& tables, const Wanted& wanted, int threads,
                               int rounds, bool by_the_clock) {
  std::vector<PosteriorTable> out(static_cast<std::size_t>(threads));
  std::vector<double> seconds;
  for (int round = 0; round <= rounds; ++round) {
    std::atomic<std::size_t> next{0};
    const auto run = [&](std::size_t worker) {
      for (std::size_t i = next++; i < tables.size(); i = next++) batch.posterior(tables[i], wanted, out[worker]);
    };
    const auto clock = threads > 1 || by_the_clock ? now : running;
    const double begin = clock();
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back(run, static_cast<std::size_t>(i));
    run(0);
    for (auto& t : others) t.join();
    if (round > 0) seconds.push_back(clock() - begin);
  }
  std::sort(seconds.begin(), seconds.end());
  return {seconds.front(), seconds[seconds.size() / 2]};
}

json throughput(const BatchEngine& batch, const std::vector<PeopleTable>& tables, const Wanted& wanted, int threads, int rounds = kRuns,
                bool by_the_clock = false) {
  double rows = 0;
  for (const auto& t : tables) rows += t.rows;
  const auto [best, median] = work(batch, tables, wanted, threads, rounds, by_the_clock);
  return {{"threads", threads}, {"best_per_second", rows / best}, {"median_per_second", rows / median}};
}

Wanted nothing() {
  Wanted w;
  w.causes = w.mechanisms = w.levels = w.stages = w.forecast = w.urgency = false;
  return w;
}

// What people would take of whom less is known: where the time goes.
json with_less(const BatchEngine& e, const std::vector<PeopleTable>& tables) {
  const auto discrete = [](const PeopleTable::Graded& g) {
    return model().findings[static_cast<std::size_t>(g.finding)].shape == Shape::discrete;
  };
  const auto forget = [&](PeopleTable& t, auto which) {
    for (auto& g : t.graded)
      if (discrete(g)) std::replace_if(g.grade.begin(), g.grade.end(), which, kUnknown);
  };
  const std::pair<const char*, std::function<void(PeopleTable&)>> less[] = {
      {"as they are", [](PeopleTable&) {}},
      {"no measured value", [](PeopleTable& t) { t.measured.clear(); }},
      {"six weeks of pain, all of them", [](PeopleTable& t) { std::fill(t.weeks.begin(), t.weeks.end(), 6); }},
      {"no symptom or sign that is there", [&](PeopleTable& t) { forget(t, [](std::int8_t grade) { return grade > 0; }); }},
      {"no symptom or sign that is not", [&](PeopleTable& t) { forget(t, [](std::int8_t grade) { return grade == 0; }); }},
      {"no history and no other factor", [&](PeopleTable& t) { std::erase_if(t.graded, [&](const auto& g) { return !discrete(g); }); }},
      {"nothing but age, sex, setting, place, duration", [](PeopleTable& t) { t.graded.clear(), t.measured.clear(); }}};
  json out;
  for (const auto& [name, change] : less) {
    std::vector<PeopleTable> changed = tables;
    for (PeopleTable& t : changed) change(t);
    out.push_back({{"known", name}, {"one", throughput(e, changed, Wanted{}, 1)}});
  }
  return out;
}

json batch(int rows) {
  const PeopleTable table = general_practice(model(), recording(), rows);
  const std::vector<PeopleTable> tables = chunks(table);
  const auto [answers, present] = answers_of(table);
  json out = {{"rows", rows}, {"answers", answers}, {"present", present}};
  for (const std::string& target : BatchEngine::targets()) {
    const BatchEngine e(knowledge(), model(), engine(), "uk", target);
    out["targets"].push_back({{"target", target}, {"one", throughput(e, tables, Wanted{}, 1)}});
  }
  const BatchEngine e(knowledge(), model(), engine());
  Wanted usual = nothing();
  usual.causes = usual.urgency = true;
  Wanted tumour_and_urgency = nothing();
  tumour_and_urgency.urgency = true;
  Wanted without_urgency, without_forecast;
  without_urgency.urgency = without_forecast.forecast = false;
  const std::pair<const char*, Wanted> choices[] = {{"everything", Wanted{}},
                                                    {"everything but the forecast", without_forecast},
                                                    {"everything but urgency", without_urgency},
                                                    {"probability, urgency, causes (the usual)", usual},
                                                    {"probability, urgency", tumour_and_urgency},
                                                    {"probability only", nothing()}};
  for (const auto& [name, wanted] : choices) out["outputs"].push_back({{"outputs", name}, {"one", throughput(e, tables, wanted, 1)}});
  out["less"] = with_less(e, tables);
  out["runs"] = kRuns;
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  for (int threads = 1; threads <= cores; ++threads) out["threads"].push_back(throughput(e, tables, Wanted{}, threads, kRuns, true));
  return out;
}

json scaling() {
  json out;
  const BatchEngine e(knowledge(), model(), engine());
  for (int rows : {1, 4, 16, 64, 256, 1024, 2048, 8192}) {
    const auto tables = chunks(general_practice(model(), recording(), rows));
    out["rows"].push_back({{"rows", rows}, {"one", throughput(e, tables, Wanted{}, 1, rows < 1000 ? 50 : kRuns)}});
  }
  for (double share : {0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0}) {
    const PeopleTable t = general_practice(model(), recording(), kChunk, share);
    const auto [answers, present] = answers_of(t);
    out["answers"].push_back({{"answers", answers}, {"present", present}, {"one", throughput(e, {t}, Wanted{}, 1)}});
  }
  // Fewer causes, spread over the list; the same people's answers.
  const PeopleTable people = general_practice(model(), recording(), kChunk);
  for (std::size_t count : {std::size_t{8}, std::size_t{17}, std::size_t{34}, std::size_t{51}, knowledge().causes.size()}) {
    const Model fewer = with_causes(model(), count);
    const ExactEngine exact(fewer);
    const BatchEngine b(knowledge(), fewer, exact);
    Wanted w;
    w.urgency = false;
    std::vector<Presentation> some;
    for (int r = 0; r < 200; ++r) some.push_back(person_of(people, fewer, r));
    out["causes"].push_back({{"causes", count},
                             {"cells", exact.cells()},
                             {"one", throughput(b, {people}, w, 1)},
                             {"single", timed(some, [&](const Presentation& p) { keep(exact.posterior(p).tumour); })}});
  }
  return out;
}

// ---- starting

json start() {
  json out;
  const auto median = [](const auto& f) {
    std::vector<double> seconds;
    for (int i = 0; i < 7; ++i) {
      const double begin = running();
      f();
      seconds.push_back(running() - begin);
    }
    std::sort(seconds.begin(), seconds.end());
    return seconds[3] * 1e3;
  };
  out["unpack_ms"] = median([] { keep(builtin_knowledge().causes.size()); });
  out["compile_ms"] = median([] { keep(compile(knowledge()).findings.size()); });
  out["engine_ms"] = median([] { keep(ExactEngine(model()).cells()); });
  out["batch_engine_ms"] = median([] { keep(BatchEngine(knowledge(), model(), engine()).model().hash.size()); });
  return out;
}

// ---- what the peers are asked, and our times on it

json numbers(const Posterior& p) {
  return {{"tumour", p.tumour},         {"malignant", p.malignant}, {"emergency", p.emergency}, {"causes", p.causes},
          {"mechanisms", p.mechanisms}, {"levels", p.levels},       {"stages", p.stages}};
}

json numbers(const PosteriorTable& t, std::size_t row, const Posterior& shape) {
  const auto rows = static_cast<std::size_t>(t.rows);
  const auto column = [&](const Floats& all, std::size_t count) {
    std::vector<double> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<double>(all[i * rows + row]));
    return out;
  };
  json out = {{"tumour", t.tumour[row]},
              {"malignant", t.malignant[row]},
              {"emergency", t.emergency[row]},
              {"causes", column(t.causes, shape.causes.size())},
              {"mechanisms", column(t.mechanisms, shape.mechanisms.size())},
              {"levels", column(t.levels, shape.levels.size())}};
  std::size_t flat = 0;
  for (const auto& of_cause : shape.stages) {
    json stages = json::array();
    for (std::size_t k = 0; k < of_cause.size(); ++k) stages.push_back(t.stages[flat++ * rows + row]);
    out["stages"].push_back(stages);
  }
  return out;
}

json peers(const std::string& folder, int count) {
  const Model& m = model();
  // Everybody is put to one age, setting and duration: to a general library each of these is another network, and loading
  // one for each person would not be fair to it. Measured values are left out: it knows only low, normal, raised.
  Presentation profile;
  profile.age = 68, profile.sex = Sex::female, profile.setting = 1, profile.weeks = {6, 6};
  std::ofstream(folder + "/network.bif") << export_network(m, profile, NetworkFormat::bif);
  std::ofstream(folder + "/network.xdsl") << export_network(m, profile, NetworkFormat::xdsl);

  Cohort cohort;
  cohort.setting = 1;
  const People people(m, 1, cohort, &recording());
  PeopleTable t = empty_table(m, count);
  t.measured.clear();
  VirtualPerson person;
  std::set<std::string> different;
  std::ofstream out(folder + "/cases.jsonl");
  std::uint64_t index = 0;
  std::vector<json> evidence;
  for (int r = 0; r < count; ++r) {
    do people.draw(index++, person);
    while (person.sex != Sex::female || person.age < 60 || person.age >= 76);
    const auto& recorded = person.visits[0].recorded;
    fill_row(t, m, r, person, [&](int f) { return recorded[static_cast<std::size_t>(f)] != 0; });
    const auto at = static_cast<std::size_t>(r);
    t.age[at] = 68, t.weeks[at] = 6;
    json said = json::object();
    for (const auto& column : t.graded)
      if (column.grade[at] != kUnknown) said[m.findings[static_cast<std::size_t>(column.finding)].id] = column.grade[at];
    if (t.location[at] != kUnknown) said["Pain_location"] = t.location[at];
    different.insert(said.dump());
    evidence.push_back(std::move(said));
  }
  const std::vector<PeopleTable> tables = chunks(t);
  const BatchEngine e(knowledge(), m, engine());
  PosteriorTable answers;
  std::vector<Presentation> persons;
  for (std::size_t c = 0; c < tables.size(); ++c) {
    e.posterior(tables[c], Wanted{}, answers);
    for (int r = 0; r < tables[c].rows; ++r) {
      persons.push_back(person_of(tables[c], m, r));
      const Posterior p = engine().posterior(persons.back());
      const std::size_t row = c * kChunk + static_cast<std::size_t>(r);
      out << json{{"evidence", evidence[row]}, {"exact", numbers(p)}, {"batch", numbers(answers, static_cast<std::size_t>(r), p)}} << '\n';
    }
  }
  json vocabulary;
  for (const auto& c : m.causes) vocabulary["causes"].push_back(c.id);
  for (const auto& x : m.mechanisms) vocabulary["mechanisms"].push_back(x.id);
  for (const auto& l : m.levels) vocabulary["levels"].push_back(l.id);
  for (const auto& c : m.causes) {
    json stages;
    for (const auto& s : m.courses[c.course].stages) stages.push_back(s.id);
    vocabulary["stages"].push_back(stages);
  }
  std::ofstream(folder + "/vocabulary.json") << vocabulary;

  Wanted everything;
  everything.urgency = everything.forecast = false;  // the network has neither
  Wanted causes = nothing();
  causes.causes = true;
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const auto [said, present] = answers_of(t);
  json times = {{"cases", count}, {"different", different.size()}, {"answers", said}, {"present", present}};
  times["single"] = timed(persons, [](const Presentation& p) { keep(engine().posterior(p).tumour); });
  times["all"] = throughput(e, tables, everything, 1);
  times["all_cores"] = throughput(e, tables, everything, cores);
  times["causes"] = throughput(e, tables, causes, 1);
  times["causes_cores"] = throughput(e, tables, causes, cores);
  return times;
}

// ---- the machine

#if defined(__x86_64__)
// Multiply-and-adds on registers: eight chains that do not wait for each other. Returns floating operations a second.
__attribute__((target("avx2,fma"))) double peak_avx2() {
  constexpr int kRounds = 20000000;
  __m256 a[10];
  for (int i = 0; i < 10; ++i) a[i] = _mm256_set1_ps(1.0F + static_cast<float>(i));
  const __m256 b = _mm256_set1_ps(0.999F), c = _mm256_set1_ps(0.001F);
  const double begin = running();
  for (int r = 0; r < kRounds; ++r)
#pragma GCC unroll 10
    for (auto& x : a) x = _mm256_fmadd_ps(x, b, c);
  for (auto& x : a) asm volatile("" : : "x"(x));
  return 10.0 * 8 * 2 * kRounds / (running() - begin);
}
__attribute__((target("avx512f"))) double peak_avx512() {
  constexpr int kRounds = 20000000;
  __m512 a[10];
  for (int i = 0; i < 10; ++i) a[i] = _mm512_set1_ps(1.0F + static_cast<float>(i));
  const __m512 b = _mm512_set1_ps(0.999F), c = _mm512_set1_ps(0.001F);
  const double begin = running();
  for (int r = 0; r < kRounds; ++r)
#pragma GCC unroll 10
    for (auto& x : a) x = _mm512_fmadd_ps(x, b, c);
  for (auto& x : a) asm volatile("" : : "v"(x));
  return 10.0 * 16 * 2 * kRounds / (running() - begin);
}
// Bytes a second that one core reads of a buffer of this size.
__attribute__((target("avx2"))) double read_speed(std::size_t bytes) {
  std::vector<float> buffer(bytes / 4, 1.0F);
  const std::size_t rounds = std::max<std::size_t>(1, (std::size_t{2} << 30) / bytes);
  double best = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    __m256 s[8] = {};
    const double begin = running();
    for (std::size_t r = 0; r < rounds; ++r) {
      for (std::size_t i = 0; i + 64 <= buffer.size(); i += 64)
#pragma GCC unroll 8
        for (std::size_t j = 0; j < 8; ++j) s[j] = _mm256_or_ps(s[j], _mm256_loadu_ps(buffer.data() + i + 8 * j));
      keep(buffer.data());
    }
    for (auto& x : s) asm volatile("" : : "x"(x));
    best = std::max(best, static_cast<double>(rounds * bytes) / (running() - begin));
  }
  return best;
}
#endif

json machine() {
  json out = {{"targets", BatchEngine::targets()}};
  // The clock as it runs: a chain of additions, one a cycle.
  const double begin = running();
  constexpr std::uint64_t kAdditions = 1000000000;
  std::uint64_t x = 0;
  for (std::uint64_t i = 0; i < kAdditions / 8; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) asm volatile("add $1, %0" : "+r"(x));
  out["clock_hz"] = static_cast<double>(kAdditions) / (running() - begin);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    out["avx2_flops"] = peak_avx2();
    out["l1_bytes"] = read_speed(16 << 10), out["l2_bytes"] = read_speed(512 << 10), out["memory_bytes"] = read_speed(256 << 20);
  }
  if (__builtin_cpu_supports("avx512f")) out["avx512_flops"] = peak_avx512();
#endif
  return out;
}

json rows_once(int rows, const std::string& target) {
  const PeopleTable t = general_practice(model(), recording(), kChunk);
  const BatchEngine e(knowledge(), model(), engine(), "uk", target);
  PosteriorTable out;
  for (int done = 0; done < rows; done += kChunk) e.posterior(t, Wanted{}, out);
  return {{"rows", rows}};
}

int run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  json out;
  if (what == "single" && words.size() == 2) out = single(std::max(20, std::stoi(words[1])));
  else if (what == "batch" && words.size() == 2) out = batch(std::stoi(words[1]));
  else if (what == "scaling") out = scaling();
  else if (what == "start") out = start();
  else if (what == "peers" && words.size() == 3) out = peers(words[1], std::stoi(words[2]));
  else if (what == "machine") out = machine();
  else if (what == "rows" && words.size() == 3) out = rows_once(std::stoi(words[1]), words[2]);
  else {
    std::cerr << "measure single PEOPLE | batch ROWS | scaling | start | peers FOLDER COUNT | machine | rows ROWS TARGET\n";
    return 2;
  }
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  out["peak_kb"] = used.ru_maxrss;
  out["model"] = model().hash;
  std::cout << out << '\n';
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& e) {
    std::cerr << "measure: " << e.what() << '\n';
    return 1;
  }
}
