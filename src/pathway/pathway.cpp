#include "pathway/pathway.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "inference/visits.h"
#include "person/read.h"

namespace dorsalgia {

namespace {

// Findings without which no answer may sound reassuring.
const std::vector<std::string> kMustKnow = {"any_cancer_history", "weakness", "bladder_dysfunction", "bowel_dysfunction",
                                            "saddle_anaesthesia"};

Truth negate(Truth t) { return t == Truth::yes ? Truth::no : t == Truth::no ? Truth::yes : Truth::unknown; }

class Evaluator {
 public:
  Evaluator(const Model& m, const Presentation& p) : m_(m), p_(p) {}

  Truth of(const Condition& c) const {
    using Kind = Condition::Kind;
    switch (c.kind) {
      case Kind::all: return all(c);
      case Kind::any: return any(c);
      case Kind::none: return negate(any(c));
      case Kind::at_least: return at_least(c);
      case Kind::finding: return c.of.empty() ? finding(c.finding) : of(c.of[0]);
      case Kind::any_cancer_history: return any_cancer_history();
      case Kind::age: return p_.age ? within(*p_.age, *p_.age, c) : Truth::unknown;
      case Kind::sex: return !p_.sex ? Truth::unknown : (*p_.sex == Sex::male) == (c.id == "male") ? Truth::yes : Truth::no;
      case Kind::duration: return p_.weeks ? within((*p_.weeks)[0], (*p_.weeks)[1], c) : Truth::unknown;
      case Kind::location: return location(c);
      case Kind::setting:
        if (p_.setting < 0) return Truth::unknown;
        return std::count(c.names.begin(), c.names.end(), m_.settings[p_.setting]) ? Truth::yes : Truth::no;
      case Kind::measured: return measured(c);
      case Kind::cause:
      case Kind::mechanism:
      case Kind::region:
      case Kind::stage: return Truth::unknown;  // the truth is not among the answers
    }
    return Truth::unknown;
  }

 private:
  Truth all(const Condition& c) const {
    Truth out = Truth::yes;
    for (const auto& child : c.of) out = std::min(out, of(child));
    return out;
  }
  Truth any(const Condition& c) const {
    Truth out = Truth::no;
    for (const auto& child : c.of) out = std::max(out, of(child));
    return out;
  }
  Truth at_least(const Condition& c) const {
    int yes = 0, possible = 0;
    for (const auto& child : c.of) {
      const Truth t = of(child);
      yes += t == Truth::yes;
      possible += t != Truth::no;
    }
    return yes >= c.count ? Truth::yes : possible >= c.count ? Truth::unknown : Truth::no;
  }

  Truth finding(int f) const {
    for (const Answer& a : p_.answers)
      if (a.finding == f) return a.present() ? Truth::yes : a.absent() ? Truth::no : Truth::unknown;
    return Truth::unknown;
  }

  Truth any_cancer_history() const {
    Truth out = Truth::no;
    for (std::size_t f = 0; f < m_.findings.size(); ++f)
      if (m_.findings[f].shape == Shape::history) out = std::max(out, finding(static_cast<int>(f)));
    for (const AnyOf& any : p_.any_of)
      if (!any.answers.empty() && m_.findings[any.answers[0].finding].shape == Shape::history) out = Truth::yes;
    return out;
  }

  // Whether [from, to] lies inside, outside, or across the limits (both included).
  static Truth within(double from, double to, const Condition& c) {
    const double low = c.low.value_or(-INFINITY), high = c.high.value_or(INFINITY);
    if (from >= low && to <= high) return Truth::yes;
    if (to < low || from > high) return Truth::no;
    return Truth::unknown;
  }

  Truth location(const Condition& c) const {
    if (p_.locations.empty()) return Truth::unknown;
    std::size_t inside = 0;
    for (int i : p_.locations) inside += std::count(c.names.begin(), c.names.end(), m_.locations[i]) > 0;
    return inside == p_.locations.size() ? Truth::yes : inside ? Truth::unknown : Truth::no;
  }

  Truth measured(const Condition& c) const {
    const Answer* a = p_.answer(c.finding);
    if (!a) return Truth::unknown;
    if (a->from == a->to) return (!c.low || a->from > *c.low) && (!c.high || a->from < *c.high) ? Truth::yes : Truth::no;
    // A range ("raised", "normal", ">100"): told when it lies wholly on one side of the limit, else unknown.
    const bool above = !c.low || a->from >= *c.low, below = !c.high || a->to <= *c.high;
    if (above && below) return Truth::yes;
    if ((c.low && a->to <= *c.low) || (c.high && a->from >= *c.high)) return Truth::no;
    return Truth::unknown;
  }

  const Model& m_;
  const Presentation& p_;
};

bool is_child(const Presentation& p) { return p.age && *p.age < kAdult; }

}  // namespace

bool speaks(const Rule& r, bool child, const std::string& profile) {
  if (child)
    return r.profile == "paediatric" || ((r.applies == "child" || r.applies == "any") && (r.profile == profile || r.profile == "common"));
  return r.applies != "child" && r.profile != "paediatric" && (r.profile == profile || r.profile == "common");
}

const char* urgency_id(Urgency u) {
  switch (u) {
    case Urgency::emergency: return "emergency";
    case Urgency::urgent: return "urgent";
    case Urgency::soon: return "soon";
    case Urgency::routine: return "routine";
  }
  return "";
}

const char* urgency_phrase(Urgency u) {
  switch (u) {
    case Urgency::emergency: return "same day";
    case Urgency::urgent: return "within days";
    case Urgency::soon: return "within 2 weeks";
    case Urgency::routine: return "no rule asks for more than routine care";
  }
  return "";
}

Urgency urgency_of(const std::string& id) {
  if (id == "emergency") return Urgency::emergency;
  if (id == "urgent") return Urgency::urgent;
  if (id == "soon") return Urgency::soon;
  return Urgency::routine;
}

Truth holds(const Condition& condition, const Model& model, const Presentation& person) {
  return Evaluator(model, at_last_visit(person)).of(condition);
}

Triage triage(const Knowledge& k, const Model& m, const Presentation& person, const std::string& profile, const Posterior* posterior) {
  const Presentation p = at_last_visit(person);
  Triage out;
  out.child = is_child(p);
  const Evaluator evaluator(m, p);
  std::vector<const Rule*> unknown;
  for (const Rule& r : k.rules) {
    if (!speaks(r, out.child, profile)) continue;
    const Truth t = evaluator.of(r.when);
    if (t == Truth::yes) out.fired.push_back({&r, nullptr, 0, urgency_of(r.urgency)});
    if (t == Truth::unknown) unknown.push_back(&r);
  }
  if (posterior && posterior->possible && !out.child)
    for (const Threshold& t : k.thresholds) {
      const double now = t.quantity == "malignant" ? posterior->malignant
                         : t.quantity == "tumour"  ? posterior->tumour
                                                   : posterior->emergency;
      if (now >= t.at_least) out.fired.push_back({nullptr, &t, now, urgency_of(t.urgency)});
    }
  std::stable_sort(out.fired.begin(), out.fired.end(), [](const Fired& a, const Fired& b) { return a.urgency > b.urgency; });
  if (!out.fired.empty()) out.urgency = out.fired.front().urgency;
  for (const Rule* r : unknown)
    if (urgency_of(r->urgency) > out.urgency) out.unknown.push_back(r);
  std::stable_sort(out.unknown.begin(), out.unknown.end(),
                   [](const Rule* a, const Rule* b) { return urgency_of(a->urgency) > urgency_of(b->urgency); });

  auto missing = [&](const std::string& id) {
    if (std::count(out.not_assessed.begin(), out.not_assessed.end(), id)) return;
    Condition c;
    c.kind = id == "any_cancer_history" ? Condition::Kind::any_cancer_history : Condition::Kind::finding;
    c.finding = m.finding(id);
    if (evaluator.of(c) == Truth::unknown) out.not_assessed.push_back(id);
  };
  for (const auto& id : kMustKnow)
    if (id == "any_cancer_history" || m.finding(id) >= 0) missing(id);
  for (const Rule* r : out.unknown)
    if (urgency_of(r->urgency) == Urgency::emergency)
      for (const auto& id : r->needs)
        if (!k.definitions.count(id)) missing(id);
  return out;
}

std::vector<ComparatorResult> compare(const Knowledge& k, const Model& m, const Presentation& person) {
  const Presentation p = at_last_visit(person);
  std::vector<ComparatorResult> out;
  const Evaluator evaluator(m, p);
  for (const Comparator& c : k.comparators) {
    out.push_back({&c, {}});
    for (const auto& [name, list] : c.lists) out.back().parts.emplace_back(name, evaluator.of(list));
  }
  return out;
}

std::vector<std::string> failing_rule_tests(const Knowledge& k, const Model& m) {
  std::vector<std::string> out;
  for (const Rule& r : k.rules)
    for (const RuleTest& t : r.tests) {
      const PersonRead read = read_person(t.person_json, k, m);
      if (!read.faults.empty()) {
        out.push_back(fmt::format("{}:{}: test '{}': {}", r.file, t.line, t.name, read.faults[0].text()));
        continue;
      }
      const Truth truth = holds(r.when, m, read.person);
      const char* got = truth == Truth::yes ? "true" : truth == Truth::no ? "false" : "unknown";
      if (t.expect != got) out.push_back(fmt::format("{}:{}: test '{}': fires is {}, expected {}", r.file, t.line, t.name, got, t.expect));
    }
  return out;
}

}  // namespace dorsalgia
