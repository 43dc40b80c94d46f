// Published scores (SINS, ESCC, Tokuhashi, ...) from knowledge/scores. A missing item makes a score incomplete, never 0.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"

namespace dorsalgia {

struct ScoreResult {
  bool complete = false;
  double points = 0;                 // of the items given; the score itself only when complete
  double lowest = 0, highest = 0;    // what the whole score can still become (sum scores)
  std::string grade;                 // category scores
  const ScoreBand* band = nullptr;   // interpretation, when complete
  std::vector<std::string> missing;  // item ids
  std::vector<std::string> faults;   // unknown items or options, with the nearest name
  std::vector<std::pair<const ScoreItem*, const ScoreOption*>> given;
};

// answers: item id -> option id (or a vertebral level where the item's options carry levels).
ScoreResult score(const Score& score, const std::map<std::string, std::string>& answers);

}  // namespace dorsalgia
