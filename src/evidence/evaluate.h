// Scores a file of cases with known truth. Only the keys that may be given to an assessment are given; the truth is
// looked at afterwards. Published cases over-represent the rare, so causes are ranked twice: with every group of causes
// equally common in the population at large, and with the true base rates.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "inference/exact.h"
#include "knowledge/knowledge.h"

namespace dorsalgia {

struct CaseFault {
  int line;
  std::string text;
};

// One JSON object a line. Faults: lines that are not cases (they are not scored). one_more: called line by line, for progress.
// one_more: called after each line, for a progress bar.
nlohmann::json evaluate(const std::string& lines, const Knowledge& knowledge, const ExactEngine& engine, const std::string& profile,
                        std::vector<CaseFault>& faults, const std::function<void()>& one_more = {});

// Weights by cause that make every group equally common over the whole population, keeping the mix within a group.
CauseWeights equal_groups(const Model& model);

}  // namespace dorsalgia
