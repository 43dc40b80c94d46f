// The structured exact engine: the same sums as the oracle, arranged so that a posterior costs microseconds.
//
// Build once from a Model (tables of a few MB), then share between threads: all queries are const.
#pragma once

#include <memory>
#include <vector>

#include "inference/posterior.h"

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

class ExactEngine {
 public:
  explicit ExactEngine(const Model& model);
  ~ExactEngine();
  ExactEngine(ExactEngine&&) noexcept;

  // With later visits: of the state at the last one (inference/visits.h).
  Posterior posterior(const Presentation& person, const CauseWeights& weights = {}) const;

  // One backward pass: every finding that has no answer yet. Order: by finding.
  std::vector<Prospect> prospects(const Presentation& person) const;

  // Among those who have this finding (answer present), how much each mechanism brings it: P(mechanism active and
  // bringing it alone), by mechanism; for explanations. Empty for context.
  std::vector<double> carriers(const Posterior& posterior, int finding) const;

  // With later visits: what would be believed if it were not known that the pain was still there at each of them.
  Posterior but_for_lasting(const Presentation& person) const;

  const Model& model() const;
  int cells() const;

 private:
  struct Tables;
  std::unique_ptr<Tables> t_;
};

}  // namespace dorsalgia
