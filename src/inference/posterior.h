// Posterior: what the model says once a person's answers are in. All probabilities are normalised over everything.
//
// Engines (oracle.cpp, exact.cpp) fill the same struct and must agree; what is asked of it (explanation, next question,
// forecast) stands in files of its own.
#pragma once

#include <array>
#include <vector>

#include "model/model.h"
#include "person/presentation.h"

namespace dorsalgia {

inline constexpr std::array<double, 4> kForecastWeeks = {1, 2, 4, 12};

struct Posterior {
  double log_evidence = 0;  // natural log of P(answers | age, sex, setting); densities count per unit
  bool possible = true;     // false: the answers exclude each other in the model; nothing below means anything
  double tumour = 0, malignant = 0, emergency = 0;
  std::vector<double> causes;                               // by cause
  std::vector<double> mechanisms;                           // P(active), by mechanism
  std::vector<double> levels;                               // by level
  std::vector<std::vector<double>> stages;                  // P(cause and stage), by cause, stage
  std::array<double, kForecastWeeks.size()> compression{};  // P(cord or cauda compressed now or within so many weeks)
};

// What to put in place of the base rates: a factor for each cause. Empty: the base rates themselves.
using CauseWeights = std::vector<double>;

// The plain engine: goes through every (cause, variant, stage, level) and multiplies term by term. Slow, for tests, and for one
// visit only: it does not read Presentation::later. Keeps a reference to the model; queries are const, and threads may share it.
class Oracle {
 public:
  explicit Oracle(const Model& model);
  explicit Oracle(const Model&&) = delete;
  ~Oracle();
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  Posterior posterior(const Presentation& person, const CauseWeights& weights = {}) const;

 private:
  class Sum;
  struct Timing;
  const Model& m_;
  std::vector<Timing> timing_;  // by cause
};

// People of one age and sex that a presentation may stand for, with weights; one when both are known.
struct Profile {
  double age;
  Sex sex;
  double weight;
};
std::vector<Profile> profiles(const Model& model, const Presentation& person);

// The presentation as a sum of presentations that exclude each other, so that no finding is named by two "any of"s (nor,
// if `places`, any finding about a place by one): each such finding is split into the grades or ranges they make of it.
// One part, the presentation itself, when there is nothing to split; none when the answers exclude each other.
std::vector<Presentation> taken_apart(const Model& model, const Presentation& person, bool places);

// Every finding that an answer names, each once.
std::vector<int> named_findings(const Presentation& person);

// log(p / (1 - p)) kept finite, and the same in decibans (10 log10 odds).
double decibans(double probability);

}  // namespace dorsalgia
