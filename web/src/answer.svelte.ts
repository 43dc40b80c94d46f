// A person and what the engine says of them: the quick look at once, the whole report a moment after the last change.
import type { Engine, Person, Report } from './engine'
import { rules } from './rules.svelte'

const pause = 200 // ms without a change before the worker is asked: while somebody is clicking, the page has the machine to itself

export class Assessment {
  look = $state.raw<Report>()
  whole = $state.raw<Report>() // the last that was worked out
  stale = $state(false) // of somebody else by now: the next one is under way
  // What stands behind the number (causes, levels, ...) is drawn a frame after the number itself, so that a click is answered at once.
  behind = $state.raw<Report>()
  fault = $state<string>()
  private asked = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly engine: Engine) {}

  /** false: the person was refused, and what was said before still stands. */
  of(person: Person): boolean {
    const profile = rules.of
    try {
      this.look = this.engine.look(person, profile)
      this.fault = undefined
    } catch (fault) {
      this.fault = fault instanceof Error ? fault.message : String(fault)
      return false
    }
    this.stale = true
    const mine = ++this.asked
    if (!this.behind) this.behind = this.look
    else requestAnimationFrame(() => requestAnimationFrame(() => mine === this.asked && this.stale && (this.behind = this.look)))
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.engine.assess(person, profile).then(
        (report) => {
          if (mine !== this.asked) return
          this.whole = this.behind = report
          this.stale = false
        },
        (fault: Error) => {
          if (mine === this.asked) this.fault = fault.message
        },
      )
    }, pause)
    return true
  }

  get report(): Report | undefined {
    return this.stale ? this.look : this.whole
  }
}
