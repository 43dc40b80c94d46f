#include "abi/virtual_people.h"

#include <fmt/format.h>

#include <algorithm>

#include "abi/fault.h"
#include "abi/parallel.h"
#include "simulation/people.h"

namespace dorsalgia::abi {

namespace {

constexpr std::int64_t kPiece = 512;           // people that one thread draws at once
constexpr std::int64_t kAtOnce = 16 * kPiece;  // rows of a batch; some 250 columns each
constexpr std::uint64_t kMostPeople = std::uint64_t{1} << 40;

Cohort cohort_of(const dorsalgia_simulate_options& o, const Knowledge& k, const Model& m) {
  Cohort out;
  if (o.setting) {
    const std::string word = o.setting;
    const auto it = k.vocabulary.settings.find(word);
    const auto at = std::find(m.settings.begin(), m.settings.end(), it == k.vocabulary.settings.end() ? word : it->second);
    if (at == m.settings.end())
      throw Fault(DORSALGIA_BAD_INPUT,
                  fmt::format("setting: nothing is called '{}' ({})", word.substr(0, 60), fmt::join(m.settings, ", ")));
    out.setting = static_cast<int>(at - m.settings.begin());
  }
  const std::string only = o.only ? o.only : "";
  if (!only.empty() && only != "tumours" && only != "malignant") throw Fault(DORSALGIA_BAD_INPUT, "only: tumours or malignant is needed");
  if (!o.causes && only.empty()) return out;
  out.causes.assign(m.causes.size(), o.causes ? 0 : 1);
  if (o.causes) {
    const std::string list = o.causes;
    for (std::size_t from = 0; from <= list.size();) {
      const std::size_t comma = std::min(list.find(',', from), list.size());
      const std::string word = list.substr(from, comma - from);
      from = comma + 1;
      const int c = m.cause(word);
      if (c < 0) {
        std::vector<std::string> known;
        for (const ModelCause& cause : m.causes) known.push_back(cause.id);
        const std::string near = nearest_name(word, known);
        throw Fault(DORSALGIA_BAD_INPUT, fmt::format("causes: no cause is called '{}'{}", word.substr(0, 60),
                                                     near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
      }
      out.causes[static_cast<std::size_t>(c)] = 1;
    }
  }
  for (std::size_t c = 0; c < m.causes.size(); ++c) {
    const int index = static_cast<int>(c);
    if ((only == "tumours" && !m.is_tumour(index)) || (only == "malignant" && !m.is_malignant(index))) out.causes[c] = 0;
  }
  if (std::count(out.causes.begin(), out.causes.end(), 0) == static_cast<std::ptrdiff_t>(out.causes.size()))
    throw Fault(DORSALGIA_BAD_INPUT, fmt::format("only {}: none of the causes that are named is one of them", only));
  return out;
}

class VirtualPeople : public Source {
 public:
  VirtualPeople(std::shared_ptr<const Brain> brain, const dorsalgia_simulate_options& o)
      : brain_(std::move(brain)),
        recording_(compile_recording(brain_->knowledge, brain_->model)),
        next_(o.first),
        end_(o.first + o.people),
        threads_(threads_of(o.threads)) {
    const Knowledge& k = brain_->knowledge;
    const Model& m = brain_->model;
    try {
      people_ = std::make_unique<People>(m, o.seed, cohort_of(o, k, m), o.recorded ? &recording_ : nullptr);
    } catch (const std::invalid_argument&) {
      throw Fault(DORSALGIA_BAD_INPUT, "nobody with such a cause comes to this setting");
    }
    fields_ = table_fields(k, m);
    fields_[0] = {"id", "l", {{"description", "index of the person; the same person for the same seed"}}};
    first_truth_ = fields_.size();
    const auto add = [&](const std::string& name, const std::string& format, const std::string& description) {
      fields_.push_back({name, format, {{"description", description}}});
    };
    add("truth_cause", "u", "what causes the pain");
    add("truth_group", "u", "the group of that cause");
    add("truth_tumour", "b", "it is a tumour");
    add("truth_malignant", "b", "it is a malignant tumour");
    add("truth_emergency", "b", "pressure on cord or cauda now, or a cause that is dangerous whatever its stage");
    add("truth_level", "u", "level of the spine");
    add("truth_stage", "u", "stage of the cause's course at the visit");
    add("truth_weeks", "g", "weeks since the pain of this cause began");
    add("weight", "g", "share of all who come that the cohort stands for: weigh by it to count as in the population");
    for (std::size_t f = 0; f < k.findings.size(); ++f) words_.push_back(grade_words(k.findings[f], m.findings[f]));
  }

  void schema(ArrowSchema* out) override {
    export_schema(fields_, {{"dorsalgia.model", brain_->model.hash}, {"dorsalgia.version", brain_->model.version}}, out);
  }

  bool next(ArrowArray* out) override {
    if (next_ == end_) return false;
    const auto rows = static_cast<std::int64_t>(std::min<std::uint64_t>(kAtOnce, end_ - next_));
    std::vector<Column> columns;
    for (const Field& field : fields_) columns.emplace_back(field, rows);
    drawn_.resize(threads_);
    in_parallel(threads_, static_cast<std::size_t>((rows + kPiece - 1) / kPiece), [&](unsigned worker, std::size_t piece) {
      const std::int64_t from = static_cast<std::int64_t>(piece) * kPiece, to = std::min(from + kPiece, rows);
      for (std::int64_t r = from; r < to; ++r) {
        people_->draw(next_ + static_cast<std::uint64_t>(r), drawn_[worker]);
        write(drawn_[worker], columns, r);
      }
    });
    export_table(columns, rows, out);
    next_ += static_cast<std::uint64_t>(rows);
    return true;
  }

 private:
  void write(const VirtualPerson& p, std::vector<Column>& columns, std::int64_t r) const {
    const Model& m = brain_->model;
    const VirtualVisit& visit = p.visits[0];
    columns[0].set(r, static_cast<std::int64_t>(p.index));
    columns[1].set(r, p.age);
    columns[2].set(r, std::string_view(p.sex == Sex::male ? "male" : "female"));
    columns[3].set(r, std::string_view(m.settings[static_cast<std::size_t>(p.setting)]));
    if (p.location_recorded && p.location >= 0) columns[4].set(r, std::string_view(m.locations[static_cast<std::size_t>(p.location)]));
    if (p.duration_recorded) columns[5].set(r, std::min(p.stated_weeks, 6500.0));
    for (std::size_t f = 0; f < m.findings.size(); ++f) {
      if (!visit.recorded[f]) continue;
      const ModelFinding& its = m.findings[f];
      Column& column = columns[6 + f];
      const std::size_t grade = visit.grades[f];
      if (its.shape == Shape::measured) {
        // Beyond what is possible a laboratory reports a bound; a table holds the limit itself.
        column.set(r, std::clamp(in_unit(its, visit.values[f]), its.possible_low, its.possible_high));
      } else if (static_cast<int>(f) == m.sensory_level && grade > 0 && visit.sensory_segment >= 0) {
        column.set(r, std::string_view(m.segments[static_cast<std::size_t>(visit.sensory_segment)]));
      } else if (fields_[6 + f].format == "b") {
        column.set(r, grade > 0);
      } else {
        column.set(r, std::string_view(words_[f][grade]));
      }
    }
    const ModelCause& cause = m.causes[static_cast<std::size_t>(p.cause)];
    std::size_t c = first_truth_;
    columns[c++].set(r, std::string_view(cause.id));
    columns[c++].set(r, std::string_view(cause.group));
    columns[c++].set(r, m.is_tumour(p.cause));
    columns[c++].set(r, m.is_malignant(p.cause));
    columns[c++].set(r, m.is_emergency(p.cause, visit.active));
    columns[c++].set(r, std::string_view(m.levels[static_cast<std::size_t>(p.level)].id));
    columns[c++].set(r,
                     std::string_view(m.courses[static_cast<std::size_t>(cause.course)].stages[static_cast<std::size_t>(visit.stage)].id));
    columns[c++].set(r, p.weeks);
    columns[c++].set(r, p.weight);
  }

  std::shared_ptr<const Brain> brain_;
  Recording recording_;
  std::unique_ptr<People> people_;
  std::vector<Field> fields_;
  std::size_t first_truth_ = 0;
  std::vector<std::vector<std::string>> words_;  // by finding and grade
  std::vector<VirtualPerson> drawn_;             // by worker
  std::uint64_t next_, end_;
  unsigned threads_;
};

}  // namespace

void simulate_stream(std::shared_ptr<const Brain> brain, const dorsalgia_simulate_options& o, ArrowArrayStream* out) {
  if (o.people > kMostPeople || o.first > kMostPeople) throw Fault(DORSALGIA_BAD_INPUT, "people: at most 2^40");
  if (o.threads < 0 || o.threads > 1024) throw Fault(DORSALGIA_BAD_INPUT, "threads: 0 (one a core) to 1024");
  export_stream(std::make_unique<VirtualPeople>(std::move(brain), o), out);
}

}  // namespace dorsalgia::abi
