// What the engine takes and gives: docs/input.md (Person), docs/report.schema.json (Report), include/dorsalgia.h (the rest).
// Probabilities are 0 to 1 at full precision; rounding is the business of messages/number.ts.

export type Urgency = 'routine' | 'soon' | 'urgent' | 'emergency'
export type Status = 'checked' | 'secondary' | 'recalled' | 'judgement'
export type Interval = [number, number]
export type Profile = 'uk' | 'us' // whose rules say how soon

// ---- a person, docs/input.md; what is left out is unknown

export type Answer = string | boolean | null
export type Lab = number | string | null
export interface Visit {
  weeks: number
  findings?: Record<string, Answer>
  labs?: Record<string, Lab>
  recovered?: boolean
}
export interface Person {
  id?: string
  age?: number
  sex?: 'male' | 'female'
  setting?: string
  duration_weeks?: number | [number, number | null]
  location?: string | string[]
  context?: Record<string, boolean | string | string[] | number | null>
  findings?: Record<string, Answer>
  labs?: Record<string, Lab>
  visits?: Visit[]
}

// ---- a report, docs/report.schema.json

export interface ReportSource {
  id: string
  title: string
  authors: string
  year: number | null
  published: string
  url: string | null
}
export interface FiredRule {
  kind: 'rule' | 'threshold'
  id: string
  name: string
  urgency: Urgency
  source: ReportSource | null
  status: Status
  why: string | null
  recommendation: string | null
  // rules
  profile?: string
  date_checked?: string | null
  within_hours?: number | null
  action?: { clinician: string; person: string }
  // thresholds
  quantity?: string
  at_least?: number
  probability?: number | null
}
export interface Outcome {
  answer: string
  probability: number
  tumour: number
  emergency: number
}
export interface Question {
  finding: string
  name: string
  ask: { clinician: string; person: string }
  burden: string // question, examination, blood_test, imaging, ...
  tumour_bits: number
  emergency_bits: number
  score: number
  outcomes: Outcome[]
  place?: 'findings' | 'context' | 'labs' // where its answer stands in a Person; of Engine.questions only
}
export interface Reason {
  what: string
  finding: string | null
  group: string
  weeks: number[]
  tumour_decibans: number
  emergency_decibans: number
  mechanism: string | null
  mechanism_share: number | null
}
export interface CauseShare {
  id: string
  name: string
  group: string
  behaviour: 'none' | 'benign' | 'malignant'
  probability: number
  interval: Interval | null // null in a look
}
export interface Change {
  answers: { finding: string; name: string; answer: 'present' | 'absent' }[]
  urgency: Urgency
  phrase: string
  because: string
}
export interface Report {
  id: string | null
  profile: string
  child: boolean
  urgency: {
    level: Urgency
    phrase: string
    action: string | null
    rules: FiredRule[]
    open_rules: { id: string; name: string; urgency: Urgency; needs: string[] }[]
  }
  not_assessed: { id: string; name: string }[]
  withheld: string | null // why there are no probabilities: a child, or answers that exclude each other
  probability: {
    tumour: number | null
    malignant: number | null
    emergency: number | null
    interval: {
      tumour: Interval
      malignant: Interval
      emergency: Interval
      if_all_answered: Interval | null
      unanswered_share: number
    } | null // null in a look
    denominator: 1000 | 10000 | null
    sentence: string | null
    before: { tumour: number | null; malignant: number | null; emergency: number | null }
  }
  causes: CauseShare[]
  mechanisms: { id: string; name: string; probability: number }[]
  levels: { id: string; region: string | null; probability: number }[]
  stages: { cause: string; stage: string; name: string; probability: number }[] // [] in a look
  forecast: { weeks: number; compression: number; interval: Interval | null }[]
  trajectory: { weeks: number; tumour: number; malignant: number; emergency: number }[]
  reasons: Reason[]
  next: Question[]
  changes: Change[]
  evidence_fit: { log_evidence: number; conflict: number; poor: boolean; least_expected: string | null } | null
  comparators: { id: string; name: string; country: string; source: ReportSource | null; parts: { name: string; fires: string }[] }[]
  noted: string[]
  unread: string[]
  safety_net: { clinician: string[]; person: string[]; emergency_number: string | null }
  not_excluded: string
  intended_use: string
  model: { version: string; hash: string }
}

// ---- the knowledge base: src/knowledge/knowledge.h key by key; `cite` is where a number comes from

export interface Cite {
  status: Status
  source?: string // key into Knowledge.sources; left out for judgements
  where?: string
  why?: string
  note?: string
  file?: string // in knowledge/
  line?: number
}
export interface Figure {
  value: number
  low: number // 95% interval
  high: number
  counts?: [number, number] // events, total
  cite: Cite
}
export interface AgeSexTable {
  male: number[] // by age band: Knowledge.age_from
  female: number[]
  interval_factor: number // 95%: divide and multiply by it
  cite: Cite
}
export interface NamedTable {
  values: Record<string, number>
  interval_factor: number
  cite: Cite
}
export interface Shift {
  shift: Figure // on the finding's scale (natural log when log_scale)
  spread?: Figure
}
export interface Finding {
  id: string
  name: string
  group: string
  burden: string
  kind: 'symptom' | 'sign' | 'context' | 'history' | 'test' | 'measured'
  ask: { clinician: string; person: string }
  synonyms: string[]
  codes: { snomed?: string; icd10cm?: string; loinc?: string }
  grades: string[] // empty: absent, present
  leak: Figure[] // one a grade above the first: there for no reason of the pain
  leak_table?: AgeSexTable
  mechanisms: Record<string, Figure[]> // one a grade above the first: that mechanism alone brings it
  causes: Record<string, Figure[]>
  place_root?: string
  prevalence?: AgeSexTable
  primary?: string
  years?: NamedTable
  // measured
  unit?: string
  units?: Record<string, number> // factor to `unit`
  possible?: [number, number]
  log_scale?: boolean
  reference?: { male: [number | null, number | null]; female: [number | null, number | null] }
  centre?: AgeSexTable
  spread?: Figure
  mechanism_shifts?: Record<string, Shift>
  cause_shifts?: Record<string, Shift>
  file: string
  line: number
}
export interface Cause {
  id: string
  name: string
  group: string
  course: string
  describes: string
  behaviour: 'none' | 'benign' | 'malignant'
  emergency: boolean
  rate: AgeSexTable // per 100,000 person-years
  settings: NamedTable
  levels: NamedTable // as written: levels or regions
  referral?: NamedTable
  tempo?: Figure
  accompanied_by?: { mechanism: string; share: Figure }
  context: { factor: string; is_share: boolean; figure: Figure; years?: NamedTable }[]
  findings: Record<string, Figure[]>
  measures: Record<string, Shift>
  codes: { snomed?: string; icd10cm?: string; loinc?: string }
  file: string
  line: number
}
export interface Stage {
  id: string
  name: string
  mechanisms: string[]
  entry?: Figure
  presents: Figure // per week
  to: Record<string, Figure> // per week; "recovered" may be among them
  findings: Record<string, Figure[]>
}
export interface Course {
  id: string
  name: string
  describes: string
  fills_canal: boolean // grows into the canal from outside: Knowledge.anatomy.canal_filling multiplies the speeds into compression
  stages: Stage[]
  file: string
  line: number
}
export interface Rule {
  id: string
  name: string
  profile: string
  applies: string
  recommendation: string
  date_checked: string
  urgency: Urgency
  within_hours?: number
  action: { clinician: string; person: string }
  when: string // the condition in words: "all of (fever, night_pain)"
  needs: string[]
  cite: Cite
  file: string
}
export interface Source {
  title: string
  authors: string
  published: string
  year: number
  url?: string
  doi?: string
  kind: string
}
export interface Knowledge {
  version: string
  hash: string
  age_from: number[] // lower bounds of the age bands, years
  sources: Record<string, Source>
  mechanisms: { id: string; name: string; describes: string; canal: string[] }[]
  findings: Finding[]
  causes: Cause[]
  courses: Course[]
  rules: Rule[]
  thresholds: { id: string; name: string; quantity: string; urgency: Urgency; recommendation: string; at_least: number; cite: Cite }[]
  comparators: { id: string; name: string; country: string; cite: Cite; lists: Record<string, string> }[]
  population: { settings: { id: string; name: string; share: Figure }[]; people: AgeSexTable; background_share: Figure }
  locations: string[] // where pain is felt, by the names that Person.location takes
  primaries: Record<string, string> // words for cancers -> id of the history finding
  anatomy: {
    levels: { id: string; region: string; canal: string; cord_segment: string; roots: Record<string, number>; pain: Record<string, number> }[]
    canal_filling: NamedTable // cord, conus, cauda: how fast, relative to beside the cord
    segments: { id: string; dermatome: string; myotome: string; reflex: string }[]
    cite: Cite
  }
  scores: { id: string; name: string; describes: string; cite: Cite }[]
  safety_net: { clinician: string[]; person: string[]; emergency_numbers: Record<string, string>; intended_use: string; not_excluded: string }
  fitted: { parameter: string; mean: number; sd: number }[] // moved by calibration, in prior standard deviations
}

// ---- how one cause unfolds in one person, at one level, left to itself

export interface CourseRequest {
  cause: string
  age?: number // 60
  sex?: 'male' | 'female' // female
  level?: string // "T8", "not_spinal"; left out: where this cause sits most often
}
export interface UnfoldingFinding {
  id: string
  name: string
  group: string
  probability: number // present (any grade above the first) in someone whose course is in this stage
  grades?: number[] // P(exactly grade), the first included, when there are more than two
  usual: number // in a person of this age and sex with nothing wrong: the leak, or the prevalence
}
export interface UnfoldingValue {
  id: string
  name: string
  unit: string
  median: number
  low: number // 5% and 95% of people in this stage
  high: number
  usual: number // median without disease
}
export interface UnfoldingStage {
  id: string
  name: string
  mechanisms: string[] // really active here: what the level cannot have is left out
  entry: number // share that begins here
  presents: number // hazard of coming to care, per week
  weeks: number // mean stay, left to itself; null in JSON would be "for good": then -1
  to: { stage: string; per_week: number }[]
  recovers: number // per week
  findings: UnfoldingFinding[]
  values: UnfoldingValue[]
}
export interface Unfolding {
  cause: string
  name: string
  course: string
  level: string
  levels: { id: string; probability: number }[] // where this cause sits
  stages: UnfoldingStage[]
  weeks: number[] // a grid of times since the pain began, 0 first
  occupancy: number[][] // [time][stage]: P(in that stage then), left to itself; what a row lacks to 1 has recovered
}
