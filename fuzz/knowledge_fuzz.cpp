// Any text as any file of a knowledge folder: no crash, no endless work; and what passes every check compiles to a model
// that answers with finite numbers.
//
// The first byte chooses the file; the rest is its text and replaces that file in a small sound folder (fuzz/base), so
// that a change of one number reaches compile() and the engine.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "inference/exact.h"
#include "knowledge/knowledge.h"
#include "pathway/pathway.h"

namespace {

using namespace dorsalgia;

KnowledgeFiles base() {
  KnowledgeFiles files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DORSALGIA_FUZZ_BASE)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    std::ostringstream text;
    text << in.rdbuf();
    files[std::filesystem::relative(entry.path(), DORSALGIA_FUZZ_BASE).generic_string()] = text.str();
  }
  return files;
}

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void demand_answers(const Knowledge& knowledge) {
  const Model model = compile(knowledge);
  demand(model.hash == compile(knowledge).hash, "the same knowledge has two hashes");
  const ExactEngine engine(model);
  Presentation person;
  person.age = 60;
  person.sex = Sex::female;
  const Posterior posterior = engine.posterior(person);
  if (posterior.possible) {
    double sum = 0;
    for (double p : posterior.causes) sum += p;
    demand(std::abs(sum - 1) < 1e-6, "the causes do not sum to 1");
    demand(posterior.tumour >= 0 && posterior.tumour <= 1 + 1e-9, "P(tumour) is not a probability");
  }
  (void)triage(knowledge, model, person, "uk", &posterior);
  (void)compare(knowledge, model, person);
  (void)failing_rule_tests(knowledge, model);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const Loaded loaded = load_knowledge(base());
  for (const auto& c : loaded.complaints) std::fprintf(stderr, "%s\n", c.text().c_str());
  for (const auto& c : check_knowledge(loaded.knowledge)) std::fprintf(stderr, "%s\n", c.text().c_str());
  demand(loaded.complaints.empty() && check_knowledge(loaded.knowledge).empty(), "fuzz/base is not sound");
  demand_answers(loaded.knowledge);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const KnowledgeFiles sound = base();
  if (size == 0) return 0;
  KnowledgeFiles files = sound;
  auto file = files.begin();
  std::advance(file, static_cast<std::uint8_t>(data[0] - 'a') % files.size());
  file->second.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Loaded loaded = load_knowledge(files);
  const auto complaints = check_knowledge(loaded.knowledge);
  if (loaded.complaints.empty() && complaints.empty()) demand_answers(loaded.knowledge);
  for (const auto& c : loaded.complaints) (void)c.text();
  return 0;
}
