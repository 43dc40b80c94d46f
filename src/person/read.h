// JSON -> Presentation. Every fault is reported with its path ("findings.fevre") and a remedy; nothing is guessed.
//
//   {"age": 68, "sex": "female", "setting": "primary care", "duration_weeks": 6, "location": "thoracic",
//    "context": {"cancer_history": "breast", "years_since_cancer": 3, "smoker": false},
//    "findings": {"night_pain": "present", "weight_loss": "absent", "fever": null},
//    "labs": {"esr_mm_h": 54, "haemoglobin": "11.2 g/dL", "crp": "raised", "calcium": {"value": 2.9, "unit": "mmol/L"}},
//    "visits": [{"weeks": 4, "findings": {"weakness": "present"}}, {"weeks": 9, "recovered": true}]}
//
// null and a missing key mean unknown. Numbers with several possible units need theirs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "person/presentation.h"

namespace dorsalgia {

struct PersonFault {
  std::string path, message, remedy;
  std::string text() const;  // "findings.fevre: no finding is called 'fevre' (did you mean 'fever'?)"
};

struct PersonRead {
  Presentation person;
  std::vector<PersonFault> faults;  // empty: person is good to use
};

enum class UnknownNames {
  refuse,  // a name that is not known is a fault
  note,    // it is kept in Presentation::noted and else ignored; for files of cases coded elsewhere
};

inline constexpr std::size_t kLargestPerson = 1u << 20;  // bytes
inline constexpr std::size_t kMostVisits = 6;            // the first included
inline constexpr int kDeepestPerson = 16;                // levels of nesting

PersonRead read_person(const std::string& text, const Knowledge& knowledge, const Model& model,
                       UnknownNames unknown = UnknownNames::refuse);
PersonRead read_person(const nlohmann::json& json, const Knowledge& knowledge, const Model& model,
                       UnknownNames unknown = UnknownNames::refuse);

// Strict JSON: no duplicate keys, no NaN, valid UTF-8, limited depth and size. Faults instead of exceptions.
bool parse_strictly(const std::string& text, std::size_t largest, nlohmann::json& out, std::vector<PersonFault>& faults);

}  // namespace dorsalgia
