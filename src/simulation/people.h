// Virtual people, drawn from the same Model tables that inference reads (model/state.h): who they are, what they have and
// since when, what is found, and what of it a record would hold. Ground truth is kept.
//
// Person i of a seed is the same person whatever the number of people or threads: every number comes from a counter-based
// generator (Philox4x64: Salmon et al., SC 2011) at the place (seed; person, purpose, visit, block). All calls are const
// and may be made from several threads.
//
// Everything is drawn in the order of docs/model.md, given age, sex and setting exactly as inference assumes it. Ages have
// the density of those who come: people (uniform within an age band, the last taken to end at kOldest) times the sum of
// all rates.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "inference/posterior.h"
#include "model/state.h"
#include "person/presentation.h"

namespace dorsalgia {

inline constexpr double kOldest = 92;  // years; makes 86, the middle of the last band, its mean

// Which people to draw.
struct Cohort {
  int setting = -1;           // index into Model::settings; -1: by their shares
  CauseWeights causes;        // a factor on the base rate of each cause; 0: left out; empty: as they come
  std::vector<double> later;  // weeks from the first visit to each later one, rising, above 0
};

// What is written down, compiled: probabilities by kind and setting (Knowledge::recording).
struct Recording {
  struct Kind {
    std::vector<double> done, present, absent;  // by setting
  };
  std::vector<Kind> kinds;
  std::vector<int> kind_of;  // by finding
  int duration = -1, location = -1;
};
// Empty kinds when the knowledge says nothing of it.
Recording compile_recording(const Knowledge& knowledge, const Model& model);

struct StageEntered {
  int stage;     // of the cause's course; -1: recovered
  double weeks;  // since the pain began
};

struct VirtualVisit {
  double weeks = 0;  // since the first visit
  int stage = 0;     // -1: recovered; then nothing below means anything
  MechanismSet active = 0;
  int sensory_segment = -1;  // the border of a sensory level; -1: there is none, or it lies beyond the last segment
  // By finding (and a few unused places more). Grades of symptoms, factors and bins of a history; measured values on the
  // finding's scale (natural log where it is logarithmic).
  std::vector<std::uint8_t> grades;
  std::vector<double> values;
  std::vector<std::uint8_t> recorded;  // 1: written down
};

struct VirtualPerson {
  std::uint64_t index = 0;
  double age = 0;  // years
  Sex sex = Sex::male;
  int setting = 0, cause = 0, variant = 0, level = 0;
  int location = -1;                 // where it hurts
  double weeks = 0;                  // from the onset of the pain to the first visit
  double stated_weeks = 0;           // as the person says: may be that of older ordinary pain
  double within_bin = 0;             // in (0, 1): where in its bin the time since an earlier cancer lies
  double weight = 1;                 // natural frequency over that in the cohort: sums of weights estimate all who come
  std::vector<StageEntered> path;    // stages by time of entry, to the last visit
  std::vector<VirtualVisit> visits;  // the first and the later ones
  bool duration_recorded = true, location_recorded = true;

  State state(std::size_t visit = 0) const { return {cause, variant, visits[visit].stage, level, visits[visit].active}; }
};

class People {
 public:
  // The model must outlive this. recording: what is written down; nullptr: everything.
  // Throws std::invalid_argument when nobody is of this cohort (a cause that does not come to this setting).
  People(const Model& model, std::uint64_t seed, Cohort cohort = {}, const Recording* recording = nullptr);
  ~People();
  People(People&&) noexcept;

  // Person `index`; `out` is reused: no memory is asked for once it has grown.
  void draw(std::uint64_t index, VirtualPerson& out) const;

  // The person of draw() left to itself in continuous time: `path` goes on to `weeks` after the first visit, and visits become
  // one for every stage lived through since then, at the time of entering it. What is found holds for as long as the stage lasts.
  void follow(VirtualPerson& person, double weeks) const;

  const Model& model() const;
  // P(a person who comes to this setting is of the cohort), when its weights are 0 and 1.
  double share(int setting) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> t_;
};

// The measured value of a finding in its unit.
double in_unit(const ModelFinding& finding, double value);

// What is known at the first visit when only what was written down is known; age, sex and setting always are.
Presentation presentation(const Model& model, const VirtualPerson& person);

}  // namespace dorsalgia
