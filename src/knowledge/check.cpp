// Faults of meaning: what reads well but cannot be true. One function a kind of thing, in the order of knowledge.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <regex>
#include <set>

#include "knowledge/codes.h"
#include "knowledge/knowledge.h"

namespace dorsalgia {

namespace {

const std::set<std::string> kUrgencies = {"emergency", "urgent", "soon", "routine"};
constexpr std::size_t kMostMechanisms = 32;  // MechanismSet has a bit for each
const std::vector<std::string> kLocations = {"cervical", "thoracic", "thoracolumbar", "lumbar", "sacral", "flank"};

class Checker {
 public:
  explicit Checker(const Knowledge& k) : k_(k) {
    for (const auto& m : k.mechanisms) mechanisms_.push_back(m.id);
    for (const auto& c : k.causes) causes_.push_back(c.id);
    for (const auto& c : k.courses) courses_.push_back(c.id);
    for (const auto& f : k.findings) findings_.push_back(f.id);
    for (const auto& [key, source] : k.sources) sources_.push_back(key);
    for (const auto& l : k.anatomy.levels) levels_.push_back(l.id);
    for (const auto& s : k.anatomy.segments) segments_.push_back(s.id);
    for (const auto& s : k.population.settings) settings_.push_back(s.id);
  }

  std::vector<Complaint> run() {
    unique(mechanisms_, "mechanism", "mechanisms.yaml");
    unique(levels_, "level", "anatomy.yaml");
    unique(segments_, "segment", "anatomy.yaml");
    unique(settings_, "setting", "population.yaml");
    if (mechanisms_.size() > kMostMechanisms)
      fault("mechanisms.yaml", 0, fmt::format("{} mechanisms, more than {}", mechanisms_.size(), kMostMechanisms));
    for (const auto& entry : all_numbers(k_)) citation(entry.cite, entry.path);
    anatomy();
    population();
    recording();
    for (const auto& f : k_.findings) finding(f);
    for (const auto& c : k_.courses) course(c);
    for (const auto& c : k_.causes) cause(c);
    orphans();
    synonyms();
    pathways();
    scores();
    vocabulary();
    return std::move(complaints_);
  }

 private:
  void fault(const std::string& file, int line, const std::string& message, const std::string& hint = "") {
    complaints_.push_back({file, line, message, hint});
  }
  void fault(const Citation& c, const std::string& message, const std::string& hint = "") { fault(c.file, c.line, message, hint); }

  void unique(const std::vector<std::string>& ids, const char* what, const std::string& file) {
    std::set<std::string> seen;
    for (const auto& id : ids) {
      if (id.empty()) fault(file, 0, fmt::format("a {} without an id", what));
      else if (!seen.insert(id).second) fault(file, 0, fmt::format("the {} '{}' is defined twice", what, id), "keep one of the two");
    }
  }

  void known(const std::string& word, const std::vector<std::string>& names, const char* what, const std::string& file, int line) {
    if (std::find(names.begin(), names.end(), word) != names.end()) return;
    const std::string near = nearest_name(word, names);
    fault(file, line, fmt::format("no {} is called '{}'", what, word), near.empty() ? "" : fmt::format("did you mean '{}'?", near));
  }

  // `where` is asked of numbers; a rule or list names its recommendation, and stands for the whole of a short source.
  void citation(const Citation& c, const std::string& path, bool where_needed = true) {
    if (!c.source.empty() && !k_.sources.count(c.source)) {
      const std::string near = nearest_name(c.source, sources_);
      fault(c, fmt::format("{}: source '{}' is not in sources/", path, c.source),
            near.empty() ? "add it there" : fmt::format("did you mean '{}'?", near));
    }
    if (c.status == Status::judgement) {
      if (c.why.empty()) fault(c, path + ": a judgement needs its reason", "add why: \"...\"");
    } else {
      if (c.source.empty())
        fault(c, fmt::format("{}: status {} needs a source", path, status_name(c.status)),
              "add source: KEY, or make it a judgement with why:");
      if (where_needed && c.where.empty()) fault(c, path + ": where in the source does it stand?", "add where: table, page or abstract");
    }
  }

  void figure(const Figure& f, const std::string& path, double low, double high) {
    if (f.low > f.value || f.high < f.value)
      fault(f.cite, fmt::format("{}: the interval [{}, {}] misses its value {}", path, f.low, f.high, f.value),
            "widen the interval or correct the value");
    if (f.value < low || f.value > high) fault(f.cite, fmt::format("{}: {} lies outside {} to {}", path, f.value, low, high));
  }

  void probability(const Figure& f, const std::string& path) { figure(f, path, 0.0, 1.0); }

  void table(const AgeSexTable& t, const std::string& path, double high) {
    if (t.interval_factor < 1) fault(t.cite, path + ": interval_factor must be 1 or more");
    for (const auto* values : {&t.male, &t.female})
      for (double x : *values)
        if (x < 0 || x > high) fault(t.cite, fmt::format("{}: {} lies outside 0 to {}", path, x, high));
  }

  void sums_to_one(const NamedTable& t, const std::string& path) {
    double sum = 0;
    for (const auto& [name, x] : t.values) {
      if (x < 0) fault(t.cite, fmt::format("{}: {} is negative", path, name));
      sum += x;
    }
    if (std::abs(sum - 1) > 0.0015) fault(t.cite, fmt::format("{}: the shares sum to {:.4f}, not 1", path, sum));
    if (t.interval_factor < 1) fault(t.cite, path + ": interval_factor must be 1 or more");
  }

  void years(const NamedTable& t) {
    sums_to_one(t, "years");
    if (t.values.size() != 4) fault(t.cite, "years: four shares are needed: <1, 1-5, 5-10, >=10 years");
  }

  void sum_of(const std::vector<std::pair<std::string, double>>& values, const std::string& path) {
    double sum = 0;
    for (const auto& entry : values) sum += entry.second;
    if (std::abs(sum - 1) > 0.0015)
      fault("anatomy.yaml", k_.anatomy.cite.line, fmt::format("{}: the shares sum to {:.4f}, not 1", path, sum));
  }

  void anatomy() {
    const Anatomy& a = k_.anatomy;
    const std::vector<std::string> regions = {"cervical", "thoracic", "lumbar", "sacral", "outside"};
    const std::vector<std::string> canals = {"cord", "conus", "cauda", "none"};
    for (const auto& l : a.levels) {
      known(l.region, regions, "region", "anatomy.yaml", 0);
      known(l.canal, canals, "part of the canal", "anatomy.yaml", 0);
      if (!l.roots.empty()) sum_of(l.roots, l.id + " roots");
      for (const auto& [name, share] : l.roots) known(name, segments_, "segment", "anatomy.yaml", 0);
      if (l.region == "outside") continue;
      sum_of(l.pain, l.id + " pain");
      for (const auto& [name, share] : l.pain) known(name, kLocations, "pain location", "anatomy.yaml", 0);
      if ((l.canal == "cord" || l.canal == "conus") && std::find(segments_.begin(), segments_.end(), l.cord_segment) == segments_.end() &&
          l.id != "C1")
        fault("anatomy.yaml", 0, fmt::format("{}: cord_segment '{}' is not a segment", l.id, l.cord_segment));
    }
    if (std::find(levels_.begin(), levels_.end(), "not_spinal") == levels_.end())
      fault("anatomy.yaml", 0, "the level not_spinal is missing", "pain referred from an organ needs it");
    double sum = 0;
    for (const auto& entry : a.sensory_level_offset) sum += entry.second;
    if (std::abs(sum - 1) > 0.0015) fault(a.offset_cite, fmt::format("sensory_level_offset: the shares sum to {:.4f}, not 1", sum));
    const NamedTable& filling = a.canal_filling;
    for (const auto& [name, factor] : filling.values) {
      known(name, {"cord", "conus", "cauda"}, "part of the canal", filling.cite.file, filling.cite.line);
      if (!(factor > 0 && factor <= 10))
        fault(filling.cite, fmt::format("canal_filling {}: {} is not above 0 and at most 10", name, factor));
    }
    for (const Course& c : k_.courses)
      if (c.fills_canal && filling.values.empty()) fault(c.file, c.line, "fills_canal: anatomy.yaml has no canal_filling to say how fast");
  }

  void population() {
    const Population& p = k_.population;
    table(p.people, "people", 1);
    double sum = 0, shares = 0;
    for (const auto* v : {&p.people.male, &p.people.female})
      for (double x : *v) sum += x;
    if (std::abs(sum - 1) > 0.0015) fault(p.people.cite, fmt::format("people: the shares sum to {:.4f}, not 1", sum));
    for (const auto& s : p.settings) {
      probability(s.share, "setting " + s.id);
      shares += s.share.value;
    }
    if (std::abs(shares - 1) > 0.0015) fault("population.yaml", 0, fmt::format("settings: the shares sum to {:.4f}, not 1", shares));
    probability(p.background_share, "background_pain.share");
    figure(p.background_median, "background_pain.median_weeks", 0.1, 5000);
    figure(p.background_spread, "background_pain.spread", 0.1, 5);
  }

  // Virtual records; a folder may say nothing of them.
  void recording() {
    if (k_.recording.empty()) return;
    std::set<std::string> kinds;
    for (const RecordedKind& x : k_.recording) {
      kinds.insert(x.id);
      const bool always = x.id == "duration" || x.id == "location";  // everybody has one
      for (const auto* t : {&x.done, &x.present, &x.absent}) {
        const bool needed = t == &x.present || (t == &x.absent && !always);
        if (t->values.empty() && !needed) continue;
        for (const auto& s : settings_)
          if (std::none_of(t->values.begin(), t->values.end(), [&](const auto& v) { return v.first == s; }))
            fault(x.present.cite, fmt::format("recording {}: no figure for the setting '{}'", x.id, s));
        for (const auto& [name, p] : t->values) {
          known(name, settings_, "setting", t->cite.file, t->cite.line);
          if (p < 0 || p > 1) fault(t->cite, fmt::format("recording {}: {} lies outside 0 to 1", x.id, p));
        }
      }
    }
    for (const char* id : {"duration", "location"})
      if (!kinds.count(id)) fault("recording.yaml", 0, fmt::format("'{}' is missing", id));
    for (const Finding& f : k_.findings)
      if (!kinds.count(f.burden))
        fault("recording.yaml", 0, fmt::format("nothing is said of the burden '{}', which {} has", f.burden, f.id));
  }

  void links(const std::vector<std::pair<std::string, Grades>>& links, const std::string& path, int grades) {
    for (const auto& [name, p] : links) {
      if (static_cast<int>(p.size()) != grades - 1)
        fault(p.empty() ? Citation{} : p[0].cite,
              fmt::format("{} {}: {} figures are needed, one for each grade above the first; there are {}", path, name, grades - 1,
                          p.size()));
      for (std::size_t g = 0; g < p.size(); ++g) {
        probability(p[g], path + " " + name);
        if (p[g].value >= 1) fault(p[g].cite, fmt::format("{} {}: nothing in a history is certain", path, name), "at most 0.98");
        if (g && p[g].value > p[g - 1].value)
          fault(p[g].cite, fmt::format("{} {}: a higher grade cannot be likelier than a lower one", path, name));
      }
    }
  }

  static int grades_of(const Finding& f) { return f.grades.empty() ? 2 : static_cast<int>(f.grades.size()); }

  static bool is_discrete(const Finding& f) {
    return f.kind == FindingKind::symptom || f.kind == FindingKind::sign || f.kind == FindingKind::test;
  }

  void finding(const Finding& f) {
    codes(f.codes, f.file);
    if (f.ask_clinician.empty() || f.ask_person.empty())
      fault(f.file, 1, "a finding needs its two questions", "ask: {clinician: ..., person: ...}");
    if (f.kind == FindingKind::context || f.kind == FindingKind::history) {
      table(*f.prevalence, "prevalence", 1);
      if (f.years) years(*f.years);
      return;
    }
    if (f.kind == FindingKind::measured) {
      table(f.centre, "background.centre", 1e9);
      figure(f.spread, "background.spread", 1e-6, 1e9);
      if (f.possible_low >= f.possible_high) fault(f.file, 1, "possible: [low, high] with low < high");
      if (f.log_scale && f.possible_low <= 0) fault(f.file, 1, "possible: a logarithmic scale starts above 0");
      if (f.log_scale)
        for (const auto* values : {&f.centre.male, &f.centre.female})
          if (*std::min_element(values->begin(), values->end()) <= 0)
            fault(f.centre.cite, "background.centre: a logarithmic scale needs values above 0");
      for (const auto* limits : {&f.reference_male, &f.reference_female})
        if ((*limits)[0] && (*limits)[1] && *(*limits)[0] >= *(*limits)[1]) fault(f.file, 1, "reference: [low, high] with low < high");
      bool own = false;
      for (const auto& [name, factor] : f.units)
        if (factor <= 0) fault(f.file, 1, fmt::format("units.{}: a factor above 0 is needed", name));
      for (const auto& [name, factor] : f.units) own = own || (name == f.unit && factor == 1);
      if (!own) fault(f.file, 1, fmt::format("units must hold the unit itself with factor 1: {{{}: 1}}", f.unit));
      for (const auto& [name, s] : f.mechanism_shifts)
        known(name, mechanisms_, "mechanism", s.shift.cite.file, s.shift.cite.line), shift(s, "mechanisms." + name);
      for (const auto& [name, s] : f.cause_shifts)
        known(name, causes_, "cause", s.shift.cite.file, s.shift.cite.line), shift(s, "causes." + name);
      return;
    }
    const int grades = grades_of(f);
    if (grades < 2) fault(f.file, 1, "grades: two at least, the first is the absent one");
    if (f.leak_table) table(*f.leak_table, "leak", 0.99);
    else if (static_cast<int>(f.leak.size()) != grades - 1)
      fault(f.file, 1, fmt::format("leak: {} figures are needed, one for each grade above the first", grades - 1));
    if (f.leak_table && grades != 2) fault(f.file, 1, "a leak by age is for findings that are present or absent");
    for (const Figure& leak : f.leak) {
      figure(leak, "leak", 0, 0.99);
      if (leak.value <= 0) fault(leak.cite, "leak: 0 says that nothing else can ever bring it", "0.0005 at least");
    }
    for (const auto& [name, p] : f.mechanisms)
      known(name, mechanisms_, "mechanism", p.empty() ? f.file : p[0].cite.file, p.empty() ? 1 : p[0].cite.line);
    for (const auto& [name, p] : f.causes)
      known(name, causes_, "cause", p.empty() ? f.file : p[0].cite.file, p.empty() ? 1 : p[0].cite.line);
    links(f.mechanisms, "mechanisms", grades);
    links(f.causes, "causes", grades);
    if (!f.place_root.empty()) {
      known(f.place_root, segments_, "segment", f.file, 1);
      if (!f.causes.empty()) fault(f.file, 1, "a place finding has no causes: where it is follows from the level");
      if (grades != 2) fault(f.file, 1, "a place finding is present or absent");
    }
  }

  void shift(const Shift& s, const std::string& path) {
    figure(s.shift, path + " shift", -1e6, 1e6);
    if (s.spread) figure(*s.spread, path + " spread", 0, 1e6);
  }

  void course(const Course& c) {
    std::vector<std::string> ids = {"recovered"};
    for (const auto& s : c.stages) ids.push_back(s.id);
    unique(ids, "stage", c.file);
    if (c.stages.empty()) fault(c.file, 1, "a course needs stages");
    double entries = 0, presents = 0;
    for (const auto& s : c.stages) {
      const std::string path = "stage " + s.id;
      const int line = s.presents.cite.line;
      for (const auto& m : s.mechanisms) known(m, mechanisms_, "mechanism", c.file, line);
      if (s.mechanisms.empty()) fault(c.file, line, path + ": a stage needs at least one mechanism");
      if (s.entry) {
        probability(*s.entry, path + " entry");
        entries += s.entry->value;
      }
      figure(s.presents, path + " presents", 0, 1000);
      presents += s.presents.value;
      for (const auto& [name, f] : s.to) {
        known(name, ids, "stage", f.cite.file, f.cite.line);
        figure(f, path + " to " + name, 0, 1000);
        if (name == s.id) fault(f.cite, path + ": a stage does not lead to itself");
      }
      for (const auto& [name, p] : s.findings) {
        known(name, findings_, "finding", c.file, p.empty() ? line : p[0].cite.line);
        if (const Finding* f = k_.finding(name)) {
          if (!is_discrete(*f) || !f->place_root.empty()) fault(c.file, line, fmt::format("{}: '{}' cannot hang on a stage", path, name));
          else links({{name, p}}, path, grades_of(*f));
        }
      }
      if (s.presents.value <= 0 && s.to.empty()) fault(c.file, line, path + ": nobody ever leaves or presents", "give it presents or to");
    }
    if (!c.stages.empty() && std::abs(entries - 1) > 0.0015)
      fault(c.file, 1, fmt::format("the stages' entry shares sum to {:.4f}, not 1", entries));
    if (!c.stages.empty() && presents <= 0) fault(c.file, 1, "nobody presents in any stage");
    else traps(c);
  }

  // Stages that lead only to each other, with nobody recovering or coming to care, hold people for ever; and somebody
  // who enters must be able to present. Otherwise the chain has no presenting times.
  void traps(const Course& c) {
    std::set<std::string> out = {"recovered"}, reached;
    for (const auto& s : c.stages) {
      if (s.presents.value > 0) out.insert(s.id);
      if (s.entry && s.entry->value > 0) reached.insert(s.id);
    }
    for (std::size_t round = 0; round < c.stages.size(); ++round)
      for (const auto& s : c.stages)
        for (const auto& [name, speed] : s.to) {
          if (speed.value <= 0) continue;
          if (out.count(name)) out.insert(s.id);
          if (reached.count(s.id)) reached.insert(name);
        }
    bool anybody = false;
    for (const auto& s : c.stages) {
      anybody = anybody || (reached.count(s.id) && s.presents.value > 0);
      if (!out.count(s.id))
        fault(c.file, s.presents.cite.line, fmt::format("stage {}: nobody in it ever recovers or comes to care", s.id),
              "give it presents, or a way on");
    }
    if (!anybody) fault(c.file, 1, "nobody who enters this course can reach a stage in which people present");
  }

  static bool stands_in(const Level& l, const std::string& place) {
    const bool junction = l.id == "T11" || l.id == "T12" || l.id == "L1" || l.id == "L2";
    return l.id == place || l.region == place || (place == "thoracolumbar" && junction);
  }

  void cause(const Cause& c) {
    codes(c.codes, c.file);
    known(c.course, courses_, "course", c.file, 1);
    table(c.rate, "rate", 1e5);
    double any = 0;
    for (const auto* v : {&c.rate.male, &c.rate.female})
      for (double x : *v) any += x;
    if (any <= 0) fault(c.rate.cite, "rate: all zero: this cause never happens");
    for (const auto& [name, x] : c.settings.values) {
      known(name, settings_, "setting", c.settings.cite.file, c.settings.cite.line);
      if (x <= 0) fault(c.settings.cite, fmt::format("settings.{}: a weight above 0 is needed", name));
    }
    for (const auto& s : settings_)
      if (std::none_of(c.settings.values.begin(), c.settings.values.end(), [&](const auto& v) { return v.first == s; }))
        fault(c.settings.cite, fmt::format("settings: '{}' is missing", s));
    sums_to_one(c.levels, "levels");
    std::vector<std::string> places = levels_;
    for (const char* region : {"cervical", "thoracic", "lumbar", "sacral", "thoracolumbar"}) places.push_back(region);
    bool referred = false;
    for (const auto& [name, x] : c.levels.values) {
      known(name, places, "level or region", c.levels.cite.file, c.levels.cite.line);
      const bool is_place = std::find(places.begin(), places.end(), name) != places.end();
      if (is_place && x > 0 && std::none_of(k_.anatomy.levels.begin(), k_.anatomy.levels.end(), [&, place = name](const Level& l) {
            return stands_in(l, place);
          }))
        fault(c.levels.cite, fmt::format("levels.{}: anatomy.yaml has no level there", name));
      referred = referred || (name == "not_spinal" && x > 0);
    }
    if (referred && !c.referral) fault(c.levels.cite, "levels: not_spinal needs `referral`: where is that pain felt?");
    if (c.referral) {
      sums_to_one(*c.referral, "referral");
      for (const auto& [name, x] : c.referral->values)
        known(name, kLocations, "pain location", c.referral->cite.file, c.referral->cite.line);
    }
    if (c.tempo) figure(*c.tempo, "tempo", 0.01, 100);
    if (c.accompanied_by) {
      known(c.accompanied_by->first, mechanisms_, "mechanism", c.file, c.accompanied_by->second.cite.line);
      probability(c.accompanied_by->second, "accompanied_by");
    }
    for (const auto& link : c.context) {
      const int line = link.figure.cite.line;
      known(link.factor, findings_, "finding", c.file, line);
      const Finding* f = k_.finding(link.factor);
      if (f && f->kind != FindingKind::context && f->kind != FindingKind::history)
        fault(c.file, line, fmt::format("'{}' is no context", link.factor), "put it under findings:");
      if (link.is_share) probability(link.figure, "context." + link.factor);
      else figure(link.figure, "context." + link.factor, 0.001, 10000);
      if (link.is_share && link.figure.value >= 1) fault(c.file, line, "a share of 1 makes everybody else impossible");
      if (link.years) years(*link.years);
    }
    for (const auto& [name, p] : c.findings) {
      const int line = p.empty() ? 1 : p[0].cite.line;
      known(name, findings_, "finding", c.file, line);
      const Finding* f = k_.finding(name);
      if (!f) continue;
      if (!is_discrete(*f))
        fault(c.file, line, fmt::format("'{}' is not present or absent", name),
              "context goes under context:, measured values under measures:");
      else if (!f->place_root.empty()) fault(c.file, line, fmt::format("'{}' follows from the level, not from a cause", name));
      else links({{name, p}}, "findings", grades_of(*f));
      for (const auto& [other, q] : f->causes)
        if (other == c.id)
          fault(c.file, line, fmt::format("'{}' and this cause are linked twice, here and in {}", name, f->file), "keep one");
    }
    for (const auto& [name, s] : c.measures) {
      const int line = s.shift.cite.line;
      known(name, findings_, "finding", c.file, line);
      const Finding* f = k_.finding(name);
      if (f && f->kind != FindingKind::measured) fault(c.file, line, fmt::format("'{}' is not a measured value", name));
      if (f)
        for (const auto& [other, q] : f->cause_shifts)
          if (other == c.id)
            fault(c.file, line, fmt::format("'{}' and this cause are linked twice, here and in {}", name, f->file), "keep one");
      shift(s, "measures." + name);
    }
  }

  // A finding that nothing brings, a mechanism in no stage, a course of no cause: dead words.
  void orphans() {
    std::set<std::string> linked, used_mechanisms, used_courses;
    for (const auto& f : k_.findings)
      if (!f.mechanisms.empty() || !f.causes.empty() || !f.mechanism_shifts.empty() || !f.cause_shifts.empty()) linked.insert(f.id);
    for (const auto& c : k_.causes) {
      used_courses.insert(c.course);
      if (c.accompanied_by) used_mechanisms.insert(c.accompanied_by->first);
      for (const auto& x : c.context) linked.insert(x.factor);
      for (const auto& x : c.findings) linked.insert(x.first);
      for (const auto& x : c.measures) linked.insert(x.first);
    }
    for (const auto& c : k_.courses) {
      if (!used_courses.count(c.id))
        fault(c.file, 1, fmt::format("no cause follows the course '{}'", c.id), "name it in a cause or remove it");
      for (const auto& s : c.stages) {
        for (const auto& m : s.mechanisms) used_mechanisms.insert(m);
        for (const auto& x : s.findings) linked.insert(x.first);
      }
    }
    for (const auto& m : k_.mechanisms)
      if (!used_mechanisms.count(m.id)) fault("mechanisms.yaml", 0, fmt::format("no stage has the mechanism '{}'", m.id));
    for (const auto& f : k_.findings)
      if (!linked.count(f.id))
        fault(f.file, 1, fmt::format("'{}' moves no posterior: no mechanism, cause, stage or context brings it", f.id),
              "link it or remove it");
    if (k_.causes.empty()) fault("causes/", 0, "there are no causes");
  }

  void synonyms() {
    std::set<std::string> taken(findings_.begin(), findings_.end());
    for (const auto& f : k_.findings)
      for (const auto& s : f.synonyms)
        if (!taken.insert(s).second) fault(f.file, 1, fmt::format("the synonym '{}' is taken", s), "each word means one thing");
  }

  void condition(const Condition& c, const std::string& file) {
    using Kind = Condition::Kind;
    for (const auto& child : c.of) condition(child, file);
    if (c.kind == Kind::finding && !k_.definitions.count(c.id)) {
      known(c.id, findings_, "finding or definition", file, c.line);
      if (const Finding* f = k_.finding(c.id); f && f->kind == FindingKind::measured)
        fault(file, c.line, fmt::format("'{}' is measured", c.id), "{measured: {" + c.id + ": {above: ...}}}");
    }
    if (c.kind == Kind::measured) {
      known(c.id, findings_, "measured finding", file, c.line);
      if (const Finding* f = k_.finding(c.id); f && f->kind != FindingKind::measured)
        fault(file, c.line, fmt::format("'{}' is not measured", c.id), "name it alone: " + c.id);
    }
    for (const auto& name : c.names)
      known(name, c.kind == Kind::location ? kLocations : settings_, c.kind == Kind::location ? "pain location" : "setting", file, c.line);
    if (c.kind == Kind::at_least && (c.count < 1 || c.count > static_cast<int>(c.of.size())))
      fault(file, c.line, "at_least: a number from 1 to the length of `of`");
    if ((c.kind == Kind::all || c.kind == Kind::any || c.kind == Kind::none) && c.of.empty())
      fault(file, c.line, "an empty list of conditions");
  }

  void pathways() {
    for (const auto& [name, c] : k_.definitions) condition(c, "pathways/definitions.yaml");
    for (const auto& r : k_.rules) {
      citation(r.cite, "rule", false);
      if (!kUrgencies.count(r.urgency))
        fault(r.file, 1, fmt::format("'{}' is not an urgency", r.urgency), "emergency, urgent, soon or routine");
      known(r.profile, {"uk", "us", "common", "paediatric"}, "profile", r.file, 1);
      known(r.applies, {"adult", "child", "any"}, "age group", r.file, 1);
      if (!std::regex_match(r.date_checked, std::regex("\\d{4}-\\d{2}-\\d{2}"))) fault(r.file, 1, "date_checked: a date like 2026-11-22");
      condition(r.when, r.file);
      for (const auto& need : r.needs)
        if (need != "any_cancer_history" && !k_.definitions.count(need)) known(need, findings_, "finding", r.file, 1);
      if (r.tests.size() < 2) fault(r.file, 1, "a rule needs tests: one person in whom it fires and one in whom it does not");
    }
    for (const auto& t : k_.thresholds) {
      citation(t.cite, "threshold " + t.id, false);
      known(t.quantity, {"malignant", "tumour", "emergency"}, "quantity", "pathways/thresholds.yaml", t.cite.line);
      if (!kUrgencies.count(t.urgency)) fault(t.cite, fmt::format("'{}' is not an urgency", t.urgency));
      if (t.at_least <= 0 || t.at_least > 1) fault(t.cite, "at_least: a probability");
    }
    for (const auto& c : k_.comparators) {
      citation(c.cite, c.id, false);
      for (const auto& [name, list] : c.lists) condition(list, c.cite.file);
    }
  }

  void scores() {
    for (const auto& s : k_.scores) {
      citation(s.cite, s.id, false);
      known(s.aggregation, {"sum", "category", "max"}, "aggregation", s.cite.file, s.cite.line);
      if (s.items.empty()) fault(s.cite, "a score needs items");
      for (const auto& item : s.items) {
        if (item.options.size() < 2) fault(s.cite, fmt::format("{}: an item needs two options at least", item.id));
        for (const auto& o : item.options) {
          if (s.aggregation == "category" && o.grade.empty()) fault(s.cite, fmt::format("{}.{}: a category needs a grade", item.id, o.id));
          for (const auto& l : o.levels)
            if (l != "C0") known(l, levels_, "level", s.cite.file, s.cite.line);
        }
      }
    }
  }

  void vocabulary() {
    const Vocabulary& v = k_.vocabulary;
    for (const auto& [word, id] : v.settings)
      if (id != "unknown") known(id, settings_, "setting", "vocabulary.yaml", 0);
    for (const auto& [word, ids] : v.locations)
      for (const auto& id : ids) known(id, kLocations, "pain location", "vocabulary.yaml", 0);
    for (const auto& [word, id] : v.primaries) {
      known(id, findings_, "finding", "vocabulary.yaml", 0);
      if (const Finding* f = k_.finding(id); f && f->kind != FindingKind::history)
        fault("vocabulary.yaml", 0, fmt::format("primaries.{}: '{}' is not a history of cancer", word, id));
    }
    for (const auto& [word, lab] : v.lab_names) {
      known(lab.first, findings_, "finding", "vocabulary.yaml", 0);
      const Finding* f = k_.finding(lab.first);
      if (f && f->kind != FindingKind::measured)
        fault("vocabulary.yaml", 0, fmt::format("lab_names.{}: '{}' is not measured", word, lab.first));
      if (!f) continue;
      std::vector<std::string> units;
      for (const auto& u : f->units) units.push_back(u.first);
      known(lab.second, units, "unit", "vocabulary.yaml", 0);
    }
    for (const auto& [word, panel] : v.panels)
      for (const auto& [answer, meaning] : panel)
        for (const auto& [finding, value] : meaning.answers) {
          known(finding, findings_, "finding", "vocabulary.yaml", 0);
          if (const Finding* f = k_.finding(finding)) meant(*f, value, fmt::format("panels.{}.{}.{}", word, answer, finding));
        }
  }

  // A word in a panel must say something that can hold of its finding.
  void meant(const Finding& f, const std::string& value, const std::string& path) {
    if (f.kind != FindingKind::measured) {
      if (value != "present" && value != "absent")
        fault("vocabulary.yaml", 0, fmt::format("{}: '{}' is not an answer", path, value), "present or absent");
      return;
    }
    const auto limit = [&](int side) { return f.reference_male[side] && f.reference_female[side]; };
    const bool sound = value == "raised" ? limit(1) : value == "low" ? limit(0) : value == "normal" && (limit(0) || limit(1));
    if (!sound)
      fault("vocabulary.yaml", 0, fmt::format("{}: '{}' says nothing about {}", path, value, f.name),
            "raised, low or normal, where the finding has such a limit");
  }

  void codes(const Codes& c, const std::string& file) {
    if (!c.snomed.empty() && !snomed_check_digit_holds(c.snomed))
      fault(file, 1, fmt::format("SNOMED CT code {} fails its check digit", c.snomed));
    if (!c.loinc.empty() && !loinc_check_digit_holds(c.loinc)) fault(file, 1, fmt::format("LOINC code {} fails its check digit", c.loinc));
    if (!c.icd10cm.empty() && !std::regex_match(c.icd10cm, std::regex("[A-Z]\\d[0-9A-Z](\\.[0-9A-Z]{1,4})?")))
      fault(file, 1, fmt::format("'{}' has not the shape of an ICD-10-CM code", c.icd10cm));
  }

  const Knowledge& k_;
  std::vector<Complaint> complaints_;
  std::vector<std::string> mechanisms_, causes_, courses_, findings_, sources_, levels_, segments_, settings_;
};

}  // namespace

std::vector<Complaint> check_knowledge(const Knowledge& knowledge) { return Checker(knowledge).run(); }

std::vector<Cited> all_numbers(const Knowledge& k) {
  std::vector<Cited> out;
  auto figure = [&](const std::string& path, const Figure& f) { out.push_back({path, f.cite, 1}); };
  auto grades = [&](const std::string& path, const Grades& g) {
    for (const auto& f : g) figure(path, f);
  };
  auto table = [&](const std::string& path, const AgeSexTable& t) { out.push_back({path, t.cite, 2 * kAgeBands}); };
  auto named = [&](const std::string& path, const NamedTable& t) { out.push_back({path, t.cite, static_cast<int>(t.values.size())}); };
  auto shift = [&](const std::string& path, const Shift& s) {
    figure(path + " shift", s.shift);
    if (s.spread) figure(path + " spread", *s.spread);
  };
  for (const auto& c : k.causes) {
    const std::string at = "cause " + c.id + ": ";
    table(at + "rate", c.rate);
    named(at + "settings", c.settings);
    named(at + "levels", c.levels);
    if (c.referral) named(at + "referral", *c.referral);
    if (c.tempo) figure(at + "tempo", *c.tempo);
    if (c.accompanied_by) figure(at + "accompanied_by " + c.accompanied_by->first, c.accompanied_by->second);
    for (const auto& x : c.context) {
      figure(at + "context " + x.factor, x.figure);
      if (x.years) named(at + "context " + x.factor + " years", *x.years);
    }
    for (const auto& [name, g] : c.findings) grades(at + "finding " + name, g);
    for (const auto& [name, s] : c.measures) shift(at + "measure " + name, s);
  }
  for (const auto& c : k.courses)
    for (const auto& s : c.stages) {
      const std::string at = "course " + c.id + ", stage " + s.id + ": ";
      if (s.entry) figure(at + "entry", *s.entry);
      figure(at + "presents", s.presents);
      for (const auto& [name, f] : s.to) figure(at + "to " + name, f);
      for (const auto& [name, g] : s.findings) grades(at + "finding " + name, g);
    }
  for (const auto& f : k.findings) {
    const std::string at = "finding " + f.id + ": ";
    if (f.leak_table) table(at + "leak", *f.leak_table);
    grades(at + "leak", f.leak);
    if (f.prevalence) table(at + "prevalence", *f.prevalence);
    if (f.years) named(at + "years", *f.years);
    for (const auto& [name, g] : f.mechanisms) grades(at + "mechanism " + name, g);
    for (const auto& [name, g] : f.causes) grades(at + "cause " + name, g);
    if (f.kind == FindingKind::measured) {
      table(at + "centre", f.centre);
      figure(at + "spread", f.spread);
      for (const auto& [name, s] : f.mechanism_shifts) shift(at + "mechanism " + name, s);
      for (const auto& [name, s] : f.cause_shifts) shift(at + "cause " + name, s);
    }
  }
  int anatomy_numbers = 0;
  for (const auto& l : k.anatomy.levels) anatomy_numbers += static_cast<int>(l.roots.size() + l.pain.size());
  if (anatomy_numbers) out.push_back({"anatomy: roots and pain by level", k.anatomy.cite, anatomy_numbers});
  if (!k.anatomy.sensory_level_offset.empty())
    out.push_back({"anatomy: sensory level offset", k.anatomy.offset_cite, static_cast<int>(k.anatomy.sensory_level_offset.size())});
  if (!k.anatomy.canal_filling.values.empty()) named("anatomy: canal filling", k.anatomy.canal_filling);
  table("population: people", k.population.people);
  for (const auto& s : k.population.settings) figure("population: setting " + s.id, s.share);
  for (const auto& x : k.recording) {
    if (!x.done.values.empty()) named("recording " + x.id + ": done", x.done);
    named("recording " + x.id + ": present", x.present);
    if (!x.absent.values.empty()) named("recording " + x.id + ": absent", x.absent);
  }
  figure("population: background pain share", k.population.background_share);
  figure("population: background pain median", k.population.background_median);
  figure("population: background pain spread", k.population.background_spread);
  return out;
}

}  // namespace dorsalgia
