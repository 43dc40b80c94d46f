#include "report/report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "person/read.h"
#include "report/telling.h"

namespace dorsalgia {
namespace {

using nlohmann::json;

struct Brain {
  Knowledge knowledge = builtin_knowledge();
  Model model = compile(knowledge);
  ExactEngine engine{model};
  ModelDraws draws{knowledge, model, kDraws};
};
const Brain& brain() {
  static const Brain b;
  return b;
}

Report report_of(const std::string& person, const std::string& profile = "uk") {
  const PersonRead read = read_person(person, brain().knowledge, brain().model);
  EXPECT_TRUE(read.faults.empty()) << read.faults.at(0).text();
  return make_report(brain().knowledge, brain().engine, brain().draws, read.person, profile);
}

const std::string kMetastasis =
    R"({"id": "a-1", "age": 62, "sex": "female", "setting": "primary care", "duration_weeks": 7, "location": "thoracic",
  "context": {"cancer_history": "breast", "years_since_cancer": 3}, "labs": {"esr_mm_h": 54},
  "findings": {"night_pain": "present", "progressive_pain": "present", "weight_loss": "absent"}})";
const std::string kStrain = R"({"age": 34, "sex": "male", "duration_weeks": 1.5, "location": "lumbar", "context": {"cancer_history": false},
  "findings": {"pain_worse_with_movement": "present", "minor_strain_onset": "present", "weakness": "absent", "bladder_dysfunction": "absent",
  "bowel_dysfunction": "absent", "saddle_anaesthesia": "absent"}})";
const std::string kChild = R"({"age": 9, "sex": "female", "duration_weeks": 5, "findings": {"night_pain": "present"}})";
const std::string kNothing = "{}";
const std::vector<std::string> kPeople = {kMetastasis, kStrain, kChild, kNothing};

// All layouts of one report, as printed.
std::vector<std::string> layouts(const Report& r) {
  return {text_report(r, {}), text_report(r, {false, 100, true}), html_report(r), html_report(r, Voice::person), json_report(r).dump()};
}

std::size_t columns(const std::string& line) {
  return static_cast<std::size_t>(
      std::count_if(line.begin(), line.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string l; std::getline(in, l);) out.push_back(l);
  return out;
}

TEST(NaturalFrequency, HonestDigits) {
  EXPECT_EQ(natural_frequency(0.004, 1000), "4 in 1,000");
  EXPECT_EQ(natural_frequency(0.0371, 1000), "37 in 1,000");
  EXPECT_EQ(natural_frequency(0.3718, 1000), "370 in 1,000");
  EXPECT_EQ(natural_frequency(0.9629, 1000), "963 in 1,000");
  EXPECT_EQ(natural_frequency(0.00371, 10000), "37 in 10,000");
  EXPECT_EQ(natural_frequency(0.51234, 10000), "5,100 in 10,000");
  EXPECT_EQ(natural_frequency(0.00003, 10000), "fewer than 1 in 10,000");
  EXPECT_EQ(natural_frequency(0, 10000), "fewer than 1 in 10,000");
  EXPECT_EQ(natural_frequency(1, 1000), "more than 999 in 1,000");
}

TEST(NaturalFrequency, OneDenominatorForWhatMatters) {
  EXPECT_EQ(common_denominator(0.5), 1000);
  EXPECT_EQ(common_denominator(0.001), 1000);
  EXPECT_EQ(common_denominator(0.0004), 10000);
  EXPECT_EQ(common_denominator(0), 10000);
}

TEST(NaturalFrequency, HaveAndHaveNotAddUp) {
  for (int i = 0; i <= 20000; ++i) {
    const double p = i / 20000.0;
    const std::string yes = count_of(p, 1000), no = count_of(1 - p, 1000);
    if (yes == "<1") EXPECT_EQ(no, ">999") << p;
    else if (yes == ">999") EXPECT_EQ(no, "<1") << p;
    else EXPECT_NEAR(std::stoi(yes) + std::stoi(no), 1000, std::abs(p - 0.5) < 0.01 ? 10 : 0) << p;
  }
}

TEST(Clean, LeavesNothingThatATerminalObeys) {
  EXPECT_EQ(clean("caf\xC3\xA9"), "caf\xC3\xA9");
  EXPECT_EQ(clean("a\x1b[31mb\nc"), "a [31mb c");
  EXPECT_EQ(clean("\xE2\x80\xAEgnp"), "gnp");  // right-to-left override
  EXPECT_EQ(clean("\xC2\x9B"
                  "31m"),
            " 31m");                                                   // C1 control
  EXPECT_EQ(clean("half \xE2\x82"), "half \xEF\xBF\xBD\xEF\xBF\xBD");  // cut in the middle of a character
  EXPECT_NO_THROW(json(clean("\xFF\xC0\xED\xA0\x80")).dump());
}

TEST(Report, UrgencyComesFirstInEveryLayout) {
  const Report r = report_of(kMetastasis);
  ASSERT_GE(r.triage.urgency, Urgency::urgent);
  for (const auto& text : {text_report(r, {}), html_report(r)}) {
    const auto urgency = std::min(text.find("WITHIN DAYS"), text.find("Within days"));
    ASSERT_NE(urgency, std::string::npos);
    EXPECT_LT(urgency, text.find("of 1,000"));
    EXPECT_LT(urgency, text.find("unknown is not absent"));
    EXPECT_LT(text.find("unknown is not absent"), text.find("How likely"));
  }
}

TEST(Report, SaysAllThatAResultAlwaysSays) {
  const Report r = report_of(kMetastasis);
  const Rule* rule = r.triage.fired.at(0).rule;
  ASSERT_NE(rule, nullptr);
  const std::string text = text_report(r, {false, 140, false}), page = html_report(r);
  const std::vector<std::string> always = {"have none",          "Before the answers",  "Mechanisms",      "Level",
                                           "If nothing is done", "Ask or test next",    "Red-flag lists",  "Safety net",
                                           brain().model.hash,   brain().model.version, rule->date_checked};
  for (const std::string& what : always) {
    EXPECT_NE(text.find(what), std::string::npos) << what;
    EXPECT_NE(page.find(what), std::string::npos) << what;
  }
}

TEST(Report, NeverReassures) {
  const std::regex never(
      "cancer (is )?excluded|tumou?r (is )?excluded|\\bis safe\\b|safe to (go|discharge|wait)|reassur|nothing to worry|\\b(NaN|nan|inf)\\b",
      std::regex::icase);
  for (const auto& person : kPeople)
    for (const auto& text : layouts(report_of(person))) {
      std::smatch found;
      EXPECT_FALSE(std::regex_search(text, found, never)) << found.str();
      EXPECT_NE(text.find("No answer here rules out"), std::string::npos);
    }
}

TEST(Report, RoutineWithOpenQuestionsSaysSo) {
  const Report r = report_of(kNothing);
  ASSERT_EQ(r.triage.urgency, Urgency::routine);
  EXPECT_NE(text_report(r, {}).find("key answers are missing"), std::string::npos);
  EXPECT_NE(html_report(r, Voice::person).find("Have you ever had cancer"), std::string::npos);
}

TEST(Report, OneDenominatorThroughout) {
  for (const auto& person : {kMetastasis, kStrain, kNothing}) {
    const std::string text = text_report(report_of(person), {false, 100, true});
    std::set<std::string> used;
    const std::regex of("(?:of|in|of about|Think of) (1,000|10,000)");
    for (std::sregex_iterator i(text.begin(), text.end(), of), end; i != end; ++i) used.insert((*i)[1]);
    EXPECT_EQ(used.size(), 1u);
  }
}

TEST(Report, ChildrenGetRulesAndNoNumbers) {
  const Report r = report_of(kChild);
  ASSERT_TRUE(r.triage.child);
  EXPECT_FALSE(r.triage.fired.empty());
  const json j = json_report(r);
  EXPECT_TRUE(j["child"]);
  EXPECT_TRUE(j["withheld"].is_string());
  for (const char* key : {"tumour", "malignant", "emergency", "denominator", "sentence"})
    EXPECT_TRUE(j["probability"][key].is_null()) << key;
  for (const char* key : {"tumour", "malignant", "emergency"}) EXPECT_TRUE(j["probability"]["before"][key].is_null()) << key;
  for (const char* key : {"causes", "mechanisms", "levels", "stages", "forecast", "reasons", "next"})
    EXPECT_TRUE(j[key].is_array() && j[key].empty()) << key;
  EXPECT_TRUE(j["evidence_fit"].is_null());
  for (const auto& text : layouts(r)) {
    EXPECT_NE(text.find("withheld"), std::string::npos);
    EXPECT_EQ(text.find("of 1,000"), std::string::npos);
    EXPECT_EQ(text.find("of 10,000"), std::string::npos);
    EXPECT_EQ(text.find("<svg"), std::string::npos);
  }
}

TEST(Report, AnswersThatExcludeEachOtherGetRulesAndNoNumbers) {
  Report r = report_of(kMetastasis);
  r.posterior.possible = false;
  r.posterior.tumour = std::numeric_limits<double>::quiet_NaN();
  const json j = json_report(r);
  EXPECT_TRUE(j["probability"]["tumour"].is_null());
  EXPECT_TRUE(j["causes"].empty());
  EXPECT_FALSE(j["urgency"]["rules"].empty());
  for (const auto& text : layouts(r)) {
    EXPECT_NE(text.find("exclude each other"), std::string::npos);
    EXPECT_EQ(text.find("have none"), std::string::npos);
  }
}

TEST(Report, PoorFitIsAPlainWarning) {
  Report r = report_of(kMetastasis);
  r.fit.poor = true;
  r.fit.least_expected = "findings.night_pain: present";
  EXPECT_NE(text_report(r, {}).find("go together badly"), std::string::npos);
  EXPECT_NE(html_report(r).find("night pain: present"), std::string::npos);
  EXPECT_TRUE(json_report(r)["evidence_fit"]["poor"]);
}

// ---- JSON

void all_finite(const json& j, const std::string& path) {
  EXPECT_TRUE(!j.is_number_float() || std::isfinite(j.get<double>())) << path;
  if (j.is_structured())
    for (const auto& [key, value] : j.items()) all_finite(value, path + "/" + key);
}

TEST(JsonReport, HasTheKeysOfItsSchemaAndNoOthers) {
  std::ifstream in(DORSALGIA_SOURCE_DIR "/docs/report.schema.json");
  const json schema = json::parse(in);
  for (const auto& person : kPeople)
    for (const char* profile : {"uk", "us"}) {
      const json j = json_report(report_of(person, profile));
      for (const auto& key : schema["required"]) EXPECT_TRUE(j.contains(key)) << key;
      for (const auto& [key, value] : j.items()) EXPECT_TRUE(schema["properties"].contains(key)) << key;
      all_finite(j, "");
    }
}

TEST(JsonReport, CausesSumToOneLikeliestFirst) {
  const json j = json_report(report_of(kMetastasis));
  double sum = 0, last = 1;
  for (const auto& c : j["causes"]) {
    const double p = c["probability"];
    EXPECT_LE(p, last);
    last = p;
    sum += p;
  }
  EXPECT_NEAR(sum, 1, 1e-9);
  EXPECT_EQ(j["causes"].size(), brain().knowledge.causes.size());
  EXPECT_DOUBLE_EQ(j["probability"]["tumour"],
                   brain().engine.posterior(read_person(kMetastasis, brain().knowledge, brain().model).person).tumour);
}

// ---- text

TEST(TextReport, KeepsToItsColumns) {
  for (const auto& person : kPeople) {
    const Report r = report_of(person);
    for (int width : {40, 60, 80, 100, 140})
      for (bool for_person : {false, true})
        for (const auto& line : lines(text_report(r, {false, width, for_person})))
          EXPECT_LE(columns(line), static_cast<std::size_t>(width)) << line;
  }
}

TEST(TextReport, ColourChangesNoWord) {
  const Report r = report_of(kMetastasis);
  const std::string plain = text_report(r, {}), coloured = text_report(r, {true, 100, false});
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_NE(coloured.find('\x1b'), std::string::npos);
  const auto words = [](const std::string& s) {
    return std::regex_replace(std::regex_replace(s, std::regex("\x1b\\[[0-9;]*m"), ""), std::regex(" +\n"), "\n");
  };
  EXPECT_EQ(words(coloured), plain);
}

TEST(TextReport, PlainWordsForThePerson) {
  for (const auto& person : kPeople) {
    const Report r = report_of(person);
    for (const std::string& text : {text_report(r, {false, 100, true}), html_report(r, Voice::person)})
      for (const char* word : {"deciban", "posterior", "likelihood", "log-odds", "prior"})
        EXPECT_EQ(text.find(word), std::string::npos) << word;
  }
}

TEST(TextReport, WordsOfUsersCannotSteerTheTerminal) {
  Report r = report_of(kMetastasis);
  r.person.id = "x\x1b[2Jy";
  r.person.noted = {"findings.\x1b]0;z\x07"};
  for (const auto& text : layouts(r)) EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

// ---- HTML

// What stands between < and >, in order; attributes hold escaped text only, so a tag ends at the next '>'.
std::vector<std::string> tags(const std::string& page) {
  std::vector<std::string> out;
  for (std::size_t i = page.find('<'); i != std::string::npos; i = page.find('<', i + 1))
    out.push_back(page.substr(i + 1, page.find('>', i) - i - 1));
  return out;
}

TEST(HtmlReport, EscapesFetchesNothingAndRunsNothing) {
  Report r = report_of(kMetastasis);
  r.person.id = "<script>alert(1)</script>\"'&";
  r.person.noted = {"<img src=x onerror=alert(1)>"};
  for (Voice voice : {Voice::clinician, Voice::person}) {
    const std::string page = html_report(r, voice);
    EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;"), std::string::npos);
    for (const char* what : {"<script", "<img", "<link", "<iframe", "@import", "javascript:", "url(h"})
      EXPECT_EQ(page.find(what), std::string::npos) << what;
    for (const auto& tag : tags(page))
      for (const char* attribute : {" src=", " href=", " onload=", " onclick=", " onerror="})
        EXPECT_EQ(tag.find(attribute), std::string::npos) << tag;
  }
}

TEST(HtmlReport, TagsCloseInOrderAndIdsAreUnique) {
  const std::set<std::string> single = {"meta", "!doctype"};
  for (const auto& person : kPeople)
    for (Voice voice : {Voice::clinician, Voice::person}) {
      std::string page = html_report(report_of(person), voice);
      const auto style = page.find("<style>"), style_end = page.find("</style>");
      page.erase(style, style_end + 8 - style);
      std::vector<std::string> open;
      std::set<std::string> ids;
      for (const auto& tag : tags(page)) {
        const bool closes = tag[0] == '/';
        const std::string name = tag.substr(closes, std::min(tag.find(' '), tag.size()) - closes);
        if (const auto at = tag.find(" id=\""); at != std::string::npos) {
          const std::string id = tag.substr(at + 5, tag.find('"', at + 5) - at - 5);
          EXPECT_TRUE(ids.insert(id).second) << id;
        }
        if (closes) {
          ASSERT_FALSE(open.empty()) << name;
          EXPECT_EQ(open.back(), name);
          open.pop_back();
        } else if (tag.back() != '/' && !single.count(name)) {
          open.push_back(name);
        }
      }
      EXPECT_TRUE(open.empty());
    }
}

TEST(HtmlReport, HasLandmarksAHeadingAndTitledPictures) {
  const std::string page = html_report(report_of(kMetastasis));
  for (const char* what : {"<html lang=\"en\">", "<header>", "<main>", "<footer>", "<h1>", "role=\"img\"", "<title id=", "@media print",
                           "prefers-color-scheme:dark"})
    EXPECT_NE(page.find(what), std::string::npos) << what;
  EXPECT_LT(page.size(), 100000u);
}

}  // namespace
}  // namespace dorsalgia
