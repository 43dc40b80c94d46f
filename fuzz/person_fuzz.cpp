// Any bytes as a person: faults or a person that every later step can work with, never a crash.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "inference/exact.h"
#include "pathway/pathway.h"
#include "person/read.h"

namespace {

using namespace dorsalgia;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void demand_sound(const Answer& a, const Model& model) {
  demand(a.finding >= 0 && a.finding < static_cast<int>(model.findings.size()), "an answer about no finding");
  const ModelFinding& f = model.findings[a.finding];
  demand(a.measured == (f.shape == Shape::measured), "a word for a number, or a number for a word");
  if (a.measured) demand(a.from <= a.to && (std::isfinite(a.from) || std::isfinite(a.to)), "an empty or endless range");
  else demand(a.low >= 0 && a.low <= a.high && a.high < f.grades, "a grade that there is not");
  (void)nlohmann::json(a.given).dump();  // throws when it is not UTF-8
}

void demand_usable(const Presentation& person, const Knowledge& knowledge, const ExactEngine& engine) {
  const Model& model = engine.model();
  for (std::size_t i = 0; i < person.answers.size(); ++i) {
    demand_sound(person.answers[i], model);
    if (i) demand(person.answers[i - 1].finding < person.answers[i].finding, "two answers about one finding");
  }
  for (const AnyOf& any : person.any_of)
    for (const Answer& a : any.answers) demand_sound(a, model);
  if (person.age) demand(*person.age >= 0 && *person.age <= 120, "an age that there is not");
  if (person.weeks) demand((*person.weeks)[0] >= 0 && (*person.weeks)[0] <= (*person.weeks)[1], "a duration that ends before it begins");
  for (const auto& word : person.noted) (void)nlohmann::json(word).dump();
  for (const auto& word : person.unread) (void)nlohmann::json(word).dump();
  const Posterior posterior = engine.posterior(person);
  double sum = 0;
  for (double p : posterior.causes) sum += p;
  if (posterior.possible) demand(std::abs(sum - 1) < 1e-6 && posterior.tumour >= 0 && posterior.tumour <= 1 + 1e-9, "not probabilities");
  (void)triage(knowledge, model, person, "uk", &posterior);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Knowledge knowledge = builtin_knowledge();
  static const Model model = compile(knowledge);
  static const ExactEngine engine(model);
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const UnknownNames unknown : {UnknownNames::refuse, UnknownNames::note}) {
    const PersonRead read = read_person(text, knowledge, model, unknown);
    for (const PersonFault& fault : read.faults) {
      demand(!fault.message.empty(), "a fault without words");
      demand(fault.text().find('\n') == std::string::npos, "a fault of more than one line");
    }
    if (read.faults.empty()) demand_usable(read.person, knowledge, engine);
  }
  return 0;
}
