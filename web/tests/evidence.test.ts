import { describe, expect, it } from 'vitest'
import type { Cite, Figure, Knowledge } from '../src/engine/types'
import { afterFit, catalogue, countByStatus, named, number, percent, restingOn, search } from '../src/rooms/evidence/catalogue'
import { sections } from '../src/rooms/evidence/sections'

const cite = (status: Cite['status'], source?: string): Cite => ({ status, ...(source ? { source } : {}) })
const figure = (value: number, low: number, high: number, c = cite('judgement')): Figure => ({ value, low, high, cite: c })
const ages = (x: number, c: Cite) => ({ male: Array(8).fill(x) as number[], female: Array(8).fill(x) as number[], interval_factor: 2, cite: c })

const knowledge = {
  version: '0', hash: '0', age_from: [0, 15, 30, 40, 50, 60, 70, 80],
  sources: { 'harding-2005': { title: 'Night pain in a triage clinic', authors: 'Harding IJ', published: 'Spine 30:1985', year: 2005, kind: 'study' } },
  mechanisms: [{ id: 'tumour_bone_pain', name: 'tumour-related bone pain', describes: 'Tumour within bone.', canal: [] }],
  findings: [
    {
      id: 'night_pain', name: 'pain at night that disturbs sleep', group: 'pain pattern', burden: 'question', kind: 'symptom',
      ask: { clinician: 'Does pain at night disturb sleep?', person: 'Does the pain wake you at night?' }, synonyms: ['nocturnal_pain'], codes: {}, grades: [],
      leak: [figure(0.06, 0.03, 0.13)], mechanisms: { tumour_bone_pain: [figure(0.44, 0.36, 0.52, cite('checked', 'harding-2005'))] }, causes: {}, file: 'f', line: 1,
    },
    {
      id: 'anaemia', name: 'anaemia', group: 'general signs', burden: 'blood_test', kind: 'test', ask: { clinician: 'Anaemia?', person: 'Pale?' }, synonyms: [], codes: {},
      grades: [], leak: [figure(0.05, 0.02, 0.1)], mechanisms: {}, causes: {}, file: 'f', line: 1,
    },
  ],
  causes: [
    {
      id: 'myeloma', name: 'multiple myeloma', group: 'myeloma/plasmacytoma', course: 'myeloma', describes: 'Plasma cells.', behaviour: 'malignant', emergency: false,
      rate: ages(1, cite('secondary', 'harding-2005')), settings: { values: { community: 1, primary_care: 1 }, interval_factor: 2, cite: cite('judgement') },
      levels: { values: { lumbar: 1 }, interval_factor: 1.5, cite: cite('recalled') }, context: [], findings: {}, measures: {}, codes: {}, file: 'f', line: 1,
    },
  ],
  courses: [{ id: 'myeloma', name: 'myeloma in the spine', describes: '', file: 'f', line: 1, stages: [{ id: 'a', name: 'bone pain', mechanisms: ['tumour_bone_pain'], presents: figure(0.1, 0.05, 0.2), to: {}, findings: {} }] }],
  rules: [
    {
      id: 'night', name: 'pain that wakes', profile: 'uk', applies: 'adult', recommendation: '1', date_checked: '2026-01-01', urgency: 'urgent', action: { clinician: 'x', person: 'y' },
      when: 'all of (night_pain)', needs: ['night_pain'], cite: cite('checked', 'harding-2005'), file: 'f',
    },
  ],
  thresholds: [], comparators: [], scores: [], population: { settings: [], people: ages(1, cite('checked', 'x')), background_share: figure(0.1, 0.05, 0.2) }, locations: [],
  primaries: {}, anatomy: { levels: [], segments: [], cite: cite('recalled') },
  safety_net: { clinician: [], person: [], emergency_numbers: {}, intended_use: '', not_excluded: '' },
  fitted: [{ parameter: 'night_pain | tumour_bone_pain', mean: 1.5, sd: 0.4 }],
} as unknown as Knowledge

describe('search', () => {
  const items = catalogue(knowledge)
  const ids = (query: string) => search(items, query).map((i) => `${i.kind}/${i.id}`)
  it('finds by name, synonym, question and id, whatever the case and accents', () => {
    for (const query of ['night', 'NIGHT pain', 'nocturnal', 'wake you', 'night_pain', 'pain  night']) expect(ids(query)).toContain('finding/night_pain')
  })
  it('takes British and American spelling alike', () => {
    expect(ids('anemia')).toContain('finding/anaemia')
    expect(ids('tumor')).toContain('mechanism/tumour_bone_pain')
  })
  it('needs every word, and puts names before texts', () => {
    expect(ids('night zebra')).toEqual([])
    expect(ids('myeloma')[0]).toBe('cause/myeloma')
    expect(search(items, 'myeloma', 'course').map((i) => i.kind)).toEqual(['course'])
  })
  it('lists all without words', () => expect(ids('').length).toBe(items.length))
})

describe('what a fragment names', () => {
  const items = catalogue(knowledge)
  it('is kind and id, or id alone; of two the first kind', () => {
    expect(named(items, 'finding/night_pain')?.id).toBe('night_pain')
    expect(named(items, 'night_pain')?.kind).toBe('finding')
    expect(named(items, 'myeloma')?.kind).toBe('cause')
    expect(named(items, 'course/myeloma')?.kind).toBe('course')
    expect(named(items, 'nothing/of/this')).toBeUndefined()
  })
})

describe('counting', () => {
  it('counts each number once, by status', () => {
    // leaks 2, settings 2, presents 1, background 1 | link 1, people 16 | rate 16 | levels 1; rules have no number of their own
    expect(countByStatus(knowledge)).toEqual({ judgement: 6, checked: 17, secondary: 16, recalled: 1 })
  })
  it('tells what rests on a source', () => {
    expect(restingOn(knowledge, 'harding-2005')).toEqual([
      { to: 'cause/myeloma', name: 'multiple myeloma', numbers: 16 },
      { to: 'finding/night_pain', name: 'pain at night that disturbs sleep', numbers: 1 },
      { to: 'rule/night', name: 'pain that wakes', numbers: 1 },
    ])
  })
})

describe('a page', () => {
  it('has every number of its entry, with the value after the fit', () => {
    const page = sections(knowledge, named(catalogue(knowledge), 'night_pain')!)
    const row = page.flatMap((s) => s.rows ?? []).find((r) => r.to === 'mechanism/tumour_bone_pain')!
    expect(row.figure.value).toBe(0.44)
    expect(row.fitted).toBeGreaterThan(0.44)
    expect(row.fitted).toBeLessThan(0.52)
    expect(page.flatMap((s) => s.links ?? []).map((l) => l.href)).toContain('#/evidence/rule/night')
  })
  it('exists for every entry', () => {
    for (const item of catalogue(knowledge)) expect(sections(knowledge, item).length).toBeGreaterThan(0)
  })
})

describe('numbers', () => {
  it('have two figures that mean something', () => {
    expect([0, 0.0001, 0.0123, 0.0995, 0.5, 0.9999].map(percent)).toEqual(['0%', '0.01%', '1.2%', '10%', '50%', '100.0%'])
    expect([0, 0.00001, 0.0123, 1.5, 1234.5].map(number)).toEqual(['0', '1.0e-5', '0.0123', '1.5', '1,230'])
  })
  it('move by the fit within their scale', () => {
    const f = { value: 0.44, low: 0.36, high: 0.52 }
    expect(afterFit(f, 0, 'share')).toBeCloseTo(0.44, 12)
    expect(afterFit(f, 1.959964, 'share')).toBeCloseTo(0.52, 2)
    expect(afterFit({ value: 2, low: 1, high: 4 }, 1.959964, 'ratio')).toBeCloseTo(4, 6)
    expect(afterFit({ value: 1, low: 0.9, high: 1 }, 2, 'share')).toBe(1)
  })
})
