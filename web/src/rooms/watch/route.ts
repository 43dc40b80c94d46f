// One way through a course, out of all that its chain allows: which stages, and how long in each. What is drawn is this one way;
// how many people are in which stage at the same time is the engine's to say (Unfolding.occupancy).
import type { Unfolding, UnfoldingStage } from '../../engine/types'

export interface Leg {
  stage: UnfoldingStage | null // null: recovered
  from: number // weeks since the pain began
  to: number
}
export interface Route {
  legs: Leg[]
  weeks: number // the whole of it
}

/** P(next is that), by index of the stage; the last place is recovery. */
function onward(unfolding: Unfolding, k: number): number[] {
  const stage = unfolding.stages[k]!
  const speeds = unfolding.stages.map((s) => stage.to.find((t) => t.stage === s.id)?.per_week ?? 0)
  speeds.push(stage.recovers)
  const all = speeds.reduce((a, b) => a + b, 0)
  return all > 0 ? speeds.map((x) => x / all) : speeds
}

/** The most likely ways from these starts (log weights by stage) to each stage; indices, and -1 for no way. */
function ways(unfolding: Unfolding, start: number[]): { cost: number[]; before: number[] } {
  const cost = [...start]
  const before = start.map(() => -1)
  for (let round = 0; round < start.length; ++round)
    for (let k = 0; k < start.length; ++k)
      onward(unfolding, k)
        .slice(0, -1)
        .forEach((p, j) => {
          if (p > 0 && cost[k]! + Math.log(p) > cost[j]! + 1e-12) {
            cost[j] = cost[k]! + Math.log(p)
            before[j] = k
          }
        })
  return { cost, before }
}

function back(before: number[], end: number): number[] {
  const path = [end]
  while (before[path[0]!]! >= 0 && path.length <= before.length) path.unshift(before[path[0]!]!)
  return path
}

/** What is worth watching: 20 years. Later stages can be asked for. */
export const horizon = 1044

/**
 * To the last stage that is reached within the horizon, through `via` when given, by the most likely way; or where recovery is the
 * rule (`heals`), by the likeliest step each time, which ends in recovery. Time in a stage is its mean; the last one gets a fifth.
 */
export function route(unfolding: Unfolding, heals: boolean, via?: string): Route {
  const n = unfolding.stages.length
  const entry = unfolding.stages.map((s) => (s.entry > 0 ? Math.log(s.entry) : -Infinity))
  let path: number[]
  const middle = unfolding.stages.findIndex((s) => s.id === via)
  let recovered = false
  if (heals) {
    path = middle >= 0 ? back(ways(unfolding, entry).before, middle) : [entry.indexOf(Math.max(...entry))]
    while (path.length <= n) {
      const next = onward(unfolding, path.at(-1)!)
      const best = next.indexOf(Math.max(...next))
      if (next[best]! <= 0 || path.includes(best)) break
      if (best === n) {
        recovered = true
        break
      }
      path.push(best)
    }
  } else {
    const first = ways(unfolding, entry)
    const mean = (k: number) => Math.max(0, unfolding.stages[k]!.weeks)
    const reached = (k: number) => back(first.before, k).slice(0, -1).reduce((sum, j) => sum + mean(j), 0)
    let end = n - 1
    while (end > 0 && !(Number.isFinite(first.cost[end]!) && (via !== undefined || reached(end) <= horizon))) --end
    if (middle < 0) path = back(first.before, end)
    else {
      const from = unfolding.stages.map((_, k) => (k === middle ? 0 : -Infinity))
      const second = ways(unfolding, from)
      path = back(first.before, middle)
      if (Number.isFinite(second.cost[end]!)) path = [...path, ...back(second.before, end).slice(1)]
    }
  }
  const stays = path.map((k) => unfolding.stages[k]!.weeks)
  // A quarter of the rest is a fifth of the whole. The only stage of a way gets its own mean, within five years.
  const rest = (recovered ? stays : stays.slice(0, -1)).reduce((a, b) => a + b, 0)
  const lastly = rest > 0 ? rest / 4 : Math.min(260, stays[0]! > 0 ? stays[0]! : 12)
  const legs: Leg[] = []
  let at = 0
  path.forEach((k, i) => {
    const stay = i < path.length - 1 || recovered ? stays[i]! : lastly
    legs.push({ stage: unfolding.stages[k]!, from: at, to: at + stay })
    at += stay
  })
  if (recovered) {
    legs.push({ stage: null, from: at, to: at + lastly })
    at += lastly
  }
  return { legs, weeks: at }
}

export function legAt(r: Route, week: number): number {
  const i = r.legs.findIndex((leg) => week < leg.to)
  return i < 0 ? r.legs.length - 1 : i
}

/** P(in that stage at `week`), by stage and then "recovered"; between the engine's times by straight lines. Sums to 1. */
export function occupancyAt(unfolding: Unfolding, week: number): number[] {
  const { weeks, occupancy } = unfolding
  const w = Math.max(weeks[0] ?? 0, Math.min(week, weeks.at(-1) ?? 0))
  let i = weeks.findIndex((x) => x >= w)
  if (i < 0) i = weeks.length - 1
  const [a, b] = [Math.max(0, i - 1), i]
  const t = weeks[b]! > weeks[a]! ? (w - weeks[a]!) / (weeks[b]! - weeks[a]!) : 1
  const shares = unfolding.stages.map((_, k) => occupancy[a]![k]! * (1 - t) + occupancy[b]![k]! * t)
  const recovered = 1 - shares.reduce((x, y) => x + y, 0)
  return [...shares, recovered > 1e-9 ? recovered : 0]
}

export interface Contrast {
  id: string
  name: string
  group: string
  here: number // in this stage
  other: number // with the ordinary cause, in whom it still hurts at this time
  usual: number // without disease
}

/** What is found in a stage beside what is found at the same time with an ordinary cause that still hurts. */
export function contrasts(stage: UnfoldingStage, other: Unfolding, week: number): Contrast[] {
  const shares = occupancyAt(other, week).slice(0, -1)
  const still = shares.reduce((a, b) => a + b, 0)
  const weights = still > 1e-9 ? shares.map((x) => x / still) : shares.map((_, i) => (i === shares.length - 1 ? 1 : 0))
  const found = new Map<string, number>()
  other.stages.forEach((s, k) => s.findings.forEach((f) => found.set(f.id, (found.get(f.id) ?? 0) + weights[k]! * f.probability)))
  return stage.findings.map((f) => ({ id: f.id, name: f.name, group: f.group, here: f.probability, other: found.get(f.id) ?? f.usual, usual: f.usual }))
}

const tests = new Set(['blood tests', 'imaging'])
const context = new Set(['history', 'age and sex'])

/** The findings worth showing: those by which the two differ most, what is commoner here first. */
export function telling(all: readonly Contrast[], which: 'felt' | 'tests', most = 10): Contrast[] {
  const fit = all.filter((c) => !context.has(c.group) && tests.has(c.group) === (which === 'tests'))
  const gap = (c: Contrast) => Math.abs(c.here - c.other) * (c.here > c.other ? 1 : 0.7)
  return [...fit]
    .sort((a, b) => gap(b) - gap(a))
    .slice(0, most)
    .filter((c) => gap(c) > 0.015)
    .sort((a, b) => b.here - b.other - (a.here - a.other))
}

/** Weeks told as people tell them: days, weeks, months, years. */
export function told(weeks: number): { count: number; unit: 'day' | 'week' | 'month' | 'year' } {
  if (weeks < 2) return { count: Math.max(0, Math.round(weeks * 7)), unit: 'day' }
  if (weeks < 20) return { count: Math.round(weeks), unit: 'week' }
  if (weeks < 120) return { count: Math.round(weeks / 4.345), unit: 'month' }
  return { count: Math.round((weeks / 52.18) * 2) / 2, unit: 'year' }
}
