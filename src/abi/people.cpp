#include "abi/people.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "abi/fault.h"
#include "model/prevalence.h"

namespace dorsalgia::abi {

namespace {

constexpr int kNoAnswer = -2;    // a word that is no answer
constexpr int kLetUnknown = -1;  // "unknown"
constexpr int kSegments = 64;    // codes from here on: "present, with its border at segment code - kSegments"; of sensory_level
constexpr int kMorePlaces = 64;  // codes of `location` from here on: several places
constexpr std::size_t kLongestWord = 60;

std::string lower(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// A word of the table, fit to be told: short, printable, and valid UTF-8 whatever it was.
std::string told(std::string_view word) {
  std::string out;
  for (const char c : word.substr(0, kLongestWord)) out += c >= 32 && c < 127 ? c : '?';
  return out + (word.size() > kLongestWord ? "..." : "");
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, ", ")); }

bool is_number(Kind k) { return k == Kind::integer || k == Kind::natural || k == Kind::real || k == Kind::decimal; }

void blame(Piece& out, int row, const std::string& fault) {
  std::string& said = out.faults[row];
  said += (said.empty() ? "" : "; ") + fault;
}

std::vector<std::string> keys(const std::map<std::string, std::string>& from) {
  std::vector<std::string> out;
  for (const auto& [key, value] : from) out.push_back(key);
  return out;
}

}  // namespace

std::vector<std::string> grade_words(const Finding& f, const ModelFinding& m) {
  if (m.shape == Shape::history) return {"never", "less than 1 year ago", "1 to 5 years ago", "5 to 10 years ago", "10 or more years ago"};
  if (!f.grades.empty()) return f.grades;
  return {"absent", "present"};
}

std::vector<Field> table_fields(const Knowledge& k, const Model& m) {
  std::vector<Field> out = {
      {"id", "u", {{"description", "comes back with the results; text or whole numbers"}}},
      {"age",
       "g",
       {{"description", "years, 0 to 120; below 18 there is an urgency by rules for children and no probability"}, {"unit", "a"}}},
      {"sex", "u", {{"description", "at birth"}, {"values", "male, female"}}},
      {"setting", "u", {{"description", "where the person is first seen"}, {"values", joined(m.settings)}}},
      {"location", "u", {{"description", "where it hurts"}, {"values", joined(m.locations)}}},
      {"duration_weeks", "g", {{"description", "weeks since the pain began, 0 to 6500"}, {"unit", "wk"}}},
  };
  for (std::size_t i = 0; i < k.findings.size(); ++i) {
    const Finding& f = k.findings[i];
    const ModelFinding& its = m.findings[i];
    Field field{f.id, "b", {{"description", f.name}, {"group", f.group}}};
    if (its.shape == Shape::measured) {
      field.format = "g";
      field.metadata.emplace_back("unit", f.unit);
      field.metadata.emplace_back("possible", fmt::format("{:g} to {:g}", f.possible_low, f.possible_high));
    } else if (static_cast<int>(i) == m.sensory_level || its.shape == Shape::history || its.grades > 2) {
      field.format = "u";
      const bool border = static_cast<int>(i) == m.sensory_level;
      field.metadata.emplace_back("values", joined(grade_words(f, its)) + (border ? ", or its border: " + joined(m.segments) : ""));
    }
    if (!f.ask_clinician.empty()) field.metadata.emplace_back("ask", f.ask_clinician);
    out.push_back(std::move(field));
  }
  return out;
}

PeopleReader::PeopleReader(const Knowledge& knowledge, const Model& model, const ArrowSchema& schema) : k_(knowledge), m_(model) {
  if (!schema.release || !schema.format || std::string_view(schema.format) != "+s")
    throw Fault(DORSALGIA_BAD_INPUT, "a table is needed: an Arrow struct with one field a column");
  if (schema.n_children < 0 || (schema.n_children > 0 && !schema.children))
    throw Fault(DORSALGIA_BAD_INPUT, "the schema of the table counts columns that it does not have");
  may_be_impossible_.resize(m_.findings.size());
  for (std::size_t i = 0; i < m_.findings.size(); ++i) {
    const ModelFinding& f = m_.findings[i];
    if (f.shape != Shape::context && f.shape != Shape::history) continue;
    for (std::size_t s = 0; s < 2; ++s)
      may_be_impossible_[i][s] = *std::min_element(f.prevalence[s].begin(), f.prevalence[s].end()) < kNever;
  }
  std::map<std::string, std::string> taken;  // what is known already, and by which column
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema* child = schema.children[i];
    if (!child || !child->format) throw Fault(DORSALGIA_BAD_INPUT, "the schema of the table counts columns that it does not have");
    Bound column;
    column.name = child->name ? child->name : "";
    column.type = type_of(*child);
    bind(column, taken);
    columns_.push_back(std::move(column));
  }
}

void PeopleReader::bind(Bound& c, std::map<std::string, std::string>& taken) {
  const std::string name = lower(c.name);
  std::string about = name;
  static const std::map<std::string, What> kPlain = {
      {"id", What::id},           {"age", What::age},           {"sex", What::sex},
      {"setting", What::setting}, {"location", What::location}, {"duration_weeks", What::weeks}};
  if (const auto it = kPlain.find(name); it != kPlain.end()) {
    c.what = it->second;
  } else if (const auto lab = k_.vocabulary.lab_names.find(name); lab != k_.vocabulary.lab_names.end()) {
    about = lab->second.first;
    for (const auto& [unit, factor] : k_.finding(about)->units)
      if (lower(unit) == lower(lab->second.second)) c.factor = factor;
    c.what = What::measured;
  } else {
    about.clear();
    for (const Finding& f : k_.findings)
      if (f.id == name || std::find(f.synonyms.begin(), f.synonyms.end(), name) != f.synonyms.end()) {
        about = f.id;
        c.what = f.kind == FindingKind::measured ? What::measured : What::graded;
        if (f.id == name) break;
      }
  }
  // What simulate() adds, and nothing else, is passed over without a word.
  if (about.empty() && (name.rfind("truth_", 0) == 0 || name == "weight")) return;
  if (about.empty()) {
    std::vector<std::string> known = keys(k_.vocabulary.primaries);
    known.clear();
    for (const auto& [plain, what] : kPlain) known.push_back(plain);
    for (const Finding& f : k_.findings) known.push_back(f.id);
    const std::string near = nearest_name(name, known);
    unknown_.push_back(told(c.name) + (name == "cancer_history"
                                           ? " (in a table each cancer has a column: history_breast, history_lung, ...)"
                                       : near.empty() ? ""
                                                      : fmt::format(" (did you mean '{}'?)", near)));
    return;
  }
  if (const auto [it, first] = taken.emplace(about, c.name); !first)
    throw Fault(DORSALGIA_BAD_INPUT,
                fmt::format("columns '{}' and '{}' are about the same thing: keep one of them", told(it->second), told(c.name)));
  c.finding = m_.finding(about);
  if (c.what == What::id) {
    const bool text = c.type.kind == Kind::text;
    const bool whole = !c.type.coded && (c.type.kind == Kind::integer || c.type.kind == Kind::natural);
    if (!text && !whole && c.type.kind != Kind::null)
      throw Fault(DORSALGIA_BAD_INPUT, fmt::format("column 'id' is of type {}: give it as text or whole numbers", c.type.name));
    static const std::map<std::pair<bool, int>, std::string> kFormats = {{{false, 1}, "c"}, {{false, 2}, "s"}, {{false, 4}, "i"},
                                                                         {{false, 8}, "l"}, {{true, 1}, "C"},  {{true, 2}, "S"},
                                                                         {{true, 4}, "I"},  {{true, 8}, "L"}};
    id_format_ = whole ? kFormats.at({c.type.kind == Kind::natural, c.type.width}) : "u";
    return;
  }
  if (c.what == What::graded) {
    const Finding& f = k_.findings[static_cast<std::size_t>(c.finding)];
    const ModelFinding& its = m_.findings[static_cast<std::size_t>(c.finding)];
    const int present = its.shape == Shape::history || (its.shape == Shape::discrete && its.grades > 2) ? kPresentAny : 1;
    for (const char* word : {"unknown", "unsure", "not sure", "not assessed"}) c.words[word] = kLetUnknown;
    c.present = present, c.plain = c.finding != m_.sensory_level;
    for (const char* word : {"present", "yes", "true", "positive"}) c.words[word] = present;
    for (const char* word : {"absent", "no", "false", "negative", "none", "never"}) c.words[word] = 0;
    const std::vector<std::string> grades = grade_words(f, its);
    for (std::size_t g = 0; g < grades.size(); ++g) c.words.emplace(lower(grades[g]), static_cast<int>(g));
    if (c.finding == m_.sensory_level)
      for (std::size_t s = 0; s < m_.segments.size(); ++s) c.words.emplace(lower(m_.segments[s]), kSegments + static_cast<int>(s));
    c.choices = "present, absent, unknown" + (grades.size() > 2 ? ", " + joined(grades) : "");
  } else if (c.what == What::sex) {
    c.words = {{"male", 0}, {"m", 0}, {"female", 1}, {"f", 1}, {"unknown", kLetUnknown}, {"other", kLetUnknown}};
    c.choices = "male, female, unknown";
  } else if (c.what == What::setting) {
    for (const auto& [word, id] : k_.vocabulary.settings) {
      const auto at = std::find(m_.settings.begin(), m_.settings.end(), id);
      c.words[word] = at == m_.settings.end() ? kLetUnknown : static_cast<int>(at - m_.settings.begin());
    }
    c.choices = joined(m_.settings);
  } else if (c.what == What::location) {
    for (const auto& [word, places] : k_.vocabulary.locations) {
      std::vector<int> codes;
      for (const auto& place : places)
        if (const auto at = std::find(m_.locations.begin(), m_.locations.end(), place); at != m_.locations.end())
          codes.push_back(static_cast<int>(at - m_.locations.begin()));
      if (codes.empty()) continue;
      std::sort(codes.begin(), codes.end());
      c.words[word] = codes.size() == 1 ? codes[0] : kMorePlaces + static_cast<int>(places_.size());
      if (codes.size() > 1) places_.push_back(codes);
    }
    c.plain = false;
    c.choices = joined(m_.locations);
  }
  refuse_wrong_type(c);
}

void PeopleReader::refuse_wrong_type(const Bound& c) const {
  const Kind kind = c.type.kind;
  const auto wrong = [&](const std::string& remedy) {
    throw Fault(DORSALGIA_BAD_INPUT, fmt::format("column '{}' is of type {}: {}", told(c.name), c.type.name, remedy));
  };
  if (kind == Kind::null) return;
  const bool number = is_number(kind) && !c.type.coded;
  switch (c.what) {
    case What::age:
      if (!number) wrong("give years as numbers (cast to float64)");
      break;
    case What::weeks:
      if (!number) wrong("give weeks as numbers (cast to float64)");
      break;
    case What::measured:
      if (!number) wrong(fmt::format("give numbers in {} (cast to float64)", k_.findings[static_cast<std::size_t>(c.finding)].unit));
      break;
    case What::graded:
      if (!number && kind != Kind::text && (kind != Kind::boolean || c.type.coded))
        wrong("give boolean, or text: " + c.choices + " (cast to boolean or string)");
      break;
    default:
      if (kind != Kind::text) wrong("give text: " + c.choices + " (cast to string)");
  }
}

int PeopleReader::code_of(const Bound& c, std::string_view word) const {
  if (word.size() > kLongestWord) return kNoAnswer;
  const auto it = c.words.find(std::string(word));
  if (it != c.words.end()) return it->second;
  std::string plain = lower(word);
  if (c.what == What::location) std::replace(plain.begin(), plain.end(), ' ', '_');
  const auto again = c.words.find(plain);
  return again == c.words.end() ? kNoAnswer : again->second;
}

std::shared_ptr<const PeopleReader::Batch> PeopleReader::open(Array array) const {
  auto out = std::make_shared<Batch>();
  out->array_ = std::move(array);
  const ArrowArray& table = out->array_.it;
  check_table(table, static_cast<std::int64_t>(columns_.size()));
  out->columns_.resize(columns_.size());
  out->entries_.resize(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Bound& c = columns_[i];
    if (c.what == What::unread) continue;
    out->columns_[i] = std::make_unique<ColumnView>(c.type, *table.children[i], table.offset, table.length, told(c.name));
    if (!c.type.coded || c.what == What::id) continue;
    const ColumnView& words = out->columns_[i]->entries();
    for (std::int64_t e = 0; e < words.size(); ++e) out->entries_[i].push_back(words.known(e) ? code_of(c, words.text(e)) : kLetUnknown);
  }
  return out;
}

// known: may be none; set to 1 where there is a number.
void PeopleReader::numbers(const Bound& c, const ColumnView& view, std::int64_t from, int rows, double* to, std::uint8_t* known,
                           Piece& out) const {
  double least = 0, most = 120;
  std::string what = "years is not an age (0 to 120)";
  if (c.what == What::weeks) most = 6500, what = "weeks is not a duration of pain (0 to 6500)";
  if (c.what == What::measured) {
    const Finding& f = k_.findings[static_cast<std::size_t>(c.finding)];
    least = f.possible_low, most = f.possible_high;
    what = fmt::format("{} is not possible ({:g} to {:g}; is the unit right?)", f.unit, least, most);
  }
  view.each_known(from, rows, [&](int r) {
    const double x = view.number(from + r) * c.factor;
    if (x >= least && x <= most) {
      to[r] = x;
      if (known) known[r] = 1;
    } else if (std::isnan(x)) {
      blame(out, r, fmt::format("{}: NaN is not a number (null means unknown)", c.name));
    } else {
      blame(out, r, fmt::format("{}: {:g} {}", c.name, x, what));
    }
  });
}

void PeopleReader::codes(const Bound& c, std::size_t index, const Batch& batch, std::int64_t from, int rows, std::int8_t* to,
                         Piece& out) const {
  const ColumnView& view = *batch.columns_[index];
  const auto refused = [&](int r, const std::string& what) {
    blame(out, r, fmt::format("{}: {} is no answer ({})", c.name, what, c.choices));
  };
  const auto take = [&](int r, int code, const auto& word) {
    if (code == kNoAnswer) return refused(r, fmt::format("'{}'", told(word())));
    if (c.what == What::location && code >= kMorePlaces) out.odd[r].locations = places_[static_cast<std::size_t>(code - kMorePlaces)];
    else if (c.what == What::graded && c.finding == m_.sensory_level && code >= kSegments && code != kPresentAny)
      out.odd[r].sensory_segment = code - kSegments, to[r] = 1;
    else to[r] = static_cast<std::int8_t>(code);
  };
  const int present = c.present;
  switch (c.type.kind) {
    case Kind::null: return;
    case Kind::boolean: view.answers(from, rows, static_cast<std::int8_t>(present), to); return;
    case Kind::text:
      if (view.type().coded) {
        const std::vector<int>& entries = batch.entries_[index];
        view.each_known(from, rows, [&](int r) {
          const std::int64_t e = view.code(from + r);
          const int code = entries[static_cast<std::size_t>(e)];
          if (c.plain && code != kNoAnswer) to[r] = static_cast<std::int8_t>(code);
          else take(r, code, [&] { return view.entries().text(e); });
        });
        return;
      }
      {
        std::string_view last;  // neighbours often say the same
        int code = kNoAnswer;
        view.each_known(from, rows, [&](int r) {
          const std::string_view word = view.text(from + r);
          if (code == kNoAnswer || word != last) code = code_of(c, word), last = word;
          take(r, code, [&] { return word; });
        });
      }
      return;
    default:
      view.each_known(from, rows, [&](int r) {
        const double x = view.number(from + r);
        if (x == 0) to[r] = 0;
        else if (x == 1) to[r] = static_cast<std::int8_t>(present);
        else refused(r, std::isnan(x) ? "NaN" : fmt::format("{:g}", x));
      });
  }
}

// What cannot be in this sex at this age (pregnancy in a man) is a fault, not evidence.
void PeopleReader::impossible(Piece& piece) const {
  const PeopleTable& t = piece.people;
  for (const auto& column : t.graded) {
    const auto f = static_cast<std::size_t>(column.finding);
    if (!may_be_impossible_[f][0] && !may_be_impossible_[f][1]) continue;
    for (std::size_t r = 0; r < column.grade.size(); ++r) {
      if (column.grade[r] <= 0 || t.sex[r] < 0 || !may_be_impossible_[f][static_cast<std::size_t>(t.sex[r])]) continue;
      const auto sex = static_cast<Sex>(t.sex[r]);
      const auto& by_age = m_.findings[f].prevalence[static_cast<std::size_t>(t.sex[r])];
      const double most =
          t.age[r] >= 0 ? at_age(m_.findings[f].prevalence, sex, t.age[r]) : *std::max_element(by_age.begin(), by_age.end());
      if (most < kNever)
        blame(piece, static_cast<int>(r),
              fmt::format("{}: does not occur in a {}{} (check sex and age)", k_.findings[f].id, sex == Sex::male ? "male" : "female",
                          t.age[r] >= 0 ? fmt::format(" of {:g}", t.age[r]) : ""));
    }
  }
}

void PeopleReader::read(const Batch& batch, std::int64_t from, int rows, Piece& out) const {
  const auto n = static_cast<std::size_t>(rows);
  PeopleTable& t = out.people;
  out.faults.clear(), out.odd.clear();
  t.rows = rows;
  t.age.assign(n, -1), t.weeks.assign(n, -1);
  t.sex.assign(n, kUnknown), t.setting.assign(n, kUnknown), t.location.assign(n, kUnknown);
  std::size_t graded = 0, measured = 0;  // the same columns in every piece: their memory is used again
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Bound& c = columns_[i];
    if (c.what == What::unread || c.what == What::id) continue;
    const ColumnView& view = *batch.columns_[i];
    switch (c.what) {
      case What::age: numbers(c, view, from, rows, t.age.data(), nullptr, out); break;
      case What::weeks: numbers(c, view, from, rows, t.weeks.data(), nullptr, out); break;
      case What::sex: codes(c, i, batch, from, rows, t.sex.data(), out); break;
      case What::setting: codes(c, i, batch, from, rows, t.setting.data(), out); break;
      case What::location: codes(c, i, batch, from, rows, t.location.data(), out); break;
      case What::measured: {
        if (t.measured.size() <= measured) t.measured.emplace_back();
        auto& column = t.measured[measured++];
        column.finding = c.finding;
        column.value.assign(n, 0), column.known.assign(n, 0);
        numbers(c, view, from, rows, column.value.data(), column.known.data(), out);
        break;
      }
      default: {
        if (t.graded.size() <= graded) t.graded.emplace_back();
        auto& column = t.graded[graded++];
        column.finding = c.finding;
        column.grade.assign(n, kUnknown);
        codes(c, i, batch, from, rows, column.grade.data(), out);
      }
    }
  }
  t.graded.resize(graded), t.measured.resize(measured);
  impossible(out);
  const ArrowArray& table = batch.array_.it;
  for (int r = 0; r < rows; ++r)
    if (!row_known(table, from + r)) blame(out, r, "the whole row is null");
}

void PeopleReader::copy_ids(const Batch& batch, std::int64_t from, int rows, Column& to, std::int64_t at) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].what != What::id) continue;
    const ColumnView& view = *batch.columns_[i];
    for (int r = 0; r < rows; ++r) {
      if (!view.known(from + r)) continue;
      if (view.type().kind != Kind::text) to.put(at + r, view.value_at(from + r), view.type().width);
      else if (!view.type().coded) to.set(at + r, view.text(from + r));
      else if (const std::int64_t e = view.code(from + r); view.entries().known(e)) to.set(at + r, view.entries().text(e));
    }
  }
}

}  // namespace dorsalgia::abi
