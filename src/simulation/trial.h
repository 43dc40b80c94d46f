// In-silico trials: pathways of care on the same virtual people, whose disease goes on while they wait. docs/trials.md.
//
// Adults who come to primary care with back pain for the first time; tumours are drawn more often than they come and
// weighed back. Person i of a seed lives the same life in every pathway (common random numbers): the same course, the same
// findings at each stage, the same luck in coming back, in what notes hold and in waiting lists. Pathways differ only by
// what they do.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "inference/exact.h"
#include "simulation/people.h"
#include "simulation/trial_pathway.h"

namespace dorsalgia {

inline constexpr double kTrialWeeks = 52;  // from the first visit

// What became of one person in one pathway. Times in weeks from the first visit; infinity: not in the year.
struct Fate {
  float diagnosis = 0;
  float compressed = 0;  // cord or cauda under pressure, if that came before diagnosis; negative: before the first visit
  float weak = 0;        // weakness under that pressure
  std::uint8_t visits = 0, mris = 0;
  bool compressed_at_diagnosis = false, walks = false;
};

struct TrialPerson {
  double weight = 1, pain_weeks = 0;  // pain before the first visit
  bool tumour = false, malignant = false, spinal = false, thoracic = false;
};

// Estimate with a 95% interval; NaN when nobody was there to count.
struct OutcomeEstimate {
  double value = 0, low = 0, high = 0;
};

// Medians count those not found within the year as later than all others; infinity: more than half were not found.
// "Malignant" here: malignant causes at a level of the spine, which a scan of the spine can show.
enum class Outcome {
  pain_to_diagnosis,   // median, weeks, malignant
  visit_to_diagnosis,  // median, weeks, malignant
  walking,             // share able to walk among malignant with cord or cauda compressed at diagnosis
  missed,              // share of malignant not found within 52 weeks
  compressed_before,   // share of malignant whose cord or cauda was compressed before diagnosis or within the year
  mri_per_thousand,    // MRI per 1,000 presentations
  found_per_thousand,  // tumours found, benign ones too, per 1,000 MRI
  visits,              // mean number of visits, consultations included
  // of malignant with cord or cauda compressed at diagnosis, to be held against published series
  compressed_pain_days,      // median, first pain to diagnosis
  compressed_visit_days,     // median, first visit to diagnosis
  compressed_weakness_days,  // median, weakness to diagnosis, of those who were weak
  compressed_thoracic,       // share at a thoracic level
};
inline constexpr int kOutcomes = 12;
const char* outcome_id(Outcome outcome);
const char* outcome_name(Outcome outcome);

struct TrialArm {
  const TrialPathway* pathway;
  std::vector<Fate> fates;  // by person
  std::array<OutcomeEstimate, kOutcomes> outcomes;
};

struct TrialResult {
  std::vector<TrialPerson> people;
  std::vector<TrialArm> arms;  // in the order asked for
};

struct TrialOptions {
  std::uint64_t people = 10000, seed = 1;
  unsigned threads = 1;
  int resamples = 200;                       // of the bootstrap, for intervals
  std::function<void(std::uint64_t)> lived;  // so many more people done; called from several threads
};

// Knowledge, trials and engine are only read. The same for any number of threads.
TrialResult run_trial(const Knowledge& knowledge, const ExactEngine& engine, const Trials& trials,
                      const std::vector<const TrialPathway*>& pathways, const TrialOptions& options);

}  // namespace dorsalgia
