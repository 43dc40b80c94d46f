#include "report/reference.h"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "support/tiny_knowledge.h"

namespace dorsalgia {
namespace {

TEST(Reference, PagesFitTheTerminal) {
  const Knowledge k = builtin_knowledge();
  const Model m = compile(k);
  const std::vector<Named> names = all_pages(k);
  for (std::size_t i = 0; i < names.size(); i += 5) {  // every fifth: of each kind some
    const Named& name = names[i];
    const auto pages = reference_pages(k, m, name.kind + "/" + name.id);
    ASSERT_EQ(pages.size(), 1u) << name.kind << "/" << name.id;
    std::istringstream text(text_page(pages[0], k, 100, false));
    for (std::string line; std::getline(text, line);) {
      const auto columns = std::count_if(line.begin(), line.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; });
      if (line.find("http") == std::string::npos && line.find('"') == std::string::npos) {
        EXPECT_LE(columns, 100) << name.id << ": " << line;
      }
      EXPECT_EQ(line.find(" nan"), std::string::npos) << name.id << ": " << line;
    }
    EXPECT_NO_THROW(json_page(pages[0], k).dump());
  }
}

TEST(Reference, ACauseTellsEveryFindingWithIntervalAndSource) {
  const Knowledge k = tiny_knowledge();
  const auto pages = reference_pages(k, compile(k), "met");
  ASSERT_EQ(pages.size(), 1u);
  const std::string text = text_page(pages[0], k, 100, false);
  for (const char* part : {"malignant tumour", "SNOMED CT 94222008", "per 100,000", "x smoker", "2 (1.5 to 3)", "checked [1] Tiny 2020",
                           "night_pain", "60% (46 to 72)", "mri_lesion: definite", "[1]  Tiny T. A small study."})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(Reference, AFindingKnowsWhoUsesIt) {
  const Knowledge k = tiny_knowledge();
  const std::string text = text_page(reference_pages(k, compile(k), "nocturnal_pain").at(0), k, 100, false);
  for (const char* part : {"finding: night_pain", "tumour_bone_pain", "30 of 50; checked [1]", "spread, compressed",
                           "cancer_and_night_pain", "short_list", "judgement: made up"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(Reference, ASourceTellsWhatRestsOnIt) {
  const Knowledge k = tiny_knowledge();
  const std::string text = text_page(reference_pages(k, compile(k), "tiny-2020").at(0), k, 100, false);
  for (const char* part : {"50 numbers rest on it", "cause met: rate", "score tiny_score", "red flag list short_list"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

TEST(Reference, JsonKeepsNumbersAsNumbers) {
  const Knowledge k = tiny_knowledge();
  const auto j = json_page(reference_pages(k, compile(k), "night_pain").at(0), k);
  bool found = false;
  for (const auto& section : j["sections"])
    for (const auto& row : section.value("rows", nlohmann::ordered_json::array()))
      if (row["label"] == "muscle_strain") {
        found = true;
        EXPECT_EQ(row["value"], 0.2);
        EXPECT_EQ(row["interval"][1], 0.3);
        EXPECT_EQ(row["status"], "judgement");
        EXPECT_EQ(row["file"], "findings/tiny/night_pain.yaml");
        EXPECT_GT(row["line"], 1);
      }
  EXPECT_TRUE(found);
}

TEST(Reference, UnknownNamesHaveNoPage) {
  const Knowledge k = tiny_knowledge();
  EXPECT_TRUE(reference_pages(k, compile(k), "nothing").empty());
  EXPECT_TRUE(reference_pages(k, compile(k), "cause/night_pain").empty());
}

TEST(Reference, Percentages) {
  EXPECT_EQ(percent(0), "0%");
  EXPECT_EQ(percent(0.44), "44%");
  EXPECT_EQ(percent(0.995), "100%");
  EXPECT_EQ(percent(0.0995), "10%");
  EXPECT_EQ(percent(0.052), "5.2%");
  EXPECT_EQ(percent(0.05), "5%");
  EXPECT_EQ(percent(0.0005), "0.05%");
  EXPECT_EQ(percent(0.00012), "0.012%");
  EXPECT_EQ(percent(0.0000097), "0.00097%");
  EXPECT_EQ(percent(1), "100%");
}

TEST(Reference, WrapsAtSpaces) {
  EXPECT_EQ(wrapped("one two three four five six", 30, 10), "one two three four\n          five six");
  EXPECT_EQ(wrapped("", 30, 2), "");
}

}  // namespace
}  // namespace dorsalgia
