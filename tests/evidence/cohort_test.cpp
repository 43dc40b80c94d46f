// A simulated cohort as text, scored: the same as scoring it by hand, whatever the number of threads; what is hidden stays
// hidden; and lines that are no people of a cohort are named.
#include "evidence/cohort.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "pathway/pathway.h"
#include "simulation/lines.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::knowledge;
using test::model;

using nlohmann::json;

constexpr int kPeople = 540;  // more than two chunks

const std::vector<VirtualPerson>& people() {
  static const std::vector<VirtualPerson> all = [] {
    Cohort half_malignant;
    for (std::size_t c = 0; c < model().causes.size(); ++c)
      half_malignant.causes.push_back(model().is_malignant(static_cast<int>(c)) ? 200 : 1);
    const People drawn(model(), 3, half_malignant);
    std::vector<VirtualPerson> out(kPeople);
    for (int i = 0; i < kPeople; ++i) drawn.draw(static_cast<std::uint64_t>(i), out[static_cast<std::size_t>(i)]);
    return out;
  }();
  return all;
}

std::string lines() {
  const PersonLines writer(knowledge(), model());
  std::string out;
  for (const VirtualPerson& p : people()) writer.json(p, out);
  return out;
}

json scored(const std::string& text, const CohortOptions& options, std::vector<CaseFault>* faults = nullptr) {
  std::istringstream in(text);
  std::vector<CaseFault> found;
  json out = evaluate_cohort(in, knowledge(), engine(), options, found);
  if (faults) *faults = found;
  else EXPECT_TRUE(found.empty()) << found[0].text;
  return out;
}

TEST(CohortScores, AreThoseOfEachPersonByHand) {
  double weight = 0, with = 0, predicted = 0, fired = 0;
  int adults = 0;
  for (const VirtualPerson& p : people()) {
    if (p.age < kAdult) continue;
    const Presentation known = presentation(model(), p);
    ++adults, weight += p.weight;
    if (model().is_malignant(p.cause)) with += p.weight;
    predicted += p.weight * engine().posterior(known).malignant;
    for (const ComparatorResult& list : compare(knowledge(), model(), known))
      if (list.list->id == "deyo_diehl_1988" && list.parts[0].second == Truth::yes) fired += p.weight;
  }
  const json got = scored(lines(), {});
  EXPECT_EQ(got["people"], adults);
  EXPECT_EQ(got["people"].get<int>() + got["children"].get<int>(), kPeople);
  const json& malignant = got["outcomes"]["malignant"];
  EXPECT_NEAR(malignant["share"].get<double>(), with / weight, 1e-5);  // lines round weights, ages and values
  EXPECT_NEAR(malignant["predicted"].get<double>(), predicted / weight, 0.02 * predicted / weight);
  for (const json& list : malignant["lists"]) {
    if (list["id"] == "deyo_diehl_1988") {
      EXPECT_NEAR(list["acts"].get<double>(), fired / weight, 0.01);
    }
    EXPECT_NE(list["id"], "pmm_children");  // for children: can never fire
    EXPECT_NE(list["id"], "girft_ces_uk");  // looks for no tumour
  }
}

TEST(CohortScores, DoNotDependOnThreads) {
  const json one = scored(lines(), {1, {}, {}}), four = scored(lines(), {4, {}, {}});
  EXPECT_EQ(one.dump(), four.dump());
}

TEST(CohortScores, ScansAndBloodTestsTellMore) {
  const json all = scored(lines(), {}), asked = scored(lines(), {0, {"imaging", "blood tests"}, {}});
  EXPECT_GE(all["outcomes"]["malignant"]["auroc"]["value"], asked["outcomes"]["malignant"]["auroc"]["value"]);
  EXPECT_LT(all["outcomes"]["malignant"]["brier"]["value"], asked["outcomes"]["malignant"]["brier"]["value"]);
}

TEST(CohortScores, NameTheLineThatIsNoPersonOfACohort) {
  std::string text = lines();
  text = text.substr(0, text.find('\n') + 1);
  std::vector<CaseFault> faults;
  scored(text + "\n{\"age\": 60}\nnonsense\n" + R"({"age": 60, "truth": {"is_tumour": true, "malignant": true, "weight": 0}})" + "\n" +
             R"({"age": 600, "truth": {"is_tumour": true, "malignant": true, "weight": 1}})" + "\n",
         {}, &faults);
  ASSERT_EQ(faults.size(), 4U);
  EXPECT_EQ(faults[0].line, 3);
  EXPECT_NE(faults[0].text.find("truth: missing"), std::string::npos);
  EXPECT_EQ(faults[1].line, 4);
  EXPECT_NE(faults[2].text.find("above 0"), std::string::npos);
  EXPECT_NE(faults[3].text.find("age"), std::string::npos);
}

TEST(CohortScores, AreOnlyForCohorts) {
  EXPECT_TRUE(is_cohort_line(R"({"age": 60, "truth": {"weight": 1}})"));
  EXPECT_FALSE(is_cohort_line(R"({"age": 60, "truth": {"group": "metastasis"}})"));
  EXPECT_FALSE(is_cohort_line("[1]"));
  EXPECT_FALSE(is_cohort_line("{"));
}

}  // namespace
}  // namespace dorsalgia
