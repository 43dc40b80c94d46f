// Urgency of a chunk of people by all rules at once: what triage() says row by row, with three truth values as two bits.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "batch/table.h"
#include "knowledge/knowledge.h"

namespace dorsalgia {

struct NamedKernel;  // batch/lanes.h

class UrgencyRules {
 public:
  // The rules of a profile, each different condition in them once.
  UrgencyRules(const Knowledge& knowledge, const Model& model, const std::string& profile);
  ~UrgencyRules();

  // out.urgency, by the rules and, for adults, the thresholds on out's probabilities. done: room for what is known of each condition.
  void add(const PeopleTable& people, const Planes& planes, const NamedKernel& kernel, std::vector<Known>& done, PosteriorTable& out) const;

 private:
  struct Nodes;
  std::unique_ptr<Nodes> n_;
};

}  // namespace dorsalgia
