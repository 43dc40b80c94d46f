// Calibration and what validation shares with it: what the model expects of each figure of each study, with derivatives,
// and the fit that moves the model's numbers, within their spreads, towards the studies marked `use: calibration`.
//
// Likelihood: a share of n people is binomial; studies of the same thing differ by more than chance, so n is cut to what
// leaves room for a spread of kBetweenStudies between studies (logit scale). Ratios are normal on the log scale with the same
// spread added. Priors: each parameter's own (model/parameter.h). Fit: Levenberg and Marquardt's method with dual numbers
// (ceres::TinySolver, ceres::Jet); the draws are from the normal approximation at the optimum.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "evidence/study.h"
#include "model/parameter.h"

namespace dorsalgia {

// Standard deviation between studies of the same thing, on the logit (shares) or log (ratios) scale: definitions, referral
// and recording differ. A judgement: meta-analyses of single signs in back pain mostly find 0.4 to 1.
inline constexpr double kBetweenStudies = 0.5;

// What the model expects of one figure. Scale: logit for shares, log for ratios and delays.
struct Expectation {
  const Study* study = nullptr;
  const StudyFigure* figure = nullptr;
  std::string left_out;      // why the model has no number for it; empty otherwise
  double expected = 0;       // on the figure's own scale: share, ratio, weeks
  double model_sd = 0;       // of the model's number, on the scale above, over the draws (and priors of what was not fitted)
  double observed_sd = 0;    // of the observed one, from sampling alone
  double distance = 0;       // (observed - expected) in standard deviations of all three together: model, sampling, between studies
  bool inside = false;       // |distance| <= 1.96
  double low = 0, high = 0;  // 95% of what the model expects a study of this size to find
  std::vector<std::pair<int, double>> gradient;  // by parameter: d(expected on its scale) / d(z)
};

// `progress` is told how much is done, 0 to 1; may be empty. `fitted` supplies draws for the model's spread (may be empty:
// then all parameters have their prior spread). The model must be compiled from `knowledge`.
std::vector<Expectation> expectations(const Knowledge& knowledge, const Model& model, const std::vector<Study>& studies,
                                      const std::function<void(double)>& progress);

struct Moved {
  std::string parameter;
  double z = 0, sd = 1;                // posterior mean and standard deviation, in prior standard deviations
  double from = 0, to = 0;             // the number itself (of tables: in the middle)
  std::vector<std::string> pulled_by;  // figures that pull it most, strongest first
};

struct Conflict {
  std::string figure;
  double observed = 0, before = 0, after = 0;
  double distance_before = 0, distance_after = 0;  // in standard deviations
};

struct Calibrated {
  Fitted fitted;
  std::vector<Moved> moved;         // by |z|, largest first: all fitted parameters
  std::vector<Conflict> conflicts;  // figures two or more standard deviations away before or after the fit
  int figures = 0, iterations = 0;
  double cost_before = 0, cost_after = 0;
  std::string trouble;  // not empty: nothing was fitted, and why (singular covariance, no figures)
};

// Only figures with use: calibration are looked at. Deterministic: the same input gives the same bits.
Calibrated calibrate(const Knowledge& knowledge, const std::vector<Study>& studies,
                     const std::function<void(int iteration, double cost)>& progress);

// fitted.yaml, byte for byte.
std::string fitted_yaml(const Calibrated& calibration, const std::vector<Study>& studies);

}  // namespace dorsalgia
