#include "inference/explain.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace dorsalgia {

namespace {

// How much of a person's time, discomfort and money an answer costs, in questions. A judgement of ours, only used to
// order what to ask next; the information itself is reported beside it.
double burden_of(const std::string& name) {
  static const std::map<std::string, double> kBurden = {{"question", 1},   {"examination", 1.5}, {"urine_test", 2}, {"blood_test", 3},
                                                        {"plain_film", 6}, {"ct", 15},           {"mri", 15},       {"nuclear", 20}};
  const auto it = kBurden.find(name);
  return it == kBurden.end() ? 5 : it->second;
}

Presentation without_answer(const Presentation& person, std::size_t i) {
  Presentation out = person;
  out.answers.erase(out.answers.begin() + static_cast<std::ptrdiff_t>(i));
  return out;
}

Presentation only_person(const Presentation& person) {
  Presentation out;
  out.age = person.age;
  out.sex = person.sex;
  out.setting = person.setting;
  return out;
}

Reason push(const std::string& what, const std::string& group, int finding, const Posterior& with, const Posterior& without) {
  Reason r;
  r.what = what;
  r.group = group;
  r.finding = finding;
  r.tumour_decibans = decibans(with.tumour) - decibans(without.tumour);
  r.emergency_decibans = decibans(with.emergency) - decibans(without.emergency);
  return r;
}

}  // namespace

std::vector<Reason> reasons(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person, const Posterior& posterior) {
  std::vector<Reason> out;
  for (std::size_t i = 0; i < person.answers.size(); ++i) {
    const Answer& a = person.answers[i];
    Reason r = push(a.given, knowledge.findings[a.finding].group, a.finding, posterior, engine.posterior(without_answer(person, i)));
    if (a.measured || a.present()) {
      const std::vector<double> carried = engine.carriers(person, a.finding);
      const auto top = std::max_element(carried.begin(), carried.end());
      if (top != carried.end() && *top > 0.02) {
        r.mechanism = static_cast<int>(top - carried.begin());
        r.mechanism_share = *top;
      }
    }
    out.push_back(std::move(r));
  }
  for (std::size_t i = 0; i < person.any_of.size(); ++i) {
    Presentation rest = person;
    rest.any_of.erase(rest.any_of.begin() + static_cast<std::ptrdiff_t>(i));
    const int finding = person.any_of[i].answers.empty() ? -1 : person.any_of[i].answers[0].finding;
    out.push_back(
        push(person.any_of[i].given, finding < 0 ? "history" : knowledge.findings[finding].group, -1, posterior, engine.posterior(rest)));
  }
  if (person.age || person.sex) {
    Presentation rest = person;
    rest.age.reset();
    rest.sex.reset();
    out.push_back(push("age and sex", "age and sex", -1, posterior, engine.posterior(rest)));
  }
  if (person.weeks) {
    Presentation rest = person;
    rest.weeks.reset();
    out.push_back(push("duration", "pain pattern", -1, posterior, engine.posterior(rest)));
  }
  if (!person.locations.empty()) {
    Presentation rest = person;
    rest.locations.clear();
    out.push_back(push("location", "pain pattern", -1, posterior, engine.posterior(rest)));
  }
  if (person.setting >= 0) {
    Presentation rest = person;
    rest.setting = -1;
    out.push_back(push("setting", "age and sex", -1, posterior, engine.posterior(rest)));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Reason& a, const Reason& b) { return std::abs(a.tumour_decibans) > std::abs(b.tumour_decibans); });
  return out;
}

Fit fit(const ExactEngine& engine, const Knowledge&, const Presentation& person, const Posterior& posterior) {
  Fit out;
  const double nothing = engine.posterior(only_person(person)).log_evidence;  // 0 but for rounding
  out.log_evidence = posterior.log_evidence - nothing;
  // Each piece of evidence alone, and how much likelier or less likely the others make it.
  double alone_sum = 0, least = 0;
  auto piece = [&](const Presentation& alone, const Presentation& rest, const std::string& given) {
    const double log_alone = engine.posterior(alone).log_evidence - nothing;
    const double given_rest = posterior.log_evidence - engine.posterior(rest).log_evidence;
    alone_sum += log_alone;
    if (given_rest - log_alone < least) {
      least = given_rest - log_alone;
      out.least_expected = given;
    }
  };
  for (std::size_t i = 0; i < person.answers.size(); ++i) {
    Presentation alone = only_person(person);
    alone.answers = {person.answers[i]};
    piece(alone, without_answer(person, i), person.answers[i].given);
  }
  for (std::size_t i = 0; i < person.any_of.size(); ++i) {
    Presentation alone = only_person(person), rest = person;
    alone.any_of = {person.any_of[i]};
    rest.any_of.erase(rest.any_of.begin() + static_cast<std::ptrdiff_t>(i));
    piece(alone, rest, person.any_of[i].given);
  }
  if (person.weeks) {
    Presentation alone = only_person(person), rest = person;
    alone.weeks = person.weeks;
    rest.weeks.reset();
    piece(alone, rest, "duration");
  }
  if (!person.locations.empty()) {
    Presentation alone = only_person(person), rest = person;
    alone.locations = person.locations;
    rest.locations.clear();
    piece(alone, rest, "location");
  }
  if (person.sensory_segment >= 0) {
    Presentation alone = only_person(person);
    alone.sensory_segment = person.sensory_segment;
    alone_sum += engine.posterior(alone).log_evidence - nothing;
  }
  out.conflict = alone_sum - out.log_evidence;
  out.poor = out.conflict >= kPoorFit;
  if (!out.poor) out.least_expected.clear();
  return out;
}

std::vector<Question> next_questions(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person, std::size_t most) {
  std::vector<Question> out;
  for (Prospect& p : engine.prospects(person)) {
    if (knowledge.findings[p.finding].burden == "record") continue;  // words of a record, not a question
    const double burden = burden_of(knowledge.findings[p.finding].burden);
    const double score = (p.tumour_bits + p.emergency_bits) / burden;
    out.push_back({std::move(p), burden, score});
  }
  const std::size_t keep = std::min(most, out.size());
  std::partial_sort(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(keep), out.end(),
                    [](const Question& a, const Question& b) { return a.score > b.score; });
  out.resize(keep);
  return out;
}

namespace {

void collect(const Condition& c, std::vector<int>& out) {
  for (const auto& child : c.of) collect(child, out);
  if (c.kind == Condition::Kind::finding && c.finding >= 0 && std::find(out.begin(), out.end(), c.finding) == out.end())
    out.push_back(c.finding);
}

// The person with this finding now present or absent.
Presentation changed(const Model& m, const Presentation& person, int finding, bool present) {
  Presentation out = person;
  out.answers.erase(std::remove_if(out.answers.begin(), out.answers.end(), [&](const Answer& a) { return a.finding == finding; }),
                    out.answers.end());
  Answer a;
  a.finding = finding;
  a.low = present ? 1 : 0;
  a.high = present ? m.findings[finding].grades - 1 : 0;
  a.given = m.findings[finding].id + (present ? ": present" : ": absent");
  out.answers.push_back(a);
  return out;
}

}  // namespace

// Candidates are the findings that the rules ask about and those already answered; each is flipped alone, and when no
// single flip changes anything, in pairs by the rules alone.
std::vector<Change> smallest_changes(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person,
                                     const std::string& profile, const Triage& now) {
  const Model& m = engine.model();
  std::vector<int> candidates;
  for (const Rule& r : knowledge.rules) collect(r.when, candidates);
  for (const Answer& a : person.answers)
    if (!a.measured && std::find(candidates.begin(), candidates.end(), a.finding) == candidates.end()) candidates.push_back(a.finding);

  std::vector<std::pair<int, bool>> flips;
  for (int f : candidates) {
    const Answer* a = person.answer(f);
    if (m.findings[f].shape == Shape::measured) continue;
    if (!a || !a->present()) flips.emplace_back(f, true);
    if (a && a->present()) flips.emplace_back(f, false);
  }
  auto because = [](const Triage& t) {
    if (t.fired.empty()) return std::string("no rule");
    return t.fired[0].rule ? t.fired[0].rule->id : t.fired[0].threshold->id;
  };
  std::vector<Change> out;
  for (const auto& [f, present] : flips) {
    const Presentation other = changed(m, person, f, present);
    // Rules first: they are cheap and settle most flips; the posterior only where a threshold could matter.
    Triage t = triage(knowledge, m, other, profile, nullptr);
    if (!now.child && t.urgency != Urgency::emergency) {
      const Posterior p = engine.posterior(other);
      t = triage(knowledge, m, other, profile, &p);
    }
    if (t.urgency != now.urgency) out.push_back({{{f, present}}, t.urgency, because(t)});
  }
  for (std::size_t i = 0; out.empty() && i < flips.size(); ++i) {
    const Presentation one = changed(m, person, flips[i].first, flips[i].second);
    for (std::size_t j = i + 1; j < flips.size() && out.size() < 3; ++j) {
      if (flips[i].first == flips[j].first) continue;
      const Triage t = triage(knowledge, m, changed(m, one, flips[j].first, flips[j].second), profile, nullptr);
      if (t.urgency > now.urgency) out.push_back({{flips[i], flips[j]}, t.urgency, because(t)});
    }
  }
  // Upwards before downwards, the larger step first, what is unknown before what would have to be wrong.
  std::stable_sort(out.begin(), out.end(), [&](const Change& a, const Change& b) {
    const bool up_a = a.urgency > now.urgency, up_b = b.urgency > now.urgency;
    if (up_a != up_b) return up_a;
    return up_a ? a.urgency > b.urgency : a.urgency < b.urgency;
  });
  return out;
}

}  // namespace dorsalgia
