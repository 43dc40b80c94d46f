// Guideline rules -> urgency. Rules are data; three truth values, because unknown is never absent. Probabilities may
// raise the urgency by stated thresholds and can never lower it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inference/posterior.h"
#include "knowledge/knowledge.h"
#include "person/presentation.h"

namespace dorsalgia {

enum class Truth { no, unknown, yes };

enum class Urgency { routine, soon, urgent, emergency };  // later: two weeks, days, the same day

inline constexpr double kAdult = 18;  // years; below, only paediatric rules speak and probabilities are withheld

const char* urgency_id(Urgency urgency);      // "soon"
const char* urgency_phrase(Urgency urgency);  // "within 2 weeks"
Urgency urgency_of(const std::string& id);

// Of a person seen more than once: all that is known at the last visit (inference/visits.h).
// The condition's names must be resolved, as load_knowledge leaves them.
Truth holds(const Condition& condition, const Model& model, const Presentation& person);

struct Fired {
  const Rule* rule = nullptr;            // either a rule
  const Threshold* threshold = nullptr;  // or a probability threshold
  double probability = 0;                // its value now
  Urgency urgency = Urgency::routine;
};

struct Triage {
  Urgency urgency = Urgency::routine;
  bool child = false;
  std::vector<Fired> fired;               // most urgent first
  std::vector<const Rule*> unknown;       // more urgent than `urgency`, cannot be told yet
  std::vector<std::string> not_assessed;  // findings (ids) that must be known and are not; "any_cancer_history" too
};

// profile: "uk" or "us"; rules of the profile, the common ones, and for children the paediatric ones only.
Triage triage(const Knowledge& knowledge, const Model& model, const Presentation& person, const std::string& profile,
              const Posterior* posterior);

// Whether a rule is for children (or adults) of this profile.
bool speaks(const Rule& rule, bool child, const std::string& profile);

// A red-flag list run as written: fired, silent or not assessable, by part of the list.
struct ComparatorResult {
  const Comparator* list;
  std::vector<std::pair<std::string, Truth>> parts;
};
std::vector<ComparatorResult> compare(const Knowledge& knowledge, const Model& model, const Presentation& person);

// Runs every rule's own tests. Empty: all pass. Otherwise one line each.
std::vector<std::string> failing_rule_tests(const Knowledge& knowledge, const Model& model);

}  // namespace dorsalgia
