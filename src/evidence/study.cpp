#include "evidence/study.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "knowledge/condition.h"

namespace dorsalgia {

namespace {

constexpr double kZ = 1.959964;

// Agresti A, Coull BA. Am Stat 1998;52:119.
void interval_from_total(StudyFigure& f) {
  const double n = f.total + kZ * kZ, p = (f.value * f.total + kZ * kZ / 2) / n, half = kZ * std::sqrt(p * (1 - p) / n);
  f.low = std::max(0.0, std::min(p - half, f.value));
  f.high = std::min(1.0, std::max(p + half, f.value));
}

Use use_of(Reader r) {
  const std::string word = r.text();
  for (Use u : {Use::calibration, Use::validation, Use::context})
    if (word == use_name(u)) return u;
  if (r.ok()) r.fault(fmt::format("'{}' is not a use", word), "calibration, validation or context");
  return Use::context;
}

class StudyReader {
 public:
  StudyReader(const Knowledge& k, std::vector<Complaint>& complaints) : k_(k), complaints_(complaints) {}

  Study read(const std::string& file, const YAML::Node& root) {
    Reader r(root, file, "", complaints_);
    Study s;
    s.file = file;
    s.id = r.get("id").text();
    const auto slash = file.find_last_of('/');
    const std::string base = slash == std::string::npos ? file : file.substr(slash + 1);
    if (!s.id.empty() && base != s.id + ".yaml") r.fault(fmt::format("id '{}' is not the file's name", s.id), "they must be the same");
    s.name = r.get("name").text();
    s.source = r.get("source").text();
    if (!s.source.empty() && !k_.sources.count(s.source))
      r.get("source").fault(fmt::format("source '{}' is not known", s.source), "add it to sources/");
    s.country = r.get("country", false).text();
    s.setting = r.get("setting", false).text();
    if (!s.setting.empty() &&
        std::none_of(k_.population.settings.begin(), k_.population.settings.end(), [&](const Setting& x) { return x.id == s.setting; }))
      r.get("setting").fault(fmt::format("setting '{}' is not known", s.setting), "community, primary_care, emergency, specialist");
    s.design = r.get("design").text();
    s.reference = r.get("reference", false).text();
    s.use = use_of(r.get("use"));
    s.because = r.get("because", false).text();
    r.get("note", false);
    r.get("year", false);
    if (s.use == Use::context && s.because.empty()) r.fault("a study that is only context says why", "add because: \"...\"");
    if (r.has("who")) s.who = condition(r.get("who"));
    for (auto& item : r.get("figures").items()) {
      s.figures.push_back(figure(item, s));
      for (std::size_t i = 0; i + 1 < s.figures.size(); ++i)
        if (s.figures[i].id == s.figures.back().id)
          item.fault(fmt::format("figure '{}' stands twice", s.figures.back().id), "ids are unique in a study");
    }
    if (s.figures.empty()) r.fault("a study without a figure");
    r.finish();
    return s;
  }

 private:
  Condition condition(Reader r) {
    Condition c = read_condition(r, Words::studies);
    resolve(k_, {&c}, complaints_);
    check(c, r);
    return c;
  }

  // Every name must be one of the knowledge's.
  void check(const Condition& c, const Reader& r) {
    using Kind = Condition::Kind;
    auto unknown = [&](const std::string& what, const std::string& name, const std::vector<std::string>& known) {
      const std::string near = nearest_name(name, known);
      complaints_.push_back({r.file(), c.line > 0 ? c.line : r.line(), fmt::format("{}: {} '{}' is not known", r.path(), what, name),
                             near.empty() ? "see docs/studies.md" : fmt::format("did you mean '{}'?", near)});
    };
    auto each = [&](const std::string& what, const std::vector<std::string>& known) {
      for (const std::string& name : c.names)
        if (std::find(known.begin(), known.end(), name) == known.end()) unknown(what, name, known);
    };
    switch (c.kind) {
      case Kind::finding:
      case Kind::measured:
        if (c.finding < 0 && c.of.empty()) {
          std::vector<std::string> known;
          for (const Finding& f : k_.findings) known.push_back(f.id);
          for (const auto& [name, _] : k_.definitions) known.push_back(name);
          unknown("finding", c.id, known);
        } else if (c.finding >= 0 && (k_.findings[c.finding].kind == FindingKind::measured) != (c.kind == Kind::measured)) {
          complaints_.push_back(
              {r.file(), c.line,
               fmt::format("{}: '{}' is {}", r.path(), c.id, c.kind == Kind::measured ? "not a measured value" : "a measured value"),
               "a measured value needs {measured: {" + c.id + ": {above: ...}}}"});
        }
        break;
      case Kind::cause: {
        std::vector<std::string> known = {"malignant", "benign", "tumour", "dangerous"};
        for (const Cause& x : k_.causes) known.push_back(x.id), known.push_back(x.group);
        each("cause", known);
        break;
      }
      case Kind::mechanism: {
        std::vector<std::string> known;
        for (const Mechanism& x : k_.mechanisms) known.push_back(x.id);
        each("mechanism", known);
        break;
      }
      case Kind::region: {
        std::vector<std::string> known;
        for (const Level& x : k_.anatomy.levels) known.push_back(x.region);
        each("region", known);
        break;
      }
      case Kind::stage: {
        std::vector<std::string> known;
        for (const Course& x : k_.courses)
          for (const Stage& stage : x.stages) known.push_back(stage.id);
        each("stage", known);
        break;
      }
      case Kind::location: each("location", {"cervical", "thoracic", "thoracolumbar", "lumbar", "sacral", "flank"}); break;
      default: break;
    }
    for (const Condition& child : c.of) check(child, r);
  }

  StudyFigure figure(Reader r, const Study& study) {
    StudyFigure f;
    f.id = r.get("id").text();
    f.use = r.has("use") ? use_of(r.get("use")) : study.use;
    if (study.use == Use::context) f.use = Use::context;
    f.because = r.get("because", false).text();
    f.missed = r.get("missed", false).text();
    f.cite.file = r.file(), f.cite.line = r.line(), f.cite.source = study.source;
    f.cite.status = read_status(r.get("status"));
    f.cite.where = r.get("where", false).text();
    f.cite.note = r.get("note", false).text();
    if (r.has("of")) f.of = condition(r.get("of"));
    if (r.has("against")) f.against = condition(r.get("against"));
    if (r.has("likelihood_ratio")) ratio(r.get("likelihood_ratio"), f, StudyFigure::Kind::likelihood_ratio);
    else if (r.has("odds_ratio")) ratio(r.get("odds_ratio"), f, StudyFigure::Kind::odds_ratio);
    else if (r.has("delay")) delay(r, f);
    else share(r, f);
    const bool needs_has = f.kind != StudyFigure::Kind::recovery && f.kind != StudyFigure::Kind::delay;
    if (needs_has || r.has("has")) f.has = condition(r.get("has"));
    if ((f.kind == StudyFigure::Kind::likelihood_ratio || f.kind == StudyFigure::Kind::odds_ratio) && !f.against)
      r.fault("a ratio needs 'against'", "add against: the people compared with");
    r.finish();
    return f;
  }

  void share(Reader& r, StudyFigure& f) {
    if (r.has("recovered")) {
      f.kind = StudyFigure::Kind::recovery;
      Reader recovered = r.get("recovered");
      f.weeks = recovered.get("weeks").number();
      if (f.weeks <= 0) recovered.fault("weeks after presenting must be above 0");
      recovered.finish();
    }
    if (r.has("counts")) {
      auto list = r.get("counts").items();
      if (list.size() != 2) {
        r.get("counts").fault("counts are two numbers: [events, total]");
        return;
      }
      const double events = list[0].number();
      f.total = list[1].number();
      if (f.total <= 0 || events < 0 || events > f.total) {
        r.get("counts").fault(fmt::format("counts [{:g}, {:g}] are not events out of a total", events, f.total),
                              "events may not exceed the total");
        f.total = 1;
        return;
      }
      f.value = events / f.total;
      interval_from_total(f);
      return;
    }
    f.value = r.get("share").number();
    if (f.value < 0 || f.value > 1)
      r.get("share").fault(fmt::format("a share of {:g} is not between 0 and 1", f.value), "percent are divided by 100");
    if (r.has("interval")) {
      interval(r.get("interval"), f);
      const double sd = (f.high - f.low) / (2 * kZ), p = std::clamp(f.value, 0.001, 0.999);
      f.total = r.has("total") ? r.get("total").number() : sd > 0 ? p * (1 - p) / (sd * sd) : 0;
    } else {
      f.total = r.has("total") ? r.get("total").number() : 0;
      if (f.total > 0) interval_from_total(f);
      else f.low = 0, f.high = 1;
    }
    if (f.total <= 0 && f.use != Use::context)
      r.fault("a share needs the number of people or an interval that is not empty", "add total: or interval: [low, high]");
  }

  static void interval(Reader r, StudyFigure& f) {
    auto list = r.items();
    if (list.size() != 2) {
      r.fault("an interval is two numbers: [low, high]");
      return;
    }
    f.low = list[0].number(), f.high = list[1].number();
    if (!(f.low <= f.value && f.value <= f.high)) r.fault(fmt::format("interval [{:g}, {:g}] does not hold {:g}", f.low, f.high, f.value));
  }

  static void ratio(Reader r, StudyFigure& f, StudyFigure::Kind kind) {
    f.kind = kind;
    f.value = r.get("value").number();
    if (r.has("interval") || f.use != Use::context) interval(r.get("interval"), f);
    if (f.use != Use::context && !(f.low > 0)) r.fault("a ratio and its interval are above 0");
    r.finish();
  }

  static void delay(Reader& r, StudyFigure& f) {
    f.kind = StudyFigure::Kind::delay;
    Reader d = r.get("delay");
    f.from = d.get("from").text();
    f.to = d.get("to").text();
    if (f.from != "pain" && f.from != "weakness" && f.from != "first_visit")
      d.fault(fmt::format("delay from '{}'", f.from), "pain, weakness or first_visit");
    if (f.to != "presentation" && f.to != "diagnosis") d.fault(fmt::format("delay to '{}'", f.to), "presentation or diagnosis");
    d.finish();
    Reader m = r.get("median_weeks");
    f.value = m.get("value").number();
    if (m.has("interval")) {
      if (r.has("total")) f.total = r.get("total").number();
      interval(m.get("interval"), f);
    } else {
      // The median of n waiting times whose logarithms spread by about 1.2: standard error 1.2533 * 1.2 / sqrt(n).
      f.total = r.has("total") || f.use != Use::context ? r.get("total").number() : 0;
      const double half = f.total > 0 ? kZ * 1.2533 * 1.2 / std::sqrt(f.total) : 0;
      f.low = f.value * std::exp(-half), f.high = f.value * std::exp(half);
    }
    m.finish();
    if (f.value <= 0) m.fault("a median time is above 0 weeks");
  }

  const Knowledge& k_;
  std::vector<Complaint>& complaints_;
};

}  // namespace

const char* use_name(Use use) {
  switch (use) {
    case Use::calibration: return "calibration";
    case Use::validation: return "validation";
    case Use::context: return "context";
  }
  return "";
}

std::vector<Study> read_studies(const KnowledgeFiles& files, const Knowledge& knowledge, std::vector<Complaint>& complaints) {
  std::vector<Study> out;
  StudyReader reader(knowledge, complaints);
  for (const auto& [file, text] : files) {
    if (file.rfind("trials/", 0) == 0) continue;
    try {
      out.push_back(reader.read(file, YAML::Load(text)));
    } catch (const YAML::Exception& e) {
      complaints.push_back({file, e.mark.line + 1, "not YAML: " + e.msg, "check indentation, quotes and brackets"});
    }
  }
  std::sort(out.begin(), out.end(), [](const Study& a, const Study& b) { return a.id < b.id; });
  for (std::size_t i = 1; i < out.size(); ++i)
    if (out[i].id == out[i - 1].id)
      complaints.push_back({out[i].file, 1, fmt::format("study '{}' is defined twice", out[i].id), "ids are unique"});
  return out;
}

}  // namespace dorsalgia
