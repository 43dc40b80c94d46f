import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { XzReadableStream } from 'xz-decompress'
import budget from '../budget.json'

const page = join(import.meta.dirname, '../../build/page')

it.skipIf(!existsSync(page))(`everything that is fetched stays within the budget (web/budget.json)`, () => {
  const files = readdirSync(page, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const sizes = files.map((file) => {
    const path = join(file.parentPath, file.name)
    return { name: path.slice(page.length + 1), bytes: gzipSync(readFileSync(path), { level: 9 }).length }
  })
  const sum = (kind: RegExp) => sizes.filter(({ name }) => kind.test(name)).reduce((total, { bytes }) => total + bytes, 0)
  const found = { all: sum(/./), engine: sum(/\.xz$/), script: sum(/\.js$/), style: sum(/\.css$/) }
  console.log(`gzipped: ${Object.entries(found).map(([kind, bytes]) => `${kind} ${(bytes / 1000).toFixed(0)} kB`).join(', ')}`)
  for (const [kind, bytes] of Object.entries(found)) expect(bytes, kind).toBeLessThanOrEqual(budget[kind as keyof typeof found])
})

it.skipIf(!existsSync(page))('the engine that is fetched is the one that was built', async () => {
  const folder = join(page, 'assets')
  const packed = readFileSync(join(folder, readdirSync(folder).find((name) => name.endsWith('.xz'))!))
  const unpacked = await new Response(new XzReadableStream(new Blob([packed]).stream())).arrayBuffer()
  expect(Buffer.from(unpacked).equals(readFileSync(join(page, '../../build-wasm/dorsalgia.wasm')))).toBe(true)
})
