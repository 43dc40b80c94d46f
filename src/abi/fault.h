// What goes wrong behind the C interface: thrown inside, turned into a code and a message at its edge.
#pragma once

#include <stdexcept>
#include <string>

#include "dorsalgia.h"

namespace dorsalgia::abi {

struct Fault : std::runtime_error {
  Fault(dorsalgia_code its_code, const std::string& message) : std::runtime_error(message), code(its_code) {}
  dorsalgia_code code;
};

}  // namespace dorsalgia::abi
