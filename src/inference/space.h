// What a person can be, whatever the numbers: parameters move probabilities, never which states there are. The exact engine
// and the batch engine lay the same states out here and fill them with likelihoods each in its own way.
#pragma once

#include <Eigen/Core>
#include <array>
#include <map>
#include <vector>

#include "course/chain.h"
#include "inference/posterior.h"
#include "model/model.h"

namespace dorsalgia {

inline constexpr int kClasses = 4;  // bit 1 tumour, bit 0 emergency

using Forecast = std::array<double, kForecastWeeks.size()>;

// A cause in those parts of the canal in which its course is equally fast.
struct Strand {
  int cause, pace;  // Model::courses[...].pace of those parts
  int chain;
  int first;  // flat stage index of its first stage
};

// All that findings without a place can see of a state, and where its course is equally fast.
struct Signature {
  int cause, stage;
  MechanismSet active;
  int klass;
};

// A signature in one part of the canal.
struct Cell {
  int signature, group;
  double share;  // of the variant x of the levels in this part of the canal
};

// All that evidence about places can see.
struct PlaceGroup {
  int cause, canal, pattern, klass;
};

struct Space {
  const Model* m;
  std::vector<Signature> signatures;
  std::array<int, kClasses + 1> class_begin{};
  std::vector<int> cause_of, stage_of, set_of;         // by signature: cause, flat stage index, index into `sets`
  Eigen::ArrayXd share_of;                             // by signature: sum over its cells
  std::vector<Forecast> compression_of;                // by signature: mean over its cells
  std::vector<MechanismSet> sets;                      // the sets of mechanisms that occur
  std::vector<Cell> cells;                             // by signature
  std::vector<std::pair<int, Forecast>> compressible;  // cells in which cord or cauda may come under pressure
  std::vector<PlaceGroup> groups;
  std::vector<Chain> chains;      // by course, tempo and pace
  std::vector<Strand> strands;    // by cause and pace
  std::vector<int> stage_offset;  // first flat stage index of each cause, whose strands stand one after the other; last entry: total
  std::vector<double> ever;       // by flat stage index: share presenting in that stage, whatever the time
  // Levels in the order of the parts of the canal, so that each part is a range; Model's index of each, and the reverse.
  std::vector<int> level_at, place_of;
  std::array<Eigen::Index, kCanals + 1> canal_begin{};
  int outside = -1;                    // the place that is not in the spine: pain there is referred
  Eigen::MatrixXd level_share;         // [place, cause]: share within its part of the canal
  std::vector<MechanismSet> patterns;  // neural mechanisms, for place findings

  explicit Space(const Model& model);

  // Of a cause's course: a cause has so many flat stage indices for each of its strands.
  int stages(int cause) const { return static_cast<int>(m->courses[m->causes[cause].course].stages.size()); }
  Eigen::Index n() const { return static_cast<Eigen::Index>(signatures.size()); }
  Eigen::Index places() const { return static_cast<Eigen::Index>(m->levels.size()); }

 private:
  using Forecasts = std::map<std::pair<int, std::vector<bool>>, std::vector<Forecast>>;  // by chain and target
  void build_places();
  void build_chains();
  void build_cells();
  const Strand& strand(int cause, Canal canal) const;
  const std::vector<Forecast>& forecast(const Strand& strand, Canal canal, Forecasts& known) const;
};

}  // namespace dorsalgia
