// A sound knowledge base, broken in one place at a time: one complaint, at the right file and line, with a remedy.
#include "knowledge/knowledge.h"
#include "support/tiny_knowledge.h"

namespace dorsalgia {
namespace {

std::string all_of(const std::vector<Complaint>& complaints) {
  std::string out;
  for (const auto& c : complaints) out += c.text() + "\n";
  return out;
}

struct Fault {
  std::string name;
  std::string file, what, with;  // the edit; empty `what`: the whole file is `with`
  std::string at;                // stands in the line complained of; empty: line 1, "-": no line
  std::string message, hint;     // part of each
  std::size_t most = 1;          // complaints, where the first draws another after it
};
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const std::string kMet = "causes/tiny/met.yaml", kNight = "findings/tiny/night_pain.yaml", kSpread = "courses/spread.yaml",
                  kEsr = "findings/tiny/esr.yaml", kSmoker = "findings/tiny/smoker.yaml",
                  kRule = "pathways/common/cancer_and_night_pain.yaml";

const std::vector<Fault> kFaults = {
    // reading
    {"unknown key", kMet, "behaviour: malignant", "behaviour: malignant\nbehavior: malignant", "behavior: malignant",
     "unknown or misplaced key 'behavior'", "behaviour"},
    {"misplaced key", kMet, "  interval_factor: 2\n  source", "  interval_factor: 2\n  interval: [1, 2]\n  source", "  interval: [1, 2]",
     "rate: unknown or misplaced key 'interval'", "interval_factor"},
    {"key of a finding in a cause", kMet, "course: spread", "course: spread\nburden: mri", "burden: mri",
     "unknown or misplaced key 'burden'", ""},
    {"the same key twice", kMet, "course: spread", "course: spread\ncourse: settling", "course: settling", "key 'course' stands twice",
     "keep one"},
    {"cause without a course", kMet, "course: spread\n", "", "", "'course' is missing", "add a line 'course: ...'"},
    {"cause without a rate", "causes/tiny/strain.yaml", "",
     "id: strain\nname: strain\ngroup: nonspecific\nbehaviour: none\ncourse: settling\ndescribes: x\n"
     "settings: {values: {primary_care: 1, emergency: 2}, interval_factor: 2, status: judgement, why: x}\nlevels: {values: {lumbar: 1}, "
     "interval_factor: 1.5, status: judgement, why: x}\n",
     "", "'rate' is missing", "add a line 'rate: ...'"},
    {"bare number", kNight, "leak: {value: 0.05, interval: [0.02, 0.1], status: judgement, why: \"made up\"}", "leak: 0.05", "leak: 0.05",
     "a figure is needed", "a bare number has no source"},
    {"word for a number", kNight, "value: 0.05", "value: some", "value: some", "'some' is not a number", "decimal point"},
    {"figure without interval", kNight, "value: 0.05, interval: [0.02, 0.1]", "value: 0.05", "leak:", "'interval' is missing", "add a line",
     2},
    {"counts and interval", kNight, "counts: [30, 50]", "counts: [30, 50], interval: [0.4, 0.7]", "counts:", "counts give the interval",
     "remove interval", 2},
    {"impossible counts", kNight, "counts: [30, 50]", "counts: [60, 50]", "counts:", "not events out of a total", ""},
    {"bad status", kNight, "status: checked", "status: proven", "status: proven", "'proven' is not a status",
     "checked, secondary, recalled or judgement"},
    {"bad kind", kNight, "kind: symptom", "kind: feeling", "kind: feeling", "'feeling' is not a kind of finding", "symptom, sign"},
    {"short table", kEsr, "male: [5, 5, 5, 6, 8, 10, 12, 15]", "male: [5, 5, 5]", "male: [5, 5, 5]", "8 numbers are needed", ""},
    {"id unlike the file's name", kSmoker, "id: smoker", "id: smokes", "id: smokes", "differs from the file's name", "make them the same"},
    {"not YAML", kSmoker, "group: history", "group: [history", "-", "not YAML", "indentation"},
    {"not UTF-8", kSmoker, "group: history", "group: hi\xfftory", "group: hi", "not UTF-8", "save the file as UTF-8"},
    {"file without a place", "notes/readme.yaml", "", "a: b\n", "-", "no place in a knowledge folder", "causes/"},
    {"source twice", "sources/more.yaml", "", "tiny-2020:\n  title: x\n  kind: study\n", "  title: x",
     "source 'tiny-2020' is defined twice", "keep one"},
    // meaning
    {"unknown source", kNight, "source: tiny-2020", "source: tny-2020", "source: tny-2020", "source 'tny-2020' is not in sources/",
     "did you mean 'tiny-2020'?"},
    {"checked without a source", kNight, "source: tiny-2020, ", "", "counts: [30, 50]", "status checked needs a source", "add source: KEY"},
    {"checked without a place", kNight, ", where: Table 3", "", "counts: [30, 50]", "where in the source", "table, page or abstract"},
    {"interval misses its value", kNight, "value: 0.2, interval: [0.1, 0.3]", "value: 0.4, interval: [0.1, 0.3]", "value: 0.4",
     "the interval [0.1, 0.3] misses its value 0.4", "widen"},
    {"judgement without a reason", kNight, "{value: 0.2, interval: [0.1, 0.3], status: judgement, why: \"made up\"}",
     "{value: 0.2, interval: [0.1, 0.3], status: judgement}", "value: 0.2", "a judgement needs its reason", "add why"},
    {"certain finding", kNight, "value: 0.2, interval: [0.1, 0.3]", "value: 1, interval: [0.9, 1]", "value: 1,",
     "nothing in a history is certain", "0.98"},
    {"leak of nothing", kNight, "value: 0.05, interval: [0.02, 0.1]", "value: 0, interval: [0, 0.1]",
     "leak:", "nothing else can ever bring it", "0.0005"},
    {"levels that do not sum", kMet, "{thoracic: 0.6, lumbar: 0.4}", "{thoracic: 0.6, lumbar: 0.3}", "  values: {thoracic",
     "the shares sum to 0.9000, not 1", ""},
    {"unknown level", kMet, "{thoracic: 0.6, lumbar: 0.4}", "{thoracic: 0.6, lumber: 0.4}", "  values: {thoracic", "'lumber'",
     "did you mean 'lumbar'?", 2},
    {"unknown course", kMet, "course: spread", "course: spred", "", "no course is called 'spred'", "did you mean 'spread'?"},
    {"unknown mechanism", kNight, "muscle_strain:", "muscle_stran:", "muscle_stran:", "no mechanism is called 'muscle_stran'",
     "did you mean 'muscle_strain'?"},
    {"unknown finding in a stage", kSpread, "night_pain:", "nigth_pain:", "nigth_pain:", "no finding is called 'nigth_pain'",
     "did you mean 'night_pain'?"},
    {"finding that links to nothing", "findings/tiny/fever.yaml", "",
     "id: fever\nname: fever\nkind: symptom\ngroup: general signs\nburden: question\nask: {clinician: \"Fever?\", person: "
     "\"Fever?\"}\nleak: {value: 0.05, interval: [0.02, 0.1], status: judgement, why: x}\n",
     "", "'fever' moves no posterior", "link it or remove it"},
    {"missing referral", "causes/tiny/kidney_tumour.yaml",
     "referral: {values: {flank: 1}, interval_factor: 1.5, status: judgement, why: \"made up\"}\n", "", "  values: {lumbar",
     "not_spinal needs `referral`", ""},
    {"synonym that is taken", kSmoker, "ask:", "synonyms: [night_pain]\nask:", "", "the synonym 'night_pain' is taken", "one thing"},
    {"SNOMED CT check digit", kMet, "94222008", "94222007", "", "94222007 fails its check digit", ""},
    {"LOINC check digit", kEsr, "4537-7", "4537-8", "", "4537-8 fails its check digit", ""},
    {"ICD-10-CM shape", kMet, "C79.51", "79.51", "", "'79.51' has not the shape", ""},
    {"unknown finding in a rule", kRule, "when: {all: [any_cancer_history, night_pain]}", "when: {all: [any_cancer_history, nite_pain]}",
     "when:", "'nite_pain'", "did you mean 'night_pain'?"},
    {"rule without tests", kRule,
     "  - {name: \"never had cancer\", fires: false, person: {age: 60, sex: female, context: {cancer_history: none}, findings: "
     "{night_pain: present}}}\n",
     "", "", "a rule needs tests", ""},
    {"entries that do not sum", kSpread, "entry: {value: 1, interval: [0.9, 1]", "entry: {value: 0.9, interval: [0.8, 1]", "",
     "entry shares sum to 0.9000, not 1", ""},
};

TEST(Check, TinyKnowledgeIsSound) { EXPECT_EQ(all_of(complaints_about(tiny_knowledge_files())), ""); }

TEST(Check, BuiltInKnowledgeIsSound) {
  const Knowledge k = builtin_knowledge();
  EXPECT_EQ(all_of(check_knowledge(k)), "");
  const Model m = compile(k);
  EXPECT_EQ(all_of(findings_without_influence(k, m)), "");
  EXPECT_TRUE(failing_rule_tests(k, m).empty());
}

class CheckFault : public testing::TestWithParam<Fault> {};

TEST_P(CheckFault, GivesOneComplaintInItsPlace) {
  const Fault& fault = GetParam();
  KnowledgeFiles files = tiny_knowledge_files();
  if (fault.what.empty()) {
    files[fault.file] = fault.with;
  } else {
    ASSERT_NO_FATAL_FAILURE(edit(files, fault.file, fault.what, fault.with));
  }
  const auto complaints = complaints_about(files);
  ASSERT_GE(complaints.size(), 1u);
  ASSERT_LE(complaints.size(), fault.most) << all_of(complaints);
  const Complaint& c = complaints[0];
  EXPECT_EQ(c.file, fault.file) << c.text();
  if (fault.at != "-") {
    EXPECT_EQ(c.line, fault.at.empty() ? 1 : line_of(files[fault.file], fault.at)) << c.text();
  }
  EXPECT_NE(c.message.find(fault.message), std::string::npos) << c.text();
  EXPECT_NE(c.hint.find(fault.hint), std::string::npos) << c.text();
}

INSTANTIATE_TEST_SUITE_P(Faults, CheckFault, testing::ValuesIn(kFaults), [](const auto& param) {
  std::string name = param.param.name;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c); }, '_');
  return name;
});

TEST(Check, DuplicateIdsAreOneComplaintAboutTheSecondFile) {
  KnowledgeFiles files = tiny_knowledge_files();
  files["causes/zz/met.yaml"] = files["causes/tiny/met.yaml"];
  const auto complaints = complaints_about(files);
  ASSERT_EQ(complaints.size(), 1u) << all_of(complaints);
  EXPECT_EQ(complaints[0].text(), "causes/zz/met.yaml:1: 'met' is defined twice (ids are unique; rename one)");
}

TEST(Check, AMissingFileIsNamed) {
  KnowledgeFiles files = tiny_knowledge_files();
  files.erase("safety_net.yaml");
  const auto complaints = complaints_about(files);
  ASSERT_EQ(complaints.size(), 1u) << all_of(complaints);
  EXPECT_EQ(complaints[0].file, "safety_net.yaml");
}

TEST(Check, ARuleWhoseTestFailsIsNamedWithItsLine) {
  KnowledgeFiles files = tiny_knowledge_files();
  edit(files, kRule, "fires: false", "fires: true");
  const auto complaints = complaints_about(files);
  ASSERT_EQ(complaints.size(), 1u) << all_of(complaints);
  EXPECT_NE(complaints[0].message.find(kRule + ":" + std::to_string(line_of(files[kRule], "never had cancer")) + ":"), std::string::npos)
      << complaints[0].message;
}

TEST(Check, EveryNumberIsCountedAndCited) {
  const Knowledge k = tiny_knowledge();
  int numbers = 0;
  for (const auto& entry : all_numbers(k)) {
    EXPECT_FALSE(entry.cite.file.empty()) << entry.path;
    EXPECT_GT(entry.cite.line, 0) << entry.path;
    numbers += entry.numbers;
  }
  // causes: rates 48, settings 6, levels 5, context 2, referral 1, measure 1; courses: 5 + 3; findings: night_pain 3,
  // numb_dermatome_l5 3, smoker 16, history_breast 20, mri_lesion 4, esr 19; anatomy: roots 4, pain 6, offset 2;
  // population: people 16, settings 2, older pain 3.
  EXPECT_EQ(numbers, 63 + 8 + 65 + 12 + 21);
}

}  // namespace
}  // namespace dorsalgia
