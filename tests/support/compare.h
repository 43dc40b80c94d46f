// Two posteriors side by side, and a person in words for the message when they differ.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "inference/posterior.h"

namespace dorsalgia::test {

struct Difference {
  double worst = 0;         // largest absolute difference of a probability
  double log_evidence = 0;  // relative
  std::string where;        // of the worst
  bool possible_differs = false;

  bool within(double tolerance) const { return !possible_differs && worst <= tolerance && log_evidence <= tolerance; }
};

inline Difference difference(const Posterior& a, const Posterior& b) {
  Difference d;
  d.possible_differs = a.possible != b.possible;
  if (d.possible_differs || !a.possible) return d;
  auto look = [&](double x, double y, const std::string& where) {
    const double apart = std::abs(x - y);
    if (!(apart <= d.worst)) d.worst = std::isnan(apart) ? 1 : apart, d.where = where;
  };
  look(a.tumour, b.tumour, "tumour"), look(a.malignant, b.malignant, "malignant"), look(a.emergency, b.emergency, "emergency");
  auto each = [&](const std::vector<double>& x, const std::vector<double>& y, const std::string& where) {
    if (x.size() != y.size()) look(0, 1, where + " sizes");
    for (std::size_t i = 0; i < x.size() && i < y.size(); ++i) look(x[i], y[i], where + " " + std::to_string(i));
  };
  each(a.causes, b.causes, "cause"), each(a.mechanisms, b.mechanisms, "mechanism"), each(a.levels, b.levels, "level");
  for (std::size_t c = 0; c < a.stages.size() && c < b.stages.size(); ++c)
    each(a.stages[c], b.stages[c], "stages of cause " + std::to_string(c));
  for (std::size_t w = 0; w < a.compression.size(); ++w) look(a.compression[w], b.compression[w], "compression " + std::to_string(w));
  d.log_evidence = std::abs(a.log_evidence - b.log_evidence) / std::max(1.0, std::abs(b.log_evidence));
  if (std::isnan(d.log_evidence)) d.log_evidence = 1;
  return d;
}

inline void print(std::ostream& out, const Model& m, const Answer& a) {
  out << m.findings[a.finding].id;
  if (a.measured) out << " [" << a.from << ", " << a.to << ")";
  else out << " " << a.low << ".." << a.high;
}

inline std::string words(const Model& m, const Presentation& p) {
  std::ostringstream out;
  out.precision(17);
  if (p.age) out << "age " << *p.age << "; ";
  if (p.sex) out << (*p.sex == Sex::male ? "male; " : "female; ");
  if (p.setting >= 0) out << m.settings[p.setting] << "; ";
  if (p.weeks) out << "weeks [" << (*p.weeks)[0] << ", " << (*p.weeks)[1] << "); ";
  for (int l : p.locations) out << "at " << m.locations[l] << "; ";
  if (p.sensory_segment >= 0) out << "sensory level " << m.segments[p.sensory_segment] << "; ";
  for (const Answer& a : p.answers) print(out, m, a), out << "; ";
  for (const AnyOf& any : p.any_of) {
    out << "any of (";
    for (const Answer& a : any.answers) print(out, m, a), out << ", ";
    out << "); ";
  }
  return out.str();
}

// The smallest person on whom `differs` still holds: things are taken away one by one for as long as it does.
template <class Differs>
Presentation smallest(Presentation p, Differs differs) {
  for (bool shrunk = true; shrunk;) {
    shrunk = false;
    auto attempt = [&](auto change) {
      Presentation q = p;
      change(q);
      if (differs(q)) p = q, shrunk = true;
    };
    for (std::size_t i = p.answers.size(); i-- > 0;)
      attempt([&](Presentation& q) { q.answers.erase(q.answers.begin() + static_cast<std::ptrdiff_t>(i)); });
    for (std::size_t i = p.any_of.size(); i-- > 0;)
      attempt([&](Presentation& q) { q.any_of.erase(q.any_of.begin() + static_cast<std::ptrdiff_t>(i)); });
    for (std::size_t a = 0; a < p.any_of.size(); ++a)
      for (std::size_t i = p.any_of[a].answers.size(); i-- > 0;)
        attempt([&](Presentation& q) { q.any_of[a].answers.erase(q.any_of[a].answers.begin() + static_cast<std::ptrdiff_t>(i)); });
    if (!p.locations.empty()) attempt([](Presentation& q) { q.locations.clear(); });
    if (p.sensory_segment >= 0) attempt([](Presentation& q) { q.sensory_segment = -1; });
    if (p.weeks) attempt([](Presentation& q) { q.weeks.reset(); });
    if (p.setting != 0) attempt([](Presentation& q) { q.setting = 0; });
    if (p.age != 50.0) attempt([](Presentation& q) { q.age = 50.0; });
    if (p.sex != Sex::male) attempt([](Presentation& q) { q.sex = Sex::male; });
  }
  return p;
}

}  // namespace dorsalgia::test
