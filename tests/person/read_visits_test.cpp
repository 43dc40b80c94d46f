// Later visits in the input: what is read, and every fault with its place and remedy.
#include <gtest/gtest.h>

#include <string>

#include "person/read.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::knowledge;
using test::model;

PersonRead read(const std::string& visits, const std::string& first = "") {
  return read_person("{\"age\": 58, \"sex\": \"female\", " + first + "\"visits\": " + visits + "}", knowledge(), model());
}

std::string fault(const std::string& visits, const std::string& first = "") {
  const PersonRead r = read(visits, first);
  std::string all;
  for (const PersonFault& f : r.faults) all += f.text() + "\n";
  EXPECT_EQ(r.faults.size(), 1u) << visits << "\n" << all;
  return all;
}

const Answer* about(const std::vector<Answer>& answers, const char* finding) {
  for (const Answer& a : answers)
    if (a.finding == model().finding(finding)) return &a;
  return nullptr;
}

TEST(ReadVisits, EachHasItsFacts) {
  const PersonRead r = read(
      R"([{"weeks": 0, "findings": {"fever": "absent"}}, {"weeks": 4, "findings": {"night_pain": true}, "labs": {"crp": "70 mg/L"}, "location": "thoracic"},
          {"weeks": 4, "labs": {"inflammatory_markers": "raised"}}, {"weeks": 9.5, "recovered": true, "context": {"smoker": true}}])",
      R"("findings": {"night_pain": "absent"}, "location": "lumbar", )");
  ASSERT_TRUE(r.faults.empty()) << r.faults[0].text();
  const Presentation& p = r.person;
  EXPECT_EQ(p.answers.size(), 2u);
  EXPECT_TRUE(about(p.answers, "night_pain")->absent());
  EXPECT_TRUE(about(p.answers, "fever")->absent());
  EXPECT_EQ(p.locations.size(), 1u);
  ASSERT_EQ(p.later.size(), 2u);
  EXPECT_EQ(p.later[0].weeks, 4);
  EXPECT_TRUE(about(p.later[0].answers, "night_pain")->present());
  EXPECT_EQ(about(p.later[0].answers, "crp")->from, 70);
  EXPECT_EQ(p.later[0].any_of.size(), 1u);
  EXPECT_FALSE(p.later[0].locations.empty());
  EXPECT_EQ(p.later[1].weeks, 9.5);
  EXPECT_TRUE(p.later[1].recovered);
  EXPECT_EQ(p.later[1].answers.size(), 1u);
}

TEST(ReadVisits, NoneAreNone) {
  for (const char* none : {"[]", "null"}) {
    const PersonRead r = read(none, R"("context": {"cancer_history": "breast", "years_since_cancer": 3}, )");
    EXPECT_TRUE(r.faults.empty());
    EXPECT_TRUE(r.person.later.empty());
    EXPECT_EQ(r.person.answers[0].low, 2);  // the years were read
  }
}

TEST(ReadVisits, FaultsNamePlaceAndRemedy) {
  auto tells = [](const std::string& visits, const char* place, const char* words) {
    const std::string f = fault(visits);
    EXPECT_EQ(f.rfind(place, 0), 0u) << f;
    EXPECT_NE(f.find(words), std::string::npos) << f;
    EXPECT_NE(f.find(" ("), std::string::npos) << f << "no remedy";
  };
  tells(R"([{"weeks": 5}, {"weeks": 3}])", "visits[1].weeks", "week 3 comes after week 5");
  tells(R"([{"weeks": -2}])", "visits[0].weeks", "-2 weeks cannot be");
  tells(R"([{"weeks": 1e9}])", "visits[0].weeks", "cannot be");
  tells(R"([{"weeks": "4"}])", "visits[0].weeks", "a number of weeks is needed");
  tells(R"([{"findings": {"fever": true}}])", "visits[0].weeks", "when was this visit?");
  tells(R"([7])", "visits[0]", "a visit is an object");
  tells(R"({"weeks": 4})", "visits", "a list of visits is needed");
  tells(R"([{"weeks": 4, "age": 41}])", "visits[0].age", "about the person");
  tells(R"([{"weeks": 4, "findings": {"fevre": true}}])", "visits[0].findings.fevre", "no finding is called");
  tells(R"([{"weeks": 4, "night_pain": true}])", "visits[0].night_pain", "outside the object");
  tells(R"([{"weeks": 4, "recovered": true, "findings": {"fever": true}}])", "visits[0]", "after recovery");
  tells(R"([{"weeks": 4, "recovered": true}, {"weeks": 6}])", "visits[1]", "pain after recovery");
  tells(R"([{"weeks": 4, "findings": {"fever": true}}, {"weeks": 4, "findings": {"fever": false}}])", "visits[1].findings.fever",
        "contradicts");
  tells(R"([{"weeks": 4}, {"weeks": 4, "recovered": true}])", "visits[1].recovered", "says otherwise");
  tells(R"([{"weeks": 0, "recovered": true}])", "visits[0].recovered", "says otherwise");
  EXPECT_NE(fault(R"([{"weeks": 4, "recovered": "yes"}])").find("true or false is needed"), std::string::npos);
  tells(R"([{"weeks": 4, "context": {"cancer_history": "lung", "years_since_cancer": 130}}])", "visits[0].context.years_since_cancer",
        "not possible");
  EXPECT_NE(fault(R"([{"weeks": 4, "context": {"cancer_history": "lung", "years_since_cancer": 70}}])")
                .find("visits[0].context.years_since_cancer: longer ago"),
            std::string::npos);
}

TEST(ReadVisits, NoMoreThanSix) {
  std::string visits = "[";
  for (int i = 1; i <= 5; ++i) visits += (i > 1 ? ", " : "") + std::string("{\"weeks\": ") + std::to_string(i) + "}";
  EXPECT_TRUE(read(visits + "]").faults.empty());
  EXPECT_NE(fault(visits + ", {\"weeks\": 12}]").find("6 later visits, more than 5"), std::string::npos);
}

TEST(ReadVisits, WhatIsLeftOpenAtEachVisitIsRead) {
  std::string visits = "[";
  for (int i = 1; i <= 5; ++i)
    visits += (i > 1 ? ", " : "") + std::string("{\"weeks\": ") + std::to_string(i) + ", \"labs\": {\"inflammatory_markers\": \"raised\"}}";
  EXPECT_TRUE(read(visits + "]").faults.empty());
}

TEST(ReadVisits, ProteinInTheUrineIsNoted) {
  const PersonRead r = read("[]", R"("labs": {"urine": "blood, nitrite, protein"}, )");
  ASSERT_TRUE(r.faults.empty()) << r.faults[0].text();
  ASSERT_EQ(r.person.noted.size(), 1u);
  EXPECT_EQ(r.person.noted[0], "labs.urine: protein");
  EXPECT_EQ(r.person.answers.size(), 2u);
}

}  // namespace
}  // namespace dorsalgia
