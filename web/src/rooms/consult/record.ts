// What Consult writes down: a Person (docs/input.md), visit by visit. `visit` 0 is the first; context belongs to the person.
import type { Finding, Person, Visit } from '../../engine'

export type Value = string | number | boolean | string[]

export const visitOf = (person: Person, visit: number): Person | Visit => (visit === 0 ? person : (person.visits?.[visit - 1] ?? person))

/** The person with this said at that visit; undefined takes it back. */
export function withSaid(person: Person, visit: number, place: 'findings' | 'labs' | 'context', id: string, value: Value | undefined): Person {
  const within = <T,>(record: Record<string, T> | undefined): Record<string, T> => {
    const out = { ...record }
    if (value === undefined) delete out[id]
    else out[id] = value as T
    return out
  }
  if (place === 'context') return { ...person, context: within(person.context) }
  if (visit === 0) return { ...person, [place]: within(person[place] as Record<string, unknown>) }
  const at = person.visits![visit - 1]!
  return { ...person, visits: person.visits!.with(visit - 1, { ...at, [place]: within(at[place] as Record<string, unknown>) }) }
}

export const placeOf = (f: Finding): 'context' | 'findings' => (f.kind === 'context' ? 'context' : 'findings')

export function said(person: Person, visit: number, f: Finding): 'yes' | 'no' | undefined {
  const value = f.kind === 'context' ? person.context?.[f.id] : visitOf(person, visit).findings?.[f.id]
  if (value === undefined || value === null || value === 'unknown') return undefined
  return value === false || value === 'absent' || value === 'no' || value === f.grades[0] ? 'no' : 'yes'
}

/** The cancer that somebody had, as one word: "", "no", "yes", "breast", "breast, lung". */
export function cancerOf(person: Person): string {
  const value = person.context?.['cancer_history']
  if (value === undefined || value === null) return ''
  return value === false ? 'no' : value === true ? 'yes' : Array.isArray(value) ? value.join(', ') : String(value)
}

export function withCancer(person: Person, word: string): Person {
  const context = { ...person.context }
  delete context['cancer_history']
  if (word === '' || word === 'no') delete context['years_since_cancer']
  if (word !== '') context['cancer_history'] = word === 'no' ? false : word === 'yes' ? true : word
  return { ...person, context }
}

/** "6", "4-8", "4 to 8", "12-" (12 or more); null: none of these. */
export function weeksFrom(text: string): number | [number, number | null] | null {
  const match = /^(\d+(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(\d+(?:\.\d+)?)?)?$/.exec(text.trim())
  if (!match) return null
  return /[-–]|to/.test(text) ? [Number(match[1]), match[2] ? Number(match[2]) : null] : Number(match[1])
}

export const weeksAsText = (weeks: Person['duration_weeks']): string =>
  weeks === undefined ? '' : Array.isArray(weeks) ? weeks.map((w) => w ?? '').join('-') : String(weeks)

/** A value as it stands in a person ("45 mm/h", "<5", "raised") in its two fields. */
export function valueParts(stored: unknown, unit: string): { text: string; unit: string } {
  const said = stored === undefined || stored === null ? '' : String(stored)
  const [, text, its] = /^(low|normal|raised|[<>]?[\d.]+)\s*(.*)$/.exec(said) ?? []
  return { text: text ?? said, unit: its || unit }
}

export function valueFrom(text: string, unit: string): string | undefined {
  const plain = text.trim()
  if (plain === '') return undefined
  return unit && !/^(low|normal|raised)$/.test(plain) ? `${plain} ${unit}` : plain
}
