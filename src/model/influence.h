// Findings that a question could be asked about in vain: linked on paper, yet whatever the answer, no posterior moves.
// A probability of 0, a ratio of 1, a mechanism that no reachable stage has: PolicyEngine-US issue 8905 shows how long
// such numbers live when nobody looks.
#pragma once

#include <vector>

#include "knowledge/knowledge.h"
#include "model/model.h"

namespace dorsalgia {

// One complaint a finding (or grade of a finding) whose likelihood is the same in every state that can be.
std::vector<Complaint> findings_without_influence(const Knowledge& knowledge, const Model& model);

}  // namespace dorsalgia
