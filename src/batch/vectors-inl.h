// Vectors of one instruction set, a person a lane, and how rows that were made person by person become lanes.
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <cstddef>

#include "batch/lanes.h"

#if defined(DORSALGIA_BATCH_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DORSALGIA_BATCH_VECTORS_INL_H_
#undef DORSALGIA_BATCH_VECTORS_INL_H_
#else
#define DORSALGIA_BATCH_VECTORS_INL_H_
#endif

#include "hwy/aligned_allocator.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;
using Mask = hn::Mask<D>;

constexpr std::size_t kLanes = hn::MaxLanes(D());
static_assert(kLanes <= kMostLanes);

HWY_INLINE std::size_t size(int n) { return static_cast<std::size_t>(n); }
HWY_INLINE V all(float x) { return hn::Set(D(), x); }

// Numbers below 1e-38 are 0 while this lives: they are nothing to a posterior and cost a hundred times the others.
class SmallIsZero {
 public:
#if HWY_ARCH_X86
  SmallIsZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040); }  // flush to zero, denormals are zero
  ~SmallIsZero() { _mm_setcsr(before_); }
  SmallIsZero(const SmallIsZero&) = delete;
  SmallIsZero& operator=(const SmallIsZero&) = delete;

 private:
  unsigned before_;
#endif
};

// 1 / v to single precision: a guess and a step of Newton's, where a division takes ten times as long.
HWY_INLINE V inverse(V v) {
  const V guess = hn::ApproximateReciprocal(v);
  return hn::Mul(guess, hn::NegMulAdd(v, guess, all(2.0F)));
}

// Numbers by lane: [i][lane].
class Lanes {
 public:
  explicit Lanes(int n) : at_(hwy::AllocateAligned<float>(size(padded(n)) * kLanes)) { fill(0, padded(n), 1.0F); }
  HWY_INLINE float* operator[](std::size_t i) const { return at_.get() + i * kLanes; }
  HWY_INLINE V load(std::size_t i) const { return hn::Load(D(), (*this)[i]); }
  HWY_INLINE void store(std::size_t i, V v) const { hn::Store(v, D(), (*this)[i]); }
  HWY_INLINE void times(std::size_t i, V v) const { store(i, hn::Mul(load(i), v)); }
  void fill(int from, int to, float x) const {
    for (int i = from; i < to; ++i) store(size(i), all(x));
  }

 private:
  hwy::AlignedFreeUniquePtr<float[]> at_;
};

// One row for each lane.
using RowsByLane = std::array<const float*, kMostLanes>;

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void into_lanes(const RowsByLane& rows, std::size_t n, const Lanes& out) { std::copy(rows[0], rows[0] + n, out[0]); }
#else
// Four numbers of every fourth row, side by side.
template <std::size_t kBlocks>
HWY_INLINE auto every_fourth(const float* const* rows, std::size_t i) {
  const hn::FixedTag<float, 4 * kBlocks> d;
  if constexpr (kBlocks == 1) return hn::LoadU(d, rows[0] + i);
  else return hn::Combine(d, every_fourth<kBlocks / 2>(rows + 2 * kBlocks, i), every_fourth<kBlocks / 2>(rows, i));
}

// out[i][lane] = rows[lane][i] for i < n, a multiple of 4.
HWY_NOINLINE void into_lanes(const RowsByLane& rows, std::size_t n, const Lanes& out) {
  const D d;
  float* HWY_RESTRICT to = out[0];
  const hn::Repartition<double, D> pairs;
  constexpr std::size_t kBlocks = kLanes / 4;
  for (std::size_t i = 0; i < n; i += 4, to += 4 * kLanes) {
    const V w = every_fourth<kBlocks>(rows.data(), i), x = every_fourth<kBlocks>(rows.data() + 1, i);
    const V y = every_fourth<kBlocks>(rows.data() + 2, i), z = every_fourth<kBlocks>(rows.data() + 3, i);
    const auto wx_low = hn::BitCast(pairs, hn::InterleaveLower(d, w, x)), wx_high = hn::BitCast(pairs, hn::InterleaveUpper(d, w, x));
    const auto yz_low = hn::BitCast(pairs, hn::InterleaveLower(d, y, z)), yz_high = hn::BitCast(pairs, hn::InterleaveUpper(d, y, z));
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, wx_low, yz_low)), d, to);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, wx_low, yz_low)), d, to + kLanes);
    hn::Store(hn::BitCast(d, hn::InterleaveLower(pairs, wx_high, yz_high)), d, to + 2 * kLanes);
    hn::Store(hn::BitCast(d, hn::InterleaveUpper(pairs, wx_high, yz_high)), d, to + 3 * kLanes);
  }
}
#endif

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
