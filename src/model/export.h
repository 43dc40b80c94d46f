// The model of one person as a Bayesian network in the formats of others: BIF, XDSL (GeNIe), UAI.
//
// Age, sex, setting and duration of the person are fixed (they shape the tables); every finding is a node. Written so
// that an outside library can answer the same questions: tests/witness compares them.
#pragma once

#include <string>

#include "person/presentation.h"

namespace dorsalgia {

enum class NetworkFormat { bif, xdsl, uai };

// person: age and sex are needed; its answers are not written into the tables.
std::string export_network(const Model& model, const Presentation& person, NetworkFormat format);

}  // namespace dorsalgia
