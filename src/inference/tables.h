// What the exact engine multiplies: the states of Space with the model's numbers, and what one profile's answers make of them.
// Private to this folder; exact.cpp tells the idea, others ask ExactEngine.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "inference/exact.h"
#include "inference/space.h"
#include "inference/visits.h"

namespace dorsalgia {

using ByClass = std::array<double, kClasses>;

// Of a finding: which of its links (of a measured one: its shifts) are active together. To the finding, signatures of one class
// are alike; there are far fewer classes than signatures.
struct LinkClasses {
  std::vector<std::uint16_t> of;        // by signature: its class; empty for findings that do not hang on signatures
  std::vector<std::vector<int>> links;  // by class: indices into ModelFinding::links or ::shifts
};

// Numbers what is met, from 0 on.
class Numbers {
 public:
  int of(const std::vector<int>& key);
  int count() const { return static_cast<int>(known_.size()); }

 private:
  std::map<std::vector<int>, int> known_;
};

// What both answers about one finding say together; nothing when they exclude each other.
std::optional<Answer> both(const Answer& a, const Answer& b);

// The answer "this grade", as prospects count grades.
Answer of_grade(const ModelFinding& f, int finding, int grade, Sex sex);

// An answer about a measured value for one profile, on the finding's scale.
struct MeasuredAnswer {
  MeasuredAnswer(const Answer& a, const ModelFinding& f, const Profile& x);
  // Of a value that follows the model (the others: unmodelled).
  double modelled(double shift, double sd) const {
    const double mean = centre + shift;
    return exact ? normal_pdf((from - mean) / sd) / sd : normal_between((from - mean) / sd, (to - mean) / sd);
  }
  double likelihood(double shift, double variance) const { return (1 - kUnmodelled) * modelled(shift, std::sqrt(variance)) + unmodelled; }

  bool exact;
  double from, to, centre, unmodelled;
};

struct ProspectTables;  // inference/prospects.h
struct Lanes;           // inference/lanes.h

struct ExactEngine::Tables : Space {
  // By finding: link of each cause (index into ModelCause::context) or -1; empty unless context or history.
  std::vector<std::vector<int>> context_link;
  std::vector<LinkClasses> classes;  // by finding
  // Discrete findings that are not about a place: P(at most grade g) without leak, by signature, in column first_column + g.
  Eigen::MatrixXd at_most;
  std::vector<int> first_column;
  std::vector<double> least;  // by column: its least number
  // The same apart: by column, what each of its links leaves of a part of the state, 1 - p. Parts are mechanisms, causes and stages of
  // courses, numbered on.
  struct Left {
    int part;
    double by;
  };
  std::vector<Left> left;
  std::vector<int> first_left;                 // by column; last entry: all
  std::vector<int> first_stage;                // by course: part of its first stage; last entry: the number of parts
  std::vector<int> part_of_stage;              // by flat stage index
  std::vector<int> cause_of_stage;             // by flat stage index
  std::vector<Eigen::ArrayXXd> place_at_most;  // by place finding: at_most without leak, [place, pattern]
  // By measured finding: shift and variance of each class.
  std::vector<std::vector<std::pair<double, double>>> shift_class;

  const Lanes& lanes;  // what this machine does side by side

  Tables(const Model& model, const std::string& target);
  ~Tables();

  bool about_place(const Answer& a) const { return m->findings[a.finding].place_segment >= 0; }
  bool about_context(const Answer& a) const {
    const Shape shape = m->findings[a.finding].shape;
    return shape == Shape::context || shape == Shape::history;
  }
  bool about_context(const AnyOf& any) const {
    return std::all_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return about_context(a); });
  }
  bool tabled(const ModelFinding& f) const { return f.shape == Shape::discrete && f.place_segment < 0; }
  bool has_place(const Presentation& p) const;

  // ---- likelihoods

  Eigen::ArrayXd likelihood(const Answer& a, const Profile& x) const;  // of one answer that is not about a place, by signature

  // By cause: P(factor present | cause); its years if it is a history.
  double present(int finding, int cause, double prevalence) const;
  const std::array<double, kHistoryBins - 1>& years(int finding, int cause) const;
  // Of those with the factor, whom the answer means.
  double meant(const Answer& a, int cause) const;
  Eigen::ArrayXd context(const Answer& a, const Profile& x) const;  // likelihood of an answer about context, by cause

  // By cause: P(cause | age, sex, setting).
  Eigen::ArrayXd prior(const Presentation& p, const Profile& x, const CauseWeights& weights) const;
  // By flat stage index: P(presenting then, in that stage | cause).
  std::vector<double> presenting(const Presentation& p) const;

  // [place, pattern]: what place evidence says about each level, common to all causes but for referred pain, which has no level.
  Eigen::ArrayXXd evidence_at_places(const Presentation& p, const Profile& x) const;
  Eigen::ArrayXd referred(const Presentation& p) const;  // by cause: how well pain referred from it fits where it hurts
  // By group: such evidence summed over its levels.
  Eigen::ArrayXd over_groups(const Eigen::ArrayXXd& at_places, const Eigen::ArrayXd& referred) const;

  // ---- one profile's belief

  struct Belief {
    Profile x{};
    Eigen::ArrayXd apart;       // by signature: everything but place; not normalised
    Eigen::ArrayXd w;           // by signature: with place; not normalised
    Eigen::ArrayXXd at_places;  // [place, pattern]: what place evidence says of it; empty: nothing
    Eigen::ArrayXd referred;    // by cause
    Eigen::ArrayXd factor;      // by group: place evidence summed over its levels; empty: nothing
    double scale = 0;           // log of what was divided out of both
  };
  Belief believe(const Presentation& p, const Profile& x, const CauseWeights& weights, const std::vector<double>& by_stage) const;

  struct Beliefs {
    std::vector<Belief> all;  // of each profile and each part of the presentation, on one scale
    double scale = 0;
  };
  Beliefs believe_all(const Presentation& p, const CauseWeights& weights) const;

  // ---- sums

  ByClass by_class(const Eigen::ArrayXd& w) const;
  Eigen::ArrayXd over_cells(const Eigen::ArrayXd& by_group) const;  // by signature

  // [place, pattern] by class: the joint of where and what, not normalised.
  using Places = std::array<Eigen::ArrayXXd, kClasses>;
  Places over_places(const Belief& b) const;

  // `where`: mechanisms and levels as well, which cost as much again.
  Posterior posterior(const Presentation& person, const CauseWeights& weights, bool where = true) const;

  // Made when the first person with later visits comes.
  const VisitFilter& visits() const {
    std::call_once(made_, [&] { filter_ = std::make_unique<VisitFilter>(*m); });
    return *filter_;
  }

  const ProspectTables& for_prospects() const;  // made when first asked for

 private:
  void number_parts();
  void build_finding(int index);
  LinkClasses classes_of(const ModelFinding& f) const;
  void fill(int finding);  // with the numbers of the model, by class
  Eigen::ArrayXXd at_places_of(const ModelFinding& f) const;
  Eigen::ArrayXd of_value(const Answer& a, const Profile& x) const;
  Eigen::ArrayXd of_context(const Answer& a, const Profile& x) const;
  template <class Likelihood>
  Eigen::ArrayXd holds(const Answer& a, const Presentation& p, Likelihood of) const;
  bool is_absent(const Answer& a) const {
    return tabled(m->findings[a.finding]) && a.low == 0 && a.high < m->findings[a.finding].grades - 1;
  }
  void place(const Presentation& p, const Profile& x, Belief& b) const;
  static void rescale(Belief& b);

  mutable std::once_flag made_, joined_;
  mutable std::unique_ptr<VisitFilter> filter_;
  mutable std::unique_ptr<ProspectTables> for_prospects_;
};

}  // namespace dorsalgia
