// The idea. Answers "absent" are most of what is said, and of a noisy OR they come apart: P(absent | state) is a product
// over the state's parents. So all absent answers of a person fold into one number for each mechanism, cause, stage and
// spot, however many they are. Answers "present" do not come apart, but are few: each is a short row over its base (mostly
// the hundred sets of mechanisms that occur) and windows of exceptions. Rows are multiplied person by person, along the
// table (answers-inl.h), and turned into lanes: people side by side, one block of them at a time.
//
// From there on everything is a product over states, one after the other: stage and set give the weight of a cell; what is
// said of places, summed over the levels of its group, its share. A weight is met once: it is added to its group, from which
// the levels are read, and with its share to its state, from which all else is read.
//
// No lane's numbers hang on what stands in the others: what is left out because nobody of a block was asked would have been
// a factor of exactly 1. Common factors (leaks of absent answers, prevalences) are left out as well: posteriors are
// normalised at the end. Where that ends in nothing (1e-25), the row is left to the exact engine.
//
// Compiled once for every instruction set, and once for none (Highway's baseline, "plain").
#include <algorithm>
#include <cmath>

#include "batch/lanes.h"
#include "model/state.h"

// SSSE3 adds nothing here; the later AVX-512 sets neither.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "batch/kernel.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

// Only after it, so that each instruction set reads them anew.
#include "batch/answers-inl.h"
#include "batch/vectors-inl.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

constexpr float kLeastSum = 1e-25F;

class Blocks {
 public:
  Blocks(const LaneTables& tables, LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out)
      : t(tables),
        c(chunk),
        wanted_(wanted),
        out_(out),
        answers_(tables, chunk),
        odds_(t.causes),
        factor_(t.groups),
        by_group_(t.groups),
        by_stage_(t.stages),
        by_cause_(t.causes),
        by_others_(static_cast<int>(t.mechanisms_of_others.size())),
        by_mechanism_(t.mechanisms),
        levels_(t.places),
        likelihood_(t.sets + t.signatures) {}

  void run() {
    const SmallIsZero small_is_zero;
    for (first_ = 0; first_ < c.people->rows; first_ += static_cast<int>(kLanes)) {
      answers_.read(first_);
      context();
      sets();
      values();
      places();
      if (answers_.exceptional) weigh<true>();
      else weigh<false>();
      give_all();
    }
  }

 private:
  // A number for each lane: what `of` says of its row.
  template <class Of>
  V by_lane(Of of) const {
    HWY_ALIGN std::array<float, kMostLanes> out;
    for (std::size_t lane = 0; lane < kLanes; ++lane) out[lane] = of(answers_.person(lane));
    return hn::Load(D(), out.data());
  }
  // The lanes whose rows have the bit.
  Mask who(const Bits& bits) const {
    HWY_ALIGN std::array<std::uint8_t, 8> bytes{};
    const std::uint64_t its = bits.slice(first_, kLanes);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(&its), bytes.size(), bytes.data());
    return hn::LoadMaskBits(D(), bytes.data());
  }
  // v in those lanes, 1 in the others.
  static HWY_INLINE V only(Mask who, V v) { return hn::IfThenElse(who, v, all(1.0F)); }

  // Causes without a link share one factor, which is left out; linked ones differ from them by a ratio: P(present | this
  // cause) over P(present | another), and the same of "absent". Divisors are collected and divided by once.
  void context() {
    const D d;
    const Lanes& weight = answers_[Part::causes];
    odds_.fill(0, t.causes, 1.0F);
    for (int column : c.context) {
      const auto& said = c.people->graded[size(column)];
      const ContextLanes& f = t.context[size(said.finding)];
      const Bits &yes = c.planes->present[size(column)], &no = c.planes->absent[size(column)];
      const bool any_present = yes.slice(first_, kLanes) != 0;
      if (f.linked.empty() || (!any_present && no.slice(first_, kLanes) == 0)) continue;
      const Mask present = who(yes), absent = who(no), known = hn::Or(present, absent);
      const V prevalence = by_lane([&](std::size_t r) {
        const float low = f.prevalence[size(c.low[r])], high = f.prevalence[size(c.high[r])];
        return low + c.w[r] * (high - low);
      });
      for (const ContextLanes::Linked& link : f.linked) {
        const std::size_t k = size(link.cause);
        if (link.is_share) {
          weight.times(k, only(absent, hn::Div(all(1 - link.value), hn::Sub(all(1.0F), prevalence))));
          if (any_present) weight.times(k, only(present, hn::Div(all(link.value), prevalence)));
        } else {
          odds_.times(k, only(known, hn::MulAdd(prevalence, all(link.value - 1), all(1.0F))));
          if (any_present) weight.times(k, only(present, all(link.value)));
        }
        if (any_present && link.years != ContextLanes::kAnyYears)
          weight.times(k, by_lane([&](std::size_t r) {
                         const int bin = said.grade[r];
                         return bin > 0 && bin < kHistoryBins ? link.years[size(bin)] : 1.0F;
                       }));
      }
    }
    for (std::size_t k = 0; k < size(t.causes); ++k) weight.times(k, hn::Div(hn::Set(d, 1.0F), odds_.load(k)));
  }

  // Sets of mechanisms: what is present of them already, times what is absent of each.
  void sets() {
    const Lanes &sets = answers_[Part::sets], &mechanisms = answers_[Part::mechanisms];
    for (std::size_t i = 0; i < size(t.sets); ++i) {
      V v = sets.load(i);
      for (int k : t.mechanisms_of_set[i]) v = hn::Mul(v, mechanisms.load(size(k)));
      sets.store(i, v);
    }
  }

  // Measured values: a density for each class of shifts, over the sets; states whose cause shifts them are exceptions.
  void values() {
    const D d;
    const Lanes& sets = answers_[Part::sets];
    for (const auto& said : c.people->measured) {
      const ModelFinding& f = t.m.findings[size(said.finding)];
      bool any = false;
      const V known = by_lane([&](std::size_t r) {
        any = any || said.known[r] != 0;
        return said.known[r] != 0 ? 1.0F : 0.0F;
      });
      if (!any) continue;
      const Mask is_known = hn::Gt(known, hn::Zero(d));
      const V x = by_lane([&](std::size_t r) {
        if (said.known[r] == 0) return 0.0F;
        const auto sex = size(c.low[r] / kAgeBands);
        const double low = f.centre[sex][size(c.low[r] % kAgeBands)], high = f.centre[sex][size(c.high[r] % kAgeBands)];
        return static_cast<float>(on_scale(f.log_scale, said.value[r]) -
                                  on_scale(f.log_scale, low + static_cast<double>(c.w[r]) * (high - low)));
      });
      const MeasuredLanes& its = t.measured[size(said.finding)];
      
      for (std::size_t k = 0; k < its.shifts.size(); ++k) {
        const auto [shift, sd] = its.shifts[k];
        const V z = hn::Mul(hn::Sub(x, all(shift)), all(1 / sd));
        const V bell = hn::Exp(d, hn::Mul(hn::Mul(z, z), all(-0.5F)));
        likelihood_.store(k, only(is_known, hn::MulAdd(bell, all(static_cast<float>((1 - kUnmodelled) * 0.3989422804014326779) / sd), all(its.unmodelled))));
      }
      for (std::size_t i = 0; i < size(t.sets); ++i) sets.times(i, likelihood_.load(size(its.shift_of_set[i])));
      for (const MeasuredLanes::Exception& e : its.exceptions)
        answers_.except(e.signature, only(is_known, hn::Div(likelihood_.load(size(e.own)), likelihood_.load(size(e.base)))));
    }
  }

  // What is said of places, by group: factor_.
  void places() {
    for (const LaneTables::Bucket& bucket : t.buckets) {
      int l = 0;
      for (; l + 9 <= bucket.places; l += 9) gather<9>(bucket, l);
      for (; l + 4 <= bucket.places; l += 4) gather<4>(bucket, l);
      for (; l < bucket.places; ++l) gather<1>(bucket, l);
    }
    for (const LaneTables::Outside& o : t.outside)
      factor_.store(size(o.group), hn::MulAdd(answers_[Part::spots].load(size(o.spot)), all(o.share), factor_.load(size(o.group))));
  }

  // factor_ of a bucket's groups from kPlaces of its places, which stay in registers.
  template <int kPlaces>
  void gather(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> told;
    for (int j = 0; j < kPlaces; ++j) told[size(j)] = answers_[Part::spots].load(size(bucket.spot + l + j));
    const float* HWY_RESTRICT share = bucket.share.data() + l;
    float* HWY_RESTRICT out = factor_[size(bucket.first)];
    for (int g = 0; g < bucket.groups; ++g, share += bucket.places, out += kLanes) {
      V sum = l == 0 ? hn::Zero(d) : hn::Load(d, out);
      for (int j = 0; j < kPlaces; ++j) sum = hn::MulAdd(told[size(j)], all(share[j]), sum);
      hn::Store(sum, d, out);
    }
  }

  // Levels of a bucket from what its groups weigh.
  template <int kPlaces>
  void spread(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> sum;
    for (V& v : sum) v = hn::Zero(d);
    const float* HWY_RESTRICT share = bucket.share.data() + l;
    const float* HWY_RESTRICT weight = by_group_[size(bucket.first)];
    for (int g = 0; g < bucket.groups; ++g, share += bucket.places, weight += kLanes) {
      const V w = hn::Load(d, weight);
      for (int j = 0; j < kPlaces; ++j) sum[size(j)] = hn::MulAdd(w, all(share[j]), sum[size(j)]);
    }
    for (int j = 0; j < kPlaces; ++j) {
      const std::size_t at = size(bucket.from + l + j);
      levels_.store(at, hn::MulAdd(sum[size(j)], answers_[Part::spots].load(size(bucket.spot + l + j)), levels_.load(at)));
    }
  }

  // All cells, once: by_group_ without what is said of places, everything else with it.
  template <bool kExceptional>
  void weigh() {
    const D d;
    by_group_.fill(0, t.groups, 0.0F);
    by_others_.fill(0, static_cast<int>(t.mechanisms_of_others.size()), 0.0F);
    const float *HWY_RESTRICT set = answers_[Part::sets][0], *HWY_RESTRICT exception = answers_.exceptions[0];
    const float* HWY_RESTRICT factor = factor_[0];
    float *HWY_RESTRICT by_group = by_group_[0], *HWY_RESTRICT by_others = by_others_[0];
    const LaneTables::Cell* cell = t.cell.data();
    const LaneTables::State* state = t.state.data();
    tumour_ = malignant_ = emergency_ = total_ = hn::Zero(d);
    V one = hn::Zero(d), two = hn::Zero(d), three = hn::Zero(d), four = hn::Zero(d);
    static_assert(kForecastWeeks.size() == 4);
    int stage = 0;
    for (int cause = 0; cause < t.causes; ++cause) {
      const V odds = answers_[Part::causes].load(size(cause));
      V of_cause = hn::Zero(d);
      for (const int last = t.s.stage_offset[size(cause) + 1]; stage < last; ++stage) {
        const V of_course = answers_[Part::course_stages].load(size(t.course_stage_of[size(stage)]));
        const V weight = hn::Mul(hn::Mul(answers_.times.load(size(stage)), odds), of_course);
        V of_stage = hn::Zero(d);
        for (const auto* const end = t.state.data() + t.first_state[size(stage) + 1]; state != end; ++state) {
          const V of_variant = hn::Mul(weight, all(state->share));
          V sum = hn::Zero(d);
          for (const auto* const its_end = t.cell.data() + state->end; cell != its_end; ++cell) {
            V v = hn::Mul(of_variant, hn::Load(d, set + cell->set * kLanes));
            if constexpr (kExceptional) v = hn::Mul(v, hn::Load(d, exception + cell->signature * kLanes));
            float* HWY_RESTRICT group = by_group + cell->group * kLanes;
            hn::Store(hn::Add(hn::Load(d, group), v), d, group);
            sum = hn::MulAdd(v, hn::Load(d, factor + cell->group * kLanes), sum);
          }
          of_stage = hn::Add(of_stage, sum);
          if (state->emergency) emergency_ = hn::Add(emergency_, sum);
          if (state->ahead) {
            one = hn::MulAdd(sum, all(state->p[0]), one), two = hn::MulAdd(sum, all(state->p[1]), two);
            three = hn::MulAdd(sum, all(state->p[2]), three), four = hn::MulAdd(sum, all(state->p[3]), four);
          }
          float* HWY_RESTRICT others = by_others + size(state->others) * kLanes;
          hn::Store(hn::Add(hn::Load(d, others), sum), d, others);
        }
        by_stage_.store(size(stage), of_stage);
        of_cause = hn::Add(of_cause, of_stage);
      }
      by_cause_.store(size(cause), of_cause);
      total_ = hn::Add(total_, of_cause);
      if (t.tumour[size(cause)] != 0) tumour_ = hn::Add(tumour_, of_cause);
      if (t.malignant[size(cause)] != 0) malignant_ = hn::Add(malignant_, of_cause);
    }
    ahead_ = {one, two, three, four};
  }

  void give_all() {
    const D d;
    HWY_ALIGN std::array<float, kMostLanes> sum;
    hn::Store(total_, d, sum.data());
    const std::size_t people = std::min(kLanes, size(c.people->rows - first_));
    for (std::size_t lane = 0; lane < people; ++lane)
      if (!(sum[lane] > kLeastSum && sum[lane] < 1e30F)) c.odd[size(first_) + lane] = 1;
    const V normal = hn::Div(all(1.0F), hn::Max(total_, all(1e-37F)));
    const auto give = [&](std::vector<float>& to, int column, V v) HWY_ATTR {
      float* at = to.data() + size(column) * size(out_.rows) + size(first_);
      v = hn::Mul(v, normal);
      if (people == kLanes) {
        hn::StoreU(v, d, at);
      } else {
        HWY_ALIGN std::array<float, kMostLanes> buffer;
        hn::Store(v, d, buffer.data());
        std::copy_n(buffer.begin(), people, at);
      }
    };
    give(out_.tumour, 0, tumour_), give(out_.malignant, 0, malignant_), give(out_.emergency, 0, emergency_);
    if (wanted_.causes)
      for (int k = 0; k < t.causes; ++k) give(out_.causes, k, by_cause_.load(size(k)));
    if (wanted_.stages)
      for (int k = 0; k < t.stages; ++k) give(out_.stages, k, by_stage_.load(size(k)));
    if (wanted_.mechanisms) {
      mechanisms();
      for (int k = 0; k < t.mechanisms; ++k) give(out_.mechanisms, k, by_mechanism_.load(size(k)));
    }
    if (wanted_.levels) {
      levels();
      for (int l = 0; l < t.places; ++l) give(out_.levels, t.s.level_at[size(l)], levels_.load(size(l)));
    }
    if (wanted_.forecast)
      for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) give(out_.compression, static_cast<int>(w), ahead_[w]);
  }

  // Neural mechanisms are those of the groups' patterns, the others those of states.
  void mechanisms() {
    const D d;
    by_mechanism_.fill(0, t.mechanisms, 0.0F);
    const auto add = [&](const std::vector<int>& to, V v) HWY_ATTR {
      for (int k : to) by_mechanism_.store(size(k), hn::Add(by_mechanism_.load(size(k)), v));
    };
    for (const LaneTables::Bucket& b : t.buckets) {
      const std::vector<int>& neural = t.mechanisms_of_pattern[size(b.pattern)];
      if (neural.empty()) continue;
      V sum = hn::Zero(d);
      for (int g = b.first; g < b.first + b.groups; ++g) sum = hn::MulAdd(by_group_.load(size(g)), factor_.load(size(g)), sum);
      add(neural, sum);
    }
    for (std::size_t i = 0; i < t.mechanisms_of_others.size(); ++i) add(t.mechanisms_of_others[i], by_others_.load(i));
  }

  void levels() {
    levels_.fill(0, t.places, 0.0F);
    for (const LaneTables::Bucket& bucket : t.buckets) {
      int l = 0;
      for (; l + 9 <= bucket.places; l += 9) spread<9>(bucket, l);
      for (; l + 4 <= bucket.places; l += 4) spread<4>(bucket, l);
      for (; l < bucket.places; ++l) spread<1>(bucket, l);
    }
    for (const LaneTables::Outside& o : t.outside) {
      const V v = hn::Mul(hn::Mul(by_group_.load(size(o.group)), all(o.share)), answers_[Part::spots].load(size(o.spot)));
      levels_.store(size(t.s.outside), hn::Add(levels_.load(size(t.s.outside)), v));
    }
  }

  const LaneTables& t;
  LaneChunk& c;
  const Wanted& wanted_;
  PosteriorTable& out_;
  int first_ = 0;
  Answers answers_;
  Lanes odds_, factor_, by_group_, by_stage_, by_cause_, by_others_, by_mechanism_, levels_;
  Lanes likelihood_;  // of a measured value, by class of shifts
  V tumour_, malignant_, emergency_, total_;
  std::array<V, kForecastWeeks.size()> ahead_;
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
