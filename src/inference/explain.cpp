#include "inference/explain.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "inference/visits.h"

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

// Nothing but who the person is and when they were seen.
Presentation only_person(const Presentation& person) {
  Presentation out;
  out.age = person.age;
  out.sex = person.sex;
  out.setting = person.setting;
  for (const Visit& v : person.later) {
    Visit bare;
    bare.weeks = v.weeks;
    bare.recovered = v.recovered;
    out.later.push_back(bare);
  }
  return out;
}

std::vector<Answer>& answers_at(Presentation& p, std::size_t visit) { return visit == 0 ? p.answers : p.later[visit - 1].answers; }
const std::vector<Answer>& answers_at(const Presentation& p, std::size_t visit) {
  return visit == 0 ? p.answers : p.later[visit - 1].answers;
}
std::vector<AnyOf>& any_of_at(Presentation& p, std::size_t visit) { return visit == 0 ? p.any_of : p.later[visit - 1].any_of; }
double week_of(const Presentation& p, std::size_t visit) { return visit == 0 ? 0 : p.later[visit - 1].weeks; }

bool same(const Answer& a, const Answer& b) {
  return a.finding == b.finding && a.low == b.low && a.high == b.high && a.measured == b.measured && a.from == b.from && a.to == b.to;
}

// One piece of evidence. An answer that later visits repeat, with none in between that differs, is one piece with them.
struct Piece {
  std::string given;
  int finding = -1;  // -1: location, duration, any of several
  const Answer* answer = nullptr;
  std::vector<double> weeks;  // of the visits; empty when there is one visit only, or for what is about no visit
  Presentation without, alone;
};

std::vector<Piece> pieces(const Presentation& person) {
  std::vector<Piece> out;
  const std::size_t visits = person.later.size() + 1;
  const Presentation nothing = only_person(person);
  std::vector<std::vector<bool>> told;  // as a repetition, by visit and answer
  for (std::size_t i = 0; i < visits; ++i) told.emplace_back(answers_at(person, i).size(), false);
  for (std::size_t i = 0; i < visits; ++i) {
    const std::vector<Answer>& here = answers_at(person, i);
    for (std::size_t j = 0; j < here.size(); ++j) {
      if (told[i][j]) continue;
      Piece piece{here[j].given, here[j].finding, &here[j], {}, person, nothing};
      bool changed = false;
      for (std::size_t v = i; v < visits && !changed; ++v) {
        const std::vector<Answer>& there = answers_at(person, v);
        for (std::size_t k = 0; k < there.size(); ++k) {
          if (there[k].finding != piece.finding) continue;
          changed = !same(there[k], here[j]);
          if (changed) break;
          told[v][k] = true;
          std::erase_if(answers_at(piece.without, v), [&](const Answer& a) { return a.finding == piece.finding; });
          answers_at(piece.alone, v).push_back(there[k]);
          if (visits > 1) piece.weeks.push_back(week_of(person, v));
        }
      }
      out.push_back(std::move(piece));
    }
  }
  for (std::size_t i = 0; i < visits; ++i) {
    const std::vector<AnyOf>& here = i == 0 ? person.any_of : person.later[i - 1].any_of;
    for (std::size_t j = 0; j < here.size(); ++j) {
      Piece piece{here[j].given, here[j].answers.empty() ? -1 : here[j].answers[0].finding, nullptr, {}, person, nothing};
      auto& rest = any_of_at(piece.without, i);
      rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(j));
      any_of_at(piece.alone, i).push_back(here[j]);
      if (visits > 1) piece.weeks.push_back(week_of(person, i));
      out.push_back(std::move(piece));
    }
  }
  if (person.weeks) {
    Piece piece{"duration", -1, nullptr, {}, person, nothing};
    piece.without.weeks.reset();
    piece.alone.weeks = person.weeks;
    out.push_back(std::move(piece));
  }
  Piece location{"location", -1, nullptr, {}, person, nothing}, sensory{"sensory level", -1, nullptr, {}, person, nothing};
  location.without.locations.clear(), location.alone.locations = person.locations;
  sensory.without.sensory_segment = -1, sensory.alone.sensory_segment = person.sensory_segment;
  bool located = !person.locations.empty(), levelled = person.sensory_segment >= 0;
  for (std::size_t i = 0; i < person.later.size(); ++i) {
    const Visit& v = person.later[i];
    location.without.later[i].locations.clear(), location.alone.later[i].locations = v.locations;
    sensory.without.later[i].sensory_segment = -1, sensory.alone.later[i].sensory_segment = v.sensory_segment;
    located = located || !v.locations.empty();
    levelled = levelled || v.sensory_segment >= 0;
  }
  if (located) out.push_back(std::move(location));
  if (levelled) out.push_back(std::move(sensory));
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
  for (const Piece& piece : pieces(person)) {
    if (piece.given == "sensory level") continue;  // the finding of that name says it
    const std::string group = piece.finding >= 0                                       ? knowledge.findings[piece.finding].group
                              : piece.given == "duration" || piece.given == "location" ? "pain pattern"
                                                                                       : "history";
    Reason r = push(piece.given, group, piece.answer ? piece.finding : -1, posterior, engine.posterior(piece.without));
    r.weeks = piece.weeks;
    if (piece.answer && (piece.answer->measured || piece.answer->present())) {
      const std::vector<double> carried = engine.carriers(posterior, piece.finding);
      const auto top = std::max_element(carried.begin(), carried.end());
      if (top != carried.end() && *top > 0.02) {
        r.mechanism = static_cast<int>(top - carried.begin());
        r.mechanism_share = *top;
      }
    }
    out.push_back(std::move(r));
  }
  if (person.age || person.sex) {
    Presentation rest = person;
    rest.age.reset();
    rest.sex.reset();
    out.push_back(push("age and sex", "age and sex", -1, posterior, engine.posterior(rest)));
  }
  if (person.setting >= 0) {
    Presentation rest = person;
    rest.setting = -1;
    out.push_back(push("setting", "age and sex", -1, posterior, engine.posterior(rest)));
  }
  if (!person.later.empty()) {
    // That the pain was still there; after recovery, that it has gone.
    Presentation before = person;
    while (!before.later.empty() && before.later.back().recovered) before.later.pop_back();
    const bool gone = before.later.size() < person.later.size();
    out.push_back(push(gone ? "the pain has gone" : "the pain is still there", "pain pattern", -1, posterior,
                       gone ? engine.posterior(before) : engine.but_for_lasting(person)));
    out.back().weeks = {gone ? person.later[before.later.size()].weeks : person.later.back().weeks};
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const Reason& a, const Reason& b) { return std::abs(a.tumour_decibans) > std::abs(b.tumour_decibans); });
  return out;
}

Fit fit(const ExactEngine& engine, const Knowledge&, const Presentation& person, const Posterior& posterior) {
  Fit out;
  const double nothing = engine.posterior(only_person(person)).log_evidence;  // one visit: 0 but for rounding
  out.log_evidence = posterior.log_evidence - nothing;
  // Each piece of evidence alone, and how much likelier or less likely the others make it.
  double alone_sum = 0, least = 0;
  for (const Piece& piece : pieces(person)) {
    const double log_alone = engine.posterior(piece.alone).log_evidence - nothing;
    alone_sum += log_alone;
    if (piece.given == "sensory level") continue;
    const double given_rest = posterior.log_evidence - engine.posterior(piece.without).log_evidence;
    if (given_rest - log_alone < least) {
      least = given_rest - log_alone;
      out.least_expected = piece.given;
    }
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

// The person with this finding present or absent: now, or for what does not change, always.
Presentation changed(const Model& m, const Presentation& person, int finding, bool present) {
  Presentation out = person;
  const ModelFinding& f = m.findings[finding];
  const bool lasting = f.shape == Shape::context || f.shape == Shape::history;
  const std::size_t now = lasting ? 0 : out.later.size();
  for (std::size_t i = now; i <= out.later.size(); ++i)
    std::erase_if(answers_at(out, i), [&](const Answer& a) { return a.finding == finding; });
  Answer a;
  a.finding = finding;
  a.low = present ? 1 : 0;
  a.high = present ? f.grades - 1 : 0;
  a.given = f.id + (present ? ": present" : ": absent");
  answers_at(out, now).push_back(a);
  return out;
}

}  // namespace

// Candidates are the findings that the rules ask about and those already answered; each is flipped alone, and when no
// single flip changes anything, in pairs by the rules alone.
std::vector<Change> smallest_changes(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person,
                                     const std::string& profile, const Triage& now) {
  const Model& m = engine.model();
  const Presentation all = at_last_visit(person);
  std::vector<int> candidates;
  for (const Rule& r : knowledge.rules) collect(r.when, candidates);
  for (const Answer& a : all.answers)
    if (!a.measured && std::find(candidates.begin(), candidates.end(), a.finding) == candidates.end()) candidates.push_back(a.finding);

  std::vector<std::pair<int, bool>> flips;
  for (int f : candidates) {
    const Answer* a = all.answer(f);
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
