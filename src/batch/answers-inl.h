// What the people of a block have answered, part of a state by part (mechanisms, causes, stages, sights, sets), in lanes.
//
// What "absent" leaves is met member by member of a part, in lanes, whoever said it of what: no branch hangs on a person. "Present" is
// b + (1 - b) leak of every member. What hangs on sets is multiplied row by row for each person instead, in registers, and turned into
// lanes once: few people give any one of these answers, but there are many. Kinds of state that differ from their part of an answer
// are exceptions, in lanes again.
//
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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
#include "hwy/cache_control.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

class Answers {
 public:
  explicit Answers(const LaneTables& tables)
      : stage(tables.chain_stages),
        spots(tables.spots),
        kinds(tables.kinds),
        t(tables),
        said_(tables.said),
        chances_(tables.chances),
        felt_(static_cast<int>(tables.pain[0].size())),
        who_(static_cast<int>(tables.finding.size())),
        has_(static_cast<int>(tables.finding.size())),
        has_not_(static_cast<int>(tables.finding.size())),
        excepting_(size(tables.words)),
        products_(static_cast<int>(tables.products.size())),
        ratios_(tables.ratios) {
    rows_.resize(size(std::max(padded(t.sets), padded(t.causes))) * kLanes);
    std::size_t classes = 0;
    for (const MeasuredLanes& its : t.measured) classes = std::max(classes, its.shift.size());
    density_.resize(t.measured.size() * kLanes * classes);
  }

  // From now on of this chunk.
  void begin(const LaneChunk& chunk) {
    c = &chunk;
    who_.clear(), has_.clear(), has_not_.clear();
    absent_.clear(), present_.clear(), of_sets_.clear(), had_.clear(), not_had_.clear(), measured_.clear();
    absent_of_.clear(), present_of_.clear(), of_sets_of_.clear(), graded_.clear(), context_.clear();
    for (const int column : c->discrete) {
      const auto finding = size(c->people->graded[size(column)].finding);
      const FindingLanes& f = t.finding[finding];
      const Bits& present = c->planes.present[size(column)];
      absent_.add(c->planes.absent[size(column)]), absent_of_.push_back(finding);
      if (f.upto.size() > 1) {
        graded_.push_back({column, &f});
        continue;
      }
      present_.add(present), present_of_.push_back({f.upto.data(), f.base, f.upto[0].exceptional.number >= 0});
      if (f.base == Part::sets)
        of_sets_.add(present), of_sets_of_.push_back({f.upto[0].b.data(), size(f.upto[0].number), f.upto[0].height});
    }
    for (const int column : c->context) {
      const ContextLanes& f = t.context[size(c->people->graded[size(column)].finding)];
      if (!f.linked) continue;
      had_.add(c->planes.present[size(column)]), not_had_.add(c->planes.absent[size(column)]);
      context_.push_back({column, size(c->people->graded[size(column)].finding), &f});
    }
    measured_of_.clear(), off_.clear();
    for (std::size_t i = 0; i < c->people->measured.size(); ++i) {
      measured_.add(c->planes.measured[i]);
      add_measured(c->people->measured[i], c->planes.measured[i]);
    }
    known_.resize((measured_of_.size() * kLanes + 63) / 64);
    given_.resize(present_of_.size() + 1), by_answer_.resize(of_sets_of_.size() + 64), gave_.resize(kLanes * (by_answer_.size() / 64));
  }

  Lanes stage;  // by stage of a chain: P(presenting then in it), times what is absent that its course brings
  Lanes spots;  // by spot: what is said of it, and P(pain is felt where it is felt)
  Lanes kinds;  // by kind of state: its set, and what is an exception to that

  // What a part weighs. Causes: how many come with each as well. All but for factors common to all states of a person.
  LanesAt operator[](Part part) const { return {said_.now()[size(t.first(part))]}; }

  void read(int first) {
    first_ = first;
    std::fill(excepting_.begin(), excepting_.end(), std::uint64_t{0});
    for (Columns* its : {&absent_, &present_, &of_sets_, &had_, &not_had_, &measured_}) its->go_to(first);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t r = person(lane);
      low_[lane] = size(c->low[r]), high_[lane] = size(c->high[r]), w_[lane] = c->w[r];
    }
    chances();
    causes();
    (*this)[Part::mechanisms].fill(t.mechanisms, 1.0F), (*this)[Part::course_stages].fill(t.course_stages, 1.0F);
    (*this)[Part::sights].fill(t.length(Part::sights), 1.0F);
    sets();
    context();
    absent();
    present();
    make_kinds();
    make_stages();
    make_spots();
  }

  // Row of a lane; the last block repeats its last row.
  std::size_t person(std::size_t lane) const { return size(std::min(first_ + static_cast<int>(lane), c->people->rows - 1)); }

 private:
  using Grade = FindingLanes::Grade;
  struct Given {
    const Grade* more;
    std::uint64_t who;
  };

  // Numbers by age and sex, at each person's.
  HWY_INLINE V at_age_of(std::size_t lane, const ByAge& table, std::size_t i) const {
    const D d;
    const V low = hn::Load(d, table[low_[lane]].data() + i), high = hn::Load(d, table[high_[lane]].data() + i);
    return hn::MulAdd(all(w_[lane]), hn::Sub(high, low), low);
  }
  float one_at_age_of(std::size_t lane, const ByAge& table, std::size_t i) const {
    const float low = table[low_[lane]][i], high = table[high_[lane]][i];
    return low + w_[lane] * (high - low);
  }

  HWY_NOINLINE void chances() {
    into_lanes(size(padded(t.chances)), chances_.now(),
               [&](std::size_t lane, std::size_t i) HWY_ATTR { return at_age_of(lane, t.chance, i); });
  }

  // Who comes, by cause. A known setting counts alone; an unknown one by its share of those who come.
  HWY_NOINLINE void causes() {
    const D d;
    const std::size_t n = size(padded(t.causes));
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      float* HWY_RESTRICT out = rows_.data() + lane * n;
      if (const int setting = c->people->setting[person(lane)]; setting != kUnknown) {
        const float* its = t.setting[size(setting)].data();
        for (std::size_t k = 0; k < n; k += kLanes) hn::Store(hn::Mul(at_age_of(lane, t.rate, k), hn::Load(d, its + k)), d, out + k);
        continue;
      }
      for (std::size_t k = 0; k < n; k += kLanes) {
        V selected = hn::Zero(d);
        for (std::size_t s = 0; s < t.setting.size(); ++s) {
          const V weight = all(static_cast<float>(1e3 * t.m.setting_shares[s]) / one_at_age_of(lane, t.coming, s));
          selected = hn::MulAdd(weight, hn::Load(d, t.setting[s].data() + k), selected);
        }
        hn::Store(hn::Mul(at_age_of(lane, t.rate, k), selected), d, out + k);
      }
    }
    rows_into_lanes(n, (*this)[Part::causes]);
  }
  HWY_INLINE void rows_into_lanes(std::size_t n, const LanesAt out) const {
    into_lanes(n, out, [&](std::size_t lane, std::size_t i) HWY_ATTR { return hn::Load(D(), rows_.data() + lane * n + i); });
  }

  // Causes without a link to a factor share a number, which is left out; linked ones differ from them by a ratio: P(present | this
  // cause) over P(present | another), and the same of "absent".
  HWY_NOINLINE void context() {
    const D d;
    const LanesAt weight = (*this)[Part::causes], chances = chances_.now();
    const Columns::Block all_had = had_.block(), none_had = not_had_.block();
    std::size_t column = 0;
    for (const Context its : std::span<const Context>(context_)) {
      const std::uint64_t had = all_had[column], not_had = none_had[column];
      ++column;
      has_.store(its.finding, had), has_not_.store(its.finding, not_had);
      if (had != 0 && its.of->dated) date(*its.of, its.column, had);
    }
    const V one = all(1.0F);
    const Masks::At has = has_.now(), has_not = has_not_.now();
    const LaneTables::ContextLink* HWY_RESTRICT link = t.context_links.data();
    std::size_t cause = 0;
    for (const LaneTables::ContextOf of : std::span<const LaneTables::ContextOf>(t.context_of)) {
      V its = weight.load(cause), odds = one;
      for (const auto* const end = link + of.ratios; link != end; ++link) {
        const Mask had = has[link->finding], known = hn::Or(had, has_not[link->finding]);
        const V chance = hn::Load(d, chances.at + link->chance);
        odds = hn::Mul(odds, hn::IfThenElse(known, hn::MulAdd(chance, all(link->value - 1), one), one));
        its = hn::Mul(its, hn::IfThenElse(had, all(link->value), one));
      }
      for (const auto* const end = link + of.shares; link != end; ++link) {
        const Mask had = has[link->finding], not_had = has_not[link->finding];
        const V chance = hn::Load(d, chances.at + link->chance);
        const V of_absent = hn::IfThenElse(not_had, hn::Mul(all(1 - link->value), inverse(hn::Sub(one, chance))), one);
        its = hn::Mul(its, hn::IfThenElse(had, hn::Mul(all(link->value), inverse(chance)), of_absent));
      }
      weight.store(cause++, hn::Mul(its, inverse(odds)));
    }
  }
  void date(const ContextLanes& f, int column, std::uint64_t had) {
    const LanesAt weight = (*this)[Part::causes];
    for (; had != 0; had &= had - 1) {
      const std::size_t lane = size(__builtin_ctzll(had));
      const int bin = c->people->graded[size(column)].grade[person(lane)];
      if (bin >= kHistoryBins) continue;
      for (const ContextLanes::Link& link : f.by_bin[size(bin)]) weight[size(link.cause)][lane] *= link.value;
    }
  }

  HWY_NOINLINE void absent() {
    const D d;
    std::uint64_t any = 0;
    const Columns::Block columns = absent_.block();
    std::size_t i = 0;
    for (const std::size_t its : std::span<const std::size_t>(absent_of_)) {
      const std::uint64_t bits = columns[i++];
      who_.store(its, bits), any |= bits;
    }
    if (any == 0) return;
    const std::uint32_t *HWY_RESTRICT member = t.member.data(), *HWY_RESTRICT finding = t.absent.data();
    const float* HWY_RESTRICT left = t.left_of.data();
    const Masks::At who = who_.now();
    float* HWY_RESTRICT said = said_.now().at;
    constexpr std::size_t kAbreast = LaneTables::kAbreast;
    for (const LaneTables::Abreast its : std::span<const LaneTables::Abreast>(t.abreast))
      for (int group = 0; group < its.groups; ++group, member += kAbreast) {
        std::array<V, kAbreast> v;
        for (std::size_t j = 0; j < kAbreast; ++j) v[j] = hn::Load(d, said + member[j]);
        for (int link = 0; link < its.links; ++link, ++finding, left += kAbreast) {
          const Mask said_so = who[*finding];
          for (std::size_t j = 0; j < kAbreast; ++j) v[j] = hn::IfThenElse(said_so, hn::Mul(v[j], all(left[j])), v[j]);
        }
        for (std::size_t j = 0; j < kAbreast; ++j) hn::Store(v[j], d, said + member[j]);
      }
  }

  // What is not said of sets; and which answers have exceptions.
  HWY_NOINLINE void present() {
    for (auto& its : more_) its.clear();
    std::size_t n = 0;
    const Columns::Block columns = present_.block();
    std::size_t* HWY_RESTRICT given = given_.data();
    for (std::size_t i = 0, all = present_of_.size(); i < all; ++i)
      given[n] = i, n += columns[i] != 0;  // no branch, which nobody could foresee
    for (const std::size_t i : std::span<const std::size_t>(given, n)) {
      const Present its = present_of_[i];
      if (its.excepting) except(*its.more, mask_of(columns[i]));
      if (its.base != Part::sets) more_[static_cast<std::size_t>(its.base)].push_back({its.more, columns[i]});
    }
    for (const Part part : {Part::causes, Part::course_stages, Part::sights}) {
      std::span<const Given> rest = more_[static_cast<std::size_t>(part)];
      for (; rest.size() >= 4; rest = rest.subspan(4)) more_than<4>(rest.data(), part);
      for (; rest.size() >= 2; rest = rest.subspan(2)) more_than<2>(rest.data(), part);
      for (const Given& its : rest) more_than<1>(&its, part);
    }
    for (const auto& [column, of] : graded_)
      for (std::uint64_t rest = c->planes.present[size(column)].slice(first_, kLanes); rest != 0;) {
        const auto grade_of = [&, column = column](std::uint64_t bits) {
          return c->people->graded[size(column)].grade[person(size(__builtin_ctzll(bits)))];
        };
        const int grade = grade_of(rest);
        std::uint64_t same = 0;
        for (std::uint64_t others = rest; others != 0; others &= others - 1)
          if (grade_of(others) == grade) same |= others & ~(others - 1);
        const auto& upto = of->upto;
        if (grade == kPresentAny) more_than({upto.data(), same}, of->base);
        else if (size(grade) == upto.size()) more_than({&upto[size(grade) - 1], same}, of->base);
        else exactly(upto[size(grade) - 1], upto[size(grade)], of->base, mask_of(same));
        rest &= ~same;
      }
  }
  // More than a grade.
  template <std::size_t kAnswers>
  HWY_NOINLINE void more_than(const Given* answers, Part base) {
    const LanesAt part = (*this)[base];
    std::array<Mask, kAnswers> who;
    std::array<V, kAnswers> rest, least;
    std::array<const float*, kAnswers> b;
    for (std::size_t j = 0; j < kAnswers; ++j) {
      const Grade& more = *answers[j].more;
      const V leak = chances_.now().load(size(more.number));
      who[j] = mask_of(answers[j].who), rest[j] = hn::Sub(all(1.0F), leak), least[j] = hn::Mul(leak, all(more.height));
      b[j] = more.b.data();
    }
    for (std::size_t i = 0; i < size(t.length(base)); ++i) {
      V v = part.load(i);
      for (std::size_t j = 0; j < kAnswers; ++j) v = hn::IfThenElse(who[j], hn::Mul(v, hn::MulAdd(all(b[j][i]), rest[j], least[j])), v);
      part.store(i, v);
    }
  }
  void more_than(const Given& answer, Part base) { more_than<1>(&answer, base); }
  // One grade: P(more than the one below) - P(more than this); differences are taken before leaks are added.
  void exactly(const Grade& above, const Grade& below, Part base, Mask who) {
    const LanesAt part = (*this)[base];
    const V leak = chances_.now().load(size(above.number)), its_leak = chances_.now().load(size(below.number)), one = all(1.0F);
    const V unit = all(1 / above.height), its_unit = all(1 / below.height);
    for (std::size_t i = 0; i < size(t.length(base)); ++i) {
      const V b = hn::Mul(all(above.b[i]), unit), its_b = hn::Mul(all(below.b[i]), its_unit);
      const V with_leaks = hn::NegMulAdd(hn::Sub(one, its_b), its_leak, hn::MulAdd(hn::Sub(one, b), leak, hn::Sub(b, its_b)));
      part.times(i, hn::IfThenElse(who, hn::Max(with_leaks, hn::Zero(D())), one));
    }
  }

  // What is present of sets, row by row.
  HWY_NOINLINE void sets() {
    const std::size_t n = size(padded(t.sets));
    const LanesAt chances = chances_.now();
    const std::size_t words = find_who_gave();
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      factors_.clear();
      for (std::size_t w = 0; w < words; ++w)
        for (std::uint64_t rest = gave_[lane * words + w]; rest != 0; rest &= rest - 1) {
          const OfSets its = of_sets_of_[given_[64 * w + size(__builtin_ctzll(rest))]];
          const float leak = chances[its.number][lane];
          factors_.push_back({its.b, 1 - leak, its.height * leak});
        }
      float* HWY_RESTRICT to = rows_.data() + lane * n;
      std::size_t k = 0;
      for (; k + 7 * kLanes <= n; k += 7 * kLanes) multiply<7>(k, to);
      for (; k < n; k += kLanes) multiply<1>(k, to);
    }
    multiply_measured(n);
    rows_into_lanes(n, (*this)[Part::sets]);
  }

  // Which answers about sets somebody of the block gave (given_), and of those each person: words of the first, of the second, ...; bit i,
  // the i-th. How many words.
  HWY_NOINLINE std::size_t find_who_gave() {
    const hn::ScalableTag<std::uint16_t> d;
    constexpr std::size_t kWide = hn::MaxLanes(d);
    const Columns::Block columns = of_sets_.block();
    std::size_t n = 0;
    std::size_t* HWY_RESTRICT given = given_.data();
    std::uint16_t* HWY_RESTRICT by_answer = by_answer_.data();
    for (std::size_t i = 0, all = of_sets_of_.size(); i < all; ++i)
      given[n] = i, by_answer[n] = static_cast<std::uint16_t>(columns[i]), n += columns[i] != 0;  // no branch, which nobody could foresee
    const std::size_t words = (n + 63) / 64;
    std::fill(by_answer + n, by_answer + 64 * words, std::uint16_t{0});
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto its = hn::Set(d, static_cast<std::uint16_t>(1U << lane));
      for (std::size_t w = 0; w < words; ++w) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 64; i += kWide) word |= bits_of_mask(d, hn::TestBit(hn::LoadU(d, by_answer + 64 * w + i), its)) << i;
        gave_[lane * words + w] = word;
      }
    }
    return words;
  }

  // As many vectors at once as registers hold: memory that is stored and soon loaded again is slow, the slower the wider the vectors.
  template <std::size_t kWide>
  HWY_INLINE void multiply(std::size_t k, float* HWY_RESTRICT to) const {
    const D d;
    std::array<V, kWide> v;
    for (std::size_t j = 0; j < kWide; ++j) v[j] = all(1.0F);
    for (const Factor& its : factors_) {
      const V rest = all(its.rest), least = all(its.least);
      for (std::size_t j = 0; j < kWide; ++j) v[j] = hn::Mul(v[j], hn::MulAdd(hn::Load(d, its.b + k + j * kLanes), rest, least));
    }
    for (std::size_t j = 0; j < kWide; ++j) hn::Store(v[j], d, to + k + j * kLanes);
  }

  // Values that were measured: by class of shifts, what they say of sets over what they say of most sets, and what of kinds over that.
  // Few people have any one of them.
  HWY_NOINLINE void multiply_measured(std::size_t n) {
    const D d;
    const DI di;
    find_values();
    float* HWY_RESTRICT density = density_.data();
    for (const Value& its : values_) {
      const MeasuredLanes& f = *its.of;
      const V x = all(its.off);
      for (std::size_t k = 0; k < f.shift.size(); k += kLanes, density += kLanes) {
        const V z = hn::Mul(hn::Sub(x, hn::Load(d, &f.shift[k])), hn::Load(d, &f.precision[k]));
        const V bell = hn::Exp(d, hn::Mul(hn::Mul(z, z), all(-0.5F)));
        hn::Store(hn::MulAdd(bell, hn::Load(d, &f.height[k]), all(f.unmodelled)), d, density);
      }
    }
    density = density_.data();
    for (const Value& its : values_) {
      const MeasuredLanes& f = *its.of;
      const std::size_t classes = f.shift.size();
      float* HWY_RESTRICT row = rows_.data() + its.lane * n;
      const V over_usual = all(1 / density[f.usual]);
      for (std::size_t k = 0; k < n; k += kLanes) {
        const V said = hn::Mul(look_up(density, classes, hn::Load(di, &f.of_set[k])), over_usual);
        hn::Store(hn::Mul(hn::Load(d, row + k), said), d, row + k);
      }
      for (std::size_t k = 0; k < size(f.ratios); k += kLanes) {
        const V own = look_up(density, classes, hn::Load(di, &f.own[k])), base = look_up(density, classes, hn::Load(di, &f.base[k]));
        HWY_ALIGN std::array<float, kLanes> ratio;
        hn::Store(hn::Div(own, base), d, ratio.data());
        float* HWY_RESTRICT to = ratios_.now()[size(f.exceptional.first) + k] + its.lane;
        for (std::size_t j = 0; j < kLanes && k + j < size(f.ratios); ++j) to[j * kLanes] = ratio[j];
      }
      density += classes;
    }
  }

  // All values of a chunk: how far each is from what is usual at that age, on the finding's scale.
  void add_measured(const PeopleTable::Measured& column, const Bits& known) {
    const auto finding = size(column.finding);
    const MeasuredLanes& f = t.measured[finding];
    const double* centre = &t.m.findings[finding].centre[0][0];  // by [sex * kAgeBands + band]
    std::size_t n = 0;
    known.each([&](std::size_t r) { who_knows_[n++] = r; });
    const hn::ScalableTag<double> d;
    const std::size_t* HWY_RESTRICT who = who_knows_.data();
    const double* HWY_RESTRICT value = column.value.data();
    const int *HWY_RESTRICT low = c->low.data(), *HWY_RESTRICT high = c->high.data();
    const float* HWY_RESTRICT w = c->w.data();
    double* HWY_RESTRICT exact = exact_.data();
    const auto usual_of = [&](std::size_t r) {
      const double below = centre[size(low[r])];
      return below + static_cast<double>(w[r]) * (centre[size(high[r])] - below);
    };
    if (f.log_scale) {
      for (std::size_t i = 0; i < n; ++i) exact[i] = value[who[i]] / usual_of(who[i]);
      for (std::size_t i = 0; i < n; i += hn::MaxLanes(d)) hn::StoreU(hn::Log(d, hn::LoadU(d, exact + i)), d, exact + i);
    } else {
      for (std::size_t i = 0; i < n; ++i) exact[i] = value[who[i]] - usual_of(who[i]);
    }
    measured_of_.push_back({&f, off_.size()});
    const std::size_t first = off_.size();
    off_.resize(first + n);
    std::transform(exact, exact + n, off_.begin() + static_cast<std::ptrdiff_t>(first), [](double off) { return static_cast<float>(off); });
  }
  // Those of the block, column by column. Blocks are met in their order, and so are the values of a column.
  HWY_NOINLINE void find_values() {
    const Columns::Block columns = measured_.block();
    std::size_t n = 0;
    for (std::uint64_t& its : known_) its = 0;
    for (const Measured& its : std::span<const Measured>(measured_of_)) {
      const std::uint64_t bits = columns[n];
      known_[n * kLanes / 64] |= bits << n * kLanes % 64;
      ++n;
      if (bits != 0 && its.of->ratios > 0) ratios_of(its.of->exceptional).fill(its.of->ratios, 1.0F);
    }
    values_.clear();
    for (std::size_t w = 0; w < known_.size(); ++w)
      for (std::uint64_t rest = known_[w]; rest != 0; rest &= rest - 1) {
        const std::size_t bit = 64 * w + size(__builtin_ctzll(rest));
        Measured& its = measured_of_[bit / kLanes];
        values_.push_back({its.of, bit % kLanes, off_[its.next++]});
      }
  }

  // Sets of mechanisms: what is present of them already, times what is absent of each. And kinds of state.
  HWY_NOINLINE void make_kinds() {
    const LanesAt sets = (*this)[Part::sets], mechanisms = (*this)[Part::mechanisms], out = kinds.now();
    const LanesAt products = products_.now();
    for (std::size_t i = 1, n = t.products.size(); i < n; ++i) {
      const LaneTables::ProductOf its = t.products[i];
      products.store(i, hn::Mul(products.load(size(its.product)), mechanisms.load(size(its.mechanism))));
    }
    const int* HWY_RESTRICT product = t.product_of_set.data();
    for (std::size_t i = 0, n = size(t.sets); i < n; ++i) sets.times(i, products.load(size(product[i])));
    const Kinds first{t.set_of_kind.data(), t.excepted.data(), t.ratio_of.data(), out.at};
    t.words == 2 ? except_all<2>(first) : except_all<0>(first);
  }
  struct Kinds {
    const std::uint32_t* set;
    const std::uint64_t* excepted;
    const std::uint32_t* ratio;
    float* out;
  };
  // kWords: of answers with exceptions; 0: as many as the tables say.
  template <std::size_t kWords>
  HWY_INLINE void except_all(Kinds at) {
    for (const LaneTables::KindsAlike& its : t.kinds_alike) switch (its.kinds) {
        case 1: at = except<1, kWords>(its.groups, at); break;
        case 2: at = except<2, kWords>(its.groups, at); break;
        case 3: at = except<3, kWords>(its.groups, at); break;
        case 4: at = except<4, kWords>(its.groups, at); break;
        case 5: at = except<5, kWords>(its.groups, at); break;
        case 6: at = except<6, kWords>(its.groups, at); break;
        case 7: at = except<7, kWords>(its.groups, at); break;
        default: at = except<LaneTables::kMostAlike, kWords>(its.groups, at);
      }
  }
  template <std::size_t kKinds>
  static HWY_INLINE void times(std::array<V, kKinds>& v, const float* HWY_RESTRICT ratios, const std::uint32_t* HWY_RESTRICT ratio) {
    for (std::size_t j = 0; j < kKinds; ++j) v[j] = hn::Mul(v[j], hn::Load(D(), ratios + ratio[j]));
  }
  // What all answers with exceptions make of groups of kinds; from where the next ones stand.
  template <std::size_t kKinds, std::size_t kWords>
  HWY_NOINLINE Kinds except(int groups, Kinds at) {
    const D d;
    const std::size_t words = kWords > 0 ? kWords : size(t.words);
    const float *HWY_RESTRICT sets = (*this)[Part::sets].at, *HWY_RESTRICT ratios = ratios_.now().at;
    const std::uint64_t* HWY_RESTRICT given = excepting_.data();
    float* HWY_RESTRICT out = at.out;
    for (int i = 0; i < groups; ++i, out += kKinds * kLanes, at.set += kKinds, at.excepted += words) {
      std::array<V, kKinds> v;
      for (std::size_t j = 0; j < kKinds; ++j) v[j] = hn::Load(d, sets + at.set[j]);
      // Nobody can foresee how many of the answers were given: where bits can be gathered fast, there is one loop for all of them.
      std::size_t before = 0;
#if HWY_TARGET == HWY_AVX3
      std::uint64_t rest = 0;
      for (std::size_t w = 0; w < words; ++w)
        rest |= _pext_u64(given[w], at.excepted[w]) << before, before += size(__builtin_popcountll(at.excepted[w]));
      for (; rest != 0; rest &= rest - 1) times(v, ratios, at.ratio + size(__builtin_ctzll(rest)) * kKinds);
#else
      for (std::size_t w = 0; w < words; ++w) {
        const std::uint64_t all = at.excepted[w];
        for (std::uint64_t rest = all & given[w]; rest != 0; rest &= rest - 1) {
          const std::uint64_t lower = (rest & ~(rest - 1)) - 1;
          times(v, ratios, at.ratio + (before + size(__builtin_popcountll(all & lower))) * kKinds);
        }
        before += size(__builtin_popcountll(all));
      }
#endif
      at.ratio += before * kKinds;
      for (std::size_t j = 0; j < kKinds; ++j) hn::Store(v[j], d, out + j * kLanes);
    }
    at.out = out;
    return at;
  }

  // The ratios of one answer with exceptions, which is said to be one.
  LanesAt ratios_of(const Exceptional& its) {
    if (its.number < 0) return ratios_.now();
    excepting_[size(its.number) / 64] |= std::uint64_t{1} << size(its.number) % 64;
    return {ratios_.now()[size(its.first)]};
  }
  // What an answer of some people makes of kinds of state, over what it makes of their part.
  void except(const Grade& more, Mask who) {
    const V leak = chances_.now().load(size(more.number)), one = all(1.0F), rest = hn::Sub(one, leak);
    LanesAt out = ratios_of(more.exceptional);
    for (const FindingLanes::Ratio its : std::span<const FindingLanes::Ratio>(more.ratios)) {
      const V ratio = hn::Mul(hn::MulAdd(all(its.full), rest, leak), inverse(hn::MulAdd(all(its.base), rest, leak)));
      out.store(0, hn::IfThenElse(who, ratio, one));
      out.at += kLanes;
    }
  }

  // A polynomial each for kMostLanes stages of chains and every person, then in lanes; times what is absent that their course brings.
  HWY_NOINLINE void make_stages() {
    const D d;
    const DI di;
    const VI upper = hn::ShiftLeft<16>(hn::Set(di, 0xffff));
    std::array<const float*, kLanes> p;
    std::array<float, kLanes> x_of;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t r = person(lane);
      p[lane] = t.time.data() + size(c->time_cell[r]) * kTimeWords * size(padded(t.chain_stages)), x_of[lane] = c->time_x[r];
    }
    const LanesAt course = (*this)[Part::course_stages], out = stage.now();
    const int* HWY_RESTRICT course_stage = t.course_stage_of.data();
    for (std::size_t i = 0; i < size(padded(t.chain_stages)); i += kMostLanes) {
      for (std::size_t k = 0; k < kMostLanes; k += kLanes) {
        std::array<V, kLanes> tile;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const float* HWY_RESTRICT its = p[lane] + i * kTimeWords + k;
          if (k == 0)  // the next ones, which nothing else foresees
            for (std::size_t j = 0; j < kTimeWords; ++j) hwy::Prefetch(its + (kTimeWords + j) * kMostLanes);
          const V x = all(x_of[lane]);
          const VI last = hn::BitCast(di, hn::Load(d, its + (kTimeWords - 1) * kMostLanes));
          V v = hn::MulAdd(hn::BitCast(d, hn::ShiftLeft<16>(last)), x, hn::BitCast(d, hn::And(last, upper)));
          for (std::size_t j = kTimeWords - 1; j-- > 0;) v = hn::MulAdd(v, x, hn::Load(d, its + j * kMostLanes));
          tile[lane] = hn::Max(v, hn::Zero(d));
        }
        transpose(tile);
        for (std::size_t j = 0; j < kLanes; ++j) out.store(i + k + j, hn::Mul(tile[j], course.load(size(course_stage[i + k + j]))));
      }
    }
  }

  HWY_NOINLINE void make_spots() {
    std::array<const float*, kLanes> pain;
    for (std::size_t lane = 0; lane < kLanes; ++lane) pain[lane] = t.pain[size(c->people->location[person(lane)] + 1)].data();
    const LanesAt sights = (*this)[Part::sights], felt = felt_.now(), out = spots.now();
    into_lanes(t.pain[0].size(), felt, [&](std::size_t lane, std::size_t i) HWY_ATTR { return hn::Load(D(), pain[lane] + i); });
    const int *HWY_RESTRICT sight = t.sight_of_spot.data(), *HWY_RESTRICT place = t.felt_of_spot.data();
    for (std::size_t i = 0, n = size(t.spots); i < n; ++i) out.store(i, hn::Mul(sights.load(size(sight[i])), felt.load(size(place[i]))));
  }

  // Bits of columns, those of the block at hand side by side.
  class Columns {
   public:
    void clear() { who_.clear(); }
    void add(const Bits& who) { who_.push_back(&who); }
    void go_to(int first) {
      shift_ = size(first) % Bits::kPerWord;
      if (shift_ != 0) return;
      now_.resize(who_.size());
      for (std::size_t i = 0; i < who_.size(); ++i) now_[i] = who_[i]->words[size(first) / Bits::kPerWord];
    }
    // To be held by value, as LanesAt.
    struct Block {
      const std::uint64_t* words;
      std::size_t shift;
      HWY_INLINE std::uint64_t operator[](std::size_t i) const {
        return words[i] >> shift & ~std::uint64_t{0} >> (Bits::kPerWord - kLanes);
      }
    };
    Block block() const { return {now_.data(), shift_}; }

   private:
    std::vector<const Bits*> who_;
    std::vector<std::uint64_t> now_;
    std::size_t shift_ = 0;
  };
  struct Measured {
    const MeasuredLanes* of;
    std::size_t next;  // of off_
  };
  struct OfSets {
    const float* b;
    std::size_t number;
    float height;
  };
  struct Present {
    const Grade* more;
    Part base;
    bool excepting;
  };
  struct Graded {
    int column;
    const FindingLanes* of;
  };
  struct Context {
    int column;
    std::size_t finding;
    const ContextLanes* of;
  };
  // "More than a grade" of one person: b * rest + least.
  struct Factor {
    const float* b;
    float rest, least;
  };
  struct Value {
    const MeasuredLanes* of;
    std::size_t lane;
    float off;
  };

  const LaneTables& t;
  const LaneChunk* c = nullptr;
  Columns absent_, present_, of_sets_, had_, not_had_, measured_;
  std::vector<std::size_t> absent_of_;  // findings
  std::vector<Present> present_of_;
  std::vector<std::size_t> given_;  // of them, or of those about sets, by somebody of the block
  std::vector<OfSets> of_sets_of_;  // of those present ones whose base are sets
  std::vector<Graded> graded_;
  std::vector<Context> context_;

  int first_ = 0;
  std::array<std::size_t, kMostLanes> low_{}, high_{};  // by lane, as in the chunk
  std::array<float, kMostLanes> w_{};
  Lanes said_;                                   // by part
  Lanes chances_;                                // leaks of answers and prevalences of factors
  Lanes felt_;                                   // by place or cause outside the spine: P(pain is felt where it is felt)
  Masks who_;                                    // by finding: those who said that it is absent
  Masks has_, has_not_;                          // by factor of context: those who said so, and that it is absent
  Floats rows_;                                  // of one part, a row a lane
  std::array<std::vector<Given>, kParts> more_;  // by base: what is present of it
  std::vector<std::uint16_t> by_answer_;         // about sets: bit of each lane
  std::vector<std::uint64_t> gave_;              // by lane: bit of each of those answers
  std::vector<Factor> factors_;                  // of one person
  std::vector<Measured> measured_of_;            // by column of measured_
  std::array<std::size_t, kChunk> who_knows_{};  // of one column: rows
  std::array<double, kChunk> exact_{};           // and how far their values are from what is usual
  std::vector<float> off_;                       // the same of all columns, one after the other
  std::vector<std::uint64_t> known_;             // bit i * kLanes + lane: a value of column i
  std::vector<Value> values_;                    // of the block
  Floats density_;                               // of each, by class
  std::vector<std::uint64_t> excepting_;         // bit i: the i-th answer with exceptions, which somebody of the block gave
  Lanes products_;                               // of mechanisms; the first is always 1
  Lanes ratios_;                                 // of all
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
