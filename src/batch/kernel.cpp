// The idea. Answers "absent" are most of what is said, and of a noisy OR they come apart: P(absent | state) is a product
// over the state's parents. So all absent answers of a person fold into one number for each mechanism, cause and stage,
// however many they are. Answers "present" do not come apart, but are few: each is a short row over its base (mostly the
// hundred sets of mechanisms that occur) and a list of exceptions. The thousand signatures are met once, to multiply
// cause and stage by set, and once more to be summed.
//
// People stand side by side in lanes, one block of them at a time; rows of present answers and of presenting times are made
// person by person, along the table, and turned into lanes. No lane's numbers hang on what stands in the others: what is
// left out because nobody of a block was asked would have been a factor of exactly 1. Common factors (leaks of absent
// answers, prevalences) are left out as well: posteriors are normalised at the end. Where that ends in nothing (1e-25 of
// what single precision holds), the row is left to the exact engine.
//
// Compiled once for every instruction set, and once for none (Highway's baseline, "plain").
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "batch/lanes.h"
#include "model/state.h"

// SSSE3 adds nothing here; the later AVX-512 sets neither.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "batch/kernel.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

// Only after it, so that each instruction set reads them anew.
#include "hwy/aligned_allocator.h"
#include "hwy/contrib/math/math-inl.h"
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

constexpr float kLeastSum = 1e-25F;
constexpr float kNothing = 1e-20F;  // in place of 0 where something is divided by it

inline std::size_t lanes() { return hn::Lanes(D()); }

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

// Rows of numbers by lane: [i][lane].
class Rows {
 public:
  explicit Rows(std::size_t n) : at_(hwy::AllocateAligned<float>(n * kMostLanes)) {}
  float* operator[](std::size_t i) const { return at_.get() + i * lanes(); }
  V load(std::size_t i) const { return hn::Load(D(), (*this)[i]); }
  void store(std::size_t i, V v) const { hn::Store(v, D(), (*this)[i]); }
  void times(std::size_t i, V v) const { store(i, hn::Mul(load(i), v)); }

 private:
  hwy::AlignedFreeUniquePtr<float[]> at_;
};

// rows: by lane, `stride` apart, n (a multiple of 4) numbers each.
void into_lanes(const float* HWY_RESTRICT rows, std::size_t stride, std::size_t n, const Rows& out) {
  const std::size_t count = lanes();
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d4;
  const hn::RebindToUnsigned<hn::FixedTag<double, 2>> d2;
  if (count % 4 == 0) {
    for (std::size_t lane = 0; lane < count; lane += 4)
      for (std::size_t i = 0; i < n; i += 4) {
        const float* from = rows + lane * stride + i;
        const auto a = hn::LoadU(d4, from), b = hn::LoadU(d4, from + stride), c = hn::LoadU(d4, from + 2 * stride),
                   e = hn::LoadU(d4, from + 3 * stride);
        const auto ab_low = hn::BitCast(d2, hn::InterleaveLower(d4, a, b)), ab_high = hn::BitCast(d2, hn::InterleaveUpper(d4, a, b));
        const auto ce_low = hn::BitCast(d2, hn::InterleaveLower(d4, c, e)), ce_high = hn::BitCast(d2, hn::InterleaveUpper(d4, c, e));
        hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, ab_low, ce_low)), d4, out[i] + lane);
        hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, ab_low, ce_low)), d4, out[i + 1] + lane);
        hn::StoreU(hn::BitCast(d4, hn::InterleaveLower(d2, ab_high, ce_high)), d4, out[i + 2] + lane);
        hn::StoreU(hn::BitCast(d4, hn::InterleaveUpper(d2, ab_high, ce_high)), d4, out[i + 3] + lane);
      }
    return;
  }
#endif
  for (std::size_t lane = 0; lane < count; ++lane)
    for (std::size_t i = 0; i < n; ++i) out[i][lane] = rows[lane * stride + i];
}

class Blocks {
 public:
  Blocks(const LaneTables& tables, LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out)
      : t(tables),
        c(chunk),
        wanted_(wanted),
        out_(out),
        rates_(size(t.causes)),
        parents_(size(t.mechanisms + t.causes + t.course_stages)),
        sets_(size(padded(t.sets))),
        course_stages_(size(padded(t.course_stages))),
        causes_(size(padded(t.causes))),
        set_product_(size(t.sets)),
        stages_(size(padded(t.stages))),
        exceptions_(size(padded(t.signatures))),
        apart_(size(t.signatures)),
        mass_(size(t.signatures)),
        at_slot_(size(t.slots * t.places)),
        told_(size(t.patterns * t.places)),
        referred_(size(t.causes)),
        factor_(t.cause_of_group.size()),
        by_group_(t.cause_of_group.size()),
        by_stage_(size(t.stages)),
        by_set_(size(t.sets)),
        levels_(size(t.places)) {
    // A window of exceptions may reach beyond the last signature.
    row_stride_ = size(padded(t.signatures) + kMostLanes);
    for (auto& rows : rows_) rows = hwy::AllocateAligned<float>(row_stride_ * kMostLanes);
    const auto by_lanes = [](const std::vector<int>& places) {
      std::vector<std::uint32_t> at;
      for (int i : places) at.push_back(static_cast<std::uint32_t>(size(i) * lanes()));
      return at;
    };
    at_stage_ = by_lanes(t.stage_of), at_set_ = by_lanes(t.set_of);
    for (const auto& cell : t.placed)
      at_group_.push_back(static_cast<std::uint32_t>(size(cell.group) * lanes())), share_.push_back(cell.share);
  }

  void run() {
    const SmallIsZero small_is_zero;
    for (int first = 0; first < c.people->rows; first += static_cast<int>(lanes())) block(first);
  }

 private:
  static std::size_t size(int n) { return static_cast<std::size_t>(n); }

  // Row of a lane; the last block repeats its last row.
  int row(std::size_t lane) const { return std::min(first_ + static_cast<int>(lane), c.people->rows - 1); }

  // The codes of a column, as whole numbers in lanes.
  VI codes(const std::vector<std::int8_t>& column) const {
    const hn::Rebind<std::int8_t, D> d8;
    if (first_ + static_cast<int>(lanes()) <= c.people->rows) return hn::PromoteTo(DI(), hn::LoadU(d8, column.data() + first_));
    HWY_ALIGN std::array<std::int8_t, 4 * kMostLanes> out{};
    for (std::size_t lane = 0; lane < lanes(); ++lane) out[lane] = column[size(row(lane))];
    return hn::PromoteTo(DI(), hn::LoadU(d8, out.data()));
  }
  static Mask is(VI codes, int code) { return hn::RebindMask(D(), hn::Eq(codes, hn::Set(DI(), code))); }
  static bool none(Mask m) { return hn::AllFalse(D(), m); }

  // Between the two age bands of each lane.
  V by_age(const float* table) const {
    const D d;
    const V low = hn::GatherIndex(d, table, low_), high = hn::GatherIndex(d, table, high_);
    return hn::MulAdd(w_, hn::Sub(high, low), low);
  }
  float by_age(const ByAge& table, std::size_t r) const {
    const float low = table[size(c.low[r])], high = table[size(c.high[r])];
    return low + c.w[r] * (high - low);
  }

  void block(int first) {
    first_ = first;
    who();
    context();
    times();
    absent();
    present();
    multiply();
    places();
    sums();
  }

  void who() {
    const D d;
    const DI di;
    HWY_ALIGN std::array<std::int32_t, kMostLanes> low, high;
    HWY_ALIGN std::array<float, kMostLanes> w;
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      const auto r = size(row(lane));
      low[lane] = c.low[r], high[lane] = c.high[r], w[lane] = c.w[r];
    }
    low_ = hn::Load(di, low.data()), high_ = hn::Load(di, high.data()), w_ = hn::Load(d, w.data());
    const VI stride = hn::Set(di, padded(t.causes)), from = hn::Mul(low_, stride), to = hn::Mul(high_, stride);
    for (int k = 0; k < t.causes; ++k) {
      const V a = hn::GatherIndex(d, t.rate.data() + k, from), b = hn::GatherIndex(d, t.rate.data() + k, to);
      rates_.store(size(k), hn::MulAdd(w_, hn::Sub(b, a), a));
    }
    // A known setting counts alone; an unknown one by its share of those who come.
    const VI setting = codes(c.people->setting);
    const Mask unknown = is(setting, kUnknown);
    std::array<V, kMostSettings> weight;
    for (int s = 0; s < t.settings; ++s) {
      weight[size(s)] = hn::IfThenElse(is(setting, s), hn::Set(d, 1.0F), hn::Zero(d));
      if (none(unknown)) continue;
      V sum = hn::Zero(d);
      for (int k = 0; k < t.causes; ++k) sum = hn::MulAdd(rates_.load(size(k)), hn::Set(d, t.setting[size(k * t.settings + s)]), sum);
      weight[size(s)] =
          hn::IfThenElse(unknown, hn::Div(hn::Set(d, static_cast<float>(1e3 * t.m.setting_shares[size(s)])), sum), weight[size(s)]);
    }
    for (int k = 0; k < t.causes; ++k) {
      V factor = hn::Zero(d);
      for (int s = 0; s < t.settings; ++s) factor = hn::MulAdd(weight[size(s)], hn::Set(d, t.setting[size(k * t.settings + s)]), factor);
      rates_.times(size(k), factor);
    }
  }

  // Causes without a link share one factor, which is left out; linked ones differ from them by a ratio.
  void context() {
    const D d;
    const V one = hn::Set(d, 1.0F);
    for (int column : c.context) {
      const auto& said = c.people->graded[size(column)];
      const ContextLanes& f = t.context[size(said.finding)];
      if (f.linked.empty()) continue;
      const bool any_present = answered(c.planes->present[size(column)]);
      if (!any_present && !answered(c.planes->absent[size(column)])) continue;
      const VI code = codes(said.grade);
      const Mask absent = is(code, 0);
      const Mask present = hn::RebindMask(d, hn::Gt(code, hn::Zero(DI())));
      const V prevalence = by_age(f.prevalence.data()), inverse = hn::Div(one, hn::Sub(one, prevalence));
      for (const ContextLanes::Linked& link : f.linked) {
        const V value = hn::Set(d, link.value);
        // P(present | this cause) over P(present | another), and the same of "absent"
        V if_absent, if_present;
        if (link.is_share) {
          if_absent = hn::Mul(hn::Set(d, 1 - link.value), inverse);
          if_present = hn::Div(value, prevalence);
        } else {
          if_absent = hn::Div(one, hn::MulAdd(prevalence, hn::Set(d, link.value - 1), one));
          if_present = hn::Mul(value, if_absent);
        }
        V factor = hn::IfThenElse(absent, if_absent, one);
        if (any_present) {
          for (int bin = 1; bin < kHistoryBins; ++bin)
            if (link.years[size(bin)] != 1)
              if_present = hn::IfThenElse(is(code, bin), hn::Mul(if_present, hn::Set(d, link.years[size(bin)])), if_present);
          factor = hn::IfThenElse(present, if_present, factor);
        }
        rates_.times(size(link.cause), factor);
      }
    }
  }

  void times() {
    const D d;
    const std::size_t n = size(padded(t.stages));
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      float* HWY_RESTRICT out = rows_[0].get() + lane * row_stride_;
      const auto r = size(row(lane));
      if (c.time_cell[r] < 0) {
        std::copy(t.ever.begin(), t.ever.end(), out);
        continue;
      }
      const float* HWY_RESTRICT p = t.time.data() + size(c.time_cell[r]) * (kTimeDegree + 1) * n;
      const V x = hn::Set(d, c.time_x[r]);
      for (std::size_t i = 0; i < n; i += lanes()) {
        V v = hn::LoadU(d, p + kTimeDegree * n + i);
        for (std::size_t j = kTimeDegree; j-- > 0;) v = hn::MulAdd(v, x, hn::LoadU(d, p + j * n + i));
        hn::Store(hn::Max(v, hn::Zero(d)), d, out + i);
      }
    }
    into_lanes(rows_[0].get(), row_stride_, n, stages_);
  }

  void absent() {
    const D d;
    const V one = hn::Set(d, 1.0F);
    for (int i = 0; i < t.mechanisms + t.causes + t.course_stages; ++i) parents_.store(size(i), one);
    for (int column : c.discrete) {
      if (!answered(c.planes->absent[size(column)])) continue;
      const auto& said = c.people->graded[size(column)];
      const Mask absent = is(codes(said.grade), 0);
      for (const auto& [parent, factor] : t.finding[size(said.finding)].factors)
        parents_.times(parent, hn::IfThenElse(absent, hn::Set(d, factor), one));
    }
  }

  // Rows of present answers over the three bases, and of what exceptions differ by, person by person.
  void present() {
    const D d;
    const std::array<std::size_t, kRows> length = {size(padded(t.sets)), size(padded(t.course_stages)), size(padded(t.causes)),
                                                   size(padded(t.signatures))};
    const std::array<const Rows*, kRows> to = {&sets_, &course_stages_, &causes_, &exceptions_};
    any_.fill(false);
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      const auto r = size(row(lane));
      for (int i = c.first_present[r]; i < c.first_present[r + 1]; ++i) {
        const FindingLanes& f = t.finding[size(c.people->graded[c.present[size(i)]].finding)];
        any_[static_cast<std::size_t>(f.base)] = true;
        any_[kExceptions] = any_[kExceptions] || !f.upto[0].exceptions.empty();
      }
    }
    for (std::size_t base = 0; base < kRows; ++base)
      if (any_[base])
        for (std::size_t lane = 0; lane < lanes(); ++lane)
          std::fill_n(rows_[base].get() + lane * row_stride_, length[base] + (base == kExceptions ? kMostLanes : 0), 1.0F);
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      const auto r = size(row(lane));
      int since = 0;
      for (int i = c.first_present[r]; i < c.first_present[r + 1]; ++i) {
        const auto& said = c.people->graded[c.present[size(i)]];
        const FindingLanes& f = t.finding[size(said.finding)];
        const int grade = said.grade[r] == kPresentAny ? 1 : said.grade[r], top = static_cast<int>(f.upto.size());
        const auto base = static_cast<std::size_t>(f.base);
        float* HWY_RESTRICT out = rows_[base].get() + lane * row_stride_;
        const FindingLanes::Grade& above = f.upto[size(grade - 1)];
        const V leak = hn::Set(d, by_age(above.leak, r));
        const float *a = above.a.data(), *b = above.b.data();
        if (said.grade[r] != kPresentAny && grade < top) {
          // P(more than the grade below) - P(more than this): differences are taken before leaks are added.
          const FindingLanes::Grade& its = f.upto[size(grade)];
          const V its_leak = hn::Set(d, by_age(its.leak, r));
          for (std::size_t k = 0; k < length[base]; k += lanes()) {
            const V apart = hn::Sub(hn::LoadU(d, b + k), hn::LoadU(d, &its.b[k]));
            const V with_leaks = hn::NegMulAdd(hn::LoadU(d, &its.a[k]), its_leak, hn::MulAdd(hn::LoadU(d, a + k), leak, apart));
            hn::Store(hn::Mul(hn::Load(d, out + k), hn::Max(with_leaks, hn::Zero(d))), d, out + k);
          }
        } else {
          const V nothing = hn::Set(d, kNothing);
          for (std::size_t k = 0; k < length[base]; k += lanes()) {
            const V likelihood = hn::Max(hn::MulAdd(hn::LoadU(d, a + k), leak, hn::LoadU(d, b + k)), nothing);
            hn::Store(hn::Mul(hn::Load(d, out + k), likelihood), d, out + k);
          }
          float* HWY_RESTRICT row = rows_[kExceptions].get() + lane * row_stride_;
          for (const FindingLanes::Window& w : above.exceptions)
            for (std::size_t k = 0; k < kMostLanes; k += lanes()) {
              const V full = hn::MulAdd(hn::LoadU(d, &w.a_full[k]), leak, hn::LoadU(d, &w.b_full[k]));
              const V its = hn::Max(hn::MulAdd(hn::LoadU(d, &w.a_base[k]), leak, hn::LoadU(d, &w.b_base[k])), nothing);
              float* at = row + size(w.from) + k;
              hn::StoreU(hn::Mul(hn::LoadU(d, at), hn::Div(full, its)), d, at);
            }
        }
        if (++since % 4 == 0)
          for (std::size_t k = 0; k < kExceptions; ++k)
            if (any_[k]) rescale(rows_[k].get() + lane * row_stride_, length[k]);
      }
    }
    for (std::size_t base = 0; base < kRows; ++base)
      if (any_[base]) into_lanes(rows_[base].get(), row_stride_, length[base], *to[base]);
  }

  // Thirty answers at one in a thousand each end below what single precision holds.
  static void rescale(float* HWY_RESTRICT row, std::size_t n) {
    const D d;
    V top = hn::Zero(d);
    for (std::size_t i = 0; i < n; i += lanes()) top = hn::Max(top, hn::Load(d, row + i));
    const V factor = hn::Div(hn::Set(d, 1.0F), hn::Max(hn::MaxOfLanes(d, top), hn::Set(d, 1e-30F)));
    for (std::size_t i = 0; i < n; i += lanes()) hn::Store(hn::Mul(hn::Load(d, row + i), factor), d, row + i);
  }

  void multiply() {
    const D d;
    for (int i = 0; i < t.sets; ++i) {
      V v = any_[kSets] ? sets_.load(size(i)) : hn::Set(d, 1.0F);
      for (int k : t.mechanisms_of_set[size(i)]) v = hn::Mul(v, parents_.load(size(k)));
      set_product_.store(size(i), v);
    }
    values();
    for (int k = 0; k < t.causes; ++k) {
      rates_.times(size(k), parents_.load(size(t.mechanisms + k)));
      if (any_[kCauses]) rates_.times(size(k), causes_.load(size(k)));
    }
    if (any_[kCourseStages])
      for (int k = 0; k < t.course_stages; ++k) parents_.times(size(t.mechanisms + t.causes + k), course_stages_.load(size(k)));
    for (int k = 0; k < t.stages; ++k)
      stages_.times(size(k), hn::Mul(rates_.load(size(t.cause_of_stage[size(k)])),
                                     parents_.load(size(t.mechanisms + t.causes + t.course_stage_of[size(k)]))));
    const float *HWY_RESTRICT stage = stages_[0], *HWY_RESTRICT set = set_product_[0], *HWY_RESTRICT exception = exceptions_[0];
    float* HWY_RESTRICT apart = apart_[0];
    const std::uint32_t *HWY_RESTRICT at_stage = at_stage_.data(), *HWY_RESTRICT at_set = at_set_.data();
    const std::size_t n = size(t.signatures);
    if (any_[kExceptions])
      for (std::size_t i = 0; i < n; ++i) {
        const V v = hn::Mul(hn::Load(d, stage + at_stage[i]), hn::Load(d, set + at_set[i]));
        hn::Store(hn::Mul(v, hn::Load(d, exception + i * lanes())), d, apart + i * lanes());
      }
    else
      for (std::size_t i = 0; i < n; ++i)
        hn::Store(hn::Mul(hn::Load(d, stage + at_stage[i]), hn::Load(d, set + at_set[i])), d, apart + i * lanes());
    for (const auto& [f, which] : value_exceptions_)
      for (const MeasuredLanes::Exception& e : t.measured[size(f)].exceptions)
        apart_.times(size(e.signature), hn::Div(value_likelihood_[which].load(size(e.own)), value_likelihood_[which].load(size(e.base))));
  }

  // Measured values: a density for each class of shifts, over the sets; states whose cause shifts them are exceptions.
  void values() {
    const D d;
    value_exceptions_.clear();
    std::size_t used = 0;
    for (const auto& said : c.people->measured) {
      HWY_ALIGN std::array<float, kMostLanes> residual, known;
      bool any = false;
      const ModelFinding& f = t.m.findings[size(said.finding)];
      for (std::size_t lane = 0; lane < lanes(); ++lane) {
        const auto r = size(row(lane));
        known[lane] = said.known[r];
        any = any || said.known[r];
        residual[lane] = 0;
        if (!said.known[r]) continue;
        const auto sex = size(c.low[r] / kAgeBands);
        const double low = f.centre[sex][size(c.low[r] % kAgeBands)], high = f.centre[sex][size(c.high[r] % kAgeBands)];
        residual[lane] = static_cast<float>(on_scale(f.log_scale, said.value[r]) -
                                            on_scale(f.log_scale, low + static_cast<double>(c.w[r]) * (high - low)));
      }
      if (!any) continue;
      const MeasuredLanes& its = t.measured[size(said.finding)];
      if (value_likelihood_.size() == used) value_likelihood_.emplace_back(std::size_t{256});
      const Rows& likelihood = value_likelihood_[used];
      const V x = hn::Load(d, residual.data());
      const Mask is_known = hn::Gt(hn::Load(d, known.data()), hn::Zero(d));
      for (std::size_t k = 0; k < its.shifts.size(); ++k) {
        const auto [shift, sd] = its.shifts[k];
        const V z = hn::Mul(hn::Sub(x, hn::Set(d, shift)), hn::Set(d, 1 / sd));
        const V bell = hn::Exp(d, hn::Mul(hn::Mul(z, z), hn::Set(d, -0.5F)));
        const V p =
            hn::MulAdd(bell, hn::Set(d, static_cast<float>((1 - kUnmodelled) * 0.3989422804014326779) / sd), hn::Set(d, its.unmodelled));
        likelihood.store(k, hn::IfThenElse(is_known, p, hn::Set(d, 1.0F)));
      }
      for (int i = 0; i < t.sets; ++i) set_product_.times(size(i), likelihood.load(size(its.shift_of_set[size(i)])));
      value_exceptions_.emplace_back(said.finding, used++);
    }
  }

  // What is said of places, by group: factor_. And apart from everything else: what each group may weigh.
  void places() {
    const D d;
    const V one = hn::Set(d, 1.0F);
    const VI location = codes(c.people->location);
    const Mask located = hn::RebindMask(d, hn::Gt(location, hn::Set(DI(), kUnknown)));
    told_places_.clear();
    for (int column : c.place)
      if (answered(c.planes->present[size(column)]) || answered(c.planes->absent[size(column)])) told_places_.push_back(column);
    const int locations = static_cast<int>(t.m.locations.size());
    const VI index = hn::Max(location, hn::Zero(DI()));
    for (int i = 0; i < t.slots * t.places; ++i) at_slot_.store(size(i), one);
    for (int column : told_places_) {
      const auto& said = c.people->graded[size(column)];
      const Mask absent = is(codes(said.grade), 0);
      for (const auto& [place, factor] : t.place[size(said.finding)].factors)
        at_slot_.times(size(place), hn::IfThenElse(absent, hn::Set(d, factor), one));
    }
    for (int l = 0; l < t.places; ++l) {
      const V here = hn::IfThenElse(located, hn::GatherIndex(d, t.pain.data() + l * locations, index), one);
      for (int p = 0; p < t.patterns; ++p) {
        V v = here;
        for (int slot : t.slots_of_pattern[size(p)]) v = hn::Mul(v, at_slot_.load(size(slot * t.places + l)));
        told_.store(size(p * t.places + l), v);
      }
    }
    for (int column : told_places_) {
      if (!answered(c.planes->present[size(column)])) continue;
      const auto& said = c.people->graded[size(column)];
      const Mask present = hn::RebindMask(d, hn::Gt(codes(said.grade), hn::Zero(DI())));
      const PlaceLanes& f = t.place[size(said.finding)];
      const V leak = by_age(f.leak.data());
      const float *a = f.a.data(), *b = f.b.data();
      for (std::size_t i = 0; i < f.a.size(); ++i)
        told_.times(i, hn::IfThenElse(present, hn::MulAdd(hn::Set(d, a[i]), leak, hn::Set(d, b[i])), one));
    }
    for (int k = 0; k < t.causes; ++k)
      referred_.store(size(k), hn::IfThenElse(located, hn::GatherIndex(d, t.referral.data() + k * locations, index), one));
    for (const LaneTables::Bucket& bucket : t.buckets) {
      int l = 0;
      for (; l + 6 <= bucket.places; l += 6) weigh<6>(bucket, l);
      for (; l + 3 <= bucket.places; l += 3) weigh<3>(bucket, l);
      for (; l < bucket.places; ++l) weigh<1>(bucket, l);
    }
    for (const auto& [group, share] : t.outside) {
      const V told = told_.load(size(t.pattern_of_group[size(group)] * t.places + t.s.outside));
      factor_.store(size(group), hn::MulAdd(hn::Mul(told, referred_.load(size(t.cause_of_group[size(group)]))), hn::Set(d, share),
                                            factor_.load(size(group))));
    }
  }

  // Somebody of this block has the bit.
  bool answered(const Bits& bits) const {
    std::array<std::uint64_t, kChunk / 64> words;
    std::memcpy(words.data(), &bits, sizeof(words));
    return (words[size(first_) / 64] >> (first_ % 64) & ((std::uint64_t{1} << lanes()) - 1)) != 0;
  }

  // factor_ of a bucket's groups from kPlaces of its places, which stay in registers.
  template <int kPlaces>
  void weigh(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> told;
    for (int j = 0; j < kPlaces; ++j) told[size(j)] = told_.load(size(bucket.pattern * t.places + bucket.from + l + j));
    const float* share = bucket.share.data() + l;
    float* HWY_RESTRICT out = factor_[size(bucket.first)];
    for (int g = 0; g < bucket.groups; ++g, share += bucket.places, out += lanes()) {
      V sum = l == 0 ? hn::Zero(d) : hn::Load(d, out);
      for (int j = 0; j < kPlaces; ++j) sum = hn::MulAdd(told[size(j)], hn::Set(d, share[j]), sum);
      hn::Store(sum, d, out);
    }
  }

  // Levels of a bucket from what its groups weigh.
  template <int kPlaces>
  void spread(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> sum;
    for (V& v : sum) v = hn::Zero(d);
    const float* share = bucket.share.data() + l;
    const float* HWY_RESTRICT weight = by_group_[size(bucket.first)];
    for (int g = 0; g < bucket.groups; ++g, share += bucket.places, weight += lanes()) {
      const V w = hn::Load(d, weight);
      for (int j = 0; j < kPlaces; ++j) sum[size(j)] = hn::MulAdd(w, hn::Set(d, share[j]), sum[size(j)]);
    }
    for (int j = 0; j < kPlaces; ++j) {
      const auto at = size(bucket.from + l + j);
      V v = sum[size(j)];
      v = hn::Mul(v, told_.load(size(bucket.pattern * t.places) + at));
      levels_.store(at, hn::Add(levels_.load(at), v));
    }
  }

  // mass_: what each signature weighs with what is said of places; by_group_: what each group weighs without.
  void weigh_all() {
    const D d;
    const std::size_t n = size(t.signatures);
    const float* HWY_RESTRICT apart = apart_[0];
    float* HWY_RESTRICT mass = mass_[0];
    float* HWY_RESTRICT by_group = by_group_[0];
    const std::size_t groups = t.cause_of_group.size();
    for (std::size_t g = 0; g < groups; ++g) hn::Store(hn::Zero(d), d, by_group + g * lanes());
    const float* HWY_RESTRICT factor = factor_[0];
    const std::uint32_t* HWY_RESTRICT at = at_group_.data();
    const float* HWY_RESTRICT share = share_.data();
    const int* HWY_RESTRICT first = t.first_placed.data();
    std::size_t k = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const V w = hn::Load(d, apart + i * lanes());
      V sum = hn::Zero(d);
      for (const auto end = size(first[i + 1]); k < end; ++k) {
        const V part = hn::Mul(w, hn::Set(d, share[k]));
        const std::size_t group = at[k];
        hn::Store(hn::Add(hn::Load(d, by_group + group), part), d, by_group + group);
        sum = hn::MulAdd(part, hn::Load(d, factor + group), sum);
      }
      hn::Store(sum, d, mass + i * lanes());
    }
  }

  void sums() {
    const D d;
    weigh_all();
    for (int k = 0; k < t.stages; ++k) by_stage_.store(size(k), hn::Zero(d));
    const float* HWY_RESTRICT mass = mass_[0];
    std::array<V, kClasses> by_class;
    for (V& v : by_class) v = hn::Zero(d);
    for (const LaneTables::Run& run : t.runs) {
      V sum = hn::Load(d, mass + size(run.from) * lanes());
      for (int i = run.from + 1; i < run.to; ++i) sum = hn::Add(sum, hn::Load(d, mass + size(i) * lanes()));
      by_stage_.store(size(run.stage), hn::Add(by_stage_.load(size(run.stage)), sum));
      by_class[size(run.klass)] = hn::Add(by_class[size(run.klass)], sum);
    }
    if (wanted_.mechanisms) {
      for (int k = 0; k < t.sets; ++k) by_set_.store(size(k), hn::Zero(d));
      float* HWY_RESTRICT by_set = by_set_[0];
      const std::uint32_t* HWY_RESTRICT at_set = at_set_.data();
      for (std::size_t i = 0; i < size(t.signatures); ++i)
        hn::Store(hn::Add(hn::Load(d, by_set + at_set[i]), hn::Load(d, mass + i * lanes())), d, by_set + at_set[i]);
    }
    const V all = hn::Add(hn::Add(by_class[0], by_class[1]), hn::Add(by_class[2], by_class[3]));
    HWY_ALIGN std::array<float, kMostLanes> sum;
    hn::Store(all, d, sum.data());
    const std::size_t people = std::min(lanes(), size(c.people->rows - first_));
    for (std::size_t lane = 0; lane < people; ++lane)
      if (!(sum[lane] > kLeastSum && sum[lane] < 1e30F)) c.odd[size(first_) + lane] = 1;
    const V inverse = hn::Div(hn::Set(d, 1.0F), hn::Max(all, hn::Set(d, 1e-37F)));
    const auto give = [&](std::vector<float>& to, int column, V v) HWY_ATTR {
      float* at = to.data() + size(column) * size(out_.rows) + size(first_);
      v = hn::Mul(v, inverse);
      if (people == lanes()) hn::StoreU(v, d, at);
      else {
        HWY_ALIGN std::array<float, kMostLanes> buffer;
        hn::Store(v, d, buffer.data());
        std::copy_n(buffer.begin(), people, at);
      }
    };
    give(out_.tumour, 0, hn::Add(by_class[2], by_class[3]));
    give(out_.emergency, 0, hn::Add(by_class[1], by_class[3]));
    V malignant = hn::Zero(d);
    int told = 0;
    for (int k = 0; k < t.causes; ++k) {
      V cause = hn::Zero(d);
      const int first = t.s.stage_offset[size(k)], stages = t.s.stages(k);
      for (int i = first; i < first + stages; ++i, ++told) {
        V stage = hn::Zero(d);
        for (int strand = i; strand < t.s.stage_offset[size(k) + 1]; strand += stages) stage = hn::Add(stage, by_stage_.load(size(strand)));
        cause = hn::Add(cause, stage);
        if (wanted_.stages) give(out_.stages, told, stage);
      }
      if (t.malignant[size(k)]) malignant = hn::Add(malignant, cause);
      if (wanted_.causes) give(out_.causes, k, cause);
    }
    give(out_.malignant, 0, malignant);
    if (wanted_.mechanisms) {
      for (int k = 0; k < t.mechanisms; ++k) parents_.store(size(k), hn::Zero(d));
      for (int i = 0; i < t.sets; ++i) {
        const V w = by_set_.load(size(i));
        for (int k : t.mechanisms_of_set[size(i)]) parents_.store(size(k), hn::Add(parents_.load(size(k)), w));
      }
      for (int k = 0; k < t.mechanisms; ++k) give(out_.mechanisms, k, parents_.load(size(k)));
    }
    if (wanted_.levels) levels(give);
    if (wanted_.forecast) forecast(give);
  }

  template <class Give>
  void levels(Give give) {
    const D d;
    for (int l = 0; l < t.places; ++l) levels_.store(size(l), hn::Zero(d));
    for (const LaneTables::Bucket& bucket : t.buckets) {
      int l = 0;
      for (; l + 6 <= bucket.places; l += 6) spread<6>(bucket, l);
      for (; l + 3 <= bucket.places; l += 3) spread<3>(bucket, l);
      for (; l < bucket.places; ++l) spread<1>(bucket, l);
    }
    for (const auto& [group, share] : t.outside) {
      const auto at = size(t.s.outside);
      V v = hn::Mul(by_group_.load(size(group)), hn::Set(d, share));
      v = hn::Mul(v, hn::Mul(told_.load(size(t.pattern_of_group[size(group)] * t.places) + at),
                             referred_.load(size(t.cause_of_group[size(group)]))));
      levels_.store(at, hn::Add(levels_.load(at), v));
    }
    for (int l = 0; l < t.places; ++l) give(out_.levels, t.s.level_at[size(l)], levels_.load(size(l)));
  }

  template <class Give>
  void forecast(Give give) {
    const D d;
    static_assert(kForecastWeeks.size() == 4);
    V one = hn::Zero(d), two = hn::Zero(d), three = hn::Zero(d), four = hn::Zero(d);
    const auto add = [&](V w, const LaneTables::Ahead& a) HWY_ATTR {
      one = hn::MulAdd(w, hn::Set(d, a.p[0]), one), two = hn::MulAdd(w, hn::Set(d, a.p[1]), two);
      three = hn::MulAdd(w, hn::Set(d, a.p[2]), three), four = hn::MulAdd(w, hn::Set(d, a.p[3]), four);
    };
    for (const LaneTables::Ahead& a : t.compression)
      add(hn::Mul(hn::Mul(apart_.load(size(a.signature)), factor_.load(size(a.group))), hn::Set(d, a.share)), a);
    give(out_.compression, 0, one), give(out_.compression, 1, two), give(out_.compression, 2, three), give(out_.compression, 3, four);
  }

  // Rows of present answers: over the three bases, in their order, and over signatures.
  static constexpr std::size_t kSets = 0, kCourseStages = 1, kCauses = 2, kExceptions = 3, kRows = 4;
  static constexpr std::size_t kMostSettings = 8;

  const LaneTables& t;
  LaneChunk& c;
  const Wanted& wanted_;
  PosteriorTable& out_;
  int first_ = 0;
  VI low_, high_;
  V w_;
  std::array<bool, kRows> any_{};
  Rows rates_, parents_, sets_, course_stages_, causes_, set_product_, stages_, exceptions_, apart_, mass_, at_slot_, told_, referred_,
      factor_, by_group_, by_stage_, by_set_, levels_;
  std::vector<Rows> value_likelihood_;
  std::vector<std::pair<int, std::size_t>> value_exceptions_;
  std::vector<int> told_places_;
  std::vector<std::uint32_t> at_stage_, at_set_, at_group_;  // places in lanes
  std::vector<float> share_;                                 // by placed cell
  std::array<hwy::AlignedFreeUniquePtr<float[]>, kRows> rows_;
  std::size_t row_stride_ = 0;
};

}  // namespace

void run_lanes(const LaneTables& tables, LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out) {
  Blocks(tables, chunk, wanted, out).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dorsalgia {

HWY_EXPORT(run_lanes);

std::vector<NamedKernel> lane_kernels() {
  std::vector<NamedKernel> out;
  const auto add = [&](std::int64_t target, const char* name) {
    if (!(hwy::SupportedTargets() & HWY_TARGETS & target)) return;
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    out.push_back({name, HWY_DISPATCH_TABLE(run_lanes)[chosen.GetIndex()]});
  };
  add(HWY_AVX3, "avx512"), add(HWY_AVX2, "avx2"), add(HWY_SSE4, "sse4"), add(HWY_STATIC_TARGET, "plain");
  return out;
}

}  // namespace dorsalgia
#endif
