// Model: the knowledge compiled to flat tables, immutable and hashed. The only thing that engines see.
//
// Indices replace names; spreads, sources and sentences stay behind in Knowledge. What is random: one cause c, the
// variant v of its course (with or without its accompaniment), the stage k, the vertebral level l; which mechanisms are
// active follows from (c, v, k, l). Findings hang on mechanisms, stage and cause (noisy-OR, graded: noisy-MAX).
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"

namespace dorsalgia {

enum class Sex { male, female };

using AgeSex = std::array<std::array<double, kAgeBands>, 2>;  // [sex][band]

// Linear between the middles of the bands, level outside them. age in years.
double at_age(const AgeSex& table, Sex sex, double age);

enum class Canal : std::uint8_t { cord, conus, cauda, none };
inline constexpr int kCanals = 4;

using MechanismSet = std::uint32_t;  // bit m: mechanism m is active

// A parent of a discrete finding and the probability with which it alone brings at least grade 1, 2, ...
struct Link {
  enum class Parent : std::uint8_t { mechanism, cause, stage } parent;
  int index;       // mechanism or cause; for stage the course
  int stage = -1;  // for Parent::stage
  std::vector<double> p;
};

struct ShiftLink {
  bool is_cause;
  int index;
  double shift;  // on the finding's scale
  double variance;
};

enum class Shape : std::uint8_t { discrete, context, history, measured };
inline constexpr int kHistoryBins = 5;  // never, <1, 1-5, 5-10, >=10 years ago

struct ModelFinding {
  std::string id;
  Shape shape = Shape::discrete;
  // discrete
  int grades = 2;
  std::vector<AgeSex> leak;  // one a grade above the first
  std::vector<Link> links;
  int place_segment = -1;  // place findings: the segment (index) they test
  // context, history
  AgeSex prevalence{};
  std::array<double, kHistoryBins - 1> years{};
  // measured
  bool log_scale = false;
  double possible_low = 0, possible_high = 0;
  AgeSex centre{};
  double spread = 1;
  std::array<double, 2> reference_low{}, reference_high{};  // by sex; -inf / +inf where there is none
  std::vector<ShiftLink> shifts;
};

struct ModelContextLink {
  int finding;
  bool is_share;
  double value;
  std::array<double, kHistoryBins - 1> years;
};

struct ModelCause {
  std::string id, group;
  Behaviour behaviour;
  bool emergency;
  int course;
  double tempo;
  AgeSex rate;                   // per 100,000 person-years
  std::vector<double> settings;  // by setting, primary care = 1
  std::vector<double> levels;    // by level, sums to 1
  std::vector<double> referral;  // by location, for the level "not_spinal"
  int accompaniment = -1;        // mechanism
  double accompanied = 0;        // its share
  std::vector<ModelContextLink> context;
};

struct ModelStage {
  std::string id;
  MechanismSet mechanisms;
  double entry, presents;
};

struct ModelCourse {
  std::string id;
  std::vector<ModelStage> stages;
  Eigen::MatrixXd generator;  // per week, stages only; rows sum to minus the speed of recovery
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

struct Model {
  std::string version, hash;  // hash: 32 hex digits over all tables
  std::vector<ModelMechanism> mechanisms;
  std::vector<ModelLevel> levels;
  std::vector<std::string> segments, locations, settings;
  std::vector<double> setting_shares;
  std::vector<std::pair<int, double>> sensory_level_offset;
  AgeSex people{};
  double background_share = 0, background_log_median = 0, background_log_spread = 1;
  std::vector<ModelFinding> findings;  // same order as Knowledge::findings
  std::vector<ModelCause> causes;      // same order as Knowledge::causes
  std::vector<ModelCourse> courses;
  int cord_compression = -1, cauda_equina_compression = -1, root_compression = -1, sensory_level = -1;

  int finding(const std::string& id) const;  // -1 when there is none
  int cause(const std::string& id) const;

  // Which mechanisms of a stage are real at a level with this canal.
  MechanismSet real(MechanismSet stage, Canal canal) const;
  bool is_tumour(int cause) const { return causes[cause].behaviour != Behaviour::none; }
  bool is_malignant(int cause) const { return causes[cause].behaviour == Behaviour::malignant; }
  // The danger that urgency is about: cord or cauda under pressure, or a cause that is dangerous whatever its stage.
  bool is_emergency(int cause, MechanismSet active) const;
};

// Knowledge must be free of complaints. version is the program's.
Model compile(const Knowledge& knowledge);

}  // namespace dorsalgia
