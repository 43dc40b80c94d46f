import { describe, expect, it } from 'vitest'
import { ringPoints, smooth } from '../src/drawing/geometry'
import { between, nothing, shapeOf } from '../src/drawing/shape'
import { axialGrowth, sceneOf, sideGrowth, siteOf } from '../src/drawing/sites'
import { spine } from '../src/drawing/side'
import type { Unfolding, UnfoldingStage } from '../src/engine/types'
import { contrasts, legAt, occupancyAt, route, telling, told } from '../src/rooms/watch/route'

const stage = (id: string, entry: number, to: [string, number][], recovers = 0, more: Partial<UnfoldingStage> = {}): UnfoldingStage => {
  const out = to.reduce((sum, [, speed]) => sum + speed, recovers)
  return {
    id, name: id, mechanisms: [], entry, presents: 0.1, weeks: out > 0 ? 1 / out : -1, to: to.map(([s, per_week]) => ({ stage: s, per_week })),
    recovers, findings: [], values: [], ...more,
  }
}
const finding = (id: string, probability: number, usual = 0.05, group = 'pain pattern') => ({ id, name: id, group, probability, usual })

/** Occupancy by very small steps: the chain's definition, none of the page's code. */
function walked(stages: UnfoldingStage[], weeks: number[]): number[][] {
  let p = stages.map((s) => s.entry)
  let at = 0
  const dt = 0.002
  return weeks.map((week) => {
    for (; at < week - dt / 2; at += dt) {
      const next = [...p]
      stages.forEach((s, k) => {
        next[k]! -= p[k]! * s.recovers * dt
        for (const { stage: id, per_week } of s.to) {
          next[k]! -= p[k]! * per_week * dt
          next[stages.findIndex((x) => x.id === id)]! += p[k]! * per_week * dt
        }
      })
      p = next
    }
    return [...p]
  })
}
const unfolding = (stages: UnfoldingStage[], weeks = [0, 2, 4, 8, 16, 32, 64]): Unfolding => ({
  cause: 'x', name: 'x', course: 'x', level: 'T8', levels: [], stages, weeks, occupancy: walked(stages, weeks),
})
const tumour = unfolding([
  stage('pain', 0.8, [['root', 0.06], ['broken', 0.02]], 0.01),
  stage('root', 0.15, [['pressed', 0.03], ['broken', 0.01]]),
  stage('broken', 0.05, [['pressed', 0.05]]),
  stage('pressed', 0, []),
])
const strain = unfolding([stage('acute', 0.98, [['lasting', 0.05]], 0.5), stage('lasting', 0.02, [], 0.02)])

describe('a way through a course', () => {
  it('goes the likeliest way to the last stage, and stays the mean of each', () => {
    const way = route(tumour, false)
    expect(way.legs.map((l) => l.stage?.id)).toEqual(['pain', 'root', 'pressed'])
    expect(way.legs[0]!.to).toBeCloseTo(1 / 0.09, 9)
    expect(way.legs[1]!.to - way.legs[1]!.from).toBeCloseTo(25, 9)
    expect(way.weeks).toBeCloseTo((1 / 0.09 + 25) * 1.25, 9)
  })
  it('is the likeliest of all ways, tried one by one', () => {
    const speed = (a: string, b: string) => tumour.stages.find((s) => s.id === a)!.to.find((t) => t.stage === b)?.per_week ?? 0
    const out = (a: string) => { const s = tumour.stages.find((x) => x.id === a)!; return s.to.reduce((x, t) => x + t.per_week, s.recovers) }
    const likelihood = (path: string[]) => path.slice(1).reduce((p, to, i) => (p * speed(path[i]!, to)) / out(path[i]!), tumour.stages.find((s) => s.id === path[0])!.entry)
    const all = [['pain', 'root', 'pressed'], ['pain', 'broken', 'pressed'], ['pain', 'root', 'broken', 'pressed'], ['root', 'pressed'], ['root', 'broken', 'pressed'], ['broken', 'pressed']]
    const best = [...all].sort((a, b) => likelihood(b) - likelihood(a))[0]
    expect(route(tumour, false).legs.map((l) => l.stage?.id)).toEqual(best)
  })
  it('goes through a stage that is asked for, once', () => {
    const ids = route(tumour, false, 'broken').legs.map((l) => l.stage?.id)
    expect(ids).toContain('broken')
    expect(ids.at(-1)).toBe('pressed')
    expect(new Set(ids).size).toBe(ids.length)
  })
  it('ends in recovery where that is the rule', () => {
    expect(route(strain, true).legs.map((l) => l.stage?.id ?? 'recovered')).toEqual(['acute', 'recovered'])
    expect(route(strain, true, 'lasting').legs.map((l) => l.stage?.id ?? 'recovered')).toEqual(['acute', 'lasting', 'recovered'])
  })
  it('has one leg at each moment, without gaps', () => {
    const way = route(tumour, false)
    way.legs.forEach((leg, i) => expect(leg.from).toBe(i ? way.legs[i - 1]!.to : 0))
    expect(legAt(way, -3)).toBe(0)
    expect(legAt(way, way.weeks + 1)).toBe(way.legs.length - 1)
    expect(legAt(way, way.legs[1]!.from)).toBe(1)
  })
})

describe('how many are where', () => {
  it('always sums to all of them', () => {
    for (const u of [tumour, strain]) for (let week = -2; week < 80; week += 0.37) expect(occupancyAt(u, week).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9)
  })
  it('begins with the entry shares and meets the engine at its own times', () => {
    expect(occupancyAt(tumour, 0).slice(0, -1)).toEqual(tumour.stages.map((s) => s.entry))
    tumour.weeks.forEach((week, i) => occupancyAt(tumour, week).slice(0, -1).forEach((p, k) => expect(p).toBeCloseTo(tumour.occupancy[i]![k]!, 12)))
  })
})

describe('findings beside those of an ordinary cause', () => {
  const here = stage('pain', 1, [], 0, { findings: [finding('night', 0.6), finding('fever', 0.05), finding('crp', 0.9, 0.1, 'blood tests'), finding('stiff', 0.1)] })
  const other = unfolding([
    stage('acute', 1, [['lasting', 0.1]], 0.4, { findings: [finding('night', 0.2), finding('stiff', 0.7)] }),
    stage('lasting', 0, [], 0.02, { findings: [finding('night', 0.4), finding('stiff', 0.5)] }),
  ])
  it('counts only those in whom the other still hurts', () => {
    const late = contrasts(here, other, 60).find((c) => c.id === 'night')!
    const p = occupancyAt(other, 60)
    expect(late.other).toBeCloseTo((0.2 * p[0]! + 0.4 * p[1]!) / (p[0]! + p[1]!), 9)
    expect(late.other).toBeGreaterThan(0.39)
    expect(contrasts(here, other, 0).find((c) => c.id === 'night')!.other).toBeCloseTo(0.2, 9)
  })
  it('shows what tells them apart, commoner here first, tests by themselves', () => {
    const all = contrasts(here, other, 1)
    expect(telling(all, 'felt').map((c) => c.id)).toEqual(['night', 'stiff'])
    expect(telling(all, 'tests').map((c) => c.id)).toEqual(['crp'])
  })
})

describe('time as it is told', () => {
  it('takes the unit that people take', () => {
    expect(told(0.5)).toEqual({ count: 4, unit: 'day' })
    expect(told(6.2)).toEqual({ count: 6, unit: 'week' })
    expect(told(52.18)).toEqual({ count: 12, unit: 'month' })
    expect(told(208.7)).toEqual({ count: 4, unit: 'year' })
  })
})

describe('the drawing', () => {
  const s = (id: string, ...mechanisms: string[]) => ({ id, mechanisms })
  it('only grows along a way, and what is broken stays broken', () => {
    const way = [s('a', 'tumour_bone_pain'), s('b', 'bone_weakening'), s('c', 'pathological_fracture'), s('early', 'cord_compression'), s('late_compression', 'cord_compression')]
    const shapes = way.map((_, i) => shapeOf(way.slice(0, i + 1), way.length, true))
    shapes.slice(1).forEach((shape, i) => {
      for (const key of Object.keys(shape) as (keyof typeof shape)[]) expect(shape[key]).toBeGreaterThanOrEqual(shapes[i]![key])
    })
    expect(shapes.at(-1)).toMatchObject({ size: 1, collapse: 1, press: 1 })
    expect(between(nothing, shapes[0]!, 0)).toEqual(nothing)
  })
  it('has no tumour in ordinary back pain', () => {
    expect(shapeOf([s('a', 'muscle_strain')], 2, false).size).toBe(0)
    expect(axialGrowth(siteOf('muscle_strain', false), nothing).rings).toEqual([])
  })
  it('has a sound outline for every place and extent', () => {
    const sites = ['body', 'front', 'arch', 'nidus', 'marrow', 'paravertebral', 'dura', 'root', 'cord', 'kidney', 'adrenal', 'pancreas', 'retroperitoneum', 'nodes', 'muscle', 'lung'] as const
    for (const site of sites)
      for (const x of [0, 0.01, 0.5, 1]) {
        const shape = { size: x, lysis: x, collapse: x, root: x, press: x, soft: x, refer: x, strain: x, disc: x }
        for (const r of [...axialGrowth(site, shape).rings, ...sideGrowth(site, shape)]) {
          expect(r.rx).toBeGreaterThanOrEqual(0)
          expect(smooth(ringPoints(r))).not.toMatch(/NaN|Infinity/)
        }
        for (const region of ['lumbar', 'thoracic'] as const) expect(JSON.stringify(spine(region, x, x, x))).not.toMatch(/null|NaN/)
      }
  })
  it('draws organs within the trunk and bone at its level', () => {
    expect(sceneOf(siteOf('renal_cell_carcinoma', true), 'not_spinal')).toBe('abdomen')
    expect(sceneOf(siteOf('met_breast', true), 'T8')).toBe('thoracic')
    expect(sceneOf(siteOf('met_breast', true), 'L3')).toBe('lumbar')
  })
})
