// Where a cause is drawn. The knowledge base says at which level a tumour sits; that an osteoid osteoma sits in the arch and a
// meningioma on the dura is what textbooks of spinal tumours agree on, and is used for nothing but the picture.
import { type Ring, ringPoints, smooth } from './geometry'
import type { Shape } from './shape'

export type Scene = 'thoracic' | 'lumbar' | 'abdomen' | 'chest'
export type Site =
  | 'body' | 'front' | 'arch' | 'nidus' | 'marrow' | 'paravertebral' | 'dura' | 'root' | 'cord'
  | 'kidney' | 'adrenal' | 'pancreas' | 'retroperitoneum' | 'nodes' | 'muscle' | 'lung' | 'none'

const sites: Record<string, Site> = {
  osteoid_osteoma: 'nidus', osteoblastoma: 'arch', aneurysmal_bone_cyst: 'arch', osteochondroma: 'arch', chordoma: 'front',
  chondrosarcoma: 'front', myeloma: 'marrow', leukaemia: 'marrow', lymphoma: 'paravertebral', ewing_sarcoma: 'paravertebral',
  meningioma: 'dura', schwannoma: 'root', neurofibroma: 'root', malignant_nerve_sheath_tumour: 'root', ependymoma: 'cord',
  astrocytoma: 'cord', haemangioblastoma: 'cord', renal_cell_carcinoma: 'kidney', adrenal_tumour: 'adrenal',
  pancreatic_cancer: 'pancreas', retroperitoneal_sarcoma: 'retroperitoneum', retroperitoneal_germ_cell_tumour: 'nodes',
  paraspinal_sarcoma: 'muscle', pancoast_tumour: 'lung',
}

/** Causes that this drawing cannot show: the pelvis lies below it. */
export const undrawable = new Set(['pelvic_tumour'])

export const siteOf = (cause: string, tumour: boolean): Site => (tumour ? (sites[cause] ?? 'body') : 'none')

const organs: readonly Site[] = ['kidney', 'adrenal', 'pancreas', 'retroperitoneum', 'nodes']

export function sceneOf(site: Site, level: string): Scene {
  if (organs.includes(site)) return 'abdomen'
  if (site === 'lung') return 'chest'
  return /^[CT]/.test(level) ? 'thoracic' : 'lumbar'
}

export interface Growth {
  rings: Ring[]
  from: number // the direction from which the sac is pressed: degrees, 0 right, 90 back
}

const grown = (least: number, most: number, size: number) => (size <= 0 ? 0 : least + (most - least) * size)

/** The tumour in the cross-section: x to the person's left, y to the back, canal around (0, 28). */
export function axialGrowth(site: Site, s: Shape): Growth {
  const uneven = { rough: 0.055 }
  const g = (least: number, most: number) => grown(least, most, Math.min(1, s.size))
  switch (site) {
    case 'none':
      return { rings: [], from: -90 }
    case 'body':
      return {
        from: -118,
        rings: [{ x: -24, y: -70, rx: g(12, 54), ry: g(11, 48), seed: 1.3, ...uneven,
          lobes: [{ angle: 66, width: 24, reach: 52 * s.press }, { angle: 122, width: 20, reach: 50 * s.root }, { angle: 180, width: 26, reach: 66 * s.soft }] }],
      }
    case 'front':
      return {
        from: -95,
        rings: [{ x: 4, y: -78, rx: g(14, 60), ry: g(12, 50), seed: 2.1, rough: 0.075,
          lobes: [{ angle: 92, width: 22, reach: 48 * s.press }, { angle: 140, width: 22, reach: 62 * s.root }, { angle: -96, width: 34, reach: 52 * s.soft }, { angle: 188, width: 24, reach: 40 * s.soft }] }],
      }
    case 'nidus':
      return {
        from: 160,
        rings: [{ x: -76, y: 84, rx: g(8, 15), seed: 3, rough: 0.03, lobes: [{ angle: -34, width: 26, reach: 38 * s.press }, { angle: -96, width: 24, reach: 46 * s.root }] }],
      }
    case 'arch':
      return {
        from: 150,
        rings: [{ x: -70, y: 86, rx: g(12, 36), ry: g(10, 30), seed: 2.4, ...uneven,
          lobes: [{ angle: -36, width: 26, reach: 36 * s.press }, { angle: -98, width: 24, reach: 38 * s.root }, { angle: 120, width: 40, reach: 40 * s.soft }] }],
      }
    case 'marrow': {
      const holes: [number, number, number][] = [[-34, -82, 21], [26, -98, 16], [42, -50, 19], [-8, -44, 14], [-62, -52, 12], [2, -118, 10], [78, 84, 11], [-76, 88, 9], [2, 150, 8], [60, -104, 9]]
      return {
        from: -100,
        rings: holes.map(([x, y, r], i): Ring => ({ x, y, rx: Math.max(0, r * (1.5 * s.size - 0.05 * i)), seed: i + 1, rough: 0.05,
          lobes: i === 3 ? [{ angle: 80, width: 34, reach: 42 * s.press }, { angle: 142, width: 20, reach: 62 * s.root }] : [] })),
      }
    }
    case 'paravertebral':
      return {
        from: 178,
        rings: [
          { x: -44, y: -66, rx: g(8, 36), ry: g(8, 34), seed: 1.1, ...uneven, lobes: [{ angle: 150, width: 30, reach: 34 * s.soft }] },
          { x: -118, y: -14, rx: 8 + 40 * s.size * Math.max(s.soft, 0.35), ry: 8 + 44 * s.size * Math.max(s.soft, 0.35), seed: 2.7, ...uneven,
            lobes: [{ angle: 24, width: 20, reach: 64 * s.press }, { angle: 32, width: 16, reach: 26 * s.root }] },
        ],
      }
    case 'dura':
      return { from: 165, rings: [{ x: -26 + 4 * s.press, y: 29, rx: g(4, 8) + 7 * s.press, ry: g(7, 14) + 9 * s.press, seed: 1.8, rough: 0.03 }] }
    case 'root':
      return {
        from: 172,
        rings: [
          { x: -104, y: 10, rx: g(9, 40), ry: g(8, 31), seed: 1.2, rough: 0.02, lobes: [{ angle: 8, width: 28, reach: 22 * s.root + 12 * s.press }] },
          ...(s.press > 0 ? [{ x: -36, y: 26, rx: 6 + 17 * s.press, ry: 5 + 18 * s.press, seed: 2, rough: 0.02, lobes: [{ angle: 188, width: 24, reach: 24 * s.press }] }] : []),
        ],
      }
    case 'cord':
      return { from: -90, rings: [{ x: 2, y: 27, rx: g(5, 15) + 6 * s.press, ry: g(4, 12) + 6 * s.press, seed: 1.6, rough: 0.04 }] }
    case 'kidney':
      return { from: -90, rings: [{ x: -318, y: -92, rx: g(16, 82), ry: g(15, 78), seed: 1.4, ...uneven, lobes: [{ angle: 22, width: 30, reach: 78 * s.soft }] }] }
    case 'adrenal':
      return { from: -90, rings: [{ x: -196, y: -196, rx: g(14, 62), ry: g(12, 56), seed: 2.2, ...uneven, lobes: [{ angle: 48, width: 32, reach: 54 * s.soft }] }] }
    case 'pancreas':
      return { from: -90, rings: [{ x: 40, y: -286, rx: g(14, 56), ry: g(11, 38), seed: 1.9, ...uneven, lobes: [{ angle: 96, width: 36, reach: 70 * s.soft }] }] }
    case 'retroperitoneum':
      return { from: -60, rings: [{ x: -226, y: -30, rx: g(18, 92), ry: g(16, 66), seed: 1.7, ...uneven, lobes: [{ angle: 18, width: 26, reach: 40 * s.root + 56 * s.press }, { angle: 90, width: 40, reach: 20 * s.soft }] }] }
    case 'nodes': {
      const nodes: [number, number, number][] = [[88, -196, 28], [-4, -172, 22], [66, -246, 24], [108, -140, 26], [-84, -218, 17]]
      return { from: -20, rings: nodes.map(([x, y, r], i): Ring => ({ x, y, rx: r * (0.35 + s.size), seed: i + 1, rough: 0.04,
        lobes: i === 3 ? [{ angle: 140, width: 26, reach: 30 * s.root + 40 * s.press }] : [] })) }
    }
    case 'muscle':
      return { from: 140, rings: [{ x: -132, y: 150, rx: g(16, 72), ry: g(14, 54), seed: 1.5, ...uneven, lobes: [{ angle: -64, width: 24, reach: 70 * s.root }, { angle: -40, width: 22, reach: 74 * s.press }] }] }
    case 'lung':
      return { from: 175, rings: [{ x: -212, y: -66, rx: g(20, 74), ry: g(18, 66), seed: 2.6, rough: 0.07,
        lobes: [{ angle: 20, width: 24, reach: 54 * s.soft + 22 * s.root }, { angle: 26, width: 18, reach: 60 * s.press }, { angle: -6, width: 24, reach: 52 * s.lysis }] }] }
  }
}

/** The same from the side: x to the back, the middle vertebra around (0, 0), canal from x = 70 to 130. */
export function sideGrowth(site: Site, s: Shape): Ring[] {
  const g = (least: number, most: number) => grown(least, most, Math.min(1, s.size))
  const uneven = { rough: 0.05 }
  switch (site) {
    case 'none':
      return []
    case 'body':
      return [{ x: 14, y: 4, rx: g(11, 44), ry: g(10, 34), seed: 1.3, ...uneven, lobes: [{ angle: -4, width: 26, reach: 48 * s.press }, { angle: 180, width: 30, reach: 18 * s.soft }] }]
    case 'front':
      return [{ x: -10, y: 2, rx: g(13, 48), ry: g(12, 36), seed: 2.1, ...uneven, lobes: [{ angle: 0, width: 24, reach: 66 * s.press }, { angle: 182, width: 40, reach: 44 * s.soft }] }]
    case 'nidus':
      return [{ x: 150, y: 4, rx: g(7, 12), seed: 3, rough: 0.03, lobes: [{ angle: 180, width: 40, reach: 20 * s.press }] }]
    case 'arch':
      return [{ x: 166, y: 6, rx: g(11, 32), ry: g(9, 26), seed: 2.4, ...uneven, lobes: [{ angle: 180, width: 34, reach: 30 * s.press }] }]
    case 'marrow': {
      const holes: [number, number, number][] = [[-22, -14, 15], [20, 18, 17], [34, -22, 11], [-40, 22, 10], [52, 0, 13], [0, 0, 7], [-30, 138, 13], [24, 128, 9], [12, -142, 12], [-36, -130, 8], [186, 8, 9]]
      return holes.map(([x, y, r], i): Ring => ({ x, y, rx: Math.max(0, r * (1.45 * s.size - 0.05 * i)), seed: i + 1, rough: 0.05,
        lobes: i === 4 ? [{ angle: 0, width: 36, reach: 38 * s.press }] : [] }))
    }
    case 'paravertebral':
      return [{ x: 4, y: 2, rx: g(8, 36), ry: g(8, 30), seed: 1.1, ...uneven }, ...(s.press > 0.02 ? [{ x: 122, y: 4, rx: 12 * s.press, ry: 62 * s.press, seed: 1.8, rough: 0.03 }] : [])]
    case 'dura':
      return [{ x: 84, y: 4, rx: g(5, 13) + 6 * s.press, ry: g(11, 26) + 8 * s.press, seed: 1.8, rough: 0.03 }]
    case 'root':
      return [{ x: 88, y: 62, rx: g(6, 13) + 8 * s.press, ry: g(8, 20) + 9 * s.press, seed: 1.2, rough: 0.02 }]
    case 'cord':
      return [{ x: 100, y: 2, rx: g(4, 10) + 7 * s.press, ry: g(16, 58) + 14 * s.press, seed: 1.6, rough: 0.03 }]
    case 'kidney':
      return [{ x: -168, y: 10, rx: g(14, 50), ry: g(14, 54), seed: 1.4, ...uneven, lobes: [{ angle: 0, width: 34, reach: 26 * s.soft }] }]
    case 'adrenal':
      return [{ x: -150, y: -118, rx: g(11, 40), ry: g(10, 36), seed: 2.2, ...uneven, lobes: [{ angle: 20, width: 34, reach: 26 * s.soft }] }]
    case 'pancreas':
      return [{ x: -206, y: -52, rx: g(12, 38), ry: g(11, 40), seed: 1.9, ...uneven, lobes: [{ angle: 8, width: 30, reach: 68 * s.soft }] }]
    case 'retroperitoneum':
      return [{ x: -128, y: 26, rx: g(14, 44), ry: g(18, 104), seed: 1.7, ...uneven }]
    case 'nodes':
      return [[-112, -44, 22], [-104, 26, 26], [-118, 92, 20]].map(([x, y, r], i): Ring => ({ x: x!, y: y!, rx: r! * (0.3 + 0.8 * s.size), seed: i + 1, rough: 0.04 }))
    case 'muscle':
      return [{ x: 208, y: 40, rx: g(10, 34), ry: g(18, 80), seed: 1.5, ...uneven }]
    case 'lung':
      return [{ x: -118, y: -40, rx: g(14, 50), ry: g(16, 64), seed: 2.6, rough: 0.07, lobes: [{ angle: 20, width: 34, reach: 22 * s.lysis }] }]
  }
}

export const outline = (r: Ring): string => smooth(ringPoints(r))

/** What both drawings of one moment are told. */
export interface Moment {
  shape: Shape
  site: Site
  scene: Scene
  canal: string
  active: readonly string[] // mechanisms
  names: boolean // are written beside the parts
  title: string
  description: string
  words: Record<string, string>
}
