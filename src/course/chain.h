// When and in which stage people come to care: a Markov chain over the stages of a course, killed by presenting.
//
// With generator Q (per week), entry shares pi and presenting hazards h, let A = Q - diag(h). The joint density of
// presenting at time t (weeks since the pain began) in stage k is [pi exp(A t)]_k h_k. Those who recover unseen never
// present; dividing by the total leaves those who did, which is what rates of episodes "that come to care" count.
// (Phase-type distributions: Neuts MF, 1981; Bladt & Nielsen, 2017.)
#pragma once

#include <Eigen/Core>
#include <vector>

#include "model/model.h"

namespace dorsalgia {

// exp(A) by its series, halved and squared: neither eigenvalues nor sums over jumps, for the oracle and for tests.
Eigen::MatrixXd matrix_exponential(const Eigen::MatrixXd& a);

class Chain {
 public:
  Chain() = default;
  // generator: n x n per week, rows sum to 0 or less; entry sums to 1; presents >= 0, at least one reachable > 0.
  Chain(Eigen::MatrixXd generator, Eigen::VectorXd entry, Eigen::VectorXd presents);

  // A course at a cause's tempo, beside this part of the canal.
  Chain(const ModelCourse& course, double tempo, Canal canal);

  int stages() const { return static_cast<int>(entry_.size()); }

  // Density per week at exactly t, by stage, given that they present at all. `out` has stages() places.
  void density(double t, double* out) const;
  // Probability of presenting in [from, to) by stage; to may be infinity.
  void within(double from, double to, double* out) const;
  // The same by the plain matrix exponential, for the oracle.
  Eigen::VectorXd density_by_matrix(double t) const;
  Eigen::VectorXd within_by_matrix(double from, double to) const;

  // [from, to]: probability of being in stage `to` so many weeks later, left to itself; what a row lacks to 1 has recovered.
  Eigen::MatrixXd moves(double weeks) const;

  // Probability that a chain now in stage k, left to itself, is in or has passed through one of `target` by `weeks`.
  Eigen::VectorXd reaches(const std::vector<bool>& target, double weeks) const;

 private:
  Eigen::VectorXd through_matrix(double t) const;  // pi exp(A t)
  void through(double t, double* out) const;       // the same by uniformisation, by stage
  Eigen::MatrixXd generator_, a_;
  Eigen::VectorXd entry_, presents_;
  Eigen::MatrixXd weeks_ahead_;  // (-A)^-1
  double total_ = 1;             // share that presents
  double rate_ = 0;              // q, jumps a week
  Eigen::MatrixXd after_;        // [stage, n]: pi (I + A/q)^n kUsual^n / n!, with a stage of zeros where their number is odd
  Eigen::MatrixXd stride_;       // exp(A t)' for the time in which a stride's jumps are expected
};

}  // namespace dorsalgia
