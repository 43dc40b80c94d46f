#include "person/read.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "model/prevalence.h"

namespace dorsalgia {

using nlohmann::json;

std::string PersonFault::text() const {
  return fmt::format("{}{}{}", path.empty() ? "" : path + ": ", message, remedy.empty() ? "" : fmt::format(" ({})", remedy));
}

namespace {

constexpr std::size_t kMostFaults = 100;
constexpr double kMostWays = 64;  // in which the open answers of all visits together may be meant

// What a user wrote, fit to be told again: one short line, cut between characters, nothing that moves a terminal's cursor.
std::string shorten(const std::string& s) {
  std::size_t end = s.size();
  if (end > 60)
    for (end = 57; end > 0 && (static_cast<unsigned char>(s[end]) & 0xC0) == 0x80;) --end;
  std::string out = s.substr(0, end) + (end < s.size() ? "..." : "");
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = '?';
  return out;
}

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

std::string trim(const std::string& s) {
  const auto from = s.find_first_not_of(' ');
  return from == std::string::npos ? "" : s.substr(from, s.find_last_not_of(' ') - from + 1);
}

class PersonReader {
 public:
  PersonReader(const Knowledge& k, const Model& m, UnknownNames unknown) : k_(k), m_(m), unknown_(unknown) {}

  PersonRead read(const json& j) {
    if (!j.is_object()) {
      fault("", fmt::format("a person is an object {{...}}, this is {}", kind(j)), "see docs/input.md");
      return done();
    }
    const std::vector<std::string> known = {"id",       "age",  "sex",      "setting", "context", "duration_weeks",
                                            "findings", "labs", "location", "visits"};
    for (const auto& [key, value] : j.items()) {
      if (key == "id") id(value);
      else if (key == "age") age(value);
      else if (key == "sex") sex(value);
      else if (key == "setting") setting(value);
      else if (key == "duration_weeks") duration(value);
      else if (key == "location") location(value);
      else if (key == "findings" || key == "context" || key == "labs" || key == "visits") continue;
      else if (contains(k_.vocabulary.ignored_keys, key)) out_.person.unread.push_back(key);
      else if (unknown_ == UnknownNames::refuse && (lookup(key) || key == "cancer_history" || key == "years_since_cancer"))
        fault(shorten(key), "this stands outside the object it belongs in",
              lookup(key) ? "put it under \"findings\"" : "put it under \"context\"");
      else unknown("", key, known, "key");
    }
    sections(j);
    const json none = json::array();
    visits(j.contains("visits") && !j["visits"].is_null() ? j["visits"] : none);
    return done();
  }

 private:
  PersonRead done() {
    const auto by_finding = [](const Answer& a, const Answer& b) { return a.finding < b.finding; };
    std::sort(out_.person.answers.begin(), out_.person.answers.end(), by_finding);
    for (Visit& v : out_.person.later) std::sort(v.answers.begin(), v.answers.end(), by_finding);
    return std::move(out_);
  }

  // Context before findings before labs, whatever their order in the file: the result does not depend on it.
  void sections(const json& j) {
    if (j.contains("context")) section("context", j["context"], &PersonReader::context_item);
    if (j.contains("findings")) section("findings", j["findings"], &PersonReader::finding_item);
    if (j.contains("labs")) section("labs", j["labs"], &PersonReader::lab_item);
  }

  // Once all that is said about one day has been read.
  void end_of_day() {
    years_since_cancer();
    impossible();
    contradicted();
    years_.reset();
  }

  // ---- later visits

  // Each visit is read into the same fields as the first, which stand aside meanwhile; those of one day share them.
  void visits(const json& j) {
    if (!j.is_array()) {
      end_of_day();
      return fault("visits", fmt::format("a list of visits is needed, this is {}", kind(j)), "[{\"weeks\": 4, \"findings\": {...}}, ...]");
    }
    if (j.size() >= kMostVisits) {
      end_of_day();
      return fault("visits", fmt::format("{} later visits, more than {}", j.size(), kMostVisits - 1),
                   "keep those at which something changed");
    }
    Presentation& p = out_.person;
    std::optional<Visit> first;  // set aside
    Visit day;                   // week 0 until `first` is set
    std::string of_day;          // prefix of its paths
    auto store = [&] {           // what stands in the fields is all of `day`
      prefix_ = of_day;
      end_of_day();
      prefix_.clear();
      if (!first) return;
      day.answers = std::move(p.answers), day.any_of = std::move(p.any_of), day.locations = std::move(p.locations);
      day.sensory_segment = p.sensory_segment;
      p.later.push_back(std::move(day));
    };
    for (std::size_t i = 0; i < j.size(); ++i) {
      const json& v = j[i];
      const std::string prefix = fmt::format("visits[{}]", i);
      const std::optional<double> weeks = weeks_of(prefix, v);
      if (!weeks) continue;
      if (*weeks < day.weeks) {
        fault(prefix + ".weeks", fmt::format("week {:g} comes after week {:g}", *weeks, day.weeks), "put the visits in order of time");
        continue;
      }
      const bool gone = v.contains("recovered") && v["recovered"].is_boolean() && v["recovered"].get<bool>();
      if (*weeks > day.weeks) {
        const bool was_gone = first && day.recovered;
        store();
        if (!first) first = Visit{0, std::move(p.answers), std::move(p.any_of), std::move(p.locations), p.sensory_segment, false};
        p.answers.clear(), p.any_of.clear(), p.locations.clear();
        p.sensory_segment = -1;
        cancers_.clear();
        day = Visit{};
        day.weeks = *weeks;
        day.recovered = gone;
        if (was_gone && !gone)
          fault(prefix, "pain after recovery", "a pain that comes back is assessed as a new one: begin a new person with its first visit");
      } else if (gone != day.recovered) {
        fault(prefix + ".recovered", fmt::format("the other visit of week {:g} says otherwise", *weeks), "one of the two is mistaken");
      }
      prefix_ = of_day = prefix + ".";
      for (const auto& [key, value] : v.items()) {
        if (key == "weeks" || key == "context" || key == "findings" || key == "labs") continue;
        if (key == "recovered") {
          if (!value.is_null() && !value.is_boolean()) fault("recovered", fmt::format("true or false is needed, this is {}", kind(value)));
        } else if (key == "location") {
          if (!p.locations.empty() && !value.is_null())
            fault("location", "where it hurts is said twice for one day", "give one list of places");
          else location(value);
        } else if (key == "age" || key == "sex" || key == "setting" || key == "duration_weeks" || key == "id") {
          fault(key, "this is about the person, not about one visit", "put it beside \"visits\", as at the first visit");
        } else if (contains(k_.vocabulary.ignored_keys, key)) {
          p.unread.push_back(prefix_ + key);
        } else if (unknown_ == UnknownNames::refuse && lookup(key)) {
          fault(shorten(key), "this stands outside the object it belongs in", "put it under \"findings\"");
        } else {
          unknown("", key, {"weeks", "context", "findings", "labs", "location", "recovered"}, "key");
        }
      }
      sections(v);
      const bool context_only = p.sensory_segment < 0 && p.locations.empty() && only_context();
      if (gone && !context_only)
        fault("", "a visit after recovery has no findings, labs or location of this pain", "leave them out, or recovered");
      prefix_.clear();
    }
    store();
    if (first)
      p.answers = std::move(first->answers), p.any_of = std::move(first->any_of), p.locations = std::move(first->locations),
      p.sensory_segment = first->sensory_segment;
    too_open();
  }

  std::optional<double> weeks_of(const std::string& prefix, const json& v) {
    const char* remedy = "weeks since the first visit: {\"weeks\": 4, ...}";
    if (!v.is_object()) {
      fault(prefix, fmt::format("a visit is an object {{...}}, this is {}", kind(v)), remedy);
      return std::nullopt;
    }
    if (!v.contains("weeks") || v["weeks"].is_null()) {
      fault(prefix + ".weeks", "when was this visit?", remedy);
      return std::nullopt;
    }
    const std::optional<double> weeks = number(prefix + ".weeks", v["weeks"], "weeks");
    if (!weeks || (*weeks >= 0 && *weeks <= 6500)) return weeks;
    fault(prefix + ".weeks", fmt::format("{:g} weeks cannot be", *weeks), "weeks since the first visit, 0 to 6500");
    return std::nullopt;
  }

  bool about_context(const Answer& a) const {
    return m_.findings[a.finding].shape == Shape::context || m_.findings[a.finding].shape == Shape::history;
  }
  bool about_context(const AnyOf& any) const {
    return std::all_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) { return about_context(a); });
  }
  bool only_context() const {
    return std::all_of(out_.person.answers.begin(), out_.person.answers.end(), [&](const Answer& a) { return about_context(a); }) &&
           std::all_of(out_.person.any_of.begin(), out_.person.any_of.end(), [&](const AnyOf& any) { return about_context(any); });
  }

  // Every way in which open answers may be meant is summed, over all visits together.
  void too_open() {
    if (out_.person.later.empty()) return;
    double ways = 1;
    std::string last;
    auto count = [&](const std::vector<AnyOf>& all) {
      for (const AnyOf& any : all)
        if (!about_context(any)) ways *= static_cast<double>(any.answers.size()), last = any.given;
    };
    count(out_.person.any_of);
    for (const Visit& v : out_.person.later) count(v.any_of);
    if (ways > kMostWays)
      fault("visits", fmt::format("too many answers leave open which of several is meant, the last: '{}'", last),
            "give the values, or name which");
  }

  static bool contains(const std::vector<std::string>& all, const std::string& x) {
    return std::find(all.begin(), all.end(), x) != all.end();
  }

  static const char* kind(const json& j) {
    if (j.is_object()) return "an object";
    if (j.is_array()) return "a list";
    if (j.is_string()) return "a word";
    if (j.is_boolean()) return "true/false";
    if (j.is_null()) return "null";
    return "a number";
  }

  // The first hundred are enough to see what is wrong with a file.
  void fault(const std::string& path, const std::string& message, const std::string& remedy = "") {
    std::string place = prefix_ + path;
    if (path.empty() && !prefix_.empty()) place.pop_back();  // the dot
    if (out_.faults.size() < kMostFaults) out_.faults.push_back({place, message, remedy});
    else if (out_.faults.size() == kMostFaults)
      out_.faults.push_back({"", "more faults follow and are not listed", "is this file about one person?"});
  }

  void unknown(const std::string& section, const std::string& name, const std::vector<std::string>& known, const char* what) {
    const std::string path = section.empty() ? shorten(name) : section + "." + shorten(name);
    if (unknown_ == UnknownNames::note) {
      out_.person.noted.push_back("unknown: " + prefix_ + path);
      return;
    }
    if (out_.faults.size() >= kMostFaults) return fault(path, "");
    const std::string near = nearest_name(lower(name), known);
    fault(path, fmt::format("no {} is called '{}'", what, shorten(name)),
          near.empty() ? "dorsalgia knowledge list shows what is known" : fmt::format("did you mean '{}'?", near));
  }

  // ---- the person

  void id(const json& j) {
    if (j.is_null()) return;
    if (!j.is_string() || j.get<std::string>().size() > 200) return fault("id", "an id is a short word");
    out_.person.id = j;
  }

  std::optional<double> number(const std::string& path, const json& j, const char* unit) {
    if (j.is_null()) return std::nullopt;
    if (!j.is_number() || !std::isfinite(j.get<double>())) {
      double ignored = 0;
      const bool quoted = j.is_string() && parse_number(j, ignored);
      fault(path, fmt::format("a number of {} is needed, this is {}", unit, kind(j)), quoted ? "write it without quotes" : "");
      return std::nullopt;
    }
    return j.get<double>();
  }

  void age(const json& j) {
    const auto years = number("age", j, "years");
    if (!years) return;
    if (*years < 0 || *years > 120)
      return fault("age", fmt::format("{:g} years is not an age", *years), "0 to 120; is it a year of birth, or in months?");
    out_.person.age = years;
  }

  void sex(const json& j) {
    if (j.is_null()) return;
    const std::string word = j.is_string() ? lower(j) : "";
    if (word == "male" || word == "m") out_.person.sex = Sex::male;
    else if (word == "female" || word == "f") out_.person.sex = Sex::female;
    else if (word != "unknown" && word != "other")
      fault("sex", "male, female or unknown is needed", "the model's rates are by sex at birth; unknown is averaged");
  }

  void setting(const json& j) {
    if (j.is_null()) return;
    if (!j.is_string()) return fault("setting", fmt::format("a word is needed, this is {}", kind(j)));
    std::string word = lower(j);
    const auto it = k_.vocabulary.settings.find(word);
    if (it == k_.vocabulary.settings.end()) {
      std::vector<std::string> known;
      for (const auto& s : k_.vocabulary.settings) known.push_back(s.first);
      return unknown("setting", word, known, "setting");
    }
    for (std::size_t s = 0; s < m_.settings.size(); ++s)
      if (m_.settings[s] == it->second) out_.person.setting = static_cast<int>(s);
  }

  void duration(const json& j) {
    const double inf = std::numeric_limits<double>::infinity();
    const char* remedy = "weeks as a number, a range [from, to], or {\"min\": 6}";
    std::optional<double> from, to;
    if (j.is_null()) return;
    if (j.is_array() || j.is_object()) {  // a range; an end that is null or missing is open
      const std::size_t before = out_.faults.size();
      if (j.is_array()) {
        if (j.size() != 2) return fault("duration_weeks", fmt::format("a range has two ends, this has {}", j.size()), remedy);
        from = number("duration_weeks[0]", j[0], "weeks");
        to = number("duration_weeks[1]", j[1], "weeks");
      } else {
        for (const auto& [key, value] : j.items()) {
          if (key == "min") from = number("duration_weeks.min", value, "weeks");
          else if (key == "max") to = number("duration_weeks.max", value, "weeks");
          else return fault("duration_weeks." + shorten(key), "unknown key", remedy);
        }
      }
      if (out_.faults.size() > before || (!from && !to)) return;
      if (!from) from = 0;
      if (!to) to = inf;
      if (*to < *from) return fault("duration_weeks", "the range ends before it begins", remedy);
    } else {
      from = to = number("duration_weeks", j, "weeks");
      if (!from) return;
    }
    if (*from < 0 || *from > 6500 || (std::isfinite(*to) && *to > 6500))
      return fault("duration_weeks", fmt::format("{:g} weeks is not a duration of pain", *from < 0 || *from > 6500 ? *from : *to),
                   "weeks since the pain began, 0 to 6500");
    out_.person.weeks = {*from, *to};
  }

  void location(const json& j) {
    if (j.is_null()) return;
    std::vector<std::string> words;
    if (j.is_string()) words.push_back(j);
    else if (j.is_array())
      for (const auto& item : j) {
        if (!item.is_string()) return fault("location", fmt::format("words are needed, this is {}", kind(item)));
        words.push_back(item);
      }
    else return fault("location", fmt::format("a word or a list of words is needed, this is {}", kind(j)));
    std::set<int> mask;
    for (std::string word : words) {
      word = lower(word);
      std::replace(word.begin(), word.end(), ' ', '_');
      std::vector<std::string> places;
      if (const auto it = k_.vocabulary.locations.find(word); it != k_.vocabulary.locations.end()) places = it->second;
      for (const auto& level : k_.anatomy.levels)
        if (lower(level.id) == word && !level.pain.empty()) {  // "T10": where pain from there is most felt
          const auto top =
              std::max_element(level.pain.begin(), level.pain.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
          places = {top->first};
        }
      if (places.empty()) {
        std::vector<std::string> known;
        for (const auto& l : k_.vocabulary.locations) known.push_back(l.first);
        unknown("location", word, known, "pain location");
      }
      for (const auto& place : places)
        for (std::size_t i = 0; i < m_.locations.size(); ++i)
          if (m_.locations[i] == place) mask.insert(static_cast<int>(i));
    }
    out_.person.locations.assign(mask.begin(), mask.end());
  }

  // ---- answers

  using Item = void (PersonReader::*)(const std::string&, const std::string&, const json&);

  void section(const std::string& name, const json& j, Item item) {
    if (j.is_null()) return;
    if (!j.is_object()) return fault(name, fmt::format("an object {{name: answer}} is needed, this is {}", kind(j)));
    for (const auto& [key, value] : j.items()) (this->*item)(name + "." + shorten(key), key, value);
  }

  void add(const std::string& path, Answer answer) {
    for (Answer& other : out_.person.answers) {
      if (other.finding != answer.finding) continue;
      if (answer.measured && other.measured) {
        // A number and a word about the same test ("CRP 70", "CRP raised") agree when they overlap; the narrower counts.
        const double from = std::max(answer.from, other.from), to = std::min(answer.to, other.to);
        const bool touch = from == to && answer.from < answer.to && other.from < other.to;  // "normal" ends where "raised" begins
        if (from > to || touch) break;
        if (to - from <= other.to - other.from) other.from = from, other.to = to;
        return;
      }
      const int low = std::max(answer.low, other.low), high = std::min(answer.high, other.high);
      if (low > high) break;
      other.low = low;
      other.high = high;
      return;
    }
    if (const Answer* other = out_.person.answer(answer.finding))
      return fault(path, fmt::format("contradicts '{}'", other->given), "both answers are about " + k_.findings[answer.finding].name);
    out_.person.answers.push_back(std::move(answer));
  }

  int index(const Finding& f) const { return m_.finding(f.id); }

  // true / present / yes, false / absent / no, null / unknown / unsure, and the grades of graded findings.
  void answer(const std::string& path, const Finding& f, const json& j) {
    if (j.is_null()) return;
    const int i = index(f);
    const int top = m_.findings[i].grades - 1;
    if (f.kind == FindingKind::measured) return measured(path, f, j);
    if (j.is_boolean())
      return add(path,
                 {i, j.get<bool>() ? 1 : 0, j.get<bool>() ? top : 0, false, 0, 0, path + ": " + (j.get<bool>() ? "present" : "absent")});
    if (j.is_string()) {
      const std::string word = lower(j);
      if (word == "unknown" || word == "unsure" || word == "not sure" || word == "not assessed") return;
      if (word == "present" || word == "yes" || word == "true" || word == "positive")
        return add(path, {i, 1, top, false, 0, 0, path + ": present"});
      if (word == "absent" || word == "no" || word == "false" || word == "negative" || word == "none" || word == "never")
        return add(path, {i, 0, 0, false, 0, 0, path + ": absent"});
      for (std::size_t g = 0; g < f.grades.size(); ++g)
        if (f.grades[g] == word) return add(path, {i, static_cast<int>(g), static_cast<int>(g), false, 0, 0, path + ": " + word});
      if (f.id == "sensory_level")
        for (std::size_t s = 0; s < m_.segments.size(); ++s)
          if (lower(m_.segments[s]) == word) {
            out_.person.sensory_segment = static_cast<int>(s);
            return add(path, {i, 1, top, false, 0, 0, path + ": " + m_.segments[s]});
          }
      // Context is often told in words of its own ("warfarin", "insulin-dependent", "3 years"): present.
      if (f.kind == FindingKind::context && !word.empty() && !negates(word))
        return add(path, {i, 1, top, false, 0, 0, path + ": " + shorten(word)});
    }
    if (j.is_number() && f.kind == FindingKind::context && j.get<double>() > 0)
      return add(path, {i, 1, top, false, 0, 0, path + ": present"});
    std::string choices = "present, absent or unknown";
    for (const auto& g : f.grades) choices += ", " + g;
    fault(path, fmt::format("this is not an answer: {}", shorten(j.dump(-1, ' ', false, json::error_handler_t::replace))), choices);
  }

  // "not pregnant", "no known cancer": told in words that start with a no. Never taken for a yes; asked back instead.
  static bool negates(const std::string& word) {
    for (const char* no :
         {"no ", "not ", "no-", "none ", "never ", "denies ", "denied ", "without ", "nil", "n/a", "non smoker", "non-smoker", "nonsmoker"})
      if (word.rfind(no, 0) == 0) return true;
    return false;
  }

  // A person names some twenty of the two thousand names: going through them costs less than an index made for each person.
  const Finding* lookup(const std::string& key) const {
    const std::string name = lower(key);
    for (const Finding& f : k_.findings)
      if (f.id == name) return &f;
    for (const Finding& f : k_.findings)
      if (contains(f.synonyms, name)) return &f;
    return nullptr;
  }

  // Everything that a finding may be called, for "did you mean".
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Finding& f : k_.findings) {
      out.push_back(f.id);
      out.insert(out.end(), f.synonyms.begin(), f.synonyms.end());
    }
    return out;
  }

  void finding_item(const std::string& path, const std::string& key, const json& j) {
    if (const Finding* f = lookup(key)) return answer(path, *f, j);
    if (contains(k_.vocabulary.noted, lower(key))) return note(path);
    unknown("findings", key, names(), "finding");
  }

  void note(const std::string& path) { out_.person.noted.push_back(prefix_ + path); }

  void context_item(const std::string& path, const std::string& key, const json& j) {
    if (key == "cancer_history" || key == "active_cancer") return cancer_history(path, j);
    if (key == "years_since_cancer") {
      years_ = number(path, j, "years");
      if (years_ && (*years_ < 0 || *years_ > 120)) {
        fault(path, fmt::format("{:g} years is not possible", *years_), "years since the cancer was found, not the calendar year");
        years_.reset();
      }
      return;
    }
    if (const Finding* f = lookup(key)) return answer(path, *f, j);
    if (contains(k_.vocabulary.noted, lower(key))) return note(path);
    std::vector<std::string> known = names();
    known.insert(known.end(), {"cancer_history", "years_since_cancer", "active_cancer"});
    unknown("context", key, known, "context");
  }

  // cancer_history: false, true, "breast", "melanoma (nose)", ["breast", "thyroid"]; null is unknown.
  void cancer_history(const std::string& path, const json& j) {
    if (j.is_null()) return;
    std::vector<int> histories;
    int other = -1;
    for (const auto& f : k_.findings)
      if (f.kind == FindingKind::history) {
        histories.push_back(index(f));
        if (f.id == "history_other") other = histories.back();
      }
    const std::set<std::string> yes = {"yes", "present", "true", "positive"}, no = {"no", "none", "absent", "false", "never", "negative"};
    const std::string said = j.is_string() ? lower(j) : "";
    if (j.is_boolean() || yes.count(said) || no.count(said)) {
      const bool had = j.is_boolean() ? j.get<bool>() : yes.count(said) > 0;
      if (!had) {
        // "No active cancer" does not say that there never was one.
        if (path == "context.active_cancer") return note(path);
        for (int h : histories) add(path, {h, 0, 0, false, 0, 0, path + ": none"});
        return;
      }
      for (const Answer& a : out_.person.answers)
        if (contains_index(histories, a.finding) && a.present()) return;  // which one is already known
      for (const AnyOf& any : out_.person.any_of)
        if (any.given.find("cancer") != std::string::npos) return;
      AnyOf any;
      any.given = path + ": yes, which is not said";
      for (int h : histories) any.answers.push_back({h, 1, kHistoryBins - 1, false, 0, 0, any.given});
      out_.person.any_of.push_back(any);
      return;
    }
    std::vector<std::string> words;
    const auto take = [&](const json& word) {
      const bool name = word.is_string() && lower(word).find_first_not_of(' ') != std::string::npos && !negates(lower(word));
      if (name) words.push_back(lower(word));
      else
        fault(path, fmt::format("true, false or the name of the cancer is needed, this is {}",
                                word.is_string() ? fmt::format("'{}'", shorten(word)) : kind(word)));
    };
    if (j.is_array() && !j.empty()) std::for_each(j.begin(), j.end(), take);
    else take(j);
    for (const auto& word : words) {
      if (word == "unknown" || word == "unsure" || word == "not sure") continue;
      int found = -1;
      std::size_t first = std::string::npos;
      for (const auto& [name, id] : k_.vocabulary.primaries)
        if (const auto at = word.find(name); at < first) first = at, found = m_.finding(id);
      if (found < 0) found = other;
      // A named cancer makes an earlier "yes, which is not said" superfluous.
      auto& any = out_.person.any_of;
      any.erase(std::remove_if(any.begin(), any.end(), [](const AnyOf& a) { return a.given.find("cancer") != std::string::npos; }),
                any.end());
      cancers_.push_back(found);
      add(path, {found, 1, kHistoryBins - 1, false, 0, 0, path + ": " + shorten(word)});
    }
  }

  static bool contains_index(const std::vector<int>& all, int x) { return std::find(all.begin(), all.end(), x) != all.end(); }

  void years_since_cancer() {
    if (!years_) return;
    bool had = false;
    const int bin = *years_ < 1 ? 1 : *years_ < 5 ? 2 : *years_ < 10 ? 3 : 4;
    for (Answer& a : out_.person.answers)
      if (m_.findings[a.finding].shape == Shape::history && a.present()) {
        had = true;
        a.low = a.high = bin;
        a.given += fmt::format(", {:g} years ago", *years_);
      }
    for (AnyOf& any : out_.person.any_of)
      for (Answer& a : any.answers)
        if (m_.findings[a.finding].shape == Shape::history) had = true, a.low = a.high = bin;
    if (!had && unknown_ == UnknownNames::refuse)
      fault("context.years_since_cancer", "no cancer is named that this could be about",
            "add \"cancer_history\": the name of the cancer, or true");
    if (out_.person.age && *years_ > *out_.person.age) fault("context.years_since_cancer", "longer ago than the person is old");
  }

  // ---- laboratory

  void lab_item(const std::string& path, const std::string& key, const json& j) {
    if (j.is_null()) return;
    const std::string name = lower(key);
    if (const auto it = k_.vocabulary.lab_names.find(name); it != k_.vocabulary.lab_names.end()) {
      unit_of_name_ = it->second.second;
      measured(path, *k_.finding(it->second.first), j);
      unit_of_name_.clear();
      return;
    }
    if (const auto it = k_.vocabulary.panels.find(name); it != k_.vocabulary.panels.end()) return panel(path, it->second, j);
    if (name == "bp" || name == "blood_pressure") return blood_pressure(path, j);
    if (const Finding* f = lookup(key)) return answer(path, *f, j);
    if (contains(k_.vocabulary.noted, name)) return note(path);
    std::vector<std::string> known = names();
    for (const auto& p : k_.vocabulary.panels) known.push_back(p.first);
    for (const auto& p : k_.vocabulary.lab_names) known.push_back(p.first);
    known.push_back("bp");
    unknown("labs", key, known, "laboratory value");
  }

  void panel(const std::string& path, const std::map<std::string, Meaning>& panel, const json& j) {
    const std::string words = j.is_string() ? lower(j) : j.is_boolean() ? (j.get<bool>() ? "present" : "absent") : "";
    if (words == "unknown" || words == "unsure" || words == "not sure" || words == "not assessed") return;
    std::string known;
    for (const auto& p : panel) known += (known.empty() ? "" : ", ") + p.first;
    // "blood, nitrite": each word counts, and each must be known.
    for (std::size_t from = 0; from <= words.size();) {
      const std::size_t comma = std::min(words.find(',', from), words.size());
      const std::string word = trim(words.substr(from, comma - from));
      from = comma + 1;
      if (const auto it = panel.find(word); it != panel.end()) mean(path + ": " + word, path, it->second);
      else if (unknown_ == UnknownNames::note) out_.person.noted.push_back("unknown: " + prefix_ + path);
      else
        fault(path, fmt::format("this is not an answer: {}", j.is_string() ? "'" + shorten(word) + "'" : kind(j)),
              "one or more of: " + known);
    }
  }

  void mean(const std::string& given, const std::string& path, const Meaning& meaning) {
    AnyOf any;
    any.given = given;
    for (const auto& [id, value] : meaning.answers) {
      const Finding& f = *k_.finding(id);
      Answer a;
      a.finding = index(f);
      a.given = given;
      if (f.kind == FindingKind::measured) word_range(f, value, a);
      else if (value == "present") a.low = 1, a.high = m_.findings[a.finding].grades - 1;
      if (meaning.any) any.answers.push_back(a);
      else add(path, a);
    }
    if (meaning.answers.empty()) note(given);
    if (meaning.any) out_.person.any_of.push_back(any);
  }

  // Limits by sex; the wider of the two when the sex is not known: a "raised" haemoglobin may be a woman's.
  bool word_range(const Finding& f, const std::string& word, Answer& a) const {
    const ModelFinding& m = m_.findings[index(f)];
    const double inf = std::numeric_limits<double>::infinity();
    const bool wide = word == "normal";
    double low = wide ? std::min(m.reference_low[0], m.reference_low[1]) : std::max(m.reference_low[0], m.reference_low[1]);
    double high = wide ? std::max(m.reference_high[0], m.reference_high[1]) : std::min(m.reference_high[0], m.reference_high[1]);
    if (out_.person.sex)
      low = m.reference_low[static_cast<int>(*out_.person.sex)], high = m.reference_high[static_cast<int>(*out_.person.sex)];
    a.measured = true;
    if (word == "normal") a.from = low, a.to = high;
    else if (word == "raised" || word == "high" || word == "elevated" || word == "present") a.from = high, a.to = inf;
    else if (word == "low" || word == "reduced" || word == "decreased") a.from = -inf, a.to = low;
    else if (word == "abnormal" && !std::isfinite(low)) a.from = high, a.to = inf;
    else return false;
    return a.from < a.to && (std::isfinite(a.from) || std::isfinite(a.to));
  }

  void blood_pressure(const std::string& path, const json& j) {
    const Finding* f = k_.finding("systolic_pressure");
    if (!f) return note(path);
    if (!j.is_string() || j.get<std::string>().find('/') == std::string::npos) return measured(path, *f, j);
    const std::string word = j;
    double systolic = 0;
    if (parse_number(word.substr(0, word.find('/')), systolic)) return measured(path, *f, systolic);
    fault(path, fmt::format("'{}' is not a blood pressure", shorten(word)), "systolic/diastolic in mmHg: \"160/100\"");
  }

  // Reads the number that `s` begins with; returns how many of its characters that took, 0 when it begins with none.
  static std::size_t leading_number(const std::string& s, double& out) {
    char* end = nullptr;
    out = std::strtod(s.c_str(), &end);
    return static_cast<std::size_t>(end - s.c_str());
  }

  static bool parse_number(const std::string& s, double& out) {
    const std::size_t used = leading_number(s, out);
    return used > 0 && s.find_first_not_of(' ', used) == std::string::npos && std::isfinite(out);
  }

  // 54, "54 mm/h", ">100", {"value": 54, "unit": "mm/h"}, "raised", "normal", "low".
  void measured(const std::string& path, const Finding& f, const json& j) {
    Answer a;
    a.finding = index(f);
    a.measured = true;
    double value = 0;
    std::string unit = unit_of_name_;
    char bound = '=';
    if (j.is_object()) {
      for (const auto& [key, v] : j.items())
        if (key != "value" && key != "unit")
          return fault(path + "." + shorten(key), "unknown key", "{\"value\": 54, \"unit\": \"" + f.unit + "\"}");
      if (j.contains("value") && j["value"].is_null()) return;
      if (!j.contains("value") || !j["value"].is_number())
        return fault(path, "a value is missing", "{\"value\": 54, \"unit\": \"" + f.unit + "\"}");
      value = j["value"];
      if (j.contains("unit") && !j["unit"].is_null()) {
        if (!j["unit"].is_string()) return fault(path + ".unit", "a unit is a word");
        unit = j["unit"];
      }
    } else if (j.is_number()) {
      value = j;
    } else if (j.is_string()) {
      std::string word = trim(j);
      a.given = path + ": " + shorten(word);
      if (const std::string w = lower(word); w == "unknown" || w == "unsure" || w == "not sure" || w == "not assessed") return;
      if (word_range(f, lower(word), a)) return add(path, a);
      if (!word.empty() && (word[0] == '>' || word[0] == '<')) {
        bound = word[0];
        word = word.substr(word.size() > 1 && word[1] == '=' ? 2 : 1);
      }
      const std::size_t used = leading_number(word, value);
      if (used == 0)
        return fault(path, fmt::format("'{}' is not a value of {}", shorten(word), f.name),
                     "a number with its unit, or raised, normal, low");
      const auto rest = word.find_first_not_of(' ', used);
      if (rest != std::string::npos && word[rest] == ',')
        return fault(path, fmt::format("'{}' is not a number", shorten(word)), "write a decimal point, not a comma");
      if (rest != std::string::npos) unit = word.substr(rest);
    } else {
      return fault(path, fmt::format("a value is needed, this is {}", kind(j)), "a number with its unit, or raised, normal, low");
    }
    if (!std::isfinite(value)) return fault(path, "this is not a finite number");
    std::string units;
    for (const auto& u : f.units) units += (units.empty() ? "" : ", ") + u.first;
    double factor = 0;
    for (const auto& u : f.units)
      if (lower(u.first) == lower(unit)) factor = u.second;
    if (unit.empty()) {
      const bool alike = std::all_of(f.units.begin(), f.units.end(), [&](const auto& u) { return u.second == f.units[0].second; });
      if (!alike)
        return fault(path, fmt::format("{} {:g} in which unit?", f.name, value),
                     fmt::format("write \"{:g} {}\"; known: {}", value, f.unit, units));
      factor = 1;
    } else if (factor == 0) {
      return fault(path, fmt::format("'{}' is no unit of {}", shorten(unit), f.name), "known: " + units);
    }
    value *= factor;
    if (value < f.possible_low || value > f.possible_high)
      return fault(path, fmt::format("{} of {:g} {} is not possible", f.name, value, f.unit),
                   fmt::format("{:g} to {:g} {}; is the unit right?", f.possible_low, f.possible_high, f.unit));
    const double inf = std::numeric_limits<double>::infinity();
    a.from = bound == '<' ? -inf : value;
    a.to = bound == '>' ? inf : value;
    a.given = fmt::format("{}: {}{:g} {}", path, bound == '=' ? "" : std::string(1, bound), value, f.unit);
    add(path, a);
  }

  // What cannot be in this sex at this age (pregnancy in a man) is a fault, not evidence.
  void impossible() {
    const Presentation& p = out_.person;
    if (!p.sex) return;
    for (const Answer& a : p.answers) {
      const ModelFinding& f = m_.findings[a.finding];
      if ((f.shape != Shape::context && f.shape != Shape::history) || !a.present()) continue;
      const auto& by_age = f.prevalence[static_cast<int>(*p.sex)];
      const double most = p.age ? at_age(f.prevalence, *p.sex, *p.age) : *std::max_element(by_age.begin(), by_age.end());
      if (most >= kNever) continue;
      fault(a.given.substr(0, a.given.find(':')),
            fmt::format("{} does not occur in a {}{}", k_.findings[a.finding].name, *p.sex == Sex::male ? "male" : "female",
                        p.age ? fmt::format(" of {:g}", *p.age) : ""),
            "check sex and age");
    }
  }

  // "Had cancer" and each cancer denied; "markers raised" and each marker normal.
  void contradicted() {
    for (const AnyOf& any : out_.person.any_of) {
      const bool left = std::any_of(any.answers.begin(), any.answers.end(), [&](const Answer& a) {
        const Answer* other = out_.person.answer(a.finding);
        if (!other) return true;
        if (a.measured)
          return std::max(a.from, other->from) < std::min(a.to, other->to) ||
                 (other->from == other->to && other->from >= a.from && other->from <= a.to);
        return std::max(a.low, other->low) <= std::min(a.high, other->high);
      });
      if (!left)
        fault(any.given.substr(0, any.given.find(':')), fmt::format("'{}' contradicts what else is said", any.given),
              "every single answer that it could mean is denied");
    }
  }

  const Knowledge& k_;
  const Model& m_;
  UnknownNames unknown_;
  PersonRead out_;
  std::optional<double> years_;
  std::vector<int> cancers_;
  std::string unit_of_name_;
  std::string prefix_;  // of paths: "visits[1]." while a later visit is read
};

}  // namespace

bool parse_strictly(const std::string& text, std::size_t largest, json& out, std::vector<PersonFault>& faults) {
  if (text.size() > largest) {
    faults.push_back({"", fmt::format("the input has {} bytes, more than {}", text.size(), largest), "one person is a few hundred bytes"});
    return false;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    faults.push_back({"", "the input is empty", "a JSON object is needed: {\"age\": 68, ...}"});
    return false;
  }
  std::vector<std::set<std::string>> keys;
  std::string problem, remedy;
  auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (!problem.empty()) return false;
    if (depth > kDeepestPerson) {
      problem = fmt::format("nested more than {} levels deep", kDeepestPerson);
      return false;
    }
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second) {
      problem = fmt::format("the key '{}' stands twice", shorten(parsed.get<std::string>()));
      remedy = "keep one of the two answers";
    }
    return true;
  };
  try {
    // Depth is counted first and cheaply: the parser itself would build every level.
    int depth = 0, deepest = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (quoted) {
        if (c == '\\') ++i;
        else if (c == '"') quoted = false;
      } else if (c == '"') quoted = true;
      else if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
      else if (c == '}' || c == ']') --depth;
    }
    if (deepest > kDeepestPerson) {
      faults.push_back({"", fmt::format("nested {} levels deep, more than {}", deepest, kDeepestPerson), "a person has two levels"});
      return false;
    }
    out = json::parse(text, watch);
  } catch (const json::exception& e) {
    std::string message = e.what();
    if (const auto at = message.find("] "); at != std::string::npos) message = message.substr(at + 2);
    faults.push_back({"", "not JSON: " + shorten(message), "check quotes, commas and brackets"});
    // nlohmann's message may quote raw input bytes; keep what is printable.
    for (char& c : faults.back().message)
      if (static_cast<unsigned char>(c) < 32 || static_cast<unsigned char>(c) > 126) c = '?';
    return false;
  }
  if (!problem.empty()) {
    faults.push_back({"", problem, remedy});
    return false;
  }
  return true;
}

PersonRead read_person(const json& j, const Knowledge& knowledge, const Model& model, UnknownNames unknown) {
  return PersonReader(knowledge, model, unknown).read(j);
}

PersonRead read_person(const std::string& text, const Knowledge& knowledge, const Model& model, UnknownNames unknown) {
  json j;
  PersonRead out;
  if (!parse_strictly(text, kLargestPerson, j, out.faults)) return out;
  return read_person(j, knowledge, model, unknown);
}

}  // namespace dorsalgia
