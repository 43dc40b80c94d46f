// Later visits: the same person, filtered over time (docs/model.md, "Later visits"). A hidden Markov model whose answers
// hang together over visits, because a finding that is there stays there while what brings it does.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "course/chain.h"
#include "inference/exact.h"

namespace dorsalgia {

// The person with facts of one day put together: `later` in strictly rising weeks above 0. Nothing when the facts of one
// day exclude each other or pain comes back after recovery. Throws std::invalid_argument when visits are out of order.
std::optional<Presentation> in_order(const Presentation& person);

// All that is known at the last visit as if it had been said there, for rules: of a finding the latest answer, so that what
// was found at an earlier visit and not asked again still counts; the duration that has passed by then. No `later`.
Presentation at_last_visit(const Presentation& person);

// The person as known up to and including a visit (0: the first).
Presentation up_to_visit(const Presentation& person, std::size_t visit);

// Exact filter over the stage paths of every cause, variant and group of levels. Cost grows with the number of paths that
// the answers can tell apart; paths that they cannot are summed on the way. All queries are const.
class VisitFilter {
 public:
  explicit VisitFilter(const Model& model, double renewal_weeks = kRenewalWeeks);

  // Of the state at the last visit; forecasts run from there. After recovery no stage is left: stages sum to 0.
  Posterior posterior(const Presentation& person, const CauseWeights& weights = {}) const;

  // The same but for one piece of evidence: that the pain was still there at each visit.
  Posterior but_for_lasting(const Presentation& person) const;

  // What one more answer at the last visit would do: findings never asked, and those asked before but not at that visit
  // (yes-no and graded ones: has it come since?). Order: by finding. Empty after recovery.
  std::vector<Prospect> prospects(const Presentation& person) const;

 private:
  struct Part;
  struct Statements;
  struct Times;
  std::vector<Part> filtered(const Presentation& in_order, const CauseWeights& weights, bool lasting_tells = true) const;
  Posterior summed(const std::vector<Part>& parts) const;
  void walk(const Presentation& person, const Statements& said, const Profile& x, const std::vector<double>& by_cause, const Times& times,
            std::vector<Part>& out) const;

  using Forecast = std::array<double, kForecastWeeks.size()>;
  const Model& m_;
  const double renewal_weeks_;
  std::vector<Chain> chains_;                       // by course, tempo and pace
  std::vector<std::array<int, kCanals>> chain_of_;  // by cause and part of the canal
  // By chain and compressing stages: by stage, P(compressed now or within so many weeks).
  std::map<std::pair<int, std::vector<bool>>, std::vector<Forecast>> ahead_;
};

// The filtered posterior at each visit, the first included.
std::vector<Posterior> trajectory(const ExactEngine& engine, const Presentation& person);

}  // namespace dorsalgia
