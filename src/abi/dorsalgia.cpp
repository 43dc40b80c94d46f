// The functions of include/dorsalgia.h: handles, options and errors. What they do stands in the files beside this one.
#include "dorsalgia.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <nlohmann/json.hpp>

#include "abi/fault.h"
#include "abi/results.h"
#include "abi/virtual_people.h"
#include "person/read.h"
#include "report/telling.h"

using namespace dorsalgia;
using namespace dorsalgia::abi;

// The shell of a model outlives it: a handle that was freed is found to be so, and not a crash. 64 bytes a load are the price.
struct dorsalgia_model {
  static constexpr std::uint64_t kMagic = 0x646f7273616c6731;  // "dorsalg1"
  std::uint64_t magic = kMagic;
  mutable std::mutex mutex;
  std::shared_ptr<const Brain> brain;
};

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
extern "C" void __lsan_ignore_object(const void*);  // NOLINT: the sanitizer's own name
#define DORSALGIA_KEPT(p) __lsan_ignore_object(p)
#endif
#endif
#ifndef DORSALGIA_KEPT
#define DORSALGIA_KEPT(p) static_cast<void>(p)
#endif

namespace {

std::shared_ptr<const Brain> brain_of(const dorsalgia_model* model) {
  if (!model) throw Fault(DORSALGIA_BAD_HANDLE, "the model is null: load one with dorsalgia_load");
  if (model->magic != dorsalgia_model::kMagic) throw Fault(DORSALGIA_BAD_HANDLE, "this is not a model: it was not made by dorsalgia_load");
  const std::lock_guard lock(model->mutex);
  if (!model->brain) throw Fault(DORSALGIA_BAD_HANDLE, "this model was freed");
  return model->brain;
}

void needed(const void* pointer, const char* name) {
  if (!pointer) throw Fault(DORSALGIA_BAD_HANDLE, fmt::format("{} is null", name));
}

int tell(dorsalgia_error* error, dorsalgia_code code, const char* message) {
  // A struct of another size than this version knows: only what it certainly holds.
  if (!error || error->size < offsetof(dorsalgia_error, message) + 2) return code;
  const std::size_t room = std::min(error->size - offsetof(dorsalgia_error, message), sizeof error->message);
  error->code = code;
  std::size_t n = std::min(std::strlen(message), room - 1);
  if (n < std::strlen(message))
    while (n > 0 && (static_cast<unsigned char>(message[n]) & 0xC0) == 0x80) --n;  // not within a character
  std::memcpy(error->message, message, n);
  error->message[n] = 0;
  return code;
}

// Runs the work of one call; whatever is thrown ends here.
template <class Work>
int call(dorsalgia_error* error, const Work& work) noexcept {
  try {
    work();
    return tell(error, DORSALGIA_OK, "");
  } catch (const Fault& fault) {
    return tell(error, fault.code, fault.what());
  } catch (const std::bad_alloc&) {
    return tell(error, DORSALGIA_NO_MEMORY, "out of memory");
  } catch (const std::exception& e) {
    return tell(error, DORSALGIA_INTERNAL, e.what());
  } catch (...) {
    return tell(error, DORSALGIA_INTERNAL, "an unknown exception");
  }
}

// What the caller's struct holds, the rest 0.
template <class Options>
Options taken(const Options* options) {
  Options out{};
  if (!options) return out;
  if (options->size < sizeof(std::size_t) || options->size > 4096)
    throw Fault(DORSALGIA_BAD_INPUT, "options: set `size` to the size of the struct");
  std::memcpy(&out, options, std::min(options->size, sizeof out));
  return out;
}

TableOptions table_options(const dorsalgia_table_options* options) {
  const dorsalgia_table_options o = taken(options);
  return TableOptions::from(o.outputs, o.profile, o.strict, o.threads);
}

std::string choice(const char* word, const char* name, std::initializer_list<const char*> choices) {
  if (!word) return *choices.begin();
  std::string all;
  for (const char* c : choices) {
    if (std::strcmp(word, c) == 0) return word;
    all += std::string(all.empty() ? "" : ", ") + c;
  }
  throw Fault(DORSALGIA_BAD_INPUT, fmt::format("{}: one of {} is needed", name, all));
}

std::string report_of(const Brain& l, const std::string& person, const dorsalgia_report_options& o) {
  const std::string format = choice(o.format, "format", {"json", "text", "html"});
  const std::string profile = choice(o.profile, "profile", {"uk", "us"});
  const bool for_person = choice(o.voice, "voice", {"clinician", "person"}) == "person";
  const int width = o.width ? o.width : 100;
  if (width < 40 || width > 140) throw Fault(DORSALGIA_BAD_INPUT, "width: 40 to 140 columns");
  const PersonRead read = read_person(person, l.knowledge, l.model);
  if (!read.faults.empty()) {
    std::string all;
    for (const PersonFault& f : read.faults) all += (all.empty() ? "" : "\n") + clean(f.text());
    throw Fault(DORSALGIA_BAD_INPUT, all);
  }
  const Report report = make_report(l.knowledge, l.exact, read.person, profile);
  if (format == "json") return json_report(report).dump(2) + "\n";
  if (format == "html") return html_report(report, for_person ? Voice::person : Voice::clinician);
  return text_report(report, {false, width, for_person});
}

}  // namespace

extern "C" {

int dorsalgia_load(dorsalgia_model** model, dorsalgia_error* error) {
  return call(error, [&] {
    needed(model, "model");
    *model = nullptr;
    auto made = std::make_unique<dorsalgia_model>();
    made->brain = std::make_shared<const Brain>();
    DORSALGIA_KEPT(made.get());
    *model = made.release();
  });
}

int dorsalgia_free(dorsalgia_model* model) {
  if (!model) return DORSALGIA_OK;
  return call(nullptr, [&] {
    brain_of(model);
    std::shared_ptr<const Brain> last;
    const std::lock_guard lock(model->mutex);
    last.swap(model->brain);
  });
}

const char* dorsalgia_version(void) { return DORSALGIA_VERSION; }

const char* dorsalgia_model_hash(const dorsalgia_model* model) {
  const char* hash = nullptr;
  call(nullptr, [&] { hash = brain_of(model)->model.hash.c_str(); });
  return hash;
}

int dorsalgia_assess(const dorsalgia_model* model, const char* person, size_t length, const dorsalgia_report_options* options,
                     char** report, dorsalgia_error* error) {
  return call(error, [&] {
    needed(report, "report");
    *report = nullptr;
    const auto brain = brain_of(model);
    needed(person, "person");
    const dorsalgia_report_options o = taken(options);
    if (length > kLargestPerson)
      throw Fault(DORSALGIA_BAD_INPUT, fmt::format("the person has {} bytes, more than {}", length, kLargestPerson));
    const std::string text = report_of(*brain, std::string(person, length), o);
    auto* out = static_cast<char*>(std::malloc(text.size() + 1));
    if (!out) throw std::bad_alloc();
    std::memcpy(out, text.c_str(), text.size() + 1);
    *report = out;
  });
}

void dorsalgia_free_text(char* text) { std::free(text); }

int dorsalgia_schema(const dorsalgia_model* model, struct ArrowSchema* out, dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowSchema{};
    const auto brain = brain_of(model);
    export_schema(table_fields(brain->knowledge, brain->model),
                  {{"dorsalgia.model", brain->model.hash}, {"dorsalgia.version", brain->model.version}}, out);
  });
}

int dorsalgia_result_schema(const dorsalgia_model* model, const struct ArrowSchema* table, const dorsalgia_table_options* options,
                            struct ArrowSchema* out, dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowSchema{};
    const auto brain = brain_of(model);
    needed(table, "table");
    Assessor(brain, *table, table_options(options)).schema(out);
  });
}

int dorsalgia_assess_stream(const dorsalgia_model* model, struct ArrowArrayStream* people, const dorsalgia_table_options* options,
                            struct ArrowArrayStream* out, dorsalgia_error* error) {
  Stream owned;
  if (people) owned = Stream(people);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    const auto brain = brain_of(model);
    needed(people, "people");
    assess_stream(brain, std::move(owned), table_options(options), out);
  });
}

int dorsalgia_assess_batch(const dorsalgia_model* model, const struct ArrowSchema* table, struct ArrowArray* people,
                           const dorsalgia_table_options* options, struct ArrowArray* out, dorsalgia_error* error) {
  Array owned;
  if (people) owned = Array(people);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArray{};
    const auto brain = brain_of(model);
    needed(table, "table");
    needed(people, "people");
    Assessor assessor(brain, *table, table_options(options));
    const auto batch = assessor.reader().open(std::move(owned));
    const std::int64_t rows = batch->rows();
    std::vector<Assessor::Part> parts;
    for (std::int64_t at = 0; at < rows; at += kChunk)
      parts.push_back({batch, at, static_cast<int>(std::min<std::int64_t>(kChunk, rows - at)), at});
    assessor.assess(parts, 0, out);
  });
}

int dorsalgia_gather(struct ArrowArrayStream* from, struct ArrowArrayStream* out, dorsalgia_error* error) {
  Stream owned;
  if (from) owned = Stream(from);
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    needed(from, "from");
    gather(std::move(owned), out);
  });
}

int dorsalgia_simulate(const dorsalgia_model* model, const dorsalgia_simulate_options* options, struct ArrowArrayStream* out,
                       dorsalgia_error* error) {
  return call(error, [&] {
    needed(out, "out");
    *out = ArrowArrayStream{};
    const auto brain = brain_of(model);
    simulate_stream(brain, taken(options), out);
  });
}

}  // extern "C"
