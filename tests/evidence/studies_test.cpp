// Studies, the population that they are held against, its derivatives, the fit and the intervals.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "evidence/calibrate.h"
#include "evidence/population.h"
#include "evidence/validate.h"
#include "inference/intervals.h"
#include "knowledge/pack.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::knowledge;
using test::model;

std::string study(const std::string& figures, const std::string& head = "setting: primary_care\n") {
  return "id: s\nname: a study\nsource: " + knowledge().sources.begin()->first + "\ndesign: cohort\nuse: calibration\nbecause: a test\n" +
         head + "figures:\n" + figures;
}
std::vector<Study> read(const std::string& text, std::vector<Complaint>* complaints = nullptr) {
  std::vector<Complaint> own;
  std::vector<Study> out = read_studies({{"s.yaml", text}}, knowledge(), complaints ? *complaints : own);
  if (!complaints)
    for (const auto& c : own) ADD_FAILURE() << c.text();
  return out;
}
std::string complaint(const std::string& text) {
  std::vector<Complaint> all;
  read(text, &all);
  return all.empty() ? "" : all[0].text();
}

TEST(Studies, OfTheKnowledgeBaseAreSound) {
  std::vector<Complaint> complaints;
  const auto all = read_studies(knowledge().texts, knowledge(), complaints);
  for (const auto& c : complaints) ADD_FAILURE() << c.text();
  int calibration = 0, validation = 0;
  for (const Study& s : all) calibration += s.use == Use::calibration, validation += s.use == Use::validation;
  EXPECT_GE(validation * 3, calibration + validation);  // at least a third were kept back
}

TEST(Studies, FaultsNameTheLineAndTheRemedy) {
  const std::string tail = "    status: checked\n    where: abstract\n";
  EXPECT_NE(complaint(study("  - id: a\n    has: night_pain\n    counts: [14, 13]\n" + tail)).find("s.yaml:11"), std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: night_pain\n    counts: [14, 13]\n" + tail)).find("not events out of a total"),
            std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: nigt_pain\n    counts: [1, 13]\n" + tail)).find("did you mean 'night_pain'?"),
            std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: {cause: [met_brest]}\n    counts: [1, 13]\n" + tail)).find("met_breast"),
            std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: night_pain\n    share: 1.2\n    total: 9\n" + tail)).find("not between 0 and 1"),
            std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: night_pain\n    share: 0.2\n" + tail)).find("number of people"), std::string::npos);
  EXPECT_NE(complaint(study("  - id: a\n    has: esr\n    counts: [1, 2]\n" + tail)).find("measured"), std::string::npos);
}

// The same share from the inference engine: people of each stratum by the evidence of what is asked.
double by_engine(const PopulationPlan& plan, const std::vector<std::string>& findings) {
  double with = 0, all = 0;
  for (const auto& x : plan.strata) {
    Presentation p;
    p.age = x.age, p.sex = x.sex, p.setting = plan.setting;
    double rates = 0;
    for (const auto& c : model().causes) rates += at_age(c.rate, x.sex, x.age);
    const Posterior before = engine().posterior(p);
    for (const auto& f : findings)
      p.answers.push_back({model().finding(f), 1, model().findings[model().finding(f)].grades - 1, false, 0, 0, ""});
    const Posterior after = engine().posterior(p);
    with += x.people * rates * std::exp(after.log_evidence) * after.malignant;
    all += x.people * rates * before.malignant;
  }
  return with / all;
}

TEST(Population, EqualsTheEngine) {
  for (const std::vector<std::string>& findings :
       {std::vector<std::string>{"night_pain"}, {"weak_myotome_l5", "numb_dermatome_l5"}, {"weight_loss", "fever", "history_breast"}}) {
    bool known = true;
    std::string has;
    for (const auto& f : findings) known = known && model().finding(f) >= 0, has += (has.empty() ? "" : ", ") + f;
    if (!known) continue;
    const auto s =
        read(study("  - id: a\n    of: {cause: [malignant]}\n    has: {all: [" + has + "]}\n    counts: [1, 13]\n    status: checked\n"));
    const StudyFigure& f = s[0].figures[0];
    const PopulationPlan plan(model(), {{{&*f.of}, 0}, {{&*f.of, &*f.has}, 0}}, "primary_care");
    const std::vector<double> w = weigh(model(), plan);
    EXPECT_NEAR(w[1] / w[0], by_engine(plan, findings), 1e-9 * w[1] / w[0] + 1e-15) << has;
  }
}

TEST(Population, AVariableThatStandsTwiceIsOne) {
  const auto s = read(study(
      "  - id: a\n    has: {any: [{all: [fever, night_pain]}, {all: [fever, weight_loss]}]}\n    counts: [1, 13]\n    status: checked\n"
      "  - id: b\n    has: {all: [fever, {any: [night_pain, weight_loss]}]}\n    counts: [1, 13]\n    status: checked\n"
      "  - id: c\n    of: any_cancer_history\n    has: {any: [any_cancer_history, fever]}\n    counts: [1, 13]\n    status: checked\n"));
  const auto& f = s[0].figures;
  const PopulationPlan plan(model(), {{{&*f[0].has}, 0}, {{&*f[1].has}, 0}, {{&*f[2].of}, 0}, {{&*f[2].of, &*f[2].has}, 0}},
                            "primary_care");
  const std::vector<double> w = weigh(model(), plan);
  EXPECT_NEAR(w[0], w[1], 1e-12 * w[0]);
  EXPECT_NEAR(w[2], w[3], 1e-12 * w[2]);  // who has a cancer history has a cancer history or fever
}

TEST(Parameters, AreNeverPushedToTheEnds) {
  for (double z : {-1e3, -40.0, 0.0, 40.0, 1e3}) {
    const double p = moved_logit(0.3, 0.5 * z);
    EXPECT_GE(p, 0);
    EXPECT_LE(p, 1);
  }
  EXPECT_EQ(moved_logit(0.0, 3.0), 0);
  EXPECT_EQ(moved_logit(1.0, -3.0), 1);
  EXPECT_NEAR(moved_logit(0.5, std::log(3.0)), 0.75, 1e-15);
  const auto all = parameters(knowledge(), model());
  std::set<std::string> ids;
  for (const auto& p : all) {
    EXPECT_TRUE(ids.insert(p.id).second) << p.id;
    EXPECT_GT(p.spread, 0) << p.id;
  }
}

// Derivatives by the chain rule against finite differences of the plain sum.
TEST(Expectations, GradientsAreSlopes) {
  const auto s =
      read(study("  - id: a\n    of: {cause: [malignant]}\n    has: night_pain\n    counts: [4, 13]\n    status: checked\n"
                 "  - id: b\n    has: {measured: {esr: {above: 50}}}\n    counts: [4, 113]\n    status: checked\n"
                 "  - id: c\n    of: any_cancer_history\n    against: {none: [any_cancer_history]}\n    has: {cause: [metastasis]}\n"
                 "    odds_ratio: {value: 10, interval: [5, 20]}\n    status: checked\n"));
  const auto all = parameters(knowledge(), model());
  const auto scale = [&](const Model& m, std::size_t i) {
    const StudyFigure& f = s[0].figures[i];
    std::vector<Group> groups;
    const auto group = [&](const std::optional<Condition>& of, bool has) {
      Group g;
      if (of) g.all.push_back(&*of);
      if (has) g.all.push_back(&*f.has);
      groups.push_back(g);
    };
    group(f.of, false), group(f.of, true), group(f.against, false), group(f.against, true);
    const PopulationPlan plan(model(), groups, "primary_care");
    const std::vector<double> w = weigh(m, plan);
    const auto logit = [](double p) { return std::log(p / (1 - p)); };
    return f.against ? logit(w[1] / w[0]) - logit(w[3] / w[2]) : logit(w[1] / w[0]);
  };
  const auto found = expectations(knowledge(), model(), s, {});
  ASSERT_EQ(found.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    int looked = 0;
    for (const auto& [p, slope] : found[i].gradient) {
      if (std::abs(slope) < 0.02 || ++looked > 8) continue;
      Model up = model(), down = model();
      displace(up, all[p], 1e-4);
      displace(down, all[p], -1e-4);
      EXPECT_NEAR(slope, (scale(up, i) - scale(down, i)) / 2e-4, 1e-5) << all[p].id;
    }
    EXPECT_GT(looked, 0);
  }
}

TEST(Calibrate, MovesTowardsTheStudyAndNotBeyondAndIsTheSameEachTime) {
  const auto s =
      read(study("  - id: a\n    of: {cause: [muscle_strain]}\n    has: night_pain\n    counts: [600, 1000]\n    status: checked\n"));
  Knowledge plain = knowledge();
  plain.fitted = {};
  const Model before = compile(plain);
  const double expected_before = expectations(plain, before, s, {})[0].expected;
  const Calibrated c = calibrate(knowledge(), s, {});
  ASSERT_EQ(c.trouble, "");
  Knowledge fitted = plain;
  fitted.fitted = c.fitted;
  const double expected_after = expectations(fitted, compile(fitted), s, {})[0].expected;
  EXPECT_GT(expected_after, expected_before);
  EXPECT_LT(expected_after, 0.6);
  EXPECT_LT(c.cost_after, c.cost_before);
  EXPECT_EQ(c.fitted.draws.size(), static_cast<std::size_t>(kDraws));
  EXPECT_EQ(fitted_yaml(c, s), fitted_yaml(calibrate(knowledge(), s, {}), s));
  for (std::size_t i = 0; i < c.fitted.sd.size(); ++i)
    EXPECT_LE(c.fitted.sd[i], 1.001) << c.fitted.parameters[i];  // data never widen a prior
}

TEST(Calibrate, LooksAtNoOtherStudy) {
  auto s = read(study("  - id: a\n    has: night_pain\n    counts: [600, 1000]\n    status: checked\n    use: validation\n"));
  EXPECT_NE(calibrate(knowledge(), s, {}).trouble, "");
}

// The values in use were fitted to the numbers that are written in the knowledge base now.
TEST(Calibrate, TheFitIsToTheseNumbers) {
  Knowledge plain = knowledge();
  plain.fitted = {};
  EXPECT_EQ(knowledge().fitted.unfitted, compile(plain).hash) << "numbers were changed since: make calibrate";
}

// The page's copy of the draws holds their distance from the noise alone.
TEST(Intervals, AreTheSameFromThePagesCopy) {
  const std::string packed = pack_for_page(knowledge());
  const Knowledge page = unpack_knowledge(packed.data(), packed.size());
  ASSERT_TRUE(page.fitted.from_noise);
  ASSERT_EQ(page.fitted.draws.size(), static_cast<std::size_t>(kDraws));
  Presentation p;
  p.age = 55, p.sex = Sex::female;
  p.answers.push_back({model().finding("night_pain"), 1, 1, false, 0, 0, ""});
  const Posterior now = engine().posterior(p);
  const Intervals here = ModelDraws(knowledge(), model(), kDraws).intervals(engine(), p, now);
  const Intervals there = ModelDraws(page, model(), kDraws).intervals(engine(), p, now);
  EXPECT_NEAR(here.tumour.low, there.tumour.low, 1e-12);
  EXPECT_NEAR(here.tumour.high, there.tumour.high, 1e-12);
  for (std::size_t c = 0; c < here.causes.size(); ++c) EXPECT_NEAR(here.causes[c].high, there.causes[c].high, 1e-12);
}

TEST(Intervals, HoldTheirValueAndShrinkWithTheSpread) {
  Presentation p;
  p.age = 68, p.sex = Sex::female, p.setting = 1;
  p.weeks = {6, 6};
  const auto said = [&](const char* f, int grade) { p.answers.push_back({model().finding(f), grade, grade, false, 0, 0, ""}); };
  said("night_pain", 1), said("progressive_pain", 1), said("fever", 0);
  const Posterior now = engine().posterior(p);
  const ModelDraws draws(knowledge(), model(), kDraws);
  const Intervals i = draws.intervals(engine(), p, now);
  EXPECT_LT(i.tumour.low, now.tumour);
  EXPECT_GT(i.tumour.high, now.tumour);
  EXPECT_GT(i.tumour.low, now.tumour / 20);
  for (std::size_t c = 0; c < now.causes.size(); ++c) {
    EXPECT_LE(i.causes[c].low, now.causes[c]);
    EXPECT_GE(i.causes[c].high, now.causes[c]);
  }
  EXPECT_GT(i.unanswered_share, 0);
  EXPECT_LE(i.unanswered_share, 1);
}

}  // namespace
}  // namespace dorsalgia
