// How sure: every probability with its 95% interval over draws of the model's numbers, and how much of what is not known
// lies in the numbers (the evidence) and how much in questions that nobody has asked yet.
//
// A draw gives every movable number (model/parameter.h) a place within its spread: the fitted ones jointly, from the draws
// that calibration left (Knowledge::fitted), the others each by its own prior. Courses and levels stay: what the speeds of
// tumours add to a forecast is not in its interval.
#pragma once

#include <array>
#include <vector>

#include "inference/exact.h"
#include "model/parameter.h"

namespace dorsalgia {

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
  // The model must be compiled from this knowledge.
  ModelDraws(const Knowledge& knowledge, const Model& model, int draws);

  int count() const { return count_; }
  // With later visits the spread is that of the same facts said at one visit, around the filtered posterior.
  Intervals intervals(const ExactEngine& engine, const Presentation& person, const Posterior& posterior) const;

 private:
  double z(int draw, std::size_t parameter) const;  // in prior standard deviations, from where the model stands
  std::vector<double> all_answered(const ExactEngine& engine, const Presentation& person) const;

  const Knowledge& k_;
  const Model& m_;
  int count_;
  std::vector<Parameter> parameters_;
  std::vector<int> fitted_;  // by parameter: place in Knowledge::fitted, -1: its prior
};

}  // namespace dorsalgia
