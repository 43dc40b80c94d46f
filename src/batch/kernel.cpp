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
#include "hwy/cache_control.h"

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
        groups_(2 * (t.groups + static_cast<int>(t.joined.size()))),
        by_stage_(t.stages),
        told_stages_(t.stages_told),
        by_cause_(t.causes),
        by_others_(static_cast<int>(t.mechanisms_of_others.size())),
        by_mechanism_(t.mechanisms),
        levels_(t.places),
        few_(static_cast<int>(kAhead + kForecastWeeks.size())) {
    const auto in_lanes = [](int i) { return static_cast<std::uint32_t>(size(i) * kLanes); };
    for (const LaneTables::Cell& its : t.cell) cells_.push_back({in_lanes(its.set), in_lanes(its.signature), in_lanes(2 * its.group)});
  }

  void run() {
    const SmallIsZero small_is_zero;
    for (first_ = 0; first_ < c.people->rows; first_ += static_cast<int>(kLanes)) {
      answers_.read(first_);
      context();
      sets();
      places();
      if (answers_.exceptional) weigh<true>();
      else weigh<false>();
      give_all();
    }
    hwy::FlushStream();
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
  HWY_NOINLINE void context() {
    const D d;
    const Lanes& weight = answers_[Part::causes];
    odds_.fill(0, t.causes, 1.0F);
    const V w = by_lane([&](std::size_t r) { return c.w[r]; });
    const VI low = hn::ConvertTo(DI(), by_lane([&](std::size_t r) { return static_cast<float>(c.low[r]); }));
    const VI high = hn::ConvertTo(DI(), by_lane([&](std::size_t r) { return static_cast<float>(c.high[r]); }));
    for (int column : c.context) {
      const auto& said = c.people->graded[size(column)];
      const ContextLanes& f = t.context[size(said.finding)];
      const Bits &yes = c.planes->present[size(column)], &no = c.planes->absent[size(column)];
      const bool any_present = yes.slice(first_, kLanes) != 0;
      if (f.linked.empty() || (!any_present && no.slice(first_, kLanes) == 0)) continue;
      const Mask present = who(yes), absent = who(no), known = hn::Or(present, absent);
      const V young = hn::GatherIndex(d, f.prevalence.data(), low), old = hn::GatherIndex(d, f.prevalence.data(), high);
      const V prevalence = hn::MulAdd(w, hn::Sub(old, young), young);
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
  HWY_NOINLINE void sets() {
    const Lanes &sets = answers_[Part::sets], &mechanisms = answers_[Part::mechanisms];
    for (std::size_t i = 0; i < size(t.sets); ++i) {
      V v = sets.load(i);
      for (int k : t.mechanisms_of_set[i]) v = hn::Mul(v, mechanisms.load(size(k)));
      sets.store(i, v);
    }
  }

  // What is said of places, by group, and of groups that are joined.
  HWY_NOINLINE void places() {
    for (const LaneTables::Bucket& bucket : t.buckets)
      over_places(bucket.places, [&](auto wide, int l) HWY_ATTR { gather<wide>(bucket, l); });
    for (const LaneTables::Outside& o : t.outside)
      groups_.store(told_of(o.group), hn::MulAdd(answers_[Part::spots].load(size(o.spot)), all(o.share), groups_.load(told_of(o.group))));
    for (int j = 0; j < static_cast<int>(t.joined.size()); ++j) {
      V sum = hn::Zero(D());
      for (int g : t.joined[size(j)]) sum = hn::Add(sum, groups_.load(told_of(g)));
      groups_.store(told_of(t.groups + j), sum);
    }
  }

  // Places of a bucket in runs that fit into registers.
  template <class Use>
  static HWY_INLINE void over_places(int n, Use use) {
    int l = 0;
    for (; l + 9 <= n; l += 9) use(std::integral_constant<int, 9>(), l);
    for (; l + 2 <= n; l += 2) use(std::integral_constant<int, 2>(), l);
    for (; l < n; ++l) use(std::integral_constant<int, 1>(), l);
  }

  // What is said of a bucket's groups from kPlaces of its places.
  template <int kPlaces>
  HWY_NOINLINE void gather(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> told;
    for (int j = 0; j < kPlaces; ++j) told[size(j)] = answers_[Part::spots].load(size(bucket.spot + l + j));
    const std::ptrdiff_t stride = bucket.places;
    const float* HWY_RESTRICT share = bucket.share.data() + l;
    float* HWY_RESTRICT out = groups_[told_of(bucket.first)];
    const float* const end = out + size(bucket.groups) * 2 * kLanes;
    for (; out != end; share += stride, out += 2 * kLanes) {
      V sum = l == 0 ? hn::Zero(d) : hn::Load(d, out);
      for (int j = 0; j < kPlaces; ++j) sum = hn::MulAdd(told[size(j)], all(share[j]), sum);
      hn::Store(sum, d, out);
    }
  }

  // Levels of a bucket from what its groups weigh.
  template <int kPlaces>
  HWY_NOINLINE void spread(const LaneTables::Bucket& bucket, int l) {
    const D d;
    std::array<V, kPlaces> sum;
    for (V& v : sum) v = hn::Zero(d);
    const std::ptrdiff_t stride = bucket.places;
    const float* HWY_RESTRICT share = bucket.share.data() + l;
    const float* HWY_RESTRICT weight = groups_[weight_of(bucket.first)];
    const float* const end = weight + size(bucket.groups) * 2 * kLanes;
    for (; weight != end; share += stride, weight += 2 * kLanes) {
      const V w = hn::Load(d, weight);
      for (int j = 0; j < kPlaces; ++j) sum[size(j)] = hn::MulAdd(w, all(share[j]), sum[size(j)]);
    }
    for (int j = 0; j < kPlaces; ++j) {
      const std::size_t at = size(t.s.level_at[size(bucket.from + l + j)]);
      levels_.store(at, hn::MulAdd(sum[size(j)], answers_[Part::spots].load(size(bucket.spot + l + j)), levels_.load(at)));
    }
  }

  // All cells, once: groups without what is said of places, everything else with it.
  template <bool kExceptional>
  HWY_NOINLINE void weigh() {
    const D d;
    const int groups = t.groups + static_cast<int>(t.joined.size());
    float* HWY_RESTRICT group = groups_[0];
    for (int g = 0; g < groups; ++g) hn::Store(hn::Zero(d), d, group + weight_of(g) * kLanes);
    by_others_.fill(0, static_cast<int>(t.mechanisms_of_others.size()), 0.0F);
    const float *HWY_RESTRICT set = answers_[Part::sets][0], *HWY_RESTRICT exception = answers_.exceptions[0];
    float* HWY_RESTRICT by_others = by_others_[0];
    const Cell* HWY_RESTRICT cell = cells_.data();
    const LaneTables::State* HWY_RESTRICT state = t.state.data();
    V emergency = hn::Zero(d), one = emergency, two = emergency, three = emergency, four = emergency;
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
          const Cell* const its_end = cells_.data() + state->end;
          do {
            V v = hn::Mul(of_variant, hn::Load(d, set + cell->set));
            if constexpr (kExceptional) v = hn::Mul(v, hn::Load(d, exception + cell->signature));
            float* HWY_RESTRICT its = group + cell->group;
            hn::Store(hn::Add(hn::Load(d, its), v), d, its);
            sum = hn::MulAdd(v, hn::Load(d, its + kLanes), sum);
          } while (++cell != its_end);
          of_stage = hn::Add(of_stage, sum);
          if (state->emergency) emergency = hn::Add(emergency, sum);
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
    }
    V tumour = hn::Zero(d), malignant = tumour, total = tumour;
    for (std::size_t cause = 0; cause < size(t.causes); ++cause) {
      const V its = by_cause_.load(cause);
      total = hn::Add(total, its);
      if (t.tumour[cause] != 0) tumour = hn::Add(tumour, its);
      if (t.malignant[cause] != 0) malignant = hn::Add(malignant, its);
    }
    few_.store(kTumour, tumour), few_.store(kMalignant, malignant), few_.store(kEmergency, emergency), few_.store(kTotal, total);
    few_.store(kAhead, one), few_.store(kAhead + 1, two), few_.store(kAhead + 2, three), few_.store(kAhead + 3, four);
    for (int j = 0; j < static_cast<int>(t.joined.size()); ++j) {
      const V w = groups_.load(weight_of(t.groups + j));
      for (int g : t.joined[size(j)]) groups_.store(weight_of(g), hn::Add(groups_.load(weight_of(g)), w));
    }
  }

  HWY_NOINLINE void give_all() {
    const D d;
    const float* sum = few_[kTotal];
    const std::size_t people = std::min(kLanes, size(c.people->rows - first_));
    for (std::size_t lane = 0; lane < people; ++lane)
      if (!(sum[lane] > kLeastSum && sum[lane] < 1e30F)) c.odd[size(first_) + lane] = 1;
    const V normal = hn::Div(all(1.0F), hn::Max(few_.load(kTotal), all(1e-37F)));
    // One column after the other, from `first` of the table on.
    const auto give = [&](Floats& to, std::size_t columns, const float* HWY_RESTRICT from) HWY_ATTR {
      const std::size_t stride = size(out_.rows);
      float* HWY_RESTRICT at = to.data() + size(first_);
      if (people == kLanes) {
        // A whole line of the cache goes past it: it is not read again here, and fetching it first costs as much as it brings.
        const bool whole_lines = kLanes == kMostLanes && reinterpret_cast<std::uintptr_t>(at) % 64 == 0 && stride % kMostLanes == 0;
        for (std::size_t i = 0; i < columns; ++i, at += stride, from += kLanes) {
          const V v = hn::Mul(hn::Load(d, from), normal);
          if (whole_lines) hn::Stream(v, d, at);
          else hn::StoreU(v, d, at);
        }
        return;
      }
      for (std::size_t i = 0; i < columns; ++i, at += stride, from += kLanes) {
        HWY_ALIGN std::array<float, kMostLanes> buffer;
        hn::Store(hn::Mul(hn::Load(d, from), normal), d, buffer.data());
        std::copy_n(buffer.begin(), people, at);
      }
    };
    give(out_.tumour, 1, few_[kTumour]), give(out_.malignant, 1, few_[kMalignant]), give(out_.emergency, 1, few_[kEmergency]);
    if (wanted_.causes) give(out_.causes, size(t.causes), by_cause_[0]);
    if (wanted_.stages) stages(), give(out_.stages, size(t.stages_told), told_stages_[0]);
    if (wanted_.mechanisms) mechanisms(), give(out_.mechanisms, size(t.mechanisms), by_mechanism_[0]);
    if (wanted_.levels) levels(), give(out_.levels, size(t.places), levels_[0]);
    if (wanted_.forecast) give(out_.compression, kForecastWeeks.size(), few_[kAhead]);
  }

  // A stage is told once, whatever the strand of its course.
  HWY_NOINLINE void stages() {
    std::size_t told = 0;
    for (int k = 0; k < t.causes; ++k) {
      const int first = t.s.stage_offset[size(k)], stages = t.s.stages(k);
      for (int i = first; i < first + stages; ++i) {
        V sum = hn::Zero(D());
        for (int strand = i; strand < t.s.stage_offset[size(k) + 1]; strand += stages) sum = hn::Add(sum, by_stage_.load(size(strand)));
        told_stages_.store(told++, sum);
      }
    }
  }

  // Neural mechanisms are those of the groups' patterns, the others those of states.
  HWY_NOINLINE void mechanisms() {
    const D d;
    by_mechanism_.fill(0, t.mechanisms, 0.0F);
    const auto add = [&](const std::vector<int>& to, V v) HWY_ATTR {
      for (int k : to) by_mechanism_.store(size(k), hn::Add(by_mechanism_.load(size(k)), v));
    };
    for (const LaneTables::Bucket& b : t.buckets) {
      const std::vector<int>& neural = t.mechanisms_of_pattern[size(b.pattern)];
      if (neural.empty()) continue;
      V sum = hn::Zero(d);
      for (int g = b.first; g < b.first + b.groups; ++g) sum = hn::MulAdd(groups_.load(weight_of(g)), groups_.load(told_of(g)), sum);
      add(neural, sum);
    }
    for (std::size_t i = 0; i < t.mechanisms_of_others.size(); ++i) add(t.mechanisms_of_others[i], by_others_.load(i));
  }

  HWY_NOINLINE void levels() {
    levels_.fill(0, t.places, 0.0F);
    const std::size_t outside = t.s.outside < 0 ? 0 : size(t.s.level_at[size(t.s.outside)]);
    for (const LaneTables::Bucket& bucket : t.buckets)
      over_places(bucket.places, [&](auto wide, int l) HWY_ATTR { spread<wide>(bucket, l); });
    for (const LaneTables::Outside& o : t.outside) {
      const V v = hn::Mul(hn::Mul(groups_.load(weight_of(o.group)), all(o.share)), answers_[Part::spots].load(size(o.spot)));
      levels_.store(outside, hn::Add(levels_.load(outside), v));
    }
  }

  // Where groups_ keeps what a group weighs, and what is said of its places: side by side.
  static std::size_t weight_of(int group) { return size(2 * group); }
  static std::size_t told_of(int group) { return size(2 * group + 1); }

  static constexpr std::size_t kTumour = 0, kMalignant = 1, kEmergency = 2, kTotal = 3, kAhead = 4;  // in few_

  // A cell with its places in lanes.
  struct Cell {
    std::uint32_t set, signature, group;
  };

  const LaneTables& t;
  LaneChunk& c;
  const Wanted& wanted_;
  PosteriorTable& out_;
  int first_ = 0;
  Answers answers_;
  Lanes odds_, groups_, by_stage_, told_stages_, by_cause_, by_others_, by_mechanism_, levels_;
  Lanes few_;  // what is summed over all cells
  std::vector<Cell> cells_;
};

}  // namespace

void read_planes(const PeopleTable& people, Planes& planes) {
  const hn::ScalableTag<std::int8_t> d;
  constexpr std::size_t kWide = hn::MaxLanes(d);
  const auto rows = size(people.rows);
  const auto zero = hn::Zero(d);
  planes.present.assign(people.graded.size(), {}), planes.absent.assign(people.graded.size(), {});
  for (std::size_t i = 0; i < people.graded.size(); ++i) {
    const std::int8_t* codes = people.graded[i].grade.data();
    if constexpr (kWide % 8 != 0) {
      planes.present[i] = Bits::where(rows, [&](std::size_t r) { return codes[r] > 0; });
      planes.absent[i] = Bits::where(rows, [&](std::size_t r) { return codes[r] == 0; });
      continue;
    }
    auto *yes = reinterpret_cast<std::uint8_t*>(planes.present[i].words.data()),
         *no = reinterpret_cast<std::uint8_t*>(planes.absent[i].words.data());
    for (std::size_t r = 0; r < rows; r += kWide) {
      HWY_ALIGN std::array<std::int8_t, kWide> last;
      const bool whole = r + kWide <= rows;
      if (!whole) last.fill(kUnknown), std::copy(codes + r, codes + rows, last.begin());
      const auto its = whole ? hn::LoadU(d, codes + r) : hn::Load(d, last.data());
      hn::StoreMaskBits(d, hn::Gt(its, zero), yes + r / 8), hn::StoreMaskBits(d, hn::Eq(its, zero), no + r / 8);
    }
  }
}

void run_lanes(const LaneTables& tables, LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out) {
  Blocks(tables, chunk, wanted, out).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dorsalgia {

HWY_EXPORT(run_lanes);
HWY_EXPORT(read_planes);

std::vector<NamedKernel> lane_kernels() {
  std::vector<NamedKernel> out;
  const auto add = [&](std::int64_t target, const char* name) {
    if (!(hwy::SupportedTargets() & HWY_TARGETS & target)) return;
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    out.push_back({name, HWY_DISPATCH_TABLE(run_lanes)[chosen.GetIndex()], HWY_DISPATCH_TABLE(read_planes)[chosen.GetIndex()]});
  };
  add(HWY_AVX3, "avx512"), add(HWY_AVX2, "avx2"), add(HWY_SSE4, "sse4"), add(HWY_STATIC_TARGET, "plain");
  return out;
}

}  // namespace dorsalgia
#endif
