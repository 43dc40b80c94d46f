// Knowledge: the medicine, as read from the YAML files of `knowledge/` and checked.
//
// This is the symbolic form: everything by name, every number with its spread, its source and the place it was read
// from. It knows nothing of inference; `compile()` (src/model) turns it into the flat tables that engines see.
// docs/knowledge.md is the format's manual; the structs below follow it key by key.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dorsalgia {

enum class Status { checked, secondary, recalled, judgement };

// Where a number comes from. `line` and `file` say where it stands in knowledge/.
struct Citation {
  Status status = Status::judgement;
  std::string source;  // key into Knowledge::sources; may be empty for judgements
  std::string where;   // table, page, abstract
  std::string why;     // rationale of a judgement
  std::string note;
  std::string file;
  int line = 0;
};

// One number with its 95% interval.
struct Figure {
  double value = 0, low = 0, high = 0;
  std::optional<std::array<double, 2>> counts;  // events, total
  Citation cite;
};

inline constexpr int kAgeBands = 8;
inline constexpr std::array<double, kAgeBands> kAgeFrom = {0, 15, 30, 40, 50, 60, 70, 80};        // lower bounds, years
inline constexpr std::array<double, kAgeBands> kAgeMiddle = {7.5, 22.5, 35, 45, 55, 65, 75, 86};  // where values apply

// Figures by age band and sex, one citation.
struct AgeSexTable {
  std::array<double, kAgeBands> male{}, female{};
  double interval_factor = 1;
  Citation cite;
};

// Named figures with one citation: shares that sum to 1, or relative weights.
struct NamedTable {
  std::vector<std::pair<std::string, double>> values;
  double interval_factor = 1;
  Citation cite;
};

struct Source {
  std::string key, title, authors, published, url, doi, kind;
  int year = 0;
};

struct Mechanism {
  std::string id, name, describes;
  std::vector<std::string> canal;  // parts of the canal in which it can be real; empty: anywhere
};

struct Codes {
  std::string snomed, icd10cm, loinc;
};

// ---- anatomy

struct Level {
  std::string id, region, canal, cord_segment;
  std::vector<std::pair<std::string, double>> roots;  // segment -> share of lesions that hit it
  std::vector<std::pair<std::string, double>> pain;   // pain location -> share
};

struct Segment {
  std::string id, dermatome, myotome, reflex;
};

struct Referral {
  std::string organ, felt;
  std::vector<std::string> segments;
};

struct Anatomy {
  std::vector<Level> levels;
  std::vector<Segment> segments;
  std::vector<std::pair<int, double>> sensory_level_offset;  // segments below (+) or above (-) the lesion -> share
  std::vector<Referral> visceral_referral;
  NamedTable canal_filling;  // cord, conus, cauda: how fast a tumour fills the canal there until nerves suffer, relative to beside the cord
  double interval_factor = 1, offset_interval_factor = 1;
  Citation cite, offset_cite;
};

// ---- people

struct Setting {
  std::string id, name;
  Figure share;
};

struct Population {
  AgeSexTable people;
  std::vector<Setting> settings;
  Figure background_share, background_median, background_spread;
};

// What gets written down, for virtual records (src/simulation): of one kind of finding by setting, a probability.
struct RecordedKind {
  std::string id;              // a burden (question, examination, blood_test, ...), or "duration" or "location"
  NamedTable done;             // asked about, examined, ordered at all: once for a person and kind; empty: always
  NamedTable present, absent;  // of what was done: written down when it is so, and when it is not (not for duration, location)
};

// ---- findings

enum class FindingKind { symptom, sign, context, history, test, measured };

// Links from one parent: for graded findings one figure a grade above the first, P(at least that grade).
using Grades = std::vector<Figure>;

struct Shift {
  Figure shift;
  std::optional<Figure> spread;
};

struct Finding {
  std::string id, name, group, burden, file;
  FindingKind kind = FindingKind::symptom;
  std::string ask_clinician, ask_person;
  std::vector<std::string> synonyms;
  Codes codes;
  // discrete
  std::vector<std::string> grades;  // empty: absent, present
  std::vector<Figure> leak;         // one a grade above the first; empty when leak_table is set
  std::optional<AgeSexTable> leak_table;
  std::vector<std::pair<std::string, Grades>> mechanisms, causes;
  std::string place_root;  // segment, for place findings
  // context and history
  std::optional<AgeSexTable> prevalence;
  std::string primary;              // history: which cancer
  std::optional<NamedTable> years;  // history: <1, 1-5, 5-10, >=10 years ago
  // measured
  std::string unit;
  std::vector<std::pair<std::string, double>> units;
  double possible_low = 0, possible_high = 0;
  bool log_scale = false;
  std::array<std::optional<double>, 2> reference_male, reference_female;
  AgeSexTable centre;
  Figure spread;
  std::vector<std::pair<std::string, Shift>> mechanism_shifts, cause_shifts;
  int line = 0;
};

// ---- causes and courses

struct ContextLink {
  std::string factor;
  bool is_share = false;  // else a rate ratio
  Figure figure;
  std::optional<NamedTable> years;
};

enum class Behaviour { none, benign, malignant };

struct Cause {
  std::string id, name, group, course, describes, file;
  Behaviour behaviour = Behaviour::none;
  bool emergency = false;
  AgeSexTable rate;  // per 100,000 person-years
  NamedTable settings, levels;
  std::optional<NamedTable> referral;
  std::optional<Figure> tempo;
  std::optional<std::pair<std::string, Figure>> accompanied_by;
  std::vector<ContextLink> context;
  std::vector<std::pair<std::string, Grades>> findings;
  std::vector<std::pair<std::string, Shift>> measures;
  Codes codes;
  int line = 0;
};

struct Stage {
  std::string id, name;
  std::vector<std::string> mechanisms;
  std::optional<Figure> entry;
  Figure presents;
  std::vector<std::pair<std::string, Figure>> to;
  std::vector<std::pair<std::string, Grades>> findings;
};

struct Course {
  std::string id, name, describes, file;
  bool fills_canal = false;  // grows into the canal from outside: Anatomy::canal_filling multiplies the speeds into compression
  std::vector<Stage> stages;
  int line = 0;
};

// ---- rules

// A condition over answers; evaluated with three truth values (src/pathway).
struct Condition {
  // The last four ask for the truth, which only studies can (docs/studies.md).
  enum class Kind {
    all,
    any,
    none,
    at_least,
    finding,
    any_cancer_history,
    age,
    sex,
    duration,
    location,
    setting,
    measured,
    cause,
    mechanism,
    region,
    stage
  };
  Kind kind = Kind::all;
  std::vector<Condition> of;
  int count = 0;                    // at_least
  std::string id;                   // finding (or the name of a definition, which then stands in `of`), sex, measured
  int finding = -1;                 // index into Knowledge::findings, once resolved
  std::vector<std::string> names;   // location, setting, cause, mechanism, region, stage
  std::optional<double> low, high;  // age, duration (inclusive), measured (above, below)
  int line = 0;
};

struct RuleTest {
  std::string name, person_json, expect;  // expect: true | false | unknown
  int line = 0;
};

struct Rule {
  std::string id, name, profile, applies, recommendation, date_checked, urgency, action_clinician, action_person, file;
  Citation cite;
  std::optional<double> within_hours;
  Condition when;
  std::vector<std::string> needs;
  std::vector<RuleTest> tests;
};

struct Threshold {
  std::string id, name, quantity, urgency, recommendation;
  double at_least = 1;
  Citation cite;
};

struct Comparator {
  std::string id, name, country;
  Citation cite;
  std::vector<std::pair<std::string, Condition>> lists;
};

// ---- scores

struct ScoreOption {
  std::string id, name, grade;
  double points = 0;
  std::vector<std::string> levels;
};

struct ScoreItem {
  std::string id, name, explain;
  std::vector<ScoreOption> options;
};

struct ScoreBand {
  std::optional<double> min, max;
  std::vector<std::string> grades;  // of category scores, instead of min and max
  std::string label, action;
};

struct Score {
  std::string id, name, describes, applies_to, aggregation;
  Citation cite;
  std::vector<ScoreItem> items;
  std::vector<ScoreBand> interpretation;
  std::vector<std::string> notes;
};

struct SafetyNet {
  std::vector<std::string> clinician, person;
  std::map<std::string, std::string> emergency_numbers;
  std::string intended_use, not_excluded;
};

// ---- words understood as input

// What one word in `labs` or `context` stands for: answers to findings. answer is present | absent | raised | low |
// normal; `any` means at least one of them holds.
struct Meaning {
  std::vector<std::pair<std::string, std::string>> answers;
  bool any = false;
};

struct Vocabulary {
  std::map<std::string, std::string> settings;                           // word -> setting id
  std::map<std::string, std::vector<std::string>> locations;             // word -> pain locations
  std::map<std::string, std::string> primaries;                          // word -> history finding, for cancer_history
  std::map<std::string, std::map<std::string, Meaning>> panels;          // labs: fbc -> normal -> meaning
  std::map<std::string, std::pair<std::string, std::string>> lab_names;  // hb_g_dl -> (haemoglobin, g/dL)
  std::vector<std::string> noted;                                        // context and findings that are understood and change nothing
  std::vector<std::string> ignored_keys;                                 // keys of published case files that are never read
};

// What calibration made of the numbers, in units of each parameter's prior standard deviation from the hand-written value
// (src/model/parameter.h). Empty: not calibrated.
struct Fitted {
  std::string unfitted;                   // hash of the model that was fitted
  std::vector<std::string> parameters;    // ids
  std::vector<double> mean, sd;           // by parameter
  std::vector<std::vector<float>> draws;  // [draw][parameter], from the joint posterior
  bool from_noise = false;                // true (in the page): draws hold their distance from knowledge/noise.h, in whole tenths
};

struct Knowledge {
  std::map<std::string, Source> sources;
  std::vector<Mechanism> mechanisms;
  Anatomy anatomy;
  Population population;
  std::vector<RecordedKind> recording;  // empty: this folder says nothing of it
  std::vector<Finding> findings;        // by id
  std::vector<Cause> causes;
  std::vector<Course> courses;
  std::map<std::string, Condition> definitions;
  std::vector<Rule> rules;
  std::vector<Threshold> thresholds;
  std::vector<Comparator> comparators;
  std::vector<Score> scores;
  SafetyNet safety_net;
  Vocabulary vocabulary;
  Fitted fitted;
  std::map<std::string, std::string> texts;  // files of studies/ and trials/, read when they are asked for

  const Finding* finding(const std::string& id) const;
  const Cause* cause(const std::string& id) const;
  const Course* course(const std::string& id) const;
  const Mechanism* mechanism(const std::string& id) const;
  const Score* score(const std::string& id) const;
};

// A fault in the knowledge base: where, what, and how to mend it.
struct Complaint {
  std::string file;
  int line = 0;
  std::string message, hint;
  std::string text() const;  // "file:line: message (hint)"
};

struct Loaded {
  Knowledge knowledge;
  std::vector<Complaint> complaints;  // empty: sound
};

// Files as (path relative to the knowledge folder, text). Never throws on bad content; every fault is a complaint.
using KnowledgeFiles = std::map<std::string, std::string>;
Loaded load_knowledge(const KnowledgeFiles& files);
Loaded load_knowledge_folder(const std::string& folder);

// Faults of meaning: unresolved ids and sources, intervals, sums, findings that link to nothing, causes without rates.
// (A finding that moves no posterior is found by compiling: see src/model/influence.h.)
std::vector<Complaint> check_knowledge(const Knowledge& knowledge);

// Every figure and table with its citation, for the audit: path ("causes/met_breast rate") and citation.
struct Cited {
  std::string path;
  Citation cite;
  int numbers = 1;  // how many numbers it holds
};
std::vector<Cited> all_numbers(const Knowledge& knowledge);

// Binary form that is built into the program.
std::string pack_knowledge(const Knowledge& knowledge);
Knowledge unpack_knowledge(const char* data, std::size_t size);
Knowledge builtin_knowledge();  // what this program was built with

// The known name nearest to a mistyped one ("" when nothing is near).
std::string nearest_name(const std::string& word, const std::vector<std::string>& known);

const char* status_name(Status status);

}  // namespace dorsalgia
