// What the people of a block have answered, multiplied row by row: for each person and each part of a state (mechanisms,
// causes, stages, spots, sets) the product of a row an answer, along the table, then turned into lanes. "Absent" is a row
// as it stands; "present" is b + (1 - b) leak. States that differ from their part of an answer are exceptions.
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "batch/lanes.h"
#include "model/state.h"

#if defined(DORSALGIA_BATCH_ANSWERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DORSALGIA_BATCH_ANSWERS_INL_H_
#undef DORSALGIA_BATCH_ANSWERS_INL_H_
#else
#define DORSALGIA_BATCH_ANSWERS_INL_H_
#endif

#include "batch/vectors-inl.h"
#include "hwy/contrib/math/math-inl.h"

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
        exception_rows_(exception_stride_ * kLanes) {
    int longest = padded(t.stages);
    for (std::size_t part = 0; part < kParts; ++part) {
      parts.emplace_back(length_[part]);
      longest = std::max(longest, padded(length_[part]));
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        absent_[part][lane].make_room(c.discrete.size()), present_[part][lane].make_room(c.discrete.size());
      }
    }
    stride_ = size(longest);
    scratch_.assign(stride_ * kLanes, 0.0F);
  }

  // By part: what it weighs. Causes: how many come with each as well. All but for factors common to all states of a person.
  std::vector<Lanes> parts;
  Lanes times;               // by stage: P(presenting then in it)
  Lanes exceptions;          // by signature
  bool exceptional = false;  // some exception is not 1; if none is, `exceptions` are not made

  const Lanes& operator[](Part part) const { return parts[static_cast<std::size_t>(part)]; }

  void read(int first) {
    first_ = first;
    collect();
    collect_measured();
    for (std::size_t part = 0; part < kParts; ++part) {
      RowsByLane rows{};
      for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = row_of(static_cast<Part>(part), lane);
      into_lanes(rows, size(padded(length_[part])), parts[part]);
    }
    RowsByLane rows{};
    if (exceptional) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = exceptions_of(lane);
      into_lanes(rows, exception_stride_, exceptions);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) rows[lane] = times_of(person(lane), scratch_.data() + lane * stride_);
    into_lanes(rows, size(padded(t.stages)), times);
  }

  // Floats of a lane; the last block repeats its last row.
  std::size_t person(std::size_t lane) const { return size(std::min(first_ + static_cast<int>(lane), c.people->rows - 1)); }

 private:
  // A vector that never grows: adding to it is a store.
  template <class T>
  class List {
   public:
    void make_room(std::size_t n) { at_.resize(n); }
    void clear() { n_ = 0; }
    HWY_INLINE void add(const T& x) { at_[n_++] = x; }
    std::span<const T> all() const { return {at_.data(), n_}; }

   private:
    std::vector<T> at_;
    std::size_t n_ = 0;
  };
  struct Present {
    const FindingLanes::Grade *above, *below;  // more than the one, at most the other; null: no more is known
    float leak, its_leak;                      // of `above`, of `below`
  };

  // One value of a person: the density of it by class of shifts, and its inverse.
  struct Measured {
    const MeasuredLanes* of;
    HWY_ALIGN std::array<float, kMostClasses> density, inverse;
  };

  float by_age(const ByAge& table, std::size_t r) const {
    const float low = table[size(c.low[r])], high = table[size(c.high[r])];
    return low + c.w[r] * (high - low);
  }

  // The block's answers, by part and lane.
  HWY_NOINLINE void collect() {
    for (std::size_t part = 0; part < kParts; ++part)
      for (std::size_t lane = 0; lane < kLanes; ++lane) absent_[part][lane].clear(), present_[part][lane].clear();
    exceptional = false;
    for (int column : c.discrete) {
      const std::uint64_t absent = c.planes->absent[size(column)].slice(first_, kLanes);
      const std::uint64_t present = c.planes->present[size(column)].slice(first_, kLanes);
      if ((absent | present) == 0) continue;
      const auto& said = c.people->graded[size(column)];
      const FindingLanes& f = t.finding[size(said.finding)];
      for (const Part part : f.speaks_of) {
        auto& lists = absent_[static_cast<std::size_t>(part)];
        const float* row = f.absent[static_cast<std::size_t>(part)].data();
        for (std::uint64_t rest = absent; rest != 0; rest &= rest - 1) lists[size(__builtin_ctzll(rest))].add(row);
      }
      for (std::uint64_t rest = present; rest != 0; rest &= rest - 1) {
        const std::size_t lane = size(__builtin_ctzll(rest)), r = person(lane);
        Present its{f.upto.data(), nullptr, 0, 0};
        if (const int grade = f.upto.size() == 1 ? kPresentAny : said.grade[r]; grade != kPresentAny) {
          its.above = &f.upto[size(grade - 1)];
          if (size(grade) < f.upto.size()) its.below = &f.upto[size(grade)], its.its_leak = by_age(its.below->leak, r);
        }
        its.leak = its.above->one_leak ? its.above->leak[0] : by_age(its.above->leak, r);
        present_[static_cast<std::size_t>(f.base)][lane].add(its);
        exceptional = exceptional || !its.above->exceptions.empty();
      }
    }
  }

  HWY_NOINLINE const float* row_of(Part part, std::size_t lane) {
    float* HWY_RESTRICT out = scratch_.data() + lane * stride_;
    const std::size_t r = person(lane), which = static_cast<std::size_t>(part), n = size(padded(length_[which]));
    if (part == Part::causes) come(r, out);
    else if (part == Part::spots) std::copy_n(t.pain[size(c.people->location[r] + 1)].begin(), n, out);
    else std::fill_n(out, n, 1.0F);
    std::size_t k = 0;
    for (; k + 5 * kLanes <= n; k += 5 * kLanes) multiply_absent<5>(absent_[which][lane].all(), k, out);
    for (; k + 2 * kLanes <= n; k += 2 * kLanes) multiply_absent<2>(absent_[which][lane].all(), k, out);
    for (; k < n; k += kLanes) multiply_absent<1>(absent_[which][lane].all(), k, out);
    // Thirty answers at one in a thousand each end below what single precision holds.
    std::span<const Present> rest = present_[which][lane].all();
    while (!rest.empty()) {
      const auto some = rest.first(std::min<std::size_t>(4, rest.size()));
      rest = rest.subspan(some.size());
      for (k = 0; k + 5 * kLanes <= n; k += 5 * kLanes) multiply_present<5>(some, k, out);
      for (; k + 2 * kLanes <= n; k += 2 * kLanes) multiply_present<2>(some, k, out);
      for (; k < n; k += kLanes) multiply_present<1>(some, k, out);
      if (!rest.empty()) rescale(out, n);
    }
    if (part == Part::sets) measure(lane, out);
    return out;
  }

  // What values measured of a person say of sets.
  void measure(std::size_t lane, float* HWY_RESTRICT out) const {
    const D d;
    for (const Measured* its = measured_.data() + first_measured_[lane]; its != measured_.data() + first_measured_[lane + 1]; ++its)
      for (std::size_t k = 0; k < its->of->class_of_set.size(); k += kLanes) {
        const V density = hn::GatherIndex(d, its->density.data(), hn::LoadU(DI(), &its->of->class_of_set[k]));
        hn::Store(hn::Mul(hn::Load(d, out + k), density), d, out + k);
      }
  }

  // The block's values, lane by lane.
  HWY_NOINLINE void collect_measured() {
    const D d;
    std::size_t n = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      first_measured_[lane] = n;
      const std::size_t r = person(lane);
      for (const auto& said : c.people->measured) {
        if (said.known[r] == 0) continue;
        const ModelFinding& f = t.m.findings[size(said.finding)];
        const auto& centre = f.centre[size(c.low[r] / kAgeBands)];
        const double low = centre[size(c.low[r] % kAgeBands)], high = centre[size(c.high[r] % kAgeBands)];
        const double usual = low + static_cast<double>(c.w[r]) * (high - low);
        const V x = all(static_cast<float>(f.log_scale ? on_scale(true, said.value[r] / usual) : said.value[r] - usual));
        if (measured_.size() <= n) measured_.emplace_back();
        Measured& its = measured_[n++];
        its.of = &t.measured[size(said.finding)];
        for (std::size_t k = 0; k < its.of->shift.size(); k += kLanes) {
          const V z = hn::Mul(hn::Sub(x, hn::Load(d, &its.of->shift[k])), hn::Load(d, &its.of->precision[k]));
          const V bell = hn::Exp(d, hn::Mul(hn::Mul(z, z), all(-0.5F)));
          const V density = hn::MulAdd(bell, hn::Load(d, &its.of->height[k]), all(its.of->unmodelled));
          hn::Store(density, d, &its.density[k]), hn::Store(inverse(density), d, &its.inverse[k]);
        }
        exceptional = exceptional || !its.of->exceptions.empty();
      }
    }
    first_measured_[kLanes] = n;
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
      const V leak = all(its.leak), rest = all(1 - its.leak);
      const float* above = its.above->b.data() + k;
      if (its.below == nullptr) {
        for (int j = 0; j < kWide; ++j) v[size(j)] = hn::Mul(v[size(j)], hn::MulAdd(hn::Load(d, above + size(j) * kLanes), rest, leak));
        continue;
      }
      // P(more than the grade below) - P(more than this): differences are taken before leaks are added.
      const float* below = its.below->b.data() + k;
      for (int j = 0; j < kWide; ++j) {
        const V b = hn::Load(d, above + size(j) * kLanes), its_b = hn::Load(d, below + size(j) * kLanes);
        const V with_leaks =
            hn::NegMulAdd(hn::Sub(all(1.0F), its_b), all(its.its_leak), hn::MulAdd(hn::Sub(all(1.0F), b), leak, hn::Sub(b, its_b)));
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
  HWY_NOINLINE void come(std::size_t r, float* HWY_RESTRICT out) const {
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

  HWY_NOINLINE const float* times_of(std::size_t r, float* HWY_RESTRICT out) const {
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

  // What a person's answers make of single signatures, over what they make of their parts.
  HWY_NOINLINE const float* exceptions_of(std::size_t lane) {
    const D d;
    float* HWY_RESTRICT row = exception_rows_.data() + lane * exception_stride_;
    std::fill_n(row, exception_stride_, 1.0F);
    for (const auto& of_part : present_)
      for (const Present& its : of_part[lane].all()) {
        if (its.below != nullptr) continue;
        const V leak = all(its.leak), rest = all(1 - its.leak);
        const auto multiply = [&](auto ratio) HWY_ATTR {
          for (const FindingLanes::Window& w : its.above->exceptions)
            for (std::size_t k = 0; k < kMostLanes; k += kLanes) {
              float* at = row + size(w.from) + k;
              hn::Store(hn::Mul(hn::Load(d, at), ratio(w, k)), d, at);
            }
        };
        if (its.above->one_leak) multiply([&](const FindingLanes::Window& w, std::size_t k) HWY_ATTR { return hn::Load(d, &w.ratio[k]); });
        else multiply([&](const FindingLanes::Window& w, std::size_t k) HWY_ATTR { return ratio_of(w, k, leak, rest); });
      }
    const DI di;
    for (const Measured* its = measured_.data() + first_measured_[lane]; its != measured_.data() + first_measured_[lane + 1]; ++its)
      for (const MeasuredLanes::Window& w : its->of->exceptions)
        for (std::size_t k = 0; k < kMostLanes; k += kLanes) {
          float* at = row + size(w.from) + k;
          const V own = hn::GatherIndex(d, its->density.data(), hn::Load(di, &w.own[k]));
          const V over_base = hn::GatherIndex(d, its->inverse.data(), hn::Load(di, &w.base[k]));
          hn::Store(hn::Mul(hn::Load(d, at), hn::Mul(own, over_base)), d, at);
        }
    return row;
  }

  static HWY_INLINE V ratio_of(const FindingLanes::Window& w, std::size_t k, V leak, V rest) {
    const D d;
    return hn::Mul(hn::MulAdd(hn::Load(d, &w.full[k]), rest, leak), inverse(hn::MulAdd(hn::Load(d, &w.base[k]), rest, leak)));
  }

  const LaneTables& t;
  const LaneChunk& c;
  int first_ = 0;
  std::array<int, kParts> length_;
  std::array<std::array<List<const float*>, kLanes>, kParts> absent_;
  std::array<std::array<List<Present>, kLanes>, kParts> present_;
  std::vector<Measured> measured_;  // those of a lane from first_measured_[lane] on
  std::array<std::size_t, kMostLanes + 1> first_measured_{};
  std::size_t stride_ = 0;
  Floats scratch_;  // a row of one part for each lane
  std::size_t exception_stride_;
  Floats exception_rows_;
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
