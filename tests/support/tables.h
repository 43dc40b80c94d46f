// Tables of virtual people for tests and benchmarks: of general practice, known as far as their records go unless told otherwise.
#pragma once

#include <algorithm>
#include <functional>
#include <random>

#include "batch/batch.h"
#include "simulation/people.h"

namespace dorsalgia::test {

// An empty table with a column for every finding.
inline PeopleTable empty_table(const Model& m, int rows) {
  PeopleTable t;
  t.rows = rows;
  const auto n = static_cast<std::size_t>(rows);
  for (std::size_t f = 0; f < m.findings.size(); ++f)
    if (m.findings[f].shape == Shape::measured)
      t.measured.push_back({static_cast<int>(f), std::vector<double>(n, 0), std::vector<std::uint8_t>(n, 0)});
    else t.graded.push_back({static_cast<int>(f), std::vector<std::int8_t>(n, kUnknown)});
  t.age.resize(n), t.sex.resize(n), t.setting.resize(n), t.location.resize(n), t.weeks.resize(n);
  return t;
}

// Row `row` becomes what is known of `person`; known(finding): whether that is.
inline void fill_row(PeopleTable& t, const Model& m, int row, const VirtualPerson& person, const std::function<bool(int)>& known) {
  const VirtualVisit& visit = person.visits[0];
  const auto r = static_cast<std::size_t>(row);
  t.age[r] = person.age, t.sex[r] = static_cast<std::int8_t>(person.sex), t.setting[r] = static_cast<std::int8_t>(person.setting);
  t.location[r] = person.location_recorded ? static_cast<std::int8_t>(person.location) : kUnknown;
  t.weeks[r] = person.duration_recorded ? person.stated_weeks : -1;
  for (auto& column : t.graded)
    if (known(column.finding)) column.grade[r] = static_cast<std::int8_t>(visit.grades[static_cast<std::size_t>(column.finding)]);
  for (auto& column : t.measured)
    if (known(column.finding)) {
      const auto f = static_cast<std::size_t>(column.finding);
      column.known[r] = 1, column.value[r] = in_unit(m.findings[f], visit.values[f]);
    }
}

// People of general practice as their records have them; share: of all answers instead, each known with this probability.
inline PeopleTable general_practice(const Model& m, const Recording& recording, int rows, double share = -1) {
  Cohort cohort;
  cohort.setting = 1;
  const People people(m, 1, cohort, &recording);
  PeopleTable t = empty_table(m, rows);
  VirtualPerson person;
  std::mt19937_64 random(1);
  std::bernoulli_distribution kept(std::clamp(share, 0.0, 1.0));
  for (int r = 0; r < rows; ++r) {
    people.draw(static_cast<std::uint64_t>(r), person);
    const auto& recorded = person.visits[0].recorded;
    fill_row(t, m, r, person, [&](int f) { return share < 0 ? recorded[static_cast<std::size_t>(f)] != 0 : kept(random); });
  }
  return t;
}

// Known answers and, of those, the ones that are there, a row.
inline std::pair<double, double> answers_of(const PeopleTable& t) {
  double answers = 0, present = 0;
  for (const auto& column : t.graded)
    for (const auto grade : column.grade) answers += grade != kUnknown, present += grade > 0;
  for (const auto& column : t.measured)
    for (const auto known : column.known) answers += known;
  return {answers / t.rows, present / t.rows};
}

}  // namespace dorsalgia::test
