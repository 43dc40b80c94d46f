// A new cause, a new finding and a new rule, each one YAML file and no C++.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "inference/exact.h"
#include "knowledge/knowledge.h"
#include "model/model.h"
#include "pathway/pathway.h"
#include "person/read.h"

namespace dorsalgia {
namespace {

KnowledgeFiles shipped_files() {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(DORSALGIA_SOURCE_DIR) / "knowledge";
  KnowledgeFiles files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".yaml") continue;
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    files[fs::relative(entry.path(), root).generic_string()] = text.str();
  }
  return files;
}

const char* kCause = R"(
id: intervertebral_gremlin
name: gremlin between the vertebrae
group: other visceral
behaviour: benign
emergency: false
course: degenerative
describes: Made up for a test.
rate:
  ages: [0, 15, 30, 40, 50, 60, 70, 80]
  male:   [0, 1, 5, 5, 5, 5, 5, 5]
  female: [0, 1, 5, 5, 5, 5, 5, 5]
  interval_factor: 2
  status: judgement
  why: made up
settings: {values: {community: 1, primary_care: 1, emergency: 1, specialist: 1}, interval_factor: 2, status: judgement, why: made up}
levels: {values: {lumbar: 1}, interval_factor: 1.2, status: judgement, why: made up}
findings:
  fever: {value: 0.3, interval: [0.1, 0.5], status: judgement, why: made up}
)";

const char* kFinding = R"(
id: sound_of_cogs
name: sound of cogs in the back
kind: sign
group: examination
burden: examination
ask: {clinician: "Are cogs heard over the spine?", person: "Does your back sound like cogs?"}
leak: {value: 0.001, interval: [0.0002, 0.005], status: judgement, why: made up}
causes:
  intervertebral_gremlin: {value: 0.9, interval: [0.7, 0.97], status: judgement, why: made up}
)";

const char* kRule = R"(
id: cogs_need_oil
name: cogs are heard
profile: common
applies: any
date_checked: 2026-11-22
status: judgement
why: made up
urgency: emergency
action: {clinician: Oil., person: Oil.}
when: {all: [sound_of_cogs, {age: {min: 30}}]}
needs: [sound_of_cogs]
tests:
  - {name: heard, person: {age: 40, findings: {sound_of_cogs: present}}, fires: true}
  - {name: young, person: {age: 20, findings: {sound_of_cogs: present}}, fires: false}
)";

TEST(YamlAlone, ANewCauseFindingAndRuleNeedNoCode) {
  KnowledgeFiles files = shipped_files();
  ASSERT_GT(files.size(), 300u);
  files["causes/visceral/intervertebral_gremlin.yaml"] = kCause;
  files["findings/examination/sound_of_cogs.yaml"] = kFinding;
  files["pathways/common/cogs_need_oil.yaml"] = kRule;
  Loaded loaded = load_knowledge(files);
  for (const auto& c : loaded.complaints) ADD_FAILURE() << c.text();
  for (const auto& c : check_knowledge(loaded.knowledge)) ADD_FAILURE() << c.text();
  const Model model = compile(loaded.knowledge);
  EXPECT_TRUE(failing_rule_tests(loaded.knowledge, model).empty());
  EXPECT_NE(model.hash, compile(load_knowledge(shipped_files()).knowledge).hash);

  const ExactEngine engine(model);
  const PersonRead without = read_person(std::string(R"({"age": 40, "sex": "male"})"), loaded.knowledge, model);
  const PersonRead with =
      read_person(std::string(R"({"age": 40, "sex": "male", "findings": {"sound_of_cogs": "present"}})"), loaded.knowledge, model);
  ASSERT_TRUE(with.faults.empty());
  const int gremlin = model.cause("intervertebral_gremlin");
  ASSERT_GE(gremlin, 0);
  const Posterior before = engine.posterior(without.person), after = engine.posterior(with.person);
  EXPECT_GT(before.causes[gremlin], 0);
  EXPECT_GT(after.causes[gremlin], 100 * before.causes[gremlin]);
  EXPECT_NEAR(Oracle(model).posterior(with.person).causes[gremlin], after.causes[gremlin], 1e-9);
  EXPECT_EQ(triage(loaded.knowledge, model, with.person, "uk", &after).fired.front().rule->id, "cogs_need_oil");
}

}  // namespace
}  // namespace dorsalgia
