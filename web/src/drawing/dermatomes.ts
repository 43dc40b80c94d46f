// The skin of each spinal root, on the left half of a figure seen from the front and from behind; the other half is its mirror.
// Borders are drawn in the middle of what maps disagree about, and neighbours overlap by a segment or two (knowledge/anatomy.yaml).
// x: from the midline outward, y: down; the figure is 280 high.

export interface Patch {
  id: string // of the segment
  d: string
}

type Corner = readonly [x: number, y: number]
const patch = (id: string, ...corners: Corner[]): Patch => ({ id, d: `M${corners.map(([x, y]) => `${x} ${y}`).join('L')}Z` })

/** Half the width of the trunk at a height. */
function side(y: number): number {
  const at: Corner[] = [[56, 25], [66, 25], [85, 22.5], [104, 19.5], [118, 21], [128, 24], [140, 26]] // y, x
  const i = Math.min(at.length - 2, Math.max(0, at.findIndex(([below]) => y <= below) - 1))
  const [[y0, x0], [y1, x1]] = [at[i]!, at[i + 1]!]
  return Number((x0 + ((x1 - x0) * (y - y0)) / (y1 - y0)).toFixed(1))
}

/** Bands round the trunk, one a segment; at the side they stand `lift` higher than on the midline. */
function bands(ids: readonly string[], borders: readonly number[], lift: number): Patch[] {
  return ids.map((id, i) => {
    const [top, end] = [borders[i]!, borders[i + 1]!]
    const edge = (y: number) => [side(y - lift), y - lift] as const
    const [outer, below] = [edge(top), edge(end)]
    return { id, d: `M0 ${top}Q${outer[0] / 2} ${top} ${outer.join(' ')}L${below.join(' ')}Q${below[0] / 2} ${end} 0 ${end}Z` }
  })
}

const chest = ['T2', 'T3', 'T4', 'T5', 'T6', 'T7', 'T8', 'T9', 'T10', 'T11', 'T12']
const arm: readonly Patch[] = [
  patch('C5', [28, 53], [34, 57], [38, 72], [42, 96], [37, 98], [31, 70], [27, 61]),
  patch('T2', [25, 60], [27, 61], [31, 70], [33, 79], [29, 80], [24.5, 67]),
  patch('T1', [29, 80], [33, 79], [37, 98], [44, 136], [40.5, 137], [33, 100]),
  patch('C6', [37, 98], [42, 96], [49, 134], [53, 147], [50, 150], [47, 141], [46.5, 136], [44, 136]),
  patch('C7', [44, 136], [46.5, 136], [47, 141], [51, 157], [47, 159], [44, 146]),
  patch('C8', [40.5, 137], [44, 136], [44, 146], [47, 159], [43.5, 157]),
]

export const front: readonly Patch[] = [
  patch('C3', [0, 39], [6, 38], [7, 44], [15, 48.5], [0, 51]),
  patch('C4', [0, 51], [15, 48.5], [28, 53], [26, 57.5], [13, 60], [0, 61]),
  ...bands(chest, [61, 66, 72, 78, 85, 92, 98, 104, 110, 117, 124, 131], 4),
  ...arm,
  patch('L1', [0, 131], [12, 130], [23.7, 127], [26, 141], [2, 149], [0, 147]),
  patch('L2', [26, 141], [2, 149], [4, 177], [25, 166]),
  patch('L3', [25, 166], [4, 177], [6.5, 207], [21.5, 197]),
  patch('L4', [6.5, 207], [14, 202], [15.5, 228], [13, 264], [9, 264], [5.5, 228]),
  patch('L5', [14, 202], [21.5, 197], [21, 226], [17.5, 264], [20, 277], [9, 278], [8.5, 264], [13, 264], [15.5, 228]),
  patch('S1', [17.5, 264], [18.5, 264], [25, 275], [20, 277]),
]

export const back: readonly Patch[] = [
  { id: 'C2', d: 'M0 2C9 2 13 10 13 19C13 27 9 34 6 37L0 37Z' },
  patch('C3', [0, 37], [6, 37], [7, 44], [12, 47], [0, 50]),
  patch('C4', [0, 50], [12, 47], [28, 53], [26, 57], [0, 57]),
  ...bands(chest, [57, 63, 69, 75, 81, 87, 93, 99, 105, 111, 117, 122], 0),
  ...bands(['L1', 'L2', 'L3'], [122, 127, 132, 137], 0),
  ...arm,
  patch('S1', [13, 137], [25.6, 137], [26, 148], [21.5, 197], [20, 226], [17, 264], [20, 273], [8, 274], [8.5, 264], [13, 264], [14, 226], [14, 200]),
  patch('S2', [0, 137], [13, 138], [14, 200], [14, 226], [5.5, 228], [6.5, 207], [2, 152], [0, 149]),
  patch('L5', [21.5, 197], [21.5, 226], [17.5, 264], [15.5, 264], [18, 226], [18.5, 203]),
  patch('L4', [5.5, 228], [14, 226], [13, 264], [8.5, 264]),
  { id: 'S3', d: 'M0 139C7 139 9 144 9 147C9 151 5 153 0 153Z' },
  { id: 'S4', d: 'M0 142.500C4 142.500 5.500 145 5.500 147.500C5.500 150 3 151.500 0 151.500Z' },
  { id: 'S5', d: 'M0 145.500A2.200 2.200 0 0 1 0 149.900Z' },
]
/** What has no skin of a spinal root: the face. */
export const face = 'M0 2C9 2 13 10 13 19C13 27 9 34 6 38L0 39Z'
