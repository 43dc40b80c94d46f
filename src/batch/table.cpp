#include "batch/table.h"

#include <algorithm>
#include <cstring>

namespace dorsalgia {

Planes::Planes(const PeopleTable& t) {
  // Eight codes at a time: the highest bit of each byte is gathered into a byte by one multiplication.
  constexpr std::uint64_t kHigh = 0x8080808080808080, kLow = 0x7f7f7f7f7f7f7f7f, kGather = 0x0002040810204081;
  const auto rows = static_cast<std::size_t>(t.rows);
  for (const auto& column : t.graded) {
    Bits yes, no;
    for (std::size_t r = 0; r < rows; r += 8) {
      std::uint64_t codes = ~std::uint64_t{0};  // unknown
      std::memcpy(&codes, column.grade.data() + r, std::min<std::size_t>(8, rows - r));
      const std::uint64_t known = ~codes & kHigh, not_zero = (codes & kLow) + kLow;
      yes.words[r / 64] |= (((known & not_zero & kHigh) >> 7) * kGather >> 49 & 0xff) << r % 64;
      no.words[r / 64] |= (((known & ~not_zero & kHigh) >> 7) * kGather >> 49 & 0xff) << r % 64;
    }
    present.push_back(yes), absent.push_back(no);
  }
}

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
