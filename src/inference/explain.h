// What is asked of a posterior beyond its numbers: why, how well the person fits the model, what to ask next, and which
// small change of answers would change the urgency.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inference/exact.h"
#include "pathway/pathway.h"

namespace dorsalgia {

// One answer's push: how far the log-odds of tumour move when it alone is put back, in decibans (10 log10).
// +10 is ten times the odds. Pushes do not add up: answers share what they tell.
struct Reason {
  std::string what;   // as given: "findings.night_pain: present"; "age and sex"; "duration_weeks: 6"; "location"
  std::string group;  // the finding's group; "age and sex", "pain pattern"
  int finding = -1;   // -1 for age and sex, duration, location
  double tumour_decibans = 0, emergency_decibans = 0;
  int mechanism = -1;          // that carries it most; -1 none
  double mechanism_share = 0;  // P(that mechanism is active and brings it)
  std::vector<double> weeks;   // of the visits at which it was said; empty: there is one visit only, or it is no answer
};
std::vector<Reason> reasons(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person, const Posterior& posterior);

// How well the answers go together in the model's eyes: the conflict measure of Jensen, Chamberlain, Nordahl and Jensen
// (UAI 1990), log of prod P(answer) / P(answers). Negative when some cause explains the answers together; well above 0
// when no cause does: then the person is of a kind that the model does not know, or an answer is mistaken.
inline constexpr double kPoorFit = 2.3;  // natural log: together ten times less likely than by chance
struct Fit {
  double log_evidence = 0;     // natural log of P(answers | age, sex, setting)
  double conflict = 0;         // natural log
  bool poor = false;           // conflict >= kPoorFit
  std::string least_expected;  // when poor: the answer that the others make least likely, as given
};
Fit fit(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person, const Posterior& posterior);

// The next best question or test: information per burden.
struct Question {
  Prospect prospect;
  double burden = 1;
  double score = 0;  // (tumour bits + emergency bits) / burden
};
std::vector<Question> next_questions(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person, std::size_t most);

// A smallest change of answers (one, else two) that would change the urgency.
struct Change {
  std::vector<std::pair<int, bool>> answers;  // finding, present
  Urgency urgency;
  std::string because;  // rule or threshold id
};
std::vector<Change> smallest_changes(const ExactEngine& engine, const Knowledge& knowledge, const Presentation& person,
                                     const std::string& profile, const Triage& now);

}  // namespace dorsalgia
