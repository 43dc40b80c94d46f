// The cross-section, four units a millimetre: x to the person's left, y to the back, the canal's front wall near (0, -8). As on a scan
// it is seen from the feet, so the person's right is on the left.
import { flipped, mirrored, type Point, type Ring, ring, smooth } from './geometry'

export type Region = 'lumbar' | 'thoracic'

// Right half from the middle of the front round to the tip of the spinous process.
const outer: Record<Region, Point[]> = {
  lumbar: [
    [0, -143], [30, -142], [60, -132], [84, -108], [91, -78], [86, -52], [82, -26], [84, -4], [92, 16], [112, 27], [146, 26], [178, 20],
    [190, 27], [186, 39], [152, 50], [118, 58], [110, 72], [112, 92], [102, 108], [84, 108], [62, 104], [42, 112], [24, 126], [15, 146],
    [13, 172], [18, 196], [14, 210], [0, 215],
  ],
  thoracic: [
    [0, -146], [26, -142], [50, -126], [68, -98], [76, -66], [76, -40], [68, -22], [58, -6], [58, 12], [74, 30], [100, 46], [124, 64], [138, 82],
    [132, 98], [114, 100], [92, 86], [72, 82], [54, 88], [34, 100], [20, 116], [13, 140], [11, 172], [12, 202], [9, 218], [0, 222],
  ],
}
const body: Record<Region, Point[]> = {
  lumbar: [[0, -143], [30, -142], [60, -132], [84, -108], [91, -78], [86, -48], [76, -24], [52, -10], [24, -14], [0, -16]],
  thoracic: [[0, -146], [26, -142], [50, -126], [68, -98], [76, -66], [74, -38], [60, -16], [38, -10], [18, -15], [0, -17]],
}
const canal: Record<Region, Point[]> = {
  lumbar: [[0, -10], [26, -9], [48, 2], [57, 22], [50, 44], [32, 62], [12, 78], [0, 83]],
  thoracic: [[0, -10], [20, -9], [36, 4], [42, 24], [36, 46], [20, 60], [0, 66]],
}

const inset = (half: Point[], x: number, y: number, by: number): Point[] => half.map(([px, py]) => [x + (px - x) * by, y + (py - y) * by])

export const bone = (r: Region) => `${smooth(mirrored(outer[r]))}${smooth(mirrored(canal[r]))}`
export const boneOuter = (r: Region) => smooth(mirrored(outer[r]))
export const bodyOutline = (r: Region) => smooth(mirrored(body[r]))
export const bodyScaled = (r: Region, by: number) => smooth(mirrored(inset(body[r], 0, -78, by)))
export const bodyInner = (r: Region) => bodyScaled(r, 0.9)
export const bodyInnermost = (r: Region) => bodyScaled(r, 0.72)
export const canalOutline = (r: Region) => smooth(mirrored(canal[r]))

/** Articular processes with the gap of the joint, left and right. */
export const joints = (r: Region): { cap: string; gap: string }[] => {
  const cap: Point[] = r === 'lumbar' ? [[62, 66], [78, 62], [94, 70], [98, 86], [88, 99], [72, 98], [62, 84]] : [[42, 66], [58, 60], [74, 66], [76, 78], [62, 86], [46, 82]]
  const gap: Point[] = r === 'lumbar' ? [[66, 70], [76, 78], [82, 90], [80, 100]] : [[42, 74], [54, 73], [66, 74], [76, 78]]
  return [
    { cap: smooth(cap), gap: smooth(gap, false) },
    { cap: smooth(flipped(cap)), gap: smooth(flipped(gap), false) },
  ]
}

/** Sac and cord of a region, pressed from a direction: the sac gives way until the canal stops it, then it is flattened. */
export function contents(r: Region, press: number, from: number, swelling: number) {
  const [rx, ry] = r === 'lumbar' ? [37, 31] : [31, 28]
  const y = r === 'lumbar' ? 29 : 25
  const turn = (from * Math.PI) / 180
  const away: Point = [-Math.cos(turn) * 8 * press, -Math.sin(turn) * 8 * press]
  const sac: Ring = { x: away[0], y: y + away[1], rx, ry, lobes: [{ angle: from, width: 46, reach: -(r === 'lumbar' ? 26 : 22) * press }] }
  const push: Point = [-Math.cos(turn) * 13 * press, -Math.sin(turn) * 13 * press]
  const cord: Ring = {
    x: push[0], y: y + push[1], rx: 20 + 7 * swelling, ry: 15 + 7 * swelling, lobes: [{ angle: from, width: 52, reach: -8.5 * press }],
  }
  return { sac, cord, sacPath: ring(sac), cordPath: ring(cord) }
}

/** The grey matter, a butterfly within the cord. */
export function butterfly(cord: Ring): string {
  const k = cord.rx / 20
  const half: Point[] = [[0, -1.6], [3, -2.4], [6.5, -6.4], [9.6, -7], [10.6, -4], [7.4, 0], [6.6, 4], [8.4, 9], [7, 10.4], [4.4, 6], [2.2, 2.4], [0, 2]]
  const flat = 1 - 0.3 * Math.min(1, Math.abs(cord.lobes?.[0]?.reach ?? 0) / 9)
  return smooth(mirrored(half).map(([x, y]) => [cord.x + x * k, cord.y + y * k * flat] as const))
}

/** Roots of the cauda equina in the back of the sac, as on a scan of someone lying: [x, y] in the sac. */
export function strands(sac: Ring, press: number): Point[] {
  const out: Point[] = []
  for (const [row, count] of [[0, 9], [1, 7], [2, 4]] as const)
    for (let i = 0; i < count; ++i) {
      const t = Math.PI * (0.12 + (0.76 * i) / (count - 1))
      const reach = 0.78 - 0.27 * row
      const crowd = 1 - 0.34 * press
      out.push([sac.x + Math.cos(t) * sac.rx * reach * crowd + (sac.x * 0.4), sac.y + Math.sin(t) * (sac.ry ?? sac.rx) * reach * crowd - 1.5 * row])
    }
  return out
}

/** A spinal nerve on the left of the picture (side -1) or the right: from the sac, through the foramen, and its two branches. */
export function nerve(r: Region, side: 1 | -1, squeezed: number) {
  const w = r === 'lumbar' ? 1 : 0.84
  const p = (x: number, y: number): Point => [side * x * w, y]
  const dip = 5 * squeezed
  return {
    front: smooth([p(22, 18), p(48, 12), p(78, 10 + dip)], false),
    back: smooth([p(24, 38), p(52, 24), p(78, 13 + dip)], false),
    stem: smooth([p(30, 26), p(56, 16), p(88, 10 + dip), p(124, 2), p(164, -2), p(214, 10)], false),
    branch: smooth([p(104, 8), p(126, 26), p(138, 60), p(140, 100), p(130, 138)], false),
    ganglion: ring({ x: side * 90 * w, y: 9 + dip, rx: 17 - 4 * squeezed, ry: 10 - 3.5 * squeezed }, 32),
    at: p(90, 9 + dip),
  }
}

// ---- around it. Left is the person's right.

export interface Part {
  path: string
  kind: string
  id?: string
}

const both = (half: Point[], kind: string, id?: string): Part[] => [half, flipped(half)].map((points) => ({ path: smooth(points), kind, ...(id ? { id } : {}) }))

export const muscles = (r: Region): Part[] =>
  r === 'lumbar'
    ? [
        ...both([[96, -104], [128, -122], [166, -112], [188, -74], [186, -26], [160, 6], [124, 12], [98, -4], [92, -44]], 'muscle', 'psoas'),
        ...both([[196, 4], [236, -14], [276, 0], [286, 30], [258, 54], [214, 56], [192, 38]], 'muscle'),
        ...both([[20, 132], [34, 116], [62, 112], [92, 118], [98, 150], [92, 196], [66, 226], [34, 232], [22, 212]], 'muscle', 'multifidus'),
        ...both([[104, 116], [122, 72], [160, 62], [192, 72], [206, 112], [200, 166], [170, 212], [122, 232], [86, 230], [102, 190]], 'muscle', 'erector'),
        ...both([[214, 76], [252, 70], [284, 96], [286, 146], [258, 186], [212, 204], [208, 150]], 'muscle'),
      ]
    : [
        ...both([[18, 130], [34, 112], [62, 100], [84, 102], [92, 132], [84, 184], [58, 220], [28, 226], [18, 200]], 'muscle', 'multifidus'),
        ...both([[98, 108], [128, 112], [160, 106], [178, 128], [170, 176], [132, 212], [88, 226], [78, 216], [98, 170]], 'muscle', 'erector'),
        ...both([[184, 120], [222, 100], [248, 112], [246, 148], [212, 184], [176, 196], [180, 160]], 'muscle'),
      ]

export const ribs: Part[] = both(
  [[62, -34], [80, -32], [96, -10], [116, 20], [144, 44], [186, 46], [236, 22], [286, -30], [330, -104], [346, -100], [304, -10], [252, 50], [196, 76], [150, 80], [118, 52], [92, 22], [66, -6]],
  'bone',
)

export const skin = smooth(
  mirrored([[0, 262], [46, 270], [130, 290], [240, 284], [360, 240], [470, 150], [560, 10], [596, -160], [560, -340], [452, -470], [290, -540], [120, -560], [0, -562]]),
)
export const fascia = smooth(mirrored([[0, 234], [60, 246], [140, 250], [230, 224], [300, 170], [390, 90], [480, -40], [520, -180], [490, -330], [400, -430], [260, -490], [110, -512], [0, -514]]))

export const abdomen: Part[] = [
  { path: smooth([[-190, -420], [-330, -450], [-440, -390], [-496, -270], [-498, -130], [-446, -60], [-404, -110], [-398, -200], [-330, -262], [-250, -300], [-200, -350]]), kind: 'organ-far', id: 'liver' },
  { path: smooth([[300, -70], [360, -10], [440, -50], [492, -160], [486, -260], [430, -300], [404, -220], [398, -130], [340, -90]]), kind: 'organ-far', id: 'spleen' },
  ...[[-110, -452, 72, 42], [20, -470, 70, 40], [150, -456, 76, 44], [276, -414, 66, 46], [-40, -394, 62, 34], [90, -398, 70, 36], [216, -356, 58, 36], [346, -346, 46, 40]].map(
    ([x, y, rx, ry], i): Part => ({ path: ring({ x: x!, y: y!, rx: rx!, ry: ry!, rough: 0.04, seed: i + 1 }), kind: 'bowel' }),
  ),
]
const kidneyHalf: Point[] = [[236, -190], [286, -214], [342, -196], [382, -146], [388, -84], [356, -30], [300, -10], [248, -28], [232, -66], [254, -92], [262, -112], [250, -132], [232, -156]]
const sinusHalf: Point[] = [[238, -96], [258, -116], [290, -136], [318, -116], [322, -86], [300, -66], [270, -72], [250, -86]]
export const kidneys: Part[] = both(kidneyHalf, 'organ', 'kidney')
export const kidneySinus: Part[] = both(sinusHalf, 'sinus')
export const adrenals: Part[] = both([[150, -210], [168, -236], [178, -206], [214, -176], [224, -158], [206, -164], [178, -186], [170, -150], [160, -132], [158, -168]], 'gland', 'adrenal')
export const pancreas: Part = {
  path: smooth([[-142, -300], [-118, -338], [-70, -342], [-36, -320], [14, -318], [80, -334], [150, -330], [222, -296], [256, -252], [244, -230], [214, -244], [168, -282], [100, -288], [40, -270], [-10, -262], [-50, -262], [-86, -242], [-128, -254]]),
  kind: 'pancreas', id: 'pancreas',
}
export const duodenum: Part = { path: smooth([[-160, -320], [-140, -352], [-170, -366], [-204, -330], [-212, -272], [-186, -226], [-150, -226], [-138, -248], [-158, -280]]), kind: 'bowel' }
export const aorta = (r: Region): Ring => (r === 'lumbar' ? { x: 38, y: -190, rx: 37 } : { x: 92, y: -142, rx: 44 })
export const cava = (r: Region): Ring => (r === 'lumbar' ? { x: -56, y: -182, rx: 46, ry: 33, rough: 0.02, seed: 2 } : { x: -30, y: -166, rx: 12, ry: 10 })
export const oesophagus: Ring = { x: 20, y: -188, rx: 26, ry: 17, rough: 0.03, seed: 1 }
export const lungs: Part[] = [
  [[70, -206], [150, -176], [158, -110], [122, -62], [100, -26], [128, 16], [176, 32], [236, 8], [300, -70], [356, -190], [380, -320], [300, -420], [150, -440], [80, -340]] as Point[],
  [[-60, -206], [-112, -170], [-104, -110], [-92, -62], [-96, -22], [-126, 18], [-176, 32], [-236, 8], [-300, -70], [-356, -190], [-380, -320], [-300, -420], [-150, -440], [-80, -340]] as Point[],
].map((points) => ({ path: smooth(points), kind: 'lung', id: 'lung' }))
