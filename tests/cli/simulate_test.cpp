// dorsalgia simulate as its users run it: the same people for a seed, whole lines whatever happens.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/run.h"
#include "support/random_person.h"

namespace dorsalgia::test {
namespace {

using nlohmann::json;

class Simulate : public CommandLine {
 protected:
  std::string good(const std::string& words) {
    const Outcome o = run("simulate " + words);
    EXPECT_EQ(o.exit, 0) << words << "\n" << o.err;
    EXPECT_EQ(o.err, "") << words;
    return o.out;
  }
  void refused(const std::string& words, const std::string& part) {
    const Outcome o = run("simulate " + words);
    EXPECT_EQ(o.exit, 2) << words << "\n" << o.err;
    EXPECT_TRUE(o.out.empty()) << words;
    EXPECT_NE(o.err.find(part), std::string::npos) << words << "\n" << o.err;
  }
};

TEST_F(Simulate, TheSameForASeedWhateverTheThreadsOrTheNumber) {
  const std::string people = "--people " + std::to_string(std::max(200, test::share_of(1500))) + " --seed 7 --threads ";
  for (const char* how : {"", "--recorded record", "--format csv", "--visits 0,4,12 --only tumours"}) {
    const std::string one = good(people + "1 " + how);
    EXPECT_TRUE(one == good(people + "2 " + how)) << how;
    const std::string fewer = good(std::string("--people 100 --seed 7 ") + how);
    EXPECT_TRUE(one.substr(0, fewer.size()) == fewer) << how;
    EXPECT_FALSE(fewer == good(std::string("--people 100 --seed 8 ") + how)) << how;
  }
  const std::string text = good("--people 300 --seed 7");
  EXPECT_EQ(good("--people 300 --seed 7 -o people.jsonl"), "");
  EXPECT_TRUE(slurp(folder_ / "people.jsonl") == text);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "people.jsonl.part"));
}

TEST_F(Simulate, LinesAreForAssessAndEvaluate) {
  const std::string text = good("--people 20 --recorded record --only malignant");
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 20u);
  for (const auto& line : lines) {
    const json p = json::parse(line);
    EXPECT_TRUE(p["truth"]["malignant"]);
    EXPECT_GT(p["truth"]["weight"], 0);
    EXPECT_LT(p["truth"]["weight"], 0.2);
  }
  write("p.json", lines[0]);
  EXPECT_EQ(run("assess p.json").exit, 0);
  write("cases.jsonl", text);
  const Outcome o = run("evaluate --json cases.jsonl");
  EXPECT_EQ(o.exit, 0) << o.err;
  EXPECT_TRUE(json::parse(o.out)["outcomes"].contains("malignant"));
}

TEST_F(Simulate, CohortsAndSettings) {
  for (const auto& line : lines_of(good("--people 50 --cause met_breast,myeloma --setting ed"))) {
    const json p = json::parse(line);
    const std::string cause = p["truth"]["cause"];
    EXPECT_TRUE(cause == "met_breast" || cause == "myeloma") << cause;
    EXPECT_EQ(p["setting"], "emergency");
  }
  for (const auto& line : lines_of(good("--people 20"))) EXPECT_EQ(json::parse(line)["truth"]["weight"], 1);
  const auto rows = lines_of(good("--people 3 --format csv"));
  ASSERT_EQ(rows.size(), 4u);
  for (const auto& row : rows) EXPECT_EQ(std::count(row.begin(), row.end(), ','), std::count(rows[0].begin(), rows[0].end(), ','));
}

TEST_F(Simulate, WhatCannotBeDrawn) {
  refused("--cause met_brest", "did you mean 'met_breast'?");
  refused("--setting primary_car", "did you mean 'primary_care'?");
  refused("--cause muscle_strain --only tumours", "none of the causes");
  refused("--people 0", "people");
  refused("--people many", "people");
  refused("--seed -1", "seed");
  refused("--format xml", "xml");
  refused("--visits 4,12", "week 0");
  refused("--visits 0,12,4", "rise");
  refused("--visits 0,4 --format csv", "one visit");
  refused("--recorded some", "some");
}

TEST_F(Simulate, FullDisc) {
  if (!std::filesystem::exists("/dev/full")) return;
  const Outcome o = run("simulate --people 2000 >/dev/full");
  EXPECT_EQ(o.exit, 3);
  EXPECT_EQ(lines_of(o.err), std::vector<std::string>{"standard output: No space left on device"});
  const Outcome p = run("simulate --people 10 -o no/such/folder/people.jsonl");
  EXPECT_EQ(p.exit, 3);
  EXPECT_EQ(lines_of(p.err).size(), 1u) << p.err;
}

TEST_F(Simulate, InterruptedItLeavesWholeLines) {
  // A background command of a shell ignores SIGINT; `timeout` sends it to a child that does not.
  const Outcome o = shell("timeout --preserve-status -s INT 0.7 '" DORSALGIA_PROGRAM "' simulate --people 100000000 >people.jsonl");
  EXPECT_EQ(o.exit, 130) << o.err;
  EXPECT_NE(o.err.find("stopped after"), std::string::npos) << o.err;
  const std::string text = slurp(folder_ / "people.jsonl");
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(text.back(), '\n');
  const auto last = text.rfind('\n', text.size() - 2);
  EXPECT_TRUE(json::accept(text.substr(last == std::string::npos ? 0 : last + 1)));

  const Outcome to_file = shell("timeout --preserve-status -s INT 0.7 '" DORSALGIA_PROGRAM "' simulate --people 100000000 -o whole.jsonl");
  EXPECT_EQ(to_file.exit, 130) << to_file.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "whole.jsonl"));
  EXPECT_EQ(slurp(folder_ / "whole.jsonl.part").back(), '\n');
}

}  // namespace
}  // namespace dorsalgia::test
