// The packed form for the page in the browser, which has to be small: without what only studies, simulation and the checks of
// the knowledge base need, and without line numbers. Posteriors and reports are the same.
#pragma once

#include "knowledge/knowledge.h"

namespace dorsalgia {

std::string pack_for_page(Knowledge knowledge);

}  // namespace dorsalgia
