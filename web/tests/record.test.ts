import { describe, expect, it } from 'vitest'
import type { Finding, Person } from '../src/engine'
import { cancerOf, said, valueFrom, valueParts, weeksAsText, weeksFrom, withCancer, withSaid } from '../src/rooms/consult/record'

const finding = (id: string, kind = 'symptom', grades: string[] = []) => ({ id, kind, grades }) as unknown as Finding

describe('what Consult writes down', () => {
  const person: Person = { age: 58, findings: { fever: 'absent' }, visits: [{ weeks: 4, findings: { weakness: 'present' } }] }
  it('is said at the visit that is chosen, and context of the person', () => {
    const later = withSaid(person, 1, 'findings', 'night_pain', 'present')
    expect(later.visits![0]!.findings).toEqual({ weakness: 'present', night_pain: 'present' })
    expect(later.findings).toEqual(person.findings)
    expect(withSaid(person, 1, 'context', 'smoker', true).context).toEqual({ smoker: true })
    expect(person).toEqual({ age: 58, findings: { fever: 'absent' }, visits: [{ weeks: 4, findings: { weakness: 'present' } }] })
  })
  it('can be taken back', () => {
    expect(withSaid(person, 0, 'findings', 'fever', undefined).findings).toEqual({})
  })
  it('tells yes, no and unknown apart', () => {
    expect(said(person, 0, finding('fever'))).toBe('no')
    expect(said(person, 1, finding('weakness'))).toBe('yes')
    expect(said(person, 1, finding('fever'))).toBeUndefined()
    expect(said({ findings: { gait: 'normal' } }, 0, finding('gait', 'sign', ['normal', 'unsteady']))).toBe('no')
  })
  it('keeps cancer as the input format has it', () => {
    for (const word of ['', 'no', 'yes', 'breast']) expect(cancerOf(withCancer(person, word))).toBe(word)
    expect(withCancer({ context: { cancer_history: 'breast', years_since_cancer: 3 } }, 'no').context).toEqual({ cancer_history: false })
  })
  it('reads weeks and values as they are typed', () => {
    expect([weeksFrom('6'), weeksFrom('4-8'), weeksFrom('4 to 8'), weeksFrom('12-'), weeksFrom('long')]).toEqual([6, [4, 8], [4, 8], [12, null], null])
    for (const weeks of [6, [4, 8], [12, null]] as Person['duration_weeks'][]) expect(weeksFrom(weeksAsText(weeks))).toEqual(weeks)
    expect(valueParts('45 mm/h', 'mm/h')).toEqual({ text: '45', unit: 'mm/h' })
    expect(valueParts('<5 mg/L', 'mg/L')).toEqual({ text: '<5', unit: 'mg/L' })
    for (const value of ['45 mm/h', '<5 mg/L', 'raised']) {
      const parts = valueParts(value, 'g/L')
      expect(valueFrom(parts.text, parts.unit)).toBe(value)
    }
    expect(valueFrom(' ', 'mm/h')).toBeUndefined()
  })
})
