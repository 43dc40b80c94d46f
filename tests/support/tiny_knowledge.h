// A knowledge base small enough to work out by hand, with one thing of every kind: for tests that need a sound one to
// break, or a model to reason about. Four levels (cord, conus, cauda, not_spinal), three causes, six findings.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <string>

#include "knowledge/knowledge.h"
#include "model/influence.h"
#include "model/model.h"
#include "pathway/pathway.h"

namespace dorsalgia {

inline KnowledgeFiles tiny_knowledge_files() {
  KnowledgeFiles f;
  f["sources/all.yaml"] = R"(tiny-2020:
  title: A small study
  authors: Tiny T
  year: 2020
  published: J Small 1:1
  kind: study
)";
  f["mechanisms.yaml"] = R"(mechanisms:
  - {id: tumour_bone_pain, name: tumour in bone, describes: Constant pain.}
  - {id: root_compression, name: root, describes: Radiating pain., canal: [cord, conus, cauda]}
  - {id: cord_compression, name: cord, describes: Weak legs., canal: [cord, conus]}
  - {id: cauda_equina_compression, name: cauda equina, describes: Numb saddle., canal: [conus, cauda]}
  - {id: muscle_strain, name: strain, describes: Pain on movement.}
)";
  f["anatomy.yaml"] = R"(levels:
  - {id: T8, region: thoracic, canal: cord, cord_segment: L3, roots: {L3: 1}, pain: {thoracic: 0.8, lumbar: 0.2}}
  - {id: L1, region: lumbar, canal: conus, cord_segment: L5, roots: {L4: 1}, pain: {thoracolumbar: 0.6, lumbar: 0.4}}
  - {id: L4, region: lumbar, canal: cauda, cord_segment: null, roots: {L5: 0.75, S1: 0.25}, pain: {lumbar: 0.9, sacral: 0.1}}
  - {id: not_spinal, region: outside, canal: none, cord_segment: null, roots: {}, pain: {}}
tables_status: {interval_factor: 1.5, status: judgement, why: "made up"}
segments:
  - {id: L3, dermatome: knee}
  - {id: L4, dermatome: shin}
  - {id: L5, dermatome: big toe}
  - {id: S1, dermatome: heel, reflex: ankle}
sensory_level_offset: {values: {0: 0.7, 1: 0.3}, interval_factor: 1.5, status: judgement, why: "made up"}
visceral_referral:
  - {organ: kidney, segments: [L3], felt: flank}
)";
  f["population.yaml"] = R"(people:
  ages:   [0, 15, 30, 40, 50, 60, 70, 80]
  male:   [0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625]
  female: [0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625, 0.0625]
  interval_factor: 1.1
  status: judgement
  why: "made up"
settings:
  - {id: primary_care, name: general practice, share: {value: 0.8, interval: [0.7, 0.9], status: judgement, why: "made up"}}
  - {id: emergency, name: emergency department, share: {value: 0.2, interval: [0.1, 0.3], status: judgement, why: "made up"}}
background_pain:
  share: {value: 0.1, interval: [0.05, 0.2], status: judgement, why: "made up"}
  median_weeks: {value: 100, interval: [50, 200], status: judgement, why: "made up"}
  spread: {value: 1.2, interval: [0.8, 1.6], status: judgement, why: "made up"}
)";
  f["vocabulary.yaml"] = R"(settings: {gp: primary_care, primary_care: primary_care, emergency: emergency}
locations: {thoracic: [thoracic], thoracolumbar: [thoracolumbar], lumbar: [lumbar], sacral: [sacral], flank: [flank], cervical: [cervical]}
primaries: {breast: history_breast}
lab_names: {esr_mm_h: {finding: esr, unit: mm/h}}
panels: {inflammatory_markers: {raised: {esr: raised}, normal: {esr: normal}}}
noted: [occupation]
ignored_keys: [truth]
)";
  f["safety_net.yaml"] = R"(always:
  clinician: ["Agree who reviews this person, and when."]
  person: ["Seek help at once for weak legs."]
emergency_numbers: {uk: "999", us: "911"}
intended_use: "Tests."
not_excluded: "No answer here rules out a tumour."
)";
  f["courses/spread.yaml"] = R"(id: spread
name: growth of a tumour
describes: From bone to the canal.
stages:
  - id: bone
    name: in the bone
    mechanisms: [tumour_bone_pain]
    entry: {value: 1, interval: [0.9, 1], status: judgement, why: "made up"}
    presents: {value: 0.1, interval: [0.05, 0.2], status: judgement, why: "made up"}
    to: {compressed: {value: 0.05, interval: [0.02, 0.1], status: judgement, why: "made up"}}
  - id: compressed
    name: in the canal
    mechanisms: [tumour_bone_pain, root_compression, cord_compression, cauda_equina_compression]
    presents: {value: 0.5, interval: [0.3, 0.9], status: judgement, why: "made up"}
    findings:
      night_pain: {value: 0.3, interval: [0.2, 0.4], status: judgement, why: "made up"}
)";
  f["courses/settling.yaml"] = R"(id: settling
name: a strain that settles
describes: It gets better.
stages:
  - id: sore
    name: sore
    mechanisms: [muscle_strain]
    entry: {value: 1, interval: [0.9, 1], status: judgement, why: "made up"}
    presents: {value: 0.2, interval: [0.1, 0.4], status: judgement, why: "made up"}
    to: {recovered: {value: 0.3, interval: [0.2, 0.4], status: judgement, why: "made up"}}
)";
  auto cause = [&f](const std::string& id, const std::string& behaviour, const std::string& course, const std::string& rate,
                    const std::string& levels, const std::string& more) {
    const std::string eight = rate + ", " + rate + ", " + rate + ", " + rate + ", " + rate + ", " + rate + ", " + rate + ", " + rate;
    f["causes/tiny/" + id + ".yaml"] =
        "id: " + id + "\nname: " + id + " in words\ngroup: " + (behaviour == "none" ? "nonspecific" : "metastasis") +
        "\nbehaviour: " + behaviour + "\ncourse: " + course +
        "\ndescribes: A made up cause.\nrate:\n  ages: [0, 15, 30, 40, 50, 60, 70, 80]\n  male: [" + eight + "]\n  female: [" + eight +
        "]\n  interval_factor: 2\n  source: tiny-2020\n  where: Table 1\n  status: checked\n" +
        "settings: {values: {primary_care: 1, emergency: 2}, interval_factor: 2, status: judgement, why: \"made up\"}\n" +
        "levels:\n  values: " + levels + "\n  interval_factor: 1.5\n  status: judgement\n  why: \"made up\"\n" + more;
  };
  cause("met", "malignant", "spread", "10", "{thoracic: 0.6, lumbar: 0.4}", R"(context:
  history_breast: {share: {value: 0.7, interval: [0.5, 0.9], status: judgement, why: "made up"}}
  smoker:
    ratio: {value: 2, interval: [1.5, 3], source: tiny-2020, where: Table 2, status: checked}
codes: {snomed: '94222008', icd10cm: C79.51}
)");
  cause("kidney_tumour", "malignant", "spread", "2", "{lumbar: 0.5, not_spinal: 0.5}",
        R"(referral: {values: {flank: 1}, interval_factor: 1.5, status: judgement, why: "made up"}
measures:
  esr: {shift: {value: 0.8, interval: [0.5, 1.2], status: judgement, why: "made up"}}
)");
  cause("strain", "none", "settling", "1000", "{lumbar: 1}", "");
  f["findings/tiny/night_pain.yaml"] = R"(id: night_pain
name: pain at night
kind: symptom
group: pain pattern
burden: question
ask: {clinician: "Pain at night?", person: "Does it wake you?"}
synonyms: [nocturnal_pain]
leak: {value: 0.05, interval: [0.02, 0.1], status: judgement, why: "made up"}
mechanisms:
  tumour_bone_pain: {counts: [30, 50], source: tiny-2020, where: Table 3, status: checked}
  muscle_strain: {value: 0.2, interval: [0.1, 0.3], status: judgement, why: "made up"}
)";
  f["findings/tiny/numb_dermatome_l5.yaml"] = R"(id: numb_dermatome_l5
name: numb big toe
kind: sign
group: nerve signs
burden: examination
ask: {clinician: "Numb in L5?", person: "Is the big toe numb?"}
place: {root: L5}
leak: {value: 0.01, interval: [0.005, 0.02], status: judgement, why: "made up"}
mechanisms:
  root_compression: {value: 0.4, interval: [0.2, 0.6], status: judgement, why: "made up"}
  cord_compression: {value: 0.5, interval: [0.3, 0.7], status: judgement, why: "made up"}
)";
  f["findings/tiny/smoker.yaml"] = R"(id: smoker
name: smokes
kind: context
group: history
burden: question
ask: {clinician: "Smoker?", person: "Do you smoke?"}
prevalence: {value: 0.2, interval: [0.1, 0.3], status: judgement, why: "made up"}
)";
  f["findings/tiny/history_breast.yaml"] = R"(id: history_breast
name: breast cancer in the past
kind: history
group: history
burden: question
primary: breast
ask: {clinician: "Breast cancer?", person: "Have you had breast cancer?"}
prevalence: {value: 0.02, interval: [0.01, 0.03], status: judgement, why: "made up"}
years: {values: [0.1, 0.2, 0.3, 0.4], interval_factor: 1.5, status: judgement, why: "made up"}
)";
  f["findings/tiny/mri_lesion.yaml"] = R"(id: mri_lesion
name: MRI shows a lesion
kind: test
group: imaging
burden: mri
ask: {clinician: "Lesion on MRI?", person: "Has an MRI shown a lesion?"}
grades: [none, suspicious, definite]
leak:
  - {value: 0.02, interval: [0.01, 0.04], status: judgement, why: "made up"}
  - {value: 0.002, interval: [0.001, 0.004], status: judgement, why: "made up"}
mechanisms:
  tumour_bone_pain:
    - {value: 0.9, interval: [0.8, 0.95], status: judgement, why: "made up"}
    - {value: 0.7, interval: [0.5, 0.8], status: judgement, why: "made up"}
)";
  f["findings/tiny/esr.yaml"] = R"(id: esr
name: erythrocyte sedimentation rate
kind: measured
group: blood tests
burden: blood_test
ask: {clinician: "ESR?", person: "What was your ESR?"}
unit: "mm/h"
units: {"mm/h": 1}
possible: [1, 200]
scale: log
reference: {male: [null, 15], female: [null, 20]}
background:
  centre:
    ages: [0, 15, 30, 40, 50, 60, 70, 80]
    male: [5, 5, 5, 6, 8, 10, 12, 15]
    female: [7, 8, 8, 9, 11, 13, 16, 19]
    interval_factor: 1.4
    status: judgement
    why: "made up"
  spread: {value: 0.8, interval: [0.6, 1], status: judgement, why: "made up"}
mechanisms:
  tumour_bone_pain:
    shift: {value: 0.4, interval: [0.1, 0.8], status: judgement, why: "made up"}
    spread: {value: 0.3, interval: [0.1, 0.5], status: judgement, why: "made up"}
codes: {loinc: '4537-7'}
)";
  f["pathways/definitions.yaml"] = "definitions:\n  nerve_signs: {any: [numb_dermatome_l5]}\n";
  f["pathways/thresholds.yaml"] = R"(thresholds:
  - {id: some_tumour, name: five in a hundred, quantity: tumour, at_least: 0.05, urgency: soon, status: judgement, why: "made up"}
)";
  f["pathways/common/cancer_and_night_pain.yaml"] = R"(id: cancer_and_night_pain
name: night pain after cancer
profile: common
applies: any
date_checked: 2026-11-22
status: judgement
why: "made up"
urgency: urgent
action: {clinician: "MRI within days.", person: "See a doctor within days."}
when: {all: [any_cancer_history, night_pain]}
needs: [any_cancer_history, night_pain]
tests:
  - {name: "both", fires: true, person: {age: 60, sex: female, context: {cancer_history: breast}, findings: {night_pain: present}}}
  - {name: "never had cancer", fires: false, person: {age: 60, sex: female, context: {cancer_history: none}, findings: {night_pain: present}}}
)";
  f["pathways/comparators/short_list.yaml"] = R"(id: short_list
name: a short list
country: nowhere
source: tiny-2020
status: checked
lists: {malignancy: {any: [night_pain, {age: {min: 50}}]}}
)";
  f["scores/tiny_score.yaml"] = R"(id: tiny_score
name: Tiny score
describes: Two items.
applies_to: Tests.
aggregation: sum
source: tiny-2020
status: checked
items:
  - id: location
    name: Location
    options:
      - {id: stiff, points: 1, name: stiff part, levels: [T8]}
      - {id: mobile, points: 3, name: mobile part, levels: [L1, L4]}
  - id: pain
    name: Pain
    options:
      - {id: none, points: 0, name: none}
      - {id: some, points: 2, name: some}
interpretation:
  - {min: 1, max: 2, label: low}
  - {min: 3, max: 5, label: high, action: act}
)";
  return f;
}

// Every complaint, in the order in which `dorsalgia knowledge check` looks: each step only when the one before found none.
inline std::vector<Complaint> complaints_about(const KnowledgeFiles& files) {
  const Loaded loaded = load_knowledge(files);
  if (!loaded.complaints.empty()) return loaded.complaints;
  if (auto found = check_knowledge(loaded.knowledge); !found.empty()) return found;
  const Model model = compile(loaded.knowledge);
  auto found = findings_without_influence(loaded.knowledge, model);
  for (const auto& line : failing_rule_tests(loaded.knowledge, model)) found.push_back({"", 0, line, ""});
  return found;
}

inline Knowledge tiny_knowledge() {
  Loaded loaded = load_knowledge(tiny_knowledge_files());
  if (loaded.complaints.empty()) loaded.complaints = check_knowledge(loaded.knowledge);
  if (!loaded.complaints.empty()) throw std::logic_error(loaded.complaints[0].text());
  return std::move(loaded.knowledge);
}

// Puts `with` in place of the only `what` in the file.
inline void edit(KnowledgeFiles& files, const std::string& file, const std::string& what, const std::string& with) {
  std::string& text = files.at(file);
  const auto at = text.find(what);
  ASSERT_NE(at, std::string::npos) << file << " holds no '" << what << "'";
  ASSERT_EQ(text.find(what, at + 1), std::string::npos) << file << " holds '" << what << "' more than once";
  text.replace(at, what.size(), with);
}

// Line (from 1) of the first `what`.
inline int line_of(const std::string& text, const std::string& what) {
  const auto at = text.find(what);
  if (at == std::string::npos) return -1;
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

}  // namespace dorsalgia
