// The interview of Check: a list of steps, as src/cli/ask.cpp. What is known is what the steps add up to, so that undo drops one,
// an answer can be changed in place, and the order in which things were said cannot matter.
import type { Person, Question } from '../../engine'

export type Kind = 'age' | 'sex' | 'duration' | 'location' | 'which_cancer' | 'years_since_cancer' | 'finding'
export interface Step {
  kind: Kind
  finding?: string // of kind "finding"
  /** undefined: skipped; null: not sure, which stays unknown and is not asked again */
  value?: string | number | string[] | [number, number | null] | null
}

export const key = (step: { kind: Kind; finding?: string }): string => step.finding ?? step.kind

export function person(steps: readonly Step[], base: Person): Person {
  const out: Person = { ...base, context: { ...base.context }, findings: { ...base.findings } }
  for (const { kind, finding, value } of steps) {
    if (value === undefined || value === null) continue
    if (kind === 'age') out.age = value as number
    else if (kind === 'sex') out.sex = value as 'male' | 'female'
    else if (kind === 'duration') out.duration_weeks = value as [number, number | null]
    else if (kind === 'location') out.location = value as string[]
    else if (kind === 'which_cancer') out.context!['cancer_history'] = value as string[]
    else if (kind === 'years_since_cancer') out.context!['years_since_cancer'] = value as number
    else if (finding) out.findings![finding] = value as string
  }
  return out
}

/** Context stands under `context` in a person and everything else of the interview under `findings`. */
export function placed(whole: Person, isContext: (finding: string) => boolean): Person {
  const findings = { ...whole.findings }
  const context = { ...whole.context }
  for (const [id, answer] of Object.entries(findings))
    if (isContext(id)) {
      context[id] = answer as string
      delete findings[id]
    }
  return { ...whole, context, findings }
}

/** Bits about tumour and emergency together, per burden; below it the rest is not worth the time (as in `dorsalgia ask`). */
export const tellsLittle = 1e-4
const forChildren = new Set(['refusal_to_walk'])

/** The first questions, in their order; then whatever tells most, which only then is worked out. undefined: nothing worth asking is left. */
export function next(steps: readonly Step[], hadCancer: boolean, open: () => readonly Question[]): { kind: Kind; finding?: string; question?: Question } | undefined {
  const asked = new Set(steps.map(key))
  const first: Kind[] = ['age', 'sex', 'duration', 'location']
  if (hadCancer) first.push('which_cancer')
  const which = steps.find((step) => step.kind === 'which_cancer')
  if (hadCancer && which?.value) first.push('years_since_cancer')
  for (const kind of first) if (!asked.has(kind)) return { kind }
  const question = open().find((q) => q.burden === 'question' && q.score >= tellsLittle && !asked.has(q.finding) && !forChildren.has(q.finding) && !q.finding.startsWith('history_'))
  return question && { kind: 'finding', finding: question.finding, question }
}
