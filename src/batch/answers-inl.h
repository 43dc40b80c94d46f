// What the people of a block have answered, multiplied row by row: for each person and each part of a state (mechanisms,
// causes, stages, spots, sets) the product of a row an answer, along the table, then turned into lanes. "Absent" is a row
// as it stands; "present" is b + (1 - b) leak. Kinds of state that differ from their part of an answer are exceptions.
//
// A row is multiplied in registers: memory that is stored and soon loaded again is slow, the slower the wider the vectors.
// Read anew for every instruction set.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
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
  explicit Answers(const LaneTables& tables)
      : stage(tables.chain_stages),
        kinds(tables.kinds),
        prevalence(tables.factors),
        t(tables),
        length_{tables.mechanisms, tables.causes, tables.course_stages, tables.spots, tables.sets},
        leaks_(tables.grades),
        ratios_(tables.most_ratios) {
    int longest = padded(t.factors);
    for (int length : length_) {
      parts.emplace_back(length);
      longest = std::max(longest, padded(length));
    }
    rows_.assign(size(longest) * kLanes, 0.0F);
    coming_.resize(size(padded(t.causes)));
    std::size_t classes = 0;
    for (const MeasuredLanes& its : t.measured) {
      classes = std::max(classes, its.shift.size());
      shift_ratios_.emplace_back(its.ratios);
    }
    density_.resize(classes);
  }

  // From now on of this chunk.
  void begin(const LaneChunk& chunk) {
    c = &chunk;
    for (std::size_t part = 0; part < kParts; ++part) absent_[part].clear(), present_[part].clear(), graded_[part].clear();
    for (const int column : c->discrete) {
      const FindingLanes& f = t.finding[size(c->people->graded[size(column)].finding)];
      for (const auto& its : f.absent)
        absent_[static_cast<std::size_t>(its.part)].push_back({&c->planes.absent[size(column)], its.left.data()});
      const auto base = static_cast<std::size_t>(f.base);
      if (f.upto.size() == 1) present_[base].push_back({&c->planes.present[size(column)], f.upto.data()});
      else graded_[base].push_back({column, &f});
    }
  }

  // By part: what it weighs. Causes: how many come with each as well. All but for factors common to all states of a person.
  std::vector<Lanes> parts;
  Lanes stage;       // by stage of a chain: P(presenting then in it), times what is absent that its course brings
  Lanes kinds;       // by kind of state: its set, and what is an exception to that
  Lanes prevalence;  // by factor, at each person's age

  LanesAt operator[](Part part) const { return parts[static_cast<std::size_t>(part)].now(); }

  void read(int first) {
    first_ = first;
    excepting_.clear(), shifting_.clear();
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t r = person(lane);
      low_[lane] = size(c->low[r]), high_[lane] = size(c->high[r]), w_[lane] = c->w[r];
    }
    for (std::size_t part = 0; part < kParts; ++part) {
      const std::size_t n = size(padded(length_[part]));
      find(absent_[part], absent_by_), find(present_[part], present_by_);
      for (std::size_t i = 0; i < present_[part].size(); ++i)
        if (present_by_.by_answer[i] != 0 && !present_[part][i].more->exceptions.empty())
          excepting_.push_back({present_[part][i].more, present_by_.by_answer[i]});
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        factors_of(present_[part], lane);
        multiply(absent_[part], lane, begin(static_cast<Part>(part), lane), n);
      }
      multiply_graded(graded_[part], n);
      if (static_cast<Part>(part) == Part::sets) multiply_measured(n);
      into_lanes(rows_.data(), n, (*this)[static_cast<Part>(part)]);
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      row_at_age_of(lane, t.prevalence, t.factors, rows_.data() + lane * size(padded(t.factors)));
    into_lanes(rows_.data(), size(padded(t.factors)), prevalence.now());
    sets();
    stages();
  }

  // Row of a lane; the last block repeats its last row.
  std::size_t person(std::size_t lane) const { return size(std::min(first_ + static_cast<int>(lane), c->people->rows - 1)); }

 private:
  using Grade = FindingLanes::Grade;
  // One answer that a column may hold, and who gave it.
  struct Absent {
    const Bits* who;
    const float* left;
  };
  struct Present {
    const Bits* who;
    const Grade* more;
  };
  struct Graded {
    int column;
    const FindingLanes* of;
  };

  // One number of such a table at a person's age.
  float at_age_of(std::size_t lane, const ByAge& table, std::size_t i) const {
    const float low = table[low_[lane]][i], high = table[high_[lane]][i];
    return low + w_[lane] * (high - low);
  }

  // Which of a list of answers a person of the block gave: bit i of a lane's words, the i-th.
  struct Given {
    std::vector<std::uint16_t> by_answer;  // bit of each lane
    std::vector<std::uint64_t> by_lane;    // words of the first, of the second, ...
    std::size_t words = 0;

    template <class Use>
    HWY_INLINE void each(std::size_t lane, Use use) const {
      for (std::size_t w = 0; w < words; ++w)
        for (std::uint64_t rest = by_lane[lane * words + w]; rest != 0; rest &= rest - 1) use(64 * w + size(__builtin_ctzll(rest)));
    }
  };

  template <class Answer>
  HWY_INLINE void find(const std::vector<Answer>& answers, Given& out) {
    const hn::ScalableTag<std::uint16_t> d;
    constexpr std::size_t kWide = hn::MaxLanes(d);
    out.words = (answers.size() + 63) / 64;
    out.by_answer.resize(64 * out.words), out.by_lane.resize(kLanes * out.words);
    std::uint16_t* HWY_RESTRICT of = out.by_answer.data();
    for (std::size_t i = 0; i < answers.size(); ++i) of[i] = static_cast<std::uint16_t>(answers[i].who->slice(first_, kLanes));
    std::fill(out.by_answer.begin() + static_cast<std::ptrdiff_t>(answers.size()), out.by_answer.end(), std::uint16_t{0});
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto its = hn::Set(d, static_cast<std::uint16_t>(1U << lane));
      for (std::size_t w = 0; w < out.words; ++w) {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < 64; i += kWide) {
          std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
          hn::StoreMaskBits(d, hn::TestBit(hn::LoadU(d, of + 64 * w + i), its), bytes.data());
          std::uint64_t part = 0;
          std::memcpy(&part, bytes.data(), bytes.size());
          word |= part << i;
        }
        out.by_lane[lane * out.words + w] = word;
      }
    }
  }

  // "More than a grade" of one person: b * rest + least.
  struct Factor {
    const float* b;
    float rest, least;
  };

  // Those of one person.
  HWY_INLINE void factors_of(const std::vector<Present>& answers, std::size_t lane) {
    factors_.clear();
    present_by_.each(lane, [&](std::size_t i) { add(*answers[i].more, lane); });
  }
  HWY_INLINE void add(const Grade& more, std::size_t lane) {
    const float leak = at_age_of(lane, t.leak, size(more.number));
    factors_.push_back({more.b.data(), 1 - leak, more.height * leak});
    leaks_.now()[size(more.number)][lane] = leak;
  }

  // What a row is before any answer.
  HWY_INLINE const float* begin(Part part, std::size_t lane) {
    const std::size_t r = person(lane);
    if (part == Part::spots) return t.pain[size(c->people->location[r] + 1)].data();
    if (part != Part::causes) return t.ones.data();
    come(r, lane, coming_.data());
    return coming_.data();
  }

  // A person's row, as many vectors at once as registers hold.
  HWY_NOINLINE void multiply(const std::vector<Absent>& absent, std::size_t lane, const float* HWY_RESTRICT from, std::size_t n) {
    float* HWY_RESTRICT to = rows_.data() + lane * n;
    std::size_t k = 0;
    for (; k + 10 * kLanes <= n; k += 10 * kLanes) multiply<10>(absent, lane, k, from, to);
    for (; k + 7 * kLanes <= n; k += 7 * kLanes) multiply<7>(absent, lane, k, from, to);
    for (; k + 5 * kLanes <= n; k += 5 * kLanes) multiply<5>(absent, lane, k, from, to);
    for (; k + 2 * kLanes <= n; k += 2 * kLanes) multiply<2>(absent, lane, k, from, to);
    for (; k < n; k += kLanes) multiply<1>(absent, lane, k, from, to);
  }
  template <std::size_t kWide>
  HWY_INLINE void multiply(const std::vector<Absent>& absent, std::size_t lane, std::size_t k, const float* HWY_RESTRICT from,
                           float* HWY_RESTRICT to) const {
    const D d;
    std::array<V, kWide> v;
    for (std::size_t j = 0; j < kWide; ++j) v[j] = hn::Load(d, from + k + j * kLanes);
    absent_by_.each(lane, [&](std::size_t i) HWY_ATTR {
      const float* HWY_RESTRICT left = absent[i].left + k;
      for (std::size_t j = 0; j < kWide; ++j) v[j] = hn::Mul(v[j], hn::Load(d, left + j * kLanes));
    });
    for (const Factor& its : factors_) {
      const V rest = all(its.rest), least = all(its.least);
      for (std::size_t j = 0; j < kWide; ++j) v[j] = hn::Mul(v[j], hn::MulAdd(hn::Load(d, its.b + k + j * kLanes), rest, least));
    }
    for (std::size_t j = 0; j < kWide; ++j) hn::Store(v[j], d, to + k + j * kLanes);
  }

  // More than a grade, whatever else, once the row is made.
  void multiply(const Grade& more, std::size_t lane, std::size_t n) {
    const D d;
    factors_.clear();
    add(more, lane);
    const V rest = all(factors_[0].rest), least = all(factors_[0].least);
    float* HWY_RESTRICT row = rows_.data() + lane * n;
    for (std::size_t k = 0; k < n; k += kLanes)
      hn::Store(hn::Mul(hn::Load(d, row + k), hn::MulAdd(hn::Load(d, factors_[0].b + k), rest, least)), d, row + k);
  }

  HWY_NOINLINE void multiply_graded(const std::vector<Graded>& answers, std::size_t n) {
    for (const Graded& its : answers)
      for (std::uint64_t rest = c->planes.present[size(its.column)].slice(first_, kLanes); rest != 0; rest &= rest - 1) {
        const std::size_t lane = size(__builtin_ctzll(rest));
        const int grade = c->people->graded[size(its.column)].grade[person(lane)];
        const auto& upto = its.of->upto;
        if (grade == kPresentAny) multiply(upto[0], lane, n);
        else if (size(grade) == upto.size()) multiply(upto[size(grade) - 1], lane, n);
        else multiply(upto[size(grade) - 1], upto[size(grade)], lane, n);
      }
  }

  // Values that were measured: by class of shifts, what they say of sets over what they say of most sets, and what of kinds over that.
  // Few people have any one of them.
  HWY_NOINLINE void multiply_measured(std::size_t n) {
    const D d;
    const DI di;
    for (std::size_t i = 0; i < c->people->measured.size(); ++i) {
      const auto& said = c->people->measured[i];
      const ModelFinding& finding = t.m.findings[size(said.finding)];
      const MeasuredLanes& f = t.measured[size(said.finding)];
      float* HWY_RESTRICT ratio = nullptr;
      for (std::uint64_t rest = c->planes.measured[i].slice(first_, kLanes); rest != 0; rest &= rest - 1) {
        const std::size_t lane = size(__builtin_ctzll(rest)), classes = f.shift.size();
        const V x = all(off_usual(finding, said.value[person(lane)], lane));
        float* HWY_RESTRICT density = density_.data();
        for (std::size_t k = 0; k < classes; k += kLanes) {
          const V z = hn::Mul(hn::Sub(x, hn::Load(d, &f.shift[k])), hn::Load(d, &f.precision[k]));
          const V bell = hn::Exp(d, hn::Mul(hn::Mul(z, z), all(-0.5F)));
          hn::Store(hn::MulAdd(bell, hn::Load(d, &f.height[k]), all(f.unmodelled)), d, density + k);
        }
        float* HWY_RESTRICT row = rows_.data() + lane * n;
        const V over_usual = all(1 / density[f.usual]);
        for (std::size_t k = 0; k < n; k += kLanes) {
          const V its = hn::Mul(look_up(density, classes, hn::Load(di, &f.of_set[k])), over_usual);
          hn::Store(hn::Mul(hn::Load(d, row + k), its), d, row + k);
        }
        if (f.ratios == 0) continue;
        if (ratio == nullptr) {
          ratio = shift_ratios_[size(said.finding)].now().at;
          shift_ratios_[size(said.finding)].now().fill(f.ratios, 1.0F);
          shifting_.push_back(size(said.finding));
        }
        for (std::size_t k = 0; k < size(f.ratios); k += kLanes) {
          const V own = look_up(density, classes, hn::Load(di, &f.own[k])), base = look_up(density, classes, hn::Load(di, &f.base[k]));
          HWY_ALIGN std::array<float, kLanes> its;
          hn::Store(hn::Div(own, base), d, its.data());
          for (std::size_t j = 0; j < kLanes && k + j < size(f.ratios); ++j) ratio[(k + j) * kLanes + lane] = its[j];
        }
      }
    }
  }

  // How far a value is from what is usual at that age, on the finding's scale.
  float off_usual(const ModelFinding& f, double value, std::size_t lane) const {
    const auto& centre = f.centre[low_[lane] / kAgeBands];
    const double low = centre[low_[lane] % kAgeBands], high = centre[high_[lane] % kAgeBands];
    const double usual = low + static_cast<double>(w_[lane]) * (high - low);
    return static_cast<float>(f.log_scale ? on_scale(true, value / usual) : value - usual);
  }

  // One grade: P(more than the one below) - P(more than this); differences are taken before leaks are added.
  HWY_NOINLINE void multiply(const Grade& above, const Grade& below, std::size_t lane, std::size_t n) {
    const D d;
    const V leak = all(at_age_of(lane, t.leak, size(above.number))), its_leak = all(at_age_of(lane, t.leak, size(below.number))),
            one = all(1.0F);
    const V unit = all(1 / above.height), its_unit = all(1 / below.height);
    float* HWY_RESTRICT row = rows_.data() + lane * n;
    for (std::size_t k = 0; k < n; k += kLanes) {
      const V b = hn::Mul(hn::Load(d, above.b.data() + k), unit), its_b = hn::Mul(hn::Load(d, below.b.data() + k), its_unit);
      const V with_leaks = hn::NegMulAdd(hn::Sub(one, its_b), its_leak, hn::MulAdd(hn::Sub(one, b), leak, hn::Sub(b, its_b)));
      hn::Store(hn::Mul(hn::Load(d, row + k), hn::Max(with_leaks, hn::Zero(d))), d, row + k);
    }
  }

  // Sets of mechanisms: what is present of them already, times what is absent of each. And kinds of state.
  HWY_NOINLINE void sets() {
    const LanesAt sets = (*this)[Part::sets], mechanisms = (*this)[Part::mechanisms], out = kinds.now();
    for (std::size_t i = 0; i < size(t.sets); ++i) {
      V v = sets.load(i);
      for (int k : t.mechanisms_of_set[i]) v = hn::Mul(v, mechanisms.load(size(k)));
      sets.store(i, v);
    }
    for (std::size_t i = 0; i < size(t.kinds); ++i) out.store(i, sets.load(size(t.set_of_kind[i])));
    for (const Excepting& its : excepting_) except(*its.more, mask_of(its.who));
    for (const std::size_t finding : shifting_) multiply(t.measured[finding].exceptions, shift_ratios_[finding].now());
  }

  // What an answer of some people makes of kinds of state, over what it makes of their part.
  void except(const Grade& more, Mask who) {
    const V leak = leaks_.now().load(size(more.number)), one = all(1.0F), rest = hn::Sub(one, leak);
    const LanesAt ratios = ratios_.now();
    for (std::size_t i = 0; i < more.ratios.size(); ++i) {
      const V full = hn::MulAdd(all(more.ratios[i].full), rest, leak), base = hn::MulAdd(all(more.ratios[i].base), rest, leak);
      ratios.store(i, hn::IfThenElse(who, hn::Mul(full, inverse(base)), one));
    }
    multiply(more.exceptions, ratios);
  }
  HWY_INLINE void multiply(const std::vector<Exception>& exceptions, const LanesAt ratios) {
    const D d;
    float* HWY_RESTRICT out = kinds.now().at;
    for (const Exception& its : exceptions)
      hn::Store(hn::Mul(hn::Load(d, out + its.kind), hn::Load(d, ratios.at + its.ratio)), d, out + its.kind);
  }

  // A row of such a table at a person's age.
  HWY_INLINE void row_at_age_of(std::size_t lane, const ByAge& table, int length, float* HWY_RESTRICT out) const {
    const D d;
    const float *HWY_RESTRICT low = table[low_[lane]].data(), *HWY_RESTRICT high = table[high_[lane]].data();
    const V w = all(w_[lane]);
    for (std::size_t k = 0; k < size(padded(length)); k += kLanes) {
      const V from = hn::Load(d, low + k);
      hn::Store(hn::MulAdd(w, hn::Sub(hn::Load(d, high + k), from), from), d, out + k);
    }
  }

  // Who comes, by cause. A known setting counts alone; an unknown one by its share of those who come.
  HWY_INLINE void come(std::size_t r, std::size_t lane, float* HWY_RESTRICT out) const {
    const D d;
    const std::size_t n = size(padded(t.causes));
    row_at_age_of(lane, t.rate, t.causes, out);
    if (const int setting = c->people->setting[r]; setting != kUnknown) {
      const float* its = t.setting[size(setting)].data();
      for (std::size_t k = 0; k < n; k += kLanes) hn::Store(hn::Mul(hn::Load(d, out + k), hn::Load(d, its + k)), d, out + k);
      return;
    }
    for (std::size_t k = 0; k < n; k += kLanes) {
      V selected = hn::Zero(d);
      for (std::size_t s = 0; s < t.setting.size(); ++s) {
        const V weight = all(static_cast<float>(1e3 * t.m.setting_shares[s]) / at_age_of(lane, t.coming, s));
        selected = hn::MulAdd(weight, hn::Load(d, t.setting[s].data() + k), selected);
      }
      hn::Store(hn::Mul(hn::Load(d, out + k), selected), d, out + k);
    }
  }

  // A polynomial each for kMostLanes stages of chains and every person, then in lanes; times what is absent that their course brings.
  HWY_NOINLINE void stages() {
    const D d;
    std::array<const float*, kLanes> p;
    std::array<float, kLanes> x_of;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const std::size_t r = person(lane);
      p[lane] = t.time.data() + size(c->time_cell[r]) * (kTimeDegree + 1) * size(padded(t.chain_stages)), x_of[lane] = c->time_x[r];
    }
    const LanesAt course = (*this)[Part::course_stages], out = stage.now();
    const int* HWY_RESTRICT course_stage = t.course_stage_of.data();
    for (std::size_t i = 0; i < size(padded(t.chain_stages)); i += kMostLanes) {
      for (std::size_t k = 0; k < kMostLanes; k += kLanes) {
        std::array<V, kLanes> tile;
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
          const float* HWY_RESTRICT its = p[lane] + i * (kTimeDegree + 1) + k;
          const V x = all(x_of[lane]);
          V v = hn::Load(d, its + kTimeDegree * kMostLanes);
          for (std::size_t j = kTimeDegree; j-- > 0;) v = hn::MulAdd(v, x, hn::Load(d, its + j * kMostLanes));
          tile[lane] = hn::Max(v, hn::Zero(d));
        }
        transpose(tile);
        for (std::size_t j = 0; j < kLanes; ++j) out.store(i + k + j, hn::Mul(tile[j], course.load(size(course_stage[i + k + j]))));
      }
    }
  }

  const LaneTables& t;
  const LaneChunk* c = nullptr;
  int first_ = 0;
  std::array<std::size_t, kMostLanes> low_{}, high_{};  // by lane, as in the chunk
  std::array<float, kMostLanes> w_{};
  std::array<int, kParts> length_;
  std::array<std::vector<Absent>, kParts> absent_;
  std::array<std::vector<Present>, kParts> present_;
  std::array<std::vector<Graded>, kParts> graded_;
  Given absent_by_, present_by_;  // of one part
  std::vector<Factor> factors_;   // of one part and person
  Floats coming_;                 // who comes, of one person
  Floats rows_;                   // of one part, a row a lane
  struct Excepting {
    const Grade* more;
    std::uint64_t who;
  };
  std::vector<Excepting> excepting_;   // answers with exceptions that somebody of the block gave
  std::vector<std::size_t> shifting_;  // measured findings with exceptions of which somebody's value is known
  Lanes leaks_;                        // by grade, of those who gave that answer
  Lanes ratios_;                       // of one answer
  std::vector<Lanes> shift_ratios_;    // by finding
  Floats density_;                     // of one value, by class
};

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#endif
