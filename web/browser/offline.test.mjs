import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeAll, gate, open } from './page.mjs'

after(closeAll)

test('reloaded without a network it still works, in every room', async () => {
  const { page, context } = await open('#/check')
  const kept = () => page.evaluate(async () => (await (await caches.open('dorsalgia')).keys()).map((request) => request.url))
  const all = [/\/$/, /index.*\.js$/, /EvidenceLink.*\.js$/, /\.xz$/, /Consult.*\.js$/, /Watch.*\.js$/, /Evidence.*\.js$/, /worker.*\.js$/, /index.*\.css$/]
  for (let tries = 0; ; tries++) {
    const urls = await kept()
    const missing = all.filter((file) => !urls.some((url) => file.test(url)))
    if (missing.length === 0) break
    assert.ok(tries < 100, `not kept after 20 s: ${missing}`)
    await page.waitForTimeout(200)
  }
  await context.setOffline(true)
  await page.reload()
  await gate(page)
  await page.getByRole('heading', { name: 'How old are you?' }).waitFor()
  await page.goto(page.url().replace('#/check', '#/consult'))
  await page.getByRole('heading', { name: 'Consult' }).waitFor()
  // What is kept is the page's own files: no answers, no storage.
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ''])
})
