// The structured exact engine: the same sums as the oracle, arranged so that a posterior costs microseconds.
//
// Build once from a Model (tables of a few MB), then share between threads: all queries are const.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "inference/posterior.h"
#include "model/state.h"

namespace dorsalgia {

// What one more answer would do. Grades: absent/present, the grades of a graded finding, low/normal/raised of a measured
// one, never/<1/1-5/5-10/>=10 years of a cancer history.
struct Prospect {
  struct Grade {
    double probability = 0;            // of this grade, now
    double tumour = 0, emergency = 0;  // P(tumour | this grade), P(emergency | this grade)
  };
  int finding = -1;
  std::vector<Grade> grades;
  double tumour_bits = 0;     // expected information about tumour yes/no
  double emergency_bits = 0;  // the same about emergency yes/no
};

class ExactEngine {
 public:
  // target: one of targets(), or empty for the best one here.
  explicit ExactEngine(const Model& model, const std::string& target = "");
  ~ExactEngine();
  ExactEngine(ExactEngine&&) noexcept;

  // Instruction sets that this machine can run, best first ("avx512", "avx2", "sse4", "plain").
  static std::vector<std::string> targets();

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

  // Of a person without later visits: P(tumour) once all of these findings are answered, in so many samples: states spread
  // evenly over the posterior, answers drawn from the states. The same at every call. Empty when the answers exclude each other.
  std::vector<double> once_answered(const Presentation& person, const std::vector<int>& findings, int samples) const;

  const Model& model() const;
  int cells() const;

  struct Tables;  // inference/tables.h
  const Tables& tables() const { return *t_; }

 private:
  std::unique_ptr<Tables> t_;
};

}  // namespace dorsalgia
