// The structured exact engine: the same sums as the oracle, arranged so that a posterior costs microseconds.
//
// Build once from a Model (tables of a few MB), then share between threads: all queries are const.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "inference/posterior.h"
#include "model/state.h"

namespace dorsalgia {

// What one more answer would do. Grades: absent/present, the grades of a graded finding, low/normal/raised of a measured
// one, never/<1/1-5/5-10/>=10 years of a cancer history.
struct Prospect {
  int finding = -1;
  std::vector<double> probability;  // of each grade, now
  std::vector<double> tumour;       // P(tumour | that grade)
  std::vector<double> emergency;    // P(emergency | that grade)
  double tumour_bits = 0;           // expected information about tumour yes/no
  double emergency_bits = 0;        // the same about emergency yes/no
};

// A state that a person may be in, drawn from the posterior; of someone of unknown age or sex, who that may be.
struct DrawnState {
  State state;  // variant is not drawn: what is active is
  Profile person;
};

class ExactEngine {
 public:
  explicit ExactEngine(const Model& model);
  ~ExactEngine();
  ExactEngine(ExactEngine&&) noexcept;

  // With later visits: of the state at the last one (inference/visits.h).
  Posterior posterior(const Presentation& person, const CauseWeights& weights = {}) const;

  // Of a person without later visits: the same without mechanisms and levels, in half the time.
  Posterior outcomes(const Presentation& person) const;

  // One backward pass: every finding that has no answer yet. Order: by finding.
  std::vector<Prospect> prospects(const Presentation& person) const;

  // Among those who have this finding (answer present), how much each mechanism brings it: P(mechanism active and
  // bringing it alone), by mechanism; for explanations. Empty for context.
  std::vector<double> carriers(const Posterior& posterior, int finding) const;

  // With later visits: what would be believed if it were not known that the pain was still there at each of them.
  Posterior but_for_lasting(const Presentation& person) const;

  // States of a person without later visits by their place in the posterior: evenly spread places in [0, 1), rising, give a
  // sample without noise. Empty when the answers exclude each other.
  std::vector<DrawnState> states_at(const Presentation& person, const std::vector<double>& places) const;

  // Posteriors, without mechanisms and levels, of a person without later visits under other numbers. `displaced` is a copy of the model,
  // whose numbers (not its states, courses or levels) displace() changes before each posterior; it returns false when there are no more.
  void under_other_numbers(const Presentation& person, Model& displaced, const std::function<bool()>& displace,
                           const std::function<void(const Posterior&)>& use) const;

  const Model& model() const;
  int cells() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> t_;
};

}  // namespace dorsalgia
