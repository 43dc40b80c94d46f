// Knowledge -> Model: what compiling must keep, and that the hash sees every number.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "knowledge/knowledge.h"
#include "model/model.h"
#include "support/builtin.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

using test::knowledge;

TEST(AtAge, IsLinearBetweenTheMiddlesOfTheBands) {
  AgeSex table;
  for (int band = 0; band < kAgeBands; ++band) table[0][band] = 10.0 * band, table[1][band] = 100.0 * band;
  for (int band = 0; band < kAgeBands; ++band) {
    EXPECT_DOUBLE_EQ(at_age(table, Sex::male, kAgeMiddle[band]), 10.0 * band);
    EXPECT_DOUBLE_EQ(at_age(table, Sex::female, kAgeMiddle[band]), 100.0 * band);
  }
  EXPECT_DOUBLE_EQ(at_age(table, Sex::male, 40), 25);    // halfway from 35 to 45
  EXPECT_DOUBLE_EQ(at_age(table, Sex::male, 80.5), 65);  // halfway from 75 to 86
  EXPECT_DOUBLE_EQ(at_age(table, Sex::male, 0), 0);
  EXPECT_DOUBLE_EQ(at_age(table, Sex::female, 120), 700);
  for (double age = 0; age < 120; age += 0.01)
    EXPECT_LT(std::abs(at_age(table, Sex::male, age + 0.01) - at_age(table, Sex::male, age)), 0.02);
}

TEST(Model, OnlyMechanismsThatTheCanalAllowsAreReal) {
  const Model m = compile(knowledge());
  ASSERT_GE(m.cord_compression, 0);
  ASSERT_GE(m.cauda_equina_compression, 0);
  const MechanismSet cord = MechanismSet{1} << m.cord_compression, cauda = MechanismSet{1} << m.cauda_equina_compression;
  EXPECT_EQ(m.real(cord | cauda, Canal::cord), cord);
  EXPECT_EQ(m.real(cord | cauda, Canal::conus), cord | cauda);
  EXPECT_EQ(m.real(cord | cauda, Canal::cauda), cauda);
  EXPECT_EQ(m.real(cord | cauda, Canal::none), 0u);
  EXPECT_EQ(m.real(0, Canal::cord), 0u);
  for (std::size_t i = 0; i < m.mechanisms.size(); ++i) {
    const MechanismSet one = MechanismSet{1} << i;
    EXPECT_EQ(m.real(one, Canal::none), knowledge().mechanisms[i].canal.empty() ? one : 0) << m.mechanisms[i].id;
  }
  EXPECT_LE(m.mechanisms.size(), 8 * sizeof(MechanismSet));
}

TEST(Model, AnEmergencyIsPressureOnCordOrCaudaOrADangerousCause) {
  const Model m = compile(knowledge());
  const MechanismSet cord = MechanismSet{1} << m.cord_compression, cauda = MechanismSet{1} << m.cauda_equina_compression;
  bool dangerous = false, harmless = false;
  for (std::size_t c = 0; c < m.causes.size(); ++c) {
    const int cause = static_cast<int>(c);
    EXPECT_TRUE(m.is_emergency(cause, cord));
    EXPECT_TRUE(m.is_emergency(cause, cauda));
    EXPECT_EQ(m.is_emergency(cause, 0), m.causes[c].emergency);
    (m.causes[c].emergency ? dangerous : harmless) = true;
    EXPECT_TRUE(!m.is_malignant(cause) || m.is_tumour(cause));
  }
  EXPECT_TRUE(dangerous && harmless);
}

TEST(Model, KeepsTheOrderAndTheSums) {
  const Model m = compile(knowledge());
  ASSERT_EQ(m.findings.size(), knowledge().findings.size());
  ASSERT_EQ(m.causes.size(), knowledge().causes.size());
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    EXPECT_EQ(m.findings[f].id, knowledge().findings[f].id);
    EXPECT_EQ(m.finding(m.findings[f].id), static_cast<int>(f));
  }
  EXPECT_EQ(m.finding("no such finding"), -1);
  EXPECT_EQ(m.cause("no such cause"), -1);
  for (const ModelCause& c : m.causes) {
    double sum = 0;
    for (double p : c.levels) sum += p;
    EXPECT_NEAR(sum, 1, 1e-12) << c.id;
  }
  for (const ModelCourse& c : m.courses) {
    double entry = 0;
    for (const ModelStage& s : c.stages) entry += s.entry;
    EXPECT_NEAR(entry, 1, 1e-12) << c.id;
    const std::size_t n = c.stages.size();
    for (const auto& generator : c.generator)
      for (std::size_t k = 0; k < n; ++k) {
        double sum = 0;
        for (std::size_t j = 0; j < n; ++j) {
          sum += generator[k * n + j];
          EXPECT_TRUE(j == k || generator[k * n + j] >= 0) << c.id;
        }
        EXPECT_LE(sum, 1e-12) << c.id;
      }
  }
}

// Regions are spread evenly over their levels, and none of the share is lost.
TEST(Model, SpreadsRegionsOverTheirLevels) {
  Knowledge k = knowledge();
  k.causes[0].levels.values = {{"thoracic", 0.6}, {"L5", 0.4}};
  const Model m = compile(k);
  for (std::size_t l = 0; l < m.levels.size(); ++l) {
    const Level& level = k.anatomy.levels[l];
    EXPECT_NEAR(m.causes[0].levels[l], level.region == "thoracic" ? 0.05 : level.id == "L5" ? 0.4 : 0, 1e-12) << level.id;
  }
}

TEST(Hash, IsStable) {
  const Model a = compile(knowledge()),
              b = compile(unpack_knowledge(pack_knowledge(knowledge()).data(), pack_knowledge(knowledge()).size()));
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.hash.size(), 32u);
}

// Every kind of number that an engine can see: nudge it, and the hash must change, each time to another one.
TEST(Hash, SeesEveryNumber) {
  std::vector<std::pair<std::string, std::function<void(Knowledge&)>>> nudges;
  auto nudge = [](double& x) { x = x == 0 ? 1e-9 : x * (1 + 1e-9); };
  auto add = [&](const std::string& name, std::function<void(Knowledge&)> f) { nudges.emplace_back(name, std::move(f)); };
  const Knowledge& k = knowledge();

  for (std::size_t c = 0; c < k.causes.size(); ++c) {
    const std::string id = k.causes[c].id;
    for (int band : {0, kAgeBands - 1}) {
      add(id + " rate", [=](Knowledge& x) { nudge(x.causes[c].rate.male[band]); });
      add(id + " rate", [=](Knowledge& x) { nudge(x.causes[c].rate.female[band]); });
    }
    add(id + " settings", [=](Knowledge& x) { nudge(x.causes[c].settings.values[0].second); });
    if (k.causes[c].levels.values.size() > 1) add(id + " levels", [=](Knowledge& x) { x.causes[c].levels.values[0].second *= 1 + 1e-6; });
    if (k.causes[c].referral) add(id + " referral", [=](Knowledge& x) { nudge(x.causes[c].referral->values[0].second); });
    if (k.causes[c].tempo) add(id + " tempo", [=](Knowledge& x) { nudge(x.causes[c].tempo->value); });
    if (k.causes[c].accompanied_by) add(id + " accompanied_by", [=](Knowledge& x) { nudge(x.causes[c].accompanied_by->second.value); });
    for (std::size_t i = 0; i < k.causes[c].context.size(); ++i) {
      add(id + " context", [=](Knowledge& x) { nudge(x.causes[c].context[i].figure.value); });
      if (k.causes[c].context[i].years)
        add(id + " context years", [=](Knowledge& x) { nudge(x.causes[c].context[i].years->values[3].second); });
    }
    for (std::size_t i = 0; i < k.causes[c].findings.size(); ++i)
      add(id + " findings", [=](Knowledge& x) { nudge(x.causes[c].findings[i].second[0].value); });
    for (std::size_t i = 0; i < k.causes[c].measures.size(); ++i) {
      add(id + " measures", [=](Knowledge& x) { nudge(x.causes[c].measures[i].second.shift.value); });
      if (k.causes[c].measures[i].second.spread)
        add(id + " measures spread", [=](Knowledge& x) { nudge(x.causes[c].measures[i].second.spread->value); });
    }
    add(id + " behaviour",
        [=](Knowledge& x) { x.causes[c].behaviour = x.causes[c].behaviour == Behaviour::benign ? Behaviour::none : Behaviour::benign; });
    add(id + " emergency", [=](Knowledge& x) { x.causes[c].emergency = !x.causes[c].emergency; });
  }
  for (std::size_t f = 0; f < k.findings.size(); ++f) {
    const std::string id = k.findings[f].id;
    for (std::size_t g = 0; g < k.findings[f].leak.size(); ++g)
      add(id + " leak", [=](Knowledge& x) { nudge(x.findings[f].leak[g].value); });
    if (k.findings[f].leak_table) add(id + " leak table", [=](Knowledge& x) { nudge(x.findings[f].leak_table->female[3]); });
    for (std::size_t i = 0; i < k.findings[f].mechanisms.size(); ++i)
      for (std::size_t g = 0; g < k.findings[f].mechanisms[i].second.size(); ++g)
        add(id + " mechanisms", [=](Knowledge& x) { nudge(x.findings[f].mechanisms[i].second[g].value); });
    for (std::size_t i = 0; i < k.findings[f].causes.size(); ++i)
      add(id + " causes", [=](Knowledge& x) { nudge(x.findings[f].causes[i].second[0].value); });
    if (k.findings[f].prevalence) add(id + " prevalence", [=](Knowledge& x) { nudge(x.findings[f].prevalence->male[5]); });
    if (k.findings[f].years) add(id + " years", [=](Knowledge& x) { nudge(x.findings[f].years->values[1].second); });
    if (k.findings[f].kind == FindingKind::measured) {
      add(id + " centre", [=](Knowledge& x) { nudge(x.findings[f].centre.male[2]); });
      add(id + " spread", [=](Knowledge& x) { nudge(x.findings[f].spread.value); });
      add(id + " possible", [=](Knowledge& x) { nudge(x.findings[f].possible_high); });
      if (k.findings[f].reference_male[1]) add(id + " reference", [=](Knowledge& x) { nudge(*x.findings[f].reference_male[1]); });
      for (std::size_t i = 0; i < k.findings[f].mechanism_shifts.size(); ++i)
        add(id + " shift", [=](Knowledge& x) { nudge(x.findings[f].mechanism_shifts[i].second.shift.value); });
    }
  }
  for (std::size_t c = 0; c < k.courses.size(); ++c)
    for (std::size_t s = 0; s < k.courses[c].stages.size(); ++s) {
      const std::string id = k.courses[c].id + " " + k.courses[c].stages[s].id;
      add(id + " presents", [=](Knowledge& x) { nudge(x.courses[c].stages[s].presents.value); });
      for (std::size_t i = 0; i < k.courses[c].stages[s].to.size(); ++i)
        add(id + " to", [=](Knowledge& x) { nudge(x.courses[c].stages[s].to[i].second.value); });
      for (std::size_t i = 0; i < k.courses[c].stages[s].findings.size(); ++i)
        add(id + " findings", [=](Knowledge& x) { nudge(x.courses[c].stages[s].findings[i].second[0].value); });
    }
  for (std::size_t l = 0; l < k.anatomy.levels.size(); ++l) {
    if (!k.anatomy.levels[l].roots.empty())
      add(k.anatomy.levels[l].id + " roots", [=](Knowledge& x) { nudge(x.anatomy.levels[l].roots[0].second); });
    if (!k.anatomy.levels[l].pain.empty())
      add(k.anatomy.levels[l].id + " pain", [=](Knowledge& x) { nudge(x.anatomy.levels[l].pain[0].second); });
  }
  add("offset", [=](Knowledge& x) { nudge(x.anatomy.sensory_level_offset[0].second); });
  add("people", [=](Knowledge& x) { nudge(x.population.people.male[4]); });
  add("settings", [=](Knowledge& x) { nudge(x.population.settings[0].share.value); });
  add("background share", [=](Knowledge& x) { nudge(x.population.background_share.value); });
  add("background median", [=](Knowledge& x) { nudge(x.population.background_median.value); });
  add("background spread", [=](Knowledge& x) { nudge(x.population.background_spread.value); });

  // Compiling takes milliseconds and there are thousands of numbers: evenly chosen ones stand for all.
  std::set<std::string> seen = {compile(k).hash};
  Knowledge x = k;
  const std::size_t step = std::max<std::size_t>(1, nudges.size() / static_cast<std::size_t>(test::share_of(600)));
  for (std::size_t i = 0; i < nudges.size(); i += step) {
    x = k;
    nudges[i].second(x);
    EXPECT_TRUE(seen.insert(compile(x).hash).second) << nudges[i].first << " does not change the hash";
  }
}

TEST(Hash, SeesOrderAndNames) {
  Knowledge k = knowledge();
  const std::string before = compile(k).hash;
  k.causes[0].group += "x";
  EXPECT_NE(compile(k).hash, before);
}

}  // namespace
}  // namespace dorsalgia
