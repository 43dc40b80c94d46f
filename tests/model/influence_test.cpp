#include "model/influence.h"

#include "support/tiny_knowledge.h"

namespace dorsalgia {
namespace {

std::vector<Complaint> after(const std::string& file, const std::string& what, const std::string& with) {
  KnowledgeFiles files = tiny_knowledge_files();
  edit(files, file, what, with);
  const Loaded loaded = load_knowledge(files);
  EXPECT_TRUE(loaded.complaints.empty()) << loaded.complaints[0].text();
  return findings_without_influence(loaded.knowledge, compile(loaded.knowledge));
}

TEST(Influence, EveryTinyFindingMoves) {
  const Knowledge k = tiny_knowledge();
  EXPECT_TRUE(findings_without_influence(k, compile(k)).empty());
}

TEST(Influence, ARatioOfOneTellsNothing) {
  const auto c = after("causes/tiny/met.yaml", "ratio: {value: 2, interval: [1.5, 3]", "ratio: {value: 1, interval: [0.8, 1.3]");
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].file, "findings/tiny/smoker.yaml");
  EXPECT_NE(c[0].message.find("'smoker' moves no posterior"), std::string::npos);
}

TEST(Influence, AShareLikeThePopulationsTellsNothing) {
  const auto c = after("causes/tiny/met.yaml", "share: {value: 0.7, interval: [0.5, 0.9]", "share: {value: 0.02, interval: [0.01, 0.9]");
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].file, "findings/tiny/history_breast.yaml");
}

TEST(Influence, OtherYearsAloneMoveAHistory) {
  EXPECT_TRUE(after("causes/tiny/met.yaml",
                    "history_breast: {share: {value: 0.7, interval: [0.5, 0.9], status: judgement, why: \"made up\"}}",
                    "history_breast: {share: {value: 0.02, interval: [0.01, 0.9], status: judgement, why: \"made up\"}, years: {values: "
                    "[0.4, 0.3, 0.2, 0.1], "
                    "interval_factor: 1.5, status: judgement, why: \"made up\"}}")
                  .empty());
}

TEST(Influence, OneGradeAloneIsNamed) {
  const auto c = after("findings/tiny/mri_lesion.yaml", "{value: 0.7, interval: [0.5, 0.8]", "{value: 0, interval: [0, 0.8]");
  ASSERT_EQ(c.size(), 1u);
  EXPECT_NE(c[0].message.find("grade 'definite' of 'mri_lesion'"), std::string::npos) << c[0].message;
}

TEST(Influence, AMechanismOfAStageThatNobodyReachesBringsNothing) {
  KnowledgeFiles files = tiny_knowledge_files();
  edit(files, "courses/spread.yaml", "    to: {compressed: {value: 0.05, interval: [0.02, 0.1], status: judgement, why: \"made up\"}}\n",
       "");
  const Loaded loaded = load_knowledge(files);
  const auto c = findings_without_influence(loaded.knowledge, compile(loaded.knowledge));
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].file, "findings/tiny/numb_dermatome_l5.yaml");
}

TEST(Influence, APlaceThatNoLevelReachesTellsNothing) {
  // Only the root is left, and no level's lesion hits L3 but T8's, where the mass of both tumours does not lie.
  KnowledgeFiles files = tiny_knowledge_files();
  edit(files, "findings/tiny/numb_dermatome_l5.yaml", "place: {root: L5}", "place: {root: L3}");
  edit(files, "findings/tiny/numb_dermatome_l5.yaml",
       "  cord_compression: {value: 0.5, interval: [0.3, 0.7], status: judgement, why: \"made up\"}\n", "");
  edit(files, "causes/tiny/met.yaml", "{thoracic: 0.6, lumbar: 0.4}", "{lumbar: 1}");
  const Loaded loaded = load_knowledge(files);
  const auto c = findings_without_influence(loaded.knowledge, compile(loaded.knowledge));
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].file, "findings/tiny/numb_dermatome_l5.yaml");
}

TEST(Influence, AShiftOfNothingTellsNothing) {
  KnowledgeFiles files = tiny_knowledge_files();
  edit(files, "findings/tiny/esr.yaml", "shift: {value: 0.4, interval: [0.1, 0.8]", "shift: {value: 0, interval: [0, 0.8]");
  edit(files, "findings/tiny/esr.yaml", "    spread: {value: 0.3, interval: [0.1, 0.5], status: judgement, why: \"made up\"}\n", "");
  edit(files, "causes/tiny/kidney_tumour.yaml", "shift: {value: 0.8, interval: [0.5, 1.2]", "shift: {value: 0, interval: [0, 1.2]");
  const Loaded loaded = load_knowledge(files);
  const auto c = findings_without_influence(loaded.knowledge, compile(loaded.knowledge));
  ASSERT_EQ(c.size(), 1u);
  EXPECT_EQ(c[0].file, "findings/tiny/esr.yaml");
}

}  // namespace
}  // namespace dorsalgia
