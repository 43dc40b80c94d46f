// The emergency questions stand in index.html and work by themselves; this only reads them.
import type { Person } from './engine'

const names = ['cauda', 'weakness', 'fever', 'sudden', 'cancer'] as const
type Name = (typeof names)[number]
type Said = Record<Name, 'yes' | 'no' | undefined>

const form = document.getElementById('gate-form') as HTMLFormElement | null
const section = document.getElementById('gate')

function read(): Said {
  const data = form ? new FormData(form) : new FormData()
  return Object.fromEntries(names.map((name) => [name, data.get(name) ?? undefined])) as Said
}

class Gate {
  said = $state<Said>(read())
  readonly complete = $derived(names.every((name) => this.said[name]))
  readonly emergency = $derived((['cauda', 'weakness', 'fever', 'sudden'] as const).some((name) => this.said[name] === 'yes'))
  readonly cancer = $derived(this.said.cancer === 'yes')

  /** What the noes say of a person. A yes to "urine or stool or numbness" does not say which, and is left out. */
  person(): Person {
    const out: Person = { context: {}, findings: {} }
    if (this.said.cauda === 'no') Object.assign(out.findings!, { bladder_dysfunction: 'absent', bowel_dysfunction: 'absent', saddle_anaesthesia: 'absent' })
    if (this.said.weakness === 'no') out.findings!['weakness'] = 'absent'
    if (this.said.fever === 'no') out.findings!['fever'] = 'absent'
    if (this.said.cancer) out.context!['cancer_history'] = this.said.cancer === 'yes'
    return out
  }

  /** How much of the gate is on the page: all of it, a line that opens, or nothing (clinicians answer in Consult). */
  show(as: 'whole' | 'folded'): void {
    section?.setAttribute('data-as', as)
    document.body.dataset['gate'] = as
  }

  reset(): void {
    form?.reset()
    this.said = read()
  }
}

export const gate = new Gate()
form?.addEventListener('change', () => (gate.said = read()))
