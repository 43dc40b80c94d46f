// Uniformisation: exp(At) = sum over n of Poisson(n; qt) (I + A/q)^n, where q is the fastest exit (Jensen A, 1953). All terms are
// positive, so nothing cancels, whatever the eigenvalues. Where everybody starts is the same at every question: what n jumps
// make of it is kept, and a question costs a sum. Longer times go in strides of as many jumps as are kept.
// The oracle has the matrix exponential to itself.
#include "course/chain.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace dorsalgia {

namespace {
constexpr double kMostJumps = 600;  // expected at once; exp(-600) is still a number
constexpr double kTooRare = 1e-18;
// Expected jumps of a stride, and how many are kept: P(Poisson(128) > 256) is 2e-23.
constexpr double kStride = 128;
constexpr Eigen::Index kJumps = 260;
constexpr Eigen::Index kAtOnce = 8;  // stages
// What is kept of n jumps has a factor kUsual^n / n! already, so that of its Poisson weight only a power is left, and no number is too
// large.
constexpr double kUsual = 64;

// The sum of weighted columns of kRows rows, `stride` apart, all in registers.
template <int kRows>
void weighted_sum(const double* weights, Eigen::Index terms, const double* columns, Eigen::Index stride, double* out) {
  using Column = Eigen::Array<double, kRows, 1>;
  Column sum = Column::Zero();
  for (Eigen::Index n = 0; n < terms; ++n, columns += stride) sum += weights[n] * Eigen::Map<const Column>(columns);
  Eigen::Map<Column>{out} = sum;
}

// exp(A t) v by uniformisation. A: rows sum to 0 or less; transposed, v is moved from the left.
Eigen::VectorXd uniformised(const Eigen::MatrixXd& a, Eigen::VectorXd v, double t) {
  const double rate = -a.diagonal().minCoeff();
  if (!(rate * t > 0)) return v;
  const double strides = std::ceil(rate * t / kMostJumps), jumps = rate * t / strides;
  Eigen::VectorXd next(v.size()), sum(v.size());
  for (int stride = 0; stride < strides; ++stride) {
    double weight = std::exp(-jumps);
    sum = weight * v;
    for (int n = 1; n <= jumps || weight > kTooRare; ++n) {
      next.noalias() = a.lazyProduct(v);  // of matrices this small the fast one: written out on the spot
      v += next / rate;
      weight *= jumps / n;
      sum += weight * v;
    }
    v = sum;
  }
  return v;
}

// (-A)^-1: [from, to] weeks that will be spent in `to`. Off its diagonal -A is nowhere positive, and each row outweighs itself: elimination
// needs no pivots and only adds.
Eigen::MatrixXd weeks_ahead(const Eigen::MatrixXd& a) {
  Eigen::MatrixXd left = -a, out = Eigen::MatrixXd::Identity(a.rows(), a.cols());
  for (Eigen::Index k = 0; k < a.rows(); ++k)
    for (Eigen::Index i = 0; i < a.rows(); ++i) {
      if (i == k) continue;
      const double times = left(i, k) / left(k, k);
      left.row(i) -= times * left.row(k);
      out.row(i) -= times * out.row(k);
    }
  for (Eigen::Index k = 0; k < a.rows(); ++k) out.row(k) /= left(k, k);
  return out;
}

Eigen::MatrixXd generator_of(const ModelCourse& course, Canal canal) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto n = static_cast<Eigen::Index>(course.stages.size());
  return Eigen::Map<const RowMajor>(course.generator[static_cast<std::size_t>(canal)].data(), n, n);
}

Eigen::VectorXd by_stage(const ModelCourse& course, double ModelStage::*number) {
  Eigen::VectorXd out(static_cast<Eigen::Index>(course.stages.size()));
  for (Eigen::Index k = 0; k < out.size(); ++k) out[k] = course.stages[static_cast<std::size_t>(k)].*number;
  return out;
}
}  // namespace

Chain::Chain(const ModelCourse& course, double tempo, Canal canal)
    : Chain(generator_of(course, canal) * tempo, by_stage(course, &ModelStage::entry), by_stage(course, &ModelStage::presents)) {}

Chain::Chain(Eigen::MatrixXd generator, Eigen::VectorXd entry, Eigen::VectorXd presents)
    : generator_(std::move(generator)), entry_(std::move(entry)), presents_(std::move(presents)) {
  a_ = generator_;
  a_.diagonal() -= presents_;
  weeks_ahead_ = weeks_ahead(a_);
  total_ = entry_.dot(weeks_ahead_ * presents_);

  rate_ = -a_.diagonal().minCoeff();
  after_.setZero(stages() + stages() % 2, kJumps);
  auto after = after_.topRows(stages());
  after.col(0) = entry_;
  const Eigen::MatrixXd jump = Eigen::MatrixXd::Identity(stages(), stages()) + a_.transpose() / rate_;
  for (Eigen::Index n = 1; n < kJumps; ++n) after.col(n).noalias() = jump.lazyProduct(after.col(n - 1)) * (kUsual / static_cast<double>(n));
  stride_.resize(stages(), stages());
  for (int k = 0; k < stages(); ++k) stride_.col(k) = uniformised(a_.transpose(), Eigen::VectorXd::Unit(stages(), k), kStride / rate_);
}

Eigen::MatrixXd matrix_exponential(const Eigen::MatrixXd& a) {
  constexpr int kTerms = 22;  // 1 / 22! is 1e-21
  const double size = a.cwiseAbs().rowwise().sum().maxCoeff();
  const int halvings = size > 1 ? std::ilogb(size) + 1 : 0;
  const Eigen::MatrixXd small = a * std::ldexp(1, -halvings);
  Eigen::MatrixXd term = Eigen::MatrixXd::Identity(a.rows(), a.cols()), sum = term;
  for (int k = 1; k <= kTerms; ++k) {
    term = (term.lazyProduct(small) / k).eval();
    sum += term;
  }
  for (int i = 0; i < halvings; ++i) sum = sum.lazyProduct(sum).eval();
  return sum;
}

Eigen::VectorXd Chain::through_matrix(double t) const { return matrix_exponential(a_ * t).transpose() * entry_; }

void Chain::through(double t, double* out) const {
  const double strides = std::floor(rate_ * t / kStride), jumps = rate_ * t - strides * kStride;
  // More jumps than this are less likely than kTooRare.
  const Eigen::Index terms = std::min(kJumps, static_cast<Eigen::Index>(jumps + 9 * std::sqrt(jumps) + 11) / 4 * 4 + 4);
  // Four weights at once: one multiplication waits for another a fourth as often.
  std::array<double, kJumps> weights;
  const double none = std::exp(-jumps), x = jumps / kUsual, square = x * x;
  Eigen::Array4d four(none, none * x, none * square, none * square * x);
  for (Eigen::Index n = 0; n < terms; n += 4, four *= square * square) Eigen::Map<Eigen::Array4d>(weights.data() + n) = four;
  for (Eigen::Index first = 0, left = after_.rows(); left > 0; first += kAtOnce, left -= kAtOnce) {
    const auto sum = left == 2 ? weighted_sum<2> : left == 4 ? weighted_sum<4> : left == 6 ? weighted_sum<6> : weighted_sum<kAtOnce>;
    std::array<double, kAtOnce> some;
    sum(weights.data(), terms, after_.data() + first, after_.rows(), some.data());
    std::copy_n(some.begin(), std::min<Eigen::Index>(kAtOnce, stages() - first), out + first);
  }
  Eigen::Map<Eigen::VectorXd> its(out, stages());
  for (int stride = 0; stride < strides; ++stride) its = stride_.lazyProduct(its).eval();
}

Eigen::VectorXd Chain::density_by_matrix(double t) const { return through_matrix(t).cwiseProduct(presents_) / total_; }

Eigen::VectorXd Chain::within_by_matrix(double from, double to) const {
  Eigen::VectorXd ahead = through_matrix(from);
  if (std::isfinite(to)) ahead -= through_matrix(to);
  return (weeks_ahead_.transpose() * ahead).cwiseProduct(presents_) / total_;
}

void Chain::density(double t, double* out) const {
  through(t, out);
  for (int k = 0; k < stages(); ++k) out[k] *= presents_[k] / total_;
}

void Chain::within(double from, double to, double* out) const {
  Eigen::VectorXd ahead(stages()), behind(stages());
  through(from, ahead.data());
  if (std::isfinite(to)) {
    through(to, behind.data());
    ahead -= behind;
  }
  // of two that are nearly equal, rounding may leave -1e-17
  Eigen::Map<Eigen::VectorXd>(out, stages()) = (weeks_ahead_.transpose() * ahead).cwiseProduct(presents_).cwiseMax(0) / total_;
}

Eigen::MatrixXd Chain::moves(double weeks) const {
  Eigen::MatrixXd out(stages(), stages());
  for (int k = 0; k < stages(); ++k) out.col(k) = uniformised(generator_, Eigen::VectorXd::Unit(stages(), k), weeks);
  return out;
}

Eigen::VectorXd Chain::reaches(const std::vector<bool>& target, double weeks) const {
  // Make the targets absorbing, move for `weeks`, and read off what was absorbed.
  Eigen::MatrixXd q = generator_;
  Eigen::VectorXd in_target = Eigen::VectorXd::Zero(stages());
  for (int k = 0; k < stages(); ++k)
    if (target[k]) {
      q.row(k).setZero();
      in_target[k] = 1;
    }
  return uniformised(q, in_target, weeks);
}

}  // namespace dorsalgia
