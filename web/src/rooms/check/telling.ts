// What was answered, and what counted, in the words of the person who answered.
import type { Question, Reason, Urgency } from '../../engine'
import { messages } from '../../messages'
import type { Step } from './interview'

const words = messages.check
export type Catalogue = ReadonlyMap<string, Question>

export const askOf = (step: Pick<Step, 'kind' | 'finding'>, catalogue: Catalogue): string =>
  step.finding ? (catalogue.get(step.finding)?.ask.person ?? step.finding) : step.kind === 'finding' ? '' : words[step.kind].ask

/** When to act. `today`: the gate has said so already, and no rule makes it later. */
export const actOf = (level: Urgency, today: boolean): string =>
  today && (level === 'routine' || level === 'soon') ? words.act.today : words.act.level[level]

export function answerOf({ kind, value }: Step): string {
  if (value === undefined) return words.skip
  if (value === null) return words.unsure
  if (kind === 'sex') return value === 'male' ? words.sex.male : words.sex.female
  if (kind === 'duration') return words.duration.options.find((o) => String(o.value) === String(value))?.label ?? ''
  if (kind === 'location' || kind === 'which_cancer') {
    const options: { id: string; label: string }[] = words[kind].options
    return options.filter((o) => (value as string[]).includes(o.id)).map((o) => o.label).join(', ')
  }
  if (kind === 'finding') return value === 'present' ? words.yes : words.no
  return `${String(value)} ${kind === 'age' ? words.age.unit : words.years_since_cancer.unit}`
}

export function reasonName(reason: Reason, catalogue: Catalogue): string {
  const fixed = words.matters.fixed
  const what = reason.what
  const question = reason.finding ? catalogue.get(reason.finding) : undefined
  if (question) return question.name
  if (what === 'age and sex') return fixed['age and sex']!
  if (what.startsWith('duration')) return fixed['duration']!
  if (what.startsWith('location')) return fixed['location']!
  if (what.includes('cancer')) return fixed['cancer_history']!
  return what.replace(/^[a-z]+\./, '').replaceAll('_', ' ')
}

/** What was said about it: ": yes" */
export function saidOf(reason: Reason, steps: readonly Step[]): string {
  const step = reason.finding ? steps.find((s) => s.finding === reason.finding) : undefined
  if (step) return `: ${answerOf(step).toLowerCase()}`
  return /(absent|none|false|never)$/.test(reason.what) ? `: ${words.no.toLowerCase()}` : ''
}
