#include "batch/lanes.h"

#include <Eigen/LU>
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <stdexcept>
#include <tuple>

#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kFirstWeeks = 0.1;  // log(t + this): cells are as wide as t is long, but near 0
constexpr double kLastWeeks = 6500;  // the longest that may be said
constexpr int kTimeCells = 60;
constexpr double kLeastLeak = 1e-20;  // in place of 0: a likelihood is divided by another

float narrow(double x) { return static_cast<float>(x); }
// The upper half of a number in single precision, rounded.
std::uint32_t half_a_word(double x) {
  const auto bits = std::bit_cast<std::uint32_t>(narrow(x));
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
double to_half_a_word(double x) { return static_cast<double>(std::bit_cast<float>(half_a_word(x) << 16)); }
std::size_t at(int i) { return static_cast<std::size_t>(i); }
Floats row(int n, float value) { return Floats(at(padded(n)), value); }

std::vector<int> members(MechanismSet set) {
  std::vector<int> out;
  for (MechanismSet rest = set; rest; rest &= rest - 1) out.push_back(__builtin_ctz(rest));
  return out;
}

// What is left of "absent", by parent.
struct Shares {
  const ModelFinding& f;

  double of_set(MechanismSet set, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::mechanism && (set >> l.index & 1); });
  }
  double of_cause(int cause, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::cause && l.index == cause; });
  }
  double of_stage(int course, int stage, std::size_t g) const {
    return product(g, [&](const Link& l) { return l.parent == Parent::stage && l.index == course && l.stage == stage; });
  }
  bool any(Parent parent) const {
    return std::any_of(f.links.begin(), f.links.end(), [&](const Link& l) { return l.parent == parent; });
  }

 private:
  template <class Speaks>
  double product(std::size_t g, Speaks speaks) const {
    double a = 1;
    for (const Link& l : f.links)
      if (speaks(l)) a *= 1 - l.p[g];
    return a;
  }
};

}  // namespace

// What single signatures make of an answer, over what they make of it as members of the base: of one grade or one measured finding.
struct LaneTables::Exceptions {
  struct One {
    int signature;
    Saying saying;
  };
  FindingLanes::Grade* grade;
  MeasuredLanes* measured;
  std::vector<One> all;

  Exceptional& exceptional() const { return measured ? measured->exceptional : grade->exceptional; }
};

LaneTables::LaneTables(const Model& model, const Space& space, int people_side_by_side)
    : m(model),
      s(space),
      lanes(people_side_by_side),
      causes(static_cast<int>(m.causes.size())),
      stages(s.stage_offset.back()),
      sets(static_cast<int>(s.sets.size())),
      mechanisms(static_cast<int>(m.mechanisms.size())),
      places(static_cast<int>(m.levels.size())),
      settings(static_cast<int>(m.settings.size())) {
  for (const ModelCourse& course : m.courses) {
    first_of_course_.push_back(course_stages);
    course_stages += static_cast<int>(course.stages.size());
  }
  for (Floats& its : rate) its = row(causes, 0);
  setting.assign(at(settings), row(causes, 0));
  for (Floats& its : coming) its = row(settings, 0);
  for (int c = 0; c < causes; ++c) {
    const ModelCause& cause = m.causes[at(c)];
    tumour.push_back(m.is_tumour(c) ? 1.0F : 0.0F), malignant.push_back(m.is_malignant(c) ? 1.0F : 0.0F);
    for (int k = s.stage_offset[at(c)]; k < s.stage_offset[at(c) + 1]; ++k) {
      const int in_course = (k - s.stage_offset[at(c)]) % s.stages(c);
      told_stage_of.push_back(told_stages + in_course);
    }
    first_told.push_back(told_stages);
    told_stages += s.stages(c);
    for (std::size_t i = 0; i < at(settings); ++i) setting[i][at(c)] = narrow(cause.settings[i]);
    for (std::size_t i = 0; i < rate.size(); ++i) {
      const double its = cause.rate[i / kAgeBands][i % kAgeBands];
      rate[i][at(c)] = narrow(its);
      for (std::size_t k = 0; k < at(settings); ++k) coming[i][k] += narrow(its * cause.settings[k]);
    }
  }
  first_told.push_back(told_stages);
  find_products();
  const std::vector<Draft> drafts = lay_out_states();
  find_sights();
  length_ = {mechanisms, causes, course_stages, static_cast<int>(sights_.size()), sets};
  for (std::size_t i = 0; i < kParts; ++i) first_[i] = said, said += padded(length_[i]);
  absent_of_.resize(at(said));
  fit_times();
  finding.resize(m.findings.size()), context.resize(m.findings.size()), measured.resize(m.findings.size());
  std::vector<Exceptions> exceptions;
  for (std::size_t i = 0; i < m.findings.size(); ++i) {
    const ModelFinding& f = m.findings[i];
    if (f.shape == Shape::context || f.shape == Shape::history) add_context(i);
    else if (f.shape == Shape::measured) add_measured(i, exceptions);
    else if (f.place_segment >= 0) add_place(i);
    else add_discrete(i, exceptions);
  }
  lay_out_absent();
  lay_out_context();
  lay_out_cells(drafts, find_kinds(exceptions));
}

void LaneTables::find_products() {
  std::map<MechanismSet, int> known{{0, 0}};
  products.push_back({0, -1});
  const auto product = [&](auto self, MechanismSet set) -> int {
    if (const auto it = known.find(set); it != known.end()) return it->second;
    // One mechanism less, if that is known already.
    int last = -1;
    for (int k : members(set))
      if (last < 0 || known.count(set & ~(MechanismSet{1} << k)) > 0) last = k;
    products.push_back({self(self, set & ~(MechanismSet{1} << last)), last});
    return known[set] = static_cast<int>(products.size()) - 1;
  };
  std::vector<MechanismSet> by_size(s.sets.begin(), s.sets.end());
  std::stable_sort(by_size.begin(), by_size.end(), [](auto a, auto b) { return __builtin_popcount(a) < __builtin_popcount(b); });
  for (MechanismSet set : by_size) product(product, set);
  for (MechanismSet set : s.sets) product_of_set.push_back(known.at(set));
}

std::vector<LaneTables::Draft> LaneTables::lay_out_states() {
  MechanismSet neural = 0;
  for (MechanismSet pattern : s.patterns) neural |= pattern, mechanisms_of_pattern.push_back(members(pattern));

  // Groups, cause by cause, and the cells of each by variant and stage.
  std::vector<int> order(s.groups.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return s.groups[at(a)].cause < s.groups[at(b)].cause; });
  std::vector<std::vector<int>> cells_of(s.groups.size());
  for (std::size_t i = 0; i < s.cells.size(); ++i) cells_of[at(s.cells[i].group)].push_back(static_cast<int>(i));
  const std::map<int, Forecast> forecast_of(s.compressible.begin(), s.compressible.end());
  std::map<MechanismSet, int> others;
  const auto cells_in = [&](int old, double part) {
    std::map<int, std::vector<int>> by_stage;
    for (int i : cells_of[at(old)]) by_stage[s.stage_of[at(s.cells[at(i)].signature)]].push_back(i);
    std::vector<Draft> out;
    for (const auto& [stage, variants] : by_stage) {
      Draft draft{stage, {}, {}};
      for (std::size_t v = 0; v < variants.size(); ++v) {
        const auto& its = s.cells[at(variants[v])];
        const auto [it, fresh] = others.emplace(s.signatures[at(its.signature)].active & ~neural, static_cast<int>(others.size()));
        if (fresh) mechanisms_of_others.push_back(members(it->first));
        draft.variant[v] = {its.signature, it->second, narrow(its.share / part)};
        if (const auto p = forecast_of.find(variants[v]); p != forecast_of.end())
          std::transform(p->second.begin(), p->second.end(), draft.ahead.begin(), narrow);
      }
      if (variants.size() == 1) draft.variant[1] = draft.variant[0], draft.variant[1].share = 0;
      out.push_back(draft);
    }
    // How often there is an accompaniment does not hang on the stage, in which it may bring nothing new.
    const auto two = std::find_if(out.begin(), out.end(), [](const Draft& its) { return its.variant[1].share > 0; });
    if (two == out.end()) return out;
    const float first = two->variant[0].share, second = two->variant[1].share;
    for (Draft& its : out) {
      auto& [one, other] = its.variant;
      if (other.share > 0 && std::abs(one.share - first) > std::abs(other.share - first)) std::swap(one, other);
      one.share = first, other.share = second;
    }
    return out;
  };

  // Portions, bucket by bucket
  struct Joint {
    std::vector<Draft> cells;
    int pattern;
    bool emergency;
    std::vector<int> portions;
  };
  std::vector<std::vector<Joint>> of_cause(at(causes));
  std::map<std::pair<int, int>, std::vector<int>> of_bucket;  // by part of the canal and pattern
  for (int i : order) of_bucket[{s.groups[at(i)].canal, s.groups[at(i)].pattern}].push_back(i);
  for (const auto& [where, its] : of_bucket) {
    const int canal = where.first, pattern = where.second;
    const int from = static_cast<int>(s.canal_begin[at(canal)]), end = static_cast<int>(s.canal_begin[at(canal) + 1]);
    Bucket b{pattern, from, end - from, spots, {}, {}, {}};
    spots += b.places;
    for (int l = from; l < end; ++l) spot_of_.push_back({s.patterns[at(pattern)], l, -1});
    const auto share = [&](int i, int l) { return m.causes[at(s.groups[at(i)].cause)].levels[at(s.level_at[at(l)])]; };
    // Places side by side are one run where most causes make no difference between them.
    for (int l = from; l < end; ++l) {
      const auto same = [&, l](int i) { return share(i, l) == share(i, l - 1); };
      const bool goes_on = l > from && l != s.outside && 2 * std::count_if(its.begin(), its.end(), same) > std::ssize(its);
      b.run.push_back(goes_on ? runs - 1 : runs++);
    }
    const auto goes_on = [&](int l) { return l > from && b.run[at(l - from)] == b.run[at(l - from - 1)]; };
    const auto even_there = [&](int i) {
      for (int l = from; l < end; ++l)
        if (goes_on(l) && share(i, l) != share(i, l - 1)) return false;
      return true;
    };
    std::vector<int> even_first = its;
    const auto first_uneven = std::stable_partition(even_first.begin(), even_first.end(), even_there);
    b.even = {portions, static_cast<int>(first_uneven - even_first.begin()), {}};
    b.uneven = {portions + b.even.count, static_cast<int>(even_first.end() - first_uneven), {}};
    for (int old : even_first) {
      const PlaceGroup& g = s.groups[at(old)];
      const bool even = portions < b.uneven.first;
      double part = 0;  // of the levels
      for (int l = from; l < end; ++l) {
        part += share(old, l);
        if (!even || !goes_on(l)) (even ? b.even : b.uneven).share.push_back(l == s.outside ? 0 : narrow(share(old, l)));
        if (l == s.outside && share(old, l) > 0) outside.push_back({portions, pattern, g.cause, narrow(share(old, l))});
      }
      std::vector<Draft> cells = cells_in(old, part);
      std::vector<Joint>& all = of_cause[at(g.cause)];
      const bool emergency = (g.klass & 1) != 0;
      auto same = std::find_if(all.begin(), all.end(),
                               [&](const Joint& x) { return x.pattern == pattern && x.emergency == emergency && x.cells == cells; });
      if (same == all.end()) same = all.insert(same, {std::move(cells), pattern, emergency, {}});
      same->portions.push_back(portions++);
    }
    for (Outside& o : outside)
      if (o.portion >= b.even.first) {
        spot_of_.push_back({s.patterns[at(pattern)], s.outside, o.spot});
        o.spot = spots++;
      }
    buckets.push_back(std::move(b));
  }

  // Groups, form by form; in turn those of different causes, so that sums by slot are not added to again at once (a store that is
  // loaded again costs ten additions).
  std::map<std::pair<Form, int>, std::vector<std::pair<int, const Joint*>>> of_form;
  for (int c = 0; c < causes; ++c) {
    std::map<Form, int> met;
    for (const Joint& x : of_cause[at(c)]) {
      const auto any = [&](auto holds) { return std::any_of(x.cells.begin(), x.cells.end(), holds); };
      const Form its{static_cast<int>(x.cells.size()), any([](const Draft& one) { return one.variant[1].share > 0; }),
                     any([](const Draft& one) { return one.ahead.front() < 1 && one.ahead.back() > 0; }),
                     x.cells.front().ahead.front() == 1, x.emergency};
      of_form[{its, met[its]++}].emplace_back(c, &x);
    }
  }
  std::vector<Draft> drafts;
  const Form* last = nullptr;
  for (const auto& [key, its] : of_form) {
    if (last == nullptr || *last != key.first) form.push_back(key.first);
    last = &key.first;
    form.back().groups += static_cast<int>(its.size());
    for (const auto& [c, x] : its) {
      drafts.insert(drafts.end(), x->cells.begin(), x->cells.end());
      group.push_back({c, x->portions[0], {}});
      for (std::size_t v = 0; v < 2; ++v) group.back().shares[v] = x->cells[0].variant[v].share;
      if (x->portions.size() == 1) continue;
      group.back().portion = portions + static_cast<int>(joint.size());
      joint.push_back(x->portions);
    }
  }
  // Where it hurts: of spots in the spine it hangs on the level, outside on the cause that refers it there.
  int felt = s.canal_begin.back();
  for (const Spot& its : spot_of_) felt_of_spot.push_back(its.cause >= 0 ? felt++ : its.place);
  pain.assign(m.locations.size() + 1, row(felt, 1));
  for (std::size_t x = 0; x < m.locations.size(); ++x)
    for (std::size_t i = 0; i < spot_of_.size(); ++i) {
      const auto& [pattern, place, cause] = spot_of_[i];
      float& out = pain[x + 1][at(felt_of_spot[i])];
      if (cause >= 0) out = narrow(m.causes[at(cause)].referral[x]);
      else if (place != s.outside) out = narrow(m.levels[at(s.level_at[at(place)])].pain[x]);
    }
  return drafts;
}

// A polynomial a cell, through the Chebyshev nodes.
void LaneTables::fit_times() {
  std::vector<int> first_of_chain;
  for (const Chain& chain : s.chains) {
    first_of_chain.push_back(chain_stages);
    chain_stages += static_cast<int>(chain.stages());
  }
  chain_stage_of.resize(at(stages));
  course_stage_of.resize(at(padded(chain_stages)));
  std::vector<double> share(at(chain_stages));  // presenting in that stage, whatever the time
  for (const Strand& strand : s.strands)
    for (int k = 0; k < static_cast<int>(s.chains[at(strand.chain)].stages()); ++k) {
      const int its = chain_stage_of[at(strand.first + k)] = first_of_chain[at(strand.chain)] + k;
      share[at(its)] = s.ever[at(strand.first + k)];
      course_stage_of[at(its)] = first_of_course_[at(m.causes[at(strand.cause)].course)] + k;
    }
  time_cells = kTimeCells;
  first_weeks = kFirstWeeks, first_log = std::log(kFirstWeeks), last_weeks = kLastWeeks;
  cell_width = (std::log(kLastWeeks + kFirstWeeks) - first_log) / kTimeCells;
  constexpr int n = kTimeDegree + 1;
  time = row((time_cells + 1) * kTimeWords * padded(chain_stages), 0);
  Eigen::Matrix<double, n, n> powers;
  std::array<double, n> node{};
  for (int i = 0; i < n; ++i) {
    node[at(i)] = std::cos((2 * i + 1) * M_PI / (2 * n));
    for (int j = 0; j < n; ++j) powers(i, j) = std::pow(node[at(i)], j);
  }
  const Eigen::Matrix<double, n, n> to_coefficients = powers.inverse();
  for (int piece = 0; piece < time_cells; ++piece) {
    Eigen::MatrixXd values(n, chain_stages);
    for (int i = 0; i < n; ++i) {
      const double t = std::max(0.0, std::exp(first_log + (piece + (node[at(i)] + 1) / 2) * cell_width) - kFirstWeeks);
      std::vector<double> density(at(chain_stages));
      for (std::size_t chain = 0; chain < s.chains.size(); ++chain) s.chains[chain].density(t, density.data() + first_of_chain[chain]);
      for (int k = 0; k < chain_stages; ++k)
        values(i, k) = (1 - m.background_share) * density[at(k)] + m.background_share * background_density(m, t) * share[at(k)];
    }
    Eigen::MatrixXd c = to_coefficients * values;
    for (int k = 0; k < chain_stages; ++k) {
      // What rounding leaves of the highest powers goes to lower ones, as Chebyshev polynomials have it: x^5 is about 5/4 x^3 - 5/16 x, to
      // 1/16, and x^4 about x^2 - 1/8, to 1/8.
      static_assert(kTimeDegree == 5);
      const double rest_5 = c(5, k) - to_half_a_word(c(5, k)), rest_4 = c(4, k) - to_half_a_word(c(4, k));
      c(3, k) += 1.25 * rest_5, c(1, k) -= 0.3125 * rest_5, c(2, k) += rest_4, c(0, k) -= 0.125 * rest_4;
      for (int j = 0; j < 4; ++j) time_word(piece, j, k) = narrow(c(j, k));
      time_word(piece, 4, k) = std::bit_cast<float>(half_a_word(c(4, k)) << 16 | half_a_word(c(5, k)));
    }
  }
  for (int k = 0; k < chain_stages; ++k) time_word(time_cells, 0, k) = narrow(share[at(k)]);
}

float& LaneTables::time_word(int piece, int word, int chain_stage) {
  const int block = chain_stage / kMostLanes * kMostLanes;
  return time[at((piece * padded(chain_stages) + block) * kTimeWords + word * kMostLanes + chain_stage - block)];
}

void LaneTables::add_context(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  ContextLanes& out = context[i];
  out.number = add_chance(f.prevalence, 0);
  for (const Floats& its : chance) out.always_possible = out.always_possible && its[at(out.number)] > 0;
  for (std::size_t b = 1; b < kHistoryBins; ++b) {
    out.bin_possible[b] = f.shape == Shape::context || f.years[b - 1] > 0;
    out.always_possible = out.always_possible && out.bin_possible[b];
  }
  for (int c = 0; c < causes; ++c)
    for (const ModelContextLink& link : m.causes[at(c)].context) {
      if (link.finding != static_cast<int>(i)) continue;
      out.linked = true;

      if (f.shape != Shape::history) continue;
      for (std::size_t b = 1; b < kHistoryBins; ++b) {
        const float date = f.years[b - 1] > 0 ? narrow(link.years[b - 1] / f.years[b - 1]) : 0;
        if (date != 1) out.by_bin[b].push_back({c, date}), out.dated = true;
      }
    }
}

void LaneTables::lay_out_context() {
  for (const ModelCause& cause : m.causes) {
    ContextOf& its = context_of.emplace_back();
    for (const bool share : {false, true})
      for (const ModelContextLink& link : cause.context) {
        if (link.is_share != share) continue;
        ++(share ? its.shares : its.ratios);
        context_links.push_back({static_cast<std::uint32_t>(link.finding), in_lanes(context[at(link.finding)].number), narrow(link.value)});
      }
  }
}

void LaneTables::add_measured(std::size_t i, std::vector<Exceptions>& exceptions) {
  const ModelFinding& f = m.findings[i];
  MeasuredLanes& out = measured[i];
  out.log_scale = f.log_scale;
  out.unmodelled = narrow(kUnmodelled / (on_scale(f.log_scale, f.possible_high) - on_scale(f.log_scale, f.possible_low)));
  std::map<std::pair<double, double>, int> known;
  const auto shift_class = [&](MechanismSet set, int cause) {
    double shift = 0, variance = f.spread * f.spread;
    for (const ShiftLink& link : f.shifts)
      if (link.is_cause ? link.index == cause : (set >> link.index & 1) != 0) shift += link.shift, variance += link.variance;
    const auto [it, fresh] = known.emplace(std::make_pair(shift, variance), static_cast<int>(known.size()));
    if (fresh) {
      out.shift.push_back(narrow(shift)), out.precision.push_back(narrow(1 / std::sqrt(variance)));
      out.height.push_back(narrow((1 - kUnmodelled) / std::sqrt(2 * M_PI * variance)));
    }
    return it->second;
  };
  std::vector<int> members_of_class;
  for (MechanismSet set : s.sets) {
    const std::size_t its = at(out.of_set.emplace_back(shift_class(set, -1)));
    members_of_class.resize(std::max(members_of_class.size(), its + 1));
    ++members_of_class[its];
  }
  out.usual = static_cast<int>(std::max_element(members_of_class.begin(), members_of_class.end()) - members_of_class.begin());

  Exceptions shifted{nullptr, &out, {}};
  for (std::size_t k = 0; k < s.signatures.size(); ++k) {
    const int own = shift_class(s.signatures[k].active, s.signatures[k].cause), base = out.of_set[at(s.set_of[k])];
    if (own != base) shifted.all.push_back({static_cast<int>(k), {static_cast<float>(own), static_cast<float>(base)}});
  }
  exceptions.push_back(std::move(shifted));
  out.of_set.resize(at(padded(sets)), out.usual);
  for (Floats* by_class : {&out.shift, &out.precision, &out.height}) by_class->resize(at(padded(static_cast<int>(known.size()))));
}

int LaneTables::add_chance(const AgeSex& table, double least) {
  const int number = chances++;
  for (std::size_t age = 0; age < chance.size(); ++age) {
    chance[age].resize(at(padded(chances)));
    chance[age][at(number)] = narrow(std::max(least, table[age / kAgeBands][age % kAgeBands]));
  }
  return number;
}

void LaneTables::add_absent(std::size_t i, Part part, int which, double left) {
  if (left != 1) absent_of_[at(first(part) + which)].emplace(static_cast<int>(i), 1.0F).first->second *= narrow(left);
}

void LaneTables::lay_out_absent() {
  struct Together {
    std::vector<int> members;
    std::set<int> findings;
  };
  std::vector<int> rest;
  for (int i = 0; i < said; ++i)
    if (!absent_of_[at(i)].empty()) rest.push_back(i);
  const auto links = [&](int i) { return absent_of_[at(i)].size(); };
  std::stable_sort(rest.begin(), rest.end(), [&](int a, int b) { return links(a) > links(b); });
  // From the member with most links on, each with those who share most of their findings with it.
  std::map<std::size_t, std::vector<Together>> by_links;
  while (!rest.empty()) {
    Together its;
    std::vector<char> speaks(m.findings.size());  // of any of them
    while (its.members.size() < kAbreast && !rest.empty()) {
      const auto shared = [&](int i) {
        int out = 0;
        for (const auto& [f, unused] : absent_of_[at(i)]) out += speaks[at(f)] != 0 ? 1 : -1;
        return out;
      };
      std::vector<int> gain;
      std::transform(rest.begin(), rest.end(), std::back_inserter(gain), shared);
      const auto next = rest.begin() + (its.members.empty() ? 0 : std::max_element(gain.begin(), gain.end()) - gain.begin());
      for (const auto& [f, unused] : absent_of_[at(*next)]) its.findings.insert(f), speaks[at(f)] = 1;
      its.members.push_back(*next);
      rest.erase(next);
    }
    its.members.resize(kAbreast, said);  // what stands in for a member
    by_links[its.findings.size()].push_back(std::move(its));
  }
  said += kMostLanes;
  absent_of_.resize(at(said));
  for (const auto& [n, all] : by_links) {
    abreast.push_back({static_cast<int>(all.size()), static_cast<int>(n)});
    for (const Together& its : all) {
      for (const int i : its.members) member.push_back(in_lanes(i));
      for (const int f : its.findings) {
        absent.push_back(static_cast<std::uint32_t>(f));
        for (const int i : its.members) {
          const auto left = absent_of_[at(i)].find(f);
          left_of.push_back(left == absent_of_[at(i)].end() ? 1.0F : left->second);
        }
      }
    }
  }
}

double LaneTables::left_of_spot(const ModelFinding& f, const Spot& spot) const {
  double left = 1;
  for (const Link& link : f.links)
    if (spot.pattern >> link.index & 1) left *= 1 - link.p[0] * reach(m, f, link.index, s.level_at[at(spot.place)]);
  return left;
}

void LaneTables::find_sights() {
  std::map<std::vector<double>, int> known;
  for (const Spot& spot : spot_of_) {
    std::vector<double> left;
    for (const ModelFinding& f : m.findings)
      if (f.place_segment >= 0) left.push_back(left_of_spot(f, spot));
    const auto [it, fresh] = known.emplace(left, static_cast<int>(known.size()));
    if (fresh) sights_.push_back(spot);
    sight_of_spot.push_back(it->second);
  }
}

void LaneTables::add_place(std::size_t i) {
  const ModelFinding& f = m.findings[i];
  FindingLanes& out = finding[i];
  out.base = Part::sights;
  FindingLanes::Grade grade;
  grade.number = add_chance(f.leak[0], kLeastLeak);
  grade.b = row(static_cast<int>(sights_.size()), 0);
  for (std::size_t k = 0; k < sights_.size(); ++k) {
    const double left = left_of_spot(f, sights_[k]);
    grade.b[k] = narrow(1 - left);
    add_absent(i, Part::sights, static_cast<int>(k), left);
  }
  out.upto.push_back(std::move(grade));
}

void LaneTables::add_discrete(std::size_t i, std::vector<Exceptions>& exceptions) {
  const ModelFinding& f = m.findings[i];
  FindingLanes& out = finding[i];
  const Shares shares{f};
  out.base = shares.any(Parent::mechanism) ? Part::sets : shares.any(Parent::stage) ? Part::course_stages : Part::causes;
  for (const Link& link : f.links) {
    const double left = 1 - link.p[0];
    switch (link.parent) {
      case Parent::mechanism: add_absent(i, Part::mechanisms, link.index, left); break;
      case Parent::cause: add_absent(i, Part::causes, link.index, left); break;
      case Parent::stage: add_absent(i, Part::course_stages, first_of_course_[at(link.index)] + link.stage, left); break;
    }
  }
  out.upto.resize(at(f.grades) - 1);
  for (std::size_t g = 0; g < out.upto.size(); ++g) {
    std::vector<double> base;  // what is left of "at most this"
    if (out.base == Part::sets)
      for (MechanismSet set : s.sets) base.push_back(shares.of_set(set, g));
    if (out.base == Part::causes)
      for (int c = 0; c < causes; ++c) base.push_back(shares.of_cause(c, g));
    if (out.base == Part::course_stages)
      for (int course = 0; course < static_cast<int>(m.courses.size()); ++course)
        for (int k = 0; k < static_cast<int>(m.courses[at(course)].stages.size()); ++k) base.push_back(shares.of_stage(course, k, g));
    FindingLanes::Grade& grade = out.upto[g];
    grade.number = add_chance(f.leak[g], kLeastLeak);
    grade.b = row(static_cast<int>(base.size()), 0);
    for (std::size_t k = 0; k < base.size(); ++k) grade.b[k] = narrow(1 - base[k]);
    Exceptions its{&grade, nullptr, {}};
    for (std::size_t k = 0; k < s.signatures.size(); ++k) {
      const Signature& x = s.signatures[k];
      const double full =
          shares.of_set(x.active, g) * shares.of_cause(x.cause, g) * shares.of_stage(m.causes[at(x.cause)].course, x.stage, g);
      const double of_base = out.base == Part::sets     ? base[at(s.set_of[k])]
                             : out.base == Part::causes ? base[at(x.cause)]
                                                        : base[at(course_stage_of[at(chain_stage_of[at(s.stage_of[k])])])];
      if (std::abs(full - of_base) > 1e-12) its.all.push_back({static_cast<int>(k), {narrow(1 - full), narrow(1 - of_base)}});
    }
    if (f.grades == 2) exceptions.push_back(std::move(its));
    else out.graded_with_exceptions = out.graded_with_exceptions || !its.all.empty();
  }
}

// Numbers answers with exceptions, those that are met most often first, so that most groups of kinds look at one word of them only; and
// their ratios.
std::vector<std::map<LaneTables::Saying, int>> LaneTables::number_ratios(const std::vector<Exceptions>& exceptions) {
  const auto how_often = [&](const Exceptions* of) {
    if (of->measured) return 1.0F;
    return std::accumulate(chance.begin(), chance.end(), 0.0F,
                           [&](float sum, const Floats& its) { return sum + its[at(of->grade->number)]; }) /
           static_cast<float>(chance.size());
  };
  std::vector<const Exceptions*> order;
  for (const Exceptions& of : exceptions)
    if (!of.all.empty()) order.push_back(&of);
  std::stable_sort(order.begin(), order.end(), [&](auto* a, auto* b) { return how_often(a) > how_often(b); });
  std::vector<std::map<Saying, int>> out;
  for (const Exceptions* of : order) {
    of->exceptional() = {static_cast<int>(out.size()), ratios};
    auto& its_ratios = out.emplace_back();
    for (const auto& x : of->all) {
      if (!its_ratios.emplace(x.saying, ratios).second) continue;
      ++ratios;
      const auto [full, base] = x.saying;
      if (of->measured) {
        of->measured->own.push_back(static_cast<int>(full)), of->measured->base.push_back(static_cast<int>(base));
        continue;
      }
      of->grade->ratios.push_back({full, base});
    }
    if (!of->measured) continue;
    of->measured->ratios = static_cast<int>(of->measured->own.size());
    for (Numbers* by_ratio : {&of->measured->own, &of->measured->base}) by_ratio->resize(at(padded(of->measured->ratios)));
  }
  words = (static_cast<int>(out.size()) + 63) / 64;
  return out;
}

std::vector<int> LaneTables::find_kinds(const std::vector<Exceptions>& exceptions) {
  const std::vector<std::map<Saying, int>> ratios_of = number_ratios(exceptions);
  // What a signature makes of every answer, in single precision.
  using Kind = std::pair<int, std::map<int, Saying>>;  // set, and what is an exception to it
  std::vector<Kind> kind(s.signatures.size());
  for (std::size_t i = 0; i < kind.size(); ++i) kind[i].first = s.set_of[i];
  for (const Exceptions& of : exceptions)
    for (const auto& x : of.all) kind[at(x.signature)].second.emplace(of.exceptional().number, x.saying);
  std::map<Kind, std::vector<std::size_t>> signatures_of;
  for (std::size_t i = 0; i < kind.size(); ++i) signatures_of[kind[i]].push_back(i);

  struct Alike {
    std::vector<const Kind*> kinds;
    std::set<int> answers;  // that make exceptions of them
  };
  std::map<std::set<int>, Alike> alike;
  for (const auto& [its, unused] : signatures_of) {
    std::set<int> answers;
    for (const auto& [answer, saying] : its.second) answers.insert(answer);
    Alike& those = alike[answers];
    those.kinds.push_back(&its), those.answers = answers;
  }
  std::vector<Alike> all;
  for (const auto& [answers, its] : alike)
    for (std::size_t from = 0; from < its.kinds.size(); from += kMostAlike) {
      const auto first = its.kinds.begin() + static_cast<std::ptrdiff_t>(from);
      all.push_back({{first, first + static_cast<std::ptrdiff_t>(std::min(its.kinds.size() - from, std::size_t{kMostAlike}))}, answers});
    }
  std::stable_sort(all.begin(), all.end(), [](const Alike& a, const Alike& b) { return a.kinds.size() < b.kinds.size(); });

  std::vector<int> kind_of(s.signatures.size());
  for (const Alike& its : all) {
    const int n = static_cast<int>(its.kinds.size());
    if (kinds_alike.empty() || kinds_alike.back().kinds != n) kinds_alike.push_back({0, n});
    ++kinds_alike.back().groups;
    for (const Kind* one : its.kinds) {
      for (const std::size_t i : signatures_of.at(*one)) kind_of[i] = kinds;
      set_of_kind.push_back(in_lanes(one->first));
      ++kinds;
    }
    const std::size_t first = excepted.size();
    excepted.resize(first + at(words));
    if (its.answers.size() > kMostExcepting) throw std::length_error("a kind of state has too many exceptions for tables");
    for (const int answer : its.answers) {
      excepted[first + at(answer) / 64] |= std::uint64_t{1} << at(answer) % 64;
      for (const Kind* one : its.kinds) ratio_of.push_back(in_lanes(ratios_of[at(answer)].at(one->second.at(answer))));
    }
  }
  // Only now, when nothing is divided by it any more.
  for (FindingLanes& f : finding)
    for (FindingLanes::Grade& g : f.upto) {
      const float most = *std::max_element(g.b.begin(), g.b.end());
      g.height = 1 / std::max(most, 1e-6F);
      for (float& b : g.b) b *= g.height;
    }
  return kind_of;
}

void LaneTables::lay_out_cells(const std::vector<Draft>& drafts, const std::vector<int>& kind_of) {
  std::map<std::pair<int, int>, int> slots;  // told stage and others
  for (const Draft& its : drafts)
    for (const auto& v : its.variant) slots.emplace(std::make_pair(told_stage_of[at(its.stage)], v.others), -1);
  slot.resize(at(told_stages), {-1, 0});
  for (auto& [what, number] : slots) {
    const auto [stage, its_others] = what;
    number = slot[at(stage)].stage < 0 ? stage : static_cast<int>(slot.size());
    if (number == stage) slot[at(stage)] = {stage, its_others};
    else slot.push_back({stage, its_others});
  }
  std::map<Ahead, int> known;
  for (const Draft& its : drafts) {
    const auto variant = [&](const Draft::One& v) {
      return Variant{in_lanes(kind_of[at(v.signature)]), in_lanes(slots[{told_stage_of[at(its.stage)], v.others}])};
    };
    const auto [it, fresh] = known.emplace(its.ahead, static_cast<int>(known.size()));
    if (fresh) ahead.push_back(its.ahead);
    cell.push_back({{variant(its.variant[0]), variant(its.variant[1])}, in_lanes(chain_stage_of[at(its.stage)]), it->second});
  }
  slots_of_others.resize(mechanisms_of_others.size());
  for (std::size_t i = 0; i < slot.size(); ++i) slots_of_others[at(slot[i].others)].push_back(i);
  const auto by_mechanism = [&](const std::vector<std::vector<int>>& mechanisms_of) {
    std::vector<std::vector<std::size_t>> out(at(mechanisms));
    for (std::size_t i = 0; i < mechanisms_of.size(); ++i)
      for (const int k : mechanisms_of[i]) out[at(k)].push_back(i);
    return out;
  };
  patterns_of_mechanism = by_mechanism(mechanisms_of_pattern), others_of_mechanism = by_mechanism(mechanisms_of_others);
}

}  // namespace dorsalgia
