// Chances as counts of people, the one way numbers are told here: two digits that mean something, a fixed denominator, the range
// rounded outward, and below 1 in 10,000 no number at all. src/report/report.cpp follows the same rules.

const whole = new Intl.NumberFormat('en-GB')
export const grouped = (n: number): string => whole.format(n)

function twoDigits(x: number, round: (x: number) => number): number {
  const y = Math.round(x * 1e6) / 1e6
  if (y < 99.5) return round(y)
  const unit = 10 ** (Math.floor(Math.log10(y)) - 1)
  return round(y / unit) * unit
}

/** How many of so many people; 0 stands for fewer than one. Two digits of the smaller side, so that both sides add up. */
export function people(p: number, of = 1000, round: (x: number) => number = Math.round): number {
  const x = p * of
  if (x < 0.95 && round !== Math.ceil) return 0
  if (of - x < 0.95) return of
  if (x <= of / 2) return twoDigits(x, round)
  const other = round === Math.floor ? Math.ceil : round === Math.ceil ? Math.floor : round
  return of - twoDigits(of - x, other)
}

/** "37", "fewer than 1", "more than 999" */
export function count(p: number, of = 1000): string {
  const n = people(p, of)
  return n === 0 ? 'fewer than 1' : n >= of ? `more than ${grouped(of - 1)}` : grouped(n)
}
/** The same for narrow places: "<1" */
export function short(p: number, of = 1000): string {
  const n = people(p, of)
  return n === 0 ? '<1' : n >= of ? `>${grouped(of - 1)}` : grouped(n)
}
/** "4 in 1,000"; "7 in 10,000" below one in a thousand; "fewer than 1 in 10,000" */
export function chance(p: number): string {
  const of = p * 1000 >= 0.95 ? 1000 : 10000
  return `${count(p, of)} in ${grouped(of)}`
}
/** Both ends of an interval, outward: "2 to 9" of 1,000; of 10,000 when it ends below one in a thousand */
export function range([low, high]: [number, number], of = 1000): string {
  const a = people(low, of, Math.floor)
  const b = Math.max(1, people(high, of, Math.ceil))
  const words = (n: number) => (n === 0 ? 'fewer than 1' : n >= of ? `more than ${grouped(of - 1)}` : grouped(n))
  return a === b ? words(a) : `${words(a)} to ${words(b)}`
}
export const denominator = (p: number): number => (p * 1000 >= 0.95 ? 1000 : 10000)

/** How far an answer pushes, in words (decibans: 10 is ten times the odds). */
export type Push = 'up a lot' | 'up a little' | 'hardly' | 'down a little' | 'down a lot'
export function push(decibans: number): Push {
  const size = Math.abs(decibans)
  if (size < 1) return 'hardly'
  const way = decibans > 0 ? 'up' : 'down'
  return size < 5 ? `${way} a little` : `${way} a lot`
}
export const signed = (x: number, digits = 1): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(digits)}`
