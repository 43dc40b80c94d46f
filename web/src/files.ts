// Files the user saves and opens. Nothing is written anywhere else.
import type { Person } from './engine'

export function save(name: string, content: string, type = 'application/json'): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([content], { type }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}

const keys = new Set(['id', 'age', 'sex', 'setting', 'duration_weeks', 'location', 'context', 'findings', 'labs', 'visits'])
const largest = 1 << 20

/** The person in a file, or undefined when it is not one of ours. The engine judges the rest. */
export async function personIn(file: Blob): Promise<Person | undefined> {
  if (file.size > largest) return undefined
  try {
    const content: unknown = JSON.parse(await file.text())
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return undefined
    const names = Object.keys(content)
    return names.length > 0 && names.every((name) => keys.has(name)) ? (content as Person) : undefined
  } catch {
    return undefined
  }
}
