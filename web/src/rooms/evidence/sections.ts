// What stands on the page of one entry. Data only; Entry.svelte lays it out.
import type { AgeSexTable, Cite, Figure, Knowledge, NamedTable } from '../../engine/types'
import { messages } from '../../messages'
import { afterFit, number, percent, restingOn, type Item } from './catalogue'

export type Scale = 'share' | 'ratio' | 'speed' | 'number'
export interface Row {
  label: string
  to?: string
  figure: Figure
  scale: Scale
  fitted?: number
}
export interface Section {
  title: string
  note?: string
  text?: string
  facts?: { label: string; text?: string; links?: { text: string; href: string }[] }[]
  rows?: Row[]
  ages?: { table: AgeSexTable; tell: (x: number) => string }
  named?: { table: NamedTable; tell: (x: number) => string; to?: (key: string) => string }
  links?: { text: string; href: string; after?: string }[]
  cite?: Cite
}

const w = messages.evidence.sections
const link = (kind: string, id: string, text: string) => ({ text, href: `#/evidence/${kind}/${id}` })

export function sections(k: Knowledge, item: Item): Section[] {
  const moved = new Map(k.fitted.map((f) => [f.parameter, f.mean]))
  const causeName = (id: string) => k.causes.find((c) => c.id === id)?.name ?? id
  const mechanismName = (id: string) => k.mechanisms.find((m) => m.id === id)?.name ?? id
  const findingOf = (id: string) => k.findings.find((f) => f.id === id)
  const findingName = (id: string) => findingOf(id)?.name ?? id
  const fit = (parameter: string, figure: Figure, scale: 'share' | 'ratio') => {
    const z = moved.get(parameter)
    return z === undefined || Math.abs(z) < 0.2 ? {} : { fitted: afterFit(figure, z, scale) }
  }
  // Graded findings have a figure a grade; the fit moves all of them together, by the spread of the first.
  const graded = (label: string, to: string, figures: Figure[], grades: string[], parameter: string): Row[] =>
    figures.map((figure, i) => ({
      label: figures.length > 1 ? `${label}: ${messages.evidence.grades(grades[i + 1] ?? '')}` : label,
      to, figure, scale: 'share' as const, ...(figures.length === 1 ? fit(parameter, figure, 'share') : {}),
    }))
  const codes = (c: { snomed?: string; icd10cm?: string; loinc?: string }) =>
    [c.snomed && `SNOMED CT ${c.snomed}`, c.icd10cm && `ICD-10-CM ${c.icd10cm}`, c.loinc && `LOINC ${c.loinc}`].filter(Boolean).join(', ')
  const about = (...facts: [string, string | undefined][]): Section => ({ title: w.about, facts: facts.filter(([, text]) => text).map(([label, text]) => ({ label, text: text! })) })
  const shiftRows = (shifts: Record<string, { shift: Figure; spread?: Figure }> | undefined, kind: string, name: (id: string) => string): Row[] =>
    Object.entries(shifts ?? {}).map(([id, s]) => ({ label: name(id), to: `${kind}/${id}`, figure: s.shift, scale: 'number' as const }))

  const out: Section[] = []
  const put = (s: Section) => {
    if (s.text || s.facts?.length || s.rows?.length || s.ages || s.named || s.links?.length || s.cite) out.push(s)
  }

  if (item.kind === 'finding') {
    const f = findingOf(item.id)!
    put(about([w.facts.kind, f.kind], [w.facts.group, f.group], [w.facts.effort, f.burden.replaceAll('_', ' ')], [w.facts.clinician, f.ask.clinician], [w.facts.person, f.ask.person],
      [w.facts.unit, f.unit && f.unit !== '1' ? `${f.unit}${f.log_scale ? ' (logarithmic)' : ''}` : undefined], [w.facts.tests, f.place_root], [w.facts.synonyms, f.synonyms.map((s) => s.replaceAll('_', ' ')).join(', ')], [w.facts.codes, codes(f.codes)]))
    if (f.prevalence) put({ ...w.prevalence, ages: { table: f.prevalence, tell: percent } })
    if (f.years) put({ ...w.years, named: { table: f.years, tell: percent } })
    if (f.leak_table) put({ ...w.leak, ages: { table: f.leak_table, tell: percent } })
    else put({ ...w.leak, rows: graded(item.name, '', f.leak, f.grades, `${f.id} by chance`) })
    if (f.centre) put({ ...w.background, ages: { table: f.centre, tell: number } })
    if (f.spread) put({ ...w.spread, rows: [{ label: w.spread.title, figure: f.spread, scale: 'number' }] })
    put({ ...w.byMechanism, rows: Object.entries(f.mechanisms).flatMap(([m, figures]) => graded(mechanismName(m), `mechanism/${m}`, figures, f.grades, `${f.id} | ${m}`)) })
    const own = [...Object.entries(f.causes), ...k.causes.flatMap((c) => (c.findings[f.id] ? [[c.id, c.findings[f.id]!] as const] : []))]
    put({ ...w.byCause, rows: own.flatMap(([c, figures]) => graded(causeName(c), `cause/${c}`, figures, f.grades, `${f.id} | ${c}`)) })
    put({ ...w.byStage, rows: k.courses.flatMap((c) => c.stages.flatMap((s) => (s.findings[f.id] ? graded(`${c.name}: ${s.name}`, `course/${c.id}`, s.findings[f.id]!, f.grades, `${f.id} | ${c.id}.${s.id}`) : []))) })
    put({ ...w.shifts, rows: [...shiftRows(f.mechanism_shifts, 'mechanism', mechanismName), ...shiftRows(f.cause_shifts, 'cause', causeName), ...k.causes.flatMap((c) => (c.measures[f.id] ? shiftRows({ [c.id]: c.measures[f.id]! }, 'cause', causeName) : []))] })
    put({ ...w.linked, rows: k.causes.flatMap((c) => c.context.filter((x) => x.factor === f.id).map((x): Row => ({ label: c.name, to: `cause/${c.id}`, figure: x.figure, scale: x.is_share ? 'share' : 'ratio', ...fit(`${f.id} | ${c.id}`, x.figure, x.is_share ? 'share' : 'ratio') }))) })
    const uses = new RegExp(`\\b${f.id}\\b`)
    put({ ...w.usedBy, links: k.rules.filter((r) => r.needs.includes(f.id) || uses.test(r.when)).map((r) => ({ ...link('rule', r.id, r.name), after: `${r.urgency}, ${r.profile}` })) })
    put({ ...w.listedBy, links: k.comparators.filter((c) => Object.values(c.lists).some((l) => uses.test(l))).map((c) => ({ ...link('comparator', c.id, c.name), after: c.country })) })
  } else if (item.kind === 'cause') {
    const c = k.causes.find((x) => x.id === item.id)!
    const course = k.courses.find((x) => x.id === c.course)
    out.push({
      title: w.about, text: c.describes,
      facts: [
        { label: w.facts.group, text: c.group },
        ...(c.behaviour !== 'none' ? [{ label: w.facts.behaviour, text: c.behaviour }] : []),
        ...(c.emergency ? [{ label: w.facts.emergency, text: messages.evidence.yes }] : []),
        { label: w.facts.course, links: [link('course', c.course, course?.name ?? c.course)] },
        ...(c.behaviour !== 'none' ? [{ label: w.facts.watch, links: [{ text: messages.common.rooms.watch, href: `#/watch/${c.id}` }] }] : []),
        ...(codes(c.codes) ? [{ label: w.facts.codes, text: codes(c.codes) }] : []),
      ],
    })
    put({ ...w.rate, ages: { table: c.rate, tell: number } })
    put({ ...w.settings, named: { table: c.settings, tell: number } })
    put({ ...w.levels, named: { table: c.levels, tell: percent } })
    if (c.referral) put({ ...w.referral, named: { table: c.referral, tell: percent } })
    if (c.tempo) put({ ...w.tempo, rows: [{ label: w.tempo.title, figure: c.tempo, scale: 'ratio' }] })
    if (c.accompanied_by) put({ ...w.accompanied, rows: [{ label: mechanismName(c.accompanied_by.mechanism), to: `mechanism/${c.accompanied_by.mechanism}`, figure: c.accompanied_by.share, scale: 'share' }] })
    put({ ...w.context, rows: c.context.map((x): Row => ({ label: findingName(x.factor), to: `finding/${x.factor}`, figure: x.figure, scale: x.is_share ? 'share' : 'ratio', ...fit(`${x.factor} | ${c.id}`, x.figure, x.is_share ? 'share' : 'ratio') })) })
    const own: [string, Figure[]][] = [...Object.entries(c.findings), ...k.findings.flatMap((f) => (f.causes[c.id] ? [[f.id, f.causes[c.id]!] as [string, Figure[]]] : []))]
    put({ ...w.findings, rows: own.flatMap(([id, figures]) => graded(findingName(id), `finding/${id}`, figures, findingOf(id)?.grades ?? [], `${id} | ${c.id}`)) })
    put({ ...w.measures, rows: shiftRows(c.measures, 'finding', findingName) })
  } else if (item.kind === 'course') {
    const c = k.courses.find((x) => x.id === item.id)!
    put({ title: w.about, text: c.describes })
    if (c.fills_canal) put({ ...w.canalFilling, named: { table: k.anatomy.canal_filling, tell: number } })
    for (const s of c.stages) {
      const rows: Row[] = []
      if (s.entry) rows.push({ label: w.stage.entry, figure: s.entry, scale: 'share' })
      rows.push({ label: w.stage.presents, figure: s.presents, scale: 'speed' })
      for (const [to, figure] of Object.entries(s.to)) rows.push({ label: `→ ${to === 'recovered' ? w.stage.recovered : (c.stages.find((x) => x.id === to)?.name ?? to)}`, figure, scale: 'speed' })
      for (const [id, figures] of Object.entries(s.findings)) rows.push(...graded(findingName(id), `finding/${id}`, figures, findingOf(id)?.grades ?? [], `${id} | ${c.id}.${s.id}`))
      put({ title: s.name, facts: [{ label: w.stage.mechanisms, links: s.mechanisms.map((m) => link('mechanism', m, mechanismName(m))) }], rows })
    }
    put({ ...w.followers, links: k.causes.filter((x) => x.course === c.id).map((x) => ({ ...link('cause', x.id, x.name), after: x.tempo ? `× ${number(x.tempo.value)}` : '' })) })
  } else if (item.kind === 'mechanism') {
    const m = k.mechanisms.find((x) => x.id === item.id)!
    put({ title: w.about, text: m.describes, facts: m.canal.length ? [{ label: w.facts.canal, text: m.canal.join(', ') }] : [] })
    put({ ...w.stages, links: k.courses.flatMap((c) => c.stages.filter((s) => s.mechanisms.includes(m.id)).map((s) => link('course', c.id, `${c.name}: ${s.name}`))) })
    const brought = k.findings.filter((f) => f.mechanisms[m.id]).sort((a, b) => b.mechanisms[m.id]![0]!.value - a.mechanisms[m.id]![0]!.value)
    put({ ...w.brings, rows: brought.flatMap((f) => graded(f.name, `finding/${f.id}`, f.mechanisms[m.id]!, f.grades, `${f.id} | ${m.id}`)) })
    put({ ...w.moves, rows: k.findings.flatMap((f) => (f.mechanism_shifts?.[m.id] ? shiftRows({ [f.id]: f.mechanism_shifts[m.id]! }, 'finding', findingName) : [])) })
  } else if (item.kind === 'rule') {
    const r = k.rules.find((x) => x.id === item.id)!
    put({
      ...about([w.rule.urgency, r.urgency], [w.rule.within, r.within_hours ? w.rule.hours(r.within_hours) : undefined], [w.rule.clinician, r.action.clinician], [w.rule.person, r.action.person], [w.rule.when, r.when.replaceAll('_', ' ')],
        [w.rule.who, r.profile], [w.rule.applies, r.applies], [w.rule.recommendation, r.recommendation], [w.rule.looked, r.date_checked]),
      cite: r.cite,
    })
    put({ title: w.rule.needs, links: r.needs.map((id) => (findingOf(id) ? link('finding', id, findingName(id)) : { text: id.replaceAll('_', ' '), href: `#/evidence/${id}` })) })
  } else if (item.kind === 'threshold') {
    const t = k.thresholds.find((x) => x.id === item.id)!
    put({ ...about([w.threshold.quantity, t.quantity], [w.threshold.least, percent(t.at_least)], [w.threshold.urgency, t.urgency], [w.rule.recommendation, t.recommendation]), cite: t.cite })
  } else if (item.kind === 'level') {
    const l = k.anatomy.levels.find((x) => x.id === item.id)!
    const shares = (r: Record<string, number>) => Object.entries(r).map(([id, p]) => `${id.replaceAll('_', ' ')} ${percent(p)}`).join(', ')
    put({ ...about([w.level.region, l.region], [w.level.canal, l.canal], [w.level.segment, l.cord_segment === 'null' ? '' : l.cord_segment], [w.level.roots, shares(l.roots)], [w.level.pain, shares(l.pain)]), cite: k.anatomy.cite })
  } else if (item.kind === 'score') {
    const s = k.scores.find((x) => x.id === item.id)!
    put({ title: w.about, text: s.describes, cite: s.cite })
  } else if (item.kind === 'comparator') {
    const c = k.comparators.find((x) => x.id === item.id)!
    put({ title: w.about, facts: Object.entries(c.lists).map(([label, text]) => ({ label: label.replaceAll('_', ' '), text: text.replaceAll('_', ' ') })), cite: c.cite })
  } else {
    const s = k.sources[item.id]!
    const href = s.doi ? `https://doi.org/${s.doi}` : s.url
    out.push({
      title: w.about,
      facts: [
        { label: w.source.authors, text: s.authors },
        { label: w.source.published, text: s.published },
        ...(s.year ? [{ label: w.source.year, text: String(s.year) }] : []),
        { label: w.source.kind, text: s.kind },
        ...(href ? [{ label: w.source.link, links: [{ text: href, href }] }] : []),
      ],
    })
    const cites = restingOn(k, item.id)
    put({ title: w.source.cites, text: w.source.rests(cites.reduce((n, c) => n + c.numbers, 0)), links: cites.map((c) => ({ text: c.name, href: `#/evidence/${c.to}`, after: `${c.numbers}` })) })
  }
  return out
}

export const told = (scale: Scale) => (x: number) => (scale === 'share' ? percent(x) : scale === 'ratio' ? `× ${number(x)}` : number(x))
