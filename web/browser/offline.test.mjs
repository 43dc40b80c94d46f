import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeAll, gate, open } from './page.mjs'

after(closeAll)

test('reloaded without a network it still works, in every room', async () => {
  const { page, context } = await open('#/check')
  await page.waitForFunction(async () => {
    const cache = await caches.open('dorsalgia')
    const urls = (await cache.keys()).map((request) => request.url)
    return urls.some((url) => url.endsWith('.wasm')) && urls.some((url) => /Consult.*\.js$/.test(url)) && urls.some((url) => /Evidence.*\.js$/.test(url))
  }, undefined, { timeout: 20_000 })
  await context.setOffline(true)
  await page.reload()
  await gate(page)
  await page.getByRole('heading', { name: 'How old are you?' }).waitFor()
  await page.goto(page.url().replace('#/check', '#/consult'))
  await page.getByRole('heading', { name: 'Consult' }).waitFor()
  // What is kept is the page's own files: no answers, no storage.
  assert.deepEqual(await page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, ''])
})
