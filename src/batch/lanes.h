// What the lanes read: the Model's tables in single precision, laid out once, and a chunk of people made ready for them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "batch/table.h"
#include "inference/space.h"
#include "model/model.h"

namespace dorsalgia {

inline constexpr int kMostLanes = 16;  // people in one block at most; rows of tables are padded to a multiple of it

inline int padded(int n) { return (n + kMostLanes - 1) / kMostLanes * kMostLanes; }

// A table by age and sex: [sex * kAgeBands + band].
using ByAge = std::array<float, 2 * kAgeBands>;

// How a discrete finding that is not about a place hangs on a state. P(at most grade g) = (1 - leak) a, and so
// P(more than g) = b + a leak with b = 1 - a, which loses no digits where a is near 1.
//
// a is a product over three parents: mechanisms, stage, cause. Over one of them, the *base*, it is a short row; states for
// which the others speak too are *exceptions*, each with its own a. They lie in windows of neighbouring signatures.
struct FindingLanes {
  enum class Base : std::uint8_t { sets, course_stages, causes };
  struct Window {
    int from;                                                      // signature
    std::array<float, kMostLanes> a_base, b_base, a_full, b_full;  // 1, 0, 1, 0 where there is no exception
  };
  struct Grade {
    ByAge leak;
    std::vector<float> a, b;  // over the base, padded with a = 1, b = 0
    std::vector<Window> exceptions;
  };
  struct Factor {
    std::uint16_t parent;  // mechanism, then cause, then course stage
    float absent;          // 1 - what it alone would bring
  };
  Base base = Base::sets;
  std::vector<Grade> upto;  // by grade but the top
  std::vector<Factor> factors;
  bool graded_with_exceptions = false;  // such rows go through the exact engine
};

// A context factor or cancer history: how its linked causes differ from all others.
struct ContextLanes {
  struct Linked {
    int cause;
    bool is_share;
    float value;
    std::array<float, kHistoryBins> years;  // by bin: over the finding's own; [0] for any date
  };
  ByAge prevalence;
  std::vector<Linked> linked;
  std::array<bool, kHistoryBins> bin_possible{};
};

struct MeasuredLanes {
  struct Shift {
    float shift, sd;
  };
  std::vector<Shift> shifts;      // classes over the sets
  std::vector<int> shift_of_set;  // by set
  struct Exception {
    int signature, own, base;  // classes in `shifts`
  };
  std::vector<Exception> exceptions;  // states whose cause shifts it
  float unmodelled = 0;               // density of values that follow no disease
};

struct PlaceLanes {
  ByAge leak;
  std::vector<float> a, b;  // [pattern * places + place]
  struct Factor {
    int place;     // slot * places + place; slots: the mechanisms that place findings know
    float absent;  // 1 - what the mechanism alone would bring there
  };
  std::vector<Factor> factors;
};

struct LaneTables {
  LaneTables(const Model& model, const Space& space);

  const Model& m;
  const Space& s;
  int causes, stages, stages_told, course_stages, sets, signatures, mechanisms, places, patterns, settings;

  std::vector<float> rate;                           // [sex * kAgeBands + band][cause], padded
  std::vector<float> setting;                        // [cause * settings + setting]
  std::vector<int> course_stage_of, cause_of_stage;  // by flat stage
  std::vector<int> stage_of, set_of;                 // by signature
  std::vector<std::vector<int>> mechanisms_of_set;   // by set
  std::vector<int> set_order;                        // smaller sets first

  // Presenting times: P(stage at t) as polynomials in log time, cell by cell: [cell][degree][stage], padded.
  int cells = 0;
  double first_weeks = 0, first_log = 0, cell_width = 0, last_weeks = 0;  // cells are even in log(weeks + first_weeks)
  std::vector<float> time, ever;

  std::vector<FindingLanes> finding;  // by finding; empty ones where the shape is another
  std::vector<ContextLanes> context;
  std::vector<MeasuredLanes> measured;
  std::vector<PlaceLanes> place;

  std::vector<float> pain;                         // [place][location]
  std::vector<float> referral;                     // [cause][location]
  std::vector<std::vector<int>> slots_of_pattern;  // mechanisms of a pattern, by slot
  int slots = 0;

  // Groups in the order of part of the canal and pattern, so that a bucket shares its places and what is told of them.
  struct Bucket {
    int pattern, from, places;  // places: from, from + 1, ...
    int first, groups;
    std::vector<float> share;  // [group][place]; 0 for the place that is not in the spine
  };
  std::vector<Bucket> buckets;
  std::vector<std::pair<int, float>> outside;  // groups that lie outside the spine, and their share there
  std::vector<int> cause_of_group, pattern_of_group;

  struct PlacedCell {
    int group;
    float share;
  };
  std::vector<PlacedCell> placed;  // by signature
  std::vector<int> first_placed;   // by signature; last entry: all
  struct Ahead {
    int signature, group;
    float share;
    std::array<float, kForecastWeeks.size()> p;
  };
  std::vector<Ahead> compression;  // cells in which cord or cauda may come under pressure
  // Neighbouring signatures of one class, cause and stage.
  struct Run {
    int klass, stage, from, to;
  };
  std::vector<Run> runs;
  std::vector<std::uint8_t> tumour, malignant;  // by cause
};

inline constexpr int kTimeDegree = 5;

// A chunk made ready: who goes in the lanes and where in the tables by age each is found.
struct LaneChunk {
  const PeopleTable* people;
  const Planes* planes;
  std::vector<int> low, high;                 // sex * kAgeBands + band
  std::vector<float> w;                       // weight of `high`
  std::vector<int> time_cell;                 // -1: duration unknown
  std::vector<float> time_x;                  // in [-1, 1]
  std::vector<std::uint8_t> odd;              // rows for the exact engine
  std::vector<int> discrete, context, place;  // columns of people->graded
  // By row: the discrete columns that say "present": present[first_present[row] .. first_present[row + 1]).
  std::vector<int> first_present;
  std::vector<std::uint16_t> present;
};

// Fills the posteriors of all rows that are not odd; marks as odd those for whom single precision ends.
using Kernel = void (*)(const LaneTables&, LaneChunk&, const Wanted&, PosteriorTable&);

struct NamedKernel {
  const char* name;
  Kernel run;
};
std::vector<NamedKernel> lane_kernels();  // that this machine can run, best first

}  // namespace dorsalgia
