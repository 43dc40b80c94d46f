// How well predicted probabilities tell people with the outcome from those without, how true they are, and what acting on
// them would bring: the area under the ROC curve, the calibration line, the Brier score, and net benefit.
//
// Everybody has a weight: how many people of the population he or she stands for. Point estimates are those of a list in
// which everybody stands as often as the weight says; intervals count people, not weights, so they widen when few people
// carry much weight. All intervals are 95%, normal approximation.
//
// DeLong, DeLong, Clarke-Pearson, Biometrics 1988 (AUROC and its variance); Cox, Biometrika 1958 (calibration line);
// White, Econometrica 1980 (its standard errors under weights); Vickers, Elkin, Med Decis Making 2006 (net benefit).
#pragma once

#include <optional>
#include <vector>

namespace dorsalgia {

struct Prediction {
  double predicted;  // probability, 0 to 1
  bool truth;
  double weight = 1;  // above 0
};

struct Estimate {
  double value = 0, low = 0, high = 0;
};

// P(someone with the outcome is ranked above someone without), ties count half. Nothing when one of the two is missing. At 0
// or 1, and with a single person of either, there is no interval: low and high are NaN.
std::optional<Estimate> auroc(const std::vector<Prediction>& people);

// log odds of the truth = intercept + slope * log odds predicted. Slope 1 and intercept 0: as predicted. Below 1: too
// extreme. `offset`: the intercept when the slope is held at 1 (calibration in the large); above 0: predicted too low.
// Predictions are kept within kNearest of 0 and 1. Nothing when truth or prediction never varies, or when the predictions
// separate the two completely, so that no finite line is best.
inline constexpr double kNearest = 1e-9;
struct CalibrationLine {
  Estimate slope, intercept, offset;
};
std::optional<CalibrationLine> calibration_line(const std::vector<Prediction>& people);

// Mean squared difference between predicted and true (0 or 1). `uninformed`: of the same share told to everybody.
struct Brier {
  double value = 0, uninformed = 0;
};
Brier brier(const std::vector<Prediction>& people);

// People by rising prediction in ten groups of equal weight; equal predictions stay together, so groups may be missing.
struct CalibrationGroup {
  double share = 0;            // of all weight
  double predicted = 0;        // mean
  double observed = 0;         // share with the outcome
  double low = 0, high = 0;    // of observed: Wilson's interval
  int people = 0, events = 0;  // not weighted
};
std::vector<CalibrationGroup> calibration_by_tenths(const std::vector<Prediction>& people);

// What a rule that says "act" or "do not" does, as shares of everybody.
struct Decisions {
  double true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
  double sensitivity() const { return true_positive / (true_positive + false_negative); }
  double specificity() const { return true_negative / (true_negative + false_positive); }
  // True positives less the false ones, each worth the odds of the threshold: at 1%, 99 scans for nothing weigh as much as
  // one finding. Threshold: above 0, below 1.
  double net_benefit(double threshold) const { return true_positive - false_positive * threshold / (1 - threshold); }
};
// Acts from this probability on. 0: always acts.
Decisions act_from(double threshold, const std::vector<Prediction>& people);
// acts: by person.
Decisions act_when(const std::vector<bool>& acts, const std::vector<Prediction>& people);

}  // namespace dorsalgia
