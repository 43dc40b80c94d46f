// The C interface in WebAssembly memory: strings in, JSON out. Offsets are those of wasm32 (4-byte pointers and sizes).
import type { CourseRequest, Knowledge, Person, Profile, Question, Report, Unfolding } from './types'

/** What the engine found wrong with its input, in words for people: "age: 212 years is not an age (0 to 120; ...)". */
export class EngineFault extends Error {}

interface Exports {
  memory: WebAssembly.Memory
  _initialize(): void
  malloc(bytes: number): number
  free(at: number): void
  dorsalgia_load(model: number, error: number): number
  dorsalgia_version(): number
  dorsalgia_model_hash(model: number): number
  dorsalgia_assess(model: number, person: number, length: number, options: number, report: number, error: number): number
  dorsalgia_questions(model: number, person: number, length: number, questions: number, error: number): number
  dorsalgia_knowledge(model: number, knowledge: number, error: number): number
  dorsalgia_course(model: number, request: number, length: number, course: number, error: number): number
  dorsalgia_free_text(text: number): void
}

const errorBytes = 8 + 4096 // size_t size, int32_t code, char message[4096]
const optionsBytes = 24 // size, format, profile, voice, width, quick

// What C++ asks of a system. It prints nothing, opens nothing and asks for no time.
const nothing = () => 0

export class Native {
  readonly version: string
  readonly hash: string
  private readonly c: Exports
  private readonly model: number
  private readonly error: number
  private readonly result: number
  private readonly encoder = new TextEncoder()
  private readonly decoder = new TextDecoder()

  constructor(module: WebAssembly.Module) {
    // web/engine/throw.cpp: what is thrown in C++ is thrown on from here.
    const dorsalgia_thrown = (message: number) => {
      throw new EngineFault(this.read(message))
    }
    const imports: WebAssembly.Imports = {}
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      (imports[from] ??= {})[name] = name === 'dorsalgia_thrown' ? dorsalgia_thrown : nothing
    this.c = new WebAssembly.Instance(module, imports).exports as unknown as Exports
    this.c._initialize()
    this.error = this.c.malloc(errorBytes)
    this.result = this.c.malloc(4)
    this.view().setUint32(this.error, errorBytes, true)
    this.check(this.c.dorsalgia_load(this.result, this.error))
    this.model = this.view().getUint32(this.result, true)
    this.version = this.read(this.c.dorsalgia_version())
    this.hash = this.read(this.c.dorsalgia_model_hash(this.model))
  }

  look = (person: Person, profile: Profile = 'uk') => JSON.parse(this.report(person, 'json', profile, 'clinician', 1)) as Report
  assess = (person: Person, profile: Profile = 'uk') => JSON.parse(this.report(person, 'json', profile, 'clinician', 0)) as Report
  text = (person: Person, profile: Profile, voice: 'clinician' | 'person') => this.report(person, 'text', profile, voice, 0)
  questions = (person: Person) =>
    JSON.parse(this.with(person, (at, length) => this.c.dorsalgia_questions(this.model, at, length, this.result, this.error))) as Question[]
  course = (request: CourseRequest) =>
    JSON.parse(this.with(request, (at, length) => this.c.dorsalgia_course(this.model, at, length, this.result, this.error))) as Unfolding
  knowledge = () => JSON.parse(this.taken(this.c.dorsalgia_knowledge(this.model, this.result, this.error))) as Knowledge

  private report(person: Person, format: string, profile: Profile, voice: string, quick: 0 | 1): string {
    return this.with(person, (at, length) => {
      const words = [format, profile, voice].map((word) => this.write(word).at)
      const options = this.c.malloc(optionsBytes)
      const view = this.view()
      ;[optionsBytes, words[0]!, words[1]!, words[2]!, 0, quick].forEach((value, i) => view.setUint32(options + 4 * i, value, true))
      const code = this.c.dorsalgia_assess(this.model, at, length, options, this.result, this.error)
      for (const block of [...words, options]) this.c.free(block)
      return code
    })
  }

  private with(input: object, call: (at: number, length: number) => number): string {
    const { at, length } = this.write(JSON.stringify(input))
    try {
      return this.taken(call(at, length))
    } finally {
      this.c.free(at)
    }
  }

  private taken(code: number): string {
    this.check(code)
    const at = this.view().getUint32(this.result, true)
    const text = this.read(at)
    this.c.dorsalgia_free_text(at)
    return text
  }

  private check(code: number): void {
    if (code !== 0) throw new EngineFault(this.read(this.error + 8))
  }

  // Memory may have grown, and then moved, since the last call.
  private view(): DataView {
    return new DataView(this.c.memory.buffer)
  }

  private write(text: string): { at: number; length: number } {
    const bytes = this.encoder.encode(text)
    const at = this.c.malloc(bytes.length + 1)
    const memory = new Uint8Array(this.c.memory.buffer)
    memory.set(bytes, at)
    memory[at + bytes.length] = 0
    return { at, length: bytes.length }
  }

  private read(at: number): string {
    const memory = new Uint8Array(this.c.memory.buffer)
    return this.decoder.decode(memory.subarray(at, memory.indexOf(0, at)))
  }
}
