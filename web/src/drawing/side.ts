// Three vertebrae cut down the middle, seen from the right: x to the back, y down, four units a millimetre. A break sinks the front of the
// middle one, and what stands on it tips forward.
import { mix, type Point, smooth } from './geometry'
import type { Region } from './axial'

export interface Bone {
  body: string
  inner: string
  process: string
}
export interface Spine {
  bones: Bone[]
  discs: { outer: string; core: string }[]
  canal: string // between the backs of the bodies and the arches
  sac: string
  cord: string
  front: string // ligaments
  back: string
  roots: Point[]
  middleTop: number
}

type Move = (p: Point) => Point

const turned = (degrees: number, about: Point, by: Point): Move => {
  const t = (degrees * Math.PI) / 180
  return ([x, y]) => [
    about[0] + (x - about[0]) * Math.cos(t) - (y - about[1]) * Math.sin(t) + by[0],
    about[1] + (x - about[0]) * Math.sin(t) + (y - about[1]) * Math.cos(t) + by[1],
  ]
}

export function spine(region: Region, collapse: number, press: number, retropulsion: number): Spine {
  const lumbar = region === 'lumbar'
  const w = lumbar ? 66 : 58 // half the depth of a body
  const h = lumbar ? 52 : 46 // half its height
  const gap = lumbar ? 36 : 22
  const step = 2 * h + gap
  const bend = lumbar ? 7 : -6 // lordosis, kyphosis
  const sunk = 0.42 * collapse
  // Upper vertebrae rest on the broken one: they sink and tip about its back wall.
  const tip = turned(-7 * collapse, [w, -h], [0, 9 * collapse])
  const level = (i: number): Move => {
    const place = turned(-i * bend, [0, 0], [Math.abs(i) * (lumbar ? 8 : -7) * Math.abs(i), i * step])
    return (p) => (i < 0 ? tip(place(p)) : place(p))
  }
  const place = [-2, -1, 0, 1, 2].map(level)

  const bodyPoints = (k: number): Point[] => {
    const top = -h + (k > 0 ? 2 * h * 0.34 * k : 0)
    const front = -h + 2 * h * sunk * (k > 0 ? 1 : 0)
    return [
      [-w, mix(front, top, 0.02)], [-w * 0.5, mix(front, top, 0.22) + 5], [0, mix(front, top, 0.45) + 6], [w * 0.5, mix(front, top, 0.2) * 0.4 + -h * 0.6 + 4], [w, -h + 4 * k],
      [w - 5, -h * 0.5], [w - 7 + 17 * retropulsion, 0], [w - 5, h * 0.5],
      [w, h], [w * 0.5, h - 4], [0, h - 6], [-w * 0.5, h - 4], [-w, h],
      [-w + 7 - 6 * k, h * 0.5], [-w + 9 - 13 * k, mix(0, h * 0.45, k)], [-w + 7 - 8 * k, mix(-h * 0.5, h * 0.18, k)],
    ]
  }
  const process: Point[] = lumbar
    ? [[134, -16], [150, -22], [190, -14], [224, -10], [240, 6], [240, 32], [226, 42], [188, 36], [158, 38], [138, 32], [132, 8]]
    : [[126, -20], [142, -24], [172, 0], [204, 34], [226, 66], [228, 82], [214, 84], [186, 62], [152, 40], [130, 28], [124, 4]]
  const bones = place.map((move, i): Bone => {
    const points = bodyPoints(i === 2 ? collapse : 0)
    const [cx, cy] = [0, i === 2 ? h * 0.3 * collapse : 0]
    return {
      body: smooth(points.map(move)),
      inner: smooth(points.map(([x, y]): Point => [cx + (x - cx) * 0.9, cy + (y - cy) * 0.88]).map(move)),
      process: smooth(process.map(move)),
    }
  })
  const discs = [0, 1, 2, 3].map((i) => {
    const [above, below] = [place[i]!, place[i + 1]!]
    const k = i === 1 ? collapse : 0
    const lower = bodyPoints(i + 1 === 2 ? collapse : 0)
    const upper: Point[] = [[-w, h], [-w * 0.5, h - 4], [0, h - 6], [w * 0.5, h - 4], [w, h]]
    const top = upper.map(above)
    const bottom = [lower[4]!, lower[3]!, lower[2]!, lower[1]!, lower[0]!].map(below)
    const bulge = (a: Point, b: Point, by: number): Point => [(a[0] + b[0]) / 2 + by, (a[1] + b[1]) / 2]
    const middle = (t: number, s: number): Point => {
      const a = top[Math.round(t * 4)]!
      const b = bottom[4 - Math.round(t * 4)]!
      return [mix(a[0], b[0], s), mix(a[1], b[1], s)]
    }
    return {
      outer: smooth([...top, bulge(top[4]!, bottom[0]!, 5), ...bottom, bulge(top[0]!, bottom[4]!, -6 - 3 * k)]),
      core: smooth([middle(0.25, 0.5), middle(0.25, 0.3), middle(0.5, 0.24), middle(0.75, 0.3), middle(0.75, 0.5), middle(0.75, 0.7), middle(0.5, 0.76), middle(0.25, 0.7)]),
    }
  })

  // The canal runs behind all bodies; its lines pass through points carried along by each vertebra.
  const along = (x: number, ys: readonly number[], extra: (i: number, y: number) => number = () => 0): Point[] =>
    place.flatMap((move, i) => ys.map((y): Point => move([x + extra(i - 2, y), y])))
  const dent = (i: number, y: number) => (i === 0 ? Math.exp(-((y / (h * 0.95)) ** 2)) : 0)
  const front = along(w, [-h, 0, h], (i, y) => (y === 0 ? (i === 0 ? -7 + 17 * retropulsion : -7) : 0))
  const backs = along(lumbar ? 136 : 126, [-h * 0.8, 0, h * 0.8])
  const shift = lumbar ? 0 : -6
  const sacFront = along(w + 9, [-h * 0.8, 0, h * 0.8], (i, y) => dent(i, y) * 25 * press)
  const sacBack = along(lumbar ? 126 : 117, [-h * 0.8, 0, h * 0.8], (i, y) => dent(i, y) * 4 * press)
  const cordFront = along(84 + shift, [-h * 0.8, 0, h * 0.8], (i, y) => dent(i, y) * 19 * press)
  const cordBack = along(112 + shift, [-h * 0.8, 0, h * 0.8], (i, y) => dent(i, y) * 8 * press)
  const band = (a: Point[], b: Point[]) => smooth([...a, ...[...b].reverse()])
  return {
    bones,
    discs,
    canal: band(front, backs),
    sac: band(sacFront, sacBack),
    cord: band(cordFront, cordBack),
    front: smooth(along(-w - 3, [-h, h], (i, y) => (i === 0 && y < 0 ? -4 * collapse : 0)).map(([x, y], n): Point => (n === 4 ? [x, y + 2 * h * sunk] : [x, y])), false),
    back: smooth(front.map(([x, y]): Point => [x + 3, y]), false),
    roots: place.map((move) => move([w + 22, h + gap * 0.3])),
    middleTop: -h,
  }
}

/** Strands of the cauda equina: lines down the sac, crowded where it is pressed. */
export function tails(press: number): string[] {
  return [0, 1, 2, 3, 4, 5].map((i) => {
    const points: Point[] = []
    for (let y = -330; y <= 330; y += 30) {
      const bow = 8 * Math.sin((y / 330) * 1.4 + 1.6)
      const x = 92 + i * 6
      points.push([x + bow * 0.5 + press * Math.exp(-((y / 62) ** 2)) * (22 - i * 3.2) + Math.abs(y / 150) ** 2 * 4, y])
    }
    return smooth(points, false)
  })
}
