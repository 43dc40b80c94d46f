// The report for programs: full precision, ids beside names. docs/report.schema.json is its contract.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "report/telling.h"

namespace dorsalgia {

using nlohmann::json;

namespace {

constexpr std::size_t kQuickCauses = 12;  // of a quick report: as many as are looked at
constexpr double kWorthListing = 1e-6;    // levels and stages below this are left out

json number(double x) { return std::isfinite(x) ? json(x) : json(nullptr); }
// Sums over many cells miss 0 and 1 by rounding.
json share(double p) { return std::isfinite(p) ? json(std::clamp(p, 0.0, 1.0)) : json(nullptr); }
json interval(const Interval& i) { return json::array({share(i.low), share(i.high)}); }
json word(const std::string& s) { return s.empty() ? json(nullptr) : json(s); }

json source_of(const Knowledge& k, const Citation& cite) {
  const auto it = k.sources.find(cite.source);
  if (it == k.sources.end()) return nullptr;
  const Source& s = it->second;
  return {{"id", s.key},
          {"title", s.title},
          {"authors", s.authors},
          {"year", s.year ? json(s.year) : json(nullptr)},
          {"published", s.published},
          {"url", word(!s.url.empty() ? s.url : s.doi)}};
}

json fired(const Knowledge& k, const Fired& f) {
  const Citation& cite = f.rule ? f.rule->cite : f.threshold->cite;
  json out = {{"kind", f.rule ? "rule" : "threshold"},
              {"urgency", urgency_id(f.urgency)},
              {"source", source_of(k, cite)},
              {"status", status_name(cite.status)},
              {"why", word(cite.why)}};
  if (f.rule) {
    const Rule& r = *f.rule;
    out.update({{"id", r.id},
                {"name", r.name},
                {"profile", r.profile},
                {"recommendation", word(r.recommendation)},
                {"date_checked", word(r.date_checked)},
                {"within_hours", r.within_hours ? number(*r.within_hours) : json(nullptr)},
                {"action", {{"clinician", r.action_clinician}, {"person", r.action_person}}}});
  } else {
    const Threshold& t = *f.threshold;
    out.update({{"id", t.id},
                {"name", t.name},
                {"recommendation", word(t.recommendation)},
                {"quantity", t.quantity},
                {"at_least", t.at_least},
                {"probability", share(f.probability)}});
  }
  return out;
}

const char* truth_name(Truth t) { return t == Truth::yes ? "yes" : t == Truth::no ? "no" : "unknown"; }

json outcomes(const Finding& f, const ModelFinding& m, const Prospect& p) {
  json out = json::array();
  for (std::size_t g = 0; g < p.grades.size(); ++g)
    out.push_back({{"answer", answer_name(f, m, g)},
                   {"probability", share(p.grades[g].probability)},
                   {"tumour", share(p.grades[g].tumour)},
                   {"emergency", share(p.grades[g].emergency)}});
  return out;
}

json question(const Knowledge& k, const Model& m, const Question& q) {
  const Finding& f = k.findings[q.prospect.finding];
  return {{"finding", f.id},
          {"name", f.name},
          {"ask", {{"clinician", f.ask_clinician}, {"person", f.ask_person}}},
          {"burden", f.burden},
          {"tumour_bits", number(q.prospect.tumour_bits)},
          {"emergency_bits", number(q.prospect.emergency_bits)},
          {"score", number(q.score)},
          {"outcomes", outcomes(f, m.findings[q.prospect.finding], q.prospect)}};
}

}  // namespace

json json_questions(const Knowledge& knowledge, const ExactEngine& engine, const Presentation& person) {
  json out = json::array();
  for (const Question& q : next_questions(engine, knowledge, person, knowledge.findings.size())) {
    out.push_back(question(knowledge, engine.model(), q));
    const FindingKind kind = knowledge.findings[q.prospect.finding].kind;
    const bool context = kind == FindingKind::context || kind == FindingKind::history;
    out.back()["place"] = context ? "context" : kind == FindingKind::measured ? "labs" : "findings";
  }
  return out;
}

json json_report(const Report& r) {
  const Knowledge& k = *r.knowledge;
  const Model& m = *r.model;
  const std::string withheld = withheld_because(r);
  const bool numbers = withheld.empty();
  const bool sure = numbers && r.depth == Depth::whole;  // intervals are there
  const auto shown = [&](double x) { return numbers ? share(x) : json(nullptr); };

  json rules = json::array(), open = json::array();
  for (const Fired& f : r.triage.fired) rules.push_back(fired(k, f));
  for (std::size_t i = 0; r.depth == Depth::whole && i < r.triage.unknown.size(); ++i) {
    const Rule* rule = r.triage.unknown[i];
    open.push_back({{"id", rule->id}, {"name", rule->name}, {"urgency", rule->urgency}, {"needs", rule->needs}});
  }

  json causes = json::array(), mechanisms = json::array(), levels = json::array(), stages = json::array(), forecast = json::array(),
       reasons = json::array(), next = json::array(), trajectory = json::array();
  json evidence_fit = nullptr;
  if (numbers) {
    const Posterior& p = r.posterior;
    for (int c : by_probability(p.causes)) {
      if (!sure && causes.size() == kQuickCauses) break;
      causes.push_back({{"id", k.causes[c].id},
                        {"name", k.causes[c].name},
                        {"group", k.causes[c].group},
                        {"behaviour", m.is_malignant(c) ? "malignant"
                                      : m.is_tumour(c)  ? "benign"
                                                        : "none"},
                        {"probability", share(p.causes[c])},
                        {"interval", sure ? interval(r.intervals.causes[c]) : json(nullptr)}});
    }
    for (int i : by_probability(p.mechanisms))
      mechanisms.push_back({{"id", k.mechanisms[i].id}, {"name", k.mechanisms[i].name}, {"probability", share(p.mechanisms[i])}});
    for (std::size_t i = 0; i < p.levels.size(); ++i)
      if (p.levels[i] >= kWorthListing)
        levels.push_back({{"id", m.levels[i].id},
                          {"region", i < k.anatomy.levels.size() ? json(k.anatomy.levels[i].region) : json(nullptr)},
                          {"probability", share(p.levels[i])}});
    for (int c : by_probability(p.causes)) {
      const Course* course = r.depth == Depth::whole ? k.course(k.causes[c].course) : nullptr;
      for (std::size_t s = 0; course && s < p.stages[c].size(); ++s)
        if (p.stages[c][s] >= kWorthListing)
          stages.push_back({{"cause", k.causes[c].id},
                            {"stage", course->stages[s].id},
                            {"name", course->stages[s].name},
                            {"probability", share(p.stages[c][s])}});
    }
    for (std::size_t i = 0; i < kForecastWeeks.size(); ++i)
      forecast.push_back({{"weeks", kForecastWeeks[i]},
                          {"compression", share(p.compression[i])},
                          {"interval", sure ? interval(r.intervals.compression[i]) : json(nullptr)}});
    for (std::size_t i = 0; i < r.trajectory.size(); ++i)
      trajectory.push_back({{"weeks", i == 0 ? 0.0 : r.person.later[i - 1].weeks},
                            {"tumour", share(r.trajectory[i].tumour)},
                            {"malignant", share(r.trajectory[i].malignant)},
                            {"emergency", share(r.trajectory[i].emergency)}});
    for (const Reason& x : r.reasons)
      reasons.push_back({{"what", clean(x.what)},
                         {"finding", x.finding < 0 ? json(nullptr) : json(k.findings[x.finding].id)},
                         {"group", x.group},
                         {"weeks", x.weeks},
                         {"tumour_decibans", number(x.tumour_decibans)},
                         {"emergency_decibans", number(x.emergency_decibans)},
                         {"mechanism", x.mechanism < 0 ? json(nullptr) : json(k.mechanisms[x.mechanism].id)},
                         {"mechanism_share", x.mechanism < 0 ? json(nullptr) : share(x.mechanism_share)}});
    for (const Question& q : r.next) next.push_back(question(k, m, q));
    if (sure)
      evidence_fit = {{"log_evidence", number(r.fit.log_evidence)},
                      {"conflict", number(r.fit.conflict)},
                      {"poor", r.fit.poor},
                      {"least_expected", word(clean(r.fit.least_expected))}};
  }

  json changes = json::array();
  for (const Change& c : r.changes) {
    json answers = json::array();
    for (const auto& [f, present] : c.answers)
      answers.push_back({{"finding", k.findings[f].id}, {"name", k.findings[f].name}, {"answer", present ? "present" : "absent"}});
    changes.push_back(
        {{"answers", answers}, {"urgency", urgency_id(c.urgency)}, {"phrase", urgency_phrase(c.urgency)}, {"because", c.because}});
  }

  json not_assessed = json::array();
  for (const auto& id : r.triage.not_assessed) {
    const Finding* f = k.finding(id);
    not_assessed.push_back({{"id", id}, {"name", f ? f->name : id == "any_cancer_history" ? "any cancer, ever" : id}});
  }

  json comparators = json::array();
  for (const ComparatorResult& c : r.comparators) {
    json parts = json::array();
    for (const auto& [name, truth] : c.parts) parts.push_back({{"name", name}, {"fires", truth_name(truth)}});
    comparators.push_back({{"id", c.list->id},
                           {"name", c.list->name},
                           {"country", c.list->country},
                           {"source", source_of(k, c.list->cite)},
                           {"parts", parts}});
  }

  json noted = json::array(), unread = json::array(), emergency_number = nullptr;
  for (const auto& n : r.person.noted) noted.push_back(clean(n));
  for (const auto& n : r.person.unread) unread.push_back(clean(n));
  if (const auto it = k.safety_net.emergency_numbers.find(r.profile); it != k.safety_net.emergency_numbers.end())
    emergency_number = it->second;

  const Told told = tell(r, Voice::clinician);
  return {{"id", word(clean(r.person.id))},
          {"profile", r.profile},
          {"child", r.triage.child},
          {"urgency",
           {{"level", urgency_id(r.triage.urgency)},
            {"phrase", urgency_phrase(r.triage.urgency)},
            {"action", word(told.action)},
            {"rules", std::move(rules)},
            {"open_rules", std::move(open)}}},
          {"not_assessed", std::move(not_assessed)},
          {"withheld", word(withheld)},
          {"probability",
           {{"tumour", shown(r.posterior.tumour)},
            {"malignant", shown(r.posterior.malignant)},
            {"emergency", shown(r.posterior.emergency)},
            {"interval",
             sure ? json{{"tumour", interval(r.intervals.tumour)},
                         {"malignant", interval(r.intervals.malignant)},
                         {"emergency", interval(r.intervals.emergency)},
                         {"if_all_answered", r.intervals.if_all_answered.high > 0 ? interval(r.intervals.if_all_answered) : json(nullptr)},
                         {"unanswered_share", share(r.intervals.unanswered_share)}}
                  : json(nullptr)},
            {"denominator", numbers ? json(told.denominator) : json(nullptr)},
            {"sentence", word(told.answer)},
            {"before",
             {{"tumour", shown(r.before.tumour)}, {"malignant", shown(r.before.malignant)}, {"emergency", shown(r.before.emergency)}}}}},
          {"causes", std::move(causes)},
          {"mechanisms", std::move(mechanisms)},
          {"levels", std::move(levels)},
          {"stages", std::move(stages)},
          {"forecast", std::move(forecast)},
          {"trajectory", std::move(trajectory)},
          {"reasons", std::move(reasons)},
          {"next", std::move(next)},
          {"changes", std::move(changes)},
          {"evidence_fit", std::move(evidence_fit)},
          {"comparators", std::move(comparators)},
          {"noted", std::move(noted)},
          {"unread", std::move(unread)},
          {"safety_net", {{"clinician", k.safety_net.clinician}, {"person", k.safety_net.person}, {"emergency_number", emergency_number}}},
          {"not_excluded", k.safety_net.not_excluded},
          {"intended_use", k.safety_net.intended_use},
          {"model", {{"version", m.version}, {"hash", m.hash}}}};
}

}  // namespace dorsalgia
