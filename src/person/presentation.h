// Presentation: what is known of one person, at the first visit and at later ones. Unknown is never absent: what is not
// here is unknown.
//
// Findings are indices into Model::findings (and Knowledge::findings, which has the same order). An answer is always a
// range, so that "at least suspicious", "raised", "more than 100" and "breast cancer, years unknown" are all one shape.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.h"

namespace dorsalgia {

struct Answer {
  int finding = -1;
  int low = 0, high = 0;  // discrete, context, history: grades or bins from low to high, both included
  bool measured = false;  // then `from` <= value < `to`; from == to means exactly this value
  double from = 0, to = 0;
  std::string given;  // as the user wrote it, for reports ("findings.fever: present")

  bool present() const { return !measured && low > 0; }
  bool absent() const { return !measured && high == 0; }
};

// At least one of the answers holds; which is not known ("had cancer", "inflammatory markers raised").
struct AnyOf {
  std::vector<Answer> answers;
  std::string given;
};

// The same person seen again. The pain is still there unless `recovered`; then nothing but context stands here.
struct Visit {
  double weeks = 0;  // since the first visit
  std::vector<Answer> answers;
  std::vector<AnyOf> any_of;
  std::vector<int> locations;
  int sensory_segment = -1;
  bool recovered = false;  // free of this pain; no visit with pain follows
};

struct Presentation {
  std::string id;
  std::optional<double> age;  // years
  std::optional<Sex> sex;
  int setting = -1;  // index into Model::settings; -1 unknown
  // Weeks since the pain began: [from, to), to may be infinity; from == to means exactly; nullopt unknown.
  std::optional<std::array<double, 2>> weeks;
  std::vector<Answer> answers;
  std::vector<AnyOf> any_of;
  std::vector<int> locations;       // where it hurts: any one of these; empty unknown
  int sensory_segment = -1;         // upper border of a sensory level, index into Model::segments
  std::vector<std::string> noted;   // understood, but the model has no use for it
  std::vector<std::string> unread;  // keys of case files that are never read
  std::vector<Visit> later;         // in order of time; the facts above are those of week 0

  const Answer* answer(int finding) const;
};

}  // namespace dorsalgia
