// The vectorised numbers are those of the library but for the last bits, and normal.
#include "simulation/normals.h"

#include <gtest/gtest.h>

#include <Random123/boxmuller.hpp>
#include <array>
#include <cmath>

#include "simulation/draws.h"

namespace dorsalgia {
namespace {

using Eight = std::array<float, 8>;

TEST(Normals, AreThoseOfTheLibrary) {
  double sum = 0, squares = 0, products = 0;
  constexpr int kRounds = 50000;
  std::array<std::uint64_t, 8> bits{0, ~0ULL, 0xffffffffULL, ~0ULL << 32, 0x80000000ULL, 0x7fffffffULL, 0x40000000ULL, 0xc0000000ULL};
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    Eight first{}, second{};
    normal_pairs(bits.data(), bits.size(), first.data(), second.data());
    for (std::size_t i = 0; i < bits.size(); ++i) {
      const auto library = r123::boxmuller(static_cast<std::uint32_t>(bits[i]), static_cast<std::uint32_t>(bits[i] >> 32));
      ASSERT_NEAR(first[i], library.x, 2e-6) << bits[i];
      ASSERT_NEAR(second[i], library.y, 2e-6) << bits[i];
      if (round == 0) continue;  // those at the ends
      sum += first[i] + second[i], products += first[i] * second[i];
      squares += first[i] * first[i] + second[i] * second[i];
    }
    const Block one = block(3, round, Purpose::measured, 0, 0), two = block(3, round, Purpose::measured, 0, 1);
    bits = {one[0], one[1], one[2], one[3], two[0], two[1], two[2], two[3]};
  }
  const double n = 16.0 * (kRounds - 1);
  EXPECT_NEAR(sum / n, 0, 4 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(products / (n / 2), 0, 4 / std::sqrt(n / 2));
}

TEST(Normals, LogarithmsAreThoseOfTheLibrary) {
  for (float x = 1e-6F; x < 1e7F; x *= 1.31F) {
    const Eight at{x, 2 * x, 3 * x, 5 * x, 1 / x, 1, std::nextafter(1.F, 0.F), std::nextafter(1.F, 2.F)};
    Eight logs{};
    logarithms(at.data(), at.size(), logs.data());
    for (std::size_t i = 0; i < at.size(); ++i) {
      const double exact = std::log(static_cast<double>(at[i]));
      ASSERT_NEAR(logs[i], exact, 3e-7 * std::abs(exact)) << at[i];
    }
  }
}

}  // namespace
}  // namespace dorsalgia
