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

// What the weight of a state is multiplied from. An answer is a row of numbers over some of these. A spot is a place as
// seen by a pattern of neural mechanisms.
enum class Part : std::uint8_t { mechanisms, causes, course_stages, spots, sets };
inline constexpr std::size_t kParts = 5;

// How a discrete finding hangs on a state. P(more than grade g) = b + (1 - b) leak, where b is what the state alone brings:
// 1 - b is a product over its mechanisms, stage and cause; of findings about places it hangs on the spot alone. Over one
// of these parts, the *base*, b is a short row; states for which the others speak too are *exceptions*, each with its own.
struct FindingLanes {
  struct alignas(64) Window {
    std::array<float, kMostLanes> base{}, full{};  // b over the base, and b; 0 where there is no exception
    std::array<float, kMostLanes> ratio{};         // of the likelihoods, full to base, if the leak is one number
    int from = 0;                                  // signature, a multiple of kMostLanes
  };
  struct Grade {
    ByAge leak;
    bool one_leak;  // whatever age and sex
    Floats b;       // over the base, padded with 0
    std::vector<Window> exceptions;
  };
  Part base = Part::sets;
  std::vector<Grade> upto;              // by grade but the top
  std::array<Floats, kParts> absent;    // what "absent" leaves of each part, padded with 1; empty where it leaves all
  std::vector<Part> speaks_of;          // parts that are not empty there
  bool graded_with_exceptions = false;  // such rows go through the exact engine
};

// A context factor or cancer history: how its linked causes differ from all others.
struct ContextLanes {
  static constexpr std::array<float, kHistoryBins> kAnyYears = {1, 1, 1, 1, 1};
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

// A measured finding: values are normal about a shifted centre. States of equal shift and spread are one class.
struct MeasuredLanes {
  struct alignas(64) Window {                            // states whose cause shifts it
    std::array<std::int32_t, kMostLanes> own{}, base{};  // classes; the same where there is no exception
    int from = 0;                                        // signature, a multiple of kMostLanes
  };
  Floats shift, precision, height;         // by class: mean, 1 / sd, density at the mean
  std::vector<std::int32_t> class_of_set;  // by set, padded
  std::vector<Window> exceptions;
  float unmodelled = 0;  // density of values that follow no disease
};
inline constexpr int kMostClasses = 256;  // of a measured finding

struct LaneTables {
  LaneTables(const Model& model, const Space& space);

  const Model& m;
  const Space& s;
  int causes, stages, stages_told = 0, course_stages = 0, sets, signatures, mechanisms, places, settings;

  // Signatures here are those of Space in the order of their stages: what a cause or stage brings is then side by side.
  std::vector<int> stage_of, set_of;                 // by signature
  std::vector<int> course_stage_of, cause_of_stage;  // by flat stage
  std::vector<std::vector<int>> mechanisms_of_set;   // by set
  std::vector<std::uint8_t> tumour, malignant;       // by cause

  std::array<Floats, 2 * kAgeBands> rate;  // by cause
  std::vector<Floats> setting;             // by setting: how strongly it selects each cause
  std::vector<ByAge> coming;               // by setting: all rates, as it selects them

  // Presenting times: P(stage at t) as polynomials in log time, cell by cell: [cell][degree][stage], padded.
  int cells = 0;
  double first_weeks = 0, first_log = 0, cell_width = 0, last_weeks = 0;  // cells are even in log(weeks + first_weeks)
  Floats time, ever;

  std::vector<FindingLanes> finding;  // by finding; empty ones where the shape is another
  std::vector<ContextLanes> context;
  std::vector<MeasuredLanes> measured;

  // Spots: the places of each bucket, then one for each cause that may lie outside the spine.
  int spots = 0;
  std::vector<Floats> pain;  // by location, after the one for "not said": P(felt there) by spot

  // Groups of cells that evidence about places cannot tell apart, in the order of part of the canal and pattern, so that a
  // bucket shares its spots.
  struct Bucket {
    int pattern, from, places, spot;  // places: from, from + 1, ...; spot of the first
    int first, groups;
    std::vector<float> share;  // [group][place], of all levels of the cause; 0 for the place that is not in the spine
  };
  struct Outside {
    int group, spot;
    float share;
  };
  int groups = 0;
  std::vector<std::vector<int>> joined;  // groups that occur together: numbered after the groups
  std::vector<Bucket> buckets;
  std::vector<Outside> outside;
  std::vector<std::vector<int>> mechanisms_of_pattern;  // neural mechanisms

  // States, apart from the level: the cells of one stage and variant that do not differ in what is asked about them, but for
  // the group (and with it the neural mechanisms). Where one signature of a state lies in several groups, they are joined.
  struct Cell {
    int set, group, signature;
  };
  struct State {
    int end;      // of its cells: they begin where those of the state before end
    float share;  // of the variant
    int others;   // index into mechanisms_of_others
    bool emergency, ahead;
    std::array<float, kForecastWeeks.size()> p;  // forecast of compression; 0 unless `ahead`
  };
  std::vector<Cell> cell;
  std::vector<State> state;
  std::vector<int> first_state;                        // by flat stage; last entry: all
  std::vector<std::vector<int>> mechanisms_of_others;  // sets of mechanisms that are not neural

 private:
  void lay_out_states();
  void fit_times();
  void add_context(std::size_t finding);
  void add_measured(std::size_t finding);
  void add_place(std::size_t finding);
  void add_discrete(std::size_t finding);

  std::vector<int> first_of_course_, signature_order_;
};

inline constexpr int kTimeDegree = 5;

// A chunk made ready: who goes in the lanes and where in the tables by age each is found.
struct LaneChunk {
  const PeopleTable* people;
  const Planes* planes;
  std::vector<int> low, high;          // sex * kAgeBands + band
  std::vector<float> w;                // weight of `high`
  std::vector<int> time_cell;          // -1: duration unknown
  std::vector<float> time_x;           // in [-1, 1]
  std::vector<std::uint8_t> odd;       // rows for the exact engine
  std::vector<int> discrete, context;  // columns of people->graded
};

// Fills the posteriors of all rows that are not odd; marks as odd those for whom single precision ends.
using Kernel = void (*)(const LaneTables&, LaneChunk&, const Wanted&, PosteriorTable&);

struct NamedKernel {
  const char* name;
  Kernel run;
  void (*read)(const PeopleTable&, Planes&);  // who has answered what
};
std::vector<NamedKernel> lane_kernels();  // that this machine can run, best first

}  // namespace dorsalgia
