// Random numbers by their place: Philox4x64-7 at (seed; person, purpose, visit, block). No state is shared or carried on.
// Seven rounds pass every test of BigCrush (Salmon, table 2); the usual ten would cost a person a tenth more time.
// Salmon JK, Moraes MA, Dror RO, Shaw DE. Parallel random numbers: as easy as 1, 2, 3. SC 2011. Library: Random123.
#pragma once

#include <Random123/philox.h>

#include <array>
#include <cmath>
#include <cstdint>

namespace dorsalgia {

enum class Purpose : std::uint64_t {
  who,
  course,
  proneness,
  finer,
  measured,
  stray,
  border,
  record,
  onward,
  asking,
  rank,
  renewal,
  comes_back,
  compressed,
  wait,
  resample
};

using Philox = r123::Philox4x64_R<7>;
using Block = Philox::ctr_type;  // 256 random bits

inline Block block(std::uint64_t seed, std::uint64_t person, Purpose purpose, std::uint64_t visit, std::uint64_t number) {
  return Philox()({{person, static_cast<std::uint64_t>(purpose), visit, number}}, {{seed, 0}});
}

// In (0, 1), neither end: 53 bits and a half.
inline double unit(std::uint64_t bits) { return (static_cast<double>(static_cast<std::int64_t>(bits >> 11)) + 0.5) * 0x1p-53; }

// One number after the other from one place.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t person, Purpose purpose, std::uint64_t visit = 0)
      : seed_(seed), person_(person), visit_(visit), purpose_(purpose) {}
  std::uint64_t bits() {
    if (at_ == now_.size()) refill();
    return now_[at_++];
  }
  double uniform() { return unit(bits()); }
  // Two at once, of 32 bits each: for choices that need no more.
  std::array<double, 2> two() {
    const std::uint64_t both = bits();
    return {(static_cast<double>(both >> 32) + 0.5) * 0x1p-32, (static_cast<double>(both & 0xffffffffU) + 0.5) * 0x1p-32};
  }
  double exponential() { return -std::log(uniform()); }

 private:
  // Two blocks at a time: neither waits for the other.
  void refill() {
    const Block one = block(seed_, person_, purpose_, visit_, next_), two = block(seed_, person_, purpose_, visit_, next_ + 1);
    now_ = {one[0], one[1], one[2], one[3], two[0], two[1], two[2], two[3]};
    next_ += 2, at_ = 0;
  }

  std::uint64_t seed_, person_, visit_, next_ = 0;
  Purpose purpose_;
  std::size_t at_ = 8;
  std::array<std::uint64_t, 8> now_;
};

}  // namespace dorsalgia
