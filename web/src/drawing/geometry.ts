// Soft closed outlines for SVG: everything that is drawn is a ring of points, joined by smooth curves.

export type Point = readonly [x: number, y: number]

/** Catmull-Rom through the points, as cubic curves. */
export function smooth(points: readonly Point[], closed = true): string {
  const n = points.length
  const at = (i: number): Point => points[closed ? (i + n) % n : Math.min(n - 1, Math.max(0, i))]!
  const told = ([x, y]: Point) => `${x.toFixed(1)} ${y.toFixed(1)}`
  let path = `M${told(at(0))}`
  for (let i = 0; i < (closed ? n : n - 1); ++i) {
    const [a, b, c, d] = [at(i - 1), at(i), at(i + 1), at(i + 2)]
    path += `C${told([b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6])} ${told([c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6])} ${told(c)}`
  }
  return closed ? `${path}Z` : path
}

/** The other half of an outline that begins and ends on the midline. */
export function mirrored(half: readonly Point[]): Point[] {
  const back = half
    .filter(([x]) => x !== 0)
    .reverse()
    .map(([x, y]): Point => [-x, y])
  return [...half, ...back]
}

export const flipped = (points: readonly Point[]): Point[] => points.map(([x, y]) => [-x, y])

/** A bulge (reach above 0) or dent of a ring, in the direction `angle`: degrees, 0 right, 90 down. */
export interface Lobe {
  angle: number
  width: number
  reach: number
}

export interface Ring {
  x: number
  y: number
  rx: number
  ry?: number
  lobes?: readonly Lobe[]
  rough?: number // relative height of the unevenness
  seed?: number
}

export function ringPoints({ x, y, rx, ry = rx, lobes = [], rough = 0, seed = 1 }: Ring, n = 56): Point[] {
  const points: Point[] = []
  for (let i = 0; i < n; ++i) {
    const t = (2 * Math.PI * i) / n
    let uneven = 1
    for (let k = 2; k < 8; ++k) uneven += (rough / Math.sqrt(k)) * Math.sin(k * t + seed * k * k * 1.7)
    const ellipse = rx * ry > 0 ? (rx * ry) / Math.hypot(ry * Math.cos(t), rx * Math.sin(t)) : 0
    let r = ellipse * uneven
    for (const { angle, width, reach } of lobes) {
      const away = ((((t * 180) / Math.PI - angle) % 360) + 540) % 360 - 180
      r += reach * Math.exp(-((away / width) ** 2))
    }
    points.push([x + Math.max(0, r) * Math.cos(t), y + Math.max(0, r) * Math.sin(t)])
  }
  return points
}

export const ring = (r: Ring, n?: number): string => smooth(ringPoints(r, n))

/** 0 up to `from`, 1 above `to`, soft in between. */
export function ease(x: number, from = 0, to = 1): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

export const mix = (a: number, b: number, t: number): number => a + (b - a) * t
