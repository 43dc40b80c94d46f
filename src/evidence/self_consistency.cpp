#include "evidence/self_consistency.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <unsupported/Eigen/SpecialFunctions>

#include "simulation/draws.h"

namespace dorsalgia {

namespace {

// Bins of stated probabilities: finer where little and where nearly everything is stated.
constexpr std::array<double, 20> kBorders = {1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.06, 0.1,  0.2,  0.3,
                                             0.4,  0.5,  0.6,  0.7,  0.8,  0.9,  0.94, 0.97, 0.99, 0.997};
constexpr int kBins = static_cast<int>(kBorders.size()) + 1;
constexpr int kRanks = 20;
constexpr double kEnough = 5;   // variance of a count from which on it is near enough to normal for a sum of squares
constexpr double kPlenty = 25;  // ... for a single one, far out

int bin_of(double p) { return static_cast<int>(std::upper_bound(kBorders.begin(), kBorders.end(), p) - kBorders.begin()); }

double chi_square_tail(double x, double freedom) { return freedom > 0 ? Eigen::numext::igammac(freedom / 2, x / 2) : 1; }
double two_sided(double z) { return std::erfc(std::abs(z) * M_SQRT1_2); }

using Vector = Eigen::Matrix<double, kBins, 1>;
using Matrix = Eigen::Matrix<double, kBins, kBins>;

// Exactly one of several things is true (or none): by bin, the probability that the true one's stated probability lies in it.
struct Curve {
  std::vector<Tally> bins = std::vector<Tally>(kBins);
  Matrix covariance = Matrix::Zero();

  void add(const Vector& stated, const Vector& count, int true_bin) {
    for (int b = 0; b < kBins; ++b) {
      if (stated[b] <= 0 && count[b] <= 0) continue;
      bins[static_cast<std::size_t>(b)].people += count[b];
      bins[static_cast<std::size_t>(b)].stated += stated[b];
      covariance(b, b) += stated[b];
    }
    covariance.noalias() -= stated * stated.transpose();
    if (true_bin >= 0) bins[static_cast<std::size_t>(true_bin)].observed += 1;
  }
  void yes_no(double p, bool truth) {
    const int b = bin_of(p);
    Tally& t = bins[static_cast<std::size_t>(b)];
    t.people += 1, t.stated += p, t.observed += truth;
    covariance(b, b) += p * (1 - p);
  }
  template <class Probabilities>
  void one_of(const Probabilities& p, int truth) {
    Vector stated = Vector::Zero(), count = Vector::Zero();
    for (std::size_t i = 0; i < p.size(); ++i) {
      const int b = bin_of(p[i]);
      stated[b] += p[i], count[b] += 1;
    }
    add(stated, count, truth >= 0 ? bin_of(p[static_cast<std::size_t>(truth)]) : -1);
  }
  void add(const Curve& o) {
    for (std::size_t b = 0; b < bins.size(); ++b) {
      bins[b].people += o.bins[b].people, bins[b].stated += o.bins[b].stated, bins[b].observed += o.bins[b].observed;
    }
    covariance += o.covariance;
  }
  Check check(const std::string& name) const {
    Check out{"curve: " + name, 0, 0, 1, bins, ""};
    std::vector<Eigen::Index> used;
    for (int b = 0; b < kBins; ++b) {
      out.bins[static_cast<std::size_t>(b)].variance = covariance(b, b);
      if (covariance(b, b) >= kEnough) used.push_back(b);
    }
    if (used.empty()) return out;
    const auto n = static_cast<Eigen::Index>(used.size());
    // In units of standard deviations, so that the rank does not hang on the scale.
    Eigen::VectorXd z(n);
    Eigen::MatrixXd correlation(n, n);
    for (Eigen::Index i = 0; i < n; ++i) {
      z[i] = out.bins[static_cast<std::size_t>(used[static_cast<std::size_t>(i)])].z();
      for (Eigen::Index j = 0; j < n; ++j) {
        const Eigen::Index a = used[static_cast<std::size_t>(i)], b = used[static_cast<std::size_t>(j)];
        correlation(i, j) = covariance(a, b) / std::sqrt(covariance(a, a) * covariance(b, b));
      }
    }
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(correlation);
    for (Eigen::Index i = 0; i < n; ++i) {
      if (solver.eigenvalues()[i] < 1e-6) continue;
      const double along = solver.eigenvectors().col(i).dot(z);
      out.statistic += along * along / solver.eigenvalues()[i];
      ++out.freedom;
    }
    out.p = chi_square_tail(out.statistic, out.freedom);
    return out;
  }
};

struct Ranks {
  std::array<double, kRanks> counts{};

  template <class Probabilities>
  void one_of(const Probabilities& p, int truth, double random) {
    double below = 0, sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      sum += p[i];
      if (static_cast<int>(i) < truth) below += p[i];
    }
    const double u = (below + random * p[static_cast<std::size_t>(truth)]) / sum;
    counts[static_cast<std::size_t>(std::clamp(static_cast<int>(u * kRanks), 0, kRanks - 1))] += 1;
  }
  Check check(const std::string& name) const {
    Check out{"ranks: " + name, 0, kRanks - 1, 1, {}, ""};
    double all = 0;
    for (double n : counts) all += n;
    const double expected = all / kRanks;
    for (double n : counts) {
      out.bins.push_back({n, expected, n, expected * (1 - 1.0 / kRanks)});
      if (expected > 0) out.statistic += (n - expected) * (n - expected) / expected;
    }
    out.p = chi_square_tail(out.statistic, out.freedom);
    return out;
  }
};

struct Each {
  std::vector<Tally> all;
  void yes_no(std::size_t i, double p, bool truth) {
    Tally& t = all[i];
    t.people += 1, t.stated += p, t.observed += truth, t.variance += p * (1 - p);
  }
  template <class Name>
  Check check(const std::string& name, Name name_of) const {
    Check out{"each " + name, 0, 0, 1, all, ""};
    double least = 1;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].variance < kPlenty) continue;
      ++out.freedom;
      const double p = two_sided(all[i].z());
      if (p > least || out.statistic > std::abs(all[i].z())) continue;
      least = p;
      out.statistic = std::abs(all[i].z());
      out.worst = fmt::format("{}: stated {:.1f}, observed {:.0f}", name_of(i), all[i].stated, all[i].observed);
    }
    out.p = -std::expm1(out.freedom * std::log1p(-least));  // the least of so many
    if (least >= 1) out.p = 1;
    return out;
  }
};

}  // namespace

double Tally::z() const { return variance > 0 ? (observed - stated) / std::sqrt(variance) : 0; }

struct Calibration::Counts {
  const Model& m;
  std::vector<std::size_t> first_stage;  // by cause, of the flat index
  std::vector<std::size_t> first_grade;  // by finding
  Curve tumour, malignant, emergency, soon, later, cause, stage, level, answer;
  Ranks cause_rank, stage_rank, level_rank;
  Each each_cause, each_stage, each_level, each_mechanism, each_answer;

  explicit Counts(const Model& model) : m(model) {
    std::size_t stages = 0, grades = 0;
    for (const auto& c : m.causes) first_stage.push_back(stages), stages += m.courses[c.course].stages.size();
    for (const auto& f : m.findings) first_grade.push_back(grades), grades += static_cast<std::size_t>(f.grades);
    each_cause.all.resize(m.causes.size());
    each_stage.all.resize(stages);
    each_level.all.resize(m.levels.size());
    each_mechanism.all.resize(m.mechanisms.size());
    each_answer.all.resize(grades);
  }
  template <class Do>
  void every(Counts& o, Do act) {
    for (auto which : {&Counts::tumour, &Counts::malignant, &Counts::emergency, &Counts::soon, &Counts::later, &Counts::cause,
                       &Counts::stage, &Counts::level, &Counts::answer})
      act(this->*which, o.*which);
  }
};

Calibration::Calibration(const Model& model) : c_(std::make_unique<Counts>(model)) {}
Calibration::~Calibration() = default;
Calibration::Calibration(Calibration&&) noexcept = default;
Calibration& Calibration::operator=(Calibration&&) noexcept = default;

void Calibration::add(const Posterior& p, const VirtualPerson& truth, std::size_t v, double random) {
  Counts& c = *c_;
  const Model& m = c.m;
  const State s = truth.state(v);
  c.tumour.yes_no(p.tumour, m.is_tumour(s.cause));
  c.malignant.yes_no(p.malignant, m.is_malignant(s.cause));
  c.emergency.yes_no(p.emergency, m.is_emergency(s.cause, s.active));
  c.cause.one_of(p.causes, s.cause);
  c.level.one_of(p.levels, s.level);
  std::vector<double> stages;
  for (const auto& its : p.stages) stages.insert(stages.end(), its.begin(), its.end());
  const auto stage = static_cast<int>(c.first_stage[static_cast<std::size_t>(s.cause)]) + s.stage;
  c.stage.one_of(stages, stage);
  c.cause_rank.one_of(p.causes, s.cause, random);
  c.stage_rank.one_of(stages, stage, random);
  c.level_rank.one_of(p.levels, s.level, random);
  for (std::size_t i = 0; i < p.causes.size(); ++i) c.each_cause.yes_no(i, p.causes[i], static_cast<int>(i) == s.cause);
  for (std::size_t i = 0; i < stages.size(); ++i) c.each_stage.yes_no(i, stages[i], static_cast<int>(i) == stage);
  for (std::size_t i = 0; i < p.levels.size(); ++i) c.each_level.yes_no(i, p.levels[i], static_cast<int>(i) == s.level);
  for (std::size_t i = 0; i < p.mechanisms.size(); ++i) c.each_mechanism.yes_no(i, p.mechanisms[i], (s.active >> i & 1) != 0);

  // The forecast, where the path was followed for long enough.
  const double now = truth.weeks + truth.visits[v].weeks, end = truth.weeks + truth.visits.back().weeks;
  const auto& course = m.courses[m.causes[s.cause].course].stages;
  const Canal canal = m.levels[s.level].canal;
  for (auto [curve, at] : {std::pair(&c.soon, std::size_t{1}), std::pair(&c.later, std::size_t{3})}) {
    if (now + kForecastWeeks[at] > end) continue;
    bool compressed = false;
    for (std::size_t i = 0; i < truth.path.size(); ++i) {
      const auto& entered = truth.path[i];
      const bool left_before = i + 1 < truth.path.size() && truth.path[i + 1].weeks <= now;
      if (left_before || entered.stage < 0 || entered.weeks > now + kForecastWeeks[at]) continue;
      compressed = compressed || m.is_compressed(m.real(course[static_cast<std::size_t>(entered.stage)].mechanisms, canal));
    }
    curve->yes_no(p.compression[at], compressed);
  }
}

void Calibration::add(const std::vector<Prospect>& stated, const VirtualPerson& truth, std::size_t v) {
  Counts& c = *c_;
  const VirtualVisit& visit = truth.visits[v];
  for (const Prospect& p : stated) {
    const auto f = static_cast<std::size_t>(p.finding);
    const ModelFinding& finding = c.m.findings[f];
    int grade = visit.grades[f];
    if (finding.shape == Shape::measured) {
      const double x = in_unit(finding, visit.values[f]);
      grade = x < finding.reference_low[static_cast<int>(truth.sex)] ? 0 : x < finding.reference_high[static_cast<int>(truth.sex)] ? 1 : 2;
    }
    for (std::size_t g = 0; g < p.grades.size(); ++g)
      c.each_answer.yes_no(c.first_grade[f] + g, std::min(1.0, p.grades[g].probability), static_cast<int>(g) == grade);
  }
  // One answer a person, so that people stay independent: its probability of being the first grade or not.
  if (stated.empty()) return;
  const Prospect& one = stated[truth.index % stated.size()];
  const ModelFinding& finding = c.m.findings[static_cast<std::size_t>(one.finding)];
  if (finding.shape != Shape::measured)
    c.answer.yes_no(std::clamp(1 - one.grades[0].probability, 0.0, 1.0), visit.grades[static_cast<std::size_t>(one.finding)] > 0);
}

void Calibration::add(const Calibration& other) {
  Counts& a = *c_;
  Counts& b = *other.c_;
  a.every(b, [](Curve& x, const Curve& y) { x.add(y); });
  for (auto which : {&Counts::cause_rank, &Counts::stage_rank, &Counts::level_rank})
    for (std::size_t i = 0; i < kRanks; ++i) (a.*which).counts[i] += (b.*which).counts[i];
  for (auto which : {&Counts::each_cause, &Counts::each_stage, &Counts::each_level, &Counts::each_mechanism, &Counts::each_answer})
    for (std::size_t i = 0; i < (a.*which).all.size(); ++i) {
      Tally& x = (a.*which).all[i];
      const Tally& y = (b.*which).all[i];
      x.people += y.people, x.stated += y.stated, x.observed += y.observed, x.variance += y.variance;
    }
}

std::vector<Check> Calibration::checks() const {
  const Counts& c = *c_;
  const Model& m = c.m;
  std::vector<Check> out = {c.tumour.check("tumour"),
                            c.malignant.check("malignant"),
                            c.emergency.check("emergency"),
                            c.soon.check("compressed within 2 weeks"),
                            c.later.check("compressed within 12 weeks"),
                            c.cause.check("cause"),
                            c.stage.check("stage"),
                            c.level.check("level"),
                            c.answer.check("answer not yet given"),
                            c.cause_rank.check("cause"),
                            c.stage_rank.check("stage"),
                            c.level_rank.check("level")};
  out.push_back(c.each_cause.check("cause", [&](std::size_t i) { return m.causes[i].id; }));
  out.push_back(c.each_stage.check("stage", [&](std::size_t i) {
    const auto cause =
        static_cast<std::size_t>(std::upper_bound(c.first_stage.begin(), c.first_stage.end(), i) - c.first_stage.begin() - 1);
    return m.causes[cause].id + " " + m.courses[m.causes[cause].course].stages[i - c.first_stage[cause]].id;
  }));
  out.push_back(c.each_level.check("level", [&](std::size_t i) { return m.levels[i].id; }));
  out.push_back(c.each_mechanism.check("mechanism", [&](std::size_t i) { return m.mechanisms[i].id; }));
  out.push_back(c.each_answer.check("answer", [&](std::size_t i) {
    const auto f = static_cast<std::size_t>(std::upper_bound(c.first_grade.begin(), c.first_grade.end(), i) - c.first_grade.begin() - 1);
    return fmt::format("{} {}", m.findings[f].id, i - c.first_grade[f]);
  }));
  // Of all bins of all curves one in twenty may lie outside its own 95% interval.
  Check bins{"bins outside their 95% interval", 0, 0, 1, {}, ""};
  for (const Check& check : out) {
    if (check.name.rfind("curve", 0) != 0) continue;
    for (const Tally& t : check.bins)
      if (t.variance >= kEnough) ++bins.freedom, bins.statistic += std::abs(t.z()) > 1.96;
  }
  double fewer = 0, term = std::pow(0.95, bins.freedom);
  for (int k = 0; k < static_cast<int>(bins.statistic); ++k) {
    fewer += term;
    term *= 0.05 / 0.95 * (bins.freedom - k) / (k + 1);
  }
  bins.p = std::max(0.0, 1 - fewer);
  out.push_back(bins);
  return out;
}

namespace {

// What is told of a later visit. Context is not asked again, nor where the border of a sensory level lies.
Visit seen_again(const Model& m, const VirtualPerson& person, std::size_t v, const Presentation& first, const Asking& asking,
                 double share) {
  Draws random(asking.seed, person.index, Purpose::asking, v);
  const VirtualVisit& visit = person.visits[v];
  Visit out;
  out.weeks = visit.weeks;
  out.recovered = visit.stage < 0;
  if (out.recovered) return out;
  for (int f = 0; f < static_cast<int>(m.findings.size()); ++f) {
    const ModelFinding& finding = m.findings[f];
    const bool told = random.uniform() < share;
    if (asking.shape && finding.shape != *asking.shape) continue;
    if (finding.shape == Shape::measured && first.answer(f)) {
      const double x = in_unit(finding, visit.values[f]);
      out.answers.push_back({f, 0, 0, true, x, x, ""});
    } else if (finding.shape == Shape::discrete && told) {
      out.answers.push_back({f, visit.grades[f], visit.grades[f], false, 0, 0, ""});
    }
  }
  return out;
}

}  // namespace

Presentation asked(const Model& m, const VirtualPerson& person, const Asking& asking) {
  const double inf = std::numeric_limits<double>::infinity();
  Draws random(asking.seed, person.index, Purpose::asking);
  Presentation all = presentation(m, person), out;
  out.age = all.age, out.sex = all.sex, out.setting = all.setting;
  if (asking.setting_may_be_unknown && random.uniform() < 0.2) out.setting = -1;
  switch (static_cast<int>(3 * random.uniform())) {
    case 0: out.weeks = all.weeks; break;
    case 1: {
      const std::array<double, 6> from = {0, 1, 4, 12, 52, inf};
      for (std::size_t i = 0; i + 1 < from.size(); ++i)
        if (from[i] <= person.stated_weeks && person.stated_weeks < from[i + 1]) out.weeks = {from[i], from[i + 1]};
      break;
    }
    default: break;
  }
  if (random.uniform() < 0.7) out.locations = all.locations;
  const double u = random.uniform();
  const double share = asking.share ? *asking.share : u < 0.1 ? 0 : u < 0.6 ? 0.05 : u < 0.9 ? 0.15 : u < 0.98 ? 0.5 : 1;
  const bool any_cancer = random.uniform() < 0.1;
  AnyOf cancer;
  bool had = false;
  for (Answer& a : all.answers) {
    const ModelFinding& f = m.findings[static_cast<std::size_t>(a.finding)];
    const bool told = random.uniform() < share;
    const double how = random.uniform();
    if (any_cancer && f.shape == Shape::history) {
      had = had || a.low > 0;
      cancer.answers.push_back({a.finding, 1, kHistoryBins - 1, false, 0, 0, ""});
      continue;
    }
    if (!told || (asking.shape && f.shape != *asking.shape)) continue;
    if (f.shape == Shape::measured && how < 0.5 && asking.visits == 1) {
      const double low = f.reference_low[static_cast<int>(person.sex)], high = f.reference_high[static_cast<int>(person.sex)], x = a.from;
      a.from = x < low ? -inf : x < high ? low : high;
      a.to = x < low ? low : x < high ? high : inf;
    } else if (f.shape != Shape::measured && how < 0.3 && a.low > 0) {
      a.low = 1, a.high = f.grades - 1;  // "present", no more
    }
    out.answers.push_back(a);
  }
  if (any_cancer && had) out.any_of.push_back(cancer);
  if (any_cancer && !had)
    for (const Answer& a : cancer.answers) out.answers.push_back({a.finding, 0, 0, false, 0, 0, ""});
  const Answer* sensory = m.sensory_level < 0 ? nullptr : out.answer(m.sensory_level);
  if (sensory && sensory->low > 0) out.sensory_segment = all.sensory_segment;
  for (std::size_t v = 1; v < asking.visits; ++v) out.later.push_back(seen_again(m, person, v, out, asking, share));
  return out;
}

Calibration self_consistency(const ExactEngine& engine, const People& people, const CauseWeights& weights, const Asking& asking,
                             std::uint64_t first, std::uint64_t count) {
  Calibration out(engine.model());
  VirtualPerson person;
  for (std::uint64_t i = first; i < first + count; ++i) {
    people.draw(i, person);
    const std::size_t last = asking.visits - 1;
    if (person.visits[last].stage < 0) continue;  // recovered, which is told: nothing is left to be stated
    const Presentation known = asked(engine.model(), person, asking);
    out.add(engine.posterior(known, weights), person, last, Draws(asking.seed, i, Purpose::rank).uniform());
    if (asking.prospects_of_one_in && i % asking.prospects_of_one_in == 0 && weights.empty())
      out.add(engine.prospects(known), person, last);
  }
  return out;
}

}  // namespace dorsalgia
