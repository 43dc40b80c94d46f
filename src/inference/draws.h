// One person's posterior under every draw of the model's numbers, the draws side by side.
//
// A draw gives every movable number (model/parameter.h) a place within its spread: the fitted ones jointly, from the draws
// that calibration left (Knowledge::fitted), the others each by its own prior. Courses and levels stay where they are.
#pragma once

#include <Eigen/Core>
#include <array>
#include <mutex>
#include <vector>

#include "inference/exact.h"
#include "model/parameter.h"

namespace dorsalgia {

inline constexpr int kSideBySide = 64;  // draws worked out together: what they need stays in the cache

// The movable numbers under each draw, made as they are asked for. All queries are const; threads may share it.
class MovedNumbers {
 public:
  // The model must be compiled from this knowledge; both outlive this.
  MovedNumbers(const Knowledge& knowledge, const Model& model, int draws);

  int count() const { return count_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  double z(int draw, std::size_t parameter) const;  // in prior standard deviations, from where the model stands

  // By draw: what a rate, a ratio or the odds of a probability are multiplied by; of shifts, what is added. Null: it does not move.
  // Filled up with further draws to a multiple of kSideBySide.
  const double* by(Parameter::Kind kind, int owner, int index) const;

 private:
  const Knowledge& k_;
  int count_;
  std::vector<Parameter> parameters_;
  std::vector<int> fitted_;                             // by parameter: place in Knowledge::fitted, -1: its prior
  std::array<std::vector<std::vector<int>>, 8> place_;  // [kind][owner][index]: of the parameter; -1: there is none
  mutable std::vector<std::once_flag> made_;
  mutable std::vector<Eigen::ArrayXd> by_;  // by parameter
};

// By draw, those left out under which the answers exclude each other.
struct DrawnPosteriors {
  Eigen::ArrayXd tumour, malignant, emergency;
  Eigen::ArrayXXd causes;       // [draw, cause]
  Eigen::ArrayXXd compression;  // [draw, of kForecastWeeks]
};

// Of a person without later visits.
DrawnPosteriors under_draws(const ExactEngine& engine, const MovedNumbers& numbers, const Presentation& person);

}  // namespace dorsalgia
