// What the page shows of a course, against the oracle and against the chain's own definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "course/chain.h"
#include "inference/posterior.h"
#include "report/knowledge_json.h"
#include "support/builtin.h"

namespace dorsalgia {
namespace {

using test::knowledge;
using test::model;
using test::oracle;

using nlohmann::json;

json course_of(const std::string& cause, const std::string& level = "") {
  json request = {{"cause", cause}, {"age", 62}, {"sex", "male"}};
  if (!level.empty()) request["level"] = level;
  return json_course(knowledge(), model(), read_course_wanted(request, model()));
}

// The oracle knows nothing of pages: among people of one cause it gives P(finding) over all stages, levels and variants. The
// same mean over the page's numbers must come out, stage by stage weighted with who comes to care there.
TEST(CourseJson, FindingsAreTheOraclesNumbers) {
  const Model& m = model();
  for (const char* cause : {"met_lung", "schwannoma", "renal_cell_carcinoma", "disc_herniation"}) {
    const int c = m.cause(cause);
    ASSERT_GE(c, 0) << cause;
    CauseWeights only(m.causes.size(), 0.0);
    only[static_cast<std::size_t>(c)] = 1;
    const ModelCause& its = m.causes[static_cast<std::size_t>(c)];

    std::map<std::string, double> expected;
    const json any = course_of(cause);
    for (const json& l : any["levels"]) {
      const json there = course_of(cause, l["id"]);
      const auto level = std::find_if(m.levels.begin(), m.levels.end(), [&](const ModelLevel& x) { return x.id == l["id"]; });
      const Chain chain(m.courses[static_cast<std::size_t>(its.course)], its.tempo, level->canal);
      const Eigen::VectorXd comes = chain.within_by_matrix(0, std::numeric_limits<double>::infinity());
      for (std::size_t k = 0; k < there["stages"].size(); ++k)
        for (const json& f : there["stages"][k]["findings"])
          expected[f["id"]] += l["probability"].get<double>() * comes[static_cast<Eigen::Index>(k)] * f["probability"].get<double>();
    }
    Presentation person;
    person.age = 62, person.sex = Sex::male;
    const double nobody_asked = oracle().posterior(person, only).log_evidence;
    for (const char* id :
         {"night_pain", "weight_loss", "weakness", "weak_hip_flexion", "progressive_pain", "smoker", "history_lung", "fever"}) {
      const int f = m.finding(id);
      if (f < 0) continue;
      ASSERT_TRUE(expected.contains(id)) << id;
      const ModelFinding& finding = m.findings[static_cast<std::size_t>(f)];
      const int top = finding.shape == Shape::history ? kHistoryBins - 1 : finding.shape == Shape::context ? 1 : finding.grades - 1;
      person.answers = {Answer{f, 1, top, false, 0, 0, ""}};
      EXPECT_NEAR(expected[id], std::exp(oracle().posterior(person, only).log_evidence - nobody_asked), 1e-9) << cause << " " << id;
    }
  }
}

// Steps of a few minutes along the speeds that the page is given, and nothing of the chain's algebra.
TEST(CourseJson, OccupancyFollowsFromTheSpeeds) {
  for (const char* cause : {"met_breast", "chordoma", "muscle_strain"}) {
    const json course = course_of(cause);
    const std::size_t n = course["stages"].size();
    std::map<std::string, std::size_t> at;
    for (std::size_t k = 0; k < n; ++k) at[course["stages"][k]["id"]] = k;
    std::vector<double> p(n), recovers(n);
    std::vector<std::vector<double>> speed(n, std::vector<double>(n));
    for (std::size_t k = 0; k < n; ++k) {
      const json& stage = course["stages"][k];
      p[k] = stage["entry"], recovers[k] = stage["recovers"];
      for (const json& move : stage["to"]) speed[k][at.at(move["stage"])] = move["per_week"];
    }
    double t = 0;
    constexpr double kStep = 1.0 / 2048;
    for (std::size_t i = 0; i < course["weeks"].size() && course["weeks"][i] <= 52; ++i) {
      for (const double until = course["weeks"][i].get<double>() - kStep / 2; t < until; t += kStep) {
        std::vector<double> next = p;
        for (std::size_t k = 0; k < n; ++k) {
          next[k] -= p[k] * recovers[k] * kStep;
          for (std::size_t j = 0; j < n; ++j) next[k] -= p[k] * speed[k][j] * kStep, next[j] += p[k] * speed[k][j] * kStep;
        }
        p = next;
      }
      double all = 0;
      for (std::size_t k = 0; k < n; ++k) {
        EXPECT_NEAR(course["occupancy"][i][k].get<double>(), p[k], 5e-4) << cause << " week " << course["weeks"][i];
        all += course["occupancy"][i][k].get<double>();
      }
      EXPECT_LE(all, 1 + 1e-9);
    }
  }
}

TEST(CourseJson, MechanismsAreThoseThatTheLevelAllows) {
  const auto has = [](const json& course, const char* mechanism) {
    for (const json& stage : course["stages"])
      for (const json& m : stage["mechanisms"])
        if (m == mechanism) return true;
    return false;
  };
  EXPECT_TRUE(has(course_of("met_breast", "T8"), "cord_compression"));
  EXPECT_FALSE(has(course_of("met_breast", "T8"), "cauda_equina_compression"));
  EXPECT_FALSE(has(course_of("met_breast", "L4"), "cord_compression"));
  EXPECT_TRUE(has(course_of("met_breast", "L4"), "cauda_equina_compression"));
}

TEST(CourseJson, BadRequestsNameTheFault) {
  for (const char* request :
       {R"({})", R"([])", R"({"cause": "nonsense"})", R"({"cause": "myeloma", "level": "T99"})", R"({"cause": "myeloma", "sex": "x"})",
        R"({"cause": "myeloma", "age": -3})", R"({"cause": "myeloma", "colour": "red"})"})
    EXPECT_ANY_THROW(read_course_wanted(json::parse(request), model())) << request;
}

}  // namespace
}  // namespace dorsalgia
