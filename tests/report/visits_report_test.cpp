// What a report says of a person seen more than once.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "person/read.h"
#include "report/telling.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::draws;
using test::engine;
using test::knowledge;
using test::model;

Report report_of(const std::string& example) {
  std::ifstream in(std::string(DORSALGIA_SOURCE_DIR "/examples/") + example + ".json");
  std::stringstream text;
  text << in.rdbuf();
  const PersonRead read = read_person(text.str(), knowledge(), model());
  EXPECT_TRUE(read.faults.empty());
  return make_report(knowledge(), engine(), draws(), read.person, "uk");
}

const Report& breast() {
  static const Report r = report_of("breast-three-visits-58f");
  return r;
}

TEST(VisitsReport, TheTrajectoryRisesToAnEmergency) {
  const nlohmann::json j = json_report(breast());
  ASSERT_EQ(j["trajectory"].size(), 3u);
  EXPECT_EQ(j["trajectory"][0]["weeks"], 0);
  EXPECT_EQ(j["trajectory"][2]["weeks"], 7);
  EXPECT_LT(j["trajectory"][0]["tumour"], j["trajectory"][1]["tumour"]);
  EXPECT_LT(j["trajectory"][1]["emergency"], j["trajectory"][2]["emergency"]);
  EXPECT_EQ(j["trajectory"][2]["tumour"], j["probability"]["tumour"]);
  EXPECT_EQ(j["urgency"]["level"], "emergency");  // weakness at the last visit, though absent at the first
}

TEST(VisitsReport, RecoveryLowersIt) {
  const nlohmann::json j = json_report(report_of("strain-recovers-34m"));
  ASSERT_EQ(j["trajectory"].size(), 3u);
  EXPECT_LT(j["trajectory"][2]["tumour"], j["trajectory"][0]["tumour"]);
  EXPECT_TRUE(j["next"].empty());
  bool gone = false;
  for (const auto& r : j["reasons"]) gone = gone || r["what"] == "the pain has gone";
  EXPECT_TRUE(gone);
}

TEST(VisitsReport, ReasonsSayWhen) {
  std::vector<double> weak_absent, weak_present;
  bool still = false;
  for (const Reason& r : breast().reasons) {
    if (r.what == "findings.weakness: absent") weak_absent = r.weeks;
    if (r.what == "findings.weakness: present") weak_present = r.weeks;
    still = still || r.what == "the pain is still there";
  }
  EXPECT_EQ(weak_absent, (std::vector<double>{0, 4}));  // said twice, one reason
  EXPECT_EQ(weak_present, std::vector<double>{7});
  EXPECT_TRUE(still);
  const std::string text = text_report(breast(), {false, 100, false});
  EXPECT_NE(text.find("(week 7)"), std::string::npos);
}

// A push is what is lost when the answer is not said, at whichever visit.
TEST(VisitsReport, APushIsThePosteriorWithoutIt) {
  Presentation without = breast().person;
  std::erase_if(without.later[0].answers, [](const Answer& a) { return a.finding == model().finding("esr"); });
  const double push = decibans(engine().posterior(breast().person).tumour) - decibans(engine().posterior(without).tumour);
  for (const Reason& r : breast().reasons)
    if (r.finding == model().finding("esr")) {
      EXPECT_NEAR(r.tumour_decibans, push, 1e-9);
      EXPECT_EQ(r.weeks, std::vector<double>{4});
      return;
    }
  FAIL() << "no reason about the ESR";
}

TEST(VisitsReport, TextFitsEightyColumnsAndPagesShowTheCurve) {
  for (const bool for_person : {false, true}) {
    std::istringstream text(text_report(breast(), {false, 80, for_person}));
    std::string line;
    int rows = 0;
    while (std::getline(text, line)) {
      int seen = 0;
      for (char c : line) seen += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
      EXPECT_LE(seen, 80) << line;
      rows += line.rfind("  first visit ", 0) == 0 || line.rfind("  week ", 0) == 0;
    }
    EXPECT_EQ(rows, 3);
    const std::string page = html_report(breast(), for_person ? Voice::person : Voice::clinician);
    EXPECT_NE(page.find("<polyline class=\"line-tumour\""), std::string::npos);
    EXPECT_NE(page.find("week 7"), std::string::npos);
  }
}

TEST(VisitsReport, OneVisitHasNoCurve) {
  const Report r = report_of("breast-12y-55f");
  EXPECT_TRUE(json_report(r)["trajectory"].empty());
  EXPECT_EQ(html_report(r).find("polyline class=\"line-tumour\""), std::string::npos);
}

TEST(VisitsReport, ContradictionAcrossVisitsWithholdsNumbers) {
  const PersonRead read = read_person(
      std::string(
          R"({"age": 50, "sex": "female", "context": {"cancer_history": false}, "visits": [{"weeks": 3, "context": {"cancer_history": "breast"}}]})"),
      knowledge(), model());
  ASSERT_TRUE(read.faults.empty());
  const nlohmann::json j = json_report(make_report(knowledge(), engine(), draws(), read.person, "uk"));
  EXPECT_TRUE(j["withheld"].is_string());
  EXPECT_TRUE(j["trajectory"].empty());
}

}  // namespace
}  // namespace dorsalgia
