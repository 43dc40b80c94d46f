// What the lanes read: the Model's tables in single precision, laid out once, and a chunk of people made ready for them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "batch/table.h"
#include "inference/space.h"
#include "model/model.h"

namespace dorsalgia {

inline constexpr int kMostLanes = 16;  // people in one block at most; rows of tables are padded to a multiple of it

inline int padded(int n) { return (n + kMostLanes - 1) / kMostLanes * kMostLanes; }

// Tables by age and sex: a row for each [sex * kAgeBands + band].
using ByAge = std::array<Floats, 2 * kAgeBands>;

// What the weight of a state is multiplied from. An answer is a row of numbers over some of these. A spot is a place as
// seen by a pattern of neural mechanisms; a sight is what findings about places make of spots that none of them tells apart.
enum class Part : std::uint8_t { mechanisms, causes, course_stages, sights, sets };
inline constexpr std::size_t kParts = 5;

// Kinds of state (LaneTables::kinds) of which an answer says something else than of the part it hangs on, by ratios of a few different
// sizes.
struct Exceptional {
  int number = -1;  // among answers with exceptions; -1: none
  int first = 0;    // of its ratios among all
};

// How a discrete finding hangs on a state. P(more than grade g) = b + (1 - b) leak, where b is what the state alone brings:
// 1 - b is a product over its mechanisms, stage and cause; of findings about places it hangs on the sight alone. Over one
// of these parts, the *base*, b is a short row; states for which the others speak too are exceptions: the likelihood of a
// kind is that of its base times a ratio.
struct FindingLanes {
  struct Ratio {
    float full, base;  // b, and b over the base
  };
  struct Grade {
    int number = -1;   // of its leak, in LaneTables::chance
    Floats b;          // over the base, times `height`; padded with 0
    float height = 1;  // brings the likeliest b to 1, so that many answers do not end below single precision
    std::vector<Ratio> ratios;
    Exceptional exceptional;
  };
  Part base = Part::sets;
  std::vector<Grade> upto;              // by grade but the top
  bool graded_with_exceptions = false;  // such rows go through the exact engine
};

// A context factor or cancer history: how its linked causes differ from all others.
struct ContextLanes {
  struct Link {
    int cause;
    float value;
  };
  int number = -1;  // of its prevalence, in LaneTables::chance
  bool linked = false, dated = false;
  std::array<std::vector<Link>, kHistoryBins> by_bin;  // of a date, what a history is times
  std::array<bool, kHistoryBins> bin_possible{};
  bool always_possible = true;  // at any age, in any bin
};

// A measured finding: values are normal about a shifted centre. States of equal shift and spread are one class.
struct MeasuredLanes {
  Floats shift, precision, height;  // by class, padded: mean, 1 / sd, density at the mean
  int usual = 0;                    // the class of most sets
  Numbers of_set;                   // class, by set; padded with the usual one
  // Kinds whose cause shifts it: density of one class over that of another.
  int ratios = 0;
  Numbers own, base;  // by ratio, padded: classes
  Exceptional exceptional;
  bool log_scale = false;
  float unmodelled = 0;  // density of values that follow no disease
};

// Where something stands "in lanes" is its number times how many people lie side by side.
struct LaneTables {
  LaneTables(const Model& model, const Space& space, int lanes);

  const Model& m;
  const Space& s;
  int lanes;
  int causes, stages, told_stages = 0, course_stages = 0, chain_stages = 0, sets, mechanisms, places, settings;

  std::vector<int> chain_stage_of, told_stage_of;  // by flat stage; a stage is told once, whatever its strand
  std::vector<int> first_told;                     // by cause, and the end
  std::vector<int> course_stage_of;                // by stage of a chain
  // What sets of mechanisms are products of: the first is of none of them, each of the others one before it times one mechanism more.
  struct ProductOf {
    int product, mechanism;
  };
  std::vector<ProductOf> products;
  std::vector<int> product_of_set;
  Floats tumour, malignant;  // by cause: 1 or 0

  // Kinds of state: signatures of one set that no answer's exceptions tell apart.
  int kinds = 0;
  std::vector<std::uint32_t> set_of_kind;  // in lanes
  // Up to kMostAlike kinds of which the same answers make exceptions are met together; those of as many kinds stand together, as the
  // kinds do themselves.
  static constexpr int kMostAlike = 8;
  static constexpr std::size_t kMostExcepting = 63;  // answers that make exceptions of one group
  struct KindsAlike {
    int groups, kinds;  // the latter of each group
  };
  std::vector<KindsAlike> kinds_alike;
  int words = 0;                        // of bits, one for each answer with exceptions
  std::vector<std::uint64_t> excepted;  // by group: words
  std::vector<std::uint32_t> ratio_of;  // by group, answer that makes exceptions of it, and kind; in lanes
  int ratios = 0;                       // of all answers

  ByAge rate;                   // by cause
  std::vector<Floats> setting;  // by setting: how strongly it selects each cause
  ByAge coming;                 // by setting: all rates, as it selects them

  int chances = 0;  // leaks of discrete findings, of each grade but the top, and prevalences of factors and histories
  ByAge chance;

  // Presenting times: P(stage at t) as polynomials in log time, cell by cell, kMostLanes stages of chains after the other:
  // [cell][block of stages][word][stage]. Words: coefficients from degree 0 on, the last two in half a word each, the lower one in the
  // upper half. The last cell is for unknown times: what is so at any.
  int time_cells = 0;
  double first_weeks = 0, first_log = 0, cell_width = 0, last_weeks = 0;  // cells are even in log(weeks + first_weeks)
  Floats time;

  std::vector<FindingLanes> finding;  // by finding; empty ones where the shape is another
  std::vector<ContextLanes> context;
  std::vector<MeasuredLanes> measured;

  // Parts of a state, one after the other, each from a multiple of kMostLanes on.
  int said = 0;
  int length(Part part) const { return length_[static_cast<std::size_t>(part)]; }
  int first(Part part) const { return first_[static_cast<std::size_t>(part)]; }

  // What "absent" leaves of members of parts, kAbreast members at once: all findings that speak of any of them, whatever is left of the
  // others being 1. Those with as many links stand together.
  static constexpr std::size_t kAbreast = 4;
  struct Abreast {
    int groups, links;  // the latter of each group
  };
  std::vector<Abreast> abreast;
  std::vector<std::uint32_t> member;  // of each group: where they are among all parts, in lanes
  std::vector<std::uint32_t> absent;  // finding of each link
  std::vector<float> left_of;         // of each link, of all members

  // How causes are linked to context: by ratios of P(present | this cause) over P(present | another), and by shares, P(present | this
  // cause) at any age.
  struct ContextLink {
    std::uint32_t finding, chance;  // the latter in lanes
    float value;
  };
  struct ContextOf {
    int ratios, shares;
  };
  std::vector<ContextOf> context_of;       // by cause
  std::vector<ContextLink> context_links;  // ratios and shares of the first cause, of the second, ...

  // Spots: the places of each bucket, then one for each cause that may lie outside the spine.
  int spots = 0;
  std::vector<int> sight_of_spot, felt_of_spot;
  std::vector<Floats> pain;  // by location, after the one for "not said": P(felt there) by place and, outside the spine, cause

  // A portion: cells that evidence about places cannot tell apart. Most causes are as likely at every place of a region: even portions
  // have one share a run of places, uneven ones one a place.
  struct Portions {
    int first = 0, count = 0;
    std::vector<float> share;  // [portion][run or place], of all levels of the cause; 0 for the place that is not in the spine
  };
  // Portions in one part of the canal as one pattern sees it, which share their spots.
  struct Bucket {
    int pattern, from, places, spot;  // places: from, from + 1, ...; spot of the first
    std::vector<int> run;             // by place: run, among those of all buckets
    Portions even, uneven;

    int runs() const { return run.back() + 1 - run.front(); }
  };
  struct Outside {  // the spine
    int portion, pattern, spot;
    float share;
  };
  // A group: a portion, or several of one cause whose cells are the same. Groups of one form stand together, so that work on their cells
  // never branches by what they are.
  struct Form {
    int cells;       // of each group
    bool variants;   // some of them are two: with and without the accompaniment
    bool later;      // in some of them cord or cauda are not under pressure now but may be later
    bool pressed;    // cord or cauda are under pressure now
    bool emergency;  // what is found there is one
    int groups = 0;
    auto operator<=>(const Form& other) const = default;
  };
  struct Group {
    int cause;
    int portion;                  // from LaneTables::portions on a joint one
    std::array<float, 2> shares;  // by variant, of the cause, at every stage
  };
  std::vector<Form> form;
  std::vector<Group> group;
  std::vector<Bucket> buckets;
  std::vector<Outside> outside;
  int portions = 0, runs = 0;
  std::vector<std::vector<int>> joint;                  // portions that are joined: numbered after the portions
  std::vector<std::vector<int>> mechanisms_of_pattern;  // neural mechanisms

  // What a cell's variants weigh is told of its stage (and so its cause) and of those of their mechanisms that are not neural: slots are
  // what these can be together.
  struct Slot {
    int stage, others;  // told stage; index into mechanisms_of_others
  };
  struct Variant {
    std::uint32_t kind, slot;  // in lanes
  };
  struct Cell {
    std::array<Variant, 2> variant;
    std::uint32_t stage;  // of a chain, in lanes
    int ahead;
  };
  using Ahead = std::array<float, kForecastWeeks.size()>;
  std::vector<Cell> cell;
  std::vector<Ahead> ahead;                            // forecasts of compression: which there are
  std::vector<Slot> slot;                              // one for each told stage in their order, then all others
  std::vector<std::vector<int>> mechanisms_of_others;  // sets of mechanisms that are not neural
  std::vector<std::vector<std::size_t>> slots_of_others;
  std::vector<std::vector<std::size_t>> patterns_of_mechanism, others_of_mechanism;

 private:
  // A cell as it is before kinds and slots are numbered.
  struct Draft {
    struct One {
      int signature = 0, others = 0;
      float share = 0;
      bool operator==(const One& other) const = default;
    };
    int stage;  // flat
    Ahead ahead;
    std::array<One, 2> variant;
    bool operator==(const Draft& other) const = default;
  };
  std::uint32_t in_lanes(int i) const { return static_cast<std::uint32_t>(i * lanes); }
  void find_products();
  std::vector<Draft> lay_out_states();
  void fit_times();
  float& time_word(int cell, int word, int chain_stage);
  void add_context(std::size_t finding);
  void lay_out_context();
  void find_sights();
  void add_place(std::size_t finding);
  int add_chance(const AgeSex& table, double least);
  void add_absent(std::size_t finding, Part part, int which, double left);
  void lay_out_absent();
  struct Exceptions;
  using Saying = std::pair<float, float>;  // b, and b over the base; classes of a measured finding
  std::vector<std::map<Saying, int>> number_ratios(const std::vector<Exceptions>& exceptions);  // by answer with exceptions
  void add_measured(std::size_t finding, std::vector<Exceptions>& exceptions);
  void add_discrete(std::size_t finding, std::vector<Exceptions>& exceptions);
  std::vector<int> find_kinds(const std::vector<Exceptions>& exceptions);  // by signature
  void lay_out_cells(const std::vector<Draft>& drafts, const std::vector<int>& kind_of);

  struct Spot {
    MechanismSet pattern;
    int place, cause;  // cause: of a spot outside the spine; -1 within
  };
  double left_of_spot(const ModelFinding& finding, const Spot& spot) const;
  std::array<int, kParts> length_{}, first_{};
  std::vector<int> first_of_course_;
  std::vector<std::map<int, float>> absent_of_;  // by member of all parts and finding: what is left
  std::vector<Spot> spot_of_, sights_;           // the latter: one of each sight
};

inline constexpr int kTimeDegree = 5;
inline constexpr int kTimeWords = kTimeDegree;  // of a polynomial

// A chunk made ready: who goes in the lanes and where in the tables by age and time each is found.
struct LaneChunk {
  const PeopleTable* people;
  Planes planes;
  std::vector<int> low, high;  // sex * kAgeBands + band
  std::vector<float> w;        // weight of `high`
  std::vector<int> time_cell;
  std::vector<float> time_x;           // in [-1, 1]
  std::vector<std::uint8_t> odd;       // rows for the exact engine
  std::vector<int> discrete, context;  // columns of people->graded
};

// Works through chunks, one after the other.
class LaneKernel {
 public:
  virtual ~LaneKernel() = default;
  // Who answered what, and where everybody is found. Of those who are not said to be of an age and sex that is `odd`.
  virtual void read(const PeopleTable& people, LaneChunk& chunk) const = 0;
  // Fills the posteriors of all rows that are not odd; marks as odd those for whom single precision ends.
  virtual void run(LaneChunk& chunk, const Wanted& wanted, PosteriorTable& out) = 0;
};

// Rows whose value is from low to high; no value is NaN.
using Within = Bits (*)(const std::vector<double>& values, double low, double high);
using AtLeast = Bits (*)(const Floats& values, float low);
// Rows whose code is one of those.
using Among = Bits (*)(const std::vector<std::int8_t>& codes, const std::vector<std::int8_t>& those);
// What is known of all of some conditions. Of any of them: the same with yes and no exchanged. out: what is known of none of them.
using Fold = void (*)(const std::vector<Known>& done, const std::vector<int>& conditions, bool any, Known& out);

struct NamedKernel {
  const char* name;
  int lanes;
  std::unique_ptr<LaneKernel> (*make)(const LaneTables&);  // which must outlive it
  Within within;
  AtLeast at_least;
  Among among;
  Fold fold;
};
std::vector<NamedKernel> lane_kernels();  // that this machine can run, best first

}  // namespace dorsalgia
