// The knowledge base as a list to search, and what is counted over it.
import type { Knowledge, Status } from '../../engine/types'

export const kinds = ['finding', 'cause', 'course', 'mechanism', 'rule', 'threshold', 'level', 'score', 'comparator', 'source'] as const
export type Kind = (typeof kinds)[number]

export interface Item {
  kind: Kind
  id: string
  name: string
  group: string
  words: string // what is searched besides the name, in lower case
}

const plain = (s: string) => s.toLowerCase().replaceAll('_', ' ').normalize('NFD').replace(/\p{M}/gu, '').replaceAll('oed', 'ed').replaceAll('aem', 'em').replaceAll('tumour', 'tumor')

export function catalogue(k: Knowledge): Item[] {
  const item = (kind: Kind, id: string, name: string, group: string, ...more: (string | undefined)[]): Item => ({ kind, id, name, group, words: plain([id, group, ...more].join(' ')) })
  return [
    ...k.findings.map((f) => item('finding', f.id, f.name, f.group, f.kind, ...f.synonyms, f.ask.clinician, f.ask.person)),
    ...k.causes.map((c) => item('cause', c.id, c.name, c.group, c.behaviour === 'none' ? '' : `${c.behaviour} tumour`, c.describes)),
    ...k.courses.map((c) => item('course', c.id, c.name, '', c.describes, ...c.stages.map((s) => s.name))),
    ...k.mechanisms.map((m) => item('mechanism', m.id, m.name, '', m.describes)),
    ...k.rules.map((r) => item('rule', r.id, r.name, r.profile, r.urgency, r.applies, r.recommendation, r.action.clinician, r.when)),
    ...k.thresholds.map((t) => item('threshold', t.id, t.name, t.urgency, t.quantity)),
    ...k.anatomy.levels.map((l) => item('level', l.id, l.id, l.region, l.canal)),
    ...k.scores.map((s) => item('score', s.id, s.name, '', s.describes)),
    ...k.comparators.map((c) => item('comparator', c.id, c.name, c.country)),
    ...Object.entries(k.sources).map(([key, s]) => item('source', key, s.title, `${s.authors.split(/[ ,]/)[0]} ${s.year || ''}`.trim(), s.authors, s.published, s.kind)),
  ]
}

/** Every word must be found; a name that begins with the query comes first, then names that hold it, then the rest. */
export function search(items: readonly Item[], query: string, kind?: Kind): Item[] {
  const asked = plain(query.trim())
  const words = asked.split(/\s+/).filter(Boolean)
  const scored: [number, Item][] = []
  for (const item of items) {
    if (kind && item.kind !== kind) continue
    const name = plain(item.name)
    if (!words.every((w) => name.includes(w) || item.words.includes(w))) continue
    const score = words.length === 0 ? 0 : name === asked || item.words.startsWith(`${asked} `) ? 4 : name.startsWith(asked) ? 3 : name.includes(asked) ? 2 : words.every((w) => name.includes(w)) ? 1 : 0
    scored.push([score, item])
  }
  return scored.sort((a, b) => b[0] - a[0] || kinds.indexOf(a[1].kind) - kinds.indexOf(b[1].kind)).map(([, item]) => item)
}

/** What a fragment names: "finding/night_pain", or "night_pain" where that is enough. */
export function named(items: readonly Item[], rest: string): Item | undefined {
  const [kind, ...id] = rest.split('/')
  return items.find((i) => i.kind === kind && i.id === id.join('/')) ?? items.find((i) => i.id === rest)
}

interface Cited {
  cite?: { status?: Status; source?: string }
  value?: unknown
  values?: unknown
  male?: unknown
}

/** Visits every number of the knowledge base with its citation. */
function walk(node: unknown, see: (cited: Cited, numbers: number, path: readonly string[]) => void, path: readonly string[] = []): void {
  if (typeof node !== 'object' || node === null) return
  const cited = node as Cited
  if (cited.cite?.status) {
    if (typeof cited.value === 'number') see(cited, 1, path)
    else if (typeof cited.values === 'object' && cited.values) see(cited, Object.keys(cited.values).length, path)
    else if (Array.isArray(cited.male)) see(cited, 2 * cited.male.length, path)
  }
  for (const [key, child] of Object.entries(node))
    if (key !== 'cite' && key !== 'fitted') walk(child, see, [...path, Array.isArray(node) && child && typeof child === 'object' && 'id' in child ? String((child as { id: unknown }).id) : key])
}

export function countByStatus(k: Knowledge): Record<Status, number> {
  const counts: Record<Status, number> = { checked: 0, secondary: 0, recalled: 0, judgement: 0 }
  walk(k, (cited, n) => (counts[cited.cite!.status!] += n))
  return counts
}

const kindOf: Record<string, Kind> = { findings: 'finding', causes: 'cause', courses: 'course' }

/** The entries whose numbers rest on a source, and how many numbers each has from it. */
export function restingOn(k: Knowledge, source: string): { to: string; name: string; numbers: number }[] {
  const out = new Map<string, { to: string; name: string; numbers: number }>()
  const add = (kind: Kind, id: string, name: string, n: number) => {
    const to = `${kind}/${id}`
    out.set(to, { to, name, numbers: (out.get(to)?.numbers ?? 0) + n })
  }
  for (const [list, kind] of Object.entries(kindOf))
    for (const entry of k[list as 'findings'] as { id: string; name: string }[]) walk(entry, (cited, n) => cited.cite!.source === source && add(kind, entry.id, entry.name, n))
  for (const [kind, list] of [['rule', k.rules], ['threshold', k.thresholds], ['comparator', k.comparators], ['score', k.scores]] as const)
    for (const entry of list) if (entry.cite?.source === source) add(kind, entry.id, entry.name, 1)
  return [...out.values()].sort((a, b) => b.numbers - a.numbers)
}

// ---- numbers as told

const sig = (x: number, digits: number) => Number(x.toPrecision(digits)).toLocaleString('en', { maximumSignificantDigits: digits })

/** 0.0001 is 0.01%: two figures that mean something, no more. */
export const percent = (x: number) => (x === 0 ? '0%' : x >= 0.0995 ? `${x > 0.9849 && x < 1 ? (100 * x).toFixed(1) : Math.round(100 * x)}%` : `${sig(100 * x, 2)}%`)
export const number = (x: number) => (x === 0 ? '0' : Math.abs(x) < 1e-4 ? x.toExponential(1) : sig(x, 3))

const logit = (p: number) => Math.log(p / (1 - p))
const wide = 2 * 1.959964

/** Where the fit moved a number (src/model/parameter.h): by `z` standard deviations of its own range. */
export function afterFit(f: { value: number; low: number; high: number }, z: number, scale: 'share' | 'ratio'): number {
  const { value, low, high } = f
  if (scale === 'ratio') {
    if (!(value > 0)) return value
    return value * Math.exp((z * Math.log(high / low)) / wide)
  }
  if (!(value > 0 && value < 1)) return value
  const [a, b] = [low > 0 && low < value, high < 1 && high > value]
  const spread = a && b ? (logit(high) - logit(low)) / wide : a ? (2 * (logit(value) - logit(low))) / wide : b ? (2 * (logit(high) - logit(value))) / wide : 0
  return value / (value + (1 - value) * Math.exp(-z * spread))
}
