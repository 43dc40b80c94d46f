// Every engine must give the oracle's numbers: on people drawn at random over everything that a presentation can say,
// and on every evidence set of a model small enough to try them all. A new engine is one more line in of().
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>

#include "batch/batch.h"
#include "inference/exact.h"
#include "support/builtin.h"
#include "support/compare.h"
#include "support/random_person.h"
#include "support/tables.h"
#include "support/tiny_model.h"

namespace dorsalgia {
namespace {

using test::Difference;
using test::difference;
using test::model;

constexpr double kTolerance = 1e-9;

struct Engine {
  const char* name;
  std::function<Posterior(const Presentation&, const CauseWeights&)> posterior;
};

class Engines : public testing::Test {
 protected:
  static std::vector<Engine> of(const ExactEngine& exact) {
    return {{"exact", [&](const Presentation& p, const CauseWeights& w) { return exact.posterior(p, w); }}};
  }

  // Compares on every person that `next` gives (any thread may ask); reports the first disagreement, shrunk.
  static void compare(const Model& model, std::size_t people, const std::function<Presentation(std::size_t)>& person,
                      const std::function<CauseWeights(std::size_t)>& weights = {}) {
    const ExactEngine exact(model);
    const Oracle oracle(model);
    const std::vector<Engine> engines = of(exact);
    std::atomic<std::size_t> next{0};
    std::mutex one_at_a_time;
    std::string failure;
    double worst = 0;
    auto work = [&] {
      for (std::size_t i = next++; i < people; i = next++) {
        const Presentation p = person(i);
        const CauseWeights w = weights ? weights(i) : CauseWeights{};
        const Posterior truth = oracle.posterior(p, w);
        for (const Engine& engine : engines) {
          const Difference d = difference(engine.posterior(p, w), truth);
          const std::lock_guard lock(one_at_a_time);
          worst = std::max({worst, d.worst, d.log_evidence});
          if (d.within(kTolerance) || !failure.empty()) continue;
          const Presentation least = test::smallest(
              p, [&](const Presentation& q) { return !difference(engine.posterior(q, w), oracle.posterior(q, w)).within(kTolerance); });
          const Posterior a = engine.posterior(least, w), b = oracle.posterior(least, w);
          const Difference e = difference(a, b);
          failure = std::string(engine.name) + " v oracle, person " + std::to_string(i) + ": " + test::words(model, least) + " -> " +
                    (e.possible_differs ? "possible differs" : e.where + " differs by " + std::to_string(e.worst)) + ", log evidence " +
                    std::to_string(a.log_evidence) + " v " + std::to_string(b.log_evidence);
          next = people;
        }
      }
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(failure, "");
    RecordProperty("worst", std::to_string(worst));
  }
};

TEST_F(Engines, AgreeOnTenThousandRandomPeople) {
  compare(model(), static_cast<std::size_t>(test::share_of(10000)),
          [](std::size_t i) { return test::RandomPeople(model(), 1000003 * i + 7).person(); });
}

TEST_F(Engines, AgreeUnderOtherBaseRates) {
  compare(
      model(), static_cast<std::size_t>(test::share_of(200)), [](std::size_t i) { return test::RandomPeople(model(), i).person(); },
      [](std::size_t i) {
        test::RandomPeople random(model(), i + 1);
        CauseWeights w;
        for (std::size_t c = 0; c < model().causes.size(); ++c) w.push_back(random.chance(0.2) ? 0 : 10 * random.uniform());
        w[i % w.size()] = 1;
        return w;
      });
}

// Every combination of what can be said about each thing; ranges of grades and of bins included.
TEST_F(Engines, AgreeOnEveryEvidenceSetOfATinyModel) {
  const Model tiny = test::tiny_model();
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<std::vector<std::function<void(Presentation&)>>> choices;
  auto nothing = [](Presentation&) {};
  for (int f = 0; f < static_cast<int>(tiny.findings.size()); ++f) {
    choices.push_back({nothing});
    auto add = [&](Answer a) {
      a.finding = f;
      choices.back().push_back([a](Presentation& p) { p.answers.push_back(a); });
    };
    const ModelFinding& finding = tiny.findings[f];
    if (finding.shape == Shape::measured) {
      for (const auto& [from, to] : std::vector<std::pair<double, double>>{{-inf, 15}, {20, inf}, {30, 60}, {44, 44}})
        add({f, 0, 0, true, from, to, ""});
    } else if (finding.shape == Shape::history) {
      for (const auto& [low, high] : std::vector<std::pair<int, int>>{{0, 0}, {1, 4}, {2, 2}, {0, 1}}) add({f, low, high, false, 0, 0, ""});
    } else {
      for (int low = 0; low < finding.grades; ++low)
        for (int high = low; high < finding.grades; ++high)
          if (low > 0 || high < finding.grades - 1) add({f, low, high, false, 0, 0, ""});
    }
  }
  choices.push_back({nothing, [](Presentation& p) { p.weeks = {6, 6}; }, [&](Presentation& p) { p.weeks = {3, inf}; }});
  choices.push_back({nothing, [](Presentation& p) { p.locations = {0}; }, [](Presentation& p) { p.locations = {1}; }});
  choices.push_back({nothing, [](Presentation& p) { p.sensory_segment = 1; }});
  choices.push_back(
      {nothing, [](Presentation& p) {
         p.any_of.push_back(
             {{{0, 1, 1, false, 0, 0, ""}, {1, 2, 2, false, 0, 0, ""}, {2, 1, 1, false, 0, 0, ""}, {4, 1, 4, false, 0, 0, ""}}, ""});
       }});
  choices.push_back({[](Presentation& p) { p.age = 58, p.sex = Sex::female, p.setting = 1; }, nothing});

  std::size_t all = 1;
  for (const auto& c : choices) all *= c.size();
  const std::size_t stride = all / static_cast<std::size_t>(test::share_of(static_cast<int>(all)));
  compare(tiny, all / stride, [&](std::size_t i) {
    Presentation p;
    std::size_t rest = i * stride;
    for (const auto& c : choices) {
      c[rest % c.size()](p);
      rest /= c.size();
    }
    return p;
  });
}

// One row of a table of results as any other engine gives it; the table says nothing of the evidence.
Posterior row_of(const Model& m, const PosteriorTable& t, std::size_t row, double log_evidence) {
  const auto rows = static_cast<std::size_t>(t.rows);
  const auto column = [&](const Floats& all, std::size_t from, std::size_t count) {
    std::vector<double> out;
    for (std::size_t i = from; i < from + count; ++i) out.push_back(static_cast<double>(all[i * rows + row]));
    return out;
  };
  Posterior p;
  p.log_evidence = log_evidence, p.possible = t.possible[row] != 0;
  p.tumour = static_cast<double>(t.tumour[row]), p.malignant = static_cast<double>(t.malignant[row]);
  p.emergency = static_cast<double>(t.emergency[row]);
  p.causes = column(t.causes, 0, m.causes.size()), p.mechanisms = column(t.mechanisms, 0, m.mechanisms.size());
  p.levels = column(t.levels, 0, m.levels.size());
  std::size_t flat = 0;
  for (const ModelCause& c : m.causes) {
    const std::size_t stages = m.courses[static_cast<std::size_t>(c.course)].stages.size();
    p.stages.push_back(column(t.stages, flat, stages));
    flat += stages;
  }
  for (std::size_t w = 0; w < p.compression.size(); ++w) p.compression[w] = column(t.compression, w, 1)[0];
  return p;
}

// The batch engine takes tables, in single precision: its lanes on every instruction set here, row by row against the oracle.
// What tables cannot say, and many more rows, are in tests/batch, against the exact engine.
TEST_F(Engines, BatchAgreesOnEveryInstructionSet) {
  const PeopleTable table = test::general_practice(model(), compile_recording(test::knowledge(), model()), std::max(8, test::share_of(48)));
  std::vector<Posterior> truth;
  for (int r = 0; r < table.rows; ++r) truth.push_back(test::oracle().posterior(person_of(table, model(), r)));
  for (const std::string& target : BatchEngine::targets()) {
    PosteriorTable out;
    BatchEngine(test::knowledge(), model(), test::engine(), "uk", target).posterior(table, Wanted{}, out);
    for (std::size_t r = 0; r < truth.size(); ++r) {
      const Difference d = difference(row_of(model(), out, r, truth[r].log_evidence), truth[r]);
      EXPECT_TRUE(d.within(1e-5)) << target << " v oracle, row " << r << ": " << d.where << " differs by " << d.worst;
    }
  }
}

// A presentation that says nothing at all is a person too.
TEST_F(Engines, AgreeOnNobodyInParticular) {
  compare(model(), 1, [](std::size_t) { return Presentation{}; });
}

}  // namespace
}  // namespace dorsalgia
