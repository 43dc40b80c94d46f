import { describe, expect, it } from 'vitest'
import type { Question } from '../src/engine'
import { next, person, placed, type Step } from '../src/rooms/check/interview'

const question = (finding: string, score = 1, burden = 'question') => ({ finding, score, burden }) as Question
const opened: Step[] = [
  { kind: 'age', value: 50 },
  { kind: 'sex', value: 'female' },
  { kind: 'duration', value: [2, 6] },
  { kind: 'location', value: ['lumbar'] },
]

describe('the interview', () => {
  it('asks age first, and the most informative question after the opening', () => {
    expect(next([], false, () => [])).toEqual({ kind: 'age' })
    expect(next(opened, false, () => [question('night_pain'), question('fever')])?.finding).toBe('night_pain')
  })
  it('asks which cancer only after a yes, and the years only when that was answered', () => {
    expect(next(opened, true, () => [])?.kind).toBe('which_cancer')
    expect(next([...opened, { kind: 'which_cancer', value: ['breast'] }], true, () => [])?.kind).toBe('years_since_cancer')
    expect(next([...opened, { kind: 'which_cancer', value: undefined }], true, () => [])).toBeUndefined()
  })
  it('never asks again what was skipped or unsure, what needs a doctor, or what tells little', () => {
    const open = [question('a'), question('b'), question('c', 1, 'examination'), question('d', 1e-9), question('e')]
    expect(next([...opened, { kind: 'finding', finding: 'a', value: null }, { kind: 'finding', finding: 'b', value: undefined }], false, () => open)?.finding).toBe('e')
  })
  it('does not depend on the order of answers', () => {
    const steps: Step[] = [...opened, { kind: 'finding', finding: 'a', value: 'present' }, { kind: 'finding', finding: 'b', value: 'absent' }]
    expect(person([...steps].reverse(), {})).toEqual(person(steps, {}))
  })
  it('leaves unknown what is unsure or skipped, and keeps what the gate said', () => {
    const out = person([{ kind: 'finding', finding: 'a', value: null }], { findings: { fever: 'absent' }, context: { cancer_history: false } })
    expect(out.findings).toEqual({ fever: 'absent' })
    expect(out.context).toEqual({ cancer_history: false })
  })
  it('puts context where the engine reads it', () => {
    expect(placed({ findings: { smoker: 'present', fever: 'absent' } }, (id) => id === 'smoker')).toEqual({ findings: { fever: 'absent' }, context: { smoker: 'present' } })
  })
})
