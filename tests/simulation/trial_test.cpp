// In-silico trials: the same for any number of threads; scanning all is a bound for every other pathway; faults are named.
#include "simulation/trial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "cli/run.h"
#include "course/chain.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::knowledge;

// Two pathways of the tests' own beside the shipped ones: everyone scanned at once at every visit, and nobody at all.
KnowledgeFiles files() {
  KnowledgeFiles out = knowledge().texts;
  const std::string visits = R"(status: judgement
why: "for tests"
visits:
  return_weeks: {value: 4, status: judgement, why: "for tests"}
  comes_back: {value: 1, status: judgement, why: "for tests"}
steps:
)";
  out["trials/always.yaml"] = "id: always\nname: scan at every visit\n" + visits + R"(  - when: always
    do: mri
    wait_weeks: {median: 0, spread: 0, status: judgement, why: "for tests"}
    again_after_weeks: 0.1
)";
  out["trials/never.yaml"] = "id: never\nname: never scan\n" + visits + R"(  - when: {age: {min: 200}}
    do: mri
    wait_weeks: {median: 0, spread: 0, status: judgement, why: "for tests"}
)";
  return out;
}

const Trials& trials() {
  static const Trials t = [] {
    std::vector<Complaint> complaints;
    Trials out = read_trials(files(), knowledge(), complaints);
    for (const Complaint& c : complaints) ADD_FAILURE() << c.text();
    return out;
  }();
  return t;
}

std::vector<const TrialPathway*> all() {
  std::vector<const TrialPathway*> out;
  for (const TrialPathway& p : trials().pathways) out.push_back(&p);
  return out;
}

TrialResult run(std::uint64_t people, unsigned threads, std::uint64_t seed = 7) {
  TrialOptions o;
  o.people = people, o.threads = threads, o.seed = seed, o.resamples = 20;
  return run_trial(knowledge(), engine(), trials(), all(), o);
}

const TrialResult& result() {
  static const TrialResult r = run(1500, 2);
  return r;
}

const TrialArm& arm(const std::string& id) {
  for (const TrialArm& a : result().arms)
    if (a.pathway->id == id) return a;
  throw std::runtime_error(id);
}

double value(const std::string& id, Outcome o) { return arm(id).outcomes[static_cast<std::size_t>(o)].value; }

TEST(Trial, is_the_same_for_any_number_of_threads) {
  const TrialResult one = run(300, 1), three = run(300, 3);
  bool other_seed_differs = false;
  const TrialResult other = run(300, 2, 8);
  for (std::size_t a = 0; a < one.arms.size(); ++a) {
    for (std::size_t i = 0; i < one.people.size(); ++i) {
      const Fate &x = one.arms[a].fates[i], &y = three.arms[a].fates[i];
      ASSERT_EQ(x.diagnosis, y.diagnosis);
      ASSERT_EQ(x.mris, y.mris);
      ASSERT_EQ(x.visits, y.visits);
      other_seed_differs = other_seed_differs || x.visits != other.arms[a].fates[i].visits;
    }
    for (std::size_t o = 0; o < kOutcomes; ++o)
      ASSERT_EQ(std::memcmp(&one.arms[a].outcomes[o], &three.arms[a].outcomes[o], sizeof(OutcomeEstimate)), 0) << a << " " << o;
  }
  EXPECT_TRUE(other_seed_differs);
}

// Person by person, since all live the same life. Nobody can be found before the pathway that looks at every visit finds
// them, but for tests between two of its visits, which are four weeks apart.
TEST(Trial, nothing_finds_more_or_sooner_than_scanning_everyone_at_every_visit) {
  const TrialArm& always = arm("always");
  std::size_t found = 0;
  for (const TrialArm& other : result().arms)
    for (std::size_t i = 0; i < result().people.size(); ++i) {
      if (!std::isfinite(other.fates[i].diagnosis)) continue;
      ++found;
      ASSERT_LE(always.fates[i].diagnosis, other.fates[i].diagnosis + 4.01) << other.pathway->id << " " << i;
    }
  EXPECT_GT(found, 1000U);
  for (const TrialArm& other : result().arms) {
    EXPECT_LE(value("always", Outcome::missed), value(other.pathway->id, Outcome::missed) + 1e-12) << other.pathway->id;
    EXPECT_LE(value("always", Outcome::visit_to_diagnosis), value(other.pathway->id, Outcome::visit_to_diagnosis)) << other.pathway->id;
  }
}

TEST(Trial, who_never_scans_finds_nothing) {
  EXPECT_EQ(value("never", Outcome::mri_per_thousand), 0);
  EXPECT_EQ(value("never", Outcome::missed), 1);
  EXPECT_TRUE(std::isinf(value("never", Outcome::visit_to_diagnosis)));
  EXPECT_TRUE(std::isnan(value("never", Outcome::found_per_thousand)));
}

TEST(Trial, a_lower_threshold_scans_more_and_nobody_later) {
  EXPECT_GT(value("model_1_percent", Outcome::mri_per_thousand), value("model_3_percent", Outcome::mri_per_thousand));
  EXPECT_LE(value("model_1_percent", Outcome::visit_to_diagnosis), value("model_3_percent", Outcome::visit_to_diagnosis));
}

TEST(Trial, waiting_for_a_deficit_takes_longest) {
  for (const TrialArm& other : result().arms) {
    if (other.pathway->id == "wait_for_deficit" || other.pathway->id == "never") continue;
    EXPECT_GT(value("wait_for_deficit", Outcome::visit_to_diagnosis), value(other.pathway->id, Outcome::visit_to_diagnosis))
        << other.pathway->id;
    EXPECT_GT(value("wait_for_deficit", Outcome::compressed_before), value(other.pathway->id, Outcome::compressed_before))
        << other.pathway->id;
  }
}

TEST(Trial, tumours_are_drawn_often_and_weighed_back) {
  double tumours = 0, weight = 0, weight_malignant = 0;
  for (const TrialPerson& p : result().people) tumours += p.tumour, weight += p.weight, weight_malignant += p.weight * p.malignant;
  EXPECT_NEAR(tumours / 1500, 0.5, 0.08);
  EXPECT_LT(weight_malignant / weight, 0.02);
  EXPECT_GT(weight_malignant / weight, 0.001);
}

// The life that goes on after the first visit follows the course's own chain.
TEST(Trial, followed_people_move_as_the_course_says) {
  const Model& m = engine().model();
  const int cause = m.cause("met_breast");
  ASSERT_GE(cause, 0);
  Cohort cohort;
  cohort.causes.assign(m.causes.size(), 0);
  cohort.causes[static_cast<std::size_t>(cause)] = 1;
  const People people(m, 3, cohort);
  std::array<Eigen::MatrixXd, kCanals> moves;
  for (int canal = 0; canal < kCanals; ++canal)
    moves[canal] = Chain(m.courses[m.causes[cause].course], m.causes[cause].tempo, static_cast<Canal>(canal)).moves(12);
  VirtualPerson p;
  std::vector<double> seen(static_cast<std::size_t>(moves[0].cols()), 0), expected = seen;
  constexpr int kPeople = 4000;
  for (std::uint64_t i = 0; i < kPeople; ++i) {
    people.draw(i, p);
    const Eigen::MatrixXd& its = moves[static_cast<std::size_t>(m.levels[p.level].canal)];
    for (Eigen::Index j = 0; j < its.cols(); ++j) expected[static_cast<std::size_t>(j)] += its(p.visits[0].stage, j);
    people.follow(p, 12);
    double before = -1;
    for (const VirtualVisit& v : p.visits) {
      ASSERT_GT(v.weeks, before);
      before = v.weeks;
    }
    ASSERT_EQ(p.path.back().stage, p.visits.back().stage);
    if (p.visits.back().stage >= 0) ++seen[static_cast<std::size_t>(p.visits.back().stage)];
  }
  for (std::size_t j = 0; j < seen.size(); ++j) EXPECT_NEAR(seen[j] / kPeople, expected[j] / kPeople, 0.03) << j;
}

std::string first_fault(const std::string& from, const std::string& to) {
  KnowledgeFiles f = files();
  std::string& text = f["trials/always.yaml"];
  const auto at = text.find(from);
  if (at == std::string::npos) return "the test's own text lacks " + from;
  text.replace(at, from.size(), to);
  std::vector<Complaint> complaints;
  read_trials(f, knowledge(), complaints);
  return complaints.empty() ? "" : complaints[0].text();
}

TEST(TrialPathways, faults_name_file_line_and_remedy) {
  const auto expect = [](const std::string& from, const std::string& to, const std::string& line, const std::string& part) {
    const std::string fault = first_fault(from, to);
    EXPECT_EQ(fault.rfind("trials/always.yaml:" + line, 0), 0U) << fault;
    EXPECT_NE(fault.find(part), std::string::npos) << fault;
  };
  expect("do: mri", "do: mry", "10:", "did you mean 'mri'?");
  expect("when: always", "when: wieght_loss", "9:", "did you mean 'weight_loss'?");
  expect("when: always", "when: {probability: {malignat: {at_least: 0.1}}}", "9:", "did you mean 'malignant'?");
  expect("when: always", "when: {probability: {malignant: {at_least: 3}}}", "9:", "between 0 and 1");
  expect("when: always", "when: {list: acp_2012_us}", "9:", "did you mean 'acp_2011_us'?");
  expect("when: always", "when: {triage: {profile: uk, at_least: sooon}}", "9:", "did you mean 'soon'?");
  expect("again_after_weeks", "agian_after_weeks", "12:", "did you mean 'again_after_weeks'?");
  expect("comes_back: {value: 1,", "comes_back: {value: 1.5,", "7:", "between 0 and 1");
  expect("median: 0,", "median: soon,", "11:", "not a number");
  expect("id: always", "id: allways", "1:", "not the file's name");
  expect("status: judgement", "status: checked", "", "names its source");
}

using TrialCommand = test::CommandLine;

TEST_F(TrialCommand, says_what_is_wrong_and_ends_as_promised) {
  const auto unknown = run("trial --pathway acp_2001");
  EXPECT_EQ(unknown.exit, 2);
  EXPECT_NE(unknown.err.find("did you mean 'acp_2011'?"), std::string::npos) << unknown.err;
  EXPECT_EQ(run("trial --people 0").exit, 2);
  EXPECT_EQ(run("trial --people 200 --pathway nice -o /nowhere/at/all.json").exit, 3);
  const auto list = run("trial --list");
  EXPECT_EQ(list.exit, 0);
  EXPECT_NE(list.out.find("wait_for_deficit"), std::string::npos);
  const auto two = run("trial --people 200 --pathway nice --pathway model_1_percent --json");
  EXPECT_EQ(two.exit, 0) << two.err;
  EXPECT_NE(two.out.find("\"visit_to_diagnosis_weeks\""), std::string::npos);
}

}  // namespace
}  // namespace dorsalgia
