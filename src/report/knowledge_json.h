// The knowledge base for programs: as it was written, key by key, with every number's interval, status and source; and what a
// course makes of one cause in one person. For the page's rooms that show where numbers come from and how tumours grow.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "knowledge/knowledge.h"
#include "model/model.h"

namespace dorsalgia {

nlohmann::json json_knowledge(const Knowledge& knowledge, const Model& model);

struct CourseWanted {
  int cause = -1;
  double age = 60;  // years
  Sex sex = Sex::female;
  std::optional<int> level;  // where the cause sits most often, if not given
};
// {"cause": "met_breast", "age": 60, "sex": "female", "level": "T8"}. Throws std::exception on what cannot be.
CourseWanted read_course_wanted(const nlohmann::json& request, const Model& model);

// The cause's stages in this person at this level, left to itself: times (weeks), what is active, what is found.
nlohmann::json json_course(const Knowledge& knowledge, const Model& model, const CourseWanted& wanted);

}  // namespace dorsalgia
