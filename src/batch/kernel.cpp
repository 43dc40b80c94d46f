// The idea. Answers "absent" are most of what is said, and of a noisy OR they come apart: P(absent | state) is a product
// over the state's parents. So all absent answers of a person fold into one number for each mechanism, cause, stage and
// sight, however many they are. Answers "present" do not come apart: each is a number for every member of one part of a state,
// its base (mostly the hundred sets of mechanisms that occur), and for its exceptions, kinds of state for which other parents
// speak as well. All this is met in lanes, people side by side, one block of them at a time (answers-inl.h).
//
// From there on everything is a product over cells (cause, part of the canal, variant, stage), one after the other: stage
// and kind give the weight of a cell. A group's cells share what is said of places, summed over its levels. A cell's weight is met
// once: it is added to its group, from which levels and neural mechanisms are read, and with what is said of its places to its
// slot, from which causes, stages and the other mechanisms are read. The next cell adds to another slot: a sum in memory that is
// added to again at once waits for itself.
//
// No lane's numbers hang on what stands in the others: what is left out because nobody of a block was asked would have been
// a factor of exactly 1. Common factors (leaks of absent answers, prevalences) are left out as well: posteriors are
// normalised at the end. Where that ends in nothing (1e-25), the row is left to the exact engine.
//
// Compiled once for every instruction set, and once for none (Highway's baseline, "plain").
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

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

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

constexpr float kLeastSum = 1e-25F;

// Of which rows `holds` is true, a vector of them at a time. beyond: a value of which it is not.
template <class T, class Holds>
Bits bits_of(const T* values, std::size_t rows, T beyond, Holds holds) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t kWide = hn::MaxLanes(d);

  Bits out;
  std::size_t r = 0;
  for (; r + Bits::kPerWord <= rows; r += Bits::kPerWord) {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < Bits::kPerWord; i += kWide) word |= bits_of_mask(d, holds(hn::LoadU(d, values + r + i))) << i;
    out.words[r / Bits::kPerWord] = word;
  }
  for (; r < rows; r += kWide) {
    HWY_ALIGN std::array<T, kWide> last;
    last.fill(beyond), std::copy_n(values + r, std::min(kWide, rows - r), last.begin());
    out.words[r / Bits::kPerWord] |= bits_of_mask(d, holds(hn::Load(d, last.data()))) << r % Bits::kPerWord;
  }
  return out;
}

void read_planes(const PeopleTable& people, Planes& planes) {
  const auto rows = size(people.rows);
  const auto zero = hn::Zero(hn::ScalableTag<std::int8_t>());
  planes.present.clear(), planes.absent.clear(), planes.measured.clear();
  for (const auto& column : people.graded) {
    planes.present.push_back(bits_of(column.grade.data(), rows, kUnknown, [&](auto its) HWY_ATTR { return hn::Gt(its, zero); }));
    planes.absent.push_back(bits_of(column.grade.data(), rows, kUnknown, [&](auto its) HWY_ATTR { return hn::Eq(its, zero); }));
  }
  const auto none = hn::Zero(hn::ScalableTag<std::uint8_t>());
  for (const auto& column : people.measured)
    planes.measured.push_back(bits_of(column.known.data(), rows, std::uint8_t{0}, [&](auto its) HWY_ATTR { return hn::Ne(its, none); }));
}

// Where rows stand in tables by age and by time.
void find_places(const LaneTables& t, const PeopleTable& people, LaneChunk& chunk) {
  const hn::ScalableTag<double> d;
  constexpr std::size_t kWide = hn::MaxLanes(d);
  const auto rows = static_cast<std::size_t>(people.rows);
  chunk.odd.assign(rows, 0), chunk.low.resize(rows), chunk.high.resize(rows), chunk.w.resize(rows);
  chunk.time_cell.resize(rows), chunk.time_x.resize(rows);
  const auto first_weeks = hn::Set(d, t.first_weeks), first_log = hn::Set(d, t.first_log), width = hn::Set(d, t.cell_width);
  for (std::size_t first = 0; first < rows; first += kWide) {
    HWY_ALIGN std::array<double, kWide> ages, weeks, below, w, place;
    const std::size_t n = std::min(kWide, rows - first);
    ages.fill(0), weeks.fill(0);
    std::copy_n(&people.age[first], n, ages.begin()), std::copy_n(&people.weeks[first], n, weeks.begin());
    const auto age = hn::Load(d, ages.data());
    // The middles of bands about an age, and how many are below it.
    auto low = hn::Set(d, kAgeMiddle.front()), high = hn::Set(d, kAgeMiddle.back()), count = hn::Zero(d);
    for (std::size_t i = 0; i < kAgeBands; ++i) {
      const auto middle = hn::Set(d, kAgeMiddle[i]);
      const auto is_below = hn::Lt(middle, age);
      low = hn::IfThenElse(is_below, middle, low), count = hn::Add(count, hn::IfThenElseZero(is_below, hn::Set(d, 1.0)));
      const auto other = hn::Set(d, kAgeMiddle[kAgeBands - 1 - i]);
      high = hn::IfThenElse(hn::Ge(other, age), other, high);
    }
    const auto apart = hn::Sub(high, low);
    const auto between = hn::Gt(apart, hn::Zero(d));
    hn::Store(hn::IfThenElseZero(between, hn::Div(hn::Sub(age, low), hn::IfThenElse(between, apart, hn::Set(d, 1.0)))), d, w.data());
    hn::Store(count, d, below.data());
    const auto since = hn::Max(hn::Load(d, weeks.data()), hn::Zero(d));
    hn::Store(hn::Div(hn::Sub(hn::Log(d, hn::Add(since, first_weeks)), first_log), width), d, place.data());
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t r = first + i;
      const bool odd = ages[i] < 0 || people.sex[r] < 0 || weeks[i] > t.last_weeks;
      const int at = static_cast<int>(below[i]), sex = odd ? 0 : people.sex[r] * kAgeBands;
      chunk.odd[r] = odd;
      chunk.low[r] = sex + std::max(0, at - 1), chunk.high[r] = sex + std::min(at, kAgeBands - 1), chunk.w[r] = static_cast<float>(w[i]);
      const int cell = std::clamp(static_cast<int>(place[i]), 0, t.time_cells - 1);
      chunk.time_cell[r] = weeks[i] < 0 ? t.time_cells : cell;
      chunk.time_x[r] = weeks[i] < 0 ? 0 : static_cast<float>(2 * (place[i] - cell) - 1);
    }
  }
}

class Blocks final : public LaneKernel {
 public:
  explicit Blocks(const LaneTables& tables)
      : t(tables),
        answers_(tables),

        told_(t.portions + static_cast<int>(t.joint.size())),
        weight_(t.portions + static_cast<int>(t.joint.size())),
        of_runs_(t.runs),
        slots_(static_cast<int>(t.slot.size())),
        by_pattern_(static_cast<int>(t.mechanisms_of_pattern.size())),
        by_cause_(t.causes),
        by_others_(static_cast<int>(t.mechanisms_of_others.size())),
        by_mechanism_(t.mechanisms),
        levels_(t.places),
        few_(kFew) {
    slots_.now().fill(static_cast<int>(t.slot.size()), 0.0F);
  }

  void read(const PeopleTable& people, LaneChunk& chunk) const override {
    chunk.people = &people;
    read_planes(people, chunk.planes);
    find_places(t, people, chunk);
  }

  void run(LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out) override {
    const SmallIsZero small_is_zero;
    c = &chunk, wanted_ = wanted, out_ = &out;
    answers_.begin(chunk);
    for (first_ = 0; first_ < c->people->rows; first_ += static_cast<int>(kLanes)) {
      answers_.read(first_);
      places();
      weigh();
      give_all();
    }
  }

 private:
  // What is said of places, by portion.
  HWY_NOINLINE void places() {
    const LanesAt told = told_.now(), runs = of_runs_.now(), all_spots = answers_.spots.now();
    for (const LaneTables::Bucket& bucket : t.buckets) {
      const LanesAt spots{all_spots[size(bucket.spot)]};
      const int* HWY_RESTRICT run = bucket.run.data();
      V sum = spots.load(0);
      for (int l = 1; l < bucket.places; ++l) {
        const bool goes_on = run[l] == run[l - 1];
        if (!goes_on) runs.store(size(run[l - 1]), sum);
        sum = goes_on ? hn::Add(sum, spots.load(size(l))) : spots.load(size(l));
      }
      runs.store(size(bucket.run.back()), sum);
    }
    for (const LaneTables::Bucket& bucket : t.buckets) {
      gather(bucket.even, bucket.runs(), {runs[size(bucket.run[0])]});
      gather(bucket.uneven, bucket.places, {all_spots[size(bucket.spot)]});
    }
    for (const LaneTables::Outside& o : t.outside) told.add(size(o.portion), hn::Mul(all_spots.load(size(o.spot)), all(o.share)));
    for (std::size_t j = 0; j < t.joint.size(); ++j) {
      V sum = hn::Zero(D());
      for (const int portion : t.joint[j]) sum = hn::Add(sum, told.load(size(portion)));
      told.store(size(t.portions) + j, sum);
    }
  }

  // As many runs or places at once as registers hold.
  template <class Use>
  static HWY_INLINE void over_places(int n, Use use) {
    int l = 0;
    for (; l + 9 <= n; l += 9) use(std::integral_constant<int, 9>(), l);
    for (; l + 2 <= n; l += 2) use(std::integral_constant<int, 2>(), l);
    for (; l < n; ++l) use(std::integral_constant<int, 1>(), l);
  }

  // What is said of portions, from what is said of their runs or places.
  HWY_INLINE void gather(const LaneTables::Portions& portions, int n, const LanesAt places) {
    if (portions.count > 0) over_places(n, [&](auto wide, int l) HWY_ATTR { gather<wide>(portions, n, places, l); });
  }
  template <int kPlaces>
  HWY_NOINLINE void gather(const LaneTables::Portions& portions, int n, const LanesAt places, int l) {
    const D d;
    std::array<V, kPlaces> told;
    for (int j = 0; j < kPlaces; ++j) told[size(j)] = places.load(size(l + j));
    const float* HWY_RESTRICT share = portions.share.data() + l;
    const std::size_t next = size(n);
    float* HWY_RESTRICT out = told_.now()[size(portions.first)];
    const float* const end = out + size(portions.count) * kLanes;
    // Two portions at once: a sum waits for itself.
    for (; out + kLanes < end; out += 2 * kLanes, share += 2 * next) {
      V sum = hn::Mul(told[0], all(share[0])), other = hn::Mul(told[0], all(share[next]));
      if (l > 0) sum = hn::Add(sum, hn::Load(d, out)), other = hn::Add(other, hn::Load(d, out + kLanes));
      for (std::size_t j = 1; j < kPlaces; ++j)
        sum = hn::MulAdd(told[j], all(share[j]), sum), other = hn::MulAdd(told[j], all(share[next + j]), other);
      hn::Store(sum, d, out), hn::Store(other, d, out + kLanes);
    }
    if (out == end) return;
    V sum = hn::Mul(told[0], all(share[0]));
    if (l > 0) sum = hn::Add(sum, hn::Load(d, out));
    for (std::size_t j = 1; j < kPlaces; ++j) sum = hn::MulAdd(told[j], all(share[j]), sum);
    hn::Store(sum, d, out);
  }

  // What even portions weigh, by kRuns of their runs. Two portions at once: a sum waits for itself.
  template <int kRuns>
  HWY_NOINLINE void spread_even(const LaneTables::Bucket& bucket, int r) {
    const D d;
    std::array<V, kRuns> sum, other;
    for (int j = 0; j < kRuns; ++j) sum[size(j)] = other[size(j)] = hn::Zero(d);
    const std::size_t next = size(bucket.runs());
    const std::span<const float> shares(bucket.even.share);
    const float* HWY_RESTRICT weight = weight_.now()[size(bucket.even.first)];
    std::size_t at = size(r);
    for (; at + next < shares.size(); at += 2 * next, weight += 2 * kLanes) {
      const V w = hn::Load(d, weight), its = hn::Load(d, weight + kLanes);
      const float* HWY_RESTRICT share = &shares[at];
      for (std::size_t j = 0; j < kRuns; ++j)
        sum[j] = hn::MulAdd(w, all(share[j]), sum[j]), other[j] = hn::MulAdd(its, all(share[next + j]), other[j]);
    }
    if (at < shares.size())
      for (std::size_t j = 0; j < kRuns; ++j) sum[j] = hn::MulAdd(hn::Load(d, weight), all(shares[at + j]), sum[j]);
    for (int j = 0; j < kRuns; ++j) of_runs_.now().store(size(bucket.run[0] + r + j), hn::Add(sum[size(j)], other[size(j)]));
  }

  // Levels of kPlaces places from what the portions of all buckets there weigh; and what their patterns weigh.
  template <int kPlaces>
  HWY_NOINLINE void spread(std::span<const LaneTables::Bucket> buckets, int l) {
    const D d;
    const LanesAt weights = weight_.now(), by_pattern = by_pattern_.now(), spots = answers_.spots.now(), runs = of_runs_.now();
    std::array<V, kPlaces> level;
    for (V& v : level) v = hn::Zero(d);
    for (const LaneTables::Bucket& bucket : buckets) {
      std::array<V, kPlaces> sum;
      const int* HWY_RESTRICT run = bucket.run.data() + l;
      for (int j = 0; j < kPlaces; ++j) sum[size(j)] = runs.load(size(run[j]));
      const std::span<const float> shares(bucket.uneven.share);
      const float* HWY_RESTRICT weight = weights[size(bucket.uneven.first)];
      for (std::size_t at = size(l); at < shares.size(); at += size(bucket.places), weight += kLanes) {
        const V w = hn::Load(d, weight);
        const float* HWY_RESTRICT share = &shares[at];
        for (int j = 0; j < kPlaces; ++j) sum[size(j)] = hn::MulAdd(w, all(share[j]), sum[size(j)]);
      }
      V in_all = hn::Zero(d);
      for (int j = 0; j < kPlaces; ++j) {
        const V its = hn::Mul(sum[size(j)], spots.load(size(bucket.spot + l + j)));
        level[size(j)] = hn::Add(level[size(j)], its), in_all = hn::Add(in_all, its);
      }
      by_pattern.add(size(bucket.pattern), in_all);
    }
    for (int j = 0; j < kPlaces; ++j) levels_.now().store(size(t.s.level_at[size(buckets[0].from + l + j)]), level[size(j)]);
  }

  // All cells, once: portions without what is said of places, slots with it.
  HWY_NOINLINE void weigh() {
    const LanesAt few = few_.now();
    few.fill(kFew, 0.0F);
    From from{t.group.data(), t.cell.data()};
    for (const LaneTables::Form& form : t.form) {
      const bool later = form.later && wanted_.forecast;
      if (form.variants) from = later ? weigh<true, true>(form, from) : weigh<true, false>(form, from);
      else from = later ? weigh<false, true>(form, from) : weigh<false, false>(form, from);
    }
    for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) few.add(kAhead + w, few.load(kPressed));
  }

  struct From {
    const LaneTables::Group* group;
    const LaneTables::Cell* cell;
  };

  template <bool kVariants, bool kLater>
  HWY_INLINE From weigh(const LaneTables::Form& form, From from) {
    switch (form.cells) {
      case 1: return weigh<1, kVariants, kLater>(form, from);
      case 2: return weigh<2, kVariants, kLater>(form, from);
      case 3: return weigh<3, kVariants, kLater>(form, from);
      default: return weigh<0, kVariants, kLater>(form, from);
    }
  }

  // The groups of a form, kCells each (0: as many as the form says); from where those of the next one stand. What the loops need of this
  // object they hold themselves: a store to lanes might be one to any member.
  template <int kCells, bool kVariants, bool kLater>
  HWY_NOINLINE From weigh(const LaneTables::Form& form, From from) {
    const D d;
    const float *HWY_RESTRICT stage = answers_.stage.now().at, *HWY_RESTRICT kind = answers_.kinds.now().at;
    float* HWY_RESTRICT slot = slots_.now().at;
    const LaneTables::Ahead* HWY_RESTRICT ahead_of = t.ahead.data();
    const LanesAt odds = answers_[Part::causes], told_of = told_.now(), weight_of = weight_.now(), few = few_.now();
    const LaneTables::Cell* HWY_RESTRICT cell = from.cell;
    static_assert(kForecastWeeks.size() == 4);
    V one = hn::Zero(d), two = one, three = one, four = one, total = one;
    const int cells = kCells > 0 ? kCells : form.cells;
    const LaneTables::Group* const last = from.group + form.groups;
    for (const LaneTables::Group* HWY_RESTRICT group = from.group; group != last; ++group) {
      const V its_odds = odds.load(size(group->cause));
      const V told = hn::Mul(told_of.load(size(group->portion)), its_odds);
      const std::array<V, 2> share = {all(group->shares[0]), all(group->shares[1])};
      const std::array<V, 2> of_variant = {hn::Mul(told, share[0]), hn::Mul(told, share[1])};
      std::array<V, 2> sum = {hn::Zero(d), hn::Zero(d)};
      for (int i = 0; i < cells; ++i, ++cell) {
        const V of_stage = hn::Load(d, stage + cell->stage);
        const auto weigh_one = [&](std::size_t variant) HWY_ATTR {
          const LaneTables::Variant& its = cell->variant[variant];
          const V weight = hn::Mul(of_stage, hn::Load(d, kind + its.kind));
          hn::Store(hn::MulAdd(weight, of_variant[variant], hn::Load(d, slot + its.slot)), d, slot + its.slot);
          sum[variant] = i == 0 ? weight : hn::Add(sum[variant], weight);
          return weight;
        };
        const V weight = weigh_one(0);
        [[maybe_unused]] V other;
        if constexpr (kVariants) other = weigh_one(1);
        if constexpr (kLater) {
          V here = hn::Mul(weight, of_variant[0]);
          if constexpr (kVariants) here = hn::MulAdd(other, of_variant[1], here);
          const LaneTables::Ahead& ahead = ahead_of[cell->ahead];
          one = hn::MulAdd(here, all(ahead[0]), one), two = hn::MulAdd(here, all(ahead[1]), two);
          three = hn::MulAdd(here, all(ahead[2]), three), four = hn::MulAdd(here, all(ahead[3]), four);
        }
      }
      V both = hn::Mul(sum[0], share[0]);
      if constexpr (kVariants) both = hn::MulAdd(sum[1], share[1], both);
      weight_of.store(size(group->portion), hn::Mul(both, its_odds));
      total = hn::MulAdd(both, told, total);
    }
    if (form.emergency) few.add(kEmergency, total);
    if (form.pressed) few.add(kPressed, total);
    if constexpr (kLater) few.add(kAhead, one), few.add(kAhead + 1, two), few.add(kAhead + 2, three), few.add(kAhead + 3, four);
    return {last, cell};
  }

  HWY_NOINLINE void give_all() {
    const D d;
    const LanesAt few = few_.now(), weight = weight_.now();
    for (std::size_t j = 0; j < t.joint.size(); ++j)
      for (const int portion : t.joint[j]) weight.store(size(portion), weight.load(size(t.portions) + j));
    if (wanted_.levels || wanted_.mechanisms) tell_levels();
    if (wanted_.mechanisms) tell_mechanisms();
    tell_stages_and_causes();
    const float* sum = few[kTotal];
    const std::size_t people = std::min(kLanes, size(c->people->rows - first_));
    for (std::size_t lane = 0; lane < people; ++lane)
      if (!(sum[lane] > kLeastSum && sum[lane] < 1e30F)) c->odd[size(first_) + lane] = 1;
    const V normal = hn::Div(all(1.0F), hn::Max(few.load(kTotal), all(1e-37F)));
    // One column after the other, from `first` of the table on.
    const auto give = [&](Floats& to, std::size_t columns, const float* HWY_RESTRICT from) HWY_ATTR {
      const std::size_t stride = size(out_->rows);
      float* HWY_RESTRICT at = to.data() + size(first_);
      if (people == kLanes) {
        for (std::size_t i = 0; i < columns; ++i, at += stride, from += kLanes) hn::StoreU(hn::Mul(hn::Load(d, from), normal), d, at);
        return;
      }
      for (std::size_t i = 0; i < columns; ++i, at += stride, from += kLanes) {
        HWY_ALIGN std::array<float, kMostLanes> buffer;
        hn::Store(hn::Mul(hn::Load(d, from), normal), d, buffer.data());
        std::copy_n(buffer.begin(), people, at);
      }
    };
    give(out_->tumour, 1, few[kTumour]), give(out_->malignant, 1, few[kMalignant]), give(out_->emergency, 1, few[kEmergency]);
    if (wanted_.causes) give(out_->causes, size(t.causes), by_cause_.now().at);
    if (wanted_.mechanisms) give(out_->mechanisms, size(t.mechanisms), by_mechanism_.now().at);
    if (wanted_.stages) give(out_->stages, size(t.told_stages), slots_.now().at);
    slots_.now().fill(t.told_stages, 0.0F);  // while they are near
    if (wanted_.levels) give(out_->levels, size(t.places), levels_.now().at);
    if (wanted_.forecast) give(out_->compression, kForecastWeeks.size(), few[kAhead]);
  }

  // What is told of stages, which is no longer what slots held; and of causes.
  HWY_NOINLINE void tell_stages_and_causes() {
    const D d;
    const LanesAt slots = slots_.now(), by_cause = by_cause_.now(), few = few_.now();
    for (std::size_t i = size(t.told_stages), n = t.slot.size(); i < n; ++i)
      slots.add(size(t.slot[i].stage), slots.load(i)), slots.store(i, hn::Zero(d));
    V total = hn::Zero(d), tumour = total, malignant = total;
    for (std::size_t cause = 0; cause < size(t.causes); ++cause) {
      V its = hn::Zero(d);
      for (int i = t.first_told[cause]; i < t.first_told[cause + 1]; ++i) its = hn::Add(its, slots.load(size(i)));
      by_cause.store(cause, its);
      total = hn::Add(total, its);
      tumour = hn::MulAdd(its, all(t.tumour[cause]), tumour), malignant = hn::MulAdd(its, all(t.malignant[cause]), malignant);
    }
    few.store(kTumour, tumour), few.store(kMalignant, malignant), few.store(kTotal, total);
  }

  // Neural mechanisms are those of patterns, the others those of slots.
  HWY_NOINLINE void tell_mechanisms() {
    const D d;
    const LanesAt slot = slots_.now(), by_others = by_others_.now(), by_pattern = by_pattern_.now(), by_mechanism = by_mechanism_.now();
    for (std::size_t i = 0; i < t.slots_of_others.size(); ++i) {
      std::span<const std::size_t> slots = t.slots_of_others[i];
      std::array<V, 4> sum;
      for (V& v : sum) v = hn::Zero(d);
      for (; slots.size() >= 4; slots = slots.subspan(4))
        for (std::size_t j = 0; j < 4; ++j) sum[j] = hn::Add(sum[j], slot.load(slots[j]));
      for (const std::size_t its : slots) sum[0] = hn::Add(sum[0], slot.load(its));
      by_others.store(i, hn::Add(hn::Add(sum[0], sum[1]), hn::Add(sum[2], sum[3])));
    }
    for (std::size_t k = 0; k < size(t.mechanisms); ++k) {
      V sum = hn::Zero(d);
      for (const std::size_t i : t.patterns_of_mechanism[k]) sum = hn::Add(sum, by_pattern.load(i));
      for (const std::size_t i : t.others_of_mechanism[k]) sum = hn::Add(sum, by_others.load(i));
      by_mechanism.store(k, sum);
    }
  }

  // And what patterns of neural mechanisms weigh.
  HWY_NOINLINE void tell_levels() {
    const LanesAt levels = levels_.now(), by_pattern = by_pattern_.now(), weight = weight_.now(), spots = answers_.spots.now();
    levels.fill(t.places, 0.0F), by_pattern.fill(static_cast<int>(t.mechanisms_of_pattern.size()), 0.0F);
    for (const LaneTables::Bucket& bucket : t.buckets)
      over_places(bucket.runs(), [&](auto wide, int r) HWY_ATTR { spread_even<wide>(bucket, r); });
    for (std::span<const LaneTables::Bucket> rest(t.buckets); !rest.empty();) {
      const auto another = [&](const LaneTables::Bucket& its) { return its.from != rest[0].from; };
      const auto here = rest.first(size(static_cast<int>(std::find_if(rest.begin(), rest.end(), another) - rest.begin())));
      over_places(here[0].places, [&](auto wide, int l) HWY_ATTR { spread<wide>(here, l); });
      rest = rest.subspan(here.size());
    }
    V outside = hn::Zero(D()), in_pattern = outside;
    for (std::size_t i = 0, n = t.outside.size(); i < n; ++i) {
      const LaneTables::Outside o = t.outside[i];
      const V its = hn::Mul(hn::Mul(weight.load(size(o.portion)), all(o.share)), spots.load(size(o.spot)));
      outside = hn::Add(outside, its), in_pattern = hn::Add(in_pattern, its);
      if (i + 1 < n && t.outside[i + 1].pattern == o.pattern) continue;
      by_pattern.add(size(o.pattern), in_pattern);
      in_pattern = hn::Zero(D());
    }
    if (t.s.outside >= 0) levels.add(size(t.s.level_at[size(t.s.outside)]), outside);
  }

  static constexpr std::size_t kTumour = 0, kMalignant = 1, kEmergency = 2, kTotal = 3, kPressed = 4, kAhead = 5;  // in few_
  static constexpr int kFew = static_cast<int>(kAhead + kForecastWeeks.size());

  const LaneTables& t;
  LaneChunk* c = nullptr;
  Wanted wanted_;
  PosteriorTable* out_ = nullptr;
  int first_ = 0;
  Answers answers_;

  Lanes told_, weight_;  // by portion and joint ones: what is said of its places, and what it weighs without that
  Lanes of_runs_;        // by run: what is said of its places, and then what even portions weigh there
  Lanes slots_;          // 0 but between weigh() and the end of give_all()
  Lanes by_pattern_, by_cause_, by_others_, by_mechanism_, levels_;
  Lanes few_;  // what is summed over all cells
};

}  // namespace

Bits within(const std::vector<double>& values, double low, double high) {
  const hn::ScalableTag<double> d;
  const auto least = hn::Set(d, low), most = hn::Set(d, high);
  return bits_of(values.data(), values.size(), std::numeric_limits<double>::quiet_NaN(),
                 [&](auto its) HWY_ATTR { return hn::And(hn::Ge(its, least), hn::Le(its, most)); });
}

Bits at_least(const Floats& values, float low) {
  const auto least = hn::Set(D(), low);
  return bits_of(values.data(), values.size(), std::numeric_limits<float>::quiet_NaN(),
                 [&](auto its) HWY_ATTR { return hn::Ge(its, least); });
}

Bits among(const std::vector<std::int8_t>& codes, const std::vector<std::int8_t>& those) {
  const hn::ScalableTag<std::int8_t> d;
  return bits_of(codes.data(), codes.size(), kUnknown, [&](auto its) HWY_ATTR {
    auto out = hn::MaskFromVec(hn::Zero(d));
    for (const std::int8_t code : those) out = hn::Or(out, hn::Eq(its, hn::Set(d, code)));
    return out;
  });
}

void fold(const std::vector<Known>& done, const std::vector<int>& conditions, bool any, Known& out) {
  const hn::ScalableTag<std::uint64_t> d;
  Bits &met = any ? out.no : out.yes, &joined = any ? out.yes : out.no;
  for (std::size_t i = 0; i < met.words.size(); i += hn::MaxLanes(d)) {
    auto its_met = hn::Load(d, &met.words[i]), its_joined = hn::Load(d, &joined.words[i]);
    for (const int condition : conditions) {
      const Known& its = done[size(condition)];
      its_met = hn::And(its_met, hn::Load(d, &(any ? its.no : its.yes).words[i]));
      its_joined = hn::Or(its_joined, hn::Load(d, &(any ? its.yes : its.no).words[i]));
    }
    hn::Store(its_met, d, &met.words[i]), hn::Store(its_joined, d, &joined.words[i]);
  }
}

std::unique_ptr<LaneKernel> make_kernel(const LaneTables& tables) { return std::make_unique<Blocks>(tables); }
int lanes_of_kernel() { return static_cast<int>(kLanes); }

}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dorsalgia {

HWY_EXPORT(make_kernel);
HWY_EXPORT(lanes_of_kernel);
HWY_EXPORT(within);
HWY_EXPORT(at_least);
HWY_EXPORT(among);
HWY_EXPORT(fold);

std::vector<NamedKernel> lane_kernels() {
  std::vector<NamedKernel> out;
  const auto add = [&](std::int64_t target, const char* name) {
    if (!(hwy::SupportedTargets() & HWY_TARGETS & target)) return;
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t which = chosen.GetIndex();
    out.push_back({name, HWY_DISPATCH_TABLE(lanes_of_kernel)[which](), HWY_DISPATCH_TABLE(make_kernel)[which],
                   HWY_DISPATCH_TABLE(within)[which], HWY_DISPATCH_TABLE(at_least)[which], HWY_DISPATCH_TABLE(among)[which],
                   HWY_DISPATCH_TABLE(fold)[which]});
  };
  add(HWY_AVX3, "avx512"), add(HWY_AVX2, "avx2"), add(HWY_SSE4, "sse4"), add(HWY_STATIC_TARGET, "plain");
  return out;
}

}  // namespace dorsalgia
#endif
