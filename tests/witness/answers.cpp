// What the engines say, for the outside witness (witness.py): people in as JSON lines, numbers out in full precision.
//
//   witness-answers vocabulary                      what can be asked and answered, as one JSON object
//   witness-answers networks FOLDER < people        the network of each person: FOLDER/0.bif, 0.xdsl, 0.uai, 1.bif, ...
//   witness-answers posteriors < people             one line each: {"exact": {...}, "oracle": {...}} or {"fault": "..."}
#include <cmath>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "inference/exact.h"
#include "knowledge/knowledge.h"
#include "model/export.h"
#include "person/read.h"

using namespace dorsalgia;
using nlohmann::json;

namespace {

json vocabulary(const Knowledge& k, const Model& m) {
  json out = {{"settings", m.settings}, {"locations", m.locations}, {"segments", m.segments}, {"findings", json::array()}};
  for (std::size_t i = 0; i < m.findings.size(); ++i) {
    const ModelFinding& f = m.findings[i];
    const char* shapes[] = {"discrete", "context", "history", "measured"};
    json one = {{"id", f.id}, {"shape", shapes[static_cast<int>(f.shape)]}, {"grades", k.findings[i].grades}};
    // Which words mean something for a measured value, by sex: no "low" where nothing is too low.
    if (f.shape == Shape::measured)
      for (int sex = 0; sex < 2; ++sex) {
        json words = {"normal"};
        if (std::isfinite(f.reference_low[sex])) words.push_back("low");
        if (std::isfinite(f.reference_high[sex])) words.push_back("raised");
        one[sex == 0 ? "male" : "female"] = words;
      }
    out["findings"].push_back(one);
  }
  for (const auto& c : m.causes) out["causes"].push_back(c.id);
  for (const auto& x : m.mechanisms) out["mechanisms"].push_back(x.id);
  for (const auto& l : m.levels) out["levels"].push_back(l.id);
  for (const auto& c : m.causes) {
    json stages;
    for (const auto& s : m.courses[c.course].stages) stages.push_back(s.id);
    out["stages"].push_back(stages);
  }
  return out;
}

json numbers(const Posterior& p) {
  return {{"possible", p.possible},     {"log_evidence", p.log_evidence},
          {"tumour", p.tumour},         {"malignant", p.malignant},
          {"emergency", p.emergency},   {"causes", p.causes},
          {"mechanisms", p.mechanisms}, {"levels", p.levels},
          {"stages", p.stages}};
}

int run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  const Knowledge knowledge = builtin_knowledge();
  const Model model = compile(knowledge);
  if (what == "vocabulary") {
    std::cout << vocabulary(knowledge, model) << '\n';
    return 0;
  }
  if (what != "posteriors" && !(what == "networks" && words.size() == 2)) {
    std::cerr << "witness-answers vocabulary | posteriors < people | networks FOLDER < people\n";
    return 2;
  }
  const ExactEngine engine(model);
  const Oracle oracle(model);
  std::string line;
  for (int n = 0; std::getline(std::cin, line); ++n) {
    const PersonRead read = read_person(line, knowledge, model);
    if (what == "networks") {
      if (!read.faults.empty()) {
        std::cerr << "line " << n + 1 << ": " << read.faults[0].text() << '\n';
        return 2;
      }
      const std::pair<const char*, NetworkFormat> formats[] = {
          {"bif", NetworkFormat::bif}, {"xdsl", NetworkFormat::xdsl}, {"uai", NetworkFormat::uai}};
      for (const auto& [ending, format] : formats) {
        const std::string file = words[1] + "/" + std::to_string(n) + "." + ending;
        std::ofstream out(file, std::ios::binary);
        out << export_network(model, read.person, format);
        if (!out.flush()) {
          std::cerr << file << ": cannot be written\n";
          return 2;
        }
      }
      continue;
    }
    if (read.faults.empty())
      std::cout << json{{"exact", numbers(engine.posterior(read.person))}, {"oracle", numbers(oracle.posterior(read.person))}} << '\n';
    else std::cout << json{{"fault", read.faults[0].text()}} << '\n';
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
