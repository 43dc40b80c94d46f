// One browser and one server for the journeys. Every request that is not to the page's own origin fails the test that made it.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const root = join(import.meta.dirname, '../..')
export const shots = join(root, 'build/page-pictures')
mkdirSync(shots, { recursive: true })

export const server = await new Promise((resolve, reject) => {
  const child = spawn(join(root, 'build/dorsalgia'), ['serve', join(root, 'build/page'), '--port', '0'])
  child.stdout.on('data', (data) => {
    const url = /http:\/\/\S+/.exec(String(data))?.[0]
    if (url) resolve({ url, stop: () => child.kill() })
  })
  child.stderr.on('data', (data) => reject(new Error(String(data))))
  child.on('exit', (code) => reject(new Error(`the server ended (${code})`)))
})
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium'
const args = ['--no-sandbox', '--disable-dev-shm-usage']
export const browser = await chromium.launch({ executablePath, args })

export async function closeAll() {
  await browser.close()
  server.stop()
}

/** What is read out in a browser whose scripts are switched off in its settings, which only such a browser can show. */
export async function withoutScripts(url) {
  const plain = await chromium.launch({ executablePath, args: [...args, '--blink-settings=scriptEnabled=false'] })
  const page = await plain.newPage()
  await page.goto(url)
  const { nodes } = await (await page.context().newCDPSession(page)).send('Accessibility.getFullAXTree')
  await plain.close()
  return nodes.map((node) => node.name?.value ?? '').join('\n')
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** A fresh page. `strangers` are requests to anywhere else, `errors` what the page complained of. */
export async function open(fragment = '', options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const strangers = []
  const errors = []
  const own = new URL(server.url).origin
  page.on('request', (request) => {
    const url = request.url()
    if (!url.startsWith(`${own}/`) && !url.startsWith('data:') && !url.startsWith(`blob:${own}`)) strangers.push(url)
  })
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()))
  await page.goto(server.url + fragment)
  return { page, context, strangers, errors }
}

/** Violations of WCAG 2.2 A and AA, as short words; empty when there are none. */
export async function violations(page) {
  // Through the debugger, which the page's own policy does not bind.
  await page.evaluate(axe)
  const found = await page.evaluate(async () => {
    const result = await globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    return result.violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')}`)
  })
  return found
}

export const shot = (page, name, fullPage = true) => page.screenshot({ path: join(shots, `${name}.png`), fullPage })

/** Answers the emergency gate: no to everything but the names given. */
export async function gate(page, ...yes) {
  for (const name of ['cauda', 'weakness', 'fever', 'sudden', 'cancer']) await page.locator(`input[name=${name}][value=${yes.includes(name) ? 'yes' : 'no'}]`).check({ force: true })
}
