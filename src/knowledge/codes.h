// Check digits of terminology codes. A right check digit does not prove the meaning, a wrong one proves a mistake.
#pragma once
#include <string>

namespace dorsalgia {

bool snomed_check_digit_holds(const std::string& code);  // Verhoeff, SNOMED CT Technical Implementation Guide
bool loinc_check_digit_holds(const std::string& code);   // mod 10 (Luhn), LOINC Users' Guide; "NNNNN-D"

}  // namespace dorsalgia
