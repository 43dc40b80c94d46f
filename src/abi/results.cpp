#include "abi/results.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "abi/fault.h"
#include "abi/parallel.h"
#include "batch/batch.h"
#include "inference/explain.h"

namespace dorsalgia::abi {

const BatchEngine& Brain::batch(const std::string& profile) const {
  const std::size_t i = profile == "us";
  std::call_once(made_[i], [&] { batch_[i] = std::make_shared<const BatchEngine>(knowledge, model, exact, profile); });
  return *batch_[i];
}

namespace {

constexpr const char* kChild = "under 18: only rules made for children are used, and probabilities are withheld";
constexpr const char* kExcluded = "in the model these answers exclude each other: one of them is probably mistaken";

std::vector<std::string> words_of(const std::string& list) {
  std::vector<std::string> out;
  for (std::size_t from = 0; from <= list.size();) {
    const std::size_t comma = std::min(list.find(',', from), list.size());
    std::string word = list.substr(from, comma - from);
    word.erase(0, word.find_first_not_of(' '));
    word.erase(word.find_last_not_of(' ') + 1);
    out.push_back(word);
    from = comma + 1;
  }
  return out;
}

std::size_t stages_of(const Model& m) {
  std::size_t n = 0;
  for (const ModelCause& c : m.causes) n += m.courses[static_cast<std::size_t>(c.course)].stages.size();
  return n;
}

}  // namespace

TableOptions TableOptions::from(const char* outputs, const char* profile, int strict, int threads) {
  TableOptions o;
  o.wanted = {false, false, false, false, false, false};
  o.probability = false;
  const std::vector<std::pair<std::string, bool*>> groups = {
      {"probability", &o.probability},      {"urgency", &o.wanted.urgency}, {"causes", &o.wanted.causes},
      {"mechanisms", &o.wanted.mechanisms}, {"levels", &o.wanted.levels},   {"stages", &o.wanted.stages},
      {"forecast", &o.wanted.forecast},     {"intervals", &o.intervals},    {"next", &o.next}};
  for (const std::string& word : words_of(outputs ? outputs : "probability,urgency,causes")) {
    bool found = false;
    for (const auto& [name, its] : groups)
      if (word == name || (word == "all" && its != &o.intervals && its != &o.next)) *its = found = true;
    if (!found)
      throw Fault(DORSALGIA_BAD_INPUT, fmt::format("outputs: no group is called '{}' (probability, urgency, causes, mechanisms, levels, "
                                                   "stages, forecast, all; and intervals, next, which 'all' leaves out)",
                                                   word.substr(0, 40)));
  }
  o.profile = profile ? profile : "uk";
  if (o.profile != "uk" && o.profile != "us") throw Fault(DORSALGIA_BAD_INPUT, "profile: uk or us is needed");
  if (threads < 0 || threads > 1024) throw Fault(DORSALGIA_BAD_INPUT, "threads: 0 (one a core) to 1024");
  o.strict = strict != 0;
  o.threads = threads_of(threads);
  return o;
}

Assessor::Assessor(std::shared_ptr<const Brain> brain, const ArrowSchema& people, const TableOptions& options)
    : brain_(std::move(brain)), options_(options), reader_(brain_->knowledge, brain_->model, people), scratch_(options.threads) {
  if (options_.strict && !reader_.unknown().empty())
    throw Fault(DORSALGIA_BAD_INPUT, fmt::format("unknown columns: {}", fmt::join(reader_.unknown(), ", ")));
  const Knowledge& k = brain_->knowledge;
  const Model& m = brain_->model;
  const auto add = [&](const std::string& name, const std::string& format, const std::string& description) {
    fields_.push_back({name, format, {{"description", description}}});
  };
  if (!reader_.id_format().empty()) add("id", reader_.id_format(), "as given");
  add("error", "u", "why this row could not be assessed; null: it was");
  add("withheld", "u", "why this row has no probabilities; null: it has");
  if (options_.probability) {
    add("tumour", "f", "probability that a tumour causes the pain");
    add("malignant", "f", "probability that a malignant tumour does");
    add("emergency", "f", "probability of pressure on cord or cauda, or of a cause that is dangerous whatever its stage");
  }
  if (options_.wanted.urgency) add("urgency", "u", "by guideline rules and thresholds: emergency, urgent, soon, routine");
  if (options_.wanted.causes)
    for (const Cause& c : k.causes) add("cause_" + c.id, "f", "probability of " + c.name);
  if (options_.wanted.mechanisms)
    for (const Mechanism& x : k.mechanisms) add("mechanism_" + x.id, "f", "probability of " + x.name);
  if (options_.wanted.levels)
    for (const ModelLevel& l : m.levels) add("level_" + l.id, "f", "probability that the cause lies at " + l.id);
  if (options_.wanted.stages)
    for (const ModelCause& c : m.causes)
      for (const ModelStage& s : m.courses[static_cast<std::size_t>(c.course)].stages)
        add(fmt::format("stage_{}_{}", c.id, s.id), "f", fmt::format("probability of {} at the stage {}", c.id, s.id));
  if (options_.wanted.forecast)
    for (const double weeks : kForecastWeeks)
      add(fmt::format("compression_{:g}w", weeks), "f",
          fmt::format("probability that cord or cauda are compressed now or within {:g} weeks", weeks));
  if (options_.intervals) {
    const auto add_both = [&](const std::string& name) {
      add(name + "_low", "f", fmt::format("95% interval of {} over what is not known of the model's numbers: its lower end", name));
      add(name + "_high", "f", "its upper end");
    };
    for (const char* name : {"tumour", "malignant", "emergency"}) add_both(name);
    if (options_.wanted.causes)
      for (const Cause& c : k.causes) add_both("cause_" + c.id);
    if (options_.wanted.forecast)
      for (const double weeks : kForecastWeeks) add_both(fmt::format("compression_{:g}w", weeks));
  }
  if (options_.next) {
    add("next", "u", "id of the finding whose answer tells most for its burden");
    add("next_tumour_bits", "f", "bits that its answer is expected to tell about a tumour");
    add("next_emergency_bits", "f", "bits that its answer is expected to tell about an emergency");
  }
  shelf_ = std::make_shared<Shelf>(2 * fields_.size());
}

void Assessor::schema(ArrowSchema* out) const {
  Metadata metadata = {{"dorsalgia.model", brain_->model.hash}, {"dorsalgia.version", brain_->model.version}};
  if (!reader_.unknown().empty()) metadata.emplace_back("dorsalgia.unknown_columns", fmt::format("{}", fmt::join(reader_.unknown(), "\n")));
  export_schema(fields_, metadata, out);
}

namespace {

// A row with what the table has no room for.
Presentation whole_person(const Piece& piece, const Model& m, int row) {
  Presentation person = person_of(piece.people, m, row);
  if (const auto it = piece.odd.find(row); it != piece.odd.end()) {
    if (!it->second.locations.empty()) person.locations = it->second.locations;
    person.sensory_segment = it->second.sensory_segment;
  }
  return person;
}

}  // namespace

// Rows that the table has no room for, by the engine that takes anything.
void Assessor::odd_rows(const Piece& piece, PosteriorTable& out) const {
  const Model& m = brain_->model;
  const auto rows = static_cast<std::size_t>(out.rows);
  for (const auto& [r, odd] : piece.odd) {
    const Presentation person = whole_person(piece, m, r);
    const Posterior p = brain_->exact.posterior(person);
    const auto at = static_cast<std::size_t>(r);
    const auto put = [&](Floats& to, std::size_t i, double x) {
      if (!to.empty()) to[i * rows + at] = p.possible ? static_cast<float>(x) : 0;
    };
    out.possible[at] = p.possible;
    put(out.tumour, 0, p.tumour), put(out.malignant, 0, p.malignant), put(out.emergency, 0, p.emergency);
    for (std::size_t i = 0; i < p.causes.size(); ++i) put(out.causes, i, p.causes[i]);
    for (std::size_t i = 0; i < p.mechanisms.size(); ++i) put(out.mechanisms, i, p.mechanisms[i]);
    for (std::size_t i = 0; i < p.levels.size(); ++i) put(out.levels, i, p.levels[i]);
    std::size_t flat = 0;
    for (const auto& its : p.stages)
      for (const double x : its) put(out.stages, flat++, x);
    for (std::size_t i = 0; i < p.compression.size(); ++i) put(out.compression, i, p.compression[i]);
    if (!out.urgency.empty())
      out.urgency[at] = static_cast<std::uint8_t>(triage(brain_->knowledge, m, person, options_.profile, &p).urgency);
  }
}

void Assessor::write(const Part& part, Scratch& s, std::vector<Column>& columns, Known& stated) const {
  const Piece& piece = s.piece;
  const PosteriorTable& p = s.posterior;
  const Model& m = brain_->model;
  const auto rows = static_cast<std::size_t>(part.rows);
  std::size_t next = 0;
  if (!reader_.id_format().empty()) reader_.copy_ids(*part.batch, part.from, part.rows, columns[next++], part.at);
  ++next;  // error: by assess()
  Column& withheld = columns[next++];
  std::uint8_t* known = stated.data() + part.at;
  std::fill_n(known, rows, std::uint8_t{1});
  s.without.clear();
  for (int r = 0; r < part.rows; ++r) {
    const auto at = static_cast<std::size_t>(r);
    const bool child = piece.people.age[at] >= 0 && piece.people.age[at] < kAdult;
    if (p.possible[at] && !child && (piece.faults.empty() || !piece.faults.count(r))) continue;
    s.without.push_back(r);
    known[r] = 0;
    if (!piece.faults.count(r)) withheld.set(part.at + r, std::string_view(child ? kChild : kExcluded));
  }
  const auto copy = [&](const Floats& from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) std::memcpy(columns[next++].floats(part.at), from.data() + i * rows, rows * sizeof(float));
  };
  if (options_.probability) copy(p.tumour, 1), copy(p.malignant, 1), copy(p.emergency, 1);
  if (options_.wanted.urgency) {
    Column& urgency = columns[next++];
    for (int r = 0; r < part.rows; ++r)
      if (piece.faults.empty() || !piece.faults.count(r))
        urgency.set(part.at + r, std::string_view(urgency_id(static_cast<Urgency>(p.urgency[static_cast<std::size_t>(r)]))));
  }
  if (options_.wanted.causes) copy(p.causes, m.causes.size());
  if (options_.wanted.mechanisms) copy(p.mechanisms, m.mechanisms.size());
  if (options_.wanted.levels) copy(p.levels, m.levels.size());
  if (options_.wanted.stages) copy(p.stages, stages_of(m));
  if (options_.wanted.forecast) copy(p.compression, kForecastWeeks.size());
  if (options_.intervals || options_.next) one_by_one(part, s, columns, next);
}

// What has no lanes: intervals and the next question, as the report of one person has them. `next`: the first of their columns.
void Assessor::one_by_one(const Part& part, const Scratch& s, std::vector<Column>& columns, std::size_t next) const {
  const PosteriorTable& p = s.posterior;
  const auto rows = static_cast<std::size_t>(part.rows);
  const auto floats = [&](std::size_t column) {
    float* to = columns[column].floats(part.at);
    std::fill_n(to, rows, 0.0F);
    return to;
  };
  struct Ends {
    const float* stated;  // the probability that the interval is of, by row
    float *low, *high;
  };
  std::vector<Ends> ends;
  const auto both = [&](const Floats& of, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i, next += 2) ends.push_back({of.data() + i * rows, floats(next), floats(next + 1)});
  };
  if (options_.intervals) {
    for (const Floats* of : {&p.tumour, &p.malignant, &p.emergency}) both(*of, 1);
    if (options_.wanted.causes) both(p.causes, brain_->model.causes.size());
    if (options_.wanted.forecast) both(p.compression, kForecastWeeks.size());
  }
  Column* asked = options_.next ? &columns[next] : nullptr;
  float* tumour_bits = asked ? floats(next + 1) : nullptr;
  float* emergency_bits = asked ? floats(next + 2) : nullptr;
  auto passed_over = s.without.begin();
  for (int r = 0; r < part.rows; ++r) {
    if (passed_over != s.without.end() && *passed_over == r) {
      ++passed_over;
      continue;
    }
    const auto at = static_cast<std::size_t>(r);
    const Presentation person = whole_person(s.piece, brain_->model, r);
    if (options_.intervals) {
      const Intervals its = brain_->draws.intervals(brain_->exact, person, brain_->exact.posterior(person));
      auto to = ends.begin();
      // Around the number that stands beside it, which has been rounded otherwise than the exact engine's.
      const auto put = [&](const Interval& i) {
        to->low[at] = std::min(static_cast<float>(i.low), to->stated[at]);
        to->high[at] = std::max(static_cast<float>(i.high), to->stated[at]);
        ++to;
      };
      put(its.tumour), put(its.malignant), put(its.emergency);
      if (options_.wanted.causes) std::for_each(its.causes.begin(), its.causes.end(), put);
      if (options_.wanted.forecast) std::for_each(its.compression.begin(), its.compression.end(), put);
    }
    if (!asked) continue;
    const std::vector<Question> best = next_questions(brain_->exact, brain_->knowledge, person, 1);
    if (best.empty()) continue;  // everything has been answered: null, and 0 bits
    const Prospect& its = best.front().prospect;
    asked->set(part.at + r, std::string_view(brain_->knowledge.findings[static_cast<std::size_t>(its.finding)].id));
    tumour_bits[at] = static_cast<float>(its.tumour_bits), emergency_bits[at] = static_cast<float>(its.emergency_bits);
  }
}

void Assessor::assess(const std::vector<Part>& parts, std::int64_t before, ArrowArray* out) {
  const std::int64_t rows = parts.empty() ? 0 : parts.back().at + parts.back().rows;
  std::vector<Column> columns;
  // All probabilities are null in the same rows.
  const auto stated = std::make_shared<Known>(static_cast<std::size_t>(rows));
  for (const Field& field : fields_) columns.emplace_back(field, rows, shelf_, field.format == "f" ? stated : nullptr);
  const BatchEngine& engine = brain_->batch(options_.profile);
  std::vector<std::map<int, std::string>> faults(parts.size());
  in_parallel(options_.threads, parts.size(), [&](unsigned worker, std::size_t i) {
    Scratch& s = scratch_[worker];
    reader_.read(*parts[i].batch, parts[i].from, parts[i].rows, s.piece);
    engine.posterior(s.piece.people, options_.wanted, s.posterior);
    odd_rows(s.piece, s.posterior);
    write(parts[i], s, columns, *stated);
    faults[i] = std::move(s.piece.faults);
  });
  Column& error = columns[reader_.id_format().empty() ? 0 : 1];
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (const auto& [r, why] : faults[i]) {
      const std::int64_t row = parts[i].at + r;
      if (options_.strict) throw Fault(DORSALGIA_BAD_INPUT, fmt::format("row {} (the first is row 0): {}", before + row, why));
      error.set(row, std::string_view(why));
    }
  export_table(columns, rows, out);
}

// ---- streams

namespace {

class Results : public Source {
 public:
  Results(std::shared_ptr<const Brain> brain, Stream people, const ArrowSchema& schema, const TableOptions& options)
      : people_(std::move(people)), assessor_(std::move(brain), schema, options) {}

  void schema(ArrowSchema* out) override { assessor_.schema(out); }

  bool next(ArrowArray* out) override {
    // Small batches are put together and large ones divided: what is worked on at once is neither too little for the threads nor
    // too much for the memory.
    std::vector<Assessor::Part> parts;
    std::int64_t rows = 0;
    const std::int64_t most = assessor_.options().rows_of_a_batch(), of_a_part = assessor_.options().rows_of_a_part();
    while (rows < most && pull()) {
      const std::int64_t n = std::min({of_a_part, left_, most - rows});
      parts.push_back({batch_, from_, static_cast<int>(n), rows});
      from_ += n, left_ -= n, rows += n;
    }
    if (parts.empty()) return false;
    assessor_.assess(parts, before_, out);
    before_ += rows;
    return true;
  }

 private:
  // Whether a row is left, of this batch or the next ones.
  bool pull() {
    while (left_ == 0) {
      batch_.reset();
      if (ended_) return false;
      Array array;
      if (const int code = people_.it.get_next(&people_.it, &array.it); code != 0) {
        const char* why = people_.it.get_last_error ? people_.it.get_last_error(&people_.it) : nullptr;
        array.it = ArrowArray{};  // after an error nothing was handed over
        throw Fault(DORSALGIA_SOURCE, fmt::format("the stream of people failed: {}", why ? why : std::strerror(code)));
      }
      if (!array.it.release) {
        ended_ = true;
        return false;
      }
      const std::int64_t rows = array.it.length;
      batch_ = assessor_.reader().open(std::move(array));
      from_ = 0, left_ = rows;
    }
    return true;
  }

  Stream people_;
  Assessor assessor_;
  std::shared_ptr<const PeopleReader::Batch> batch_;
  std::int64_t from_ = 0, left_ = 0, before_ = 0;
  bool ended_ = false;
};

class Gathered : public Source {
 public:
  explicit Gathered(Stream from) : from_(std::move(from)) {
    for (;;) {
      Array array;
      if (const int code = from_.it.get_next(&from_.it, &array.it); code != 0) {
        const char* why = from_.it.get_last_error ? from_.it.get_last_error(&from_.it) : nullptr;
        array.it = ArrowArray{};
        throw Fault(code == EINVAL ? DORSALGIA_BAD_INPUT : DORSALGIA_SOURCE, why ? why : std::strerror(code));
      }
      if (!array.it.release) return;
      batches_.push_back(std::move(array));
    }
  }
  void schema(ArrowSchema* out) override {
    if (const int code = from_.it.get_schema(&from_.it, out); code != 0)
      throw Fault(DORSALGIA_SOURCE, fmt::format("the stream has no schema: {}", std::strerror(code)));
  }
  bool next(ArrowArray* out) override {
    if (next_ == batches_.size()) return false;
    *out = std::exchange(batches_[next_++].it, ArrowArray{});
    return true;
  }

 private:
  Stream from_;
  std::vector<Array> batches_;
  std::size_t next_ = 0;
};

struct Exported {
  std::unique_ptr<Source> source;
  std::string error;
  bool failed = false;
};

template <class Work>
int guarded(ArrowArrayStream* stream, const Work& work) {
  auto& its = *static_cast<Exported*>(stream->private_data);
  try {
    work(its);
    return 0;
  } catch (const Fault& fault) {
    its.error = fault.what();
    return fault.code == DORSALGIA_SOURCE ? EIO : EINVAL;
  } catch (const std::bad_alloc&) {
    its.error = "out of memory";
    return ENOMEM;
  } catch (const std::exception& e) {
    its.error = e.what();
    return EIO;
  }
}

}  // namespace

void export_stream(std::unique_ptr<Source> source, ArrowArrayStream* out) {
  auto exported = std::make_unique<Exported>();
  exported->source = std::move(source);
  *out = ArrowArrayStream{};
  out->get_schema = [](ArrowArrayStream* s, ArrowSchema* to) { return guarded(s, [&](Exported& its) { its.source->schema(to); }); };
  out->get_next = [](ArrowArrayStream* s, ArrowArray* to) {
    return guarded(s, [&](Exported& its) {
      *to = ArrowArray{};
      if (its.failed) throw Fault(DORSALGIA_BAD_INPUT, its.error);  // rows are lost: it must not look like the end
      its.failed = true;
      its.source->next(to);
      its.failed = false;
    });
  };
  out->get_last_error = [](ArrowArrayStream* s) -> const char* {
    const auto& its = *static_cast<Exported*>(s->private_data);
    return its.error.empty() ? nullptr : its.error.c_str();
  };
  out->release = [](ArrowArrayStream* s) {
    delete static_cast<Exported*>(s->private_data);
    *s = ArrowArrayStream{};
  };
  out->private_data = exported.release();
}

void gather(Stream from, ArrowArrayStream* out) {
  if (!from.it.release || !from.it.get_schema || !from.it.get_next)
    throw Fault(DORSALGIA_BAD_INPUT, "the stream was released before it was read");
  export_stream(std::make_unique<Gathered>(std::move(from)), out);
}

void assess_stream(std::shared_ptr<const Brain> brain, Stream people, const TableOptions& options, ArrowArrayStream* out) {
  if (!people.it.release || !people.it.get_schema || !people.it.get_next)
    throw Fault(DORSALGIA_BAD_INPUT, "the stream of people was released before it was read");
  Schema schema;
  if (const int code = people.it.get_schema(&people.it, &schema.it); code != 0) {
    const char* why = people.it.get_last_error ? people.it.get_last_error(&people.it) : nullptr;
    schema.it = ArrowSchema{};
    throw Fault(DORSALGIA_SOURCE, fmt::format("the stream of people has no schema: {}", why ? why : std::strerror(code)));
  }
  export_stream(std::make_unique<Results>(std::move(brain), std::move(people), schema.it, options), out);
}

}  // namespace dorsalgia::abi
