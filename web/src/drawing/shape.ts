// What the drawing shows of a state: how far each thing has gone, 0 to 1. It follows from the mechanisms of the stages that
// were passed; how large a tumour looks is a picture, not a measurement.
import { mix } from './geometry'

export interface Shape {
  size: number // of the tumour
  lysis: number // bone weakened
  collapse: number // bone broken
  root: number // root under pressure
  press: number // cord or cauda equina under pressure
  soft: number // grown into soft tissue
  refer: number // pain felt elsewhere
  strain: number // muscle
  disc: number // disc and facets
}

export const nothing: Shape = { size: 0, lysis: 0, collapse: 0, root: 0, press: 0, soft: 0, refer: 0, strain: 0, disc: 0 }

const of: Record<string, Partial<Shape>> = {
  tumour_bone_pain: { lysis: 0.3 },
  bone_weakening: { lysis: 1 },
  pathological_fracture: { lysis: 1, collapse: 1 },
  fracture: { collapse: 1 },
  root_compression: { root: 1 },
  cord_compression: { press: 0.7 },
  cauda_equina_compression: { press: 0.7 },
  soft_tissue_infiltration: { soft: 1 },
  referred_visceral_pain: { refer: 1 },
  muscle_strain: { strain: 1 },
  disc_facet_pain: { disc: 1 },
}

/** The state after these stages in turn; what has broken stays broken, whatever the last stage is about. */
export function shapeOf(passed: readonly { id: string; mechanisms: readonly string[] }[], all: number, tumour: boolean): Shape {
  const shape = { ...nothing }
  for (const stage of passed)
    for (const mechanism of stage.mechanisms)
      for (const [key, value] of Object.entries(of[mechanism] ?? {}) as [keyof Shape, number][]) shape[key] = Math.max(shape[key], value)
  if (shape.press > 0 && passed.at(-1)?.id.startsWith('late')) shape.press = 1
  if (tumour && passed.length > 0) shape.size = all > 1 ? mix(0.42, 1, (passed.length - 1) / (all - 1)) : 0.6
  return shape
}

export function between(a: Shape, b: Shape, t: number): Shape {
  const out = { ...a }
  for (const key of Object.keys(out) as (keyof Shape)[]) out[key] = mix(a[key], b[key], t)
  return out
}
