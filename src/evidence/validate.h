// Validation: every figure of every study, the observed beside the model's, and how often the model's interval held it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "evidence/calibrate.h"

namespace dorsalgia {

struct Coverage {
  int figures = 0, inside = 0;    // by the joint interval: model, sampling and between studies
  int inside_without_spread = 0;  // by model and sampling alone, as if studies of the same thing never differed
  double share() const { return figures ? static_cast<double>(inside) / figures : 0; }
};
// Of the figures with this use that the model has a number for; figures of context are never counted.
Coverage coverage(const std::vector<Expectation>& all, Use use);

// {coverage: {calibration, validation}, figures: [...]}; probabilities as shares, delays in weeks.
nlohmann::json validation_json(const Knowledge& knowledge, const Model& model, const std::vector<Expectation>& all);

// The page docs/validation.md.
std::string validation_page(const nlohmann::json& validation);

}  // namespace dorsalgia
