// Study: one published study as data: whom it saw and what it counted. docs/studies.md is the format's manual; the structs
// follow it key by key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"

namespace dorsalgia {

enum class Use { calibration, validation, context };
const char* use_name(Use use);

struct StudyFigure {
  enum class Kind { share, likelihood_ratio, odds_ratio, recovery, delay };
  std::string id;
  Kind kind = Kind::share;
  std::optional<Condition> of, has, against;
  // Observed: a share in [0, 1], a ratio > 0, or weeks; with its 95% interval from sampling alone.
  double value = 0, low = 0, high = 0;
  double total = 0;      // people, of a share; worked out from the interval when only that is published
  double weeks = 0;      // of a recovery
  std::string from, to;  // of a delay
  Use use = Use::calibration;
  std::string because;
  std::string missed;  // why the model and this figure differ, once that is understood
  Citation cite;
};

struct Study {
  std::string id, name, source, country, setting, design, reference, because, file;
  Use use = Use::calibration;
  std::optional<Condition> who;
  std::vector<StudyFigure> figures;
};

// Files as (path, text), e.g. Knowledge::texts or a folder of one's own. Never throws on bad content; every fault (with
// file and line: counts above their total, unknown names and sources, ...) is a complaint. Sorted by id.
std::vector<Study> read_studies(const KnowledgeFiles& files, const Knowledge& knowledge, std::vector<Complaint>& complaints);

}  // namespace dorsalgia
