// What the program says about input it cannot use: exit code 2, every fault on a line of its own on standard error with
// place and remedy, nothing on standard output, nothing half written. A full disc is exit code 3.
#include "cli/run.h"

namespace dorsalgia::test {
namespace {

using Words = std::vector<std::string>;

class BadInput : public CommandLine {
 protected:
  // Refused with these lines on standard error, and nothing else.
  void refused(const std::string& words, const Words& lines, const std::string& input = "") {
    const Outcome o = run(words, input);
    EXPECT_EQ(o.exit, 2) << words;
    EXPECT_EQ(o.out, "") << words;
    EXPECT_EQ(lines_of(o.err), lines) << words;
  }
  // Refused with some words; what they are is another library's business.
  void refused(const std::string& words, const std::string& part, const std::string& input = "") {
    const Outcome o = run(words, input);
    EXPECT_EQ(o.exit, 2) << words << "\n" << o.err;
    EXPECT_EQ(o.out, "") << words;
    EXPECT_NE(o.err.find(part), std::string::npos) << words << "\n" << o.err;
  }
};

TEST_F(BadInput, FilesThatCannotBeRead) {
  write("empty.json", "");
  write("blank.json", " \n\t\n");
  std::filesystem::create_directory(folder_ / "folder");
  refused("assess empty.json", Words{"empty.json: empty"});
  refused("assess blank.json", Words{"blank.json: empty"});
  refused("assess folder", Words{"folder: this is a folder; give a file"});
  refused("assess missing.json", Words{"missing.json: No such file or directory"});
  refused("assess -", Words{"-: empty"});
  refused("evaluate missing.jsonl", "missing.jsonl: No such file or directory");
  refused("evaluate folder", "this is a folder");
  refused("evaluate empty.json", "empty");
}

TEST_F(BadInput, TenMegabytesOfBrackets) {
  write("deep.json", std::string(10u << 20, '['));
  refused("assess deep.json", Words{"deep.json: 10485760 bytes, more than 1048576"});
  refused("assess -", Words{"-: more than 1048576 bytes"}, std::string(10u << 20, '['));
  write("deep.json", std::string(1u << 20, '['));
  refused("assess deep.json", Words{"deep.json: nested 1048576 levels deep, more than 16 (a person has two levels)"});
}

TEST_F(BadInput, TextThatIsNotJson) {
  write("latin1.json", "{\"id\": \"M\xfcller\"}");
  refused("assess latin1.json", "latin1.json: not JSON: ");
  write("cut.json", "{\"age\": 68, ");
  refused("assess cut.json", "cut.json: not JSON: ");
  write("nan.json", "{\"age\": NaN}");
  refused("assess nan.json", "nan.json: not JSON: ");
  for (const char* name : {"latin1.json", "cut.json", "nan.json"})
    EXPECT_EQ(lines_of(run(std::string("assess ") + name).err).size(), 1u) << name;
}

TEST_F(BadInput, UnknownKey) {
  write("p.json", R"({"findings": {"fevre": "present"}})");
  refused("assess p.json", Words{"p.json: findings.fevre: no finding is called 'fevre' (did you mean 'fever'?)"});
}

TEST_F(BadInput, AllFaultsAtOnce) {
  write("p.json", R"({"age": 212, "sex": "x", "findings": {"fevre": "present"}, "labs": {"haemoglobin": 13}})");
  const Outcome o = run("assess p.json");
  EXPECT_EQ(o.exit, 2);
  EXPECT_EQ(o.out, "");
  const Words lines = lines_of(o.err);
  ASSERT_EQ(lines.size(), 4u) << o.err;
  const Words starts = {"p.json: age: 212 years is not an age", "p.json: sex: male, female or unknown",
                        "p.json: findings.fevre: ", "p.json: labs.haemoglobin: haemoglobin 13 in which unit?"};
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i].rfind(starts[i], 0), 0u) << lines[i];
}

TEST_F(BadInput, Contradiction) {
  write("p.json", R"({"findings": {"night_pain": "present", "nocturnal_pain": "absent"}})");
  refused("assess p.json", "contradicts 'findings.night_pain: present'");
}

TEST_F(BadInput, WordsThatAreNoCommand) {
  refused("", "subcommand");
  refused("asess", "");
  refused("assess", "file is required");
  refused("assess p.json q.json", "");
  refused("assess --jsn p.json", "");
  refused("assess --json --html p.json", "");
  refused("assess --for robot p.json", "robot");
  refused("assess --profile de p.json", "de");
  refused("assess --width 5 p.json", "5");
  refused("assess --width wide p.json", "wide");
  refused("--color sometimes assess p.json", "sometimes");
  refused("ask --for robot", "robot");
  refused("ask -o -", "-o needs a file");
  refused("knowledge show no_such_thing", "no_such_thing");
  refused("knowledge export --format pdf", "pdf");
  refused("score no_such_score", "no_such_score");
  refused("score sins nothing=here", "nothing");
}

TEST_F(BadInput, FullDisc) {
  if (!std::filesystem::exists("/dev/full")) return;
  write("p.json", R"({"age": 50, "sex": "female"})");
  write("cases.jsonl", R"({"id": "a", "age": 50, "sex": "female", "truth": {"group": "nonspecific", "is_tumour": false}})");
  for (const char* words : {"assess p.json", "assess --json p.json", "assess --html p.json", "ask", "knowledge list causes",
                            "knowledge show fever", "score", "evaluate cases.jsonl"}) {
    const Outcome o = run(std::string(words) + " >/dev/full", "50\nf\n");
    EXPECT_EQ(o.exit, 3) << words << "\n" << o.err;
    EXPECT_EQ(lines_of(o.err).size(), 1u) << words << "\n" << o.err;
  }
}

TEST_F(BadInput, NothingHalfWritten) {
  write("p.json", R"({"age": 50, "sex": "female"})");
  const Outcome o = run("assess p.json -o no/such/folder/report.txt");
  EXPECT_EQ(o.exit, 3);
  EXPECT_NE(o.err.find("no/such/folder/report.txt"), std::string::npos);
  EXPECT_EQ(o.out, "");
  write("bad.json", R"({"age": 500})");
  EXPECT_EQ(run("assess bad.json -o report.txt").exit, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.txt"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.txt.part"));
}

TEST_F(BadInput, BrokenKnowledge) {
  EXPECT_EQ(run("knowledge check missing").exit, 2);
  refused("--knowledge missing assess p.json", "", "");
  write("broken/causes/x/bad.yaml", "id: bad\nname: [\n");
  write("broken/findings/x/odd.yaml", "id: odd\nname: odd\nkin: symptom\n");
  write("broken/notes.txt", "hello");
  const Outcome o = run("knowledge check broken");
  EXPECT_EQ(o.exit, 2);
  const std::string told = o.out + o.err;  // the faults are this command's result
  EXPECT_NE(told.find("causes/x/bad.yaml:"), std::string::npos) << told;
  EXPECT_NE(told.find("findings/x/odd.yaml:3: unknown or misplaced key 'kin' (did you mean 'kind'?)"), std::string::npos) << told;
  EXPECT_NE(told.find("notes.txt: this file has no place"), std::string::npos) << told;
  EXPECT_NE(told.find("anatomy.yaml: this file is missing"), std::string::npos) << told;
}

TEST_F(BadInput, KnowledgeThatHasNoEnd) {
  std::filesystem::copy(DORSALGIA_SOURCE_DIR "/fuzz/base", folder_ / "k", std::filesystem::copy_options::recursive);
  EXPECT_EQ(run("knowledge check k").exit, 0);
  write("k/pathways/definitions.yaml", "definitions:\n  loss: {any: [later]}\n  later: {all: [loss]}\n");
  refused("--knowledge k assess -", "'loss' is defined by itself", "{}");
  std::string doubled = "definitions:\n  loss: {any: [d40]}\n  d0: night\n";
  for (int i = 1; i <= 40; ++i)
    doubled += "  d" + std::to_string(i) + ": {any: [d" + std::to_string(i - 1) + ", d" + std::to_string(i - 1) + "]}\n";
  write("k/pathways/definitions.yaml", doubled);
  refused("--knowledge k assess -", "definitions unfold to too many conditions", "{}");
  write("k/pathways/definitions.yaml", "definitions:\n  loss: &a {any: [*a]}\n");
  refused("--knowledge k assess -", "nested more than", "{}");
  write("k/pathways/definitions.yaml",
        "a: &a [x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, "
        "*c, *c, *c, *c, *c, *c]\n"
        "e: &e [*d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f]\n");
  refused("--knowledge k assess -", "once aliases are written out", "{}");
  write("k/pathways/definitions.yaml", std::string(100000, '['));
  refused("--knowledge k assess -", "definitions.yaml:", "{}");
}

}  // namespace
}  // namespace dorsalgia::test
