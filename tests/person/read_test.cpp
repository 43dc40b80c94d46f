// Every kind of input and every fault of src/person/read.cpp, through the built-in knowledge.
#include "person/read.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "inference/exact.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::knowledge;
using test::model;

PersonRead read(const std::string& text, UnknownNames unknown = UnknownNames::refuse) {
  return read_person(text, knowledge(), model(), unknown);
}

std::vector<std::string> faults(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& f : read(text).faults) out.push_back(f.text());
  return out;
}

using Words = std::vector<std::string>;

bool holds(const Words& words, const std::string& word) { return std::find(words.begin(), words.end(), word) != words.end(); }

// Exactly one fault, and these parts of it.
template <class... Parts>
::testing::AssertionResult tells(const std::string& text, Parts... parts) {
  const Words told = faults(text);
  std::string all;
  for (const auto& f : told) all += "  " + f + "\n";
  bool good = told.size() == 1;
  for (const std::string& part : std::initializer_list<std::string>{parts...}) good = good && told[0].find(part) != std::string::npos;
  return (good ? ::testing::AssertionSuccess() : ::testing::AssertionFailure()) << text.substr(0, 200) << "\n" << all;
}

Presentation person(const std::string& text) {
  const PersonRead r = read(text);
  for (const auto& f : r.faults) ADD_FAILURE() << text << "\n" << f.text();
  return r.person;
}

const Answer* about(const Presentation& p, const std::string& finding) { return p.answer(model().finding(finding)); }

std::vector<std::string> places(const Presentation& p) {
  std::vector<std::string> out;
  for (int i : p.locations) out.push_back(model().locations[i]);
  return out;
}

bool same(const Answer& a, const Answer& b) {
  return a.finding == b.finding && a.low == b.low && a.high == b.high && a.measured == b.measured && a.from == b.from && a.to == b.to;
}

bool same(const Presentation& a, const Presentation& b) {
  if (a.age != b.age || a.sex != b.sex || a.setting != b.setting || a.weeks != b.weeks || a.locations != b.locations ||
      a.sensory_segment != b.sensory_segment)
    return false;
  if (!std::equal(a.answers.begin(), a.answers.end(), b.answers.begin(), b.answers.end(),
                  [](const Answer& x, const Answer& y) { return same(x, y); }))
    return false;
  return std::equal(a.any_of.begin(), a.any_of.end(), b.any_of.begin(), b.any_of.end(), [](const AnyOf& x, const AnyOf& y) {
    return std::equal(x.answers.begin(), x.answers.end(), y.answers.begin(), y.answers.end(),
                      [](const Answer& v, const Answer& w) { return same(v, w); });
  });
}

const char* kWhole = R"({"id": "p1", "age": 68, "sex": "female", "setting": "primary care", "duration_weeks": 6, "location": "thoracic",
  "context": {"cancer_history": "breast", "years_since_cancer": 3, "smoker": false},
  "findings": {"night_pain": "present", "weight_loss": "absent", "fever": null},
  "labs": {"esr_mm_h": 54, "haemoglobin": "11.2 g/dL", "crp": "raised", "calcium": {"value": 2.9, "unit": "mmol/L"}}})";

TEST(Read, WholePerson) {
  const Presentation p = person(kWhole);
  EXPECT_EQ(p.id, "p1");
  EXPECT_EQ(p.age, 68);
  EXPECT_EQ(p.sex, Sex::female);
  EXPECT_EQ(model().settings.at(p.setting), "primary_care");
  EXPECT_EQ(p.weeks, (std::array<double, 2>{6, 6}));
  EXPECT_EQ(places(p), (Words{"thoracic"}));
  ASSERT_TRUE(about(p, "history_breast"));
  EXPECT_EQ(about(p, "history_breast")->low, 2);  // 1 to 5 years ago
  EXPECT_EQ(about(p, "history_breast")->high, 2);
  EXPECT_TRUE(about(p, "smoker")->absent());
  EXPECT_TRUE(about(p, "night_pain")->present());
  EXPECT_TRUE(about(p, "weight_loss")->absent());
  EXPECT_FALSE(about(p, "fever"));
  EXPECT_EQ(about(p, "esr")->from, 54);
  EXPECT_EQ(about(p, "esr")->to, 54);
  EXPECT_NEAR(about(p, "haemoglobin")->from, 112, 1e-9);
  EXPECT_EQ(about(p, "crp")->from, 5);
  EXPECT_TRUE(std::isinf(about(p, "crp")->to));
  EXPECT_EQ(about(p, "calcium")->from, 2.9);
}

TEST(Read, AnswersAreInOrderOfFinding) {
  const Presentation p = person(kWhole);
  EXPECT_TRUE(std::is_sorted(p.answers.begin(), p.answers.end(), [](const Answer& a, const Answer& b) { return a.finding < b.finding; }));
}

TEST(Read, OrderOfKeysDoesNotMatter) {
  const char* turned =
      R"({"labs": {"calcium": {"unit": "mmol/L", "value": 2.9}, "crp": "raised", "haemoglobin": "11.2 g/dL", "esr_mm_h": 54},
    "findings": {"fever": null, "weight_loss": "absent", "night_pain": "present"},
    "context": {"smoker": false, "years_since_cancer": 3, "cancer_history": "breast"},
    "location": "thoracic", "duration_weeks": 6, "setting": "primary care", "sex": "female", "age": 68, "id": "p1"})";
  EXPECT_TRUE(same(person(kWhole), person(turned)));
}

TEST(Read, WordsForYesAndNo) {
  for (const char* yes : {"true", "\"present\"", "\"yes\"", "\"Present\"", "\"positive\""})
    EXPECT_TRUE(about(person(std::string(R"({"findings": {"fever": )") + yes + "}}"), "fever")->present()) << yes;
  for (const char* no : {"false", "\"absent\"", "\"no\"", "\"none\"", "\"never\"", "\"negative\""})
    EXPECT_TRUE(about(person(std::string(R"({"findings": {"fever": )") + no + "}}"), "fever")->absent()) << no;
  for (const char* unknown : {"null", "\"unknown\"", "\"unsure\"", "\"not sure\"", "\"not assessed\""})
    EXPECT_FALSE(about(person(std::string(R"({"findings": {"fever": )") + unknown + "}}"), "fever")) << unknown;
}

TEST(Read, GradesNarrowPresent) {
  const Finding* graded = nullptr;
  for (const auto& f : knowledge().findings)
    if (f.grades.size() == 3) graded = &f;
  if (!graded) return;
  nlohmann::json j;
  j["findings"][graded->id] = "present";
  EXPECT_EQ(about(person(j.dump()), graded->id)->low, 1);
  EXPECT_EQ(about(person(j.dump()), graded->id)->high, 2);
  j["findings"][graded->id] = graded->grades[2];
  EXPECT_EQ(about(person(j.dump()), graded->id)->low, 2);
}

TEST(Read, NullIsMissing) {
  const Presentation nothing = person("{}");
  EXPECT_TRUE(same(nothing, person(R"({"id": null, "age": null, "sex": null, "setting": null, "duration_weeks": null, "location": null,
    "context": null, "findings": null, "labs": null})")));
  EXPECT_TRUE(same(
      nothing, person(R"({"duration_weeks": [null, null], "context": {"cancer_history": null, "years_since_cancer": null, "smoker": null},
    "findings": {"fever": null, "sensory_level": null}, "labs": {"esr": null, "fbc": null, "bp": null, "crp": {"value": null, "unit": null}}})")));
  EXPECT_TRUE(same(nothing, person(R"({"duration_weeks": {}, "context": {}, "findings": {}, "labs": {}, "location": []})")));
}

// ---- shapes of the person

TEST(Read, Durations) {
  const double inf = INFINITY;
  const std::vector<std::pair<const char*, std::array<double, 2>>> shapes = {
      {"6", {6, 6}},         {"0.02", {0.02, 0.02}},      {"[2, 8]", {2, 8}},        {"[2, null]", {2, inf}},
      {"[null, 8]", {0, 8}}, {R"({"min": 6})", {6, inf}}, {R"({"max": 6})", {0, 6}}, {R"({"min": 2, "max": 8})", {2, 8}}};
  for (const auto& [text, weeks] : shapes) EXPECT_EQ(person(std::string(R"({"duration_weeks": )") + text + "}").weeks, weeks) << text;
}

TEST(Read, DurationFaults) {
  EXPECT_TRUE(tells(R"({"duration_weeks": "6"})", "duration_weeks: a number of weeks is needed, this is a word (write it without quotes)"));
  EXPECT_TRUE(tells(R"({"duration_weeks": "2024-03-12"})", "duration_weeks: a number of weeks is needed, this is a word"));
  EXPECT_TRUE(tells(R"({"duration_weeks": 20240312})", "duration_weeks: ", "is not a duration of pain (weeks since the pain began"));
  EXPECT_TRUE(tells(R"({"duration_weeks": -1})", "-1 weeks is not a duration"));
  EXPECT_TRUE(tells(R"({"duration_weeks": [8, 2]})", "ends before it begins"));
  EXPECT_TRUE(tells(R"({"duration_weeks": {"min": 8, "max": 2}})", "ends before it begins"));
  EXPECT_TRUE(tells(R"({"duration_weeks": [1, 2, 3]})", "a range has two ends, this has 3"));
  EXPECT_TRUE(tells(R"({"duration_weeks": ["a", 3]})", "duration_weeks[0]: a number of weeks is needed, this is a word"));
  EXPECT_TRUE(tells(R"({"duration_weeks": {"from": 3}})", "duration_weeks.from: unknown key"));
  EXPECT_TRUE(tells(R"({"duration_weeks": true})", "this is true/false"));
}

TEST(Read, Locations) {
  EXPECT_EQ(places(person(R"({"location": "low back"})")), (Words{"lumbar"}));
  EXPECT_EQ(places(person(R"({"location": "Neck"})")), (Words{"cervical"}));
  EXPECT_EQ(places(person(R"({"location": ["thoracic", "flank"]})")), (Words{"thoracic", "flank"}));
  EXPECT_EQ(places(person(R"({"location": "L5"})")), (Words{"lumbar"}));
  EXPECT_EQ(places(person(R"({"location": "t6"})")), (Words{"thoracic"}));
  EXPECT_TRUE(tells(R"({"location": "lumbr"})", "location.lumbr: no pain location is called 'lumbr' (did you mean 'lumbar'?)"));
  EXPECT_TRUE(tells(R"({"location": 5})", "location: a word or a list of words is needed, this is a number"));
  EXPECT_TRUE(tells(R"({"location": ["lumbar", 5]})", "location: words are needed, this is a number"));
}

TEST(Read, EveryWordForASetting) {
  for (const auto& [word, id] : knowledge().vocabulary.settings) {
    const Presentation p = person(nlohmann::json{{"setting", word}}.dump());
    if (id == "unknown") EXPECT_EQ(p.setting, -1) << word;
    else EXPECT_EQ(model().settings.at(p.setting), id) << word;
  }
  for (const auto& s : model().settings) EXPECT_GE(person(nlohmann::json{{"setting", s}}.dump()).setting, 0) << s;
  EXPECT_TRUE(tells(R"({"setting": "primry care"})", "did you mean 'primary care'?"));
  EXPECT_TRUE(tells(R"({"setting": 4})", "setting: a word is needed, this is a number"));
}

TEST(Read, AgeFaults) {
  EXPECT_TRUE(tells(R"({"age": 212})", "age: 212 years is not an age (0 to 120; is it a year of birth, or in months?)"));
  EXPECT_TRUE(tells(R"({"age": 1957})"));
  EXPECT_TRUE(tells(R"({"age": -1})"));
  EXPECT_TRUE(tells(R"({"age": "68"})", "age: a number of years is needed, this is a word (write it without quotes)"));
  EXPECT_TRUE(tells(R"({"age": "sixty"})", "age: a number of years is needed, this is a word"));
  EXPECT_TRUE(tells(R"({"age": true})"));
  EXPECT_TRUE(tells(R"({"age": [68]})", "this is a list"));
  EXPECT_EQ(person(R"({"age": 0.5})").age, 0.5);
  EXPECT_EQ(person(R"({"age": 120})").age, 120);
}

TEST(Read, Sexes) {
  EXPECT_EQ(person(R"({"sex": "M"})").sex, Sex::male);
  EXPECT_EQ(person(R"({"sex": "female"})").sex, Sex::female);
  EXPECT_FALSE(person(R"({"sex": "unknown"})").sex);
  EXPECT_FALSE(person(R"({"sex": "other"})").sex);
  EXPECT_TRUE(tells(R"({"sex": "mael"})", "male, female or unknown is needed"));
  EXPECT_TRUE(tells(R"({"sex": 1})"));
}

TEST(Read, Ids) {
  EXPECT_EQ(person(R"({"id": "case 7"})").id, "case 7");
  EXPECT_TRUE(tells(R"({"id": 7})", "id: an id is a short word"));
  EXPECT_TRUE(tells(nlohmann::json{{"id", std::string(201, 'x')}}.dump()));
}

// ---- names

TEST(Read, UnknownNamesHaveThePathAndTheNearestName) {
  EXPECT_TRUE(tells(R"({"findings": {"fevre": "present"}})", "findings.fevre: no finding is called 'fevre' (did you mean 'fever'?)"));
  EXPECT_TRUE(tells(R"({"findings": {"nigth_pain": true}})", "did you mean 'night_pain'?"));
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobbin": "120 g/L"}})", "labs.haemoglobbin: ", "'haemoglobin'"));
  EXPECT_TRUE(tells(R"({"context": {"cancer_histroy": true}})", "did you mean 'cancer_history'?"));
  EXPECT_TRUE(tells(R"({"agee": 5})", "agee: no key is called 'agee' (did you mean 'age'?)"));
  EXPECT_TRUE(tells(R"({"findings": {"qqqqqqqqqqqqqqqq": true}})", "dorsalgia knowledge list"));
}

TEST(Read, MisplacedKeysAreSentHome) {
  EXPECT_TRUE(tells(R"({"night_pain": "present"})", "put it under \"findings\""));
  EXPECT_TRUE(tells(R"({"cancer_history": "breast"})", "put it under \"context\""));
}

TEST(Read, UnknownNamesAreNotedWhenAsked) {
  const PersonRead r =
      read(R"({"findings": {"fevre": "present"}, "labs": {"fbc": "odd"}, "truth": {"cause": "x"}, "whatever": 1})", UnknownNames::note);
  EXPECT_TRUE(r.faults.empty());
  EXPECT_TRUE(holds(r.person.noted, "unknown: findings.fevre"));
  EXPECT_TRUE(holds(r.person.noted, "unknown: whatever"));
  EXPECT_EQ(r.person.unread, (Words{"truth"}));
  EXPECT_TRUE(r.person.answers.empty());
}

TEST(Read, SynonymsAreTheFinding) {
  for (const auto& f : knowledge().findings)
    for (const auto& s : f.synonyms) {
      if (f.kind == FindingKind::measured) continue;
      nlohmann::json j;
      j["findings"][s] = "absent";
      EXPECT_TRUE(about(person(j.dump()), f.id)) << s;
    }
}

// ---- laboratory

TEST(Read, HaemoglobinNeedsItsUnit) {
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobin": 13}})", "labs.haemoglobin: haemoglobin 13 in which unit?", "g/dL"));
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobin": {"value": 13}}})", "in which unit?"));
  EXPECT_NEAR(about(person(R"({"labs": {"haemoglobin": {"value": 13, "unit": "g/dL"}}})"), "haemoglobin")->from, 130, 1e-9);
  EXPECT_NEAR(about(person(R"({"labs": {"hb_g_dl": 13}})"), "haemoglobin")->from, 130, 1e-9);
  EXPECT_NEAR(about(person(R"({"labs": {"haemoglobin": " 130 G/L "}})"), "haemoglobin")->from, 130, 1e-9);
}

TEST(Read, WrongUnitsAndImpossibleValues) {
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobin": "13 mg/L"}})", "'mg/L' is no unit of haemoglobin", "known: "));
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobin": "112 g/dL"}})", "haemoglobin of 1120 g/L is not possible", "is the unit right?"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": -4}})", "is not possible"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": "54 mm"}})", "'mm' is no unit"));
  EXPECT_TRUE(tells(R"({"labs": {"haemoglobin": "11,2 g/dL"}})", "write a decimal point, not a comma"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": "high-ish"}})", "'high-ish' is not a value of", "raised, normal, low"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": true}})", "a value is needed, this is true/false"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": [54]}})", "a value is needed, this is a list"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": {"unit": "mm/h"}}})", "a value is missing"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": {"value": "54"}}})", "a value is missing"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": {"value": 54, "when": "now"}}})", "labs.esr.when: unknown key"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": {"value": 54, "unit": 3}}})", "labs.esr.unit: a unit is a word"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": "inf"}})"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": "nan"}})"));
  EXPECT_TRUE(tells(R"({"labs": {"esr": ""}})"));
}

TEST(Read, BoundsAndWordsAreRanges) {
  const Presentation p = person(R"({"sex": "male", "labs": {"esr": ">100", "crp": "<5 mg/L", "haemoglobin": "low", "calcium": "normal"}})");
  EXPECT_EQ(about(p, "esr")->from, 100);
  EXPECT_TRUE(std::isinf(about(p, "esr")->to));
  EXPECT_EQ(about(p, "crp")->to, 5);
  EXPECT_EQ(about(p, "haemoglobin")->to, 130);
  EXPECT_LT(about(p, "calcium")->from, about(p, "calcium")->to);
}

TEST(Read, ReferenceLimitsAreTheWiderOnesWhenTheSexIsUnknown) {
  const auto low = about(person(R"({"labs": {"haemoglobin": "low"}})"), "haemoglobin")->to;
  EXPECT_EQ(low, 130);  // a man's limit: a "low" value may be his
  const auto normal = *about(person(R"({"labs": {"haemoglobin": "normal"}})"), "haemoglobin");
  EXPECT_EQ(normal.from, 120);
  EXPECT_EQ(normal.to, 170);
}

TEST(Read, PanelsMeanSeveralFindings) {
  const Presentation p = person(R"({"sex": "female", "labs": {"fbc": "normal", "urine": "blood, nitrite"}})");
  EXPECT_TRUE(about(p, "haemoglobin"));
  EXPECT_TRUE(about(p, "platelets"));
  EXPECT_TRUE(about(p, "urine_blood")->present());
  EXPECT_TRUE(about(p, "urine_infection")->present());
  EXPECT_EQ(person(R"({"labs": {"inflammatory_markers": "raised"}})").any_of.size(), 1u);
  EXPECT_TRUE(tells(R"({"labs": {"fbc": "odd"}})", "'odd'", "one or more of: "));
  EXPECT_EQ(faults(R"({"labs": {"urine": "no blood, no nitrite"}})").size(), 2u) << "a denied word must not count as said";
  EXPECT_TRUE(tells(R"({"labs": {"fbc": 4}})", "this is not an answer: a number"));
}

TEST(Read, BloodPressure) {
  EXPECT_EQ(about(person(R"({"labs": {"bp": "160/100"}})"), "systolic_pressure")->from, 160);
  EXPECT_EQ(about(person(R"({"labs": {"bp": 95}})"), "systolic_pressure")->from, 95);
  EXPECT_TRUE(about(person(R"({"labs": {"bp": "low"}})"), "systolic_pressure"));
  EXPECT_FALSE(about(person(R"({"labs": {"bp": "unknown"}})"), "systolic_pressure"));
  EXPECT_TRUE(tells(R"({"labs": {"bp": "high/low"}})", "\"160/100\""));
}

// ---- contradictions

TEST(Read, ContradictionsAreFaults) {
  EXPECT_TRUE(tells(R"({"findings": {"night_pain": "present", "nocturnal_pain": "absent"}})", "contradicts 'findings.night_pain: present'",
                    "pain at night"));
  EXPECT_TRUE(
      tells(R"({"context": {"fever": true}, "findings": {"fever": "absent"}})", "findings.fever: contradicts 'context.fever: present'"));
  EXPECT_TRUE(tells(R"({"sex": "male", "labs": {"fbc": "normal", "haemoglobin": "80 g/L"}})")) << "a panel against a value";
  EXPECT_TRUE(tells(R"({"labs": {"crp": "raised", "inflammatory_markers": "normal"}})")) << "normal ends where raised begins";
  EXPECT_TRUE(tells(R"({"labs": {"crp": "raised", "crp_mg_l": 2}})"));
  EXPECT_TRUE(tells(R"({"labs": {"inflammatory_markers": "raised", "esr": 3, "crp": "1 mg/L"}})", "contradicts what else is said"));
  EXPECT_TRUE(tells(R"({"context": {"cancer_history": false}, "findings": {"history_breast": "present"}})"));
  EXPECT_TRUE(tells(R"({"context": {"cancer_history": false, "active_cancer": true}})"));
}

TEST(Read, AgreementIsNoContradiction) {
  EXPECT_EQ(about(person(R"({"labs": {"crp": "raised", "crp_mg_l": 70}})"), "crp")->from, 70);
  EXPECT_TRUE(about(person(R"({"findings": {"night_pain": "present", "nocturnal_pain": true}})"), "night_pain")->present());
  EXPECT_EQ(person(R"({"labs": {"inflammatory_markers": "raised", "esr": 3}})").any_of.size(), 1u);
}

TEST(Read, DuplicateKeys) {
  EXPECT_TRUE(tells(R"({"age": 40, "age": 41})", "the key 'age' stands twice (keep one of the two answers)"));
  EXPECT_TRUE(tells(R"({"findings": {"fever": true, "fever": false}})"));
}

// ---- context

TEST(Read, CancerHistories) {
  const auto with = [](const std::string& word) { return person(R"({"context": {"cancer_history": )" + word + "}}"); };
  EXPECT_TRUE(about(with("\"melanoma (nose)\""), "history_melanoma")->present());
  EXPECT_TRUE(about(with("\"Sarcoma\""), "history_other")->present());
  const Presentation two = with(R"(["breast", "thyroid"])");
  EXPECT_TRUE(about(two, "history_breast") && about(two, "history_thyroid"));
  EXPECT_EQ(with("true").any_of.size(), 1u);
  EXPECT_EQ(with("\"yes\"").any_of.size(), 1u);
  for (const char* no : {"false", "\"none\"", "\"never\"", "\"no\""}) {
    const Presentation p = with(no);
    EXPECT_TRUE(about(p, "history_breast")->absent()) << no;
    EXPECT_TRUE(about(p, "history_other")->absent()) << no;
  }
  EXPECT_TRUE(with("\"unknown\"").answers.empty());
  EXPECT_TRUE(person(R"({"context": {"cancer_history": "breast", "active_cancer": true}})").any_of.empty());
  EXPECT_TRUE(person(R"({"context": {"active_cancer": false}})").answers.empty())
      << "no active cancer does not say that there never was one";
}

TEST(Read, DenialsAreNeverTakenForAYes) {
  for (const char* word :
       {R"("no breast cancer")", R"("none known")", R"("not breast")", R"("")", R"(" ")", "5", "{}", "[]", R"(["breast", 5])"})
    EXPECT_TRUE(tells(std::string(R"({"context": {"cancer_history": )") + word + "}}")) << word;
  EXPECT_TRUE(tells(R"({"context": {"pregnancy": "not pregnant"}})"));
  EXPECT_TRUE(tells(R"({"context": {"smoker": 0}})"));
  EXPECT_TRUE(about(person(R"({"context": {"anticoagulant": "warfarin", "diabetes": "insulin-dependent"}})"), "anticoagulant")->present());
}

TEST(Read, YearsSinceCancer) {
  const auto bin = [](const char* years) {
    return about(person(std::string(R"({"context": {"cancer_history": "lung", "years_since_cancer": )") + years + "}}"), "history_lung")
        ->low;
  };
  EXPECT_EQ(bin("0.5"), 1);
  EXPECT_EQ(bin("1"), 2);
  EXPECT_EQ(bin("5"), 3);
  EXPECT_EQ(bin("10"), 4);
  EXPECT_TRUE(tells(R"({"age": 40, "context": {"cancer_history": "lung", "years_since_cancer": 41}})",
                    "context.years_since_cancer: longer ago than the person is old"));
  EXPECT_TRUE(tells(R"({"context": {"cancer_history": "lung", "years_since_cancer": 2019}})", "not the calendar year"));
  EXPECT_TRUE(tells(R"({"context": {"years_since_cancer": 4}})", "cancer_history"));
  EXPECT_TRUE(tells(R"({"context": {"cancer_history": false, "years_since_cancer": 4}})"));
}

TEST(Read, WhatCannotBeIsAFault) {
  EXPECT_TRUE(tells(R"({"age": 30, "sex": "male", "context": {"pregnancy": true}})",
                    "context.pregnancy: pregnancy does not occur in a male of 30 (check sex and age)"));
  EXPECT_TRUE(tells(R"({"sex": "male", "context": {"pregnancy": true}})",
                    "context.pregnancy: pregnancy does not occur in a male (check sex and age)"));
  EXPECT_TRUE(tells(R"({"age": 85, "sex": "female", "context": {"pregnancy": true}})"));
  EXPECT_TRUE(tells(R"({"age": 60, "sex": "female", "context": {"cancer_history": "prostate"}})"));
  EXPECT_EQ(faults(R"({"age": 30, "sex": "female", "context": {"pregnancy": true}})"), Words{});
  EXPECT_EQ(faults(R"({"age": 30, "sex": "male", "context": {"pregnancy": false}})"), Words{});
}

TEST(Read, SensoryLevel) {
  const Presentation p = person(R"({"findings": {"sensory_level": "T10"}})");
  EXPECT_EQ(model().segments.at(p.sensory_segment), "T10");
  EXPECT_TRUE(about(p, "sensory_level")->present());
  EXPECT_EQ(person(R"({"findings": {"sensory_level": "present"}})").sensory_segment, -1);
  EXPECT_TRUE(tells(R"({"findings": {"sensory_level": "T99"}})"));
}

// ---- text that is no person

TEST(Read, TextThatIsNotJson) {
  EXPECT_TRUE(tells("", "the input is empty"));
  EXPECT_TRUE(tells(" \n\t", "the input is empty"));
  for (const char* text : {"{", "}", "{\"age\": 4", "{'age': 4}", "{\"age\": 4,}", "{} {}", "age: 4", "{\"age\": NaN}",
                           "{\"age\": Infinity}", "{\"age\": -Infinity}", "{\"age\": 1e999}", "{\"age\": 04}", "{\"age\": 4} // a comment",
                           "\xff\xfe{\"age\": 4}", "{\"id\": \"\xc3\x28\"}", "{\"id\": \"\xed\xa0\x80\"}"})
    EXPECT_TRUE(tells(text, "not JSON: ")) << text;
  EXPECT_TRUE(tells(std::string("{\"id\": \"a\0b\"}", 13), "not JSON: "));
}

TEST(Read, JsonThatIsNoPerson) {
  for (const char* text : {"[]", "[{\"age\": 4}]", "\"a\"", "5", "true", "null"})
    EXPECT_TRUE(tells(text, "a person is an object {...}, this is ")) << text;
  EXPECT_TRUE(tells(R"({"findings": ["fever"]})", "findings: an object {name: answer} is needed, this is a list"));
  EXPECT_EQ(faults(R"({"context": "smoker", "labs": 5})").size(), 2u);
  EXPECT_TRUE(tells(R"({"findings": {"fever": {"present": true}}})", "this is not an answer"));
  EXPECT_TRUE(tells(R"({"findings": {"fever": 1}})", "present, absent or unknown"));
  EXPECT_TRUE(tells(R"({"findings": {"fever": "maybe"}})", "this is not an answer: \"maybe\""));
}

TEST(Read, DepthAndSize) {
  EXPECT_TRUE(tells(std::string(10u << 20, '['), "bytes, more than"));
  EXPECT_TRUE(tells(std::string(1000000, '['), "nested 1000000 levels deep"));
  EXPECT_TRUE(tells(std::string(17, '[') + std::string(17, ']'), "nested 17 levels deep"));
  EXPECT_EQ(faults(R"({"id": "[[[[[[[[[[[[[[[[[[[["})"), Words{}) << "brackets in words are no depth";
}

TEST(Read, HugeWordsAreToldShort) {
  const std::string huge(900000, 'a');
  for (const auto& text : {nlohmann::json{{"findings", {{huge, "present"}}}}.dump(), nlohmann::json{{"findings", {{"fever", huge}}}}.dump(),
                           nlohmann::json{{"setting", huge}}.dump(), nlohmann::json{{"labs", {{"esr", huge}}}}.dump()}) {
    const auto told = faults(text);
    ASSERT_EQ(told.size(), 1u);
    EXPECT_LT(told[0].size(), 400u);
  }
}

TEST(Read, WordsAreToldInOnePlainLine) {
  const std::string tricky =
      "\n\x1b["
      "31m\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
      "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4";
  const auto told = faults(nlohmann::json{{"findings", {{tricky, "present"}}}}.dump());
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].find('\n'), std::string::npos);
  EXPECT_EQ(told[0].find('\x1b'), std::string::npos);
  EXPECT_NO_THROW((void)nlohmann::json(told[0]).dump()) << "cut between characters";
  const Presentation p = person(nlohmann::json{{"context", {{"anticoagulant", tricky}}}}.dump());
  EXPECT_NO_THROW((void)nlohmann::json(p.answers.at(0).given).dump());
}

TEST(Read, ManyFaultsEndInTime) {
  nlohmann::json j;
  for (int i = 0; i < 60000; ++i) j["findings"]["x" + std::to_string(i)] = 1;
  const auto told = faults(j.dump());
  EXPECT_EQ(told.size(), 101u);
  EXPECT_NE(told.back().find("more faults follow"), std::string::npos);
}

TEST(Read, SeveralFaultsAreAllTold) {
  EXPECT_EQ(faults(R"({"age": 212, "sex": "x", "findings": {"fevre": true}, "labs": {"haemoglobin": 13}})").size(), 4u);
}

TEST(Read, PublishedCasesReadWithoutFaults) {
  std::ifstream cases(DORSALGIA_SOURCE_DIR "/../shared/cases/cases.jsonl");
  if (!cases) return;
  const ExactEngine engine(model());
  std::string line;
  int count = 0;
  while (std::getline(cases, line)) {
    const PersonRead r = read(line, UnknownNames::note);
    for (const auto& f : r.faults) ADD_FAILURE() << line.substr(0, 60) << "\n" << f.text();
    EXPECT_TRUE(engine.posterior(r.person).possible) << line.substr(0, 60);
    ++count;
  }
  EXPECT_GT(count, 100);
}

// docs/input.md: its JSON is read, and its faults are told as it says.
TEST(Read, TheManualIsTrue) {
  std::ifstream in(DORSALGIA_SOURCE_DIR "/docs/input.md");
  std::string block;
  bool inside = false;
  int blocks = 0, rows = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("```", 0) == 0) {
      if (inside) {
        EXPECT_EQ(faults(block), Words{}) << block;
      }
      blocks += inside;
      inside = line == "```json";
      block.clear();
      continue;
    }
    if (inside) block += line + "\n";
    const auto middle = line.find("` | `");
    const bool is_row = line.rfind("| `{", 0) == 0 || line.rfind("| `[", 0) == 0;
    if (!is_row || middle == std::string::npos) continue;
    const std::string input = line.substr(3, middle - 3), told = line.substr(middle + 5, line.rfind('`') - middle - 5);
    EXPECT_EQ(faults(input), Words{told}) << input;
    ++rows;
  }
  EXPECT_GE(blocks, 3);
  EXPECT_GE(rows, 15);
}

TEST(Read, ExamplesReadStrictly) {
  for (const auto& entry : std::filesystem::directory_iterator(DORSALGIA_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream in(entry.path());
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    EXPECT_EQ(faults(text), Words{}) << entry.path();
    EXPECT_EQ(nlohmann::json::parse(text)["id"], entry.path().stem().string());
  }
}

}  // namespace
}  // namespace dorsalgia
