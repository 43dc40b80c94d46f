// Report: everything that is told about one person, as words and rounded numbers ready to print. No arithmetic on
// probabilities happens past this struct: text.cpp, json.cpp and html.cpp only lay it out.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "inference/explain.h"
#include "inference/intervals.h"

namespace dorsalgia {

// quick: urgency and probabilities, in about a millisecond. Intervals, stages, reasons, questions, changes and fit take the rest of the
// time.
enum class Depth { quick, whole };

struct Report {
  const Knowledge* knowledge = nullptr;  // for names and sources; outlives the report
  const Model* model = nullptr;
  Depth depth = Depth::whole;
  Presentation person;
  std::string profile;
  Triage triage;
  Posterior posterior;                // meaningless for children (triage.child): withheld by every layout
  Intervals intervals;                // 95%, over draws of the model's numbers
  std::vector<Posterior> trajectory;  // at each visit, the first included; empty when there is one only
  Posterior before;                   // the same person's age, sex and setting, before any answer
  std::vector<Reason> reasons;        // largest push first
  std::vector<Question> next;         // best first
  std::vector<Change> changes;
  Fit fit;
  std::vector<ComparatorResult> comparators;
};

Report make_report(const Knowledge& knowledge, const ExactEngine& engine, const ModelDraws& draws, const Presentation& person,
                   const std::string& profile, Depth depth = Depth::whole);

struct TextOptions {
  bool colour = false;
  int width = 100;          // columns
  bool for_person = false;  // plain words instead of a clinician's
};
std::string text_report(const Report& report, const TextOptions& options);
nlohmann::json json_report(const Report& report);  // docs/report.schema.json
// All that could still be asked, the best first, as under "next" in a report.
nlohmann::json json_questions(const Knowledge& knowledge, const ExactEngine& engine, const Presentation& person);
std::string html_report(const Report& report);  // one file, printable, no scripts, nothing fetched

// "4 in 1,000": one denominator for a whole report, honest digits, "fewer than 1 in 10,000" below that.
std::string natural_frequency(double probability, int denominator);
int common_denominator(double smallest_of_interest);

}  // namespace dorsalgia
