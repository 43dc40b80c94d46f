// The oracle: model.md written down as loops, with no term left out and no trick. Every other engine must give the same
// numbers. It is the place to read what the model means. Only what does not change in a loop stands before it: the chains of
// the courses, in which nothing of a person stands, and answers that the vertebral level cannot change.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "course/chain.h"
#include "inference/posterior.h"
#include "model/state.h"

namespace dorsalgia {

// When people of a cause present, and how soon the cord or the cauda is under pressure.
struct Oracle::Timing {
  std::array<int, kCanals> pace{};                     // by part of the canal: the part whose chain it has
  std::array<std::optional<Chain>, kCanals> chains{};  // parts in which the course is equally fast share one
  std::array<std::array<Eigen::VectorXd, kForecastWeeks.size()>, kCanals> compressed;  // by stage
};

namespace {

// The stages in which the cord or the cauda is under pressure.
std::vector<bool> compresses(const Model& m, const ModelCourse& course, Canal canal) {
  std::vector<bool> out;
  for (const ModelStage& stage : course.stages) out.push_back(m.is_compressed(m.real(stage.mechanisms, canal)));
  return out;
}

}  // namespace

Oracle::Oracle(const Model& model) : m_(model) {
  for (const ModelCause& cause : model.causes) {
    const ModelCourse& course = model.courses[cause.course];
    Timing& t = timing_.emplace_back();
    for (std::size_t l = 0; l < model.levels.size(); ++l) {
      const Canal canal = model.levels[l].canal;
      auto& by_weeks = t.compressed[static_cast<int>(canal)];
      if (cause.levels[l] <= 0 || by_weeks[0].size() > 0) continue;
      const int first = t.pace[static_cast<int>(canal)] = course.pace(canal);
      if (!t.chains[first]) t.chains[first].emplace(course, cause.tempo, canal);
      for (std::size_t w = 0; w < kForecastWeeks.size(); ++w)
        by_weeks[w] = t.chains[first]->reaches(compresses(model, course, canal), kForecastWeeks[w]);
    }
  }
}

Oracle::~Oracle() = default;

// One person's sum over everything.
class Oracle::Sum {
 public:
  Sum(const Oracle& oracle, const Presentation& person, const CauseWeights& weights)
      : m_(oracle.m_), timing_(oracle.timing_), people_(profiles(m_, person)), parts_(taken_apart(m_, person, false)), weights_(weights) {}

  Posterior run() {
    Posterior out;
    out.causes.assign(m_.causes.size(), 0);
    out.mechanisms.assign(m_.mechanisms.size(), 0);
    out.levels.assign(m_.levels.size(), 0);
    for (const auto& c : m_.causes) out.stages.emplace_back(m_.courses[c.course].stages.size(), 0.0);
    double sum = 0;
    for (const Presentation& part : parts_) {
      p_ = &part;
      priors_.clear();
      for (const Profile& x : people_) priors_.push_back(priors_of(x));
      for (std::size_t c = 0; c < m_.causes.size(); ++c) sum += one_cause(static_cast<int>(c), out);
    }
    out.possible = sum > 0 && std::isfinite(sum);
    out.log_evidence = std::log(sum);
    if (!out.possible) return out;
    for (double* p : {&out.tumour, &out.malignant, &out.emergency}) *p /= sum;
    for (auto* v : {&out.causes, &out.mechanisms, &out.levels})
      for (double& p : *v) p /= sum;
    for (auto& v : out.stages)
      for (double& p : v) p /= sum;
    for (double& p : out.compression) p /= sum;
    return out;
  }

 private:
  double one_cause(int c, Posterior& out) {
    const ModelCause& cause = m_.causes[c];
    const int n = static_cast<int>(m_.courses[cause.course].stages.size());
    const Timing& timing = timing_[c];
    std::array<Eigen::VectorXd, kCanals> time;  // by pace, then by stage
    for (int pace = 0; pace < kCanals; ++pace)
      if (timing.chains[pace]) time[pace] = presenting(*timing.chains[pace]);

    double sum = 0;
    for (std::size_t i = 0; i < people_.size(); ++i) {
      x_ = people_[i];
      const double prior = priors_[i][c];
      for (int variant = 0; variant < 2; ++variant) {
        const double share = variant == 0 ? 1 - cause.accompanied : cause.accompanied;
        if (share <= 0) continue;
        for (int k = 0; k < n; ++k) {
          std::array<std::optional<double>, kCanals> wherever;  // what the level cannot change but for the mechanisms it allows
          for (std::size_t l = 0; l < m_.levels.size(); ++l) {
            if (cause.levels[l] <= 0) continue;
            const int canal = static_cast<int>(m_.levels[l].canal);
            const State s{c, variant, k, static_cast<int>(l), active(m_, c, variant, k, m_.levels[l].canal)};
            if (!wherever[canal]) wherever[canal] = likelihood(s, false);
            const double p =
                x_.weight * prior * share * time[timing.pace[canal]][k] * cause.levels[l] * *wherever[canal] * likelihood(s, true);
            if (p <= 0) continue;
            sum += p;
            add(s, p, out);
            for (std::size_t w = 0; w < kForecastWeeks.size(); ++w) out.compression[w] += p * timing.compressed[canal][w][k];
          }
        }
      }
    }
    return sum;
  }

  void add(const State& s, double p, Posterior& out) {
    out.causes[s.cause] += p;
    out.levels[s.level] += p;
    out.stages[s.cause][s.stage] += p;
    if (m_.is_tumour(s.cause)) out.tumour += p;
    if (m_.is_malignant(s.cause)) out.malignant += p;
    if (m_.is_emergency(s.cause, s.active)) out.emergency += p;
    for (std::size_t m = 0; m < m_.mechanisms.size(); ++m)
      if (s.active >> m & 1) out.mechanisms[m] += p;
  }

  // By cause: P(cause | age, sex, setting).
  std::vector<double> priors_of(const Profile& x) const {
    std::vector<double> out(m_.causes.size(), 0.0), there(m_.causes.size());
    for (std::size_t s = 0; s < m_.settings.size(); ++s) {
      if (p_->setting >= 0 && p_->setting != static_cast<int>(s)) continue;
      double all = 0;
      for (std::size_t c = 0; c < there.size(); ++c) {
        there[c] = rate(m_, static_cast<int>(c), static_cast<int>(s), x.sex, x.age) * (weights_.empty() ? 1 : weights_[c]);
        all += there[c];
      }
      for (std::size_t c = 0; c < there.size(); ++c) out[c] += (p_->setting >= 0 ? 1 : m_.setting_shares[s]) * there[c] / all;
    }
    return out;
  }

  Eigen::VectorXd presenting(const Chain& chain) const {
    const double inf = std::numeric_limits<double>::infinity();
    const Eigen::VectorXd ever = chain.within_by_matrix(0, inf);
    if (!p_->weeks) return ever;
    const auto [from, to] = *p_->weeks;
    const double e = m_.background_share;
    if (from == to) return (1 - e) * chain.density_by_matrix(from) + e * background_density(m_, from) * ever;
    const double background = background_before(m_, to) - background_before(m_, from);
    return (1 - e) * chain.within_by_matrix(from, to) + e * background * ever;
  }

  // Of all that is said about places, or of everything else.
  double likelihood(const State& s, bool about_places) const {
    const auto about_place = [&](const Answer& a) { return m_.findings[a.finding].place_segment >= 0; };
    double p = 1;
    for (const Answer& a : p_->answers)
      if (about_place(a) == about_places) p *= of_answer(a, s);
    for (const AnyOf& any : p_->any_of) {
      if (std::any_of(any.answers.begin(), any.answers.end(), about_place) != about_places) continue;
      double none = 1;
      for (const Answer& a : any.answers) none *= 1 - holds(a, s);
      p *= 1 - none;
    }
    if (!about_places) return p;
    if (!p_->locations.empty()) {
      double sum = 0;
      for (int i : p_->locations) sum += felt(m_, i, s);
      p *= sum;
    }
    if (p_->sensory_segment >= 0) p *= sensory_border(m_, p_->sensory_segment, s);
    return p;
  }

  // P(a holds | what is answered about the same finding): "had cancer" says nothing new once "breast cancer" is known,
  // and points to the others once breast cancer is known to be absent.
  double holds(const Answer& a, const State& s) const {
    const Answer* own = p_->answer(a.finding);
    if (!own) return of_answer(a, s);
    Answer both = *own;
    if (a.measured) {
      both.from = std::max(a.from, own->from);
      both.to = std::min(a.to, own->to);
      const bool inside = own->from == own->to ? a.from <= own->from && own->from < a.to : both.from < both.to;
      if (!inside) return 0;
    } else {
      both.low = std::max(a.low, own->low);
      both.high = std::min(a.high, own->high);
      if (both.low > both.high) return 0;
    }
    const double known = of_answer(*own, s);
    return known > 0 ? of_answer(both, s) / known : 0;
  }

  double of_answer(const Answer& a, const State& s) const {
    const ModelFinding& f = m_.findings[a.finding];
    return f.shape == Shape::measured ? measured(f, a.from, a.to, s, x_.sex, x_.age)
                                      : graded(m_, a.finding, a.low, a.high, s, x_.sex, x_.age);
  }

  const Model& m_;
  const std::vector<Timing>& timing_;
  const std::vector<Profile> people_;
  const std::vector<Presentation> parts_;
  const Presentation* p_ = nullptr;  // the part in hand
  const CauseWeights& weights_;
  std::vector<std::vector<double>> priors_;  // by person of people_, by cause
  Profile x_{};
};

Posterior Oracle::posterior(const Presentation& person, const CauseWeights& weights) const { return Sum(*this, person, weights).run(); }

std::vector<Profile> profiles(const Model& model, const Presentation& person) {
  // Unknown age or sex: everyone it may be, by share of the population and by how often such people come with back pain.
  std::vector<Profile> out;
  for (Sex sex : {Sex::male, Sex::female}) {
    if (person.sex && *person.sex != sex) continue;
    if (person.age) {
      double people = 0;
      for (int band = 0; band < kAgeBands; ++band) people += model.people[static_cast<int>(sex)][band];
      out.push_back({*person.age, sex, people});
    } else {
      for (int band = 0; band < kAgeBands; ++band) out.push_back({kAgeMiddle[band], sex, model.people[static_cast<int>(sex)][band]});
    }
  }
  double sum = 0;
  for (Profile& x : out) {
    double rate = 0;
    for (const auto& c : model.causes) rate += at_age(c.rate, x.sex, x.age);
    x.weight *= rate;
    sum += x.weight;
  }
  for (Profile& x : out) x.weight /= sum;
  return out;
}

namespace {

// What the ranges of the "any of"s make of a finding: single grades, or the stretches between their borders.
std::vector<Answer> pieces(const Model& model, const Presentation& person, int finding) {
  const double inf = std::numeric_limits<double>::infinity();
  const ModelFinding& f = model.findings[finding];
  Answer whole{finding, 0, f.grades - 1, f.shape == Shape::measured, -inf, inf, ""};
  if (const Answer* own = person.answer(finding)) whole = *own;
  std::vector<Answer> out;
  if (!whole.measured) {
    for (int grade = whole.low; grade <= whole.high; ++grade) out.push_back({finding, grade, grade, false, 0, 0, whole.given});
    return out;
  }
  if (whole.from == whole.to) return {whole};
  std::vector<double> borders = {whole.from, whole.to};
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers)
      if (a.finding == finding)
        for (double x : {a.from, a.to})
          if (whole.from < x && x < whole.to) borders.push_back(x);
  std::sort(borders.begin(), borders.end());
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  for (std::size_t i = 1; i < borders.size(); ++i) out.push_back({finding, 0, 0, true, borders[i - 1], borders[i], whole.given});
  return out;
}

bool inside(const Answer& piece, const Answer& range) {
  if (!piece.measured) return range.low <= piece.low && piece.high <= range.high;
  if (piece.from == piece.to) return range.from <= piece.from && piece.from < range.to;
  return range.from <= piece.from && piece.to <= range.to;
}

int to_split(const Model& model, const Presentation& person, bool places) {
  std::vector<int> named;
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) {
      if (places && model.findings[a.finding].place_segment >= 0) return a.finding;
      if (std::find(named.begin(), named.end(), a.finding) != named.end()) return a.finding;
      named.push_back(a.finding);
    }
  return -1;
}

}  // namespace

std::vector<Presentation> taken_apart(const Model& model, const Presentation& person, bool places) {
  const int finding = to_split(model, person, places);
  if (finding < 0) return {person};
  std::vector<Presentation> out;
  for (const Answer& piece : pieces(model, person, finding)) {
    Presentation part = person;
    const auto own = std::find_if(part.answers.begin(), part.answers.end(), [&](const Answer& a) { return a.finding == finding; });
    if (own == part.answers.end()) part.answers.push_back(piece);
    else *own = piece;
    part.any_of.clear();
    bool possible = true;
    for (AnyOf any : person.any_of) {
      bool holds = false;
      for (const Answer& a : any.answers) holds = holds || (a.finding == finding && inside(piece, a));
      if (holds) continue;
      const auto others = std::remove_if(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return a.finding == finding; });
      any.answers.erase(others, any.answers.end());
      possible = possible && !any.answers.empty();
      part.any_of.push_back(std::move(any));
    }
    if (!possible) continue;
    for (Presentation& rest : taken_apart(model, part, places)) out.push_back(std::move(rest));
  }
  return out;
}

std::vector<int> named_findings(const Presentation& person) {
  std::vector<int> out;
  for (const Answer& a : person.answers) out.push_back(a.finding);
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) out.push_back(a.finding);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

const Answer* Presentation::answer(int finding) const {
  for (const Answer& a : answers)
    if (a.finding == finding) return &a;
  return nullptr;
}

double decibans(double p) {
  const double q = std::min(std::max(p, 1e-300), 1 - 1e-16);
  return 10 * (std::log10(q) - std::log10(1 - q));
}

}  // namespace dorsalgia
