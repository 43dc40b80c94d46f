// The WebAssembly engine beside the native one: every number of every report must agree to 1e-6. The cases: the repository's
// examples, and the published cases where their folder lies beside the repository.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { EngineFault, Native } from '../src/engine/native'
import type { Person, Report } from '../src/engine'
import { bundle } from '../src/rooms/consult/fhir'

const root = join(import.meta.dirname, '../..')
const native = new Native(new WebAssembly.Module(readFileSync(join(root, 'build-wasm/dorsalgia.wasm'))))
const folder = mkdtempSync(join(tmpdir(), 'dorsalgia-'))
afterAll(() => rmSync(folder, { recursive: true }))

function program(person: Person): Report | undefined {
  const file = join(folder, 'person.json')
  writeFileSync(file, JSON.stringify(person))
  try {
    return JSON.parse(execFileSync(join(root, 'build/dorsalgia'), ['assess', '--json', file], { maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'ignore'] }).toString()) as Report
  } catch {
    return undefined // refused
  }
}

let compared = 0
function same(page: unknown, other: unknown, path: string): void {
  // The hash is over every bit of the compiled numbers, and exp and log of two systems differ in the last one.
  if (path.endsWith('.model.hash')) return
  if (typeof page === 'number' && typeof other === 'number') {
    compared++
    if (Math.abs(page - other) > 1e-6 * Math.max(1, Math.abs(other))) throw new Error(`${path}: page ${page}, native ${other}`)
  } else if (Array.isArray(page) && Array.isArray(other)) {
    if (page.length !== other.length) throw new Error(`${path}: ${page.length} and ${other.length} entries`)
    page.forEach((value, i) => same(value, other[i], `${path}[${i}]`))
  } else if (page && other && typeof page === 'object' && typeof other === 'object') {
    for (const key of new Set([...Object.keys(page), ...Object.keys(other)])) same((page as never)[key], (other as never)[key], `${path}.${key}`)
  } else if (page !== other) throw new Error(`${path}: page ${String(page)}, native ${String(other)}`)
}

const examples = readdirSync(join(root, 'examples'))
  .filter((name) => name.endsWith('.json'))
  .map((name) => [name, JSON.parse(readFileSync(join(root, 'examples', name), 'utf8')) as Person] as const)
const published = join(root, '../shared/cases/cases.jsonl')
const cases = existsSync(published)
  ? readFileSync(published, 'utf8').split('\n').filter(Boolean).map((line, i) => [`case ${i + 1}`, JSON.parse(line) as Person] as const)
  : []

describe('page and program', () => {
  it(`agree on ${examples.length} examples and ${cases.length} published cases`, { timeout: 600_000 }, async () => {
    let refused = 0
    for (const [name, person] of [...examples, ...cases]) {
      await new Promise((resolve) => setImmediate(resolve)) // so that vitest hears from us
      const expected = program(person)
      if (!expected) {
        refused++
        expect(() => native.assess(person), name).toThrow(EngineFault)
        continue
      }
      same(native.assess(person), expected, name)
    }
    console.log(`page and native: ${examples.length + cases.length - refused} people, ${compared} numbers agree to 1e-6; ${refused} refused by both`)
  })
})

describe('the engine', { timeout: 120_000 }, () => {
  const [, person] = examples.find(([name]) => name.startsWith('breast-12y'))!
  it('says at once what the whole report says', () => {
    const [look, whole] = [native.look(person), native.assess(person)]
    expect(look.probability.tumour).toBe(whole.probability.tumour)
    expect({ ...look.urgency, open_rules: [] }).toEqual({ ...whole.urgency, open_rules: [] })
    expect(look.causes.map((c) => c.probability)).toEqual(whole.causes.slice(0, 12).map((c) => c.probability))
    expect(look.reasons).toEqual([])
    expect(look.probability.interval).toBeNull()
  })
  it('asks first what the report asks first', () => {
    expect(native.questions(person).slice(0, 6).map((q) => q.finding)).toEqual(native.assess(person).next.map((q) => q.finding))
  })
  it('refuses in words', () => {
    expect(() => native.look({ age: 212 })).toThrow(/212 years is not an age/)
    expect(() => native.look({ findings: { fevre: 'present' } })).toThrow(/did you mean 'fever'/)
    expect(() => native.course({ cause: 'nothing' })).toThrow(/none called/)
  })
  it('has a source or a reason for every number of the knowledge base', () => {
    const k = native.knowledge()
    let numbers = 0
    const walk = (x: unknown): void => {
      if (Array.isArray(x)) x.forEach(walk)
      else if (x && typeof x === 'object') {
        const cite = (x as { cite?: { status: string; source?: string; why?: string } }).cite
        if (cite) {
          numbers++
          expect(cite.source ? cite.source in k.sources : cite.status === 'judgement').toBe(true)
        }
        Object.values(x).forEach(walk)
      }
    }
    walk(k)
    expect(numbers).toBeGreaterThan(2000)
  })
  it('unfolds every cause: people begin somewhere and are never more than one', () => {
    for (const cause of native.knowledge().causes) {
      const course = native.course({ cause: cause.id })
      expect(course.occupancy[0]!.reduce((a, b) => a + b)).toBeCloseTo(1, 9)
      for (const row of course.occupancy) expect(row.reduce((a, b) => a + b)).toBeLessThanOrEqual(1 + 1e-9)
      for (const stage of course.stages) for (const f of stage.findings) expect(f.probability >= 0 && f.probability <= 1).toBe(true)
    }
  })
  it('makes FHIR resources that hold what was said and what came out', () => {
    const report = native.assess(person)
    const made = bundle(person, report, native.knowledge(), new Date(0)) as { entry: { resource: Record<string, unknown> }[] }
    expect(made.entry.map((e) => e.resource['resourceType'])).toEqual(['QuestionnaireResponse', 'RiskAssessment'])
    const text = JSON.stringify(made)
    for (const id of Object.keys(person.findings ?? {})) expect(text).toContain(`"linkId":"${id}"`)
    expect(text).toContain(report.model.hash)
  })
})
