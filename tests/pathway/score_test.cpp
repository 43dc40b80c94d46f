#include "pathway/score.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>  // after gtest.h, which it needs

#include "support/builtin.h"
#include "support/tiny_knowledge.h"

namespace dorsalgia {
namespace {

using test::knowledge;

const std::map<std::string, std::string> kSins = {{"location", "T12"},     {"pain", "mechanical"},        {"bone_lesion", "lytic"},
                                                  {"alignment", "normal"}, {"collapse", "involved_only"}, {"posterolateral", "unilateral"}};

TEST(Score, SinsOfACompleteAnswer) {
  const ScoreResult r = score(*knowledge().score("sins"), kSins);
  EXPECT_TRUE(r.complete);
  EXPECT_EQ(r.points, 10);  // 3 + 3 + 2 + 0 + 1 + 1
  EXPECT_EQ(r.lowest, 10);
  EXPECT_EQ(r.highest, 10);
  ASSERT_NE(r.band, nullptr);
  EXPECT_EQ(r.band->label, "potentially unstable");
  EXPECT_TRUE(r.missing.empty());
}

// Fisher 2010: junctional C0-C2, C7-T2, T11-L1, L5-S1; mobile C3-C6, L2-L4; semi-rigid T3-T10; rigid S2-S5.
TEST(Score, SinsLocationTakesLevels) {
  const std::map<std::string, double> points = {{"C1", 3}, {"C2", 3},  {"C3", 2},  {"C6", 2}, {"C7", 3},  {"T2", 3},
                                                {"T3", 1}, {"T10", 1}, {"T11", 3}, {"L1", 3}, {"L2", 2},  {"L4", 2},
                                                {"L5", 3}, {"S1", 3},  {"S2", 0},  {"S5", 0}, {"t12", 3}, {"junctional", 3}};
  for (const auto& [level, expected] : points) {
    const ScoreResult r = score(*knowledge().score("sins"), {{"location", level}});
    EXPECT_TRUE(r.faults.empty()) << level;
    EXPECT_EQ(r.points, expected) << level;
  }
}

TEST(Score, SinsEndsOfTheScale) {
  const Score& sins = *knowledge().score("sins");
  const ScoreResult nothing = score(sins, {});
  EXPECT_EQ(nothing.lowest, 0);
  EXPECT_EQ(nothing.highest, 18);
  EXPECT_FALSE(nothing.complete);
  EXPECT_EQ(nothing.missing.size(), 6u);
}

TEST(Score, AMissingItemIsIncompleteNeverZero) {
  auto answers = kSins;
  answers.erase("bone_lesion");
  const ScoreResult r = score(*knowledge().score("sins"), answers);
  EXPECT_FALSE(r.complete);
  EXPECT_EQ(r.band, nullptr);
  EXPECT_EQ(r.missing, std::vector<std::string>{"bone_lesion"});
  EXPECT_EQ(r.lowest, 8);
  EXPECT_EQ(r.highest, 10);
}

TEST(Score, UnknownItemsAndOptionsAreFaultsWithTheNearestName) {
  const ScoreResult r = score(*knowledge().score("sins"), {{"lcation", "T12"}, {"pain", "mechancal"}});
  ASSERT_EQ(r.faults.size(), 2u);
  EXPECT_NE(r.faults[0].find("did you mean 'location'?"), std::string::npos) << r.faults[0];
  EXPECT_NE(r.faults[1].find("did you mean 'mechanical'?"), std::string::npos) << r.faults[1];
  EXPECT_FALSE(r.complete);
  const ScoreResult far = score(*knowledge().score("sins"), {{"pain", "xyzzy"}});
  ASSERT_EQ(far.faults.size(), 1u);
  EXPECT_NE(far.faults[0].find("mechanical, occasional, none"), std::string::npos) << far.faults[0];
}

TEST(Score, ALevelThatNoOptionCoversIsAFault) { EXPECT_EQ(score(*knowledge().score("sins"), {{"location", "coccyx"}}).faults.size(), 1u); }

TEST(Score, TheSameItemInTwoSpellingsIsAFault) {
  EXPECT_EQ(score(*knowledge().score("sins"), {{"bone_lesion", "lytic"}, {"bone-lesion", "mixed"}}).faults.size(), 1u);
}

TEST(Score, CategoriesGiveAGrade) {
  for (const char* word : {"grade_1c", "1c", "1C"}) {
    const ScoreResult r = score(*knowledge().score("escc"), {{"grade", word}});
    EXPECT_TRUE(r.complete) << word;
    EXPECT_EQ(r.grade, "1c");
    ASSERT_NE(r.band, nullptr);
    EXPECT_EQ(r.band->label, "low grade");
  }
}

TEST(Score, PublishedExtremes) {
  // Tokuhashi 2005: 0 to 15; Tomita 2001: 2 to 10; modified Bauer: 0 to 4; NESMS: 0 to 3.
  const std::map<std::string, std::pair<double, double>> ranges = {
      {"tokuhashi_revised", {0, 15}}, {"tomita", {2, 10}}, {"modified_bauer", {0, 4}}, {"nesms", {0, 3}}, {"sins", {0, 18}}};
  for (const auto& [id, range] : ranges) {
    ASSERT_NE(knowledge().score(id), nullptr) << id;
    const ScoreResult r = score(*knowledge().score(id), {});
    EXPECT_EQ(r.lowest, range.first) << id;
    EXPECT_EQ(r.highest, range.second) << id;
  }
}

// Whatever is answered: every full answer lands in exactly one band, and its points lie in the range told before.
RC_GTEST_PROP(Score, RangesAreKeptAndBandsCover, ()) {
  const auto& scores = knowledge().scores;
  const Score& s = scores[*rc::gen::inRange<std::size_t>(0, scores.size())];
  std::map<std::string, std::string> some, all;
  for (const auto& item : s.items) {
    const auto& option = item.options[*rc::gen::inRange<std::size_t>(0, item.options.size())];
    all[item.id] = option.id;
    if (*rc::gen::arbitrary<bool>()) some[item.id] = option.id;
  }
  const ScoreResult before = score(s, some), after = score(s, all);
  RC_ASSERT(after.complete);
  RC_ASSERT(after.faults.empty());
  RC_ASSERT(before.complete == (some.size() == all.size()));
  RC_ASSERT(before.missing.size() + before.given.size() == s.items.size());
  RC_ASSERT(before.lowest <= after.points && after.points <= before.highest);
  RC_ASSERT(after.band != nullptr);
  int bands = 0;
  for (const auto& b : s.interpretation)
    bands += b.grades.empty() ? (!b.min || after.points >= *b.min) && (!b.max || after.points <= *b.max)
                              : std::count(b.grades.begin(), b.grades.end(), after.grade) > 0;
  RC_ASSERT(bands == 1);
}

TEST(Score, TinyScoreByHand) {
  const Knowledge k = tiny_knowledge();
  const ScoreResult r = score(*k.score("tiny_score"), {{"location", "L4"}, {"pain", "some"}});
  EXPECT_EQ(r.points, 5);
  ASSERT_NE(r.band, nullptr);
  EXPECT_EQ(r.band->action, "act");
}

}  // namespace
}  // namespace dorsalgia
