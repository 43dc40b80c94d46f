// What is foreseen of open questions must be what is believed once they are answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "inference/exact.h"
#include "support/builtin.h"
#include "support/compare.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::model;

// Of a single open finding, what is foreseen is what prospects say of its grades.
TEST(Foresight, OfOneFindingIsItsProspect) {
  const int people = test::share_of(150);
  for (int i = 0; i < people; ++i) {
    const Presentation p = test::RandomPeople(model(), 5000011 * static_cast<std::uint64_t>(i) + 3).person();
    if (!engine().posterior(p).possible || !p.later.empty()) continue;
    const std::vector<Prospect> all = engine().prospects(p);
    for (std::size_t k = static_cast<std::size_t>(i) % 7; k < all.size(); k += 41) {
      const Prospect& its = all[k];
      // The sex decides what a value is called, so what is foreseen of people of both is another question.
      if (model().findings[its.finding].shape == Shape::measured || !p.age || !p.sex) continue;
      const std::vector<int> named = named_findings(p);
      if (std::binary_search(named.begin(), named.end(), its.finding)) continue;
      const std::vector<double> seen = engine().once_answered(p, {its.finding}, 64);
      ASSERT_EQ(seen.size(), 64U);
      for (double tumour : seen) {
        std::size_t nearest = 0;
        for (std::size_t g = 0; g < its.grades.size(); ++g)
          if (std::abs(its.grades[g].tumour - tumour) < std::abs(its.grades[nearest].tumour - tumour)) nearest = g;
        ASSERT_NEAR(its.grades[nearest].tumour, tumour, 1e-9) << model().findings[its.finding].id << ": " << test::words(model(), p);
      }
    }
  }
}

// Answers that are foreseen do not change what is believed before them: their mean is the posterior.
TEST(Foresight, AveragesToThePosterior) {
  for (const char* asked : {"night_pain", "weakness", "history_lung", "numbness"}) {
    Presentation p;
    p.age = 60, p.sex = Sex::male, p.setting = 1, p.weeks = {8, 8};
    p.answers.push_back({model().finding("progressive_pain"), 1, 1, false, 0, 0, ""});
    std::vector<int> open;
    for (int f = 0; f < static_cast<int>(model().findings.size()); f += 9)
      if (model().findings[f].shape != Shape::measured && f != p.answers[0].finding) open.push_back(f);
    if (const int f = model().finding(asked); f >= 0) open.push_back(f);
    std::sort(open.begin(), open.end());
    open.erase(std::unique(open.begin(), open.end()), open.end());
    const std::vector<double> seen = engine().once_answered(p, open, 4000);
    double sum = 0, squares = 0;
    for (double x : seen) sum += x, squares += x * x;
    const double n = static_cast<double>(seen.size()), mean = sum / n, error = std::sqrt((squares / n - mean * mean) / n);
    EXPECT_NEAR(mean, engine().posterior(p).tumour, 5 * error);
  }
}

// Everything open at once, answered by hand.
TEST(Foresight, OfManyFindingsIsOneOfTheirPosteriors) {
  Presentation p;
  p.age = 71, p.sex = Sex::male, p.setting = 1, p.weeks = {5, 5}, p.locations = {1};
  p.answers.push_back({model().finding("night_pain"), 1, 1, false, 0, 0, ""});
  const std::vector<const char*> names = {"weakness", "history_prostate", "babinski", "smoker"};
  std::vector<int> open;
  for (const char* name : names) {
    ASSERT_GE(model().finding(name), 0) << name;
    open.push_back(model().finding(name));
  }
  for (int f = 0; f < static_cast<int>(model().findings.size()) && open.size() < 5; ++f)
    if (model().findings[f].place_segment >= 0) open.push_back(f);
  std::vector<double> possible;
  std::function<void(std::size_t, Presentation)> answer = [&](std::size_t i, const Presentation& so_far) {
    if (i == open.size()) {
      possible.push_back(engine().posterior(so_far).tumour);
      return;
    }
    for (int g = 0; g < model().findings[open[i]].grades; ++g) {
      Presentation next = so_far;
      next.answers.push_back({open[i], g, g, false, 0, 0, ""});
      answer(i + 1, next);
    }
  };
  answer(0, p);
  for (double tumour : engine().once_answered(p, open, 200)) {
    const auto off = [&](double a) { return std::abs(a - tumour); };
    const double nearest = *std::min_element(possible.begin(), possible.end(), [&](double a, double b) { return off(a) < off(b); });
    EXPECT_NEAR(nearest, tumour, 1e-10);
  }
}

}  // namespace
}  // namespace dorsalgia
