// The idea. Given cause, variant and level, a person is a path of stages, one at each visit. A finding's answers hang on the
// whole path: one proneness U, uniform and the same at all visits, makes its grade at stage s the g with
// at_most(g - 1, s) <= U < at_most(g, s), so all its answers together say that U lies in the intersection of their
// intervals. The filter walks forward over visits and keeps, for each stage, the weight of the paths that lead there together
// with the open intervals; paths with the same stage and the same intervals are summed. A finding that is asked at one visit
// only needs no interval: it is a factor of that visit. Levels that give the same tables for what is asked are one group.
#include "inference/visits.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include "model/state.h"

namespace dorsalgia {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// What both answers about one finding say together; nothing when they exclude each other.
std::optional<Answer> both(const Answer& a, const Answer& b) {
  Answer out = a;
  if (!a.measured) {
    out.low = std::max(a.low, b.low), out.high = std::min(a.high, b.high);
    return out.low <= out.high ? std::optional(out) : std::nullopt;
  }
  const bool exact_a = a.from == a.to, exact_b = b.from == b.to;
  if (exact_a && exact_b) return a.from == b.from ? std::optional(a) : std::nullopt;
  if (exact_a) return b.from <= a.from && a.from < b.to ? std::optional(a) : std::nullopt;
  if (exact_b) return a.from <= b.from && b.from < a.to ? std::optional(b) : std::nullopt;
  out.from = std::max(a.from, b.from), out.to = std::min(a.to, b.to);
  return out.from < out.to ? std::optional(out) : std::nullopt;
}

// What it means that an answer does not hold: none, one or two answers that exclude each other.
std::vector<Answer> denied(const Answer& a, const ModelFinding& f) {
  std::vector<Answer> out;
  auto add = [&](auto change) {
    out.push_back(a);
    change(out.back());
  };
  if (a.measured) {
    if (a.from > -kInfinity) add([&](Answer& b) { b.from = -kInfinity, b.to = a.from; });
    if (a.to < kInfinity) add([&](Answer& b) { b.from = a.to, b.to = kInfinity; });
  } else {
    if (a.low > 0) add([&](Answer& b) { b.low = 0, b.high = a.low - 1; });
    if (a.high < f.grades - 1) add([&](Answer& b) { b.low = a.high + 1, b.high = f.grades - 1; });
  }
  return out;
}

// Pain is felt about one level, which stays: places that both visits name, else all that either does.
std::vector<int> felt_at_both(const std::vector<int>& a, const std::vector<int>& b) {
  if (a.empty() || b.empty()) return a.empty() ? b : a;
  std::vector<int> out;
  for (int i : a)
    if (std::find(b.begin(), b.end(), i) != b.end()) out.push_back(i);
  if (!out.empty()) return out;
  out = a;
  out.insert(out.end(), b.begin(), b.end());
  return out;
}

// Puts the facts of a visit of the same day to those already there; false when they exclude each other.
template <class Facts>
bool join(Facts& facts, const Visit& visit) {
  for (const Answer& a : visit.answers) {
    const auto own = std::find_if(facts.answers.begin(), facts.answers.end(), [&](const Answer& b) { return b.finding == a.finding; });
    if (own == facts.answers.end()) {
      facts.answers.push_back(a);
      continue;
    }
    const std::optional<Answer> together = both(*own, a);
    if (!together) return false;
    *own = *together;
  }
  facts.any_of.insert(facts.any_of.end(), visit.any_of.begin(), visit.any_of.end());
  facts.locations = felt_at_both(facts.locations, visit.locations);
  if (visit.sensory_segment >= 0) facts.sensory_segment = visit.sensory_segment;
  return true;
}

double entropy2(double p) { return p <= 0 || p >= 1 ? 0 : -p * std::log2(p) - (1 - p) * std::log2(1 - p); }

// A product that does not run out of exponents: value * 2^power.
struct Product {
  double value = 1;
  int power = 0;
  void times(double factor) {
    value *= factor;
    if (value > 0 && value < 0x1p-400) value *= 0x1p400, power -= 400;
  }
};

// Where the answers about one finding leave its proneness U on a path: in [from, to), if it was last drawn anew at a certain
// one of them. A track has one for each of its answers. A measured finding whose last answer was a value has one only, with
// from == to, that value on the finding's scale. `stage`: measured only, where it was last said.
struct Open {
  double from = 0, to = 0;
  double weight = 0;  // of this drawing; 0: not open
  int stage = -1;
  bool is_value() const { return weight > 0 && from == to; }
  double length() const { return weight * (to - from); }
  bool operator<(const Open& o) const { return std::tie(from, to, weight, stage) < std::tie(o.from, o.to, o.weight, o.stage); }
  bool operator==(const Open& o) const = default;
};

// P(value < x), a mixture as in measured().
double measured_below(const ModelFinding& f, double x, const Bell<double>& b) {
  if (std::isinf(x)) return x > 0;
  const double low = on_scale(f.log_scale, f.possible_low), high = on_scale(f.log_scale, f.possible_high), at = on_scale(f.log_scale, x);
  if (std::isinf(at)) return 0;
  return (1 - kUnmodelled) * normal_cdf((at - b.mean) / std::sqrt(b.variance)) +
         kUnmodelled * std::clamp((at - low) / (high - low), 0.0, 1.0);
}

// Density of a value on the finding's scale.
double density(const ModelFinding& f, double at, double mean, double sd) {
  const double low = on_scale(f.log_scale, f.possible_low), high = on_scale(f.log_scale, f.possible_high);
  return (1 - kUnmodelled) * normal_pdf((at - mean) / sd) / sd + kUnmodelled / (high - low);
}

bool is_static(const ModelFinding& f) { return f.shape == Shape::context || f.shape == Shape::history; }

}  // namespace

std::optional<Presentation> in_order(const Presentation& person) {
  Presentation out = person;
  out.later.clear();
  double before = 0;
  bool recovered = false;
  for (const Visit& visit : person.later) {
    if (!std::isfinite(visit.weeks) || visit.weeks < before) throw std::invalid_argument("visits must be in order of time");
    const bool same_day = visit.weeks == before;
    before = visit.weeks;
    if (recovered && !visit.recovered) return std::nullopt;
    if (!same_day) {
      out.later.push_back(visit);
    } else if (out.later.empty() ? visit.recovered || !join(out, visit)
                                 : visit.recovered != out.later.back().recovered || !join(out.later.back(), visit)) {
      return std::nullopt;
    }
    recovered = visit.recovered;
  }
  return out;
}

Presentation at_last_visit(const Presentation& person) {
  Presentation out = person;
  if (person.later.empty()) return out;
  out.later.clear();
  for (const Visit& visit : person.later) {
    for (const Answer& a : visit.answers) {
      std::erase_if(out.answers, [&](const Answer& b) { return b.finding == a.finding; });
      out.answers.push_back(a);
    }
    out.any_of.insert(out.any_of.end(), visit.any_of.begin(), visit.any_of.end());
    out.locations = felt_at_both(out.locations, visit.locations);
    if (visit.sensory_segment >= 0) out.sensory_segment = visit.sensory_segment;
  }
  // A pain that has gone has lasted no longer than until the visit before.
  double passed = 0;
  for (const Visit& visit : person.later)
    if (!visit.recovered) passed = visit.weeks;
  if (out.weeks)
    for (double& w : *out.weeks) w += passed;
  std::sort(out.answers.begin(), out.answers.end(), [](const Answer& a, const Answer& b) { return a.finding < b.finding; });
  return out;
}

Presentation up_to_visit(const Presentation& person, std::size_t visit) {
  Presentation out = person;
  out.later.resize(std::min(out.later.size(), visit));
  return out;
}

// What is said, with every "at least one of" decided.
struct VisitFilter::Statements {
  std::map<int, Answer> lasting;               // context and history, of all visits together
  std::vector<std::map<int, Answer>> passing;  // by visit: everything else

  bool add(const Model& m, std::size_t visit, const Answer& a) {
    auto& there = is_static(m.findings[a.finding]) ? lasting : passing[visit];
    const auto [it, fresh] = there.emplace(a.finding, a);
    if (fresh) return true;
    const std::optional<Answer> together = both(it->second, a);
    if (together) it->second = *together;
    return together.has_value();
  }

  using Choice = std::pair<std::size_t, AnyOf>;  // visit
  // The first holds; or it does not, and the second does; ...: alternatives that exclude each other.
  static void decide(const Model& m, const Statements& said, std::vector<Choice> open, std::vector<Statements>& out) {
    if (open.empty()) {
      out.push_back(said);
      return;
    }
    auto [visit, any] = std::move(open.back());
    open.pop_back();
    if (any.answers.empty()) return;
    const Answer first = any.answers.front();
    Statements with = said;
    if (with.add(m, visit, first)) decide(m, with, open, out);
    any.answers.erase(any.answers.begin());
    open.emplace_back(visit, std::move(any));
    for (const Answer& not_first : denied(first, m.findings[first.finding])) {
      with = said;
      if (with.add(m, visit, not_first)) decide(m, with, open, out);
    }
  }
};

// By chain: how the visits' times move it.
struct VisitFilter::Times {
  std::vector<std::vector<double>> presented;       // by stage at the first visit
  std::vector<std::vector<Eigen::MatrixXd>> moves;  // [interval, chain] to the next visit with pain
  std::vector<std::vector<double>> gone;            // by stage at the last visit with pain: recovered by the next; empty if it is the last
};

// What the filter leaves at the last visit of one cause, variant and group of levels.
struct VisitFilter::Part {
  Profile x{};
  int cause = 0, variant = 0;
  std::vector<MechanismSet> active;  // by stage; recovered, one: what the accompaniment keeps up
  int chain = 0;
  std::vector<std::pair<int, double>> levels;  // level, share within this part
  std::vector<bool> compresses;                // by stage
  std::vector<double> mass;                    // by stage; recovered: one number
  int power = 0;                               // of two, of `mass`, until filtered() has put all on one scale
  bool recovered = false;
  double log_scale = 0;
};

VisitFilter::VisitFilter(const Model& model, double renewal_weeks) : m_(model), renewal_weeks_(renewal_weeks) {
  std::map<std::tuple<int, double, int>, int> known;
  for (std::size_t c = 0; c < m_.causes.size(); ++c) {
    const ModelCause& cause = m_.causes[c];
    const ModelCourse& course = m_.courses[cause.course];
    chain_of_.emplace_back();
    for (int canal = 0; canal < kCanals; ++canal) {
      const auto [it, fresh] =
          known.emplace(std::tuple(cause.course, cause.tempo, course.pace(static_cast<Canal>(canal))), static_cast<int>(chains_.size()));
      if (fresh) chains_.emplace_back(course, cause.tempo, static_cast<Canal>(canal));
      chain_of_.back()[canal] = it->second;
    }
    for (std::size_t l = 0; l < m_.levels.size(); ++l) {
      if (cause.levels[l] <= 0) continue;
      const int chain = chain_of_[c][static_cast<int>(m_.levels[l].canal)];
      std::vector<bool> target;
      for (const ModelStage& stage : course.stages) target.push_back(m_.is_compressed(m_.real(stage.mechanisms, m_.levels[l].canal)));
      const auto [at, first] = ahead_.try_emplace({chain, target}, target.size(), Forecast{});
      if (!first || std::find(target.begin(), target.end(), true) == target.end()) continue;
      for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) {
        const Eigen::VectorXd p = chains_[chain].reaches(target, kForecastWeeks[w]);
        for (std::size_t k = 0; k < target.size(); ++k) at->second[k][w] = p[static_cast<Eigen::Index>(k)];
      }
    }
  }
}

namespace {

// P(cause | age, sex, setting), by cause.
std::vector<double> prior(const Model& m, const Presentation& p, const Profile& x, const CauseWeights& weights) {
  std::vector<double> out(m.causes.size(), 0.0), there(m.causes.size());
  for (std::size_t s = 0; s < m.settings.size(); ++s) {
    if (p.setting >= 0 && p.setting != static_cast<int>(s)) continue;
    double all = 0;
    for (std::size_t c = 0; c < out.size(); ++c)
      all += there[c] = rate(m, static_cast<int>(c), static_cast<int>(s), x.sex, x.age) * (weights.empty() ? 1 : weights[c]);
    for (std::size_t c = 0; c < out.size(); ++c) out[c] += (p.setting >= 0 ? 1 : m.setting_shares[s]) * there[c] / all;
  }
  return out;
}

// P(first presenting then, in that stage), by stage.
std::vector<double> presenting(const Model& m, const Chain& chain, const Presentation& p) {
  std::vector<double> ever(chain.stages()), out(chain.stages());
  chain.within(0, kInfinity, ever.data());
  if (!p.weeks) return ever;
  const auto [from, to] = *p.weeks;
  const double e = m.background_share;
  const double background = from == to ? background_density(m, from) : background_before(m, to) - background_before(m, from);
  if (from == to) chain.density(from, out.data());
  else chain.within(from, to, out.data());
  for (std::size_t k = 0; k < out.size(); ++k) out[k] = (1 - e) * out[k] + e * background * ever[k];
  return out;
}

// One finding asked at several visits.
struct Track {
  int finding;
  std::vector<std::pair<std::size_t, Answer>> said;  // visit; a value that is only repeated says nothing and is left out
};

// What an answer of a track does to a path that is in a certain stage at its visit. Yes-no and graded findings, and ranges
// of measured ones, narrow the intervals of U, or U has been drawn anew since the answer before. A value draws anew around the residual of
// the value before it; after a range or before one it is drawn independently, unless the range holds the value and nothing has changed
// between the two: then both are one statement.
class Update {
 public:
  // keeps: probability that U is still what it was at the answer before.
  Update(const Model& m, const Track& track, std::size_t at, const Profile& x, double keeps)
      : m_(m), f_(m.findings[track.finding]), x_(x), now_(track.said[at].second), at_(at), answers_(track.said.size()), keeps_(keeps) {
    if (at_ > 0) before_ = track.said[at - 1].second;
  }

  // By stage, once for each scene.
  void prepare(const std::vector<State>& stages) {
    stages_.clear();
    for (const State& s : stages) {
      Stage t;
      if (now_.measured) {
        t.bell = bell(f_, s, x_.sex, x_.age);
        t.alike = 0;
        while (t.alike < static_cast<int>(stages_.size()) &&
               !(stages_[t.alike].bell.mean == t.bell.mean && stages_[t.alike].bell.variance == t.bell.variance))
          ++t.alike;
        if (!exact(now_)) t.from = measured_below(f_, now_.from, t.bell), t.to = measured_below(f_, now_.to, t.bell);
      } else {
        t.from = at_most(m_, f_, now_.low - 1, s, x_.sex, x_.age);
        t.to = at_most(m_, f_, now_.high, s, x_.sex, x_.age);
      }
      stages_.push_back(t);
    }
  }

  // Moves on the `answers` intervals of this track and multiplies into `weight` what is settled; false: the path cannot be.
  bool apply(int stage, Open* open, double& weight) const {
    const Stage& now = stages_[stage];
    if (now_.measured && exact(now_)) value(now, open, weight);
    else if (!range(now, open)) return false;
    if (at_ + 1 < answers_) return true;
    if (!open->is_value()) weight *= length(open);
    std::fill(open, open + answers_, Open{});
    return true;
  }

 private:
  struct Stage {
    double from = 0, to = 0;  // of U
    Bell<double> bell{};
    int alike = -1;  // the first stage with the same bell
  };
  static bool exact(const Answer& a) { return a.from == a.to; }
  bool holds(const Answer& range, double at) const {
    return on_scale(f_.log_scale, range.from) <= at && at < on_scale(f_.log_scale, range.to);
  }

  // P(the answers so far), when the last was a range or grades.
  double length(const Open* open) const {
    double sum = 0;
    for (std::size_t i = 0; i < answers_; ++i) sum += open[i].length();
    return sum;
  }

  bool range(const Stage& now, Open* open) const {
    const Open fresh{now.from, now.to, 1, now_.measured ? now.alike : -1};
    if (at_ == 0 || open->is_value()) {
      // A range that the known value lies in says nothing while nothing has changed.
      if (at_ > 0 && open->stage == now.alike && holds(now_, open->from)) return true;
      *open = fresh;
      return fresh.from < fresh.to;
    }
    const double renewed = (1 - keeps_) * length(open);
    bool possible = false;
    for (std::size_t i = 0; i < at_; ++i) {
      if (open[i].weight <= 0) continue;
      open[i] = {std::max(open[i].from, fresh.from), std::min(open[i].to, fresh.to), keeps_ * open[i].weight, fresh.stage};
      if (open[i].from < open[i].to && open[i].weight > 0) possible = true;
      else open[i] = {};
    }
    if (renewed > 0 && fresh.from < fresh.to) {
      open[at_] = fresh;
      open[at_].weight = renewed;
      possible = true;
    }
    return possible;
  }

  void value(const Stage& now, Open* open, double& weight) const {
    const double at = on_scale(f_.log_scale, now_.from), sd = std::sqrt(now.bell.variance);
    if (at_ == 0) {
      weight *= density(f_, at, now.bell.mean, sd);
    } else if (open->is_value()) {
      const Bell<double>& then = stages_[open->stage].bell;
      const double residual = (open->from - then.mean) / std::sqrt(then.variance);
      weight *= density(f_, at, now.bell.mean + kSteadiness * sd * residual, sd * std::sqrt(1 - kSteadiness * kSteadiness));
    } else {
      weight *= length(open) * density(f_, at, now.bell.mean, sd);
      const int before = std::max_element(open, open + answers_, [](const Open& a, const Open& b) { return a.stage < b.stage; })->stage;
      if (before == now.alike && holds(before_, at))
        weight /= measured_below(f_, before_.to, now.bell) - measured_below(f_, before_.from, now.bell);
    }
    std::fill(open, open + answers_, Open{});
    *open = {at, at, 1, now.alike};
  }

  const Model& m_;
  const ModelFinding& f_;
  const Profile x_;
  const Answer now_;
  Answer before_;
  const std::size_t at_, answers_;  // which answer of the track, of how many
  const double keeps_;
  std::vector<Stage> stages_;
};

// Paths to one visit that the answers so far can tell apart: where each is, its weight, and its open intervals side by side.
struct Paths {
  std::vector<int> stage;
  std::vector<double> weight;
  std::vector<Open> open;  // `tracks` a path: one for each answer of each track
  std::size_t tracks = 0;

  void clear() { stage.clear(), weight.clear(), open.clear(); }
  std::size_t size() const { return stage.size(); }
  const Open* of(std::size_t i) const { return open.data() + i * tracks; }

  // Sums paths that nothing said later can tell apart.
  void merge(Paths& scratch) {
    std::vector<std::size_t> order(size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto same = [&](std::size_t a, std::size_t b) { return stage[a] == stage[b] && std::equal(of(a), of(a) + tracks, of(b)); };
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      if (stage[a] != stage[b]) return stage[a] < stage[b];
      return std::lexicographical_compare(of(a), of(a) + tracks, of(b), of(b) + tracks);
    });
    scratch.clear();
    scratch.tracks = tracks;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && same(order[i - 1], order[i])) {
        scratch.weight.back() += weight[order[i]];
        continue;
      }
      scratch.stage.push_back(stage[order[i]]);
      scratch.weight.push_back(weight[order[i]]);
      scratch.open.insert(scratch.open.end(), of(order[i]), of(order[i]) + tracks);
    }
    std::swap(*this, scratch);
  }
};

constexpr std::size_t kMergeFrom = 64;  // paths; fewer are walked faster than sorted

}  // namespace

// One profile and one way of deciding what is left open, over all causes.
void VisitFilter::walk(const Presentation& person, const Statements& said, const Profile& x, const std::vector<double>& by_cause,
                       const Times& times, std::vector<Part>& out) const {
  const std::size_t visits = said.passing.size();
  const bool recovered = !times.gone.empty();

  // Which findings need an interval; the others are factors of their visit.
  std::map<int, Track> asked;
  for (std::size_t i = 0; i < visits; ++i)
    for (const auto& [f, a] : said.passing[i]) {
      Track& track = asked.emplace(f, Track{f, {}}).first->second;
      const bool repeated = !track.said.empty() && a.measured && a.from == a.to && track.said.back().second.from == a.from &&
                            track.said.back().second.to == a.to;
      if (!repeated) track.said.emplace_back(i, a);
    }
  std::vector<std::vector<Answer>> once(visits);
  std::vector<std::vector<std::pair<std::size_t, Update>>> updates(visits);  // where the track's intervals begin
  std::size_t tracks = 0;
  std::vector<const ModelFinding*> placed;
  for (const auto& [f, track] : asked) {
    if (m_.findings[f].place_segment >= 0) placed.push_back(&m_.findings[f]);
    if (track.said.size() == 1) {
      once[track.said[0].first].push_back(track.said[0].second);
      continue;
    }
    for (std::size_t i = 0; i < track.said.size(); ++i) {
      const auto week = [&](std::size_t visit) { return visit == 0 ? 0 : person.later[visit - 1].weeks; };
      const double passed = i == 0 ? 0 : week(track.said[i].first) - week(track.said[i - 1].first);
      updates[track.said[i].first].emplace_back(tracks, Update(m_, track, i, x, std::exp(-passed / renewal_weeks_)));
    }
    tracks += track.said.size();
  }
  std::size_t sensory_visit = visits;
  int sensory = person.sensory_segment;
  if (sensory >= 0) sensory_visit = 0;
  std::vector<int> locations = person.locations;
  for (std::size_t i = 0; i < person.later.size() && !person.later[i].recovered; ++i) {
    const Visit& visit = person.later[i];
    if (visit.sensory_segment >= 0) sensory = visit.sensory_segment, sensory_visit = i + 1;
    locations = felt_at_both(locations, visit.locations);
  }

  // What is asked of places tells some levels apart and not others.
  std::vector<int> look(m_.levels.size());
  {
    std::map<std::vector<double>, int> looks;
    for (std::size_t l = 0; l < m_.levels.size(); ++l) {
      const int level = static_cast<int>(l);
      std::vector<double> all;
      for (const ModelFinding* f : placed)
        for (int mechanism : {m_.root_compression, m_.cord_compression, m_.cauda_equina_compression})
          all.push_back(mechanism < 0 ? 0 : reach(m_, *f, mechanism, level));
      if (sensory >= 0 && m_.cord_compression >= 0)
        all.push_back(sensory_border(m_, sensory, State{0, 0, 0, level, MechanismSet{1} << m_.cord_compression}));
      look[l] = looks.emplace(std::move(all), static_cast<int>(looks.size())).first->second;
    }
  }

  Paths now, next, scratch;
  for (std::size_t c = 0; c < m_.causes.size(); ++c) {
    const ModelCause& cause = m_.causes[c];
    const int index = static_cast<int>(c);
    if (!(by_cause[c] > 0)) continue;
    const int stages = static_cast<int>(m_.courses[cause.course].stages.size());
    for (int variant = 0; variant < 2; ++variant) {
      const double share = variant == 0 ? 1 - cause.accompanied : cause.accompanied;
      if (share <= 0) continue;
      // Groups of levels: the same mechanisms in each stage, the same compressing stages, the same look of what is asked, equally fast.
      std::map<std::tuple<std::vector<MechanismSet>, std::vector<bool>, int, int>, std::vector<std::pair<int, double>>> groups;
      for (std::size_t l = 0; l < m_.levels.size(); ++l) {
        double weight = cause.levels[l];
        const State anywhere{index, variant, 0, static_cast<int>(l), 0};
        if (weight > 0 && !locations.empty()) {
          double sum = 0;
          for (int i : locations) sum += felt(m_, i, anywhere);
          weight *= sum;
        }
        if (!(weight > 0)) continue;
        std::vector<MechanismSet> sets;
        std::vector<bool> compresses;
        for (int k = 0; k < stages; ++k) {
          sets.push_back(active(m_, index, variant, k, m_.levels[l].canal));
          compresses.push_back(m_.is_compressed(m_.real(m_.courses[cause.course].stages[k].mechanisms, m_.levels[l].canal)));
        }
        groups[{std::move(sets), std::move(compresses), look[l], chain_of_[c][static_cast<int>(m_.levels[l].canal)]}].emplace_back(
            static_cast<int>(l), weight);
      }
      for (const auto& [key, levels] : groups) {
        const auto& [sets, compresses, ignored, chain] = key;
        std::vector<State> states;
        for (int k = 0; k < stages; ++k) states.push_back({index, variant, k, levels[0].first, sets[k]});
        Part part{x, index, variant, sets, chain, levels, compresses, {}, 0, recovered, 0};
        double place = 0;
        for (const auto& level : levels) place += level.second;
        for (auto& level : part.levels) level.second /= place;

        for (std::size_t i = 0; i < visits; ++i) {
          // What is asked at this visit only, by stage, on one scale.
          std::vector<Product> seen(stages);
          int power = std::numeric_limits<int>::min();
          for (int k = 0; k < stages; ++k) {
            for (const Answer& a : once[i])
              seen[k].times(a.measured ? measured(m_.findings[a.finding], a.from, a.to, states[k], x.sex, x.age)
                                       : std::max(0.0, graded(m_, a.finding, a.low, a.high, states[k], x.sex, x.age)));
            if (sensory_visit == i) seen[k].times(sensory_border(m_, sensory, states[k]));
            if (seen[k].value > 0) power = std::max(power, seen[k].power);
          }
          std::vector<double> emission(stages, 0.0);
          for (int k = 0; k < stages; ++k)
            if (seen[k].value > 0) emission[k] = std::ldexp(seen[k].value, seen[k].power - power);
          for (auto& [track, update] : updates[i]) update.prepare(states);

          next.clear();
          next.tracks = tracks;
          auto step = [&](const Open* open, int stage, double weight) {
            weight *= emission[stage];
            if (!(weight > 0)) return;
            const std::size_t at = next.open.size();
            if (open) next.open.insert(next.open.end(), open, open + tracks);
            else next.open.resize(at + tracks);
            for (const auto& [track, update] : updates[i])
              if (!update.apply(stage, &next.open[at + track], weight) || !(weight > 0)) {
                next.open.resize(at);
                return;
              }
            next.stage.push_back(stage);
            next.weight.push_back(weight);
          };
          if (i == 0) {
            for (int k = 0; k < stages; ++k) step(nullptr, k, times.presented[part.chain][k]);
          } else {
            const Eigen::MatrixXd& move = times.moves[i - 1][part.chain];
            for (std::size_t path = 0; path < now.size(); ++path)
              for (int k = 0; k < stages; ++k) step(now.of(path), k, now.weight[path] * move(now.stage[path], k));
          }
          std::swap(now, next);
          if (now.size() == 0) break;
          if (now.size() >= kMergeFrom) now.merge(next);
          part.power += power;
          const int top = std::ilogb(*std::max_element(now.weight.begin(), now.weight.end()));
          for (double& w : now.weight) w = std::ldexp(w, -top);
          part.power += top;
        }
        if (now.size() == 0) continue;
        part.mass.assign(stages, 0.0);
        for (std::size_t path = 0; path < now.size(); ++path) part.mass[now.stage[path]] += now.weight[path];
        if (recovered) {
          double gone = 0;
          for (int k = 0; k < stages; ++k) gone += part.mass[k] * times.gone[part.chain][k];
          part.mass = {gone};
          part.active = {variant == 1 ? m_.real(MechanismSet{1} << cause.accompaniment, m_.levels[levels[0].first].canal) : 0};
        }
        const double factor = by_cause[c] * share * place;
        for (double& w : part.mass) w *= factor;
        out.push_back(std::move(part));
      }
    }
  }
}

std::vector<VisitFilter::Part> VisitFilter::filtered(const Presentation& person, const CauseWeights& weights, bool lasting_tells) const {
  std::size_t visits = 1;
  while (visits <= person.later.size() && !person.later[visits - 1].recovered) ++visits;
  Statements said;
  said.passing.resize(visits);
  // Choices about context alone weigh causes; they need no walk of their own.
  std::vector<Statements::Choice> open, open_lasting;
  bool possible = true;
  auto hear = [&](std::size_t visit, const auto& facts) {
    const bool lasting_only = visit >= visits;  // after recovery
    for (const Answer& a : facts.answers)
      if (!lasting_only || is_static(m_.findings[a.finding])) possible = possible && said.add(m_, lasting_only ? 0 : visit, a);
    for (const AnyOf& any : facts.any_of) {
      const bool lasting =
          std::all_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return is_static(m_.findings[a.finding]); });
      if (lasting) open_lasting.emplace_back(0, any);
      else if (!lasting_only) open.emplace_back(visit, any);
    }
  };
  hear(0, person);
  for (std::size_t i = 0; i < person.later.size(); ++i) hear(i + 1, person.later[i]);
  std::vector<Statements> decided;
  if (possible) Statements::decide(m_, said, open, decided);

  Times times;
  times.moves.resize(visits - 1);
  for (const Chain& chain : chains_) {
    times.presented.push_back(presenting(m_, chain, person));
    double before = 0;
    for (std::size_t i = 0; i + 1 < visits; ++i) {
      Eigen::MatrixXd move = chain.moves(person.later[i].weeks - before);
      if (!lasting_tells)
        for (auto row : move.rowwise())
          if (row.sum() > 0) row /= row.sum();
      times.moves[i].push_back(std::move(move));
      before = person.later[i].weeks;
    }
    if (visits > person.later.size()) continue;
    const Eigen::MatrixXd stays = chain.moves(person.later[visits - 1].weeks - before);
    times.gone.emplace_back();
    for (int k = 0; k < chain.stages(); ++k) times.gone.back().push_back(std::max(0.0, 1 - stays.row(k).sum()));
  }

  std::vector<Part> out;
  for (const Profile& x : profiles(m_, person)) {
    const std::vector<double> base = prior(m_, person, x, weights);
    for (const Statements& one : decided) {
      Statements apart = one;
      std::vector<Statements> lasting;
      Statements::decide(m_, Statements{one.lasting, std::vector<std::map<int, Answer>>(1)}, open_lasting, lasting);
      std::vector<double> by_cause(m_.causes.size(), 0.0);
      for (std::size_t c = 0; c < by_cause.size(); ++c) {
        for (const Statements& way : lasting) {
          double p = 1;
          for (const auto& [f, a] : way.lasting) p *= graded(m_, f, a.low, a.high, State{static_cast<int>(c), 0, 0, 0, 0}, x.sex, x.age);
          by_cause[c] += p;
        }
        by_cause[c] *= x.weight * base[c];
      }
      apart.lasting.clear();
      walk(person, apart, x, by_cause, times, out);
    }
  }
  int top = std::numeric_limits<int>::min();
  for (const Part& part : out)
    if (*std::max_element(part.mass.begin(), part.mass.end()) > 0) top = std::max(top, part.power);
  for (Part& part : out) {
    for (double& w : part.mass) w = std::ldexp(w, part.power - top);
    part.log_scale = top * M_LN2;
  }
  return out;
}

Posterior VisitFilter::posterior(const Presentation& person, const CauseWeights& weights) const {
  const std::optional<Presentation> ordered = in_order(person);
  return summed(ordered ? filtered(*ordered, weights) : std::vector<Part>{});
}

Posterior VisitFilter::but_for_lasting(const Presentation& person) const {
  const std::optional<Presentation> ordered = in_order(person);
  return summed(ordered ? filtered(*ordered, {}, false) : std::vector<Part>{});
}

Posterior VisitFilter::summed(const std::vector<Part>& parts) const {
  Posterior out;
  out.causes.assign(m_.causes.size(), 0);
  out.mechanisms.assign(m_.mechanisms.size(), 0);
  out.levels.assign(m_.levels.size(), 0);
  for (const auto& c : m_.causes) out.stages.emplace_back(m_.courses[c.course].stages.size(), 0.0);
  double sum = 0;
  for (const Part& part : parts)
    for (double w : part.mass) sum += w;
  out.possible = sum > 0 && std::isfinite(sum);
  out.log_evidence = std::log(sum) + (parts.empty() ? 0 : parts[0].log_scale);
  if (!out.possible) return out;
  for (const Part& part : parts) {
    const std::vector<Forecast>& ahead = ahead_.at({part.chain, part.compresses});
    double all = 0;
    for (std::size_t k = 0; k < part.mass.size(); ++k) {
      const double p = part.mass[k] / sum;
      if (p <= 0) continue;
      all += p;
      if (m_.is_emergency(part.cause, part.active[k])) out.emergency += p;
      for (MechanismSet rest = part.active[k]; rest; rest &= rest - 1) out.mechanisms[__builtin_ctz(rest)] += p;
      if (part.recovered) continue;
      out.stages[part.cause][k] += p;
      for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) out.compression[w] += p * ahead[k][w];
    }
    out.causes[part.cause] += all;
    if (m_.is_tumour(part.cause)) out.tumour += all;
    if (m_.is_malignant(part.cause)) out.malignant += all;
    for (const auto& [level, share] : part.levels) out.levels[level] += all * share;
  }
  return out;
}

std::vector<Prospect> VisitFilter::prospects(const Presentation& person) const {
  std::vector<Prospect> out;
  const std::optional<Presentation> ordered = in_order(person);
  if (!ordered || (!ordered->later.empty() && ordered->later.back().recovered)) return out;
  const std::vector<Part> parts = filtered(*ordered, {});
  double sum = 0;
  for (const Part& part : parts)
    for (double w : part.mass) sum += w;
  if (!(sum > 0)) return out;

  // What was said about each finding: at the last visit, before it, as one of several.
  std::vector<bool> now(m_.findings.size()), before(m_.findings.size()), in_any_of(m_.findings.size());
  auto hear = [&](const auto& facts, bool last) {
    for (const Answer& a : facts.answers) (last || is_static(m_.findings[a.finding]) ? now : before)[a.finding] = true;
    for (const AnyOf& any : facts.any_of)
      for (const Answer& a : any.answers) in_any_of[a.finding] = true;
  };
  hear(*ordered, ordered->later.empty());
  for (const Visit& visit : ordered->later) hear(visit, &visit == &ordered->later.back());

  // Weights of the last visit by what a finding can see: [tumour, emergency] of each state and level.
  struct Seen {
    Profile x;
    State state;
    int klass;
    double p;
  };
  std::vector<Seen> states, at_levels;
  std::array<double, 4> all{};
  for (const Part& part : parts)
    for (std::size_t k = 0; k < part.mass.size(); ++k) {
      if (part.mass[k] < 1e-18 * sum) continue;  // too rare to move any figure that is told
      const int klass = 2 * m_.is_tumour(part.cause) + m_.is_emergency(part.cause, part.active[k]);
      const State s{part.cause, part.variant, static_cast<int>(k), part.levels[0].first, part.active[k]};
      states.push_back({part.x, s, klass, part.mass[k] / sum});
      all[klass] += part.mass[k] / sum;
      for (const auto& [level, share] : part.levels) {
        at_levels.push_back({part.x, s, klass, part.mass[k] / sum * share});
        at_levels.back().state.level = level;
      }
    }
  const double tumour_now = entropy2(all[2] + all[3]), emergency_now = entropy2(all[1] + all[3]);

  const double evidence = std::log(sum) + parts[0].log_scale;
  for (std::size_t i = 0; i < m_.findings.size(); ++i) {
    const int finding = static_cast<int>(i);
    const ModelFinding& f = m_.findings[i];
    if (now[i] || (before[i] && f.shape == Shape::measured)) continue;
    Prospect next;
    next.finding = finding;
    next.grades.resize(f.grades);
    // The answer "this grade" to measured findings hangs on the sex.
    auto grade_of = [&](int g, Sex sex) {
      Answer a{finding, g, g, false, 0, 0, ""};
      if (f.shape != Shape::measured) return a;
      const double low = f.reference_low[static_cast<int>(sex)], high = f.reference_high[static_cast<int>(sex)];
      a.measured = true;
      a.low = a.high = 0;
      a.from = g == 0 ? -kInfinity : g == 1 ? low : high;
      a.to = g == 0 ? low : g == 1 ? high : kInfinity;
      return a;
    };
    if (!before[i] && !in_any_of[i]) {
      for (const Seen& s : f.place_segment >= 0 ? at_levels : states)
        for (int g = 0; g < f.grades; ++g) {
          const Answer a = grade_of(g, s.x.sex);
          if (a.measured && !(a.from < a.to)) continue;
          const double p = s.p * (a.measured ? measured(f, a.from, a.to, s.state, s.x.sex, s.x.age)
                                             : std::max(0.0, graded(m_, finding, g, g, s.state, s.x.sex, s.x.age)));
          next.grades[g].probability += p;
          if (s.klass & 2) next.grades[g].tumour += p;
          if (s.klass & 1) next.grades[g].emergency += p;
        }
    } else {
      // What was said before hangs together with it: each answer is tried, by sex where the limits hang on that.
      std::map<Sex, double> sexes;
      for (const Profile& x : profiles(m_, *ordered)) sexes[x.sex] += x.weight;
      const bool apart = f.shape == Shape::measured && sexes.size() > 1;
      for (const auto& [sex, share] : sexes) {
        if (!apart && sex != sexes.begin()->first) break;
        for (int g = 0; g < f.grades; ++g) {
          const Answer a = grade_of(g, sex);
          if (a.measured && !(a.from < a.to)) continue;
          Presentation with = *ordered;
          if (apart) with.sex = sex;
          (with.later.empty() ? with.answers : with.later.back().answers).push_back(a);
          const Posterior then = posterior(with);
          if (!then.possible) continue;
          const double p = (apart ? share : 1) * std::exp(then.log_evidence - evidence);
          next.grades[g].probability += p;
          next.grades[g].tumour += p * then.tumour;
          next.grades[g].emergency += p * then.emergency;
        }
      }
    }
    double tumour_after = 0, emergency_after = 0;
    for (int g = 0; g < f.grades; ++g) {
      const double p = next.grades[g].probability;
      next.grades[g].tumour = p > 0 ? next.grades[g].tumour / p : 0;
      next.grades[g].emergency = p > 0 ? next.grades[g].emergency / p : 0;
      tumour_after += p * entropy2(next.grades[g].tumour);
      emergency_after += p * entropy2(next.grades[g].emergency);
    }
    next.tumour_bits = std::max(0.0, tumour_now - tumour_after);
    next.emergency_bits = std::max(0.0, emergency_now - emergency_after);
    out.push_back(std::move(next));
  }
  return out;
}

std::vector<Posterior> trajectory(const ExactEngine& engine, const Presentation& person) {
  std::vector<Posterior> out;
  for (std::size_t i = 0; i <= person.later.size(); ++i) out.push_back(engine.posterior(up_to_visit(person, i)));
  return out;
}

}  // namespace dorsalgia
