import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import budget from '../budget.json'

const page = join(import.meta.dirname, '../../build/page')

it.skipIf(!existsSync(page))(`everything that is fetched stays within the budget (web/budget.json)`, () => {
  const files = readdirSync(page, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const sizes = files.map((file) => {
    const path = join(file.parentPath, file.name)
    return { name: path.slice(page.length + 1), bytes: gzipSync(readFileSync(path), { level: 9 }).length }
  })
  const sum = (kind: RegExp) => sizes.filter(({ name }) => kind.test(name)).reduce((total, { bytes }) => total + bytes, 0)
  const found = { all: sum(/./), wasm: sum(/\.wasm$/), script: sum(/\.js$/), style: sum(/\.css$/) }
  console.log(`gzipped: ${Object.entries(found).map(([kind, bytes]) => `${kind} ${(bytes / 1000).toFixed(0)} kB`).join(', ')}`)
  for (const [kind, bytes] of Object.entries(found)) expect(bytes, kind).toBeLessThanOrEqual(budget[kind as keyof typeof found])
})
