// YAML -> Knowledge. One function a kind of file, each reading its keys in the order of docs/knowledge.md; the folder
// a file stands in says what it is. Nothing here judges the medicine: see check.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "knowledge/condition.h"
#include "knowledge/knowledge.h"
#include "knowledge/reader.h"

namespace dorsalgia {

std::string Complaint::text() const {
  return fmt::format("{}{}: {}{}", file, line > 0 ? fmt::format(":{}", line) : "", message, hint.empty() ? "" : fmt::format(" ({})", hint));
}

namespace {

constexpr std::size_t kLargestFile = 4u << 20;
constexpr std::size_t kDeepestFile = 64;
constexpr int kMostNodes = 200000;

Citation read_citation(Reader& r) {
  Citation c;
  c.file = r.file();
  c.line = r.line();
  c.status = read_status(r.get("status"));
  c.source = r.get("source", false).text();
  c.where = r.get("where", false).text();
  c.why = r.get("why", false).text();
  c.note = r.get("note", false).text();
  return c;
}

// Jeffreys interval would need a beta quantile; the Agresti-Coull interval needs a square root and is as honest here.
// Agresti A, Coull BA. Am Stat 1998;52:119.
void interval_from_counts(Figure& f) {
  const double z = 1.959964, n = (*f.counts)[1] + z * z, p = ((*f.counts)[0] + z * z / 2) / n;
  const double half = z * std::sqrt(p * (1 - p) / n);
  f.low = std::max(0.0, std::min(p - half, f.value));
  f.high = std::min(1.0, std::max(p + half, f.value));
}

Figure read_figure(Reader r) {
  Figure f;
  if (!r.ok()) return f;
  if (!r.is_map()) {
    r.fault("a figure is needed here", "{value: 0.3, interval: [0.2, 0.4], status: ..., source: ...}; a bare number has no source");
    return f;
  }
  if (r.has("counts")) {
    auto list = r.get("counts").items();
    if (list.size() != 2) {
      r.fault("counts are two numbers: [events, total]");
    } else {
      f.counts = {list[0].number(), list[1].number()};
      if ((*f.counts)[1] <= 0 || (*f.counts)[0] < 0 || (*f.counts)[0] > (*f.counts)[1]) {
        r.fault(fmt::format("counts [{}, {}] are not events out of a total", (*f.counts)[0], (*f.counts)[1]));
        f.counts.reset();
      } else {
        f.value = (*f.counts)[0] / (*f.counts)[1];
        if (r.has("value")) {
          const double stated = r.get("value").number();
          if (std::abs(stated - f.value) > 0.011) r.fault(fmt::format("value {} is not {:.3f}, which the counts give", stated, f.value));
          f.value = stated;  // kept inside the range the counts allow, e.g. 0.98 for 20 of 20
        }
        interval_from_counts(f);
        if (r.has("interval")) r.get("interval").fault("counts give the interval; do not write both", "remove interval");
      }
    }
  } else {
    f.value = r.get("value").number();
    if (Reader interval = r.get("interval"); interval.ok()) {
      auto list = interval.items();
      if (list.size() == 2) {
        f.low = list[0].number();
        f.high = list[1].number();
      } else {
        r.fault("an interval is two numbers: [low, high]");
      }
    }
  }
  f.cite = read_citation(r);
  r.finish();
  return f;
}

std::array<double, kAgeBands> read_bands(Reader r) {
  std::array<double, kAgeBands> out{};
  auto list = r.items();
  if (list.size() != kAgeBands) {
    if (r.ok()) r.fault(fmt::format("{} numbers are needed, one an age band; there are {}", kAgeBands, list.size()));
    return out;
  }
  for (int i = 0; i < kAgeBands; ++i) out[i] = list[i].number();
  return out;
}

AgeSexTable read_age_table(Reader r) {
  AgeSexTable t;
  if (!r.ok()) return t;
  if (read_bands(r.get("ages")) != kAgeFrom) r.fault("ages must be [0, 15, 30, 40, 50, 60, 70, 80]");
  t.male = read_bands(r.get("male"));
  t.female = read_bands(r.get("female"));
  t.interval_factor = r.get("interval_factor").number();
  t.cite = read_citation(r);
  r.finish();
  return t;
}

// A figure or a table: a figure is the same at every age in both sexes.
AgeSexTable read_figure_or_age_table(Reader r) {
  if (r.has("ages")) return read_age_table(r);
  const Figure f = read_figure(r);
  AgeSexTable t;
  t.male.fill(f.value);
  t.female.fill(f.value);
  t.interval_factor = f.low > 0 ? f.high / f.value : (f.value > 0 ? std::max(2.0, f.high / f.value) : 1);
  if (f.value <= 0) t.interval_factor = 1;
  t.cite = f.cite;
  return t;
}

NamedTable read_named_table(Reader r) {
  NamedTable t;
  if (!r.ok()) return t;
  Reader values = r.get("values");
  if (values.is_list()) {  // the four shares of `years`
    int i = 0;
    for (auto& v : values.items()) t.values.emplace_back(std::to_string(i++), v.number());
  } else {
    for (auto& [name, v] : values.entries()) t.values.emplace_back(name, v.number());
  }
  t.interval_factor = r.get("interval_factor").number();
  t.cite = read_citation(r);
  r.finish();
  return t;
}

Grades read_grades(Reader r) {
  Grades out;
  if (r.is_list()) {
    for (auto& item : r.items()) out.push_back(read_figure(item));
  } else if (r.ok()) {
    out.push_back(read_figure(r));
  }
  return out;
}

std::vector<std::pair<std::string, Grades>> read_links(Reader r) {
  std::vector<std::pair<std::string, Grades>> out;
  if (!r.ok()) return out;
  for (auto& [name, value] : r.entries()) out.emplace_back(name, read_grades(value));
  return out;
}

std::vector<std::pair<std::string, Shift>> read_shifts(Reader r) {
  std::vector<std::pair<std::string, Shift>> out;
  if (!r.ok()) return out;
  for (auto& [name, value] : r.entries()) {
    Shift s;
    s.shift = read_figure(value.get("shift"));
    if (value.has("spread")) s.spread = read_figure(value.get("spread"));
    value.finish();
    out.emplace_back(name, s);
  }
  return out;
}

Codes read_codes(Reader r) {
  Codes c;
  if (!r.ok()) return c;
  c.snomed = r.get("snomed", false).text();
  c.icd10cm = r.get("icd10cm", false).text();
  c.loinc = r.get("loinc", false).text();
  r.finish();
  return c;
}

std::string stem(const std::string& file) { return std::filesystem::path(file).stem().string(); }

std::string read_id(Reader& r) {
  Reader entry = r.get("id");
  const std::string id = entry.text();
  if (entry.ok() && id.empty()) entry.fault("the id is empty", "write the file's name without .yaml");
  if (!id.empty() && id != stem(r.file())) r.get("id").fault(fmt::format("id '{}' differs from the file's name", id), "make them the same");
  return id;
}

std::vector<std::string> read_optional_texts(Reader r) { return r.ok() ? r.texts() : std::vector<std::string>{}; }

Cause read_cause(Reader r) {
  Cause c;
  c.file = r.file();
  c.line = 1;
  c.id = read_id(r);
  c.name = r.get("name").text();
  c.group = r.get("group").text();
  const std::string behaviour = r.get("behaviour").text();
  if (behaviour == "malignant") c.behaviour = Behaviour::malignant;
  else if (behaviour == "benign") c.behaviour = Behaviour::benign;
  else if (behaviour != "none") r.get("behaviour").fault(fmt::format("'{}' is not a behaviour", behaviour), "malignant, benign or none");
  if (r.has("emergency")) c.emergency = r.get("emergency").flag();
  c.course = r.get("course").text();
  c.describes = r.get("describes").text();
  c.rate = read_age_table(r.get("rate"));
  c.settings = read_named_table(r.get("settings"));
  c.levels = read_named_table(r.get("levels"));
  if (r.has("referral")) c.referral = read_named_table(r.get("referral"));
  if (r.has("tempo")) c.tempo = read_figure(r.get("tempo"));
  if (r.has("accompanied_by")) {
    auto entries = r.get("accompanied_by").entries();
    if (entries.size() != 1) r.get("accompanied_by").fault("one mechanism at most may accompany a cause");
    for (auto& [name, value] : entries) c.accompanied_by = {name, read_figure(value)};
  }
  if (r.has("context"))
    for (auto& [name, value] : r.get("context").entries()) {
      ContextLink link;
      link.factor = name;
      link.is_share = value.has("share");
      if (link.is_share && value.has("ratio")) value.fault("share and ratio exclude each other");
      link.figure = read_figure(value.get(link.is_share ? "share" : "ratio"));
      if (value.has("years")) link.years = read_named_table(value.get("years"));
      value.finish();
      c.context.push_back(link);
    }
  c.findings = read_links(r.get("findings", false));
  c.measures = read_shifts(r.get("measures", false));
  c.codes = read_codes(r.get("codes", false));
  r.finish();
  return c;
}

Course read_course(Reader r) {
  Course c;
  c.file = r.file();
  c.line = 1;
  c.id = read_id(r);
  c.name = r.get("name").text();
  c.describes = r.get("describes").text();
  if (r.has("fills_canal")) c.fills_canal = r.get("fills_canal").flag();
  for (auto& item : r.get("stages").items()) {
    Stage s;
    s.id = item.get("id").text();
    s.name = item.get("name").text();
    s.mechanisms = item.get("mechanisms").texts();
    if (item.has("entry")) s.entry = read_figure(item.get("entry"));
    s.presents = read_figure(item.get("presents"));
    if (item.has("to"))
      for (auto& [name, value] : item.get("to").entries()) s.to.emplace_back(name, read_figure(value));
    s.findings = read_links(item.get("findings", false));
    item.finish();
    c.stages.push_back(std::move(s));
  }
  r.finish();
  return c;
}

std::array<std::optional<double>, 2> read_limits(Reader r) {
  std::array<std::optional<double>, 2> out;
  auto list = r.items();
  if (list.size() != 2) {
    if (r.ok()) r.fault("limits are two numbers: [low, high]", "null where there is none");
    return out;
  }
  for (int i = 0; i < 2; ++i)
    if (list[i].ok()) out[i] = list[i].number();
  return out;
}

Finding read_finding(Reader r) {
  Finding f;
  f.file = r.file();
  f.line = 1;
  f.id = read_id(r);
  f.name = r.get("name").text();
  const std::string kind = r.get("kind").text();
  const std::map<std::string, FindingKind> kinds = {{"symptom", FindingKind::symptom}, {"sign", FindingKind::sign},
                                                    {"context", FindingKind::context}, {"history", FindingKind::history},
                                                    {"test", FindingKind::test},       {"measured", FindingKind::measured}};
  if (const auto it = kinds.find(kind); it != kinds.end()) f.kind = it->second;
  else r.get("kind").fault(fmt::format("'{}' is not a kind of finding", kind), "symptom, sign, context, history, test or measured");
  f.group = r.get("group").text();
  f.burden = r.get("burden").text();
  Reader ask = r.get("ask");
  f.ask_clinician = ask.get("clinician").text();
  f.ask_person = ask.get("person").text();
  ask.finish();
  f.synonyms = read_optional_texts(r.get("synonyms", false));
  f.codes = read_codes(r.get("codes", false));

  if (f.kind == FindingKind::context || f.kind == FindingKind::history) {
    f.prevalence = read_figure_or_age_table(r.get("prevalence"));
    if (f.kind == FindingKind::history) {
      f.primary = r.get("primary").text();
      f.years = read_named_table(r.get("years"));
    }
  } else if (f.kind == FindingKind::measured) {
    f.unit = r.get("unit").text();
    for (auto& [name, value] : r.get("units").entries()) f.units.emplace_back(name, value.number());
    if (auto list = r.get("possible").items(); list.size() == 2) {
      f.possible_low = list[0].number();
      f.possible_high = list[1].number();
    }
    const std::string scale = r.get("scale").text();
    f.log_scale = scale == "log";
    if (scale != "log" && scale != "linear") r.get("scale").fault(fmt::format("'{}' is not a scale", scale), "log or linear");
    Reader reference = r.get("reference");
    f.reference_male = read_limits(reference.get("male"));
    f.reference_female = read_limits(reference.get("female"));
    reference.finish();
    Reader background = r.get("background");
    f.centre = read_age_table(background.get("centre"));
    f.spread = read_figure(background.get("spread"));
    background.finish();
    f.mechanism_shifts = read_shifts(r.get("mechanisms", false));
    f.cause_shifts = read_shifts(r.get("causes", false));
  } else {
    f.grades = read_optional_texts(r.get("grades", false));
    Reader leak = r.get("leak");
    if (leak.has("ages")) f.leak_table = read_age_table(leak);
    else f.leak = read_grades(leak);
    f.mechanisms = read_links(r.get("mechanisms", false));
    f.causes = read_links(r.get("causes", false));
    if (r.has("place")) {
      Reader place = r.get("place");
      f.place_root = place.get("root").text();
      place.finish();
    }
  }
  r.finish();
  return f;
}

// ---- anatomy, population

std::vector<std::pair<std::string, double>> read_shares(Reader r) {
  std::vector<std::pair<std::string, double>> out;
  if (!r.ok()) return out;
  for (auto& [name, value] : r.entries()) out.emplace_back(name, value.number());
  return out;
}

Anatomy read_anatomy(Reader r) {
  Anatomy a;
  for (auto& item : r.get("levels").items()) {
    Level l;
    l.id = item.get("id").text();
    l.region = item.get("region").text();
    l.canal = item.get("canal").text();
    l.cord_segment = item.get("cord_segment", false).text();
    l.roots = read_shares(item.get("roots", false));
    l.pain = read_shares(item.get("pain", false));
    item.get("note", false);
    item.finish();
    a.levels.push_back(l);
  }
  Reader status = r.get("tables_status");
  a.interval_factor = status.get("interval_factor").number();
  a.cite = read_citation(status);
  status.finish();
  for (auto& item : r.get("segments").items()) {
    Segment s;
    s.id = item.get("id").text();
    s.dermatome = item.get("dermatome", false).text();
    s.myotome = item.get("myotome", false).text();
    s.reflex = item.get("reflex", false).text();
    item.finish();
    a.segments.push_back(s);
  }
  const NamedTable offset = read_named_table(r.get("sensory_level_offset"));
  for (const auto& [name, share] : offset.values) {
    try {
      a.sensory_level_offset.emplace_back(std::stoi(name), share);
    } catch (const std::exception&) {
      r.get("sensory_level_offset").fault(fmt::format("'{}' is not a whole number of segments", name));
    }
  }
  a.offset_cite = offset.cite;
  a.offset_interval_factor = offset.interval_factor;
  if (r.has("canal_filling")) a.canal_filling = read_named_table(r.get("canal_filling"));
  for (auto& item : r.get("visceral_referral").items()) {
    Referral v;
    v.organ = item.get("organ").text();
    v.segments = item.get("segments").texts();
    v.felt = item.get("felt").text();
    item.finish();
    a.visceral_referral.push_back(v);
  }
  r.finish();
  return a;
}

Population read_population(Reader r) {
  Population p;
  p.people = read_age_table(r.get("people"));
  for (auto& item : r.get("settings").items()) {
    Setting s;
    s.id = item.get("id").text();
    s.name = item.get("name").text();
    s.share = read_figure(item.get("share"));
    item.finish();
    p.settings.push_back(s);
  }
  Reader background = r.get("background_pain");
  p.background_share = read_figure(background.get("share"));
  p.background_median = read_figure(background.get("median_weeks"));
  p.background_spread = read_figure(background.get("spread"));
  background.finish();
  r.finish();
  return p;
}

std::vector<RecordedKind> read_recording(Reader r) {
  std::vector<RecordedKind> out;
  for (auto& [id, kind] : r.get("recording").entries()) {
    RecordedKind x;
    x.id = id;
    if (Reader done = kind.get("done", false); done.ok()) x.done = read_named_table(done);
    x.present = read_named_table(kind.get("present"));
    if (Reader absent = kind.get("absent", false); absent.ok()) x.absent = read_named_table(absent);
    kind.finish();
    out.push_back(x);
  }
  r.finish();
  return out;
}

std::vector<Mechanism> read_mechanisms(Reader r) {
  std::vector<Mechanism> out;
  for (auto& item : r.get("mechanisms").items()) {
    Mechanism m;
    m.id = item.get("id").text();
    m.name = item.get("name").text();
    m.describes = item.get("describes").text();
    m.canal = read_optional_texts(item.get("canal", false));
    item.finish();
    out.push_back(m);
  }
  r.finish();
  return out;
}

// ---- conditions and rules

nlohmann::json to_json(const YAML::Node& node) {
  if (node.IsMap()) {
    nlohmann::json out = nlohmann::json::object();
    for (const auto& e : node) out[e.first.IsScalar() ? e.first.Scalar() : "?"] = to_json(e.second);
    return out;
  }
  if (node.IsSequence()) {
    nlohmann::json out = nlohmann::json::array();
    for (const auto& e : node) out.push_back(to_json(e));
    return out;
  }
  if (!node.IsScalar()) return nullptr;
  const std::string& word = node.Scalar();
  if (node.Tag() != "!") {  // "!" marks a quoted scalar
    if (word == "true") return true;
    if (word == "false") return false;
    double number = 0;
    if (YAML::convert<double>::decode(node, number) && std::isfinite(number)) return number;
  }
  return word;
}

Rule read_rule(Reader r, const YAML::Node& root) {
  Rule rule;
  rule.file = r.file();
  rule.id = read_id(r);
  rule.name = r.get("name").text();
  rule.profile = r.get("profile").text();
  rule.applies = r.get("applies").text();
  rule.recommendation = r.get("recommendation", false).text();
  rule.date_checked = r.get("date_checked").text();
  rule.cite = read_citation(r);
  rule.urgency = r.get("urgency").text();
  if (r.has("within_hours")) rule.within_hours = r.get("within_hours").number();
  Reader action = r.get("action");
  rule.action_clinician = action.get("clinician").text();
  rule.action_person = action.get("person").text();
  action.finish();
  rule.when = read_condition(r.get("when"));
  rule.needs = read_optional_texts(r.get("needs", false));
  int i = 0;
  for (auto& item : r.get("tests").items()) {
    RuleTest t;
    t.line = item.line();
    t.name = item.get("name").text();
    item.get("person");
    const YAML::Node person = root["tests"][i++]["person"];
    t.person_json = person.IsDefined() ? to_json(person).dump() : "{}";
    t.expect = item.get("fires").text();
    if (t.expect != "true" && t.expect != "false" && t.expect != "unknown") item.fault("fires: true, false or unknown");
    item.finish();
    rule.tests.push_back(t);
  }
  r.finish();
  return rule;
}

Comparator read_comparator(Reader r) {
  Comparator c;
  c.id = read_id(r);
  c.name = r.get("name").text();
  c.country = r.get("country").text();
  r.get("date_checked", false);
  c.cite = read_citation(r);
  for (auto& [name, value] : r.get("lists").entries()) c.lists.emplace_back(name, read_condition(value));
  r.finish();
  return c;
}

Score read_score(Reader r) {
  Score s;
  s.id = read_id(r);
  s.name = r.get("name").text();
  s.describes = r.get("describes").text();
  s.applies_to = r.get("applies_to").text();
  s.aggregation = r.get("aggregation").text();
  s.cite = read_citation(r);
  r.get("range", false);
  for (auto& item : r.get("items").items()) {
    ScoreItem it;
    it.id = item.get("id").text();
    it.name = item.get("name").text();
    it.explain = item.get("explain", false).text();
    for (auto& option : item.get("options").items()) {
      ScoreOption o;
      o.id = option.get("id").text();
      o.name = option.get("name").text();
      if (option.has("points")) o.points = option.get("points").number();
      o.grade = option.get("grade", false).text();
      o.levels = read_optional_texts(option.get("levels", false));
      option.finish();
      it.options.push_back(o);
    }
    item.finish();
    s.items.push_back(it);
  }
  if (r.has("interpretation"))
    for (auto& band : r.get("interpretation").items()) {
      ScoreBand b;
      if (band.has("min")) b.min = band.get("min").number();
      if (band.has("max")) b.max = band.get("max").number();
      b.grades = read_optional_texts(band.get("grades", false));
      b.label = band.get("label").text();
      b.action = band.get("action", false).text();
      band.finish();
      s.interpretation.push_back(b);
    }
  s.notes = read_optional_texts(r.get("notes", false));
  r.finish();
  return s;
}

SafetyNet read_safety_net(Reader r) {
  SafetyNet s;
  Reader always = r.get("always");
  s.clinician = always.get("clinician").texts();
  s.person = always.get("person").texts();
  always.finish();
  for (auto& [name, value] : r.get("emergency_numbers").entries()) s.emergency_numbers[name] = value.text();
  s.intended_use = r.get("intended_use").text();
  s.not_excluded = r.get("not_excluded").text();
  r.finish();
  return s;
}

Vocabulary read_vocabulary(Reader r) {
  Vocabulary v;
  for (auto& [word, value] : r.get("settings").entries()) v.settings[word] = value.text();
  for (auto& [word, value] : r.get("locations").entries()) v.locations[word] = value.texts();
  for (auto& [word, value] : r.get("primaries").entries()) v.primaries[word] = value.text();
  for (auto& [word, value] : r.get("lab_names").entries()) {
    v.lab_names[word] = {value.get("finding").text(), value.get("unit").text()};
    value.finish();
  }
  for (auto& [word, panel] : r.get("panels").entries())
    for (auto& [answer, meaning] : panel.entries()) {
      Meaning m;
      if (meaning.has("any")) {
        m.any = true;
        for (auto& [finding, value] : meaning.get("any").entries()) m.answers.emplace_back(finding, value.text());
        meaning.finish();
      } else {
        for (auto& [finding, value] : meaning.entries()) m.answers.emplace_back(finding, value.text());
      }
      v.panels[word][answer] = m;
    }
  v.noted = r.get("noted").texts();
  v.ignored_keys = r.get("ignored_keys").texts();
  r.finish();
  return v;
}

// What `dorsalgia calibrate` wrote. Draws are rows of whole numbers, hundredths of a prior standard deviation.
Fitted read_fitted(Reader r) {
  Fitted f;
  f.unfitted = r.get("unfitted_model").text();
  for (auto& [id, value] : r.get("parameters").entries()) {
    f.parameters.push_back(id);
    f.mean.push_back(value.get("moved").number());
    f.sd.push_back(value.get("sd").number());
    value.get("from", false);
    value.get("to", false);
    value.finish();
  }
  for (auto& row : r.get("draws").items()) {
    std::istringstream words(row.text());
    std::vector<float> draw;
    for (int hundredths = 0; words >> hundredths;) draw.push_back(static_cast<float>(hundredths) / 100.0f);
    if (draw.size() != f.parameters.size())
      row.fault(fmt::format("a draw of {} numbers for {} parameters", draw.size(), f.parameters.size()), "calibrate again");
    else f.draws.push_back(std::move(draw));
  }
  for (const char* key : {"made_by", "studies", "not_used", "between_studies"}) r.get(key, false);
  r.finish();
  return f;
}

void read_sources(Reader r, std::map<std::string, Source>& sources) {
  for (auto& [key, value] : r.entries()) {
    Source s;
    s.key = key;
    s.title = value.get("title").text();
    s.authors = value.get("authors", false).text();
    if (value.has("year")) s.year = value.get("year").whole();
    s.published = value.get("published", false).text();
    s.url = value.get("url", false).text();
    s.doi = value.get("doi", false).text();
    s.kind = value.get("kind").text();
    value.get("note", false);
    value.finish();
    if (!sources.emplace(key, s).second) value.fault(fmt::format("source '{}' is defined twice", key), "keep one of the two");
  }
}

// What a file holds once every alias (`*name`) is written out. A few lines of aliases to aliases unfold to millions of
// nodes, and an anchor that contains its own alias has no end: both must be found before anything is read.
bool within_reason(const YAML::Node& node, std::size_t depth, int& nodes) {
  if (depth > kDeepestFile || ++nodes > kMostNodes) return false;
  if (node.IsMap() || node.IsSequence())
    for (const auto& child : node) {
      const bool map = child.first.IsDefined();
      if (map && !within_reason(child.first, depth + 1, nodes)) return false;
      if (!within_reason(map ? child.second : YAML::Node(child), depth + 1, nodes)) return false;
    }
  return true;
}

bool starts_with(const std::string& s, const char* prefix) { return s.rfind(prefix, 0) == 0; }

template <class T>
void add(std::vector<T>& all, T item, const std::string& file, std::vector<Complaint>& complaints) {
  if (item.id.empty()) return;
  for (const auto& other : all)
    if (other.id == item.id) {
      complaints.push_back({file, 1, fmt::format("'{}' is defined twice", item.id), "ids are unique; rename one"});
      return;
    }
  all.push_back(std::move(item));
}

void read_file(const std::string& file, const YAML::Node& root, Loaded& out) {
  Knowledge& k = out.knowledge;
  Reader r(root, file, "", out.complaints);
  if (starts_with(file, "causes/")) add(k.causes, read_cause(r), file, out.complaints);
  else if (starts_with(file, "courses/")) add(k.courses, read_course(r), file, out.complaints);
  else if (starts_with(file, "findings/")) add(k.findings, read_finding(r), file, out.complaints);
  else if (starts_with(file, "sources/")) read_sources(r, k.sources);
  else if (starts_with(file, "scores/")) add(k.scores, read_score(r), file, out.complaints);
  else if (starts_with(file, "pathways/comparators/")) add(k.comparators, read_comparator(r), file, out.complaints);
  else if (file == "pathways/definitions.yaml") {
    for (auto& [name, value] : r.get("definitions").entries()) k.definitions[name] = read_condition(value);
    r.finish();
  } else if (file == "pathways/thresholds.yaml") {
    for (auto& item : r.get("thresholds").items()) {
      Threshold t;
      t.id = item.get("id").text();
      t.name = item.get("name").text();
      t.quantity = item.get("quantity").text();
      t.at_least = item.get("at_least").number();
      t.urgency = item.get("urgency").text();
      t.recommendation = item.get("recommendation", false).text();
      item.get("date_checked", false);
      t.cite = read_citation(item);
      item.finish();
      k.thresholds.push_back(t);
    }
    r.finish();
  } else if (starts_with(file, "pathways/")) add(k.rules, read_rule(r, root), file, out.complaints);
  else if (file == "anatomy.yaml") k.anatomy = read_anatomy(r);
  else if (file == "population.yaml") k.population = read_population(r);
  else if (file == "recording.yaml") k.recording = read_recording(r);
  else if (file == "mechanisms.yaml") k.mechanisms = read_mechanisms(r);
  else if (file == "vocabulary.yaml") k.vocabulary = read_vocabulary(r);
  else if (file == "safety_net.yaml") k.safety_net = read_safety_net(r);
  else if (file == "fitted.yaml") k.fitted = read_fitted(r);
  else
    out.complaints.push_back(
        {file, 0, "this file has no place in a knowledge folder",
         "causes/, courses/, findings/, pathways/, scores/, sources/, studies/, trials/ or one of the files in docs/knowledge.md"});
}

// The first line that is not UTF-8, as those understand it who will write its words as JSON; 0: none.
int line_not_utf8(const std::string& text) {
  std::istringstream in(text);
  std::string words;
  for (int line = 1; std::getline(in, words); ++line) try {
      (void)nlohmann::json(words).dump();
    } catch (const nlohmann::json::type_error&) {
      return line;
    }
  return 0;
}

}  // namespace

Loaded load_knowledge(const KnowledgeFiles& files) {
  Loaded out;
  for (const auto& [file, text] : files) {
    if (text.size() > kLargestFile) {
      out.complaints.push_back({file, 0, "larger than 4 MiB", "split it"});
      continue;
    }
    if (const int line = line_not_utf8(text); line > 0) {
      out.complaints.push_back({file, line, "not UTF-8", "save the file as UTF-8"});
      continue;
    }
    if (starts_with(file, "studies/") || starts_with(file, "trials/")) {
      out.knowledge.texts[file] = text;
      continue;
    }
    try {
      const YAML::Node root = YAML::Load(text);
      int nodes = 0;
      if (within_reason(root, 0, nodes)) read_file(file, root, out);
      else
        out.complaints.push_back(
            {file, 0,
             fmt::format("nested more than {} levels deep, or more than {} entries once aliases are written out", kDeepestFile, kMostNodes),
             "use fewer aliases"});
    } catch (const YAML::Exception& e) {
      out.complaints.push_back({file, e.mark.line + 1, "not YAML: " + e.msg, "check indentation, quotes and brackets"});
    }
  }
  for (const char* needed : {"anatomy.yaml", "population.yaml", "mechanisms.yaml", "vocabulary.yaml", "safety_net.yaml"})
    if (!files.count(needed)) out.complaints.push_back({needed, 0, "this file is missing", "a knowledge folder needs it"});
  auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(out.knowledge.causes.begin(), out.knowledge.causes.end(), by_id);
  std::sort(out.knowledge.courses.begin(), out.knowledge.courses.end(), by_id);
  std::sort(out.knowledge.findings.begin(), out.knowledge.findings.end(), by_id);
  std::vector<Condition> defined;  // those that no rule uses too
  std::vector<Condition*> all;
  for (const auto& [name, definition] : out.knowledge.definitions) {
    defined.emplace_back();
    defined.back().kind = Condition::Kind::finding;
    defined.back().id = name;
  }
  for (Condition& c : defined) all.push_back(&c);
  for (Rule& r : out.knowledge.rules) all.push_back(&r.when);
  for (Comparator& c : out.knowledge.comparators)
    for (auto& list : c.lists) all.push_back(&list.second);
  resolve(out.knowledge, all, out.complaints);
  return out;
}

Loaded load_knowledge_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  KnowledgeFiles files;
  std::vector<Complaint> complaints;
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    Loaded out;
    out.complaints.push_back({folder, 0, "this is not a folder that can be read", "give the folder that holds causes/, findings/, ..."});
    return out;
  }
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (!it->is_regular_file()) continue;
    const std::string name = fs::relative(it->path(), folder).generic_string();
    if (name.front() == '.' || it->path().extension() == ".md") continue;
    std::ifstream in(it->path(), std::ios::binary);
    std::ostringstream text;
    text << in.rdbuf();
    if (!in) complaints.push_back({name, 0, "cannot be read", "check its permissions"});
    files[name] = text.str();
  }
  if (error) complaints.push_back({folder, 0, "cannot be listed: " + error.message(), ""});
  Loaded out = load_knowledge(files);
  out.complaints.insert(out.complaints.begin(), complaints.begin(), complaints.end());
  return out;
}

}  // namespace dorsalgia
