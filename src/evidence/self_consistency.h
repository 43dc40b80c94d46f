// Does a stated 30% come true in 30%? Simulation-based calibration: people are drawn from the model, the engine is told a
// part of what is true of them, and what it then states is compared with the truth. With the right tables and a right engine
// every probability is calibrated, exactly and not only about; a table that only one of the two sides reads differently is
// seen. (Talts S et al., arXiv:1804.06788; Cook SR, Gelman A, Rubin DB. J Comput Graph Stat 2006;15:675.)
//
// Three kinds of check, each a number that has a known distribution when all is well:
//   curves   people by stated probability: how many, and how many of them it came true for
//   each     the same for each cause, stage, level, mechanism and answer by itself: expected and observed
//   ranks    where the truth lies in the stated distribution over causes, stages, levels: uniform
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inference/exact.h"
#include "simulation/people.h"

namespace dorsalgia {

// Stated and observed counts of one bin or thing; variance: of observed - stated, if stated is right.
struct Tally {
  double people = 0, stated = 0, observed = 0, variance = 0;
  double z() const;  // 0 where the variance is 0
};

struct Check {
  std::string name;         // "curve: tumour"
  double statistic = 0;     // chi-square; for "each" the largest |z|
  int freedom = 0;          // its degrees of freedom; for "each" how many things were looked at
  double p = 1;             // probability of at least this statistic when all is well
  std::vector<Tally> bins;  // curves: by stated probability; ranks: from 0 to 1; each: by index
  std::string worst;        // each: what is furthest off
};

class Calibration {
 public:
  explicit Calibration(const Model& model);
  ~Calibration();
  Calibration(Calibration&&) noexcept;
  Calibration& operator=(Calibration&&) noexcept;

  // What was stated of a person about one visit, and the truth. random: uniform in (0, 1), for ranks.
  void add(const Posterior& stated, const VirtualPerson& truth, std::size_t visit, double random);
  // What was stated about answers that had not been given, and the true ones.
  void add(const std::vector<Prospect>& stated, const VirtualPerson& truth, std::size_t visit);
  void add(const Calibration& other);

  std::vector<Check> checks() const;

 private:
  struct Counts;
  std::unique_ptr<Counts> c_;
};

// Which part of the truth is told. Everything about a person's asking comes from the seed and the person's index.
struct Asking {
  std::uint64_t seed = 1;
  bool setting_may_be_unknown = true;      // only right where the cohort has no weights (docs/simulation.md)
  std::optional<double> share;             // of the findings that are told; empty: from none to all, mostly few
  std::optional<Shape> shape;              // only findings of this shape are told
  std::uint64_t prospects_of_one_in = 16;  // for how many people unasked answers are foretold; 0: for none
  std::size_t visits = 1;                  // how many are told, the first included; of the state at the last it is stated
};

// A random part of what was found, said in one of the ways a record says it: from nothing at all to everything; durations
// exact, as a range or unknown; values exact, or low, normal, raised; "had cancer", which is not said. At later visits a
// part is asked that is drawn anew for each; values, told exactly then, are measured at all of them or at none.
Presentation asked(const Model& model, const VirtualPerson& person, const Asking& asking);

// People first to first + count. weights: those of the cohort of `people`. The engine may have another model than the people.
Calibration self_consistency(const ExactEngine& engine, const People& people, const CauseWeights& weights, const Asking& asking,
                             std::uint64_t first, std::uint64_t count);

}  // namespace dorsalgia
