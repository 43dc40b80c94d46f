#include "simulation/normals.h"

#include <bit>
#include <cmath>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define DORSALGIA_CLONES __attribute__((target_clones("avx2", "default")))  // no fused multiply-add: the same numbers
#else
#define DORSALGIA_CLONES
#endif

namespace dorsalgia {

namespace {

// x = 2^e m with m from sqrt(1/2) to sqrt(2); ln m = 2 artanh((m - 1) / (m + 1)), whose argument is at most 0.172.
inline float logarithm(float x) {
  constexpr auto kLeast = std::bit_cast<std::int32_t>(static_cast<float>(M_SQRT1_2));
  const auto bits = std::bit_cast<std::int32_t>(x), e = (bits - kLeast) >> 23;
  const float m = std::bit_cast<float>(bits - e * (1 << 23)), s = (m - 1) / (m + 1), q = s * s;
  return static_cast<float>(e) * static_cast<float>(M_LN2) + 2 * (s + s * q * (1 / 3.F + q * (1 / 5.F + q * (1 / 7.F + q * (1 / 9.F)))));
}

// Sine and cosine of so many half turns, -1 to 1: Taylor's series within an eighth of a turn of the nearest quarter.
struct Direction {
  float sine, cosine;
};
inline Direction direction(float half_turns) {
  constexpr float kShift = 0x1.8p23F;  // adding it rounds to a whole number, which then stands in the last bits
  const float shifted = 2 * half_turns + kShift;
  const auto quarters = std::bit_cast<std::uint32_t>(shifted);
  const float t = (half_turns - (shifted - kShift) / 2) * static_cast<float>(M_PI), q = t * t;
  const float s = t - t * q * (1 / 6.F - q * (1 / 120.F - q * (1 / 5040.F - q * (1 / 362880.F))));
  const float c = 1 - q * (1 / 2.F - q * (1 / 24.F - q * (1 / 720.F - q * (1 / 40320.F - q * (1 / 3628800.F)))));
  const float sine = quarters & 1 ? c : s, cosine = quarters & 1 ? s : c;
  return {quarters & 2 ? -sine : sine, (quarters + 1) & 2 ? -cosine : cosine};
}

}  // namespace

DORSALGIA_CLONES void normal_pairs(const std::uint64_t* __restrict bits, std::size_t n, float* __restrict first, float* __restrict second) {
  for (std::size_t i = 0; i < n / 8 * 8; ++i) {
    const float half_turns = static_cast<float>(static_cast<std::int32_t>(bits[i])) * 0x1p-31F + 0x1p-32F;
    // Above 0, to 1. Halves of 16 bits, because vectors convert signed numbers only.
    const auto size = static_cast<std::uint32_t>(bits[i] >> 32);
    const auto high = static_cast<float>(static_cast<std::int32_t>(size >> 16)),
               low = static_cast<float>(static_cast<std::int32_t>(size & 0xffffU));
    const float u = high * 0x1p-16F + low * 0x1p-32F + 0x1p-33F;
    const float radius = std::sqrt(-2 * logarithm(u));
    const Direction to = direction(half_turns);
    first[i] = to.sine * radius, second[i] = to.cosine * radius;
  }
}

DORSALGIA_CLONES void logarithms(const float* __restrict x, std::size_t n, float* __restrict out) {
  for (std::size_t i = 0; i < n / 8 * 8; ++i) out[i] = logarithm(x[i]);
}

}  // namespace dorsalgia
