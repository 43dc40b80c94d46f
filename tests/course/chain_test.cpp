// The chain of a course: against pencil and paper, against the matrix exponential, against quadrature and against people
// simulated one by one.
#include "course/chain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <unsupported/Eigen/MatrixFunctions>

#include "knowledge/knowledge.h"
#include "model/model.h"
#include "support/random_person.h"

namespace dorsalgia {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Course {
  std::string name;
  Eigen::MatrixXd generator;
  Eigen::VectorXd entry, presents;
  Chain chain() const { return Chain(generator, entry, presents); }
};

Course course_of(const Model& m, const ModelCause& c, int canal) {
  const ModelCourse& course = m.courses[c.course];
  const auto n = static_cast<Eigen::Index>(course.stages.size());
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::MatrixXd generator = Eigen::Map<const RowMajor>(course.generator[canal].data(), n, n);
  Course out{c.id, generator * c.tempo, Eigen::VectorXd(n), Eigen::VectorXd(n)};
  for (Eigen::Index k = 0; k < n; ++k) out.entry[k] = course.stages[k].entry, out.presents[k] = course.stages[k].presents;
  return out;
}

std::vector<Course> builtin_courses() {
  const Model m = compile(builtin_knowledge());
  std::vector<Course> out;
  for (const ModelCause& c : m.causes)
    for (int canal = 0; canal < kCanals; ++canal)
      if (m.courses[c.course].pace(static_cast<Canal>(canal)) == canal) out.push_back(course_of(m, c, canal));
  return out;
}

Eigen::VectorXd density(const Chain& chain, double t) {
  Eigen::VectorXd out(chain.stages());
  chain.density(t, out.data());
  return out;
}

Eigen::VectorXd within(const Chain& chain, double from, double to) {
  Eigen::VectorXd out(chain.stages());
  chain.within(from, to, out.data());
  return out;
}

// Two stages: everybody starts in the first, leaves it for the second at 0.3 a week and presents there at 0.1; in the
// second people present at 0.5. Nobody recovers.
//   P(in 1 at t) = exp(-0.4 t);  P(in 2 at t) = 0.3 (exp(-0.4 t) - exp(-0.5 t)) / (0.5 - 0.4)
// Presenting in 1: density 0.1 exp(-0.4 t), in all 0.25; in 2: 0.5 x that, in all 0.75.
TEST(Chain, TwoStagesByHand) {
  Eigen::MatrixXd q(2, 2);
  q << -0.3, 0.3, 0, 0;
  const Chain chain(q, Eigen::Vector2d(1, 0), Eigen::Vector2d(0.1, 0.5));
  for (double t : {0.0, 0.5, 3.0, 20.0}) {
    const double first = std::exp(-0.4 * t), second = 3 * (std::exp(-0.4 * t) - std::exp(-0.5 * t));
    EXPECT_NEAR(density(chain, t)[0], 0.1 * first, 1e-14);
    EXPECT_NEAR(density(chain, t)[1], 0.5 * second, 1e-14);
  }
  EXPECT_NEAR(within(chain, 0, kInfinity)[0], 0.25, 1e-14);
  EXPECT_NEAR(within(chain, 0, kInfinity)[1], 0.75, 1e-14);
  EXPECT_NEAR(within(chain, 2, 5)[0], 0.25 * (std::exp(-0.8) - std::exp(-2.0)), 1e-14);
  // left to itself, the second stage is reached at 0.3 a week
  const Eigen::VectorXd reached = chain.reaches({false, true}, 4);
  EXPECT_NEAR(reached[0], 1 - std::exp(-1.2), 1e-14);
  EXPECT_NEAR(reached[1], 1, 1e-15);
}

// With recovery at 0.2 from the first stage a third of its leavers (0.2 of 0.6) is never seen; of those who are seen,
// 0.1 : 0.3 present in the first and the second stage.
TEST(Chain, ThoseWhoRecoverUnseenAreNotCounted) {
  Eigen::MatrixXd q(2, 2);
  q << -0.5, 0.3, 0, 0;
  const Chain chain(q, Eigen::Vector2d(1, 0), Eigen::Vector2d(0.1, 0.5));
  EXPECT_NEAR(within(chain, 0, kInfinity)[0], 0.25, 1e-14);
  EXPECT_NEAR(within(chain, 0, kInfinity)[1], 0.75, 1e-14);
  EXPECT_NEAR(density(chain, 0)[0], 0.1 / (2.0 / 3), 1e-14);
}

// Equal speeds of leaving make the chain defective: an Erlang density, t exp(-t), which no sum of exponentials gives.
TEST(Chain, EqualSpeedsOneAfterTheOther) {
  Eigen::MatrixXd q(2, 2);
  q << -1, 1, 0, 0;
  const Chain chain(q, Eigen::Vector2d(1, 0), Eigen::Vector2d(0, 1));
  for (double t : {0.0, 0.01, 1.0, 7.0, 90.0, 590.0, 3000.0}) {
    EXPECT_NEAR(density(chain, t)[1], t * std::exp(-t), 1e-13 * std::max(t * std::exp(-t), 1e-200)) << t;
    EXPECT_NEAR(within(chain, t, kInfinity)[1], (1 + t) * std::exp(-t), 1e-12) << t;
  }
}

// Back and forth: complex or not, the numbers must be those of the matrix exponential.
TEST(Chain, Cycles) {
  Eigen::MatrixXd q(3, 3);
  q << -1, 1, 0, 0, -1, 1, 1, 0, -1;
  const Chain chain(q, Eigen::Vector3d(1, 0, 0), Eigen::Vector3d(0.1, 0.1, 0.1));
  for (double t : {0.3, 2.0, 40.0}) EXPECT_LT((density(chain, t) - chain.density_by_matrix(t)).cwiseAbs().maxCoeff(), 1e-13);
}

TEST(Chain, FastIsTheMatrixExponentialForEveryCause) {
  for (const Course& c : builtin_courses()) {
    const Chain chain = c.chain();
    for (double t = 0.004; t < 6500; t *= 1.37) {
      const Eigen::VectorXd exact = chain.density_by_matrix(t), fast = density(chain, t);
      // Relative to the largest stage; below 1e-15 a week squaring matrices has itself nothing left.
      EXPECT_LT((fast - exact).cwiseAbs().maxCoeff(), 1e-10 * exact.maxCoeff() + 1e-16) << c.name << " at " << t;
      for (double to : {t * 1.001, t * 3, kInfinity}) {
        // the matrix form takes the difference of two shares near 1
        const Eigen::VectorXd e = chain.within_by_matrix(t, to), f = within(chain, t, to);
        EXPECT_LT((f - e).cwiseAbs().maxCoeff(), 1e-10 * e.maxCoeff() + 1e-13) << c.name << " from " << t << " to " << to;
      }
    }
  }
}

// The outside witness: Eigen's own, by Pade approximants.
TEST(MatrixExponential, IsThatOfEigenForEveryCause) {
  for (const Course& c : builtin_courses())
    for (double t : {0.0, 0.004, 0.3, 4.0, 60.0, 900.0, 6500.0}) {
      const Eigen::MatrixXd a = c.generator * t;
      EXPECT_LT((matrix_exponential(a) - Eigen::MatrixXd(a.exp())).cwiseAbs().maxCoeff(), 1e-10) << c.name << " in " << t;
    }
}

TEST(Chain, WeeksInEachStageAreEigensInverseForEveryCause) {
  for (const Course& c : builtin_courses()) {
    Eigen::MatrixXd a = c.generator;
    a.diagonal() -= c.presents;
    const Eigen::VectorXd seen = (c.entry.transpose() * Eigen::MatrixXd((-a).inverse())).transpose().cwiseProduct(c.presents);
    EXPECT_LT((within(c.chain(), 0, kInfinity) - seen / seen.sum()).cwiseAbs().maxCoeff(), 1e-13) << c.name;
  }
}

TEST(Chain, MovesAndReachesAreTheMatrixExponentialForEveryCause) {
  for (const Course& c : builtin_courses()) {
    const Chain chain = c.chain();
    const auto n = static_cast<std::size_t>(chain.stages());
    for (double t : {0.0, 0.3, 4.0, 60.0, 900.0}) {
      EXPECT_LT((chain.moves(t) - matrix_exponential(c.generator * t)).cwiseAbs().maxCoeff(), 1e-11) << c.name << " in " << t;
      for (std::size_t k = 0; k < n; ++k) {
        std::vector<bool> target(n, false);
        target[k] = true;
        Eigen::MatrixXd stopped = c.generator;
        stopped.row(static_cast<Eigen::Index>(k)).setZero();
        const Eigen::VectorXd reached = matrix_exponential(stopped * t).col(static_cast<Eigen::Index>(k));
        EXPECT_LT((chain.reaches(target, t) - reached).cwiseAbs().maxCoeff(), 1e-11) << c.name << " to " << k << " in " << t;
      }
    }
  }
}

// Simpson's rule, finer towards the start.
Eigen::VectorXd quadrature(const Chain& chain, double from, double to, int panels) {
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(chain.stages());
  // substitution t = from + (to - from) u^3 puts the points where fast courses are
  for (int i = 0; i <= 2 * panels; ++i) {
    const double u = i / (2.0 * panels), weight = (i == 0 || i == 2 * panels ? 1 : i % 2 ? 4 : 2) / (6.0 * panels);
    sum += weight * 3 * u * u * (to - from) * density(chain, from + (to - from) * u * u * u);
  }
  return sum;
}

TEST(Chain, DensitiesIntegrateToOneAndToTheirIntervals) {
  for (const Course& c : builtin_courses()) {
    const Chain chain = c.chain();
    const Eigen::VectorXd all = within(chain, 0, kInfinity);
    EXPECT_NEAR(all.sum(), 1, 1e-12) << c.name;
    double end = 1;  // by when all but a hair have come
    while (within(chain, end, kInfinity).sum() > 1e-12) end *= 1.5;
    EXPECT_NEAR(quadrature(chain, 0, end, 4000).sum(), 1, 1e-8) << c.name;
    EXPECT_LT((quadrature(chain, 2, 9, 2000) - within(chain, 2, 9)).cwiseAbs().maxCoeff(), 1e-9) << c.name;
    EXPECT_NEAR((within(chain, 0, 3) + within(chain, 3, 11) + within(chain, 11, kInfinity) - all).cwiseAbs().maxCoeff(), 0, 1e-13)
        << c.name;
    EXPECT_GE(density(chain, 1e-9).minCoeff(), 0) << c.name;
  }
}

// ---- people one by one (Gillespie DT, 1977): wait an exponential time, then go where the speeds say.

class People {
 public:
  explicit People(const Course& c, std::uint64_t seed) : c_(c), bits_(seed) {}

  int start() {
    double u = uniform();
    for (int k = 0; k < c_.entry.size(); ++k)
      if ((u -= c_.entry[k]) < 0) return k;
    return static_cast<int>(c_.entry.size()) - 1;
  }
  // Next stage, -1 recovered, -2 presents (only when seen is true); adds the wait to t.
  int next(int k, bool seen, double& t) {
    const double presents = seen ? c_.presents[k] : 0, leave = -c_.generator(k, k) + presents;
    if (leave <= 0) return t = kInfinity, -1;
    t -= std::log1p(-uniform()) / leave;
    double u = uniform() * leave;
    if ((u -= presents) < 0) return -2;
    for (int j = 0; j < c_.entry.size(); ++j)
      if (j != k && (u -= c_.generator(k, j)) < 0) return j;
    return -1;
  }

 private:
  double uniform() { return static_cast<double>(bits_() >> 11) * 0x1p-53; }
  const Course& c_;
  std::mt19937_64 bits_;
};

void expect_share(int hits, int of, double p, const std::string& what) {
  const double sd = std::sqrt(std::max(p * (1 - p), 1.0 / of) / of);
  EXPECT_NEAR(static_cast<double>(hits) / of, p, 5 * sd) << what;
}

TEST(Chain, ReachesAndPresentsAsPeopleDo) {
  const Model m = compile(builtin_knowledge());
  const int people = test::share_of(20000);
  for (const char* id : {"met_breast", "ewing_sarcoma", "muscle_strain", "disc_herniation", "spinal_epidural_abscess", "myeloma"}) {
    ASSERT_GE(m.cause(id), 0) << id;
    const Course c = course_of(m, m.causes[m.cause(id)], 0);
    const Chain chain = c.chain();
    const int n = chain.stages();
    // presenting: stage, and within the middle weeks
    People some(c, 11);
    std::vector<int> stage(n, 0);
    int seen = 0, between = 0;
    for (int i = 0; i < people; ++i) {
      double t = 0;
      int k = some.start(), last = k;
      while (k >= 0) last = k, k = some.next(k, true, t);
      if (k == -1) continue;
      ++seen, ++stage[last];
      between += t >= 2 && t < 8;
    }
    const Eigen::VectorXd ever = within(chain, 0, kInfinity);
    for (int k = 0; k < n; ++k) expect_share(stage[k], seen, ever[k], std::string(id) + " presents in stage " + std::to_string(k));
    expect_share(between, seen, within(chain, 2, 8).sum(), std::string(id) + " presents in weeks 2 to 8");
    // reaching the last stage, left to itself
    std::vector<bool> target(n, false);
    target[n - 1] = true;
    if (n > 2) target[n - 2] = true;
    for (double weeks : {1.0, 4.0, 12.0}) {
      const Eigen::VectorXd reached = chain.reaches(target, weeks);
      for (int from = 0; from < n; ++from) {
        int hits = 0;
        for (int i = 0; i < people / 4 + 1; ++i) {
          double t = 0;
          int k = from;
          while (k >= 0 && t <= weeks && !target[k]) k = some.next(k, false, t);
          hits += k >= 0 && t <= weeks && target[k];
        }
        expect_share(hits, people / 4 + 1, reached[from], std::string(id) + " reaches from stage " + std::to_string(from));
      }
    }
  }
}

// Passing through counts: three stages in a row, the target is the middle one.
//   P(2 reached from 1 by t) = 1 - exp(-a t), however soon it is left.
TEST(Chain, PassingThroughCounts) {
  Eigen::MatrixXd q(3, 3);
  q << -0.2, 0.2, 0, 0, -5, 5, 0, 0, 0;
  const Chain chain(q, Eigen::Vector3d(1, 0, 0), Eigen::Vector3d(0.1, 0.1, 0.1));
  EXPECT_NEAR(chain.reaches({false, true, false}, 3)[0], 1 - std::exp(-0.6), 1e-14);
  EXPECT_NEAR(chain.reaches({false, true, false}, 3)[2], 0, 1e-15);
}

}  // namespace
}  // namespace dorsalgia
