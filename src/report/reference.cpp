// One builder a kind of page, in the order of docs/knowledge.md, then two layouts that know nothing of kinds.
//
// A cause brings few findings itself; most come through the mechanisms of the stages of its course. Its page therefore
// lists those too, but tells their reasons only where they stand (the pages of mechanism, finding and course): a page
// that repeats four hundred reasons is not read.
#include "report/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "course/chain.h"

namespace dorsalgia {

using nlohmann::ordered_json;

namespace {

const std::vector<std::string> kAgeColumns = {"", "0-14", "15-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+"};

std::string number(double x) {
  if (x != 0 && std::abs(x) < 1e-4) return fmt::format("{:.1e}", x);
  if (std::abs(x) >= 1000) return fmt::format("{:.0f}", x);
  return fmt::format("{:.3g}", x);
}

// 0.0001 is 0.01%: two figures that mean something, no more.
std::string bare_percent(double share) {
  const double x = 100 * share;
  if (x >= 9.95 || x == 0) return fmt::format("{:.0f}", x);
  if (x >= 1) return fmt::format("{:g}", std::round(x * 10) / 10);
  const int digits = 1 - static_cast<int>(std::floor(std::log10(x)));
  const double scale = std::pow(10, digits);
  return digits > 7
             ? fmt::format("{:.1e}", x)
             : fmt::format("{:.{}f}", std::round(x * scale) / scale, std::max(0, digits - (std::fmod(std::round(x * scale), 10) == 0)));
}

PageRow row(std::string label, const Figure& f, const std::function<std::string(double)>& tell, const std::string& unit) {
  PageRow r;
  r.label = std::move(label);
  r.cells = {fmt::format("{}{} ({} to {})", tell(f.value), unit, tell(f.low), tell(f.high))};
  r.numbers = {f.value, f.low, f.high};
  r.cite = f.cite;
  if (f.counts) r.words = fmt::format("{:g} of {:g}", (*f.counts)[0], (*f.counts)[1]);
  return r;
}
PageRow share_row(std::string label, const Figure& f) { return row(std::move(label), f, bare_percent, "%"); }
PageRow factor_row(std::string label, const Figure& f) { return row("x " + std::move(label), f, number, ""); }
PageRow speed_row(std::string label, const Figure& f) { return row(std::move(label), f, number, " a week"); }

PageRow words_row(std::string label, std::string words) {
  PageRow r;
  r.label = std::move(label);
  r.words = std::move(words);
  return r;
}

PageSection paragraph(std::string heading, std::string text) { return {std::move(heading), std::move(text), {}, {}, std::nullopt, 0}; }

PageSection rows_section(std::string heading, std::vector<PageRow> rows, std::string text = "") {
  return {std::move(heading), std::move(text), {}, std::move(rows), std::nullopt, 0};
}

PageSection age_section(const std::string& heading, const std::string& text, const AgeSexTable& t,
                        const std::function<std::string(double)>& tell) {
  PageSection s{heading, text, kAgeColumns, {}, t.cite, t.interval_factor};
  for (const auto& [name, values] : {std::pair{"male", &t.male}, std::pair{"female", &t.female}}) {
    PageRow r;
    r.label = name;
    for (double x : *values) r.cells.push_back(tell(x)), r.numbers.push_back(x);
    s.rows.push_back(std::move(r));
  }
  return s;
}

PageSection named_section(const std::string& heading, const std::string& text, const NamedTable& t,
                          const std::function<std::string(double)>& tell) {
  PageSection s{heading, text, {}, {}, t.cite, t.interval_factor};
  const bool years = t.values.size() == 4 && t.values[0].first == "0";
  const char* kYears[] = {"less than 1 year ago", "1 to 5 years ago", "5 to 10 years ago", "10 years ago or more"};
  for (std::size_t i = 0; i < t.values.size(); ++i) {
    PageRow r;
    r.label = years ? kYears[i] : t.values[i].first;
    r.cells = {tell(t.values[i].second)};
    r.numbers = {t.values[i].second};
    s.rows.push_back(std::move(r));
  }
  return s;
}

std::string list(const std::vector<std::string>& words, const char* none = "") {
  return words.empty() ? none : fmt::format("{}", fmt::join(words, ", "));
}

std::string codes_told(const Codes& c) {
  std::vector<std::string> out;
  if (!c.snomed.empty()) out.push_back("SNOMED CT " + c.snomed);
  if (!c.icd10cm.empty()) out.push_back("ICD-10-CM " + c.icd10cm);
  if (!c.loinc.empty()) out.push_back("LOINC " + c.loinc);
  return list(out);
}

const char* kind_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::symptom: return "symptom";
    case FindingKind::sign: return "sign";
    case FindingKind::context: return "context";
    case FindingKind::history: return "history of cancer";
    case FindingKind::test: return "test";
    case FindingKind::measured: return "measured value";
  }
  return "";
}

std::string behaviour_name(Behaviour b) {
  return b == Behaviour::malignant ? "malignant tumour" : b == Behaviour::benign ? "benign tumour" : "not a tumour";
}

// One row a grade above the first: "night_pain", or "mri_marrow_lesion: definite".
void add_grades(std::vector<PageRow>& rows, const std::string& label, const Grades& grades, const std::vector<std::string>& names,
                bool brief = false) {
  for (std::size_t g = 0; g < grades.size(); ++g) {
    rows.push_back(share_row(grades.size() > 1 && g + 1 < names.size()
                                 ? fmt::format("{}: {}{}", label, g + 2 < names.size() ? "at least " : "", names[g + 1])
                                 : label,
                             grades[g]));
    rows.back().brief = brief;
  }
}

void add_shift(std::vector<PageRow>& rows, const std::string& label, const Shift& s, const Finding& f, bool brief = false) {
  if (f.log_scale) {
    rows.push_back(row(
        label, s.shift, [](double x) { return number(std::exp(x)); }, ""));
    rows.back().cells[0] = "x " + rows.back().cells[0];
  } else {
    rows.push_back(row(label, s.shift, number, " " + f.unit));
    if (s.shift.value > 0) rows.back().cells[0] = "+" + rows.back().cells[0];
  }
  rows.back().brief = brief;
  if (s.spread && !brief) rows.push_back(row(label + ", spread", *s.spread, number, f.log_scale ? "" : " " + f.unit));
}

// ---- conditions

std::string range_told(const Condition& c, const char* unit, const char* low, const char* high) {
  if (c.low && c.high) return fmt::format("{:g} to {:g}{}", *c.low, *c.high, unit);
  return c.low ? fmt::format("{} {:g}{}", low, *c.low, unit) : fmt::format("{} {:g}{}", high, c.high.value_or(0), unit);
}

}  // namespace

std::string condition_told(const Condition& c) {
  using Kind = Condition::Kind;
  auto joined = [&](const char* glue) {
    std::vector<std::string> parts;
    for (const auto& child : c.of) {
      const bool group = child.kind == Kind::all || child.kind == Kind::any || child.kind == Kind::none || child.kind == Kind::at_least;
      parts.push_back(group && child.kind != Kind::none && child.kind != Kind::at_least && child.of.size() > 1
                          ? "(" + condition_told(child) + ")"
                          : condition_told(child));
    }
    return fmt::format("{}", fmt::join(parts, glue));
  };
  switch (c.kind) {
    case Kind::all: return joined(" and ");
    case Kind::any: return joined(" or ");
    case Kind::none: return fmt::format("none of ({})", joined(", "));
    case Kind::at_least: return fmt::format("at least {} of ({})", c.count, joined(", "));
    case Kind::finding: return c.id;
    case Kind::any_cancer_history: return "any_cancer_history";
    case Kind::age: return "age " + range_told(c, " years", "from", "up to");
    case Kind::sex: return c.id;
    case Kind::duration: return "pain for " + range_told(c, " weeks", "at least", "at most");
    case Kind::location: return "pain in " + fmt::format("{}", fmt::join(c.names, " or "));
    case Kind::setting: return "seen in " + fmt::format("{}", fmt::join(c.names, " or "));
    case Kind::measured: return c.id + " " + range_told(c, "", "above", "below");
    case Kind::cause: return fmt::format("{}", fmt::join(c.names, " or "));
    case Kind::mechanism: return "active " + fmt::format("{}", fmt::join(c.names, " or "));
    case Kind::region: return "at a " + fmt::format("{}", fmt::join(c.names, " or ")) + " level";
    case Kind::stage: return "in stage " + fmt::format("{}", fmt::join(c.names, " or "));
  }
  return "";
}

namespace {

void names_in(const Condition& c, const Knowledge& k, std::set<std::string>& out) {
  if (c.kind == Condition::Kind::any_cancer_history) out.insert("any_cancer_history");
  if (c.kind == Condition::Kind::finding || c.kind == Condition::Kind::measured)
    if (out.insert(c.id).second)
      if (const auto it = k.definitions.find(c.id); it != k.definitions.end()) names_in(it->second, k, out);
  for (const auto& child : c.of) names_in(child, k, out);
}

// ---- pages

class Pages {
 public:
  Pages(const Knowledge& k, const Model& m) : k_(k), m_(m) {}

  Page cause(const Cause& c) const {
    Page p{"cause", c.id, c.name, {}};
    std::vector<PageRow> facts = {words_row("group", c.group), words_row("behaviour", behaviour_name(c.behaviour))};
    if (c.emergency) facts.push_back(words_row("emergency", "dangerous within hours, whatever its stage"));
    const Course* course = k_.course(c.course);
    facts.push_back(words_row("course", course ? fmt::format("{} ({})", course->name, c.course) : c.course));
    if (const auto codes = codes_told(c.codes); !codes.empty()) facts.push_back(words_row("codes", codes));
    p.sections.push_back(rows_section("", std::move(facts), c.describes));
    p.sections.push_back(age_section(
        "How often", "New episodes of back pain that it brings to care, per 100,000 people a year, by age and sex.", c.rate, number));
    p.sections.push_back(
        named_section("Where people are seen", "How strongly a setting selects it, relative to general practice.", c.settings, number));
    p.sections.push_back(named_section("Levels", "Share of cases; a region is spread evenly over its levels.", c.levels, percent));
    if (c.referral) p.sections.push_back(named_section("Where pain from outside the spine is felt", "", *c.referral, percent));
    course_of(c, course, p);
    context_of(c, p);

    std::vector<PageRow> own;
    for (const auto& [name, g] : c.findings) add_grades(own, name, g, grades(name));
    for (const auto& f : k_.findings) {
      for (const auto& [name, g] : f.causes)
        if (name == c.id) add_grades(own, f.id, g, f.grades);
      for (const auto& [name, s] : f.cause_shifts)
        if (name == c.id) add_shift(own, f.id, s, f);
    }
    for (const auto& [name, s] : c.measures)
      if (const Finding* f = k_.finding(name)) add_shift(own, name, s, *f);
    if (!own.empty())
      p.sections.push_back(rows_section("Findings that it brings itself", std::move(own),
                                        "Beyond what its mechanisms and stages bring. Each acts alone; together they are likelier."));
    if (course) brought(c, *course, p);
    return p;
  }

  Page finding(const Finding& f) const {
    Page p{"finding", f.id, f.name, {}};
    std::vector<PageRow> facts = {words_row("kind", kind_name(f.kind)), words_row("group", f.group), words_row("effort", f.burden),
                                  words_row("asked of a clinician", f.ask_clinician), words_row("asked of the person", f.ask_person)};
    if (!f.synonyms.empty()) facts.push_back(words_row("also understood", list(f.synonyms)));
    if (!f.grades.empty()) facts.push_back(words_row("grades", fmt::format("{}", fmt::join(f.grades, " < "))));
    if (!f.place_root.empty()) facts.push_back(words_row("tests the segment", f.place_root));
    if (!f.primary.empty()) facts.push_back(words_row("cancer of", f.primary));
    if (const auto codes = codes_told(f.codes); !codes.empty()) facts.push_back(words_row("codes", codes));
    if (f.kind == FindingKind::measured) measured_facts(f, facts);
    p.sections.push_back(rows_section("", std::move(facts)));

    if (f.prevalence) p.sections.push_back(age_section("How common", "Share of all people of that age and sex.", *f.prevalence, percent));
    if (f.years) p.sections.push_back(named_section("When it was", "", *f.years, percent));
    const char* leak = "Present for reasons that have nothing to do with the cause of this pain (the leak).";
    if (f.leak_table) p.sections.push_back(age_section("Without any cause", leak, *f.leak_table, percent));
    if (!f.leak.empty()) {
      std::vector<PageRow> rows;
      add_grades(rows, "leak", f.leak, f.grades);
      p.sections.push_back(rows_section("Without any cause", std::move(rows), leak));
    }
    if (f.kind == FindingKind::measured) {
      p.sections.push_back(
          age_section("Usual values", fmt::format("{} by age and sex, in {}.", f.log_scale ? "Median" : "Mean", f.unit), f.centre, number));
      p.sections.push_back(
          rows_section("", {row(f.log_scale ? "spread (natural log)" : "spread", f.spread, number, f.log_scale ? "" : " " + f.unit)}));
    }

    std::vector<PageRow> by_mechanism, by_cause, by_stage, in_context;
    for (const auto& [name, g] : f.mechanisms) add_grades(by_mechanism, name, g, f.grades);
    for (const auto& [name, s] : f.mechanism_shifts) add_shift(by_mechanism, name, s, f);
    for (const auto& [name, g] : f.causes) add_grades(by_cause, name, g, f.grades);
    for (const auto& [name, s] : f.cause_shifts) add_shift(by_cause, name, s, f);
    for (const auto& c : k_.causes) {
      for (const auto& [name, g] : c.findings)
        if (name == f.id) add_grades(by_cause, c.id, g, f.grades);
      for (const auto& [name, s] : c.measures)
        if (name == f.id) add_shift(by_cause, c.id, s, f);
      for (const auto& x : c.context)
        if (x.factor == f.id) in_context.push_back(x.is_share ? share_row(c.id, x.figure) : factor_row(c.id, x.figure));
    }
    for (const auto& c : k_.courses)
      for (const auto& s : c.stages)
        for (const auto& [name, g] : s.findings)
          if (name == f.id) add_grades(by_stage, fmt::format("{}, {}", c.id, s.id), g, f.grades);
    const char* shifted =
        f.log_scale ? "By what the value is multiplied while it is active." : "By how much the value is shifted while it is active.";
    const char* alone =
        f.place_root.empty()
            ? "Probability that it, alone and active, makes the finding present."
            : "Probability that it, alone and active, makes the finding present; under compression of a root times the share of "
              "lesions at that level that hit this root, under compression of cord or cauda equina where the segment lies at or below it.";
    const bool measured = f.kind == FindingKind::measured;
    if (!by_mechanism.empty())
      p.sections.push_back(rows_section("Brought by mechanisms", std::move(by_mechanism), measured ? shifted : alone));
    if (!by_cause.empty()) p.sections.push_back(rows_section("Brought by causes themselves", std::move(by_cause), measured ? shifted : ""));
    if (!by_stage.empty()) p.sections.push_back(rows_section("Brought by stages of a course", std::move(by_stage)));
    if (!in_context.empty())
      p.sections.push_back(rows_section(
          "Causes it is linked to", std::move(in_context),
          "A share of people with the cause who have it, or (x) how many times as often the cause occurs with it as without."));
    used_by(f, p);
    return p;
  }

  Page mechanism(const Mechanism& m) const {
    Page p{"mechanism", m.id, m.name, {}};
    p.sections.push_back(rows_section("", {words_row("real where the canal holds", list(m.canal, "anywhere"))}, m.describes));
    std::vector<PageRow> stages, with, findings;
    for (const auto& c : k_.courses)
      for (const auto& s : c.stages)
        if (std::count(s.mechanisms.begin(), s.mechanisms.end(), m.id))
          stages.push_back(words_row(fmt::format("{}, {}", c.id, s.id), s.name));
    for (const auto& c : k_.causes)
      if (c.accompanied_by && c.accompanied_by->first == m.id) with.push_back(share_row(c.id, c.accompanied_by->second));
    for (const auto& f : k_.findings) {
      for (const auto& [name, g] : f.mechanisms)
        if (name == m.id) add_grades(findings, f.id, g, f.grades);
      for (const auto& [name, s] : f.mechanism_shifts)
        if (name == m.id) add_shift(findings, f.id, s, f);
    }
    if (!stages.empty()) p.sections.push_back(rows_section("Stages that have it", std::move(stages)));
    if (!with.empty()) p.sections.push_back(rows_section("Causes it may accompany from the onset", std::move(with)));
    p.sections.push_back(
        rows_section("Findings that it brings", std::move(findings),
                     "Probability that it alone, while active, makes the finding present; for measured values (x or +) the shift."));
    return p;
  }

  Page course(const Course& c) const {
    Page p{"course", c.id, c.name, {}};
    p.sections.push_back(paragraph("", c.describes));
    std::vector<std::string> followers;
    for (const auto& x : k_.causes)
      if (x.course == c.id) followers.push_back(x.tempo ? fmt::format("{} (speed x {})", x.id, number(x.tempo->value)) : x.id);
    p.sections.push_back(paragraph("Causes that follow it", list(followers)));
    p.sections.push_back(stage_table(c, 1));
    for (const auto& s : c.stages) {
      PageSection section = rows_section(fmt::format("Stage {}: {}", s.id, s.name), {words_row("mechanisms", list(s.mechanisms))});
      if (s.entry) section.rows.push_back(share_row("begins here", *s.entry));
      section.rows.push_back(speed_row("comes to care", s.presents));
      for (const auto& [to, f] : s.to) section.rows.push_back(speed_row("-> " + to, f));
      for (const auto& [name, g] : s.findings) add_grades(section.rows, name, g, grades(name));
      p.sections.push_back(std::move(section));
    }
    return p;
  }

  Page level(std::size_t index) const {
    const Level& l = k_.anatomy.levels[index];
    Page p{"level", l.id, l.region == "outside" ? "outside the spine: pain referred from an organ" : l.region + " level", {}};
    std::vector<PageRow> facts = {words_row("region", l.region), words_row("in the canal", l.canal)};
    if (!l.cord_segment.empty() && l.cord_segment != "null") facts.push_back(words_row("cord segment", l.cord_segment));
    std::vector<std::string> real;
    for (const auto& m : k_.mechanisms)
      if (!m.canal.empty() && std::count(m.canal.begin(), m.canal.end(), l.canal)) real.push_back(m.id);
    if (!real.empty()) facts.push_back(words_row("possible here", list(real)));
    p.sections.push_back(rows_section("", std::move(facts)));
    auto shares = [&](const char* heading, const char* text, const auto& values, bool segments) {
      if (values.empty()) return;
      PageSection s{heading, text, {}, {}, k_.anatomy.cite, k_.anatomy.interval_factor};
      for (const auto& [name, share] : values) {
        PageRow r;
        r.label = name;
        r.cells = {percent(share)};
        r.numbers = {share};
        if (segments) r.words = segment_told(name);
        s.rows.push_back(std::move(r));
      }
      p.sections.push_back(std::move(s));
    };
    shares("Roots", "Share of lesions at this level that hit each root, and what the root supplies.", l.roots, true);
    shares("Where pain from here is felt", "", l.pain, false);
    std::vector<std::pair<double, const Cause*>> causes;
    for (std::size_t c = 0; c < m_.causes.size(); ++c)
      if (m_.causes[c].levels[index] > 0) causes.emplace_back(m_.causes[c].levels[index], &k_.causes[c]);
    std::stable_sort(causes.begin(), causes.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<PageRow> rows;
    for (std::size_t i = 0; i < causes.size() && i < 15; ++i) {
      PageRow r = words_row(causes[i].second->id, causes[i].second->name);
      r.cells = {percent(causes[i].first)};
      r.numbers = {causes[i].first};
      rows.push_back(std::move(r));
    }
    if (!rows.empty())
      p.sections.push_back(rows_section("Causes most at home here", std::move(rows),
                                        "Share of each cause's cases that lie at this level: not how often the cause occurs."));
    return p;
  }

  Page rule(const Rule& r) const {
    Page p{"rule", r.id, r.name, {}};
    std::vector<PageRow> facts = {
        words_row("urgency", r.urgency + (r.within_hours ? fmt::format(", within {:g} hours", *r.within_hours) : "")),
        words_row("profile", r.profile), words_row("applies to", r.applies)};
    if (!r.recommendation.empty()) facts.push_back(words_row("recommendation", r.recommendation));
    PageRow source = words_row("where from", "");
    source.cite = r.cite;
    facts.push_back(std::move(source));
    facts.push_back(words_row("last compared", r.date_checked));
    p.sections.push_back(rows_section("", std::move(facts)));
    conditions(p, "Fires when", r.when);
    if (!r.needs.empty()) p.sections.push_back(paragraph("Cannot be told without", list(r.needs)));
    p.sections.push_back(rows_section("What to do", {words_row("clinician", r.action_clinician), words_row("person", r.action_person)}));
    std::vector<PageRow> tests;
    for (const auto& t : r.tests) {
      std::string person = t.person_json;  // with room to break lines
      for (std::size_t at = 0; (at = person.find(",\"", at)) != std::string::npos; at += 2) person.insert(at + 1, " ");
      tests.push_back(words_row(t.expect == "true"    ? "fires"
                                : t.expect == "false" ? "does not fire"
                                                      : "cannot be told",
                                t.name + ": " + person));
    }
    p.sections.push_back(rows_section("Its own tests", std::move(tests)));
    return p;
  }

  Page threshold(const Threshold& t) const {
    Page p{"threshold", t.id, t.name, {}};
    PageRow source = words_row("where from", "");
    source.cite = t.cite;
    const char* what = t.quantity == "tumour" ? "any tumour" : t.quantity == "malignant" ? "cancer" : "an emergency";
    std::vector<PageRow> facts = {words_row("raises urgency to", t.urgency),
                                  words_row("when", fmt::format("the probability of {} is {} or more", what, percent(t.at_least)))};
    if (!t.recommendation.empty()) facts.push_back(words_row("recommendation", t.recommendation));
    facts.push_back(std::move(source));
    p.sections.push_back(rows_section("", std::move(facts)));
    return p;
  }

  Page comparator(const Comparator& c) const {
    Page p{"red flag list", c.id, c.name, {}};
    PageRow source = words_row("where from", "");
    source.cite = c.cite;
    p.sections.push_back(rows_section("", {words_row("country", c.country), source},
                                      "Run as written, beside the rules, to show what this list alone would say."));
    for (const auto& [name, list] : c.lists) conditions(p, name, list);
    return p;
  }

  Page definition(const std::string& id, const Condition& c) const {
    Page p{"definition", id, "a named group of findings, used in rules like a finding", {}};
    conditions(p, "Holds when", c);
    return p;
  }

  Page score(const Score& s) const {
    Page p{"score", s.id, s.name, {}};
    PageRow source = words_row("where from", "");
    source.cite = s.cite;
    p.sections.push_back(rows_section("",
                                      {words_row("applies to", s.applies_to),
                                       words_row("worked out as", s.aggregation == "sum"   ? "sum of points"
                                                                  : s.aggregation == "max" ? "highest points"
                                                                                           : "grade"),
                                       source},
                                      s.describes));
    for (const auto& item : s.items) {
      PageSection section = rows_section(fmt::format("{} ({})", item.name, item.id), {}, item.explain);
      for (const auto& o : item.options) {
        PageRow r = words_row(o.id, o.name + (o.levels.empty() ? "" : "; or the level: " + list(o.levels)));
        r.cells = {o.grade.empty() ? number(o.points) : o.grade};
        if (o.grade.empty()) r.numbers = {o.points};
        section.rows.push_back(std::move(r));
      }
      p.sections.push_back(std::move(section));
    }
    std::vector<PageRow> bands;
    for (const auto& b : s.interpretation) {
      const std::string range = !b.grades.empty() ? list(b.grades)
                                : b.min && b.max && *b.min == *b.max
                                    ? number(*b.min)
                                    : fmt::format("{} to {}", b.min ? number(*b.min) : "lowest", b.max ? number(*b.max) : "highest");
      PageRow r = words_row(range, b.label + (b.action.empty() ? "" : ": " + b.action));
      bands.push_back(std::move(r));
    }
    if (!bands.empty()) p.sections.push_back(rows_section("What it means", std::move(bands)));
    for (std::size_t i = 0; i < s.notes.size(); ++i) p.sections.push_back(paragraph(i ? "" : "Notes", s.notes[i]));
    return p;
  }

  Page source(const Source& s) const {
    Page p{"source", s.key, s.title, {}};
    p.sections.push_back(rows_section("", {words_row("kind", s.kind)}, full_citation(s)));
    std::vector<PageRow> numbers, others;
    int total = 0;
    for (const auto& entry : all_numbers(k_)) {
      if (entry.cite.source != s.key) continue;
      PageRow r;
      r.label = entry.path;
      r.cells = {std::to_string(entry.numbers)};
      r.numbers = {static_cast<double>(entry.numbers)};
      r.cite = entry.cite;
      total += entry.numbers;
      numbers.push_back(std::move(r));
    }
    auto other = [&](const std::string& label, const Citation& cite) {
      if (cite.source != s.key) return;
      PageRow r = words_row(label, "");
      r.cite = cite;
      others.push_back(std::move(r));
    };
    for (const auto& r : k_.rules) other("rule " + r.id, r.cite);
    for (const auto& t : k_.thresholds) other("threshold " + t.id, t.cite);
    for (const auto& c : k_.comparators) other("red flag list " + c.id, c.cite);
    for (const auto& x : k_.scores) other("score " + x.id, x.cite);
    if (numbers.empty() && others.empty())
      p.sections.push_back(paragraph("What rests on it", "Nothing: no number, rule, list or score names it."));
    if (!numbers.empty())
      p.sections.push_back(
          rows_section(fmt::format("{} on it", total == 1 ? "1 number rests" : fmt::format("{} numbers rest", total)), std::move(numbers)));
    if (!others.empty()) p.sections.push_back(rows_section("Rules, lists and scores that rest on it", std::move(others)));
    return p;
  }

 private:
  const std::vector<std::string>& grades(const std::string& finding) const {
    static const std::vector<std::string> none;
    const Finding* f = k_.finding(finding);
    return f ? f->grades : none;
  }

  std::string segment_told(const std::string& id) const {
    for (const auto& s : k_.anatomy.segments)
      if (s.id == id) {
        std::vector<std::string> parts;
        auto add = [&](const char* what, const std::string& x) {
          if (!x.empty() && x != "null") parts.push_back(fmt::format("{} {}", what, x));
        };
        add("skin:", s.dermatome), add("movement:", s.myotome), add("reflex:", s.reflex);
        return fmt::format("{}", fmt::join(parts, "; "));
      }
    return "";
  }

  // How the stages unfold for one cause: speeds times its tempo.
  PageSection stage_table(const Course& c, double tempo) const {
    PageSection s{"Stages",
                  "Untreated: in how many the pain begins in the stage, when half of those in it have left it, and how many of those who "
                  "come to care do so in it.",
                  {"", "begins here", "half left by", "come to care"},
                  {},
                  std::nullopt,
                  0};
    const auto it = std::find_if(m_.courses.begin(), m_.courses.end(), [&](const auto& x) { return x.id == c.id; });
    if (it == m_.courses.end() || it->stages.empty()) return s;
    const Chain chain(*it, tempo, Canal::cord);
    std::vector<double> ever(it->stages.size());
    chain.within(0, INFINITY, ever.data());
    for (std::size_t k = 0; k < ever.size(); ++k) {
      double exit = 0;
      for (const auto& [to, f] : c.stages[k].to) exit += f.value * tempo;
      PageRow r;
      r.label = c.stages[k].name;
      r.numbers = {it->stages[k].entry, exit > 0 ? std::log(2) / exit : std::nan(""), ever[k]};
      r.cells = {percent(it->stages[k].entry), exit > 0 ? fmt::format("{:.2g} weeks", std::log(2) / exit) : "stays", percent(ever[k])};
      s.rows.push_back(std::move(r));
    }
    double low = 0, high = 1;
    auto by = [&](double t) {
      std::vector<double> parts(it->stages.size());
      chain.within(0, t, parts.data());
      return std::accumulate(parts.begin(), parts.end(), 0.0);
    };
    while (by(high) < 0.5 && high < 1e5) high *= 2;
    for (int i = 0; i < 60; ++i) (by((low + high) / 2) < 0.5 ? low : high) = (low + high) / 2;
    s.text += fmt::format(" Half of those who come to care do so within {:.2g} weeks of the first pain.", high);
    if (c.fills_canal) {
      std::vector<std::string> factors;
      for (const auto& [part, factor] : k_.anatomy.canal_filling.values)
        factors.push_back(fmt::format("{:g} beside the {}", factor, part == "cauda" ? "cauda equina" : part));
      s.text += fmt::format(" These are lesions beside the cord; compression comes at speeds times {}.", fmt::join(factors, ", "));
    }
    return s;
  }

  void course_of(const Cause& c, const Course* course, Page& p) const {
    if (!course) return;
    PageSection s = stage_table(*course, c.tempo ? c.tempo->value : 1);
    s.heading = "Course: " + course->name;
    p.sections.push_back(std::move(s));
    std::vector<PageRow> rows;
    if (c.tempo) rows.push_back(factor_row("speed of the course", *c.tempo));
    if (c.accompanied_by) rows.push_back(share_row("with " + c.accompanied_by->first, c.accompanied_by->second));
    if (!rows.empty()) p.sections.push_back(rows_section("", std::move(rows)));
  }

  void context_of(const Cause& c, Page& p) const {
    std::vector<PageRow> rows;
    for (const auto& x : c.context) {
      rows.push_back(x.is_share ? share_row(x.factor, x.figure) : factor_row(x.factor, x.figure));
      if (x.years) {
        rows.push_back(words_row(x.factor + ", when", ""));
        const char* kYears[] = {"<1 year", "1-5", "5-10", ">=10 years ago"};
        std::vector<std::string> told;
        for (std::size_t i = 0; i < x.years->values.size() && i < 4; ++i)
          told.push_back(fmt::format("{} {}", percent(x.years->values[i].second), kYears[i]));
        rows.back().words = list(told);
        for (const auto& v : x.years->values) rows.back().numbers.push_back(v.second);
        rows.back().cite = x.years->cite;
      }
    }
    if (!rows.empty())
      p.sections.push_back(rows_section("Context", std::move(rows),
                                        "A share of people with this cause who have it, or (x) how many times as often the cause occurs "
                                        "with it as without. Everything else as in the population."));
  }

  // What stages and mechanisms of its course bring; figures here, reasons on their own pages.
  void brought(const Cause& c, const Course& course, Page& p) const {
    for (const auto& s : course.stages) {
      std::vector<PageRow> rows;
      for (const auto& [name, g] : s.findings) add_grades(rows, name, g, grades(name), true);
      if (!rows.empty())
        p.sections.push_back(
            rows_section("Findings of the stage: " + s.name, std::move(rows), fmt::format("Reasons: course/{}.", course.id)));
    }
    std::vector<std::string> order;
    std::map<std::string, std::vector<std::string>> stages;
    for (const auto& s : course.stages)
      for (const auto& m : s.mechanisms) {
        if (!stages.count(m)) order.push_back(m);
        stages[m].push_back(s.id);
      }
    if (c.accompanied_by && !stages.count(c.accompanied_by->first)) {
      order.push_back(c.accompanied_by->first);
      stages[c.accompanied_by->first] = {fmt::format("in {} from the onset", percent(c.accompanied_by->second.value))};
    }
    for (const auto& id : order) {
      const Mechanism* m = k_.mechanism(id);
      if (!m || !possible(c, *m)) continue;
      std::vector<PageRow> rows;
      for (const auto& f : k_.findings) {
        for (const auto& [name, g] : f.mechanisms)
          if (name == id) add_grades(rows, f.id, g, f.grades, true);
        for (const auto& [name, s] : f.mechanism_shifts)
          if (name == id) add_shift(rows, f.id, s, f, true);
      }
      if (!rows.empty())
        p.sections.push_back(rows_section("Findings through " + m->name, std::move(rows),
                                          fmt::format("Active: {}. Reasons: mechanism/{}.", list(stages[id]), id)));
    }
  }

  // Whether the levels of this cause leave room for the mechanism.
  bool possible(const Cause& c, const Mechanism& m) const {
    if (m.canal.empty()) return true;
    const int index = m_.cause(c.id);
    for (std::size_t l = 0; index >= 0 && l < k_.anatomy.levels.size(); ++l)
      if (m_.causes[index].levels[l] > 0 && std::count(m.canal.begin(), m.canal.end(), k_.anatomy.levels[l].canal)) return true;
    return false;
  }

  static void measured_facts(const Finding& f, std::vector<PageRow>& facts) {
    std::vector<std::string> units;
    for (const auto& [name, factor] : f.units) units.push_back(factor == 1 ? name : fmt::format("{} (x {})", name, number(factor)));
    facts.push_back(words_row("unit", fmt::format("{}; understood: {}", f.unit, list(units))));
    facts.push_back(words_row("possible", fmt::format("{} to {} {}", number(f.possible_low), number(f.possible_high), f.unit)));
    auto limits = [&](const auto& r) {
      if (r[0] && r[1]) return fmt::format("{} to {}", number(*r[0]), number(*r[1]));
      if (r[1]) return fmt::format("up to {}", number(*r[1]));
      return r[0] ? fmt::format("from {}", number(*r[0])) : std::string("none");
    };
    facts.push_back(
        words_row("called normal", fmt::format("men {}, women {} {}", limits(f.reference_male), limits(f.reference_female), f.unit)));
  }

  void used_by(const Finding& f, Page& p) const {
    auto uses = [&](const Condition& c) {
      std::set<std::string> names;
      names_in(c, k_, names);
      return names.count(f.id) || (f.kind == FindingKind::history && names.count("any_cancer_history"));
    };
    std::vector<std::string> definitions, lists;
    std::vector<PageRow> rules;
    for (const auto& r : k_.rules)
      if (uses(r.when)) rules.push_back(words_row(r.id, fmt::format("{} ({}, {})", r.name, r.urgency, r.profile)));
    for (const auto& [name, c] : k_.definitions)
      if (uses(c)) definitions.push_back(name);
    for (const auto& c : k_.comparators)
      if (std::any_of(c.lists.begin(), c.lists.end(), [&](const auto& x) { return uses(x.second); })) lists.push_back(c.id);
    if (!rules.empty()) p.sections.push_back(rows_section("Rules that use it", std::move(rules)));
    if (!definitions.empty()) p.sections.push_back(paragraph("Definitions that use it", list(definitions)));
    if (!lists.empty()) p.sections.push_back(paragraph("Red flag lists that use it", list(lists)));
  }

  void conditions(Page& p, const std::string& heading, const Condition& c) const {
    // The alternatives of an `any` each on a line of their own; whatever stands beside it first.
    PageSection s = rows_section(heading, {});
    using Kind = Condition::Kind;
    if (c.kind == Kind::any && c.of.size() > 1) {
      s.text = "any of:";
      for (const auto& child : c.of) s.rows.push_back(words_row("-", condition_told(child)));
    } else if (c.kind == Kind::all && c.of.size() > 1) {
      s.text = "all of:";
      for (const auto& child : c.of) s.rows.push_back(words_row("-", condition_told(child)));
    } else {
      s.text = condition_told(c);
    }
    p.sections.push_back(std::move(s));
    std::set<std::string> names;
    names_in(c, k_, names);
    std::vector<PageRow> rows;
    for (const auto& name : names)
      if (const auto it = k_.definitions.find(name); it != k_.definitions.end())
        rows.push_back(words_row(name, condition_told(it->second)));
    if (names.count("any_cancer_history"))
      rows.push_back(words_row("any_cancer_history", "any finding of kind history: a cancer in the past or now"));
    if (!rows.empty()) p.sections.push_back(rows_section("where", std::move(rows)));
  }

  const Knowledge& k_;
  const Model& m_;
};

// ---- layouts

// Numbers sources in the order in which a page first names them.
class SourceList {
 public:
  explicit SourceList(const Page& p) {
    for (const auto& s : p.sections) {
      for (const auto& r : s.rows)
        if (r.cite) add(*r.cite);
      if (s.cite) add(*s.cite);
    }
  }
  int number(const std::string& key) const {
    const auto it = std::find(keys_.begin(), keys_.end(), key);
    return static_cast<int>(it - keys_.begin()) + 1;
  }
  const std::vector<std::string>& keys() const { return keys_; }

 private:
  void add(const Citation& c) {
    if (!c.source.empty() && !std::count(keys_.begin(), keys_.end(), c.source)) keys_.push_back(c.source);
  }
  std::vector<std::string> keys_;
};

std::size_t columns_of(const std::string& s) {  // code points: close enough for the Latin letters in use
  return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](unsigned char c) { return (c & 0xC0) != 0x80; }));
}

std::string padded(const std::string& s, std::size_t width, bool right = false) {
  const std::size_t n = columns_of(s);
  const std::string space(width > n ? width - n : 0, ' ');
  return right ? space + s : s + space;
}

std::string citation_told(const Citation& c, const SourceList& sources, const Knowledge& k, bool brief) {
  std::string out = status_name(c.status);
  if (!c.source.empty()) {
    const auto it = k.sources.find(c.source);
    out += fmt::format(" [{}] {}", sources.number(c.source), it == k.sources.end() ? c.source : short_citation(it->second));
  }
  if (brief) return out;
  if (!c.source.empty() && !c.where.empty()) out += ", " + c.where;
  if (!c.why.empty()) out += ": " + c.why;
  if (!c.note.empty()) out += " (" + c.note + ")";
  return out;
}

std::string bold(const std::string& s, bool colour) { return colour ? "\x1b[1m" + s + "\x1b[0m" : s; }

// Colours the status word at the front of a citation; escape codes take no columns, so this happens after wrapping.
std::string coloured(std::string text, Status status, bool colour) {
  if (!colour) return text;
  const char* code = status == Status::checked ? "32" : status == Status::secondary ? "36" : status == Status::recalled ? "33" : "35";
  const std::string word = status_name(status);
  if (const auto at = text.find(word); at != std::string::npos) text.replace(at, word.size(), fmt::format("\x1b[{}m{}\x1b[0m", code, word));
  return text;
}

void put_table(std::string& out, const PageSection& s) {
  std::vector<std::size_t> widths(s.columns.size());
  for (std::size_t c = 0; c < widths.size(); ++c) widths[c] = columns_of(s.columns[c]);
  for (const auto& r : s.rows) {
    widths[0] = std::max(widths[0], columns_of(r.label));
    for (std::size_t c = 0; c < r.cells.size() && c + 1 < widths.size(); ++c)
      widths[c + 1] = std::max(widths[c + 1], columns_of(r.cells[c]));
  }
  auto line = [&](const std::string& label, const auto& cell) {
    out += "  " + padded(label, widths[0]);
    for (std::size_t c = 1; c < widths.size(); ++c) out += "  " + padded(cell(c), widths[c], true);
    out += "\n";
  };
  line(s.columns[0], [&](std::size_t c) { return s.columns[c]; });
  for (const auto& r : s.rows) line(r.label, [&](std::size_t c) { return c - 1 < r.cells.size() ? r.cells[c - 1] : std::string(); });
}

void put_rows(std::string& out, const PageSection& s, const SourceList& sources, const Knowledge& k, int width, bool colour) {
  std::size_t label = 0, value = 0;
  for (const auto& r : s.rows) {
    if (columns_of(r.label) <= 36) label = std::max(label, columns_of(r.label));
    if (!r.cells.empty()) value = std::max(value, columns_of(r.cells[0]));
  }
  const int indent = static_cast<int>(2 + label + (value ? 2 + value : 0) + 2);
  for (const auto& r : s.rows) {
    std::string text = r.words;
    if (r.cite) text += (text.empty() ? "" : "; ") + citation_told(*r.cite, sources, k, r.brief);
    out += "  " + padded(r.label, label);
    const bool long_label = columns_of(r.label) > label;
    if (long_label) out += "\n" + std::string(label + 2, ' ');
    if (value) out += "  " + padded(r.cells.empty() ? "" : r.cells[0], value);
    std::string told = wrapped(text, width, indent);
    if (r.cite) told = coloured(told, r.cite->status, colour);
    if (!told.empty()) out += "  " + told;
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += "\n";
  }
}

}  // namespace

std::string percent(double share) { return bare_percent(share) + "%"; }

std::string wrapped(const std::string& text, int width, int indent) {
  const std::size_t room = static_cast<std::size_t>(std::max(20, width - indent));
  std::string out, line;
  auto flush = [&] {
    if (!out.empty()) out += "\n" + std::string(static_cast<std::size_t>(indent), ' ');
    out += line;
    line.clear();
  };
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!word.empty()) {
      if (!line.empty() && columns_of(line) + 1 + columns_of(word) > room) flush();
      line += (line.empty() ? "" : " ") + word;
    }
    at = end + 1;
  }
  if (!line.empty()) flush();
  return out;
}

std::string short_citation(const Source& s) {
  std::string who = s.authors.empty() ? s.key : s.authors;
  if (const auto cut = who.find_first_of(",;"); cut != std::string::npos) who = who.substr(0, cut);
  for (const char* tail : {" et al.", " et al"})
    if (const auto cut = who.find(tail); cut != std::string::npos) who = who.substr(0, cut);
  // Without initials: Harding IJ is Harding.
  if (const auto last = who.rfind(' ');
      last != std::string::npos && who.size() - last <= 4 &&
      std::all_of(who.begin() + static_cast<std::ptrdiff_t>(last) + 1, who.end(), [](unsigned char c) { return std::isupper(c); }))
    who = who.substr(0, last);
  // Names of institutions are long; their key says the same in a word.
  if (columns_of(who) > 24) return s.key;
  return s.year ? fmt::format("{} {}", who, s.year) : who;
}

std::string full_citation(const Source& s) {
  std::string out;
  if (!s.authors.empty()) out += s.authors + (s.authors.back() == '.' ? " " : ". ");
  out += s.title + (s.title.empty() || s.title.back() == '.' || s.title.back() == '?' ? "" : ".");
  if (!s.published.empty()) out += " " + s.published;
  if (s.year) out += fmt::format("{} {}.", s.published.empty() ? "" : ",", s.year);
  if (!s.doi.empty()) out += " https://doi.org/" + s.doi;
  else if (!s.url.empty()) out += " " + s.url;
  return out;
}

std::vector<Named> all_pages(const Knowledge& k) {
  std::vector<Named> out;
  for (const auto& x : k.causes) out.push_back({"cause", x.id});
  for (const auto& x : k.findings) out.push_back({"finding", x.id});
  for (const auto& x : k.mechanisms) out.push_back({"mechanism", x.id});
  for (const auto& x : k.courses) out.push_back({"course", x.id});
  for (const auto& x : k.anatomy.levels) out.push_back({"level", x.id});
  for (const auto& x : k.rules) out.push_back({"rule", x.id});
  for (const auto& x : k.thresholds) out.push_back({"threshold", x.id});
  for (const auto& x : k.comparators) out.push_back({"list", x.id});
  for (const auto& x : k.definitions) out.push_back({"definition", x.first});
  for (const auto& x : k.scores) out.push_back({"score", x.id});
  for (const auto& x : k.sources) out.push_back({"source", x.first});
  return out;
}

std::vector<Page> reference_pages(const Knowledge& k, const Model& m, const std::string& name) {
  const auto slash = name.find('/');
  const std::string kind = slash == std::string::npos ? "" : name.substr(0, slash),
                    id = slash == std::string::npos ? name : name.substr(slash + 1);
  const Pages pages(k, m);
  std::vector<Page> out;
  auto is = [&](const char* this_kind, const std::string& this_id) { return this_id == id && (kind.empty() || kind == this_kind); };
  for (const auto& x : k.causes)
    if (is("cause", x.id)) out.push_back(pages.cause(x));
  for (const auto& x : k.findings)
    if (is("finding", x.id)) out.push_back(pages.finding(x));
  for (const auto& x : k.mechanisms)
    if (is("mechanism", x.id)) out.push_back(pages.mechanism(x));
  for (const auto& x : k.courses)
    if (is("course", x.id)) out.push_back(pages.course(x));
  for (std::size_t l = 0; l < k.anatomy.levels.size(); ++l)
    if (is("level", k.anatomy.levels[l].id)) out.push_back(pages.level(l));
  for (const auto& x : k.rules)
    if (is("rule", x.id)) out.push_back(pages.rule(x));
  for (const auto& x : k.thresholds)
    if (is("threshold", x.id)) out.push_back(pages.threshold(x));
  for (const auto& x : k.comparators)
    if (is("list", x.id)) out.push_back(pages.comparator(x));
  for (const auto& [key, x] : k.definitions)
    if (is("definition", key)) out.push_back(pages.definition(key, x));
  for (const auto& x : k.scores)
    if (is("score", x.id)) out.push_back(pages.score(x));
  for (const auto& [key, x] : k.sources)
    if (is("source", key)) out.push_back(pages.source(x));
  if (out.empty() && (kind.empty() || kind == "finding"))
    for (const auto& x : k.findings)
      if (std::count(x.synonyms.begin(), x.synonyms.end(), id)) out.push_back(pages.finding(x));
  return out;
}

std::string text_page(const Page& p, const Knowledge& k, int width, bool colour) {
  const SourceList sources(p);
  std::string out = fmt::format("{}\n{}: {}\n", bold(wrapped(p.name, width, 0), colour), p.kind, p.id);
  for (const auto& s : p.sections) {
    out += "\n";
    if (!s.heading.empty()) out += bold(s.heading, colour) + "\n";
    if (!s.text.empty()) out += "  " + wrapped(s.text, width, 2) + "\n";
    if (!s.text.empty() && !s.rows.empty() && s.heading.empty()) out += "\n";
    if (!s.columns.empty()) put_table(out, s);
    else put_rows(out, s, sources, k, width, colour);
    if (s.cite) {
      std::string told = citation_told(*s.cite, sources, k, false);
      if (s.interval_factor > 1)
        told += fmt::format("{} Each number within a factor of {:g} (95%).", told.back() == '.' ? "" : ".", s.interval_factor);
      out += "  " + coloured(wrapped(told, width, 2), s.cite->status, colour) + "\n";
    }
  }
  if (!sources.keys().empty()) {
    out += "\n" + bold("Sources", colour) + "\n";
    for (const auto& key : sources.keys()) {
      const auto it = k.sources.find(key);
      const std::string mark = fmt::format("[{}] ", sources.number(key));
      out += "  " + padded(mark, 5) +
             wrapped(fmt::format("{} ({})", it == k.sources.end() ? key : full_citation(it->second), key), width, 7) + "\n";
    }
  }
  return out;
}

ordered_json json_page(const Page& p, const Knowledge& k) {
  auto cited = [](ordered_json& j, const Citation& c) {
    j["status"] = status_name(c.status);
    for (const auto& [key, text] : {std::pair{"source", &c.source}, std::pair{"where", &c.where}, std::pair{"why", &c.why},
                                    std::pair{"note", &c.note}, std::pair{"file", &c.file}})
      if (!text->empty()) j[key] = *text;
    if (c.line > 0) j["line"] = c.line;
  };
  ordered_json out = {{"kind", p.kind}, {"id", p.id}, {"name", p.name}, {"sections", ordered_json::array()}};
  for (const auto& s : p.sections) {
    ordered_json section = ordered_json::object();
    if (!s.heading.empty()) section["heading"] = s.heading;
    if (!s.text.empty()) section["text"] = s.text;
    if (!s.columns.empty()) section["columns"] = std::vector<std::string>(s.columns.begin() + 1, s.columns.end());
    if (s.cite) cited(section, *s.cite);
    if (s.interval_factor > 0) section["interval_factor"] = s.interval_factor;
    for (const auto& r : s.rows) {
      ordered_json row_out = {{"label", r.label}};
      if (r.cite && s.columns.empty() && r.numbers.size() == 3) {
        row_out["value"] = r.numbers[0];
        row_out["interval"] = {r.numbers[1], r.numbers[2]};
      } else if (r.numbers.size() == 1) {
        row_out["value"] = r.numbers[0];
      } else if (!r.numbers.empty()) {
        row_out["values"] = r.numbers;
      }
      if (!r.cells.empty()) row_out["told"] = r.cells.size() == 1 ? ordered_json(r.cells[0]) : ordered_json(r.cells);
      if (!r.words.empty()) row_out["words"] = r.words;
      if (r.cite) cited(row_out, *r.cite);
      section["rows"].push_back(std::move(row_out));
    }
    out["sections"].push_back(std::move(section));
  }
  const SourceList sources(p);
  if (!sources.keys().empty()) out["sources"] = ordered_json::object();
  for (const auto& key : sources.keys())
    if (const auto it = k.sources.find(key); it != k.sources.end()) {
      const Source& x = it->second;
      out["sources"][key] = {{"title", x.title}, {"authors", x.authors}, {"year", x.year}, {"published", x.published},
                             {"url", x.url},     {"doi", x.doi},         {"kind", x.kind}};
    }
  return out;
}

}  // namespace dorsalgia
