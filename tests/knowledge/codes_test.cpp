#include "knowledge/codes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "knowledge/knowledge.h"

namespace dorsalgia {
namespace {

TEST(Codes, SnomedKnownCodesHold) {
  // Back pain, fever, clinical finding, the international core module: well-known identifiers.
  for (const char* code : {"161891005", "386661006", "404684003", "900000000000207008", "94222008"})
    EXPECT_TRUE(snomed_check_digit_holds(code)) << code;
}

TEST(Codes, SnomedAnyOtherLastDigitFails) {
  const std::string code = "161891005";
  for (char digit = '0'; digit <= '9'; ++digit) {
    std::string other = code;
    other.back() = digit;
    EXPECT_EQ(snomed_check_digit_holds(other), digit == '5') << other;
  }
}

// Verhoeff's scheme finds every wrong digit and every swap of neighbours.
TEST(Codes, SnomedFindsEveryWrongDigitAndEverySwap) {
  const std::string code = "900000000000207008";
  for (std::size_t i = 0; i < code.size(); ++i) {
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string other = code;
      other[i] = digit;
      EXPECT_EQ(snomed_check_digit_holds(other), digit == code[i]) << other;
    }
    std::string swapped = code;
    if (i > 0 && swapped[i] != swapped[i - 1]) {
      std::swap(swapped[i], swapped[i - 1]);
      EXPECT_FALSE(snomed_check_digit_holds(swapped)) << swapped;
    }
  }
}

TEST(Codes, SnomedShapeIsChecked) {
  for (const char* code : {"", "5", "12345", "16189100x", "161891005 ", "-161891005", "1234567890123456789"})
    EXPECT_FALSE(snomed_check_digit_holds(code)) << code;
}

TEST(Codes, LoincKnownCodesHold) {
  // ESR, CRP, haemoglobin, PSA, calcium, body temperature.
  for (const char* code : {"4537-7", "1988-5", "718-7", "2857-1", "17861-6", "8310-5"}) EXPECT_TRUE(loinc_check_digit_holds(code)) << code;
}

TEST(Codes, LoincAnyOtherCheckDigitFails) {
  for (char digit = '0'; digit <= '9'; ++digit) EXPECT_EQ(loinc_check_digit_holds(std::string("4537-") + digit), digit == '7');
}

TEST(Codes, LoincShapeIsChecked) {
  for (const char* code : {"", "-", "4537", "-7", "4537-", "4537-77", "45x7-7", "4537-x", "4537 7"})
    EXPECT_FALSE(loinc_check_digit_holds(code)) << code;
}

TEST(Codes, EveryBuiltInCodeHolds) {
  const Knowledge k = builtin_knowledge();
  int codes = 0;
  auto check = [&](const Codes& c, const std::string& id) {
    EXPECT_TRUE(c.snomed.empty() || snomed_check_digit_holds(c.snomed)) << id;
    EXPECT_TRUE(c.loinc.empty() || loinc_check_digit_holds(c.loinc)) << id;
    codes += !c.snomed.empty() + !c.loinc.empty();
  };
  for (const auto& c : k.causes) check(c.codes, c.id);
  for (const auto& f : k.findings) check(f.codes, f.id);
  EXPECT_GT(codes, 20);
}

}  // namespace
}  // namespace dorsalgia
