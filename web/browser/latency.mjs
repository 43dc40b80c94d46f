// node browser/latency.mjs: from click to repaint in Consult and Check, and from the address to a usable page. A measurement, no test.
import { closeAll, gate, open } from './page.mjs'

const clicks = 200
const load = []
for (let i = 0; i < 5; i++) {
  const { page, context } = await open('#/check')
  await page.getByRole('heading', { name: 'Could a tumour' }).waitFor()
  load.push(await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.getEntriesByName('usable')[0]?.startTime ?? performance.now())))))
  await context.close()
}
const middle = (values, share) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))]
console.log(`first load to usable: median ${middle(load, 0.5).toFixed(0)} ms of ${load.length}`)

const { page } = await open('#/consult')
await page.getByLabel('Age', { exact: true }).fill('55')
await page.getByRole('combobox', { name: 'Sex' }).selectOption('female')
await page.waitForTimeout(3000)
const times = await page.evaluate(async (count) => {
  const buttons = [...document.querySelectorAll('.findings details[open] .row button')]
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => { const channel = new MessageChannel(); channel.port1.onmessage = resolve; channel.port2.postMessage(0) }))
  const out = []
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 40 + (i % 7) * 20))
    const start = performance.now()
    buttons[(i * 7) % Math.min(40, buttons.length)].click()
    const worked = performance.now()
    await painted()
    out.push([performance.now() - start, worked - start])
  }
  return out
}, clicks)
const all = times.map(([t]) => t)
console.log(`click to repaint in Consult: median ${middle(all, 0.5).toFixed(1)} ms, 99th percentile ${middle(all, 0.99).toFixed(1)} ms of ${clicks} (engine and page without painting: median ${middle(times.map(([, t]) => t), 0.5).toFixed(1)} ms)`)
await closeAll()
