// How a person costs a microsecond. Everything that does not depend on age is a table made once: for each cause, variant,
// stage and part of the canal a row over the findings of P(absent) without leak, and for each level a row of what
// compression there does to place findings. A person's row is leak(age, sex) x cell x place, compared with sixteen random
// bits a finding, in whole numbers of sixteen bits: compilers vectorise that, and the tables fit into near caches. Where the
// sixteen bits or rounding do not decide, and where there are more than two grades, the exact rule of model/state.h decides
// with 53 more bits: so every grade is what the plain rule gives (tests/simulation compare them).
#include "simulation/people.h"

#include <Eigen/Dense>
#include <Random123/boxmuller.hpp>
#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <stdexcept>

#include "knowledge/knowledge.h"
#include "model/prevalence.h"
#include "simulation/draws.h"
#include "simulation/normals.h"

namespace dorsalgia {

namespace {

constexpr double kLanes = 65536;           // values of sixteen bits
constexpr int kIntervals = kAgeBands + 1;  // below the first middle, between two, above the last
constexpr std::size_t kMostFindings = 1024;

// A probability in units of 1/65536, rounded down and below 1: at most one unit too small.
using Share = std::uint16_t;
Share as_share(double p) { return static_cast<Share>(std::clamp(p * kLanes, 0.0, kLanes - 1)); }
constexpr Share product(Share a, Share b) { return static_cast<Share>(std::uint32_t{a} * b >> 16); }

// Draws i with a probability proportional to its weight, in constant time. Walker AJ, 1977; Vose MD, 1991.
class Alias {
 public:
  Alias() = default;
  explicit Alias(const std::vector<double>& weights) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<double> scaled;
    std::vector<std::size_t> small, large;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      scaled.push_back(sum > 0 ? weights[i] / sum * static_cast<double>(weights.size()) : 1);
      (scaled[i] < 1 ? small : large).push_back(i);
      columns_.push_back({1, 0});
    }
    while (!small.empty() && !large.empty()) {
      const std::size_t s = small.back(), l = large.back();
      small.pop_back();
      columns_[s] = {scaled[s], static_cast<int>(l) - static_cast<int>(s)};
      scaled[l] -= 1 - scaled[s];
      if (scaled[l] < 1) large.pop_back(), small.push_back(l);
    }
    // Rounding may leave some behind that are 1 but for the last digits; one that weighs nothing must never be drawn.
    const auto heaviest = std::max_element(weights.begin(), weights.end()) - weights.begin();
    for (std::size_t s : small)
      if (weights[s] <= 0) columns_[s] = {0, static_cast<int>(heaviest) - static_cast<int>(s)};
  }
  int draw(double u) const {  // u in (0, 1)
    const double x = u * static_cast<double>(columns_.size());
    const int i = std::min(static_cast<int>(x), static_cast<int>(columns_.size()) - 1);
    const Column& c = columns_[static_cast<std::size_t>(i)];
    return i + c.step * (x - i >= c.keep);  // no branch: processors would guess it wrong
  }

 private:
  struct Column {
    double keep;
    int step;  // to the other one
  };
  std::vector<Column> columns_;
};

// A stretch of ages of one sex in which every rate is linear.
struct Piece {
  Sex sex;
  double from, to, people;  // years; people in it
  int interval, low, high;  // bands whose middles it lies between; the same at the ends
  double w_from, w_to;      // weight of `high` at its ends
};

// A course at a cause's tempo: as it goes when people come to care, and as it goes left to itself.
struct Walk {
  struct Exits {
    double speed = 0;  // per week; 0: never left
    Alias to;          // stages, and one more for coming to care, or for recovering
  };
  Alias entry;
  std::vector<Exits> to_care, onward;
};

// Of a cause: its first row in the tables, and how many stages follow each other there.
struct Rows {
  int first, stages;
};

struct Normal {
  float shift, sd;
};

struct Scale {
  std::size_t finding;
  bool log;
  double low, high;  // possible values
};

// What is usual at an age, linear between two middles.
struct Centre {
  float value, slope;
};

// The person's own place in the tables.
struct Place {
  const Piece* piece;
  double w;
};

// Nobody is drawn with what cannot be.
double possible(double prevalence) { return prevalence < kNever ? 0 : prevalence; }

// A factor whose prevalence a cause changes: P(present) as model/state.h has it, up to rounding.
struct Factor {
  std::size_t finding;
  bool is_share, two_grades;
  double value;
  AgeSex prevalence;

  double present(int sex, const Place& place) const {
    const double low = possible(prevalence[sex][place.piece->low]), high = possible(prevalence[sex][place.piece->high]),
                 usual = low + place.w * (high - low);
    const double here = is_share ? value : usual * value / (1 + usual * (value - 1));
    return usual > 0 ? here : 0;
  }
};

// By finding: 0 absent; what `present` says; or twice that where it is to be looked at: where the lane lies less than kUnsure
// above P(absent) = usual x cell x place. That is rounded down, never up: by less than 5 for what is usual at an age (1 in the
// shares of the bands, 2 in their weights, 2 in the products), 3 for cell x place, 1 for the product of both. Returns whether
// anything is to be looked at.
// Written for the vectoriser: no branch, no aliasing, n a multiple of 16, and one product of high halves a loop, because
// GCC 12 does not see one within another.
constexpr Share kUnsure = 9;
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
__attribute__((target_clones("avx2", "default")))  // the same numbers, sixteen at a time
#endif
bool sweep(const Share* __restrict low, const Share* __restrict high, double w, const Share* __restrict cell, const Share* __restrict place,
           const std::uint16_t* __restrict lanes, const std::uint8_t* __restrict present, std::size_t n, std::uint8_t* __restrict out) {
  const std::size_t end = std::min(n, kMostFindings) / 16 * 16;
  const Share of_low = as_share(1 - w), of_high = as_share(w);
  std::array<Share, kMostFindings> most, disease;
  for (std::size_t f = 0; f < end; ++f) most[f] = static_cast<Share>(product(low[f], of_low) + product(high[f], of_high));
  for (std::size_t f = 0; f < end; ++f) disease[f] = product(cell[f], place[f]);
  for (std::size_t f = 0; f < end; ++f) most[f] = product(most[f], disease[f]);
  std::uint8_t all = 0;
  for (std::size_t f = 0; f < end; ++f) {
    const auto above = static_cast<Share>(lanes[f] - most[f]);
    const auto grade = static_cast<std::uint8_t>(above < kUnsure ? 2 * present[f] : present[f]);
    out[f] = lanes[f] < most[f] ? std::uint8_t{0} : grade;
    all |= out[f];
  }
  return all > 1;
}

}  // namespace

struct People::Tables {
  const Model& m;
  std::uint64_t seed;
  Cohort cohort;
  const Recording* recording;

  std::vector<Piece> pieces;
  // by setting
  Alias settings;
  std::vector<Alias> piece_of;
  std::vector<double> most_accepted, share, weight;               // weight: before division by the cause's own
  std::vector<std::array<std::array<double, kAgeBands>, 2>> sum;  // of cohort rates, at the middles of the bands
  std::vector<std::array<std::array<double, kAgeBands>, 2>> plain_sum;
  std::vector<std::array<std::array<Alias, kAgeBands>, 2>> causes;
  AgeSex all_rates{};

  std::vector<Walk> walks;
  std::vector<std::array<int, kCanals>> walk_of;  // by cause and part of the canal
  std::vector<Alias> level_of, referred, felt_at, border_at;
  Alias border_anywhere;
  int outside = -1;  // the level of what is not in the spine

  std::size_t findings, width;                                     // width: findings and what fills the last block
  std::array<std::array<std::vector<Share>, kAgeBands>, 2> usual;  // 1 - leak or 1 - prevalence, at the middles of the bands
  std::vector<std::uint8_t> present;                               // 0: measured; 1: two grades; 2: more, to be looked at
  std::vector<Share> cells, places;
  std::vector<Rows> rows;                    // by cause
  std::vector<int> pattern_of;               // by row
  std::vector<std::size_t> place_row;        // by pattern: that of its first level
  std::vector<int> level_matters;            // by pattern: 1, or 0 where one row is right for all levels
  std::vector<MechanismSet> active_at;       // by row
  std::vector<std::vector<Factor>> factors;  // by cause
  std::vector<Scale> measured;
  std::array<std::array<std::vector<Centre>, kIntervals>, 2> centre;
  std::vector<Normal> normals;  // by row, measured

  Tables(const Model& model, std::uint64_t its_seed, Cohort its_cohort, const Recording* its_recording)
      : m(model), seed(its_seed), cohort(std::move(its_cohort)), recording(its_recording) {
    findings = m.findings.size();
    width = (findings + 15) / 16 * 16;
    build_ages();
    build_causes();
    build_courses();
    build_anatomy();
    build_leaks();
    build_factors();
    build_cells();
  }

  // ---- building

  void build_ages() {
    for (int sex = 0; sex < 2; ++sex)
      for (int band = 0; band < kAgeBands; ++band) {
        const double from = kAgeFrom[band], middle = kAgeMiddle[band], to = band + 1 < kAgeBands ? kAgeFrom[band + 1] : kOldest;
        const double density = m.people[sex][band] / (to - from);
        auto add = [&](double a, double b, int low, int high, int interval) {
          auto w = [&](double age) { return low == high ? 0 : (age - kAgeMiddle[low]) / (kAgeMiddle[high] - kAgeMiddle[low]); };
          pieces.push_back({static_cast<Sex>(sex), a, b, density * (b - a), interval, low, high, w(a), w(b)});
        };
        add(from, middle, std::max(0, band - 1), band, band);
        add(middle, to, band, std::min(kAgeBands - 1, band + 1), band + 1);
      }
  }

  static double at(const std::array<double, kAgeBands>& v, const Piece& p, double w) { return v[p.low] + w * (v[p.high] - v[p.low]); }

  double of_cohort(std::size_t c) const { return cohort.causes.empty() ? 1 : cohort.causes[c]; }

  void build_causes() {
    for (int sex = 0; sex < 2; ++sex)
      for (int band = 0; band < kAgeBands; ++band)
        for (const ModelCause& c : m.causes) all_rates[sex][band] += c.rate[sex][band];
    const std::size_t n = m.settings.size();
    sum.resize(n), plain_sum.resize(n), causes.resize(n), share.assign(n, 0), most_accepted.assign(n, 0);
    std::vector<double> come(n, 0.0);
    for (std::size_t s = 0; s < n; ++s) {
      for (int sex = 0; sex < 2; ++sex)
        for (int band = 0; band < kAgeBands; ++band) {
          std::vector<double> rates;
          double plain = 0;
          for (std::size_t c = 0; c < m.causes.size(); ++c) {
            const double rate = m.causes[c].rate[sex][band] * m.causes[c].settings[s];
            plain += rate;
            rates.push_back(rate * of_cohort(c));
          }
          sum[s][sex][band] = std::accumulate(rates.begin(), rates.end(), 0.0);
          plain_sum[s][sex][band] = plain;
          causes[s][sex][band] = Alias(rates);
        }
      std::vector<double> mass;
      double all = 0, here = 0;
      for (const Piece& p : pieces) {
        const auto& cohort_sum = sum[s][static_cast<int>(p.sex)];
        const auto& follows = cohort.causes.empty() ? all_rates[static_cast<int>(p.sex)] : cohort_sum;
        mass.push_back(p.people * (at(follows, p, p.w_from) + at(follows, p, p.w_to)) / 2);
        for (double w : {p.w_from, p.w_to}) most_accepted[s] = std::max(most_accepted[s], accepted(p, w, s));
        all += p.people * (at(all_rates[static_cast<int>(p.sex)], p, p.w_from) + at(all_rates[static_cast<int>(p.sex)], p, p.w_to)) / 2;
        // Simpson; a ratio of lines times a line is smooth.
        constexpr int kSteps = 32;
        for (int i = 0; i <= kSteps; ++i) {
          const double w = p.w_from + (p.w_to - p.w_from) * i / kSteps, simpson = i == 0 || i == kSteps ? 1 : i % 2 ? 4 : 2;
          here += p.people * simpson / (3 * kSteps) * accepted(p, w, s) * at(cohort_sum, p, w);
        }
      }
      piece_of.emplace_back(mass);
      share[s] = here / all;
      if (share[s] > 0) come[s] = cohort.setting < 0 ? m.setting_shares[s] : cohort.setting == static_cast<int>(s);
    }
    const double coming = std::accumulate(come.begin(), come.end(), 0.0);
    if (!(coming > 0)) throw std::invalid_argument("nobody is of this cohort");
    settings = Alias(come);
    for (double x : share) weight.push_back(cohort.causes.empty() ? 1 : x * coming);
  }

  // How many of those whom the rates of this setting suggest at this age are taken, so that ages follow the sum of all rates.
  double accepted(const Piece& p, double w, std::size_t setting) const {
    const double there = at(plain_sum[setting][static_cast<int>(p.sex)], p, w);
    return there > 0 ? at(all_rates[static_cast<int>(p.sex)], p, w) / there : 0;
  }

  void build_courses() {
    std::map<std::tuple<int, double, int>, int> known;
    for (const ModelCause& c : m.causes) {
      walk_of.emplace_back();
      for (int canal = 0; canal < kCanals; ++canal) {
        const int pace = m.courses[c.course].pace(static_cast<Canal>(canal));
        const auto [it, fresh] = known.emplace(std::make_tuple(c.course, c.tempo, pace), static_cast<int>(walks.size()));
        walk_of.back()[canal] = it->second;
        if (fresh) walks.push_back(walk(m.courses[c.course], c.tempo, pace));
      }
    }
  }

  const Walk& walk_for(const VirtualPerson& who) const { return walks[walk_of[who.cause][static_cast<int>(m.levels[who.level].canal)]]; }

  // Given that a person comes to care at all, the chain is again one of Markov with the same times in each stage, and exits
  // in proportion to their speed times the chance h of coming to care from there (Doob's transform): nobody is drawn who
  // recovers unseen.
  static Walk walk(const ModelCourse& course, double tempo, int pace) {
    const std::size_t n = course.stages.size();
    const auto speed = [&](std::size_t k, std::size_t j) { return course.generator[pace][k * n + j] * tempo; };
    const auto size = static_cast<Eigen::Index>(n);
    Eigen::MatrixXd leaves(size, size);  // -A
    Eigen::VectorXd presents(size);
    for (std::size_t k = 0; k < n; ++k) {
      presents[static_cast<Eigen::Index>(k)] = course.stages[k].presents;
      for (std::size_t j = 0; j < n; ++j)
        leaves(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(j)) = -speed(k, j) + (j == k ? course.stages[k].presents : 0);
    }
    const Eigen::VectorXd h = leaves.partialPivLu().solve(presents);
    Walk out;
    std::vector<double> entry;
    for (std::size_t k = 0; k < n; ++k) {
      entry.push_back(course.stages[k].entry * h[static_cast<Eigen::Index>(k)]);
      std::vector<double> to_care(n + 1, 0.0), onward(n + 1, 0.0);
      double leaving = 0;
      for (std::size_t j = 0; j < n; ++j)
        if (j != k) to_care[j] = speed(k, j) * h[static_cast<Eigen::Index>(j)], onward[j] = speed(k, j), leaving += speed(k, j);
      to_care[n] = course.stages[k].presents;
      onward[n] = std::max(0.0, -speed(k, k) - leaving);
      if (onward[n] < -1e-9 * speed(k, k)) onward[n] = 0;  // rounding is no recovery
      out.to_care.push_back({-speed(k, k) + course.stages[k].presents, Alias(to_care)});
      out.onward.push_back({-speed(k, k), Alias(onward)});
    }
    out.entry = Alias(entry);
    return out;
  }

  void build_anatomy() {
    for (const ModelCause& c : m.causes) {
      level_of.emplace_back(c.levels);
      referred.emplace_back(c.referral);
    }
    const std::size_t n = m.segments.size();
    for (const ModelLevel& l : m.levels) {
      if (l.id == "not_spinal") outside = static_cast<int>(felt_at.size());
      felt_at.emplace_back(l.pain);
      std::vector<double> border(n + 1, n ? 0.1 / static_cast<double>(n) : 0);  // the last: beyond the segments
      border[n] = 0;
      for (const auto& [offset, p] : m.sensory_level_offset) {
        const int segment = l.cord_segment + offset;
        border[segment >= 0 && segment < static_cast<int>(n) ? static_cast<std::size_t>(segment) : n] += 0.9 * p;
      }
      border_at.emplace_back(border);
    }
    border_anywhere = Alias(std::vector<double>(n, 1.0));
  }

  void build_leaks() {
    for (int sex = 0; sex < 2; ++sex)
      for (int band = 0; band < kAgeBands; ++band) {
        usual[sex][band].assign(width, 0);
        for (std::size_t f = 0; f < findings; ++f) {
          const ModelFinding& finding = m.findings[f];
          if (finding.shape == Shape::measured) continue;
          usual[sex][band][f] =
              as_share(1 - (finding.shape == Shape::discrete ? finding.leak[0][sex][band] : possible(finding.prevalence[sex][band])));
        }
      }
    present.assign(width, 0);
    for (std::size_t f = 0; f < findings; ++f)
      if (m.findings[f].shape != Shape::measured) present[f] = m.findings[f].grades > 2 ? 2 : 1;
    for (std::size_t f = 0; f < findings; ++f) {
      const ModelFinding& finding = m.findings[f];
      if (finding.shape != Shape::measured) continue;
      measured.push_back(
          {f, finding.log_scale, on_scale(finding.log_scale, finding.possible_low), on_scale(finding.log_scale, finding.possible_high)});
      for (int sex = 0; sex < 2; ++sex)
        for (int interval = 0; interval < kIntervals; ++interval) {
          const double low = finding.centre[sex][std::max(0, interval - 1)], high = finding.centre[sex][std::min(kAgeBands - 1, interval)];
          centre[sex][interval].push_back({static_cast<float>(low), static_cast<float>(high - low)});
        }
    }
  }

  std::size_t row(const VirtualPerson& who, int stage) const {
    const auto [first, stages] = rows[static_cast<std::size_t>(who.cause)];
    return static_cast<std::size_t>(first + (who.variant * stages + stage) * kCanals + static_cast<int>(m.levels[who.level].canal));
  }

  void build_factors() {
    for (const ModelCause& c : m.causes) {
      auto& its = factors.emplace_back();
      for (const ModelContextLink& link : c.context) {
        const ModelFinding& f = m.findings[link.finding];
        its.push_back({static_cast<std::size_t>(link.finding), link.is_share, f.grades == 2, link.value, f.prevalence});
      }
    }
  }

  void build_cells() {
    MechanismSet placed = 0;  // mechanisms that some place finding knows
    for (const ModelFinding& f : m.findings)
      if (f.place_segment >= 0)
        for (const Link& link : f.links)
          if (link.parent == Parent::mechanism) placed |= MechanismSet{1} << link.index;
    std::vector<MechanismSet> patterns;
    for (std::size_t c = 0; c < m.causes.size(); ++c) {
      const int stages = static_cast<int>(m.courses[m.causes[c].course].stages.size());
      rows.push_back({static_cast<int>(pattern_of.size()), stages});
      for (int variant = 0; variant < (m.causes[c].accompanied > 0 ? 2 : 1); ++variant)
        for (int k = 0; k < stages; ++k)
          for (int canal = 0; canal < kCanals; ++canal) {
            const State s{static_cast<int>(c), variant, k, -1, active(m, static_cast<int>(c), variant, k, static_cast<Canal>(canal))};
            const MechanismSet pattern = s.active & placed;
            auto at = std::find(patterns.begin(), patterns.end(), pattern);
            if (at == patterns.end()) at = patterns.insert(patterns.end(), pattern);
            pattern_of.push_back(static_cast<int>(at - patterns.begin()));
            active_at.push_back(s.active);
            add_cell(s);
          }
    }
    for (const MechanismSet pattern : patterns) {
      place_row.push_back(places.size() / width);
      level_matters.push_back(pattern != 0);
      for (std::size_t l = 0; l < (pattern != 0 ? m.levels.size() : 1); ++l) {
        places.resize(places.size() + width, as_share(1));
        for (std::size_t f = 0; f < findings; ++f)
          if (m.findings[f].place_segment >= 0)
            places[places.size() - width + f] = as_share(unleaked(m.findings[f], {-1, 0, -1, static_cast<int>(l), pattern}, true));
      }
    }
  }

  void add_cell(const State& s) {
    const std::size_t at = cells.size();
    cells.resize(at + width, as_share(1));
    for (std::size_t f = 0; f < findings; ++f)
      if (m.findings[f].shape == Shape::discrete) cells[at + f] = as_share(unleaked(m.findings[f], s, false));
    for (const Scale& scale : measured) {
      const ModelFinding& f = m.findings[scale.finding];
      const Bell<double> b = bell(f, s, Sex::male, 0);
      const double origin = on_scale(f.log_scale, at_age(f.centre, Sex::male, 0));
      normals.push_back({static_cast<float>(b.mean - origin), static_cast<float>(std::sqrt(b.variance))});
    }
  }

  // P(absent) but for the leak. Of place findings: what mechanisms do (to a level), or all that is the same at every level.
  double unleaked(const ModelFinding& f, const State& s, bool mechanisms_of_place) const {
    double p = 1;
    for (const Link& link : f.links) switch (link.parent) {
        case Parent::mechanism:
          if ((s.active >> link.index & 1) && (f.place_segment >= 0) == mechanisms_of_place)
            p *= 1 - link.p[0] * (mechanisms_of_place ? reach(m, f, link.index, s.level) : 1);
          break;
        case Parent::cause:
          if (link.index == s.cause) p *= 1 - link.p[0];
          break;
        case Parent::stage:
          if (s.cause >= 0 && link.index == m.causes[s.cause].course && link.stage == s.stage) p *= 1 - link.p[0];
          break;
      }
    return p;
  }

  // ---- drawing

  Place draw_who(VirtualPerson& out) const {
    Draws random(seed, out.index, Purpose::who);
    const auto s = static_cast<std::size_t>(settings.draw(random.uniform()));
    const Piece* p = nullptr;
    double t = 0, w = 0;
    std::array<double, 2> mixtures{};
    const bool natural = cohort.causes.empty();  // then ages follow the sum of all rates without more ado
    do {
      p = &pieces[static_cast<std::size_t>(piece_of[s].draw(random.uniform()))];
      // A linear density is a mixture of the least and the greatest of two uniform numbers.
      const auto& rates = natural ? all_rates[static_cast<int>(p->sex)] : sum[s][static_cast<int>(p->sex)];
      const double first = at(rates, *p, p->w_from), last = at(rates, *p, p->w_to);
      mixtures = random.two();
      const double which = mixtures[0] * (first + last), a = random.uniform(), b = random.uniform();
      t = which < first ? std::min(a, b) : std::max(a, b);
      w = p->w_from + t * (p->w_to - p->w_from);
    } while (!natural && random.uniform() * most_accepted[s] > accepted(*p, w, s));
    out.setting = static_cast<int>(s);
    out.sex = p->sex;
    out.age = p->from + t * (p->to - p->from);
    // A rate between two middles is a mixture of the two: first whose rates, then which cause.
    const auto& rates = sum[s][static_cast<int>(p->sex)];
    const double low = (1 - w) * rates[p->low], high = w * rates[p->high];
    const int band = mixtures[1] * (low + high) < low ? p->low : p->high;
    out.cause = causes[s][static_cast<int>(p->sex)][band].draw(random.uniform());
    const ModelCause& cause = m.causes[out.cause];
    out.weight = weight[s] / of_cohort(static_cast<std::size_t>(out.cause));
    const auto [accompanied, within_bin] = random.two();
    const auto [level, location] = random.two();
    out.variant = accompanied < cause.accompanied;
    out.within_bin = within_bin;
    out.level = level_of[out.cause].draw(level);
    out.location = (out.level == outside ? referred[out.cause] : felt_at[out.level]).draw(location);
    return {p, w};
  }

  void draw_course(VirtualPerson& out) const {
    Draws random(seed, out.index, Purpose::course);
    const Walk& walk = walk_for(out);
    const int care = static_cast<int>(walk.to_care.size());
    out.path.clear();
    int k = walk.entry.draw(random.uniform());
    double t = 0;
    for (;;) {
      out.path.push_back({k, t});
      t += random.exponential() / walk.to_care[k].speed;
      const int next = walk.to_care[k].to.draw(random.uniform());
      if (next == care) break;
      k = next;
    }
    out.weeks = out.stated_weeks = t;
    if (random.uniform() < m.background_share) {
      const std::uint64_t a = random.bits(), b = random.bits();
      out.stated_weeks = std::exp(m.background_log_median + m.background_log_spread * r123::boxmuller(a, b).x);
    }
    out.visits[0].stage = k;
    if (out.visits.size() == 1) return;
    Draws on(seed, out.index, Purpose::onward);
    double now = out.weeks;
    for (std::size_t v = 1; v < out.visits.size(); ++v) {
      const double until = out.weeks + out.visits[v].weeks;
      while (k >= 0) {
        // Times in a stage have no memory: what was drawn beyond a visit is drawn anew from there.
        const double speed = walk.onward[k].speed;
        const double stay = speed > 0 ? on.exponential() / speed : INFINITY;
        if (now + stay >= until) break;
        now += stay;
        k = walk.onward[k].to.draw(on.uniform());
        if (k == care) k = -1;
        out.path.push_back({k, now});
      }
      now = until;
      out.visits[v].stage = k;
    }
  }

  void draw_findings(const Place& place, const std::uint16_t* lanes, VirtualPerson& out, std::size_t v) const {
    VirtualVisit& visit = out.visits[v];
    const std::size_t at = row(out, visit.stage);
    visit.active = active_at[at];
    const State s = out.state(v);
    const int sex = static_cast<int>(out.sex);
    const auto pattern = static_cast<std::size_t>(pattern_of[at]);
    const std::size_t its_place = place_row[pattern] + static_cast<std::size_t>(level_matters[pattern] * out.level);
    const bool look = sweep(usual[sex][place.piece->low].data(), usual[sex][place.piece->high].data(), place.w, &cells[at * width],
                            &places[its_place * width], lanes, present.data(), width, visit.grades.data());
    for (std::size_t f = 0; look && f < findings; ++f)
      if (visit.grades[f] > 1) visit.grades[f] = exact_grade(static_cast<int>(f), lanes[f], s, out);
    for (const Factor& factor : factors[static_cast<std::size_t>(out.cause)]) {
      const std::uint16_t lane = lanes[factor.finding];
      // Double precision is off by far less than a unit; a lane that holds the border itself is for the exact rule.
      const double above = lane - kLanes * (1 - factor.present(sex, place));
      std::uint8_t& grade = visit.grades[factor.finding];
      grade = above > 0;
      const bool undecided = above > -1.5 && above < 0.5;
      if (undecided || (grade == 1 && !factor.two_grades)) grade = exact_grade(static_cast<int>(factor.finding), lane, s, out);
    }
    draw_values(place, at, lanes, out, v);
    visit.sensory_segment = -1;
    if (m.sensory_level < 0 || visit.grades[m.sensory_level] == 0) return;
    Draws border(seed, out.index, Purpose::border, v);
    const bool cord = m.cord_compression >= 0 && (visit.active >> m.cord_compression & 1);
    visit.sensory_segment = m.segments.empty() ? -1 : (cord ? border_at[out.level] : border_anywhere).draw(border.uniform());
    if (visit.sensory_segment == static_cast<int>(m.segments.size())) visit.sensory_segment = -1;
  }

  // The grade g for which P(below g) <= U < P(at most g); the first sixteen bits of U are given.
  std::uint8_t exact_grade(int f, std::uint16_t lane, const State& s, const VirtualPerson& who) const {
    const int top = m.findings[f].grades - 1;
    for (int g = 0; g < top; ++g) {
      const double most = kLanes * graded(m, f, 0, g, s, who.sex, who.age);
      if (most <= lane) continue;
      if (most >= lane + 1.0) return static_cast<std::uint8_t>(g);
      if (lane + unit(block(seed, who.index, Purpose::finer, 0, static_cast<std::uint64_t>(f))[0]) < most)
        return static_cast<std::uint8_t>(g);
    }
    return static_cast<std::uint8_t>(top);
  }

  // Whether a value follows no disease; at the first visit by sixteen bits of the finding's place among pronenesses, which
  // measured findings have no other use for.
  bool follows_nothing(const std::uint16_t* lanes, std::uint64_t person, std::size_t v, std::size_t f) const {
    constexpr double kBorder = kUnmodelled * kLanes;
    if (v == 0 && lanes[f] != static_cast<std::uint16_t>(kBorder)) return lanes[f] < kBorder;
    const double rest = unit(block(seed, person, Purpose::stray, v, f)[0]);
    return v == 0 ? lanes[f] + rest < kBorder : rest < kUnmodelled;
  }

  void draw_values(const Place& place, std::size_t cell, const std::uint16_t* lanes, VirtualPerson& out, std::size_t v) const {
    const std::size_t n = measured.size();
    std::array<std::uint64_t, kMostFindings / 2> bits;
    std::array<std::array<float, kMostFindings / 2>, 2> z;
    const std::size_t pairs = (n + 15) / 16 * 8;
    for (std::size_t i = 0; i < pairs; i += 4) {
      const Block four = block(seed, out.index, Purpose::measured, v, i / 4);
      for (std::size_t j = 0; j < 4; ++j) bits[i + j] = four[j];
    }
    normal_pairs(bits.data(), pairs, z[0].data(), z[1].data());

    std::array<float, kMostFindings> usual_value, its_log;
    const Centre* usually = centre[static_cast<int>(out.sex)][place.piece->interval].data();
    for (std::size_t j = 0; j < n; ++j) usual_value[j] = usually[j].value + static_cast<float>(place.w) * usually[j].slope;
    std::fill(usual_value.data() + n, usual_value.data() + 2 * pairs, 1.F);
    logarithms(usual_value.data(), 2 * pairs, its_log.data());

    double* values = out.visits[v].values.data();
    const Normal* normal = normals.data() + cell * n;
    for (std::size_t j = 0; j < n; ++j) {
      const double usual_there = measured[j].log ? its_log[j] : usual_value[j];
      const double unexplained = v == 0 ? z[j % 2][j / 2] : remembered(z[j % 2][j / 2], usual_there, j, out, v);
      values[measured[j].finding] = usual_there + normal[j].shift + normal[j].sd * unexplained;
    }
    for (const Scale& scale : measured)
      if (follows_nothing(lanes, out.index, v, scale.finding))
        values[scale.finding] = scale.low + unit(block(seed, out.index, Purpose::stray, v, scale.finding)[1]) * (scale.high - scale.low);
  }

  // What is unexplained of measured value j: a part of the last one written down, and the rest `fresh`.
  double remembered(double fresh, double usually, std::size_t j, const VirtualPerson& out, std::size_t v) const {
    const int before = last_value(out, v, measured[j].finding);
    if (before < 0) return fresh;
    const VirtualVisit& then = out.visits[static_cast<std::size_t>(before)];
    const Normal was = normals[row(out, then.stage) * measured.size() + j];
    return kSteadiness * (then.values[measured[j].finding] - (usually + was.shift)) / was.sd +
           std::sqrt(1 - kSteadiness * kSteadiness) * fresh;
  }

  // The last visit before v at which the value was written down; -1: none.
  static int last_value(const VirtualPerson& p, std::size_t v, std::size_t finding) {
    for (int i = static_cast<int>(v) - 1; i >= 0; --i)
      if (p.visits[static_cast<std::size_t>(i)].recorded[finding]) return i;
    return -1;
  }

  void record(VirtualPerson& out, std::size_t v) const {
    VirtualVisit& visit = out.visits[v];
    if (!recording) {
      std::fill(visit.recorded.begin(), visit.recorded.end(), std::uint8_t{1});
      return;
    }
    Draws random(seed, out.index, Purpose::record, v);
    const auto s = static_cast<std::size_t>(out.setting);
    std::array<bool, 32> done{};
    for (std::size_t k = 0; k < recording->kinds.size(); ++k) {
      const auto& its = recording->kinds[k].done;
      const double u = random.uniform();
      done[k] = its.empty() || u < its[s];
    }
    for (std::size_t f = 0; f < findings; ++f) {
      const auto k = static_cast<std::size_t>(recording->kind_of[f]);
      const Recording::Kind& kind = recording->kinds[k];
      const double u = random.uniform();
      const ModelFinding& finding = m.findings[f];
      bool there = visit.grades[f] > 0;
      if (finding.shape == Shape::measured) {
        const double x = in_unit(finding, visit.values[f]);
        there = x < finding.reference_low[static_cast<int>(out.sex)] || x >= finding.reference_high[static_cast<int>(out.sex)];
      }
      visit.recorded[f] = done[k] && u < (there ? kind.present : kind.absent)[s];
    }
    if (v > 0) return;
    out.duration_recorded = random.uniform() < recording->kinds[static_cast<std::size_t>(recording->duration)].present[s];
    out.location_recorded = random.uniform() < recording->kinds[static_cast<std::size_t>(recording->location)].present[s];
  }

  using Lanes = std::array<std::uint16_t, kMostFindings>;

  // Complaints may come and go for reasons of their own; context stays.
  void renew(std::uint64_t index, std::size_t v, double weeks, Lanes& lanes) const {
    const double chance = -std::expm1(-weeks / kRenewalWeeks);
    for (std::size_t i = 0; i < width; i += 16) {
      std::array<std::uint16_t, 16> fresh;
      const Block bits = block(seed, index, Purpose::proneness, v, i / 16);
      std::memcpy(fresh.data(), bits.data(), 32);
      for (std::size_t f = i; f < std::min(i + 16, m.findings.size()); f += 4) {
        const Block coins = block(seed, index, Purpose::renewal, v, f / 4);
        for (std::size_t j = f; j < std::min(f + 4, m.findings.size()); ++j)
          if (m.findings[j].shape == Shape::discrete && unit(coins[j - f]) < chance) lanes[j] = fresh[j - i];
      }
    }
  }

  // The proneness of the person to each finding: the same at every visit, unless it is drawn anew in between.
  void draw_proneness(std::uint64_t index, Lanes& lanes) const {
    for (std::size_t i = 0; i < width; i += 16) {
      const Block bits = block(seed, index, Purpose::proneness, 0, i / 16);
      for (std::size_t j = 0; j < 4; ++j) std::memcpy(&lanes[i + 4 * j], &bits[j], 8);
    }
  }

  Place place_of(const VirtualPerson& p) const {
    for (const Piece& piece : pieces)
      if (piece.sex == p.sex && piece.from <= p.age && p.age <= piece.to)
        return {&piece, piece.w_from + (p.age - piece.from) / (piece.to - piece.from) * (piece.w_to - piece.w_from)};
    throw std::invalid_argument("a person of an age that nobody is drawn at");
  }

  void follow(VirtualPerson& out, double weeks) const {
    const Place place = place_of(out);
    Lanes lanes;
    draw_proneness(out.index, lanes);
    const Walk& walk = walk_for(out);
    const int care = static_cast<int>(walk.to_care.size());
    Draws on(seed, out.index, Purpose::onward);
    out.visits.resize(1);
    double now = 0;
    for (int k = out.visits[0].stage; k >= 0;) {
      const double speed = walk.onward[k].speed;
      now += speed > 0 ? on.exponential() / speed : INFINITY;
      if (now >= weeks) break;
      k = walk.onward[k].to.draw(on.uniform());
      if (k == care) k = -1;
      out.path.push_back({k, out.weeks + now});
      VirtualVisit& visit = out.visits.emplace_back();
      visit.weeks = now, visit.stage = k;
      visit.grades.resize(width), visit.values.resize(width), visit.recorded.resize(width);
      if (k < 0) continue;
      renew(out.index, out.visits.size() - 1, now - out.visits[out.visits.size() - 2].weeks, lanes);
      draw_findings(place, lanes.data(), out, out.visits.size() - 1);
      record(out, out.visits.size() - 1);
    }
  }

  void draw(std::uint64_t index, VirtualPerson& out) const {
    out.index = index;
    out.visits.resize(1 + cohort.later.size());
    for (std::size_t v = 0; v < out.visits.size(); ++v) {
      VirtualVisit& visit = out.visits[v];
      visit.weeks = v == 0 ? 0 : cohort.later[v - 1];
      visit.grades.resize(width), visit.values.resize(width), visit.recorded.resize(width);
    }
    const Place place = draw_who(out);
    draw_course(out);
    // Rows come from afar: on their way while random bits are drawn.
    const std::size_t first = row(out, out.visits[0].stage);
    for (std::size_t f = 0; f < width; f += 32) __builtin_prefetch(&cells[first * width + f]);
    Lanes lanes;
    draw_proneness(index, lanes);
    for (std::size_t v = 0; v < out.visits.size() && out.visits[v].stage >= 0; ++v) {
      if (v > 0) renew(index, v, out.visits[v].weeks - out.visits[v - 1].weeks, lanes);
      draw_findings(place, lanes.data(), out, v);
      record(out, v);
    }
  }
};

People::People(const Model& model, std::uint64_t seed, Cohort cohort, const Recording* recording)
    : t_(std::make_unique<Tables>(model, seed, std::move(cohort), recording)) {
  if (t_->width > kMostFindings) throw std::invalid_argument("more than 1024 findings");
  if (recording && recording->kinds.size() > 32) throw std::invalid_argument("more than 32 kinds of recording");
}
People::~People() = default;
People::People(People&&) noexcept = default;

void People::draw(std::uint64_t index, VirtualPerson& out) const { t_->draw(index, out); }
void People::follow(VirtualPerson& person, double weeks) const { t_->follow(person, weeks); }
const Model& People::model() const { return t_->m; }
double People::share(int setting) const { return t_->share[static_cast<std::size_t>(setting)]; }

Recording compile_recording(const Knowledge& k, const Model& m) {
  Recording out;
  std::map<std::string, int> index;
  for (const RecordedKind& x : k.recording) {
    index[x.id] = static_cast<int>(out.kinds.size());
    const auto by_setting = [&](const NamedTable& t) {
      std::vector<double> p;
      for (const auto& s : m.settings)
        for (const auto& [name, value] : t.values)
          if (name == s) p.push_back(value);
      return p;
    };
    out.kinds.push_back({by_setting(x.done), by_setting(x.present), by_setting(x.absent)});
  }
  if (out.kinds.empty()) return out;
  out.duration = index.at("duration"), out.location = index.at("location");
  for (const Finding& f : k.findings) out.kind_of.push_back(index.at(f.burden));
  return out;
}

double in_unit(const ModelFinding& f, double value) { return f.log_scale ? std::exp(value) : value; }

Presentation presentation(const Model& m, const VirtualPerson& p) {
  Presentation out;
  out.age = p.age, out.sex = p.sex, out.setting = p.setting;
  if (p.duration_recorded) out.weeks = {p.stated_weeks, p.stated_weeks};
  if (p.location_recorded && p.location >= 0) out.locations = {p.location};
  const VirtualVisit& visit = p.visits[0];
  for (int f = 0; f < static_cast<int>(m.findings.size()); ++f) {
    if (!visit.recorded[f]) continue;
    const int g = visit.grades[f];
    if (m.findings[f].shape != Shape::measured) {
      out.answers.push_back({f, g, g, false, 0, 0, ""});
      continue;
    }
    const double x = in_unit(m.findings[f], visit.values[f]);
    out.answers.push_back({f, 0, 0, true, x, x, ""});
  }
  if (m.sensory_level >= 0 && visit.recorded[m.sensory_level] && visit.grades[m.sensory_level] > 0)
    out.sensory_segment = visit.sensory_segment;
  return out;
}

}  // namespace dorsalgia
