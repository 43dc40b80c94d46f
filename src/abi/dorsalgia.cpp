// The functions of include/dorsalgia.h about one person and the model itself; tables.cpp has those about many.
#include <nlohmann/json.hpp>

#include "abi/edge.h"
#include "person/read.h"
#include "report/knowledge_json.h"
#include "report/telling.h"

using namespace dorsalgia;
using namespace dorsalgia::abi;

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

std::string choice(const char* word, const char* name, std::initializer_list<const char*> choices) {
  if (!word) return *choices.begin();
  std::string all;
  for (const char* c : choices) {
    if (std::strcmp(word, c) == 0) return word;
    all += std::string(all.empty() ? "" : ", ") + c;
  }
  throw Fault(DORSALGIA_BAD_INPUT, fmt::format("{}: one of {} is needed", name, all));
}

Presentation person_of(const Brain& l, const char* person, std::size_t length) {
  needed(person, "person");
  if (length > kLargestPerson)
    throw Fault(DORSALGIA_BAD_INPUT, fmt::format("the person has {} bytes, more than {}", length, kLargestPerson));
  PersonRead read = read_person(std::string(person, length), l.knowledge, l.model);
  if (read.faults.empty()) return std::move(read.person);
  std::string all;
  for (const PersonFault& f : read.faults) all += (all.empty() ? "" : "\n") + clean(f.text());
  throw Fault(DORSALGIA_BAD_INPUT, all);
}

std::string report_of(const Brain& l, const char* person, std::size_t length, const dorsalgia_report_options& o) {
#ifdef __EMSCRIPTEN__  // the page lays out its own
  const std::string format = choice(o.format, "format", {"json", "text"});
#else
  const std::string format = choice(o.format, "format", {"json", "text", "html"});
#endif
  const std::string profile = choice(o.profile, "profile", {"uk", "us"});
  const bool for_person = choice(o.voice, "voice", {"clinician", "person"}) == "person";
  const int width = o.width ? o.width : 100;
  if (width < 40 || width > 140) throw Fault(DORSALGIA_BAD_INPUT, "width: 40 to 140 columns");
  if (o.quick != 0 && (o.quick != 1 || format != "json")) throw Fault(DORSALGIA_BAD_INPUT, "quick: 0, or 1 with the format json");
  const Depth depth = o.quick ? Depth::quick : Depth::whole;
  const Report report = make_report(l.knowledge, l.exact, l.draws, person_of(l, person, length), profile, depth);
  if (format == "json") return json_report(report).dump(o.quick ? -1 : 2) + "\n";
#ifndef __EMSCRIPTEN__
  if (format == "html") return html_report(report, for_person ? Voice::person : Voice::clinician);
#endif
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
    *report = handed_over(report_of(*brain, person, length, taken(options)));
  });
}

int dorsalgia_questions(const dorsalgia_model* model, const char* person, size_t length, char** questions, dorsalgia_error* error) {
  return call(error, [&] {
    needed(questions, "questions");
    *questions = nullptr;
    const auto brain = brain_of(model);
    const Presentation read = person_of(*brain, person, length);
    *questions = handed_over(json_questions(brain->knowledge, brain->exact, read).dump());
  });
}

int dorsalgia_knowledge(const dorsalgia_model* model, char** knowledge, dorsalgia_error* error) {
  return call(error, [&] {
    needed(knowledge, "knowledge");
    *knowledge = nullptr;
    const auto brain = brain_of(model);
    *knowledge = handed_over(json_knowledge(brain->knowledge, brain->model).dump());
  });
}

int dorsalgia_course(const dorsalgia_model* model, const char* request, size_t length, char** course, dorsalgia_error* error) {
  return call(error, [&] {
    needed(course, "course");
    *course = nullptr;
    const auto brain = brain_of(model);
    needed(request, "request");
    CourseWanted wanted;
    try {
      if (length > kLargestPerson) throw std::invalid_argument("the request is too long");
      wanted = read_course_wanted(nlohmann::json::parse(std::string(request, length)), brain->model);
    } catch (const std::exception& e) {
      throw Fault(DORSALGIA_BAD_INPUT, clean(e.what()));
    }
    *course = handed_over(json_course(brain->knowledge, brain->model, wanted).dump());
  });
}

void dorsalgia_free_text(char* text) { std::free(text); }

}  // extern "C"
