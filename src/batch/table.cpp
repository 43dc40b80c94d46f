#include "batch/table.h"

namespace dorsalgia {

Presentation person_of(const PeopleTable& t, const Model& m, int row) {
  const auto r = static_cast<std::size_t>(row);
  Presentation out;
  if (t.age[r] >= 0) out.age = t.age[r];
  if (t.sex[r] >= 0) out.sex = static_cast<Sex>(t.sex[r]);
  out.setting = t.setting[r];
  if (t.weeks[r] >= 0) out.weeks = {t.weeks[r], t.weeks[r]};
  if (t.location[r] >= 0) out.locations = {t.location[r]};
  for (const auto& column : t.graded) {
    const int grade = column.grade[r];
    if (grade == kUnknown) continue;
    const ModelFinding& f = m.findings[static_cast<std::size_t>(column.finding)];
    const int top = f.shape == Shape::history ? kHistoryBins - 1 : f.shape == Shape::context ? 1 : f.grades - 1;
    out.answers.push_back({column.finding, grade == kPresentAny ? 1 : grade, grade == kPresentAny ? top : grade, false, 0, 0, ""});
  }
  for (const auto& column : t.measured)
    if (column.known[r]) out.answers.push_back({column.finding, 0, 0, true, column.value[r], column.value[r], ""});
  return out;
}

}  // namespace dorsalgia
