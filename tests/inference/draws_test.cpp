// Draws side by side must be the draws one by one.
#include "inference/draws.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "inference/intervals.h"
#include "support/builtin.h"
#include "support/compare.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

using test::draws;
using test::engine;
using test::knowledge;
using test::model;

class InstructionSet : public testing::TestWithParam<std::string> {
 protected:
  const ExactEngine engine_{model(), GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Draws, InstructionSet, testing::ValuesIn(ExactEngine::targets()), [](const auto& its) { return its.param; });

// The oracle: an engine of the model whose every number was displaced.
TEST_P(InstructionSet, SideBySideAreThoseOneByOne) {
  const MovedNumbers few(knowledge(), model(), 3);
  std::vector<Model> moved(3, model());
  std::vector<ExactEngine> engines;
  for (int draw = 0; draw < 3; ++draw) {
    for (std::size_t i = 0; i < few.parameters().size(); ++i)
      displace(moved[static_cast<std::size_t>(draw)], few.parameters()[i], few.z(draw, i));
    engines.emplace_back(moved[static_cast<std::size_t>(draw)]);
  }
  const int people = test::share_of(1500);
  int compared = 0;
  for (int i = 0; i < people; ++i) {
    const Presentation p = test::RandomPeople(model(), 77003 * static_cast<std::uint64_t>(i) + 5).person();
    const DrawnPosteriors drawn = under_draws(engine_, few, p);
    Eigen::Index at = 0;
    for (const ExactEngine& its : engines) {
      const Posterior one = its.posterior(p);
      if (!one.possible) continue;
      ASSERT_LT(at, drawn.tumour.size()) << test::words(model(), p);
      double worst = std::max({std::abs(drawn.tumour[at] - one.tumour), std::abs(drawn.malignant[at] - one.malignant),
                               std::abs(drawn.emergency[at] - one.emergency)});
      for (std::size_t c = 0; c < one.causes.size(); ++c)
        worst = std::max(worst, std::abs(drawn.causes(at, static_cast<Eigen::Index>(c)) - one.causes[c]));
      for (std::size_t w = 0; w < one.compression.size(); ++w)
        worst = std::max(worst, std::abs(drawn.compression(at, static_cast<Eigen::Index>(w)) - one.compression[w]));
      ASSERT_LT(worst, 1e-9) << test::words(model(), p);
      ++at, ++compared;
    }
    ASSERT_EQ(at, drawn.tumour.size()) << test::words(model(), p);
  }
  EXPECT_GT(compared, 2 * people);
}

// What other numbers lanes work out must not hang on the instruction set either.
TEST_P(InstructionSet, AsksAndForeseesAsEveryOther) {
  std::vector<int> open;
  for (int f = 1; f < static_cast<int>(model().findings.size()); f += 5)
    if (model().findings[f].shape != Shape::measured) open.push_back(f);
  for (int i = 0; i < test::share_of(100); ++i) {
    Presentation p = test::RandomPeople(model(), 91009 * static_cast<std::uint64_t>(i) + 1).person();
    const std::vector<Prospect> its = engine_.prospects(p), others = engine().prospects(p);
    ASSERT_EQ(its.size(), others.size());
    for (std::size_t k = 0; k < its.size(); ++k) {
      ASSERT_NEAR(its[k].tumour_bits, others[k].tumour_bits, 1e-9) << test::words(model(), p);
      ASSERT_NEAR(its[k].emergency_bits, others[k].emergency_bits, 1e-9) << test::words(model(), p);
    }
    if (!p.later.empty()) continue;
    const std::vector<int> named = named_findings(p);
    std::vector<int> asked;
    std::set_difference(open.begin(), open.end(), named.begin(), named.end(), std::back_inserter(asked));
    const std::vector<double> seen = engine_.once_answered(p, asked, 16), by_others = engine().once_answered(p, asked, 16);
    ASSERT_EQ(seen.size(), by_others.size());
    for (std::size_t k = 0; k < seen.size(); ++k) ASSERT_NEAR(seen[k], by_others[k], 1e-9) << test::words(model(), p);
  }
}

TEST(Draws, AnUnknownInstructionSetIsRefused) { EXPECT_THROW(ExactEngine(model(), "abacus"), std::invalid_argument); }

TEST(Draws, AroundTheModelItself) {
  Presentation p;
  p.age = 68, p.sex = Sex::female, p.setting = 1, p.weeks = {6, 6};
  const auto said = [&](const char* f, int grade) { p.answers.push_back({model().finding(f), grade, grade, false, 0, 0, ""}); };
  said("night_pain", 1), said("progressive_pain", 1), said("fever", 0), said("history_breast", 2);
  const Posterior now = engine().posterior(p);
  const DrawnPosteriors all = under_draws(engine(), draws().numbers(), p);
  EXPECT_EQ(all.tumour.size(), kDraws);
  EXPECT_LT(all.tumour.minCoeff(), now.tumour);
  EXPECT_GT(all.tumour.maxCoeff(), now.tumour);
  EXPECT_NEAR((all.causes.rowwise().sum() - 1).abs().maxCoeff(), 0, 1e-12);
  for (Eigen::Index w = 1; w < all.compression.cols(); ++w) EXPECT_GE((all.compression.col(w) - all.compression.col(w - 1)).minCoeff(), 0);
}

}  // namespace
}  // namespace dorsalgia
