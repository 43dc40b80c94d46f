// The idea. What a draw moves meets the states through few rows, each a number for every draw. Rates, settings and context are a
// row for each cause. Of a noisy OR, "at most this grade" is a product over what may bring more: such answers fold into a row
// for each mechanism, cause and stage, however many they are. Other answers have a row for each class of signatures that
// their finding's links do not tell apart, and places one for each group of cells. A signature is a product of such rows, which stays in
// registers, and is met once: its cells add to their cause, to the emergencies and to the forecast.
//
// Compiled once for every instruction set, and once for none (Highway's baseline, "plain"), which is all that the page has.
#include "inference/lanes.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "model/state.h"

// SSSE3 adds nothing here; the later AVX-512 sets neither.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "inference/lanes.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep

// Only after it, so that each instruction set reads them anew.
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace dorsalgia {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
using Kind = Parameter::Kind;
using Eigen::Index;

constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kDrawsAbreast = kSideBySide;
constexpr std::size_t kTogether = 2;  // vectors
static_assert(kDrawsAbreast % (kTogether * kLanes) == 0);

struct alignas(64) Row {
  std::array<double, kDrawsAbreast> of;
};

// So many rows, of any numbers at first.
class Table {
 public:
  Table() = default;
  explicit Table(std::size_t rows) : rows_(new Row[rows]), size_(rows) {}
  Row& operator[](std::size_t i) { return rows_[i]; }
  const Row& operator[](std::size_t i) const { return rows_[i]; }
  std::size_t size() const { return size_; }
  Row* begin() { return rows_.get(); }
  Row* end() { return rows_.get() + size_; }

 private:
  std::unique_ptr<Row[]> rows_;
  std::size_t size_ = 0;
};

HWY_INLINE V all(double x) { return hn::Set(D(), x); }
HWY_INLINE V load(const Row& row, std::size_t d) { return hn::Load(D(), row.of.data() + d); }
HWY_INLINE V load(const double* by, std::size_t d) { return hn::LoadU(D(), by + d); }
HWY_INLINE void store(V v, Row& row, std::size_t d) { hn::Store(v, D(), row.of.data() + d); }

// row[d] = of(d), for vectors of draws.
template <class Of>
HWY_INLINE void make(Row& row, const Of& of) {
  for (std::size_t d = 0; d < kDrawsAbreast; d += kLanes) store(of(d), row, d);
}
// The same four vectors at a time, for loops inside of which something else is looped over.
template <class Of>
HWY_INLINE void make_by_four(Row& row, const Of& of) {
  constexpr std::size_t kStep = std::min<std::size_t>(4, kDrawsAbreast / kLanes);
  for (std::size_t d = 0; d < kDrawsAbreast; d += kStep * kLanes) {
    std::array<V, kStep> v;
    of(d, v);
    for (std::size_t i = 0; i < kStep; ++i) store(v[i], row, d + i * kLanes);
  }
}
HWY_INLINE void times(Row& row, const Row& other) {
  for (std::size_t d = 0; d < kDrawsAbreast; d += kLanes) store(hn::Mul(load(row, d), load(other, d)), row, d);
}
HWY_INLINE void set(Row& row, double x) { row.of.fill(x); }

// A probability under each draw; of one that hangs on age, between the two ends of its band, which move.
struct Moving {
  double x, to, share;  // share: how far on the way to `to`
  const double* by;     // what the odds are multiplied by; null: nothing
};
HWY_INLINE V odds(double x, V by) {
  const V out = hn::Mul(all(x), by);
  return hn::Div(out, hn::Add(out, all(1 - x)));
}
HWY_INLINE V at(const Moving& its, std::size_t d) {
  if (its.by == nullptr) return all(its.x);
  const V by = load(its.by, d), from = odds(its.x, by);
  return its.share > 0 ? hn::MulAdd(all(its.share), hn::Sub(odds(its.to, by), from), from) : from;
}

class Draws {
 public:
  Draws(const Drawing& drawing, DrawnPosteriors& sums)
      : c(drawing),
        t(drawing.t),
        m(*drawing.t.m),
        moved(drawing.moved),
        sums_(sums),
        rows_(static_cast<std::size_t>(drawing.rows)),
        parts_(static_cast<std::size_t>(drawing.parts)),
        rates_(drawing.t.m->causes.size()),
        there_(drawing.t.m->causes.size()),
        scale_(drawing.levels.size(), 0) {
    set(rows_[Drawing::kOne], 1);
  }

  double run(const std::vector<Profile>& people) {
    for (first_ = 0; first_ < sums_.emergency.size(); first_ += kSideBySide) {
      fold();
      for (const Profile& x : people) {
        causes(x, people.size() == 1);
        for (std::size_t i = 0; i < c.levels.size(); ++i) level(i, x);
        if (!c.about_place.empty()) groups(x);
        add();
      }
    }
    double out = 0;
    for (double scale : scale_) out += scale > 0 ? std::log(scale) : 0;
    return out;
  }

 private:
  const double* by(Kind kind, int owner, int index) const {
    const double* out = moved.by(kind, owner, index);
    return out == nullptr ? nullptr : out + first_;
  }
  static Moving stays(double x) { return {x, x, 0, nullptr}; }
  Moving link(int finding, std::size_t k, int grade) const {
    const double x = m.findings[finding].links[k].p[grade];
    return {x, x, 0, by(Kind::link, finding, static_cast<int>(k))};
  }
  static Moving at_its_age(const AgeSex& table, const Profile& x, const double* by) {
    if (by == nullptr) return stays(at_age(table, x.sex, x.age));
    const auto& its = table[static_cast<std::size_t>(x.sex)];
    const AgeBetween between(x.age);
    const double from = its[between.low], to = its[between.high];
    return {from, to, from == to ? 0 : between.share, by};
  }
  Moving leak(int finding, int grade, const Profile& x) const {
    return at_its_age(m.findings[finding].leak[grade], x, by(Kind::leak, finding, 0));
  }

  // ---- by cause

  // "At most this grade": what is left of each part of a state. 1 - p of all that bring more is one fraction, divided once.
  HWY_NOINLINE void fold() {
    std::vector<double> above(parts_.size(), 1);
    for (Row& part : parts_) set(part, 1);
    for (const auto& [part, x, its_by] : c.brings) {
      above[static_cast<std::size_t>(part)] *= 1 - x;
      if (its_by == nullptr) continue;
      Row& below = parts_[static_cast<std::size_t>(part)];
      const double* by = its_by + first_;
      for (std::size_t d = 0; d < kDrawsAbreast; d += kLanes)
        store(hn::Mul(load(below, d), hn::MulAdd(all(x), load(by, d), all(1 - x))), below, d);
    }
    for (std::size_t i = 0; i < parts_.size(); ++i)
      make(parts_[i], [&](std::size_t d) HWY_ATTR { return hn::Div(all(above[i]), load(parts_[i], d)); });
    const std::size_t first_stage = m.mechanisms.size() + m.causes.size();
    for (std::size_t i = first_stage; i < parts_.size(); ++i) row(c.first_stage, i - first_stage) = parts_[i];
    if (c.first_set == Drawing::kOne) return;
    for (std::size_t i = 0; i < t.sets.size(); ++i) {
      Row& its = row(c.first_set, i);
      set(its, 1);
      for (MechanismSet rest = t.sets[i]; rest; rest &= rest - 1) times(its, parts_[static_cast<std::size_t>(__builtin_ctz(rest))]);
    }
  }

  HWY_NOINLINE void causes(const Profile& x, bool one_profile) {
    const std::size_t count = m.causes.size();
    // How often people of this age and sex come, among all whom the person may be, hangs on all rates together.
    Row who, total, share;
    set(who, 0);
    double unmoved = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const double rate = at_age(m.causes[i].rate, x.sex, x.age), *its_by = by(Kind::rate, static_cast<int>(i), 0);
      make(rates_[i], [&](std::size_t d) HWY_ATTR { return its_by ? hn::Mul(all(rate), load(its_by, d)) : all(rate); });
      make(who, [&](std::size_t d) HWY_ATTR { return hn::Add(load(who, d), load(rates_[i], d)); });
      unmoved += rate;
      set(row(Drawing::kCauses, i), 0);
    }
    for (int s = 0; s < static_cast<int>(m.settings.size()); ++s) {
      if (c.p.setting >= 0 && c.p.setting != s) continue;
      set(total, 0);
      const double* cancers = by(Kind::cancers_in, -1, s);
      for (std::size_t i = 0; i < count; ++i) {
        const double* its_by = by(Kind::setting, static_cast<int>(i), s);
        const double* also = m.is_malignant(static_cast<int>(i)) ? cancers : nullptr;
        make(there_[i], [&](std::size_t d) HWY_ATTR {
          V its = hn::Mul(load(rates_[i], d), all(m.causes[i].settings[s]));
          if (its_by) its = hn::Mul(its, load(its_by, d));
          return also ? hn::Mul(its, load(also, d)) : its;
        });
        make(total, [&](std::size_t d) HWY_ATTR { return hn::Add(load(total, d), load(there_[i], d)); });
      }
      const double its_share = (c.p.setting >= 0 ? 1 : m.setting_shares[s]) * x.weight / unmoved;
      make(share, [&](std::size_t d) HWY_ATTR { return hn::Div(hn::Mul(all(its_share), load(who, d)), load(total, d)); });
      for (std::size_t i = 0; i < count; ++i) {
        Row& its = row(Drawing::kCauses, i);
        make(its, [&](std::size_t d) HWY_ATTR { return hn::MulAdd(load(share, d), load(there_[i], d), load(its, d)); });
      }
    }
    for (std::size_t i = 0; i < count; ++i) times(row(Drawing::kCauses, i), parts_[m.mechanisms.size() + i]);
    for (const Answer& a : c.p.answers)
      if (t.about_context(a)) with_context(a, x, [&](int i, const Row& its) HWY_ATTR { times(row(Drawing::kCauses, i), its); });
    for (const AnyOf& any : c.p.any_of) {
      if (!t.about_context(any)) continue;
      for (Row& none : there_) set(none, 1);
      for (const Answer& a : any.answers) {
        const Table its = holds(a, x);
        for (std::size_t i = 0; i < count; ++i) times_others(there_[i], its[i]);
      }
      for (std::size_t i = 0; i < count; ++i) times_others(row(Drawing::kCauses, i), there_[i]);
    }
    if (one_profile) return;  // leaks are common to all states of a profile
    Row kept;
    set(kept, 1);
    for (const Answer* a : c.at_most) {
      const Moving its = leak(a->finding, a->high, x);
      make(kept, [&](std::size_t d) HWY_ATTR { return hn::NegMulAdd(at(its, d), load(kept, d), load(kept, d)); });
    }
    for (std::size_t i = 0; i < count; ++i) times(row(Drawing::kCauses, i), kept);
  }

  // Calls use(cause, likelihood) for each cause; those without a link to the factor share one row.
  template <class Use>
  HWY_INLINE void with_context(const Answer& a, const Profile& x, const Use& use) const {
    const ModelFinding& f = m.findings[a.finding];
    const bool nobody = at_age(f.prevalence, x.sex, x.age) <= 0;
    Row prevalence, its, common;
    const Moving moving = at_its_age(f.prevalence, x, by(Kind::prevalence, a.finding, 0));
    make(prevalence, [&](std::size_t d) HWY_ATTR { return at(moving, d); });
    const auto likelihood = [&](V present, double meant) HWY_ATTR {
      return a.low == 0 ? hn::MulAdd(all(meant - 1), present, all(1)) : hn::Mul(all(meant), present);
    };
    bool known = false;
    for (int i = 0; i < static_cast<int>(m.causes.size()); ++i) {
      const int link = t.context_link[a.finding][i];
      if (link < 0 && known) {
        use(i, common);
        continue;
      }
      const double meant = a.high >= 1 ? t.meant(a, i) : 0;
      if (link < 0 || nobody) {
        Row& to = link < 0 ? common : its;
        known = known || link < 0;
        make(to, [&](std::size_t d) HWY_ATTR { return likelihood(load(prevalence, d), meant); });
        use(i, to);
        continue;
      }
      const ModelContextLink& linked = m.causes[i].context[link];
      const double value = linked.value, *moves = by(Kind::factor, i, link);
      make(its, [&](std::size_t d) HWY_ATTR {
        if (linked.is_share) return likelihood(at({value, value, 0, moves}, d), meant);
        const V ratio = moves ? hn::Mul(all(value), load(moves, d)) : all(value), p = load(prevalence, d);
        return likelihood(hn::Div(hn::Mul(p, ratio), hn::MulAdd(p, hn::Sub(ratio, all(1)), all(1))), meant);
      });
      use(i, its);
    }
  }

  // ---- by class of signatures, by group

  HWY_NOINLINE void level(std::size_t i, const Profile& x) {
    const Drawing::Level& level = c.levels[i];
    const std::size_t count = classes(level);
    Row* rows = &row(level.first, 0);
    if (level.plain) {
      likelihood(*level.members[0], x, rows);
    } else {
      for (std::size_t k = 0; k < count; ++k) set(rows[k], 1);
      for (std::size_t member = 0; member < level.members.size(); ++member) {
        const Table its = holds(*level.members[member], x);
        for (std::size_t k = 0; k < count; ++k) times_others(rows[k], its[static_cast<std::size_t>(level.classes[k][member])]);
      }
      for (std::size_t k = 0; k < count; ++k) make(rows[k], [&](std::size_t d) HWY_ATTR { return hn::Sub(all(1), load(rows[k], d)); });
    }
    // So that many answers do not end below what a double holds.
    if (scale_[i] == 0) {
      V most = all(0);
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t d = 0; d < kDrawsAbreast; d += kLanes) most = hn::Max(most, load(rows[k], d));
      scale_[i] = hn::GetLane(hn::MaxOfLanes(D(), most));
    }
    if (!(scale_[i] > 0)) return;
    const double by = 1 / scale_[i];
    for (std::size_t k = 0; k < count; ++k) make(rows[k], [&](std::size_t d) HWY_ATTR { return hn::Mul(all(by), load(rows[k], d)); });
  }
  std::size_t classes(const Drawing::Level& level) const {
    return level.plain ? t.classes[level.members[0]->finding].links.size() : level.classes.size();
  }
  // row *= 1 - other
  static HWY_INLINE void times_others(Row& row, const Row& other) {
    make(row, [&](std::size_t d) HWY_ATTR { return hn::NegMulAdd(load(other, d), load(row, d), load(row, d)); });
  }

  // P(this member of an "any of" holds | what is answered about the same finding): Tables::holds.
  Table holds(const Answer& a, const Profile& x) const {
    Table known(t.about_context(a) ? m.causes.size() : t.classes[a.finding].links.size());
    const Answer* own = c.p.answer(a.finding);
    likelihood(own ? *own : a, x, known.begin());
    if (!own) return known;
    const std::optional<Answer> together = both(a, *own);
    Table out(known.size());
    if (together) likelihood(*together, x, out.begin());
    for (std::size_t i = 0; i < out.size(); ++i)
      for (std::size_t d = 0; d < kDrawsAbreast; ++d) out[i].of[d] = together && known[i].of[d] > 0 ? out[i].of[d] / known[i].of[d] : 0;
    return out;
  }

  // By class of the finding's links; of context by cause.
  HWY_NOINLINE void likelihood(const Answer& a, const Profile& x, Row* out) const {
    const ModelFinding& f = m.findings[a.finding];
    if (t.about_context(a)) {
      with_context(a, x, [&](int i, const Row& its) { out[i] = its; });
    } else if (f.shape == Shape::measured) {
      of_value(a, x, out);
    } else {
      const std::size_t count = t.classes[a.finding].links.size();
      const bool high = a.high<f.grades - 1, low = a.low> 0;
      if (high) upto(a, a.high, x, out);
      else
        for (std::size_t i = 0; i < count; ++i) set(out[i], 1);
      if (!low) return;
      Table below(count);
      upto(a, a.low - 1, x, below.begin());
      for (std::size_t i = 0; i < count; ++i)
        make(out[i], [&](std::size_t d) HWY_ATTR { return hn::Max(hn::Sub(load(out[i], d), load(below[i], d)), all(0)); });
    }
  }
  HWY_NOINLINE void upto(const Answer& a, int grade, const Profile& x, Row* out) const {
    const ModelFinding& f = m.findings[a.finding];
    Table fails(f.links.size());
    for (std::size_t k = 0; k < fails.size(); ++k) {
      const Moving its = link(a.finding, k, grade);
      make(fails[k], [&](std::size_t d) HWY_ATTR { return hn::Sub(all(1), at(its, d)); });
    }
    Row keep;
    const Moving its = leak(a.finding, grade, x);
    make(keep, [&](std::size_t d) HWY_ATTR { return hn::Sub(all(1), at(its, d)); });
    const auto& classes = t.classes[a.finding].links;
    for (std::size_t i = 0; i < classes.size(); ++i)
      make_by_four(out[i], [&](std::size_t d, auto& v) HWY_ATTR {
        for (std::size_t n = 0; n < v.size(); ++n) v[n] = load(keep, d + n * kLanes);
        for (int k : classes[i])
          for (std::size_t n = 0; n < v.size(); ++n) v[n] = hn::Mul(v[n], load(fails[static_cast<std::size_t>(k)], d + n * kLanes));
      });
  }
  HWY_NOINLINE void of_value(const Answer& a, const Profile& x, Row* out) const {
    const ModelFinding& f = m.findings[a.finding];
    const MeasuredAnswer value(a, f, x);
    const auto& classes = t.classes[a.finding].links;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      Row shift;
      set(shift, 0);
      for (int k : classes[i]) {
        const double its = f.shifts[k].shift, *moves = by(Kind::shift, a.finding, k);
        make(shift, [&](std::size_t d) HWY_ATTR { return hn::Add(load(shift, d), moves ? hn::Add(all(its), load(moves, d)) : all(its)); });
      }
      const double sd = std::sqrt(t.shift_class[a.finding][i].second);
      if (!value.exact) {
        for (std::size_t d = 0; d < kDrawsAbreast; ++d) out[i].of[d] = value.modelled(shift.of[d], sd);
      } else {
        const double above = value.from - value.centre, height = 0.3989422804014326779 / sd;
        make(out[i], [&](std::size_t d) HWY_ATTR {
          const V z = hn::Mul(hn::Sub(all(above), load(shift, d)), all(1 / sd));
          return hn::Mul(hn::Exp(D(), hn::Mul(hn::Mul(z, z), all(-0.5))), all(height));
        });
      }
      make(out[i], [&](std::size_t d) HWY_ATTR { return hn::MulAdd(all(1 - kUnmodelled), load(out[i], d), all(value.unmodelled)); });
    }
  }

  // What answers about places leave of a group, summed over its levels.
  HWY_NOINLINE void groups(const Profile& x) {
    const Index places = t.places();
    if (places_.size() == 0) places_ = Table(static_cast<std::size_t>(places) * t.patterns.size());
    for (int spot : c.spots) set(places_[static_cast<std::size_t>(spot)], c.at_places(spot % places, spot / places));
    for (const Answer* a : c.about_place) {
      if (a->low != a->high) continue;
      const ModelFinding& f = m.findings[a->finding];
      Row keep, none;
      const Moving leaks = leak(a->finding, 0, x);
      make(keep, [&](std::size_t d) HWY_ATTR { return hn::Sub(all(1), at(leaks, d)); });
      Table bring(f.links.size());
      for (std::size_t k = 0; k < bring.size(); ++k) {
        const Moving its = link(a->finding, k, 0);
        make(bring[k], [&](std::size_t d) HWY_ATTR { return at(its, d); });
      }
      for (int spot : c.spots) {
        none = keep;
        for (std::size_t k = 0; k < bring.size(); ++k) {
          if (!(t.patterns[static_cast<std::size_t>(spot / places)] >> f.links[k].index & 1)) continue;
          const double reached = reach(m, f, f.links[k].index, t.level_at[static_cast<std::size_t>(spot % places)]);
          if (reached <= 0) continue;
          make(none,
               [&](std::size_t d) HWY_ATTR { return hn::Mul(load(none, d), hn::NegMulAdd(all(reached), load(bring[k], d), all(1))); });
        }
        Row& its = places_[static_cast<std::size_t>(spot)];
        if (a->low == 0) times(its, none);
        else times_others(its, none);
      }
    }
    for (std::size_t g = 0; g < t.groups.size(); ++g) {
      const auto [cause, canal, pattern, klass] = t.groups[g];
      const Row* its = places_.begin() + pattern * places;
      shares_.clear();
      for (Index l = t.canal_begin[canal]; l < t.canal_begin[canal + 1]; ++l)
        if (const double share = t.level_share(l, cause) * (l == t.outside ? c.referred[cause] : 1); share > 0)
          shares_.push_back({share, its + l});
      make_by_four(row(c.first_group, g), [&](std::size_t d, auto& v) HWY_ATTR {
        for (V& sum : v) sum = all(0);
        for (const auto& [share, place] : shares_)
          for (std::size_t n = 0; n < v.size(); ++n) v[n] = hn::MulAdd(all(share), load(*place, d + n * kLanes), v[n]);
      });
    }
  }

  // ---- products

  // Some vectors at a time, so that all sums stay in registers.
  HWY_NOINLINE void add() {
    constexpr std::size_t kAhead = std::tuple_size_v<Forecast>;
    using Some = std::array<V, kTogether>;
    const auto nothing = [](Some& sum) HWY_ATTR {
      for (V& v : sum) v = all(0);
    };
    const auto more = [](Some& sum, double weight, const Some& w) HWY_ATTR {
      for (std::size_t n = 0; n < kTogether; ++n) sum[n] = hn::MulAdd(all(weight), w[n], sum[n]);
    };
    for (std::size_t d = 0; d < kDrawsAbreast; d += kTogether * kLanes) {
      const auto times = [&](Some& product, int factor) HWY_ATTR {
        const double* its = rows_[static_cast<std::size_t>(factor)].of.data() + d;
        for (std::size_t n = 0; n < kTogether; ++n) product[n] = hn::Mul(product[n], hn::Load(D(), its + n * kLanes));
      };
      const auto put = [&](Eigen::Ref<Eigen::ArrayXd> column, const Some& sum) HWY_ATTR {
        double* to = column.data() + first_ + static_cast<Index>(d);
        for (std::size_t n = 0; n < kTogether; ++n, to += kLanes) hn::StoreU(hn::Add(hn::LoadU(D(), to), sum[n]), D(), to);
      };
      Some its, emergency;
      std::array<Some, kAhead> ahead;
      nothing(its), nothing(emergency);
      for (Some& sum : ahead) nothing(sum);
      const int* factors = c.factors.data();
      for (std::size_t i = 0; i + 1 < c.met.size(); ++i) {
        const Drawing::Met& met = c.met[i];
        Some p;
        const double* first = rows_[static_cast<std::size_t>(*factors++)].of.data() + d;
        for (std::size_t n = 0; n < kTogether; ++n) p[n] = hn::Load(D(), first + n * kLanes);
        for (std::size_t k = 1; k < c.factors_each; ++k) times(p, *factors++);
        for (std::size_t k = met.first_cell; k < c.met[i + 1].first_cell; ++k) {
          const Drawing::Cell& cell = c.cells[k];
          Some w = p;
          times(w, cell.group);
          more(its, cell.weight, w);
          if (met.emergency) more(emergency, cell.weight, w);
          for (std::size_t at = 0; cell.ahead.back() > 0 && at < kAhead; ++at) more(ahead[at], cell.ahead[at], w);
        }
        if (c.met[i + 1].cause == met.cause) continue;
        put(sums_.causes.col(met.cause), its);
        nothing(its);
      }
      put(sums_.emergency, emergency);
      for (std::size_t at = 0; at < kAhead; ++at) put(sums_.compression.col(static_cast<Index>(at)), ahead[at]);
    }
  }

  template <class I>
  Row& row(int first, I i) {
    return rows_[static_cast<std::size_t>(first) + static_cast<std::size_t>(i)];
  }

  const Drawing& c;
  const ExactEngine::Tables& t;
  const Model& m;
  const MovedNumbers& moved;
  DrawnPosteriors& sums_;
  Index first_ = 0;            // of these draws
  Table rows_;                 // as Drawing numbers them
  Table parts_;                // what answers "at most" leave of parts
  Table rates_, there_;        // by cause
  Table places_;               // by pattern * places + place
  std::vector<double> scale_;  // by level: what its rows are divided by
  std::vector<std::pair<double, const Row*>> shares_;
};

double draw(const Drawing& drawing, const std::vector<Profile>& people, DrawnPosteriors& sums) { return Draws(drawing, sums).run(people); }

void times_log2(double* x, std::size_t n) {
  const D d;
  const auto of = [&](V v) HWY_ATTR { return hn::Mul(hn::Max(v, all(0)), hn::Mul(hn::Log(d, hn::Max(v, all(1e-300))), all(M_LOG2E))); };
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(of(hn::LoadU(d, x + i)), d, x + i);
  for (; i < n; ++i) x[i] = hn::GetLane(of(all(x[i])));
}

// sum + a * b, of so many numbers filled up.
HWY_INLINE V plus_product(V sum, const double* a, const double* b, Index n) {
  static_assert(ProspectTables::kAtOnce % kLanes == 0);
  for (Index i = 0; i < n; i += static_cast<Index>(kLanes)) sum = hn::MulAdd(hn::LoadU(D(), a + i), hn::LoadU(D(), b + i), sum);
  return sum;
}

void at_most(const ProspectTables& tables, const Weights& weights, ByClass* out) {
  for (Index column = 0; column < tables.at_most.cols(); ++column) {
    const double* rows = tables.at_most.data() + column * tables.at_most.rows();
    for (int k = 0; k < kClasses; ++k) {
      const int row = tables.row_begin[k];
      V sum = plus_product(all(0), weights.row + row, rows + row, tables.row_begin[k + 1] - row);
      const auto at = static_cast<std::size_t>(kClasses * column + k);
      for (std::size_t i = tables.first_causes[at]; i < tables.first_causes[at + 1]; ++i) {
        const auto [first, count, by] = tables.causes[i];
        sum = plus_product(sum, weights.signature + first, tables.by_cause.data() + by, count);
      }
      double stages = 0;
      for (std::size_t i = tables.first_stages[at]; i < tables.first_stages[at + 1]; ++i)
        stages += weights.kind[tables.stages[i].kind] * tables.stages[i].by;
      out[column][k] = stages + hn::GetLane(hn::SumOfLanes(D(), sum));
    }
  }
}

void product(const double* in, const std::vector<const double*>& rows, double* out, std::size_t n) {
  const D d;
  constexpr std::size_t kStep = 4 * kLanes;
  std::size_t i = 0;
  for (; i + kStep <= n; i += kStep) {
    V a = hn::LoadU(d, in + i), b = hn::LoadU(d, in + i + kLanes);
    V e = hn::LoadU(d, in + i + 2 * kLanes), f = hn::LoadU(d, in + i + 3 * kLanes);
    for (const double* row : rows) {
      a = hn::Mul(a, hn::LoadU(d, row + i)), b = hn::Mul(b, hn::LoadU(d, row + i + kLanes));
      e = hn::Mul(e, hn::LoadU(d, row + i + 2 * kLanes)), f = hn::Mul(f, hn::LoadU(d, row + i + 3 * kLanes));
    }
    hn::StoreU(a, d, out + i), hn::StoreU(b, d, out + i + kLanes);
    hn::StoreU(e, d, out + i + 2 * kLanes), hn::StoreU(f, d, out + i + 3 * kLanes);
  }
  for (; i < n; ++i) {
    out[i] = in[i];
    for (const double* row : rows) out[i] *= row[i];
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace dorsalgia
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dorsalgia {

HWY_EXPORT(draw);
HWY_EXPORT(times_log2);
HWY_EXPORT(at_most);
HWY_EXPORT(product);

std::vector<Lanes> lanes() {
  std::vector<Lanes> out;
#if (HWY_TARGETS & (HWY_TARGETS - 1)) == 0
  out.push_back(
      {"plain", HWY_STATIC_DISPATCH(draw), HWY_STATIC_DISPATCH(times_log2), HWY_STATIC_DISPATCH(at_most), HWY_STATIC_DISPATCH(product)});
#else
  const auto add = [&](std::int64_t target, const char* name) {
    if (!(hwy::SupportedTargets() & HWY_TARGETS & target)) return;
    hwy::ChosenTarget chosen;
    chosen.Update(target);
    const std::size_t i = chosen.GetIndex();
    out.push_back({name, HWY_DISPATCH_TABLE(draw)[i], HWY_DISPATCH_TABLE(times_log2)[i], HWY_DISPATCH_TABLE(at_most)[i],
                   HWY_DISPATCH_TABLE(product)[i]});
  };
  add(HWY_AVX3, "avx512"), add(HWY_AVX2, "avx2"), add(HWY_SSE4, "sse4"), add(HWY_STATIC_TARGET, "plain");
#endif
  return out;
}

}  // namespace dorsalgia
#endif
