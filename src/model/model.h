// Model: the knowledge compiled to flat tables, immutable and hashed. The only thing that engines see.
//
// Indices replace names; spreads, sources and sentences stay behind in Knowledge. What is random: one cause c, the
// variant v of its course (with or without its accompaniment), the stage k, the vertebral level l; which mechanisms are
// active follows from (c, v, k, l). Findings hang on mechanisms, stage and cause (noisy-OR, graded: noisy-MAX).
//
// The numbers that calibration may move are of type T: double in use, a dual number (ceres::Jet) while fitting. What the
// tables mean for one state stands in model/state.h, written once for both.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"

namespace dorsalgia {

enum class Sex { male, female };

template <class T>
using AgeSexOf = std::array<std::array<T, kAgeBands>, 2>;  // [sex][band]
using AgeSex = AgeSexOf<double>;

// Between which middles of bands an age lies, and how far on the way.
struct AgeBetween {
  explicit AgeBetween(double age) {
    while (high < kAgeBands && kAgeMiddle[high] < age) ++high;
    low = std::max(0, high - 1), high = std::min(high, kAgeBands - 1);
    if (low < high) share = (age - kAgeMiddle[low]) / (kAgeMiddle[high] - kAgeMiddle[low]);
  }
  int low = 0, high = 0;
  double share = 0;
};

// Linear between the middles of the bands, level outside them.
template <class T>
T at_age(const AgeSexOf<T>& table, Sex sex, const AgeBetween& age) {
  const auto& v = table[static_cast<int>(sex)];
  return v[age.low] + age.share * (v[age.high] - v[age.low]);
}
// age in years.
template <class T>
T at_age(const AgeSexOf<T>& table, Sex sex, double age) {
  return at_age(table, sex, AgeBetween(age));
}

enum class Canal : std::uint8_t { cord, conus, cauda, none };
inline constexpr int kCanals = 4;

using MechanismSet = std::uint32_t;  // bit m: mechanism m is active

// A parent of a discrete finding and the probability with which it alone brings at least grade 1, 2, ...
enum class Parent : std::uint8_t { mechanism, cause, stage };

template <class T>
struct LinkOf {
  Parent parent;
  int index;       // mechanism or cause; for stage the course
  int stage = -1;  // for Parent::stage
  std::vector<T> p;
};

template <class T>
struct ShiftLinkOf {
  bool is_cause;
  int index;
  T shift;  // on the finding's scale
  double variance;
};

enum class Shape : std::uint8_t { discrete, context, history, measured };
inline constexpr int kHistoryBins = 5;  // never, <1, 1-5, 5-10, >=10 years ago

template <class T>
struct ModelFindingOf {
  std::string id;
  Shape shape = Shape::discrete;
  // discrete
  int grades = 2;
  std::vector<AgeSexOf<T>> leak;  // one a grade above the first
  std::vector<LinkOf<T>> links;
  int place_segment = -1;  // place findings: the segment (index) they test
  // context, history
  AgeSexOf<T> prevalence{};
  std::array<double, kHistoryBins - 1> years{};
  // measured
  bool log_scale = false;
  double possible_low = 0, possible_high = 0;
  AgeSex centre{};
  double spread = 1;
  std::array<double, 2> reference_low{}, reference_high{};  // by sex; -inf / +inf where there is none
  std::vector<ShiftLinkOf<T>> shifts;
};

template <class T>
struct ModelContextLinkOf {
  int finding;
  bool is_share;
  T value;
  std::array<double, kHistoryBins - 1> years;
};

template <class T>
struct ModelCauseOf {
  std::string id, group;
  Behaviour behaviour;
  bool emergency;
  int course;
  double tempo;
  AgeSexOf<T> rate;              // per 100,000 person-years
  std::vector<T> settings;       // by setting, primary care = 1
  std::vector<double> levels;    // by level, sums to 1
  std::vector<double> referral;  // by location, for the level "not_spinal"
  int accompaniment = -1;        // mechanism
  double accompanied = 0;        // its share
  std::vector<ModelContextLinkOf<T>> context;
};

struct ModelStage {
  std::string id;
  MechanismSet mechanisms;
  double entry, presents;
};

struct ModelCourse {
  std::string id;
  std::vector<ModelStage> stages;
  // By part of the canal: per week, [from * stages + to]; rows sum to minus the speed of recovery.
  std::array<std::vector<double>, kCanals> generator;

  // The first part of the canal in which the stages unfold as fast as in this one.
  int pace(Canal canal) const {
    int first = 0;
    while (generator[static_cast<std::size_t>(first)] != generator[static_cast<std::size_t>(canal)]) ++first;
    return first;
  }
};

struct ModelLevel {
  std::string id;
  Canal canal;
  int cord_segment;                           // index, -1 below the cord
  int first_root;                             // first segment whose root leaves at or below this level; -1 outside
  std::vector<std::pair<int, double>> roots;  // segment, share
  std::vector<double> pain;                   // by location
};

struct ModelMechanism {
  std::string id;
  std::array<bool, kCanals> possible;  // by canal
};

template <class T>
struct ModelOf {
  std::string version, hash;  // hash: 32 hex digits over all tables
  std::vector<ModelMechanism> mechanisms;
  std::vector<ModelLevel> levels;
  std::vector<std::string> segments, locations, settings;
  std::vector<double> setting_shares;
  std::vector<std::pair<int, double>> sensory_level_offset;
  AgeSex people{};
  double background_share = 0, background_log_median = 0, background_log_spread = 1;
  std::vector<ModelFindingOf<T>> findings;  // same order as Knowledge::findings
  std::vector<ModelCauseOf<T>> causes;      // same order as Knowledge::causes
  std::vector<ModelCourse> courses;
  int cord_compression = -1, cauda_equina_compression = -1, root_compression = -1, sensory_level = -1;

  int finding(const std::string& id) const { return place(findings, id); }  // -1 when there is none
  int cause(const std::string& id) const { return place(causes, id); }

  // Which mechanisms of a stage are real at a level with this canal.
  MechanismSet real(MechanismSet stage, Canal canal) const {
    MechanismSet out = stage;
    for (std::size_t m = 0; m < mechanisms.size(); ++m)
      if (!mechanisms[m].possible[static_cast<int>(canal)]) out &= ~(MechanismSet{1} << m);
    return out;
  }
  bool is_tumour(int c) const { return causes[c].behaviour != Behaviour::none; }
  bool is_malignant(int c) const { return causes[c].behaviour == Behaviour::malignant; }
  // Cord or cauda under pressure.
  bool is_compressed(MechanismSet active) const { return has(active, cord_compression) || has(active, cauda_equina_compression); }
  // The danger that urgency is about: pressure on cord or cauda, or a cause that is dangerous whatever its stage.
  bool is_emergency(int c, MechanismSet active) const { return causes[c].emergency || is_compressed(active); }

 private:
  static bool has(MechanismSet active, int m) { return m >= 0 && (active >> m & 1) != 0; }
  template <class Row>
  static int place(const std::vector<Row>& rows, const std::string& id) {
    const auto at = std::lower_bound(rows.begin(), rows.end(), id, [](const Row& row, const std::string& s) { return row.id < s; });
    return at != rows.end() && at->id == id ? static_cast<int>(at - rows.begin()) : -1;
  }
};

using Link = LinkOf<double>;
using ShiftLink = ShiftLinkOf<double>;
using ModelFinding = ModelFindingOf<double>;
using ModelContextLink = ModelContextLinkOf<double>;
using ModelCause = ModelCauseOf<double>;
using Model = ModelOf<double>;

// Knowledge must be free of complaints. version is the program's.
Model compile(const Knowledge& knowledge);

}  // namespace dorsalgia
