#include "simulation/lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>

namespace dorsalgia {

namespace {

std::string quoted(const std::string& word) { return nlohmann::json(word).dump(); }

template <class... Args>
void append(std::string& out, fmt::format_string<Args...> pattern, Args&&... args) {
  fmt::format_to(std::back_inserter(out), pattern, std::forward<Args>(args)...);
}

// Years since a cancer as a record would say it: somewhere in the bin that the histories of this person share, and no
// more than the person's age. Below 0: it cannot be said in one number.
double years_since(const Model& m, const VirtualPerson& p) {
  static constexpr std::array<double, kHistoryBins + 1> kFrom = {0, 0, 1, 5, 10, 30};
  int bin = 0;
  for (std::size_t f = 0; f < m.findings.size(); ++f) {
    if (m.findings[f].shape != Shape::history || !p.visits[0].recorded[f] || p.visits[0].grades[f] == 0) continue;
    if (bin > 0 && bin != p.visits[0].grades[f]) return -1;
    bin = p.visits[0].grades[f];
  }
  if (bin == 0) return -1;
  const double from = kFrom[static_cast<std::size_t>(bin)], to = std::min(kFrom[static_cast<std::size_t>(bin) + 1], std::floor(p.age));
  if (!(from < to)) return -1;
  return std::floor(10 * (from + (to - from) * p.within_bin)) / 10;  // whole tenths, rounded down to stay in the bin
}

}  // namespace

PersonLines::PersonLines(const Knowledge& knowledge, const Model& model) : k_(knowledge), m_(model) {
  for (const Finding& f : k_.findings) {
    keys_.push_back(quoted(f.id) + ":");
    std::vector<std::string> words;
    const int grades = m_.findings[keys_.size() - 1].grades;
    for (int g = 0; g < grades; ++g)
      words.push_back(f.grades.empty() ? (g == 0 ? "\"absent\"" : "\"present\"") : quoted(f.grades[static_cast<std::size_t>(g)]));
    words_.push_back(words);
    const bool alike = std::all_of(f.units.begin(), f.units.end(), [&](const auto& u) { return u.second == f.units[0].second; });
    units_.push_back(alike ? "" : quoted(" " + f.unit));
  }
}

// Beyond what is possible a laboratory reports a bound.
std::string PersonLines::value(int f, double on_scale) const {
  const ModelFinding& finding = m_.findings[f];
  const double x = in_unit(finding, on_scale);
  const std::string_view unit = units_[f].empty() ? std::string_view() : std::string_view(units_[f]).substr(1, units_[f].size() - 2);
  if (x < finding.possible_low) return fmt::format("\"<{:g}{}\"", finding.possible_low, unit);
  if (x > finding.possible_high) return fmt::format("\">{:g}{}\"", finding.possible_high, unit);
  return unit.empty() ? fmt::format("{:.4g}", x) : fmt::format("\"{:.4g}{}\"", x, unit);
}

void PersonLines::answers(const VirtualPerson& p, std::size_t v, std::string& out) const {
  const VirtualVisit& visit = p.visits[v];
  // The first of a section opens it.
  const char* before = "";
  auto section = [&](const char* name, auto belongs, auto tell) {
    bool open = false;
    for (int f = 0; f < static_cast<int>(m_.findings.size()); ++f) {
      if (!visit.recorded[f] || !belongs(m_.findings[f])) continue;
      if (open) out += ',';
      else append(out, "{}\"{}\":{{", before, name);
      open = true;
      out += keys_[f];
      tell(f);
    }
    if (open) before = ",";
    return open;
  };
  const auto is_factor = [](const ModelFinding& f) { return f.shape == Shape::context || f.shape == Shape::history; };
  const bool context = section("context", is_factor, [&](int f) { out += visit.grades[f] ? "true" : "false"; });
  if (context) {
    if (const double years = years_since(m_, p); years >= 0) append(out, ",\"years_since_cancer\":{:g}", years);
    out += '}';
  }
  const bool findings = section(
      "findings", [](const ModelFinding& f) { return f.shape == Shape::discrete; },
      [&](int f) {
        if (f == m_.sensory_level && visit.grades[f] > 0 && visit.sensory_segment >= 0) out += quoted(m_.segments[visit.sensory_segment]);
        else out += words_[f][visit.grades[f]];
      });
  if (findings) out += '}';
  const bool labs = section(
      "labs", [](const ModelFinding& f) { return f.shape == Shape::measured; }, [&](int f) { out += value(f, visit.values[f]); });
  if (labs) out += '}';
}

void PersonLines::truth(const VirtualPerson& p, std::string& out) const {
  const ModelCause& cause = m_.causes[p.cause];
  const auto& stages = m_.courses[cause.course].stages;
  const MechanismSet active = p.visits[0].active;
  append(out, "\"truth\":{{\"cause\":\"{}\",\"group\":\"{}\",\"is_tumour\":{},\"malignant\":{},\"emergency\":{},\"level\":\"{}\"", cause.id,
         cause.group, m_.is_tumour(p.cause), m_.is_malignant(p.cause), m_.is_emergency(p.cause, active), m_.levels[p.level].id);
  append(out, ",\"weeks\":{:.4g},\"older_pain_counted_in\":{},\"accompanied\":{},\"stages\":[", p.weeks, p.stated_weeks != p.weeks,
         p.variant == 1);
  for (std::size_t i = 0; i < p.path.size(); ++i)
    append(out, "{}{{\"stage\":\"{}\",\"from_week\":{:.4g}}}", i ? "," : "", p.path[i].stage < 0 ? "recovered" : stages[p.path[i].stage].id,
           p.path[i].weeks);
  out += "],\"mechanisms\":[";
  bool first = true;
  for (std::size_t i = 0; i < m_.mechanisms.size(); ++i) {
    if (!(active >> i & 1)) continue;
    append(out, "{}\"{}\"", first ? "" : ",", m_.mechanisms[i].id);
    first = false;
  }
  append(out, "],\"weight\":{:.6g}}}", p.weight);
}

void PersonLines::json(const VirtualPerson& p, std::string& out) const {
  append(out, "{{\"id\":\"v{}\",\"age\":{:.2f},\"sex\":\"{}\",\"setting\":\"{}\"", p.index, p.age, p.sex == Sex::male ? "male" : "female",
         m_.settings[p.setting]);
  if (p.duration_recorded) append(out, ",\"duration_weeks\":{:.4g}", std::min(p.stated_weeks, 6500.0));
  if (p.location_recorded && p.location >= 0) append(out, ",\"location\":\"{}\"", m_.locations[p.location]);
  const auto comma_and_answers = [&](std::size_t v) {
    out += ',';
    const std::size_t before = out.size();
    answers(p, v, out);
    if (out.size() == before) out.pop_back();
  };
  comma_and_answers(0);
  if (p.visits.size() > 1) {
    out += ",\"visits\":[";
    for (std::size_t v = 1; v < p.visits.size(); ++v) {
      append(out, "{}{{\"weeks\":{:g}", v > 1 ? "," : "", p.visits[v].weeks);
      if (p.visits[v].stage < 0) out += ",\"recovered\":true";
      else comma_and_answers(v);
      out += '}';
    }
    out += ']';
  }
  out += ',';
  truth(p, out);
  out += "}\n";
}

std::string PersonLines::csv_head() const {
  std::string out =
      "id,age,sex,setting,duration_weeks,location,truth_cause,truth_group,truth_tumour,truth_malignant,truth_emergency,truth_level,"
      "truth_stage,truth_weeks,weight";
  for (const auto& f : m_.findings) out += "," + f.id;
  return out + "\n";
}

void PersonLines::csv(const VirtualPerson& p, std::string& out) const {
  const ModelCause& cause = m_.causes[p.cause];
  const VirtualVisit& visit = p.visits[0];
  append(out, "v{},{:.2f},{},{},", p.index, p.age, p.sex == Sex::male ? "male" : "female", m_.settings[p.setting]);
  if (p.duration_recorded) append(out, "{:.4g}", p.stated_weeks);
  append(out, ",{},{},{},{:d},{:d},{:d},{},{},{:.4g},{:.6g}", p.location_recorded && p.location >= 0 ? m_.locations[p.location] : "",
         cause.id, cause.group, m_.is_tumour(p.cause), m_.is_malignant(p.cause), m_.is_emergency(p.cause, visit.active),
         m_.levels[p.level].id, m_.courses[cause.course].stages[visit.stage].id, p.weeks, p.weight);
  for (std::size_t f = 0; f < m_.findings.size(); ++f) {
    out += ',';
    if (!visit.recorded[f]) continue;
    if (m_.findings[f].shape == Shape::measured) append(out, "{:.4g}", in_unit(m_.findings[f], visit.values[f]));
    else append(out, "{}", visit.grades[f]);
  }
  out += '\n';
}

}  // namespace dorsalgia
