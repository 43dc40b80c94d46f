// Which room is open: the fragment of the address, and nothing else. #/evidence/night_pain names a place within a room;
// fragments never carry what somebody answered. What one room hands to another goes through `handed`, in memory only.
import type { Person } from './engine'

export const rooms = ['check', 'consult', 'watch', 'evidence'] as const
export type Room = (typeof rooms)[number]

function read(): { room: Room; rest: string } {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/')
  return { room: rooms.find((room) => room === name) ?? 'check', rest: decodeURIComponent(rest.join('/')) }
}

/** Where the reader is. `rest` is what stands after the room: "night_pain" in #/evidence/night_pain. */
export const here = $state(read())
/** A person that one room sends to Consult: `handed.person = ...; go('consult')`. Consult takes it and clears it. */
export const handed = $state<{ person: Person | undefined }>({ person: undefined })

export function go(room: Room, rest = ''): void {
  location.hash = `#/${room}${rest ? `/${encodeURIComponent(rest)}` : ''}`
}

addEventListener('hashchange', () => Object.assign(here, read()))
