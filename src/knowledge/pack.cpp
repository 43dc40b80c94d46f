// Knowledge as bytes, so that the program carries it and starts in milliseconds. The bytes are made at build time by
// `knowledge-pack` from knowledge/ and never leave the build: there is no format to keep compatible.
#include <cereal/archives/binary.hpp>
#include <cereal/types/array.hpp>
#include <cereal/types/map.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/utility.hpp>
#include <cereal/types/vector.hpp>
#include <sstream>

#include "knowledge/knowledge.h"

namespace dorsalgia {

template <class A>
void serialize(A& a, Citation& x) {
  a(x.status, x.source, x.where, x.why, x.note, x.file, x.line);
}
template <class A>
void serialize(A& a, Figure& x) {
  a(x.value, x.low, x.high, x.counts, x.cite);
}
template <class A>
void serialize(A& a, AgeSexTable& x) {
  a(x.male, x.female, x.interval_factor, x.cite);
}
template <class A>
void serialize(A& a, NamedTable& x) {
  a(x.values, x.interval_factor, x.cite);
}
template <class A>
void serialize(A& a, Source& x) {
  a(x.key, x.title, x.authors, x.published, x.url, x.doi, x.kind, x.year);
}
template <class A>
void serialize(A& a, Mechanism& x) {
  a(x.id, x.name, x.describes, x.canal);
}
template <class A>
void serialize(A& a, Codes& x) {
  a(x.snomed, x.icd10cm, x.loinc);
}
template <class A>
void serialize(A& a, Level& x) {
  a(x.id, x.region, x.canal, x.cord_segment, x.roots, x.pain);
}
template <class A>
void serialize(A& a, Segment& x) {
  a(x.id, x.dermatome, x.myotome, x.reflex);
}
template <class A>
void serialize(A& a, Referral& x) {
  a(x.organ, x.felt, x.segments);
}
template <class A>
void serialize(A& a, Anatomy& x) {
  a(x.levels, x.segments, x.sensory_level_offset, x.visceral_referral, x.canal_filling, x.interval_factor, x.offset_interval_factor, x.cite,
    x.offset_cite);
}
template <class A>
void serialize(A& a, Setting& x) {
  a(x.id, x.name, x.share);
}
template <class A>
void serialize(A& a, Population& x) {
  a(x.people, x.settings, x.background_share, x.background_median, x.background_spread);
}
template <class A>
void serialize(A& a, RecordedKind& x) {
  a(x.id, x.done, x.present, x.absent);
}
template <class A>
void serialize(A& a, Shift& x) {
  a(x.shift, x.spread);
}
template <class A>
void serialize(A& a, Finding& x) {
  a(x.id, x.name, x.group, x.burden, x.file, x.kind, x.ask_clinician, x.ask_person, x.synonyms, x.codes, x.grades, x.leak, x.leak_table,
    x.mechanisms, x.causes, x.place_root, x.prevalence, x.primary, x.years, x.unit, x.units, x.possible_low, x.possible_high, x.log_scale,
    x.reference_male, x.reference_female, x.centre, x.spread, x.mechanism_shifts, x.cause_shifts, x.line);
}
template <class A>
void serialize(A& a, ContextLink& x) {
  a(x.factor, x.is_share, x.figure, x.years);
}
template <class A>
void serialize(A& a, Cause& x) {
  a(x.id, x.name, x.group, x.course, x.describes, x.file, x.behaviour, x.emergency, x.rate, x.settings, x.levels, x.referral, x.tempo,
    x.accompanied_by, x.context, x.findings, x.measures, x.codes, x.line);
}
template <class A>
void serialize(A& a, Stage& x) {
  a(x.id, x.name, x.mechanisms, x.entry, x.presents, x.to, x.findings);
}
template <class A>
void serialize(A& a, Course& x) {
  a(x.id, x.name, x.describes, x.file, x.fills_canal, x.stages, x.line);
}
template <class A>
void serialize(A& a, Condition& x) {
  a(x.kind, x.of, x.count, x.id, x.finding, x.names, x.low, x.high, x.line);
}
template <class A>
void serialize(A& a, RuleTest& x) {
  a(x.name, x.person_json, x.expect, x.line);
}
template <class A>
void serialize(A& a, Rule& x) {
  a(x.id, x.name, x.profile, x.applies, x.recommendation, x.date_checked, x.urgency, x.action_clinician, x.action_person, x.file, x.cite,
    x.within_hours, x.when, x.needs, x.tests);
}
template <class A>
void serialize(A& a, Threshold& x) {
  a(x.id, x.name, x.quantity, x.urgency, x.recommendation, x.at_least, x.cite);
}
template <class A>
void serialize(A& a, Comparator& x) {
  a(x.id, x.name, x.country, x.cite, x.lists);
}
template <class A>
void serialize(A& a, ScoreOption& x) {
  a(x.id, x.name, x.grade, x.points, x.levels);
}
template <class A>
void serialize(A& a, ScoreItem& x) {
  a(x.id, x.name, x.explain, x.options);
}
template <class A>
void serialize(A& a, ScoreBand& x) {
  a(x.min, x.max, x.grades, x.label, x.action);
}
template <class A>
void serialize(A& a, Score& x) {
  a(x.id, x.name, x.describes, x.applies_to, x.aggregation, x.cite, x.items, x.interpretation, x.notes);
}
template <class A>
void serialize(A& a, SafetyNet& x) {
  a(x.clinician, x.person, x.emergency_numbers, x.intended_use, x.not_excluded);
}
template <class A>
void serialize(A& a, Meaning& x) {
  a(x.answers, x.any);
}
template <class A>
void serialize(A& a, Vocabulary& x) {
  a(x.settings, x.locations, x.primaries, x.panels, x.lab_names, x.noted, x.ignored_keys);
}
template <class A>
void serialize(A& a, Fitted& x) {
  a(x.unfitted, x.parameters, x.mean, x.sd, x.draws);
}
template <class A>
void serialize(A& a, Knowledge& x) {
  a(x.sources, x.mechanisms, x.anatomy, x.population, x.recording, x.findings, x.causes, x.courses, x.definitions, x.rules, x.thresholds,
    x.comparators, x.scores, x.safety_net, x.vocabulary, x.fitted, x.texts);
}

std::string pack_knowledge(const Knowledge& knowledge) {
  std::ostringstream out(std::ios::binary);
  cereal::BinaryOutputArchive archive(out);
  archive(knowledge);
  return out.str();
}

Knowledge unpack_knowledge(const char* data, std::size_t size) {
  std::istringstream in(std::string(data, size), std::ios::binary);
  cereal::BinaryInputArchive archive(in);
  Knowledge out;
  archive(out);
  return out;
}

}  // namespace dorsalgia
