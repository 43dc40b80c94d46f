// Vectors of one instruction set, a person a lane, and how rows that were made person by person become lanes.
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

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

// table[which], of n numbers: a multiple of kLanes, as all that is aligned here.
HWY_INLINE V look_up(const float* HWY_RESTRICT table, [[maybe_unused]] std::size_t n, VI which) {
  const D d;
  if constexpr (kLanes < 16) {
    return hn::GatherIndex(d, table, which);
  } else {
    const DI di;
    const auto within = hn::IndicesFromVec(d, hn::And(which, hn::Set(di, static_cast<int>(kLanes) - 1)));
    V out = hn::TableLookupLanes(hn::Load(d, table), within);
    for (std::size_t k = kLanes; k < n; k += kLanes) {
      const Mask here = hn::RebindMask(d, hn::Gt(which, hn::Set(di, static_cast<int>(k) - 1)));
      out = hn::IfThenElse(here, hn::TableLookupLanes(hn::Load(d, table + k), within), out);
    }
    return out;
  }
}

// Numbers by lane, [i][lane], where somebody else keeps them. To be held by value: a store of lanes might change any member.
struct LanesAt {
  float* HWY_RESTRICT at;

  HWY_INLINE float* operator[](std::size_t i) const { return at + i * kLanes; }
  HWY_INLINE V load(std::size_t i) const { return hn::Load(D(), at + i * kLanes); }
  HWY_INLINE void store(std::size_t i, V v) const { hn::Store(v, D(), at + i * kLanes); }
  HWY_INLINE void times(std::size_t i, V v) const { store(i, hn::Mul(load(i), v)); }
  HWY_INLINE void add(std::size_t i, V v) const { store(i, hn::Add(load(i), v)); }
  HWY_INLINE void fill(int n, float x) const {
    for (int i = 0; i < n; ++i) store(size(i), all(x));
  }
};

// Numbers by lane.
class Lanes {
 public:
  explicit Lanes(int n) : kept_(hwy::AllocateAligned<float>(size(padded(std::max(n, 1))) * kLanes)) { now().fill(padded(n), 1.0F); }
  HWY_INLINE LanesAt now() const { return {kept_.get()}; }

 private:
  hwy::AlignedFreeUniquePtr<float[]> kept_;
};

// Bit i: lane i.
HWY_INLINE Mask mask_of(std::uint64_t bits) {
  HWY_ALIGN std::array<std::uint8_t, 8> bytes;
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&bits), bytes.size(), bytes.data());
  return hn::LoadMaskBits(D(), bytes.data());
}

// Masks by number: bits where there are registers for them, else vectors.
class Masks {
 public:
#if HWY_TARGET == HWY_AVX3
  explicit Masks(int n) : kept_(size(n)) {}
  void clear() { std::fill(kept_.begin(), kept_.end(), std::uint16_t{0}); }
  HWY_INLINE void store(std::size_t i, std::uint64_t bits) { kept_[i] = static_cast<std::uint16_t>(bits); }
  struct At {
    const std::uint16_t* HWY_RESTRICT at;
    HWY_INLINE Mask operator[](std::size_t i) const { return Mask{at[i]}; }
  };
  HWY_INLINE At now() const { return {kept_.data()}; }

 private:
  std::vector<std::uint16_t> kept_;
#else
  explicit Masks(int n) : n_(n), kept_(n) { clear(); }
  void clear() { kept_.now().fill(n_, 0.0F); }
  HWY_INLINE void store(std::size_t i, std::uint64_t bits) { kept_.now().store(i, hn::VecFromMask(D(), mask_of(bits))); }
  struct At {
    LanesAt at;
    HWY_INLINE Mask operator[](std::size_t i) const { return hn::MaskFromVec(at.load(i)); }
  };
  HWY_INLINE At now() const { return {kept_.now()}; }

 private:
  int n_;
  Lanes kept_;
#endif
};

// Bit i: lane i. No more is read than was stored, since that would have to wait.
template <class DT, class M>
HWY_INLINE std::uint64_t bits_of_mask(DT d, M mask) {
  constexpr std::size_t kBytes = (hn::MaxLanes(d) + 7) / 8;
  std::array<std::uint8_t, 8> bytes;
  hn::StoreMaskBits(d, mask, bytes.data());
  std::uint64_t out = 0;
  std::memcpy(&out, bytes.data(), kBytes);
  return out & ~std::uint64_t{0} >> (64 - hn::MaxLanes(d));
}

// rows[i][j] becomes rows[j][i]. In registers: what is loaded from where a wider vector was just stored waits for it.
HWY_INLINE void transpose([[maybe_unused]] std::array<V, kLanes>& rows) {
#if HWY_TARGET != HWY_SCALAR
  const D d;
  const hn::Repartition<double, D> pairs;
  // Four by four in every block of four lanes
  for (std::size_t i = 0; i < kLanes; i += 4) {
    const auto low = hn::BitCast(pairs, hn::InterleaveLower(d, rows[i], rows[i + 1]));
    const auto high = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[i], rows[i + 1]));
    const auto its_low = hn::BitCast(pairs, hn::InterleaveLower(d, rows[i + 2], rows[i + 3]));
    const auto its_high = hn::BitCast(pairs, hn::InterleaveUpper(d, rows[i + 2], rows[i + 3]));
    rows[i] = hn::BitCast(d, hn::InterleaveLower(pairs, low, its_low));
    rows[i + 1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low, its_low));
    rows[i + 2] = hn::BitCast(d, hn::InterleaveLower(pairs, high, its_high));
    rows[i + 3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high, its_high));
  }
  // Blocks among vectors
  if constexpr (kLanes == 8) {
    for (std::size_t j = 0; j < 4; ++j) {
      const V a = rows[j], b = rows[j + 4];
      rows[j] = hn::ConcatLowerLower(d, b, a), rows[j + 4] = hn::ConcatUpperUpper(d, b, a);
    }
  }
  if constexpr (kLanes == 16) {
    for (std::size_t j = 0; j < 4; ++j) {
      const V a = rows[j], b = rows[j + 4], c = rows[j + 8], e = rows[j + 12];
#if HWY_TARGET == HWY_AVX3
      // Eight shuffles, where those that Highway has words for are twelve.
      const auto ab = _mm512_shuffle_f32x4(a.raw, b.raw, 0x44), its_ab = _mm512_shuffle_f32x4(a.raw, b.raw, 0xee);
      const auto ce = _mm512_shuffle_f32x4(c.raw, e.raw, 0x44), its_ce = _mm512_shuffle_f32x4(c.raw, e.raw, 0xee);
      rows[j] = V{_mm512_shuffle_f32x4(ab, ce, 0x88)}, rows[j + 4] = V{_mm512_shuffle_f32x4(ab, ce, 0xdd)};
      rows[j + 8] = V{_mm512_shuffle_f32x4(its_ab, its_ce, 0x88)}, rows[j + 12] = V{_mm512_shuffle_f32x4(its_ab, its_ce, 0xdd)};
#else
      const V low = hn::ConcatLowerLower(d, c, a), its_low = hn::ConcatLowerLower(d, e, b);
      const V high = hn::ConcatUpperUpper(d, c, a), its_high = hn::ConcatUpperUpper(d, e, b);
      rows[j] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(its_low), low);
      rows[j + 4] = hn::OddEvenBlocks(its_low, hn::SwapAdjacentBlocks(low));
      rows[j + 8] = hn::OddEvenBlocks(hn::SwapAdjacentBlocks(its_high), high);
      rows[j + 12] = hn::OddEvenBlocks(its_high, hn::SwapAdjacentBlocks(high));
#endif
    }
  }
#endif
}

// out[i][lane] = the i-th number of lane's row, n of them. of(lane, i): those of its row from the i-th on. n: a multiple of kLanes.
template <class Of>
HWY_INLINE void into_lanes(std::size_t n, const LanesAt out, Of of) {
  std::array<V, kLanes> tile;
  for (std::size_t i = 0; i < n; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) tile[lane] = of(lane, i);
    transpose(tile);
    for (std::size_t k = 0; k < kLanes; ++k) out.store(i + k, tile[k]);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
