// What must hold of any posterior whatever the medicine says: the laws of probability, tried on random people.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <random>

#include "inference/exact.h"
#include "support/builtin.h"
#include "support/compare.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

using test::engine;
using test::model;
using test::oracle;

Presentation random_person(int most_answers = 25) {
  return test::RandomPeople(model(), *rc::gen::arbitrary<std::uint64_t>()).person(most_answers);
}

// RapidCheck shrinks numbers; here it draws seeds, so a failure names the person instead.
void holds(const std::string& law, int cases, const std::function<void()>& body) {
  rc::detail::TestParams params;
  params.seed = 20240601;
  params.maxSuccess = test::share_of(cases);
  params.disableShrinking = true;
  const auto result = rc::detail::checkTestable(body, rc::detail::TestMetadata{law, law}, params);
  EXPECT_TRUE(result.is<rc::detail::SuccessResult>()) << law << ": " << [&] {
    std::ostringstream out;
    rc::detail::printResultMessage(result, out);
    return out.str();
  }();
}

#define EXPECT_LAW(condition, person) \
  if (!(condition)) RC_FAIL(std::string(#condition) + " fails for " + test::words(model(), person))

double sum(const std::vector<double>& v) {
  double out = 0;
  for (double x : v) out += x;
  return out;
}

TEST(Laws, ProbabilitiesAreProbabilities) {
  holds("probabilities lie in [0, 1] and sum to 1", 1000, [] {
    const Presentation p = random_person();
    const Posterior x = engine().posterior(p);
    if (!x.possible) return;
    EXPECT_LAW(std::abs(sum(x.causes) - 1) < 1e-12, p);
    EXPECT_LAW(std::abs(sum(x.levels) - 1) < 1e-12, p);
    double stages = 0;
    for (const auto& s : x.stages) stages += sum(s);
    EXPECT_LAW(std::abs(stages - 1) < 1e-12, p);
    std::vector<double> all = {x.tumour, x.malignant, x.emergency};
    for (const auto* v : {&x.causes, &x.mechanisms, &x.levels}) all.insert(all.end(), v->begin(), v->end());
    all.insert(all.end(), x.compression.begin(), x.compression.end());
    for (double q : all) EXPECT_LAW(q >= 0 && q <= 1 + 1e-12, p);
    EXPECT_LAW(x.malignant <= x.tumour + 1e-12, p);
    for (std::size_t w = 1; w < x.compression.size(); ++w) EXPECT_LAW(x.compression[w] >= x.compression[w - 1] - 1e-12, p);
    EXPECT_LAW(x.mechanisms[model().cord_compression] <= x.compression[0] + 1e-12, p);
    EXPECT_LAW(std::isfinite(x.log_evidence), p);
  });
}

TEST(Laws, TheOrderOfEvidenceDoesNotMatter) {
  holds("the order of answers changes nothing", 400, [] {
    const std::uint64_t seed = *rc::gen::arbitrary<std::uint64_t>();
    const Presentation p = test::RandomPeople(model(), seed).person(60);
    Presentation q = p;
    std::mt19937_64 bits(seed);
    for (auto* answers : {&q.answers}) std::shuffle(answers->begin(), answers->end(), bits);
    std::shuffle(q.any_of.begin(), q.any_of.end(), bits);
    std::shuffle(q.locations.begin(), q.locations.end(), bits);
    for (AnyOf& any : q.any_of) std::shuffle(any.answers.begin(), any.answers.end(), bits);
    EXPECT_LAW(test::difference(engine().posterior(p), engine().posterior(q)).within(1e-12), p);
  });
}

// The grades of a finding as answers; for a measured one low, normal and raised (by sex, so sex must be known).
std::vector<Answer> grades(const Presentation& p, int finding) {
  const ModelFinding& f = model().findings[finding];
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<Answer> out;
  if (f.shape == Shape::measured) {
    const int sex = static_cast<int>(p.sex.value_or(Sex::male));
    const double low = f.reference_low[sex], high = f.reference_high[sex];
    for (const auto& [from, to] : std::vector<std::pair<double, double>>{{-inf, low}, {low, high}, {high, inf}})
      out.push_back({finding, 0, 0, true, from, to, ""});
  } else {
    for (int g = 0; g < f.grades; ++g) out.push_back({finding, g, g, false, 0, 0, ""});
  }
  return out;
}

// Sum over the answers of P(answer | e) P(tumour | e, answer) is P(tumour | e), the posterior being computed anew for each
// answer; and the one-pass prospects say the same as all those posteriors.
TEST(Laws, UnknownIsSummedOut) {
  holds("the law of total probability over every finding without an answer", 50, [] {
    Presentation p = random_person(15);
    if (!p.sex) p.sex = Sex::female;
    const Posterior now = engine().posterior(p);
    if (!now.possible) return;
    const std::vector<Prospect> prospects = engine().prospects(p);
    std::size_t next = 0;
    for (int f = 0; f < static_cast<int>(model().findings.size()); ++f) {
      if (p.answer(f)) continue;
      RC_ASSERT(next < prospects.size());
      const Prospect& prospect = prospects[next++];
      RC_ASSERT(prospect.finding == f);
      double all = 0, tumour = 0, emergency = 0, malignant = 0, compression = 0;
      std::vector<double> causes(now.causes.size(), 0.0);
      const std::vector<Answer> answers = grades(p, f);
      for (std::size_t g = 0; g < answers.size(); ++g) {
        if (answers[g].measured && !(answers[g].from < answers[g].to)) {
          EXPECT_LAW(prospect.grades[g].probability < 1e-12, p);
          continue;
        }
        Presentation q = p;
        q.answers.push_back(answers[g]);
        const Posterior then = engine().posterior(q);
        if (!then.possible) {
          EXPECT_LAW(prospect.grades[g].probability < 1e-12, q);
          continue;
        }
        const double probability = std::exp(then.log_evidence - now.log_evidence);
        all += probability;
        tumour += probability * then.tumour, emergency += probability * then.emergency, malignant += probability * then.malignant;
        compression += probability * then.compression[2];
        for (std::size_t c = 0; c < causes.size(); ++c) causes[c] += probability * then.causes[c];
        EXPECT_LAW(std::abs(prospect.grades[g].probability - probability) < 1e-10, q);
        EXPECT_LAW(probability < 1e-9 || std::abs(prospect.grades[g].tumour - then.tumour) < 1e-6, q);
        EXPECT_LAW(std::abs(prospect.grades[g].tumour * prospect.grades[g].probability - then.tumour * probability) < 1e-10, q);
        EXPECT_LAW(std::abs(prospect.grades[g].emergency * prospect.grades[g].probability - then.emergency * probability) < 1e-10, q);
      }
      Presentation named = p;
      named.answers.push_back(answers[0]);
      EXPECT_LAW(std::abs(all - 1) < 1e-10, named);
      EXPECT_LAW(std::abs(tumour - now.tumour) < 1e-10, named);
      EXPECT_LAW(std::abs(emergency - now.emergency) < 1e-10, named);
      EXPECT_LAW(std::abs(malignant - now.malignant) < 1e-10, named);
      EXPECT_LAW(std::abs(compression - now.compression[2]) < 1e-10, named);
      for (std::size_t c = 0; c < causes.size(); ++c) EXPECT_LAW(std::abs(causes[c] - now.causes[c]) < 1e-10, named);
      EXPECT_LAW(prospect.tumour_bits >= 0 && prospect.tumour_bits <= 1 && prospect.emergency_bits >= 0 && prospect.emergency_bits <= 1,
                 named);
    }
    RC_ASSERT(next == prospects.size());
  });
}

// With the sex unknown the reference range differs between the two; prospects must weigh both.
TEST(Laws, ProspectsOfUnknownSexAreTheMixture) {
  const int f = model().finding("haemoglobin");
  ASSERT_GE(f, 0);
  Presentation p;
  p.age = 70;
  double low = 0;
  const Posterior both = engine().posterior(p);
  for (Sex sex : {Sex::male, Sex::female}) {
    // P(sex | age): the profiles' weights, since nothing else is known.
    double weight = 0;
    for (const Profile& x : profiles(model(), p))
      if (x.sex == sex) weight += x.weight;
    Presentation q = p;
    q.sex = sex;
    for (const Prospect& x : engine().prospects(q))
      if (x.finding == f) low += weight * x.grades[0].probability;
  }
  for (const Prospect& x : engine().prospects(p))
    if (x.finding == f) {
      EXPECT_NEAR(x.grades[0].probability, low, 1e-12);
    }
  EXPECT_TRUE(both.possible);
}

TEST(Laws, AgeAndSexUnknownIsTheMixtureOfThoseItMayBe) {
  Presentation p = test::RandomPeople(model(), 5).person(6);
  p.age.reset(), p.sex.reset();
  const Posterior all = engine().posterior(p);
  double tumour = 0, evidence = 0;
  for (const Profile& x : profiles(model(), p)) {
    Presentation q = p;
    q.age = x.age, q.sex = x.sex;
    const Posterior one = engine().posterior(q);
    const double weight = x.weight * std::exp(one.log_evidence);
    evidence += weight, tumour += weight * one.tumour;
  }
  EXPECT_NEAR(std::log(evidence), all.log_evidence, 1e-10);
  EXPECT_NEAR(tumour / evidence, all.tumour, 1e-12);
}

TEST(Laws, SettingUnknownIsTheMixtureOfSettings) {
  holds("setting unknown is the mixture", 100, [] {
    Presentation p = random_person(12);
    p.age = 61, p.sex = Sex::female, p.setting = -1;
    const Posterior unknown = engine().posterior(p);
    if (!unknown.possible) return;
    double evidence = 0, tumour = 0;
    for (std::size_t s = 0; s < model().settings.size(); ++s) {
      p.setting = static_cast<int>(s);
      const Posterior one = engine().posterior(p);
      const double weight = model().setting_shares[s] * std::exp(one.log_evidence - unknown.log_evidence);
      evidence += weight, tumour += weight * one.tumour;
    }
    EXPECT_LAW(std::abs(evidence - 1) < 1e-10, p);
    EXPECT_LAW(std::abs(tumour - unknown.tumour) < 1e-10, p);
  });
}

TEST(Laws, NobodyInParticularHasTheRates) {
  for (Sex sex : {Sex::male, Sex::female})
    for (double age : {7.5, 35.0, 61.0, 86.0, 99.0})
      for (std::size_t s = 0; s < model().settings.size(); ++s) {
        Presentation p;
        p.age = age, p.sex = sex, p.setting = static_cast<int>(s);
        const Posterior x = engine().posterior(p);
        double all = 0;
        for (const ModelCause& c : model().causes) all += at_age(c.rate, sex, age) * c.settings[s];
        for (std::size_t c = 0; c < model().causes.size(); ++c)
          EXPECT_NEAR(x.causes[c], at_age(model().causes[c].rate, sex, age) * model().causes[c].settings[s] / all, 1e-13)
              << model().causes[c].id;
        EXPECT_NEAR(x.log_evidence, 0, 1e-12);
      }
}

// Narrower evidence is never likelier; nothing becomes NaN on the way to sixty answers, all of them present.
TEST(Laws, ManyAnswersNeitherUnderflowNorBreak) {
  holds("sixty answers at once", 60, [] {
    test::RandomPeople random(model(), *rc::gen::arbitrary<std::uint64_t>());
    Presentation all = random.person(0), p;
    all.any_of.clear();
    random.answers(all, 60);
    for (Answer& a : all.answers)
      if (!a.measured) a.low = a.high = model().findings[a.finding].grades - 1;
    p = all;
    p.answers.clear();
    double before = engine().posterior(p).log_evidence;
    for (const Answer& a : all.answers) {
      p.answers.push_back(a);
      const Posterior x = engine().posterior(p);
      if (!x.possible) return;  // what cannot be in this sex at this age
      EXPECT_LAW(std::isfinite(x.log_evidence) && std::isfinite(x.tumour) && std::isfinite(x.emergency), p);
      EXPECT_LAW(std::abs(sum(x.causes) - 1) < 1e-12, p);
      const bool density = a.measured && a.from == a.to;
      EXPECT_LAW(density || x.log_evidence <= before + 1e-9, p);
      before = x.log_evidence;
    }
  });
}

// Everything the model knows answered at once, the worst of it: still a posterior, whoever it is.
TEST(Laws, EverythingPresentAtOnce) {
  Presentation p;
  for (int f = 0; f < static_cast<int>(model().findings.size()); ++f) {
    const ModelFinding& finding = model().findings[f];
    if (finding.shape == Shape::measured) p.answers.push_back({f, 0, 0, true, finding.possible_high, finding.possible_high, ""});
    else p.answers.push_back({f, finding.grades - 1, finding.grades - 1, false, 0, 0, ""});
  }
  const Posterior x = engine().posterior(p);
  EXPECT_TRUE(x.possible);
  EXPECT_LT(x.log_evidence, -200);
  EXPECT_NEAR(sum(x.causes), 1, 1e-12);
  EXPECT_TRUE(std::isfinite(x.tumour));
}

// A profile that cannot be (a man with an answer that only women have) must not drag the others below what can be written.
TEST(Laws, AnImpossibleProfileIsLeftOut) {
  Model m = model();
  const int f = m.finding("pregnancy") >= 0 ? m.finding("pregnancy") : m.finding("smoker");
  ASSERT_GE(f, 0);
  m.findings[f].prevalence[0].fill(0);
  for (auto& c : m.causes)
    c.context.erase(std::remove_if(c.context.begin(), c.context.end(), [&](const auto& l) { return l.finding == f; }), c.context.end());
  const ExactEngine e(m);
  Presentation p;
  p.age = 30;
  p.answers.push_back({f, 1, 1, false, 0, 0, ""});
  for (int i = 0; i < static_cast<int>(m.findings.size()); ++i)
    if (i != f && m.findings[i].shape == Shape::discrete) p.answers.push_back({i, 1, m.findings[i].grades - 1, false, 0, 0, ""});
  const Posterior x = e.posterior(p);
  ASSERT_TRUE(x.possible);
  Presentation q = p;
  q.sex = Sex::female;
  EXPECT_NEAR(x.tumour, e.posterior(q).tumour, 1e-12);
}

// ---- any of

// "Had cancer, which is not said": it is implied by any of its members, and impossible when all of them are absent.
TEST(Laws, AnyOfIsWhatItSays) {
  Presentation p;
  p.age = 66, p.sex = Sex::female, p.setting = 0;
  AnyOf any;
  for (int f = 0; f < static_cast<int>(model().findings.size()); ++f)
    if (model().findings[f].shape == Shape::history) any.answers.push_back({f, 1, kHistoryBins - 1, false, 0, 0, ""});
  ASSERT_GE(any.answers.size(), 2u);
  Presentation had = p;
  had.any_of = {any};

  Presentation breast = p, both = had;
  const Answer answer = any.answers[0];
  breast.answers = both.answers = {answer};
  EXPECT_TRUE(test::difference(engine().posterior(breast), engine().posterior(both)).within(1e-12));
  EXPECT_TRUE(test::difference(oracle().posterior(breast), oracle().posterior(both)).within(1e-12));

  Presentation none = had, none_alone = p;
  for (const Answer& a : any.answers) none.answers.push_back({a.finding, 0, 0, false, 0, 0, ""});
  none_alone.answers = none.answers;
  EXPECT_FALSE(engine().posterior(none).possible);
  EXPECT_FALSE(oracle().posterior(none).possible);

  // P(any) = 1 - P(none)
  const double before = engine().posterior(p).log_evidence;
  EXPECT_NEAR(std::exp(engine().posterior(had).log_evidence - before), 1 - std::exp(engine().posterior(none_alone).log_evidence - before),
              1e-12);

  // Someone of whom it is known that she had cancer had one of them: the question "which" must expect at least one yes.
  double expected = 0;
  for (const Prospect& x : engine().prospects(had))
    if (model().findings[x.finding].shape == Shape::history) expected += 1 - x.grades[0].probability;
  EXPECT_GE(expected, 1);
  EXPECT_LT(expected, 1.5);
}

// A blood count called abnormal, and then the value that made it so.
TEST(Laws, AnyOfAndTheValueThatExplainsItCountOnce) {
  const int hb = model().finding("haemoglobin"), platelets = model().finding("platelets");
  ASSERT_GE(hb, 0);
  ASSERT_GE(platelets, 0);
  const double inf = std::numeric_limits<double>::infinity();
  Presentation value;
  value.age = 70, value.sex = Sex::male;
  value.answers = {{hb, 0, 0, true, 85, 85, ""}};
  Presentation both = value;
  both.any_of = {{{{hb, 0, 0, true, -inf, 130, ""}, {platelets, 0, 0, true, -inf, 150, ""}}, ""}};
  EXPECT_TRUE(test::difference(engine().posterior(value), engine().posterior(both)).within(1e-12));
  // A normal value leaves only the other.
  Presentation normal = both, other = value;
  normal.answers[0].from = normal.answers[0].to = 150;
  other.answers[0].from = other.answers[0].to = 150;
  other.answers.push_back({platelets, 0, 0, true, -inf, 150, ""});
  EXPECT_TRUE(test::difference(engine().posterior(normal), engine().posterior(other)).within(1e-9));
}

// Where it hurts: all the places together are no evidence at all, unless the cause has a place from which it is not felt.
TEST(Laws, AllLocationsTogetherSayNothing) {
  Presentation p = test::RandomPeople(model(), 77).person(8);
  p.locations.clear();
  Presentation q = p;
  for (int l = 0; l < static_cast<int>(model().locations.size()); ++l) q.locations.push_back(l);
  EXPECT_TRUE(test::difference(engine().posterior(p), engine().posterior(q)).within(2e-3))
      << "shares may be rounded to three digits, no more";
}

}  // namespace
}  // namespace dorsalgia
