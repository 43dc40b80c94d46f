// The commands as their users run them: what comes out can be used, and the README tells the truth.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>

#include "cli/run.h"
#include "support/random_person.h"

namespace dorsalgia::test {
namespace {

using nlohmann::json;

class Cli : public CommandLine {
 protected:
  std::string good(const std::string& words, const std::string& input = "") {
    const Outcome o = run(words, input);
    EXPECT_EQ(o.exit, 0) << words << "\n" << o.err;
    EXPECT_EQ(o.err, "") << words;
    return o.out;
  }
  json good_json(const std::string& words, const std::string& input = "") {
    const json out = json::parse(good(words, input), nullptr, false);
    EXPECT_FALSE(out.is_discarded()) << words;
    return out;
  }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const char* kWoman = R"({"id": "w", "age": 68, "sex": "female", "duration_weeks": 6, "location": "thoracic",
  "context": {"cancer_history": "breast", "years_since_cancer": 3}, "findings": {"night_pain": "present", "weakness": "absent"}})";
const char* kChild = R"({"age": 9, "sex": "male", "findings": {"night_pain": "present", "fever": "present"}})";

TEST_F(Cli, HelpAndVersion) {
  EXPECT_TRUE(has(good("--help"), "assess"));
  EXPECT_TRUE(std::regex_search(good("--version"), std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
  for (const char* command : {"assess", "ask", "knowledge", "score", "evaluate"})
    EXPECT_FALSE(good(std::string(command) + " --help").empty());
}

TEST_F(Cli, AssessText) {
  const std::string text = good("assess -", kWoman);
  EXPECT_TRUE(std::regex_search(text, std::regex("in 1,000|of 1,000|in 10,000|of 10,000")));
  for (const char* never : {"cancer excluded", "safe to", "reassuring"}) EXPECT_FALSE(has(text, never)) << never;
  EXPECT_FALSE(has(text, "\x1b[")) << "no colour into a file";
  EXPECT_TRUE(has(good("--color always assess -", kWoman), "\x1b["));
  for (const auto& line : lines_of(good("assess --width 60 -", kWoman)))
    EXPECT_LE(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }), 60) << line;  // characters of UTF-8
}

TEST_F(Cli, AssessJson) {
  const json r = good_json("assess --json -", kWoman);
  for (const char* key : {"id", "profile", "child", "urgency", "not_assessed", "probability", "causes", "mechanisms", "levels", "forecast",
                          "reasons", "next", "changes"})
    EXPECT_TRUE(r.contains(key)) << key;
  EXPECT_EQ(r["id"], "w");
  EXPECT_EQ(r["child"], false);
  EXPECT_TRUE(r["urgency"]["level"].is_string());
  const double tumour = r["probability"]["tumour"], malignant = r["probability"]["malignant"];
  EXPECT_GT(tumour, 0);
  EXPECT_LE(malignant, tumour);
  EXPECT_LT(tumour, 1);
  double sum = 0;
  for (const auto& c : r["causes"]) sum += c["probability"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-6);
}

TEST_F(Cli, AChildGetsRulesAndNoProbabilities) {
  const json r = good_json("assess --json -", kChild);
  EXPECT_EQ(r["child"], true);
  EXPECT_TRUE(r["probability"]["tumour"].is_null());
  EXPECT_FALSE(has(good("assess -", kChild), "in 1,000"));
}

TEST_F(Cli, AssessHtmlIsOneFileThatFetchesNothing) {
  const std::string page = good("assess --html -", kWoman);
  EXPECT_TRUE(has(page, "<!DOCTYPE html>") || has(page, "<!doctype html>"));
  EXPECT_TRUE(has(page, "</html>"));
  EXPECT_FALSE(std::regex_search(page, std::regex("<script", std::regex::icase)));
  EXPECT_FALSE(std::regex_search(page, std::regex("(src|href|action)\\s*=\\s*[\"']?\\s*(https?:)?//", std::regex::icase)));
  EXPECT_FALSE(std::regex_search(page, std::regex("url\\((?!#)|@import", std::regex::icase)));
  EXPECT_FALSE(std::regex_search(page, std::regex("\\son[a-z]+\\s*=\\s*[\"']", std::regex::icase)));
}

TEST_F(Cli, HtmlDoesNotTrustTheId) {
  const std::string page = good("assess --html -", R"({"id": "<script>alert(1)</script>\" onload=\"x", "age": 50})");
  EXPECT_FALSE(has(page, "<script>"));
  EXPECT_FALSE(has(page, "\" onload=\""));
}

TEST_F(Cli, AssessToAFile) {
  EXPECT_EQ(good("assess - -o report.txt", kWoman), "");
  EXPECT_EQ(slurp(folder_ / "report.txt"), good("assess -", kWoman));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.txt.part"));
}

TEST_F(Cli, EveryExampleIsAssessed) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(DORSALGIA_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".json") continue;
    if (++count > std::max(4, test::share_of(14))) continue;
    EXPECT_FALSE(good("assess '" + entry.path().string() + "'").empty());
  }
  EXPECT_EQ(count, 14);
}

TEST_F(Cli, Evaluate) {
  write(
      "cases.jsonl",
      R"j({"id": "a", "age": 62, "sex": "male", "findings": {"pulsatile_abdominal_mass": "present"}, "location": "lumbar", "truth": {"cause": "abdominal aortic aneurysm", "is_tumour": false, "level": null, "emergency": true, "group": "aortic"}, "appropriate_urgency": "emergency (same day)"})j"
      "\n"
      R"({"id": "b", "age": 31, "sex": "male", "findings": {"minor_strain_onset": "present"}, "location": "lumbar", "truth": {"cause": "strain", "is_tumour": false, "level": "L5", "emergency": false, "group": "nonspecific"}, "appropriate_urgency": "routine"})"
      "\n");
  const json r = good_json("evaluate --json cases.jsonl");
  EXPECT_EQ(r.at("counts").at("cases"), 2);
  EXPECT_EQ(r.at("headline").at("counts").at("cases"), 0);  // richness is not stated
  EXPECT_FALSE(good("evaluate cases.jsonl").empty());
}

TEST_F(Cli, EvaluateSimulatedCohort) {
  EXPECT_TRUE(good("simulate --people 60 -o cohort.jsonl").empty());
  const json r = good_json("evaluate --json cohort.jsonl");
  EXPECT_EQ(r.at("people").get<int>() + r.at("children").get<int>(), 60);
  EXPECT_TRUE(has(good("evaluate cohort.jsonl --without imaging"), "Taken as unknown: imaging."));
}

TEST_F(Cli, Score) {
  EXPECT_TRUE(has(good("score"), "sins"));
  EXPECT_FALSE(good("score sins").empty());
  const json r = good_json("score frankel grade=grade_c --json");
  EXPECT_EQ(r["complete"], true);
  EXPECT_EQ(good_json("score sins location=T12 --json")["complete"], false);
}

TEST_F(Cli, Knowledge) {
  EXPECT_TRUE(has(good("knowledge list findings"), "night_pain"));
  EXPECT_TRUE(has(good("knowledge show finding/night_pain"), "harding-2005") || has(good("knowledge show finding/night_pain"), "Harding"));
  good("knowledge check '@/knowledge'");
  good("knowledge check '@/fuzz/base'");
}

// ---- ask

const char* kOpening = "68\nf\n2\n6\nthoracic\n";

TEST_F(Cli, AskEndsWithTheReportAndSavesTheAnswers) {
  const std::string text = good("ask -o me.json", std::string(kOpening) + "n\nn\nn\nn\ny\nbreast\n3\nn\nr\n");
  EXPECT_TRUE(has(text, "Any history of cancer"));
  EXPECT_TRUE(has(text, "Which cancer?"));
  const json saved = json::parse(slurp(folder_ / "me.json"));
  EXPECT_EQ(saved["age"], 68);
  EXPECT_EQ(saved["sex"], "female");
  EXPECT_EQ(saved["setting"], "primary_care");
  EXPECT_EQ(saved["duration_weeks"], 6);
  EXPECT_EQ(saved["context"]["cancer_history"], "breast");
  EXPECT_EQ(saved["context"]["years_since_cancer"], 3);
  EXPECT_EQ(saved["findings"]["weakness"], "absent");
  const std::string report = good("assess me.json");
  EXPECT_TRUE(has(text, report)) << "the interview ends with the report that its saved answers give";
}

TEST_F(Cli, AskSaysAnEmergencyAtOnce) {
  const std::string text = good("ask", std::string(kOpening) + "n\nn\nn\ny\nr\n");
  const auto told = text.find("EMERGENCY");
  ASSERT_NE(told, std::string::npos);
  EXPECT_LT(told, text.find("Any history of cancer"));
}

TEST_F(Cli, AskUndo) {
  good("ask -o me.json", "70\nu\n68\nm\nu\nf\ns\n?\ns\nr\n");
  const json saved = json::parse(slurp(folder_ / "me.json"));
  EXPECT_EQ(saved["age"], 68);
  EXPECT_EQ(saved["sex"], "female");
  EXPECT_FALSE(saved.contains("setting"));
  EXPECT_TRUE(saved["duration_weeks"].is_null());
  good("assess me.json");
}

TEST_F(Cli, AskUnsureIsUnknownAndNotAskedAgain) {
  const std::string text = good("ask -o me.json", std::string(kOpening) + "?\n?\n?\n?\n?\n?\nr\n");
  EXPECT_EQ(json::parse(slurp(folder_ / "me.json"))["findings"]["weakness"], "unknown");
  const json again = good_json("assess --json me.json");
  bool weakness = false;
  for (const auto& x : again["not_assessed"]) weakness = weakness || x["id"] == "weakness";
  EXPECT_TRUE(weakness);
}

TEST_F(Cli, AskWhy) {
  const std::string text = good("ask", std::string(kOpening) + "w\nr\n");
  EXPECT_TRUE(std::regex_search(text, std::regex("If yes: tumour .* -> .* in 10?,0")));
  EXPECT_TRUE(has(text, "If no: "));
}

TEST_F(Cli, AskQuitSavesNothing) {
  good("ask -o me.json", std::string(kOpening) + "q\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "me.json"));
}

TEST_F(Cli, AskRefusesWhatIsNoAnswerAndAsksAgain) {
  const std::string text = good("ask -o me.json", "old\n500\n68\nx\nf\nnowhere near\n2\nlong\n6\nknee\nlow back\nperhaps\nn\nr\n");
  const json saved = json::parse(slurp(folder_ / "me.json"));
  EXPECT_EQ(saved["age"], 68);
  EXPECT_EQ(saved["location"], json::array({"low back"}));
  EXPECT_EQ(saved["findings"]["weakness"], "absent");
}

TEST_F(Cli, AskSurvivesAnyBytes) {
  const std::string text = good("ask -o me.json", std::string("\xff\xfe\n68\nf\n2\n6\nlow back\nn\nn\nn\nn\ny\nsarc\xc3oma \x1b[31m\n") +
                                                      std::string(100000, 'x') + "\n2\nr\n");
  EXPECT_FALSE(has(text, "\x1b[31m"));
  EXPECT_EQ(json::parse(slurp(folder_ / "me.json"))["context"]["years_since_cancer"], 2);
  good("assess me.json");
}

TEST_F(Cli, AskToTheVeryEnd) {
  for (const char* reply : {"?\n", "n\n", "s\n"}) {
    std::string input = "45\nm\n2\n3 months\nlow back\n";
    for (int i = 0; i < 400; ++i) input += reply;
    const std::string text = good("ask", input);
    EXPECT_TRUE(has(text, "would tell much")) << reply;
  }
}

TEST_F(Cli, AskAChild) {
  std::string input = "9\nm\n2\n3\nlow back\n";
  for (int i = 0; i < 200; ++i) input += "n\n";
  const std::string text = good("ask", input);
  EXPECT_TRUE(has(text, "no probabilities"));
  EXPECT_FALSE(has(text, "in 1,000"));
  EXPECT_FALSE(has(text, "in 10,000"));
}

TEST_F(Cli, AskEmptyInputGivesAReport) { EXPECT_FALSE(good("ask").empty()); }

TEST_F(Cli, AskForThePerson) { EXPECT_TRUE(has(good("ask --for person", "68\n"), "How old are you")); }

// ---- documents

TEST_F(Cli, ReadmeCommandsRun) {
  const std::string readme = slurp(DORSALGIA_SOURCE_DIR "/README.md");
  std::filesystem::create_directories(folder_ / "bin");
  std::filesystem::create_directories(folder_ / "build");
  std::filesystem::create_symlink(DORSALGIA_PROGRAM, folder_ / "bin/dorsalgia");
  std::filesystem::create_symlink(DORSALGIA_PROGRAM, folder_ / "build/dorsalgia");
  for (const char* part : {"examples", "knowledge", "docs"})
    std::filesystem::create_directory_symlink(std::filesystem::path(DORSALGIA_SOURCE_DIR) / part, folder_ / part);
  bool code = false;
  for (std::string line : lines_of(readme)) {
    if (line.rfind("```", 0) == 0) {
      code = !code;
      continue;
    }
    if (line.rfind("$ ", 0) == 0) line = line.substr(2);
    if (!code || !std::regex_search(line, std::regex("^(\\./)?(build/)?dorsalgia "))) continue;
    const Outcome o = shell("PATH=\"$PWD/bin:$PATH\"; " + line);
    EXPECT_EQ(o.exit, 0) << line << "\n" << o.err;
  }
}

}  // namespace
}  // namespace dorsalgia::test
