// How sure: every probability with its 95% interval over draws of the model's numbers, and how much of what is not known
// lies in the numbers (the evidence) and how much in questions that nobody has asked yet.
//
// Over the draws of draws.h. What the speeds of tumours add to a forecast is not in its interval: courses do not move.
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "inference/exact.h"
#include "model/parameter.h"

namespace dorsalgia {

class MovedNumbers;  // inference/draws.h

struct Interval {
  double low = 0, high = 0;
};

struct Intervals {
  Interval tumour, malignant, emergency;
  std::vector<Interval> causes;  // by cause
  std::array<Interval, kForecastWeeks.size()> compression;
  // Where P(tumour) would mostly lie (95%) once every question and sign that is still open were answered.
  Interval if_all_answered;
  // Of the variance of the log-odds of tumour: the share that answers could remove. The rest lies in the numbers.
  double unanswered_share = 0;
};

class ModelDraws {
 public:
  // The model must be compiled from this knowledge; both outlive this, which is cheap to make. Threads may share it.
  ModelDraws(const Knowledge& knowledge, const Model& model, int draws);
  ~ModelDraws();

  int count() const { return count_; }
  const MovedNumbers& numbers() const;  // made when first asked for
  // With later visits the spread is that of the same facts said at one visit, around the filtered posterior.
  Intervals intervals(const ExactEngine& engine, const Presentation& person, const Posterior& posterior) const;

 private:
  const Knowledge& k_;
  const Model& m_;
  int count_;
  mutable std::once_flag made_;
  mutable std::unique_ptr<const MovedNumbers> numbers_;
};

}  // namespace dorsalgia
