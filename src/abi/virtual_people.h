// Virtual people as a stream of tables that assess_stream takes, with the truth beside what is known.
#pragma once

#include "abi/results.h"

namespace dorsalgia::abi {

// Throws Fault on names that there are not, and when nobody is of this cohort.
void simulate_stream(std::shared_ptr<const Brain> brain, const dorsalgia_simulate_options& options, ArrowArrayStream* out);

}  // namespace dorsalgia::abi
