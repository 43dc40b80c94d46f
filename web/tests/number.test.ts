import { describe, expect, it } from 'vitest'
import { chance, count, people, push, range, short } from '../src/messages/number'

describe('chances as people', () => {
  it('keeps two digits of the smaller side, and both sides add up', () => {
    for (let p = 0.001; p < 1; p += 0.00137) {
      const yes = people(p)
      if (yes > 0 && yes < 1000) expect(yes + people(1 - p)).toBe(1000)
    }
    expect(count(0.1634)).toBe('160')
    expect(count(0.0372)).toBe('37')
    expect(short(0.9996)).toBe('>999')
  })
  it('says a number only where there is one', () => {
    expect(chance(0.004)).toBe('4 in 1,000')
    expect(chance(0.0007)).toBe('7 in 10,000')
    expect(chance(0.00001)).toBe('fewer than 1 in 10,000')
  })
  it('rounds a range outward: it holds both ends', () => {
    for (let i = 0; i < 500; i++) {
      const low = (i % 97) / 100
      const high = Math.min(1, low + (i % 31) / 100)
      expect(people(low, 1000, Math.floor)).toBeLessThanOrEqual(low * 1000 + 1e-6)
      expect(people(high, 1000, Math.ceil)).toBeGreaterThanOrEqual(high * 1000 - 1e-6)
    }
    expect(range([0.0021, 0.0094])).toBe('2 to 10')
    expect(range([0.00001, 0.0004])).toBe('fewer than 1 to 1')
  })
  it('names pushes by size', () => {
    expect([12, 3, 0.4, -3, -8].map(push)).toEqual(['up a lot', 'up a little', 'hardly', 'down a little', 'down a lot'])
  })
})
