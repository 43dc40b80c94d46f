// A simulated cohort (dorsalgia simulate), assessed person by person with the truth hidden: discrimination, calibration and
// net benefit of the probabilities of a tumour and of a malignant one, beside red-flag lists run as written.
#pragma once

#include <functional>
#include <istream>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "evidence/evaluate.h"

namespace dorsalgia {

// Whether this is a line of a simulated cohort: an object with truth.weight.
bool is_cohort_line(const std::string& line);

struct CohortOptions {
  unsigned threads = 0;                         // 0: one a core
  std::vector<std::string> without;             // groups of findings ("imaging") whose answers are taken as unknown
  std::function<void(std::uint64_t)> progress;  // told of so many more people; from several threads; may be empty
};

// One person a line. Children are counted and left out: below 18 years no probability is given. The same result whatever
// the number of threads. Faults: lines that are not such people (not scored), in order, no more than kMostFaults.
//
//   {model: {version, hash}, people, children, impossible, weight, without: [...],
//    outcomes: {tumour, malignant: {people, share, predicted, auroc: {value, low, high}, calibration: {slope, intercept,
//      offset}, brier: {value, uninformed}, tenths: [...], thresholds: [...],
//      net_benefit: {model: [...], all: [...], none: [...]}, lists: [{id, name, parts, acts, not_assessable, sensitivity,
//      specificity, net_benefit: [...]}]}}}
//
// Shares and net benefits are weighted; people are counted. auroc and calibration are null where there is none.
inline constexpr std::size_t kMostFaults = 20;
nlohmann::json evaluate_cohort(std::istream& lines, const Knowledge& knowledge, const ExactEngine& engine, const CohortOptions& options,
                               std::vector<CaseFault>& faults);

}  // namespace dorsalgia
