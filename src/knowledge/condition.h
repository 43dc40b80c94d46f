// Reading conditions, which rules, red-flag lists, studies and trials share (grammar: docs/knowledge.md, docs/studies.md).
#pragma once

#include <vector>

#include "knowledge/knowledge.h"
#include "knowledge/reader.h"

namespace dorsalgia {

// Rules may ask only for what can be known of a person; studies also for the truth (cause, mechanism, region, stage).
enum class Words { rules, studies };

// Faults go to the reader's complaints.
Condition read_condition(Reader r, Words words = Words::rules);

// Names become indices, and definitions stand where they are used, so that a condition can be asked thousands of times.
// A definition that (directly or not) uses itself is a fault. Unknown names are left at finding = -1.
void resolve(const Knowledge& knowledge, const std::vector<Condition*>& conditions, std::vector<Complaint>& complaints);

}  // namespace dorsalgia
