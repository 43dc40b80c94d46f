// Telling: a report put in order and into words, once, for every layout. text.cpp and html.cpp only place what is here;
// json.cpp shares the orders. What a section holds is empty when there is nothing to say, or nothing may be said
// (children, answers that exclude each other): then `withheld` says why and no layout shows a number.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "report/report.h"

namespace dorsalgia {

enum class Voice { clinician, person };

struct ToldRule {
  Urgency urgency = Urgency::routine;
  std::string name, action;
  std::string limit;           // "within 24 hours"
  std::string source;          // "Spinal metastases and ... NICE guideline NG234 (2023)"
  std::string short_source;    // "NICE guideline NG234 (2023)"
  std::string recommendation;  // "1.3.2; imaging 1.5.2"
  std::string grade;           // how well the wording was checked
  std::string checked;         // date
  std::string why;             // what was left to judgement
  std::string value;           // thresholds: "38 in 1,000 now; asks from 30 in 1,000"
};

struct ToldShare {
  std::string name, note;
  double probability = 0;
  std::string count;  // of the denominator: "37", "<1"
  std::string range;  // its 95% interval, likewise: "20 to 61"; empty when none is told
  bool tumour = false;
};

struct ToldPush {
  std::string what, words, carrier;
  double decibans = 0, emergency_decibans = 0;
};
struct ToldPushes {
  std::string group;
  std::vector<ToldPush> pushes;
};

struct ToldOutcome {
  std::string answer, chance, tumour, emergency;  // counts
};
struct ToldQuestion {
  std::string ask, burden;
  std::vector<ToldOutcome> outcomes;
};

struct ToldChange {
  bool up = true;
  std::string answers, urgency, because;
};

struct ToldVisit {
  double weeks = 0;  // since the first visit
  std::string when;  // "first visit", "week 4"
  std::string news;  // what was said then, shortened
  double tumour = 0, emergency = 0;
  std::string tumour_count, emergency_count;
};

struct Mark {  // on the ladder of chances
  std::string name;
  double probability;
};

struct Told {
  Voice voice = Voice::clinician;
  int denominator = 1000;
  std::string of;  // "of 1,000"
  std::string id, person;
  bool child = false;

  Urgency urgency = Urgency::routine;
  std::string urgency_title, action;
  std::vector<ToldRule> rules;

  std::vector<std::string> not_assessed;
  std::size_t not_assessed_more = 0;  // further ones, in the JSON
  std::string could_become;           // how urgent it may get once they are
  std::vector<std::string> not_entered;

  std::string withheld;
  std::string answer, before, certainty;
  double tumour = 0, malignant = 0;
  std::string tumour_count, malignant_count, emergency_count;
  std::vector<Mark> ladder;
  std::vector<ToldVisit> visits;  // two or more, or none

  std::vector<ToldShare> causes, mechanisms, regions, stages;
  std::vector<std::pair<std::string, double>> levels;  // by level, in order of the spine
  std::vector<std::pair<int, ToldShare>> forecast;     // weeks
  std::string forecast_sentence;                       // for people
  std::vector<ToldPushes> reasons;
  std::string hardly;  // what hardly counts, for people
  std::vector<ToldQuestion> next;
  std::vector<ToldChange> changes;
  std::string poor_fit;
  std::vector<std::string> lists_fire, lists_fire_ids;
  std::string lists_rest;
  std::vector<std::string> noted, unread;
  std::vector<std::string> safety_net;
  std::string emergency_number, not_excluded, intended_use, model;
};

Told tell(const Report& report, Voice voice);

std::string count_of(double probability, int denominator);  // "37", "<1", ">999", "1,200"
std::string grouped(long number);                           // "10,000"
// Words of users without control characters, direction marks and broken UTF-8: safe for a terminal and for JSON.
std::string clean(const std::string& text);

std::string withheld_because(const Report& report);             // "" when probabilities may be shown
std::vector<int> by_probability(const std::vector<double>& p);  // indices, the largest first
std::string answer_name(const Finding& finding, const ModelFinding& model, std::size_t grade);
std::string because_name(const Knowledge& knowledge, const std::string& id);  // of a rule or a threshold

std::string signed_decibans(double decibans);  // "+3.2"
// "pushes up a lot" -> "a lot", beside a sign or bar that says which way.
std::string how_much(const std::string& words);

std::string html_report(const Report& report, Voice voice);

}  // namespace dorsalgia
