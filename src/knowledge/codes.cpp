#include "knowledge/codes.h"

#include <algorithm>
#include <cctype>

namespace dorsalgia {

// Verhoeff J. Error detecting decimal codes. Mathematical Centre Tracts 29, 1969: multiplication in the dihedral group
// D5 (written as arithmetic instead of the usual table) after a position-dependent permutation.
bool snomed_check_digit_holds(const std::string& code) {
  if (code.size() < 6 || code.size() > 18 || !std::all_of(code.begin(), code.end(), [](unsigned char c) { return std::isdigit(c); }))
    return false;
  auto multiply = [](int a, int b) {
    if (a < 5) return b < 5 ? (a + b) % 5 : (a + b - 5) % 5 + 5;
    return b < 5 ? (a - 5 + 5 - b) % 5 + 5 : (a - b + 5) % 5;
  };
  constexpr int kPermutation[10] = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
  int c = 0, position = 0;
  for (auto it = code.rbegin(); it != code.rend(); ++it, ++position) {
    int digit = *it - '0';
    for (int i = 0; i < position % 8; ++i) digit = kPermutation[digit];
    c = multiply(c, digit);
  }
  return c == 0;
}

bool loinc_check_digit_holds(const std::string& code) {
  const auto dash = code.find('-');
  if (dash == std::string::npos || dash == 0 || dash + 2 != code.size()) return false;
  int sum = 0, place = 0;
  for (std::size_t i = dash; i-- > 0; ++place) {
    if (!std::isdigit(static_cast<unsigned char>(code[i]))) return false;
    int digit = code[i] - '0';
    if (place % 2 == 0 && (digit *= 2) > 9) digit -= 9;
    sum += digit;
  }
  return std::isdigit(static_cast<unsigned char>(code[dash + 1])) && (10 - sum % 10) % 10 == code[dash + 1] - '0';
}

}  // namespace dorsalgia
