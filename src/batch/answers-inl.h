// What the people of a block have answered, multiplied row by row: for each person and each part of a state (mechanisms,
// causes, stages, spots, sets) the product of a row an answer, along the table, then turned into lanes. "Absent" is a row
// as it stands; "present" is b + a leak of two rows. States that differ from their part of an answer are exceptions.
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "batch/lanes.h"

#if defined(DORSALGIA_BATCH_ANSWERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DORSALGIA_BATCH_ANSWERS_INL_H_
#undef DORSALGIA_BATCH_ANSWERS_INL_H_
#else
#define DORSALGIA_BATCH_ANSWERS_INL_H_
#endif

#include "batch/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

class Answers {
 public:
  Answers(const LaneTables& tables, const LaneChunk& chunk)
      : times(tables.stages),
        exceptions(tables.signatures),
        t(tables),
        c(chunk),
        length_{tables.mechanisms, tables.causes, tables.course_stages, tables.spots, tables.sets},
        exception_stride_(size(padded(tables.signatures))),
        exception_rows_(exception_stride_ * kLanes, 1.0F),
        touched_(exception_stride_ / kMostLanes, 0),
        dirty_(touched_.size(), 0) {
    int longest = padded(t.stages);
    for (std::size_t part = 0; part < kParts; ++part) {
      parts.emplace_back(length_[part]);
      longest = std::max(longest, padded(length_[part]));
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        absent_[part][lane].reserve(c.discrete.size()), present_[part][lane].reserve(c.discrete.size());
      }
    }
    stride_ = size(longest);
    scratch_.assign(stride_ * kLanes, 0.0F);
  }

  // By part: what it weighs. Causes: how many come with each as well. All but for factors common to all states of a person.
  std::vector<Lanes> parts;
  Lanes times;       // by stage: P(presenting then in it)
  Lanes exceptions;  // by signature
  bool exceptional = false;  // some exception is not 1

  const Lanes& operator[](Part part) const { return parts[static_cast<std::size_t>(part)]; }

  void read(int first) {
    first_ = first;
    collect();
    for (std::size_t part = 0; part < kParts; ++part) {
      RowsByLane rows{};
      for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = row_of(static_cast<Part>(part), lane);
      into_lanes(rows, 0, size(padded(length_[part])), parts[part]);
    }
    read_exceptions();
    RowsByLane rows{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = times_of(person(lane), scratch_.data() + lane * stride_);
    into_lanes(rows, 0, size(padded(t.stages)), times);
  }

  // The exception of one signature, of the lanes that have one.
  void except(int signature, V ratio) {
    exceptions.times(size(signature), ratio);
    dirty_[size(signature / kMostLanes)] = 1;
    exceptional = true;
  }

  // Row of a lane; the last block repeats its last row.
  std::size_t person(std::size_t lane) const { return size(std::min(first_ + static_cast<int>(lane), c.people->rows - 1)); }

 private:
  struct Present {
    const FindingLanes::Grade *above, *below;  // more than the one, at most the other; null: no more is known
    float leak, its_leak;
  };

  float by_age(const ByAge& table, std::size_t r) const {
    const float low = table[size(c.low[r])], high = table[size(c.high[r])];
    return low + c.w[r] * (high - low);
  }

  // The block's answers, by part and lane.
  void collect() {
    for (std::size_t part = 0; part < kParts; ++part)
      for (std::size_t lane = 0; lane < kLanes; ++lane) absent_[part][lane].clear(), present_[part][lane].clear();
    for (int column : c.discrete) {
      const std::uint64_t absent = c.planes->absent[size(column)].slice(first_, kLanes);
      const std::uint64_t present = c.planes->present[size(column)].slice(first_, kLanes);
      if ((absent | present) == 0) continue;
      const auto& said = c.people->graded[size(column)];
      const FindingLanes& f = t.finding[size(said.finding)];
      if (absent != 0)
        for (std::size_t part = 0; part < kParts; ++part)
          if (!f.absent[part].empty())
            for (std::uint64_t rest = absent; rest != 0; rest &= rest - 1)
              absent_[part][size(__builtin_ctzll(rest))].push_back(f.absent[part].data());
      for (std::uint64_t rest = present; rest != 0; rest &= rest - 1) {
        const std::size_t lane = size(__builtin_ctzll(rest)), r = person(lane);
        const int grade = said.grade[r] == kPresentAny ? 1 : said.grade[r];
        Present its{&f.upto[size(grade - 1)], nullptr, 0, 0};
        its.leak = by_age(its.above->leak, r);
        if (said.grade[r] != kPresentAny && size(grade) < f.upto.size()) {
          its.below = &f.upto[size(grade)];
          its.its_leak = by_age(its.below->leak, r);
        }
        present_[static_cast<std::size_t>(f.base)][lane].push_back(its);
      }
    }
  }

  const float* row_of(Part part, std::size_t lane) {
    float* HWY_RESTRICT out = scratch_.data() + lane * stride_;
    const std::size_t r = person(lane), which = static_cast<std::size_t>(part), n = size(padded(length_[which]));
    if (part == Part::causes) come(r, out);
    else if (part == Part::spots) std::copy_n(t.pain[size(c.people->location[r] + 1)].begin(), n, out);
    else std::fill_n(out, n, 1.0F);
    std::size_t k = 0;
    for (; k + 5 * kLanes <= n; k += 5 * kLanes) multiply_absent<5>(absent_[which][lane], k, out);
    for (; k + 2 * kLanes <= n; k += 2 * kLanes) multiply_absent<2>(absent_[which][lane], k, out);
    for (; k < n; k += kLanes) multiply_absent<1>(absent_[which][lane], k, out);
    // Thirty answers at one in a thousand each end below what single precision holds.
    std::span<const Present> rest = present_[which][lane];
    while (!rest.empty()) {
      const auto some = rest.first(std::min<std::size_t>(4, rest.size()));
      rest = rest.subspan(some.size());
      for (k = 0; k + 5 * kLanes <= n; k += 5 * kLanes) multiply_present<5>(some, k, out);
      for (; k + 2 * kLanes <= n; k += 2 * kLanes) multiply_present<2>(some, k, out);
      for (; k < n; k += kLanes) multiply_present<1>(some, k, out);
      if (!rest.empty()) rescale(out, n);
    }
    return out;
  }

  // Where kWide vectors from k on stay in registers.
  template <int kWide>
  static HWY_INLINE void multiply_absent(std::span<const float* const> rows, std::size_t k, float* HWY_RESTRICT out) {
    const D d;
    std::array<V, kWide> v;
    for (int j = 0; j < kWide; ++j) v[size(j)] = hn::Load(d, out + k + size(j) * kLanes);
    for (const float* row : rows)
      for (int j = 0; j < kWide; ++j) v[size(j)] = hn::Mul(v[size(j)], hn::Load(d, row + k + size(j) * kLanes));
    for (int j = 0; j < kWide; ++j) hn::Store(v[size(j)], d, out + k + size(j) * kLanes);
  }

  template <int kWide>
  static HWY_INLINE void multiply_present(std::span<const Present> answers, std::size_t k, float* HWY_RESTRICT out) {
    const D d;
    std::array<V, kWide> v;
    for (int j = 0; j < kWide; ++j) v[size(j)] = hn::Load(d, out + k + size(j) * kLanes);
    for (const Present& its : answers) {
      const V leak = all(its.leak);
      const float *a = its.above->a.data() + k, *b = its.above->b.data() + k;
      if (its.below == nullptr) {
        for (int j = 0; j < kWide; ++j)
          v[size(j)] = hn::Mul(v[size(j)], hn::MulAdd(hn::Load(d, a + size(j) * kLanes), leak, hn::Load(d, b + size(j) * kLanes)));
        continue;
      }
      // P(more than the grade below) - P(more than this): differences are taken before leaks are added.
      const V its_leak = all(its.its_leak);
      const float *its_a = its.below->a.data() + k, *its_b = its.below->b.data() + k;
      for (int j = 0; j < kWide; ++j) {
        const std::size_t i = size(j) * kLanes;
        const V apart = hn::Sub(hn::Load(d, b + i), hn::Load(d, its_b + i));
        const V with_leaks = hn::NegMulAdd(hn::Load(d, its_a + i), its_leak, hn::MulAdd(hn::Load(d, a + i), leak, apart));
        v[size(j)] = hn::Mul(v[size(j)], hn::Max(with_leaks, hn::Zero(d)));
      }
    }
    for (int j = 0; j < kWide; ++j) hn::Store(v[size(j)], d, out + k + size(j) * kLanes);
  }

  static void rescale(float* HWY_RESTRICT row, std::size_t n) {
    const D d;
    V top = hn::Zero(d);
    for (std::size_t i = 0; i < n; i += kLanes) top = hn::Max(top, hn::Load(d, row + i));
    const V factor = hn::Div(all(1.0F), hn::Max(hn::MaxOfLanes(d, top), all(1e-30F)));
    for (std::size_t i = 0; i < n; i += kLanes) hn::Store(hn::Mul(hn::Load(d, row + i), factor), d, row + i);
  }

  // Who comes, by cause. A known setting counts alone; an unknown one by its share of those who come.
  void come(std::size_t r, float* HWY_RESTRICT out) const {
    const D d;
    const float *low = t.rate[size(c.low[r])].data(), *high = t.rate[size(c.high[r])].data();
    const V w = all(c.w[r]);
    const std::size_t n = size(padded(t.causes));
    const auto rate = [&](std::size_t k) HWY_ATTR {
      const V from = hn::Load(d, low + k);
      return hn::MulAdd(w, hn::Sub(hn::Load(d, high + k), from), from);
    };
    if (const int setting = c.people->setting[r]; setting != kUnknown) {
      const float* its = t.setting[size(setting)].data();
      for (std::size_t k = 0; k < n; k += kLanes) hn::Store(hn::Mul(rate(k), hn::Load(d, its + k)), d, out + k);
      return;
    }
    std::fill_n(out, n, 0.0F);
    for (std::size_t s = 0; s < t.setting.size(); ++s) {
      const V weight = all(static_cast<float>(1e3 * t.m.setting_shares[s]) / by_age(t.coming[s], r));
      const float* its = t.setting[s].data();
      for (std::size_t k = 0; k < n; k += kLanes) hn::Store(hn::MulAdd(weight, hn::Load(d, its + k), hn::Load(d, out + k)), d, out + k);
    }
    for (std::size_t k = 0; k < n; k += kLanes) hn::Store(hn::Mul(rate(k), hn::Load(d, out + k)), d, out + k);
  }

  const float* times_of(std::size_t r, float* HWY_RESTRICT out) const {
    if (c.time_cell[r] < 0) return t.ever.data();
    const D d;
    const std::size_t n = size(padded(t.stages));
    const float* HWY_RESTRICT p = t.time.data() + size(c.time_cell[r]) * (kTimeDegree + 1) * n;
    const V x = all(c.time_x[r]);
    for (std::size_t i = 0; i < n; i += kLanes) {
      V v = hn::Load(d, p + kTimeDegree * n + i);
      for (std::size_t j = kTimeDegree; j-- > 0;) v = hn::MulAdd(v, x, hn::Load(d, p + j * n + i));
      hn::Store(hn::Max(v, hn::Zero(d)), d, out + i);
    }
    return out;
  }

  // The rows of exceptions stand at 1 between blocks; only windows that somebody of a block touches are met.
  void read_exceptions() {
    const D d;
    std::fill(touched_.begin(), touched_.end(), std::uint8_t{0});
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      float* HWY_RESTRICT row = exception_rows_.data() + lane * exception_stride_;
      for (const auto& of_part : present_)
        for (const Present& its : of_part[lane]) {
          if (its.below != nullptr) continue;
          for (const FindingLanes::Window& w : its.above->exceptions) {
            touched_[size(w.from / kMostLanes)] = 1;
            for (std::size_t k = 0; k < kMostLanes; k += kLanes) {
              const V ratio = its.above->one_leak ? hn::LoadU(d, &w.ratio[k]) : ratio_of(w, k, all(its.leak));
              float* at = row + size(w.from) + k;
              hn::Store(hn::Mul(hn::Load(d, at), ratio), d, at);
            }
          }
        }
    }
    RowsByLane rows{};
    for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = exception_rows_.data() + lane * exception_stride_;
    exceptional = false;
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      const std::size_t from = i * kMostLanes;
      if (touched_[i] != 0) {
        into_lanes(rows, from, from + kMostLanes, exceptions);
        for (std::size_t lane = 0; lane < kLanes; ++lane)
          for (std::size_t k = 0; k < kMostLanes; k += kLanes)
            hn::Store(all(1.0F), d, exception_rows_.data() + lane * exception_stride_ + from + k);
        exceptional = true;
      } else if (dirty_[i] != 0) {
        exceptions.fill(static_cast<int>(from), static_cast<int>(from) + kMostLanes, 1.0F);
      }
      dirty_[i] = touched_[i];
    }
  }

  static HWY_INLINE V ratio_of(const FindingLanes::Window& w, std::size_t k, V leak) {
    const D d;
    const V full = hn::MulAdd(hn::LoadU(d, &w.a_full[k]), leak, hn::LoadU(d, &w.b_full[k]));
    return hn::Mul(full, inverse(hn::MulAdd(hn::LoadU(d, &w.a_base[k]), leak, hn::LoadU(d, &w.b_base[k]))));
  }

  const LaneTables& t;
  const LaneChunk& c;
  int first_ = 0;
  std::array<int, kParts> length_;
  std::array<std::array<std::vector<const float*>, kLanes>, kParts> absent_;
  std::array<std::array<std::vector<Present>, kLanes>, kParts> present_;
  std::size_t stride_ = 0;
  Row scratch_;  // a row of one part for each lane
  std::size_t exception_stride_;
  Row exception_rows_;
  std::vector<std::uint8_t> touched_, dirty_;  // by window: by somebody of this block; lanes are not 1
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
