// Loading, and calling the C functions of include/dorsalgia.h. Two copies of one compiled module: here for what must be there at
// once, in a worker for what takes longer.
import { Native } from './native'
import type { CourseRequest, Knowledge, Person, Profile, Question, Report, Unfolding } from './types'
import { XzReadableStream } from 'xz-decompress'
import engineUrl from '../../../build-wasm/dorsalgia.wasm.xz?url'

export { EngineFault } from './native'

export interface Engine {
  readonly version: string
  readonly hash: string
  look(person: Person, profile?: Profile): Report
  questions(person: Person): Question[]
  assess(person: Person, profile?: Profile): Promise<Report>
  text(person: Person, voice: 'clinician' | 'person', profile?: Profile): Promise<string>
  knowledge(): Knowledge
  course(request: CourseRequest): Unfolding
}

/** One request to the worker; `id` comes back with the reply. */
export interface Task {
  id: number
  call: 'assess' | 'text'
  person: Person
  profile: Profile
  voice?: 'clinician' | 'person'
}
export interface Reply {
  id: number
  value?: unknown
  fault?: string
}

class Page implements Engine {
  readonly version: string
  readonly hash: string
  private kept: Knowledge | undefined
  private looked: { asked: string; report: Report } | undefined
  private readonly waiting = new Map<number, { resolve: (value: never) => void; reject: (fault: Error) => void }>()
  private readonly queue: Task[] = []
  private busy = false
  private count = 0

  constructor(
    private readonly native: Native,
    private readonly worker: Worker,
  ) {
    this.version = native.version
    this.hash = native.hash
    worker.onmessage = (event: MessageEvent<Reply>) => {
      const { id, value, fault } = event.data
      const waiting = this.waiting.get(id)
      this.waiting.delete(id)
      this.busy = false
      this.send()
      if (fault === undefined) waiting?.resolve(value as never)
      else waiting?.reject(new Error(fault))
    }
  }

  // An answer is looked at before it is taken and again when it has been: once is enough.
  look = (person: Person, profile: Profile = 'uk') => {
    const asked = profile + JSON.stringify(person)
    if (this.looked?.asked !== asked) this.looked = { asked, report: this.native.look(person, profile) }
    return this.looked.report
  }
  questions = (person: Person) => this.native.questions(person)
  course = (request: CourseRequest) => this.native.course(request)
  knowledge = () => (this.kept ??= this.native.knowledge())
  assess = (person: Person, profile: Profile = 'uk') => this.later<Report>({ call: 'assess', person, profile })
  text = (person: Person, voice: 'clinician' | 'person', profile: Profile = 'uk') => this.later<string>({ call: 'text', person, profile, voice })

  private later<T>(task: Omit<Task, 'id'>): Promise<T> {
    const id = ++this.count
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
      // Of several people only the last is worth a whole report: those before it have changed since.
      if (task.call === 'assess') {
        const outdated = this.queue.findIndex((other) => other.call === 'assess')
        if (outdated >= 0) {
          const [old] = this.queue.splice(outdated, 1)
          this.waiting.get(old!.id)?.reject(new Error('superseded'))
          this.waiting.delete(old!.id)
        }
      }
      // Through JSON: what the rooms hold may be a proxy, which cannot be sent.
      this.queue.push({ ...task, person: JSON.parse(JSON.stringify(task.person)) as Person, id })
      this.send()
    })
  }

  private send(): void {
    const task = this.busy ? undefined : this.queue.shift()
    if (!task) return
    this.busy = true
    this.worker.postMessage(task)
  }
}

export async function load(): Promise<Engine> {
  if (typeof WebAssembly !== 'object') throw new Error('WebAssembly is off')
  const answer = await fetch(engineUrl)
  if (!answer.ok || !answer.body) throw new Error(`the file of the engine is missing (${answer.status})`)
  // Compiled while it is unpacked, and unpacked while it arrives.
  const unpacked = new Response(new XzReadableStream(answer.body), { headers: { 'Content-Type': 'application/wasm' } })
  const module = await WebAssembly.compileStreaming(unpacked)
  const native = new Native(module) // first: what must be there at once
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
  worker.postMessage(module)
  return new Page(native, worker)
}
