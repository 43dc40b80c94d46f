// The person and the answer as FHIR R4: a QuestionnaireResponse (what was said) and a RiskAssessment (what was worked out), in one
// Bundle. Codes as the knowledge base has them. https://hl7.org/fhir/R4
import type { Knowledge, Person, Report } from '../../engine'

type Json = Record<string, unknown>
const snomed = 'http://snomed.info/sct'

function answer(value: unknown): Json | undefined {
  if (value === null || value === undefined || value === 'unknown') return undefined
  if (typeof value === 'number') return { valueDecimal: value }
  if (typeof value === 'boolean') return { valueBoolean: value }
  if (value === 'present' || value === 'absent') return { valueBoolean: value === 'present' }
  return { valueString: Array.isArray(value) ? value.join(', ') : String(value) }
}

export function bundle(person: Person, report: Report, knowledge: Knowledge, now: Date): Json {
  const findings = new Map(knowledge.findings.map((finding) => [finding.id, finding]))
  const item = (linkId: string, text: string, value: unknown): Json[] => {
    const its = answer(value)
    return its ? [{ linkId, text, answer: [its] }] : []
  }
  const items = [
    ...item('age', 'age in years', person.age),
    ...item('sex', 'sex at birth', person.sex),
    ...item('setting', 'setting', person.setting),
    ...item('duration_weeks', 'weeks since the pain began', Array.isArray(person.duration_weeks) ? person.duration_weeks.join(' to ') : person.duration_weeks),
    ...item('location', 'where the pain is felt', person.location),
    ...[{ weeks: 0, ...person }, ...(person.visits ?? [])].flatMap((visit, i) =>
      Object.entries({ ...('context' in visit ? (visit as Person).context : {}), ...visit.findings, ...visit.labs }).flatMap(([id, value]) =>
        item(i === 0 ? id : `week-${visit.weeks}.${id}`, `${findings.get(id)?.name ?? id}${i === 0 ? '' : `, week ${visit.weeks}`}`, value),
      ),
    ),
  ]
  const authored = now.toISOString()
  const response: Json = {
    resourceType: 'QuestionnaireResponse',
    id: 'answers',
    status: 'completed',
    authored,
    item: items,
  }
  const prediction = (text: string, p: number | null, interval?: [number, number]): Json[] =>
    p === null
      ? []
      : [{ outcome: { text }, probabilityDecimal: p, ...(interval ? { rationale: `95% interval ${interval[0].toPrecision(3)} to ${interval[1].toPrecision(3)}` } : {}) }]
  const interval = report.probability.interval
  const risk: Json = {
    resourceType: 'RiskAssessment',
    id: 'risk',
    status: 'preliminary',
    subject: { display: 'the person assessed' },
    occurrenceDateTime: authored,
    basis: [{ reference: 'QuestionnaireResponse/answers' }],
    method: { text: `Dorsalgia ${report.model.version}, model ${report.model.hash}` },
    prediction: [
      ...prediction('tumour as the cause of the back pain', report.probability.tumour, interval?.tumour),
      ...prediction('malignant tumour as the cause of the back pain', report.probability.malignant, interval?.malignant),
      ...report.causes
        .filter((cause) => cause.probability >= 0.001)
        .map((cause) => {
          const codes = knowledge.causes.find((c) => c.id === cause.id)?.codes
          const coding = codes?.snomed ? [{ system: snomed, code: codes.snomed }] : []
          return { outcome: { ...(coding.length > 0 ? { coding } : {}), text: cause.name }, probabilityDecimal: cause.probability }
        }),
    ],
    mitigation: report.urgency.action ?? report.urgency.phrase,
    note: [
      ...report.urgency.rules.map((rule) => ({ text: `${rule.urgency}: ${rule.name}${rule.source ? ` (${rule.source.title})` : ''}` })),
      { text: report.not_excluded },
      { text: report.intended_use },
    ],
  }
  return {
    resourceType: 'Bundle',
    type: 'collection',
    timestamp: authored,
    entry: [response, risk].map((resource) => ({ fullUrl: `urn:dorsalgia:${String(resource['id'])}`, resource })),
  }
}

