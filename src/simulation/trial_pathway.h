// A pathway of care as data (knowledge/trials): when people come back, what they are asked, which finding leads to which
// test, and how long that takes. docs/trials.md is the format's manual; the structs follow it key by key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "knowledge/knowledge.h"
#include "pathway/pathway.h"

namespace dorsalgia {

// A waiting time, log-normal: median in weeks and standard deviation of its natural logarithm.
struct Wait {
  double median = 0, spread = 0;
  Citation cite;
};

struct TrialTest {
  std::string id, name;
  std::vector<int> gives;         // findings that are known from it; empty for a consultation
  std::vector<int> shows_tumour;  // of these, present: the tumour is found
  bool mri = false;               // counted as a scan
  bool consultation = false;      // a visit to a specialist: every question is asked and everything examined
};

// All parts that are there must hold; none: always.
struct TrialWhen {
  std::optional<Condition> condition;
  std::optional<Threshold> probability;  // of malignant, tumour or emergency
  std::optional<Urgency> urgency;        // what triage() says is at least this
  std::string profile;                   // of that triage
  std::vector<std::string> rules;        // only these of its rules; empty: all
  std::vector<Condition> lists;          // any of these parts of a comparator
};

struct TrialStep {
  TrialWhen when;
  int test = -1;   // what is ordered
  int after = -1;  // only once the result of this test is there
  Wait wait;
  // Weeks after which this step may repeat the test: when it asks about findings, only if one of them has come since it was
  // ordered last; not given: never.
  std::optional<double> again_after;
  std::vector<int> spoken_of;  // findings that `when` asks about
};

struct TrialPathway {
  std::string id, name, file;
  Citation cite;
  double return_weeks = 4, comes_back = 1;  // while the pain lasts, a visit each so many weeks, with this probability
  double comes_back_worse = 1;              // the same while the pain grows (progressive_pain)
  Citation return_cite, comes_back_cite, comes_back_worse_cite;
  // From new pressure on cord or cauda to an unscheduled visit; not given: as fast as people of that stage come to care.
  std::optional<Wait> new_compression;
  std::vector<int> asked;  // findings that are asked about and noted at every visit, besides what notes hold by chance
  std::vector<TrialStep> steps;

  bool needs_probability() const;
};

struct Trials {
  std::vector<TrialTest> tests;
  std::vector<TrialPathway> pathways;  // by id
};

// Files as Knowledge::texts; only those of trials/ are read. Never throws on bad content; every fault is a complaint.
Trials read_trials(const KnowledgeFiles& files, const Knowledge& knowledge, std::vector<Complaint>& complaints);

}  // namespace dorsalgia
