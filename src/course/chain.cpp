// Two ways to the same numbers. The spectral one writes pi exp(At) as a sum of exponentials once and for all, so that
// a posterior costs n exponentials a cause; it exists when A is diagonalisable over the reals and well conditioned, which
// is tested at construction against the other way. That one is uniformisation: exp(At) = sum over n of Poisson(n; qt)
// (I + A/q)^n, a sum of positive terms (Jensen A, 1953), as exact and some ten times slower; chains that fail the test
// (equal exit rates one after the other make A defective) use it always. The oracle has the matrix exponential to itself.
#include "course/chain.h"

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <cmath>

namespace dorsalgia {

namespace {
constexpr double kSpectralTolerance = 1e-12;
constexpr double kMostJumps = 600;  // expected at once; exp(-600) is still a number

// exp(A t) v by uniformisation. A: rows sum to 0 or less; transposed, v is moved from the left.
Eigen::VectorXd uniformised(const Eigen::MatrixXd& a, Eigen::VectorXd v, double t) {
  const double rate = -a.diagonal().minCoeff();
  if (!(rate * t > 0)) return v;
  const double strides = std::ceil(rate * t / kMostJumps), jumps = rate * t / strides;
  Eigen::VectorXd next(v.size()), sum(v.size());
  for (int stride = 0; stride < strides; ++stride) {
    double weight = std::exp(-jumps);
    sum = weight * v;
    for (int n = 1; n <= jumps || weight > 1e-18; ++n) {
      next.noalias() = a * v;
      v += next / rate;
      weight *= jumps / n;
      sum += weight * v;
    }
    v = sum;
  }
  return v;
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
  const Eigen::VectorXd time_in_stage = -a_.transpose().partialPivLu().solve(entry_);  // pi (-A)^-1
  total_ = time_in_stage.dot(presents_);

  const Eigen::EigenSolver<Eigen::MatrixXd> solver(a_.transpose());
  if (solver.info() != Eigen::Success || solver.eigenvalues().imag().cwiseAbs().maxCoeff() > 0) return;
  const Eigen::MatrixXd vectors = solver.eigenvectors().real();
  const Eigen::FullPivLU<Eigen::MatrixXd> lu(vectors);
  if (!lu.isInvertible()) return;
  rates_ = solver.eigenvalues().real();
  coefficient_ = presents_.asDiagonal() * vectors * lu.solve(entry_).asDiagonal() / total_;
  if (!coefficient_.allFinite() || rates_.maxCoeff() >= 0) return;
  spectral_ = true;
  for (double t : {0.3, 8.0, 200.0}) {
    Eigen::VectorXd fast(stages());
    density(t, fast.data());
    if ((fast - through(t).cwiseProduct(presents_) / total_).cwiseAbs().maxCoeff() > kSpectralTolerance) spectral_ = false;
  }
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

Eigen::VectorXd Chain::through(double t) const { return uniformised(a_.transpose(), entry_, t); }

Eigen::VectorXd Chain::density_by_matrix(double t) const { return through_matrix(t).cwiseProduct(presents_) / total_; }

Eigen::VectorXd Chain::within_by_matrix(double from, double to) const {
  Eigen::VectorXd ahead = through_matrix(from);
  if (std::isfinite(to)) ahead -= through_matrix(to);
  return (-a_.transpose().partialPivLu().solve(ahead)).cwiseProduct(presents_) / total_;
}

void Chain::density(double t, double* out) const {
  Eigen::Map<Eigen::VectorXd> result(out, stages());
  if (!spectral_) {
    result = through(t).cwiseProduct(presents_) / total_;
    return;
  }
  result.setZero();
  for (Eigen::Index i = 0; i < rates_.size(); ++i) result += std::exp(rates_[i] * t) * coefficient_.col(i);
  result = result.cwiseMax(0);  // rounding may leave -1e-17
}

void Chain::within(double from, double to, double* out) const {
  Eigen::Map<Eigen::VectorXd> result(out, stages());
  if (!spectral_) {
    Eigen::VectorXd ahead = through(from);
    if (std::isfinite(to)) ahead -= through(to);
    result = (-a_.transpose().partialPivLu().solve(ahead)).cwiseProduct(presents_) / total_;
    return;
  }
  result.setZero();
  for (Eigen::Index i = 0; i < rates_.size(); ++i) {
    const double gone = std::isfinite(to) ? std::expm1(rates_[i] * (to - from)) : -1;
    result += std::exp(rates_[i] * from) * gone / rates_[i] * coefficient_.col(i);
  }
  result = result.cwiseMax(0);
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
