#include "report/knowledge_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "course/chain.h"
#include "model/state.h"
#include "report/reference.h"

namespace dorsalgia {

using nlohmann::json;

namespace {

// ---- the knowledge base

const char* behaviour_name(Behaviour b) { return b == Behaviour::malignant ? "malignant" : b == Behaviour::benign ? "benign" : "none"; }

const char* kind_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::symptom: return "symptom";
    case FindingKind::sign: return "sign";
    case FindingKind::context: return "context";
    case FindingKind::history: return "history";
    case FindingKind::test: return "test";
    case FindingKind::measured: return "measured";
  }
  return "";
}

// Half of all texts would be empty: they are left out.
void put(json& to, const char* key, const std::string& text) {
  if (!text.empty()) to[key] = text;
}

json cite(const Citation& c) {
  json out = {{"status", status_name(c.status)}};
  put(out, "source", c.source);
  put(out, "where", c.where);
  put(out, "why", c.why);
  put(out, "note", c.note);
  put(out, "file", c.file);
  if (c.line) out["line"] = c.line;
  return out;
}

json figure(const Figure& f) {
  json out = {{"value", f.value}, {"low", f.low}, {"high", f.high}, {"cite", cite(f.cite)}};
  if (f.counts) out["counts"] = *f.counts;
  return out;
}

json figures(const std::vector<Figure>& all) {
  json out = json::array();
  for (const Figure& f : all) out.push_back(figure(f));
  return out;
}

json table(const AgeSexTable& t) {
  return {{"male", t.male}, {"female", t.female}, {"interval_factor", t.interval_factor}, {"cite", cite(t.cite)}};
}

json by_name(const std::vector<std::pair<std::string, double>>& values) {
  json out = json::object();
  for (const auto& [name, value] : values) out[name] = value;
  return out;
}

json table(const NamedTable& t) { return {{"values", by_name(t.values)}, {"interval_factor", t.interval_factor}, {"cite", cite(t.cite)}}; }

json links(const std::vector<std::pair<std::string, Grades>>& all) {
  json out = json::object();
  for (const auto& [name, grades] : all) out[name] = figures(grades);
  return out;
}

json shifts(const std::vector<std::pair<std::string, Shift>>& all) {
  json out = json::object();
  for (const auto& [name, s] : all) {
    out[name] = {{"shift", figure(s.shift)}};
    if (s.spread) out[name]["spread"] = figure(*s.spread);
  }
  return out;
}

json codes(const Codes& c) {
  json out = json::object();
  put(out, "snomed", c.snomed);
  put(out, "icd10cm", c.icd10cm);
  put(out, "loinc", c.loinc);
  return out;
}

json limits(const std::array<std::optional<double>, 2>& reference) {
  json out = json::array();
  for (const auto& x : reference) out.push_back(x ? json(*x) : json(nullptr));
  return out;
}

json finding(const Finding& f) {
  json out = {{"id", f.id},
              {"name", f.name},
              {"group", f.group},
              {"burden", f.burden},
              {"kind", kind_name(f.kind)},
              {"ask", {{"clinician", f.ask_clinician}, {"person", f.ask_person}}},
              {"synonyms", f.synonyms},
              {"codes", codes(f.codes)},
              {"grades", f.grades},
              {"leak", figures(f.leak)},
              {"mechanisms", links(f.mechanisms)},
              {"causes", links(f.causes)},
              {"file", f.file},
              {"line", f.line}};
  if (f.leak_table) out["leak_table"] = table(*f.leak_table);
  put(out, "place_root", f.place_root);
  if (f.prevalence) out["prevalence"] = table(*f.prevalence);
  put(out, "primary", f.primary);
  if (f.years) out["years"] = table(*f.years);
  if (f.kind == FindingKind::measured)
    out.update({{"unit", f.unit},
                {"units", by_name(f.units)},
                {"possible", {f.possible_low, f.possible_high}},
                {"log_scale", f.log_scale},
                {"reference", {{"male", limits(f.reference_male)}, {"female", limits(f.reference_female)}}},
                {"centre", table(f.centre)},
                {"spread", figure(f.spread)},
                {"mechanism_shifts", shifts(f.mechanism_shifts)},
                {"cause_shifts", shifts(f.cause_shifts)}});
  return out;
}

json cause(const Cause& c) {
  json context = json::array();
  for (const ContextLink& link : c.context) {
    json its = {{"factor", link.factor}, {"is_share", link.is_share}, {"figure", figure(link.figure)}};
    if (link.years) its["years"] = table(*link.years);
    context.push_back(its);
  }
  json out = {{"id", c.id},
              {"name", c.name},
              {"group", c.group},
              {"course", c.course},
              {"describes", c.describes},
              {"behaviour", behaviour_name(c.behaviour)},
              {"emergency", c.emergency},
              {"rate", table(c.rate)},
              {"settings", table(c.settings)},
              {"levels", table(c.levels)},
              {"context", context},
              {"findings", links(c.findings)},
              {"measures", shifts(c.measures)},
              {"codes", codes(c.codes)},
              {"file", c.file},
              {"line", c.line}};
  if (c.referral) out["referral"] = table(*c.referral);
  if (c.tempo) out["tempo"] = figure(*c.tempo);
  if (c.accompanied_by) out["accompanied_by"] = {{"mechanism", c.accompanied_by->first}, {"share", figure(c.accompanied_by->second)}};
  return out;
}

json course(const Course& c) {
  json stages = json::array();
  for (const Stage& s : c.stages) {
    json to = json::object();
    for (const auto& [name, f] : s.to) to[name] = figure(f);
    json its = {{"id", s.id},
                {"name", s.name},
                {"mechanisms", s.mechanisms},
                {"presents", figure(s.presents)},
                {"to", to},
                {"findings", links(s.findings)}};
    if (s.entry) its["entry"] = figure(*s.entry);
    stages.push_back(its);
  }
  return {{"id", c.id},     {"name", c.name}, {"describes", c.describes}, {"fills_canal", c.fills_canal}, {"stages", stages},
          {"file", c.file}, {"line", c.line}};
}

json rule(const Rule& r) {
  json out = {{"id", r.id},
              {"name", r.name},
              {"profile", r.profile},
              {"applies", r.applies},
              {"recommendation", r.recommendation},
              {"date_checked", r.date_checked},
              {"urgency", r.urgency},
              {"action", {{"clinician", r.action_clinician}, {"person", r.action_person}}},
              {"when", condition_told(r.when)},
              {"needs", r.needs},
              {"cite", cite(r.cite)},
              {"file", r.file}};
  if (r.within_hours) out["within_hours"] = *r.within_hours;
  return out;
}

json anatomy(const Anatomy& a) {
  json levels = json::array(), segments = json::array();
  for (const Level& l : a.levels)
    levels.push_back({{"id", l.id},
                      {"region", l.region},
                      {"canal", l.canal},
                      {"cord_segment", l.cord_segment},
                      {"roots", by_name(l.roots)},
                      {"pain", by_name(l.pain)}});
  for (const Segment& s : a.segments)
    segments.push_back({{"id", s.id}, {"dermatome", s.dermatome}, {"myotome", s.myotome}, {"reflex", s.reflex}});
  return {{"levels", levels}, {"segments", segments}, {"canal_filling", table(a.canal_filling)}, {"cite", cite(a.cite)}};
}

// ---- one course

// Weeks since the pain began: close together at first.
std::vector<double> time_grid() {
  std::vector<double> out;
  for (double t = 0; t < 12; t += 0.5) out.push_back(t);
  for (double t = 12; t < 52; t += 2) out.push_back(t);
  for (double t = 52; t < 260; t += 8) out.push_back(t);
  for (double t = 260; t <= 2080; t += 52) out.push_back(t);  // slow tumours: 40 years
  return out;
}

// Where 5%, 50% and 95% of such values lie.
json value_found(const Finding& f, const ModelFinding& m, const State& s, Sex sex, double age) {
  const Bell<double> its = bell(m, s, sex, age);
  const auto at = [&](double z) {
    const double x = its.mean + z * std::sqrt(its.variance);
    return std::clamp(m.log_scale ? std::exp(x) : x, m.possible_low, m.possible_high);
  };
  return {{"id", f.id},
          {"name", f.name},
          {"unit", f.unit},
          {"median", at(0)},
          {"low", at(-1.645)},
          {"high", at(1.645)},
          {"usual", at_age(m.centre, sex, age)}};
}

json finding_found(const Model& m, const Finding& f, int index, const State& s, Sex sex, double age) {
  // In those without and with the cause's accompaniment, as many as there are of each.
  const ModelCause& cause = m.causes[static_cast<std::size_t>(s.cause)];
  State accompanied = s;
  if (cause.accompanied > 0)
    accompanied.variant = 1, accompanied.active = active(m, s.cause, 1, s.stage, m.levels[static_cast<std::size_t>(s.level)].canal);
  const auto share = [&](int low, int high) {
    const double p = (1 - cause.accompanied) * graded(m, index, low, high, s, sex, age) +
                     cause.accompanied * graded(m, index, low, high, accompanied, sex, age);
    return std::clamp(p, 0.0, 1.0);
  };
  const ModelFinding& its = m.findings[static_cast<std::size_t>(index)];
  const double usual = its.shape == Shape::discrete ? at_age(its.leak[0], sex, age) : at_age(its.prevalence, sex, age);
  json out = {{"id", f.id}, {"name", f.name}, {"group", f.group}, {"usual", usual}};
  const int grades = its.shape == Shape::history ? kHistoryBins : its.shape == Shape::context ? 2 : its.grades;
  out["probability"] = 1 - share(0, 0);
  if (its.shape == Shape::discrete && grades > 2) {
    json each = json::array();
    for (int g = 0; g < grades; ++g) each.push_back(share(g, g));
    out["grades"] = each;
  }
  return out;
}

}  // namespace

json json_knowledge(const Knowledge& k, const Model& m) {
  json sources = json::object(), mechanisms = json::array(), findings = json::array(), causes = json::array(), courses = json::array(),
       rules = json::array(), thresholds = json::array(), comparators = json::array(), scores = json::array(), settings = json::array(),
       fitted = json::array();
  for (const auto& [key, s] : k.sources) {
    json& out = sources[key] = {{"title", s.title}, {"authors", s.authors}, {"published", s.published}, {"year", s.year}, {"kind", s.kind}};
    put(out, "url", s.url);
    put(out, "doi", s.doi);
  }
  for (const Mechanism& x : k.mechanisms)
    mechanisms.push_back({{"id", x.id}, {"name", x.name}, {"describes", x.describes}, {"canal", x.canal}});
  for (const Finding& x : k.findings) findings.push_back(finding(x));
  for (const Cause& x : k.causes) causes.push_back(cause(x));
  for (const Course& x : k.courses) courses.push_back(course(x));
  for (const Rule& x : k.rules) rules.push_back(rule(x));
  for (const Threshold& x : k.thresholds)
    thresholds.push_back({{"id", x.id},
                          {"name", x.name},
                          {"quantity", x.quantity},
                          {"urgency", x.urgency},
                          {"recommendation", x.recommendation},
                          {"at_least", x.at_least},
                          {"cite", cite(x.cite)}});
  for (const Comparator& x : k.comparators) {
    json lists = json::object();
    for (const auto& [name, condition] : x.lists) lists[name] = condition_told(condition);
    comparators.push_back({{"id", x.id}, {"name", x.name}, {"country", x.country}, {"cite", cite(x.cite)}, {"lists", lists}});
  }
  for (const Score& x : k.scores) scores.push_back({{"id", x.id}, {"name", x.name}, {"describes", x.describes}, {"cite", cite(x.cite)}});
  for (const Setting& x : k.population.settings) settings.push_back({{"id", x.id}, {"name", x.name}, {"share", figure(x.share)}});
  for (std::size_t i = 0; i < k.fitted.parameters.size(); ++i)
    fitted.push_back({{"parameter", k.fitted.parameters[i]}, {"mean", k.fitted.mean[i]}, {"sd", k.fitted.sd[i]}});
  return {{"version", m.version},
          {"hash", m.hash},
          {"age_from", kAgeFrom},
          {"sources", sources},
          {"mechanisms", mechanisms},
          {"findings", findings},
          {"causes", causes},
          {"courses", courses},
          {"rules", rules},
          {"thresholds", thresholds},
          {"comparators", comparators},
          {"population",
           {{"settings", settings}, {"people", table(k.population.people)}, {"background_share", figure(k.population.background_share)}}},
          {"locations", m.locations},
          {"primaries", k.vocabulary.primaries},
          {"anatomy", anatomy(k.anatomy)},
          {"scores", scores},
          {"safety_net",
           {{"clinician", k.safety_net.clinician},
            {"person", k.safety_net.person},
            {"emergency_numbers", k.safety_net.emergency_numbers},
            {"intended_use", k.safety_net.intended_use},
            {"not_excluded", k.safety_net.not_excluded}}},
          {"fitted", fitted}};
}

CourseWanted read_course_wanted(const json& request, const Model& model) {
  const auto refuse = [](const std::string& what) { throw std::invalid_argument(what); };
  if (!request.is_object()) refuse("a request is an object: {\"cause\": \"met_breast\"}");
  CourseWanted out;
  for (const auto& [key, value] : request.items()) {
    const std::string word = value.is_string() ? value.get<std::string>() : "";
    if (key == "cause") {
      if (out.cause = model.cause(word); out.cause < 0) refuse("cause: there is none called '" + word + "'");
    } else if (key == "age") {
      if (!value.is_number()) refuse("age: a number of years is needed");
      if (out.age = value.get<double>(); !(out.age >= 0 && out.age <= 120)) refuse("age: 0 to 120 years");
    } else if (key == "sex") {
      if (word != "male" && word != "female") refuse("sex: male or female");
      out.sex = word == "male" ? Sex::male : Sex::female;
    } else if (key == "level") {
      for (std::size_t l = 0; l < model.levels.size(); ++l)
        if (model.levels[l].id == word) out.level = static_cast<int>(l);
      if (!out.level) refuse("level: there is none called '" + word + "'");
    } else {
      refuse("'" + key + "' is not known here: cause, age, sex, level");
    }
  }
  if (out.cause < 0) refuse("cause: whose course?");
  return out;
}

json json_course(const Knowledge& k, const Model& m, const CourseWanted& wanted) {
  const Cause& its = k.causes[static_cast<std::size_t>(wanted.cause)];
  const ModelCause& c = m.causes[static_cast<std::size_t>(wanted.cause)];
  const ModelCourse& course = m.courses[static_cast<std::size_t>(c.course)];
  const Course& told = *k.course(its.course);
  const std::size_t n = course.stages.size();
  const int level = wanted.level.value_or(static_cast<int>(std::max_element(c.levels.begin(), c.levels.end()) - c.levels.begin()));

  const Canal canal = m.levels[static_cast<std::size_t>(level)].canal;
  const std::vector<double>& generator = course.generator[static_cast<std::size_t>(canal)];

  json levels = json::array(), stages = json::array(), weeks = json::array(), occupancy = json::array();
  for (std::size_t l = 0; l < c.levels.size(); ++l)
    if (c.levels[l] > 0) levels.push_back({{"id", m.levels[l].id}, {"probability", c.levels[l]}});

  for (std::size_t s = 0; s < n; ++s) {
    const State state{wanted.cause, 0, static_cast<int>(s), level, active(m, wanted.cause, 0, static_cast<int>(s), canal)};
    json mechanisms = json::array(), to = json::array(), findings = json::array(), values = json::array();
    for (std::size_t i = 0; i < m.mechanisms.size(); ++i)
      if (state.active >> i & 1) mechanisms.push_back(m.mechanisms[i].id);
    double leaves = 0;
    for (std::size_t j = 0; j < n; ++j) {
      const double rate = generator[s * n + j] * c.tempo;
      if (j == s) leaves = -rate;
      else if (rate > 0) to.push_back({{"stage", course.stages[j].id}, {"per_week", rate}});
    }
    double recovers = leaves;
    for (const json& t : to) recovers -= t["per_week"].get<double>();
    for (std::size_t f = 0; f < m.findings.size(); ++f) {
      if (k.findings[f].burden == "record") continue;
      if (m.findings[f].shape == Shape::measured)
        values.push_back(value_found(k.findings[f], m.findings[f], state, wanted.sex, wanted.age));
      else findings.push_back(finding_found(m, k.findings[f], static_cast<int>(f), state, wanted.sex, wanted.age));
    }
    stages.push_back({{"id", course.stages[s].id},
                      {"name", told.stages[s].name},
                      {"mechanisms", mechanisms},
                      {"entry", course.stages[s].entry},
                      {"presents", course.stages[s].presents},
                      {"weeks", leaves > 0 ? 1 / leaves : -1},
                      {"to", to},
                      {"recovers", std::max(0.0, recovers)},
                      {"findings", findings},
                      {"values", values}});
  }

  const Chain chain(course, c.tempo, canal);
  Eigen::RowVectorXd entry(static_cast<Eigen::Index>(n));
  for (std::size_t s = 0; s < n; ++s) entry[static_cast<Eigen::Index>(s)] = course.stages[s].entry;
  for (double t : time_grid()) {
    weeks.push_back(t);
    const Eigen::RowVectorXd there = entry * chain.moves(t);
    occupancy.push_back(std::vector<double>(there.begin(), there.end()));
  }
  return {{"cause", its.id},  {"name", its.name}, {"course", its.course}, {"level", m.levels[static_cast<std::size_t>(level)].id},
          {"levels", levels}, {"stages", stages}, {"weeks", weeks},       {"occupancy", occupancy}};
}

}  // namespace dorsalgia
