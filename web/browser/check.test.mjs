// Journeys through Check, as the people it is for would make them.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeAll, gate, open, server, shot, violations, withoutScripts } from './page.mjs'

after(closeAll)

async function opening(page, age = '52') {
  await page.getByRole('textbox').fill(age)
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByRole('button', { name: 'Female', exact: true }).click()
  await page.getByRole('button', { name: '6 weeks to 3 months' }).click()
  await page.getByRole('button', { name: 'Upper or middle back' }).click()
  await page.getByRole('button', { name: 'Next' }).click()
}

test('the emergency gate comes before any number', async () => {
  const { page, strangers, errors } = await open()
  await page.getByText('Is it new that you cannot pass').waitFor()
  await page.getByRole('heading', { name: 'Could a tumour' }).waitFor()
  assert.equal(await page.getByText('Out of 1,000').count(), 0)
  assert.deepEqual(await violations(page), [])
  await shot(page, 'check-gate')
  await gate(page, 'weakness')
  assert.ok(await page.getByText('Get emergency help now').isVisible())
  await page.getByRole('heading', { name: 'Please get help first' }).waitFor()
  assert.equal(await page.getByText('Out of 1,000').count(), 0)
  assert.deepEqual(await violations(page), [])
  await shot(page, 'check-emergency')
  await gate(page)
  await page.getByRole('heading', { name: 'How old are you?' }).waitFor()
  assert.ok(!(await page.getByText('Get emergency help now').isVisible()))
  assert.deepEqual([strangers, errors], [[], []])
})

test('a whole journey: questions one at a time, the answer, undo, change, the page for the doctor', async () => {
  const { page, strangers, errors } = await open('#/check')
  await gate(page)
  await page.getByRole('textbox').fill('212')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('from 0 to 120').waitFor()
  await opening(page)
  const sentence = page.locator('.sentence')
  await sentence.waitFor()
  assert.match(await sentence.textContent(), /Out of 1,000 people with answers like yours/)
  await page.getByText('If yes:').first().waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'check-question')
  const seen = new Set()
  for (let i = 0; i < 8; i++) {
    const question = await page.locator('#question').textContent()
    assert.ok(!seen.has(question), `asked twice: ${question}`)
    seen.add(question)
    await page.getByRole('button', { name: ['Yes', 'No', 'Not sure', 'Skip'][i % 4], exact: true }).click()
  }
  await page.locator('.sentence', { hasText: 'the range is' }).waitFor()
  await page.locator('.pushes li').first().waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'check-answer')
  // The same answers in another order: changing one and changing it back gives the same sentence.
  const before = await sentence.textContent()
  await page.getByText('Your answers (').click()
  await page.getByRole('button', { name: 'Change: How old are you?' }).click()
  await page.getByRole('textbox').fill('81')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.locator('.sentence', { hasText: 'the range is' }).waitFor()
  assert.notEqual(await sentence.textContent(), before)
  await page.getByRole('button', { name: 'Change: How old are you?' }).click()
  await page.getByRole('textbox').fill('52')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.locator('.sentence', { hasText: 'the range is' }).waitFor()
  assert.equal(await sentence.textContent(), before)
  assert.deepEqual([strangers, errors], [[], []])
  assert.equal(new URL(page.url()).hash, '#/check')
  const pdf = await page.pdf({ format: 'A4' })
  assert.ok(pdf.length > 5000)
  assert.ok((pdf.toString('latin1').match(/\/Type\s*\/Page[^s]/g) ?? []).length <= 2, 'the printout is longer than two pages')
})

test('cancer in the past: speak to a doctor today, on screen and on paper, whatever number and rules say', async () => {
  const { page } = await open('#/check')
  await gate(page, 'cancer')
  assert.ok(await page.getByText('Speak to a doctor today').isVisible())
  await opening(page, '40')
  await page.getByRole('button', { name: 'Breast' }).click()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByRole('textbox').fill('12')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.locator('.act.urgent, .act.emergency').waitFor()
  for (let i = 0; i < 6; i++) await page.getByRole('button', { name: 'No', exact: true }).click()
  // Six noes make it unlikely; the doctor is to hear of it today all the same.
  await page.locator('.act.soon').waitFor()
  await page.getByRole('heading', { name: 'Today: speak to a doctor' }).waitFor()
  assert.ok(await page.getByText('Speak to a doctor today').isVisible())
  assert.deepEqual(await violations(page), [])
  await shot(page, 'check-cancer')
  await page.emulateMedia({ media: 'print' })
  assert.ok(await page.locator('.on-paper', { hasText: 'Today: speak to a doctor' }).isVisible())
})

test('under 18 there is no number', async () => {
  const { page } = await open('#/check')
  await gate(page)
  await page.getByRole('textbox').fill('12')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('This is for adults').first().waitFor()
  assert.equal(await page.getByText('Out of 1,000').count(), 0)
})

test('with the keyboard alone', async () => {
  const { page } = await open('#/check')
  await page.getByRole('heading', { name: 'Could a tumour' }).waitFor()
  await page.locator('input[name=cauda][value=yes]').focus()
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Tab')
  }
  await page.getByRole('heading', { name: 'How old are you?' }).waitFor()
  await page.getByRole('textbox').focus()
  await page.keyboard.type('61')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'sex at birth' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'How long' }).waitFor()
  await page.waitForFunction(() => document.activeElement?.id === 'question')
})

for (const [name, options] of [
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ['dark', { colorScheme: 'dark' }],
  ['forced-colours', { forcedColors: 'active' }],
  ['reduced-motion', { reducedMotion: 'reduce' }],
  ['400-percent', { viewport: { width: 360, height: 225 }, deviceScaleFactor: 2 }],
])
  test(`Check, ${name}: nothing is cut off`, async () => {
    const { page } = await open('#/check', options)
    await gate(page)
    await opening(page)
    await page.locator('.sentence', { hasText: 'the range is' }).waitFor()
    await page.locator('.pushes li').first().waitFor()
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(width[0] <= width[1] + 1, `scrolls sideways: ${width}`)
    if (name !== 'forced-colours') assert.deepEqual(await violations(page), [])
    await shot(page, `check-${name}`)
  })

test('scripts off, WebAssembly off, the engine missing: a calm message, and the emergency text stays', async () => {
  const off = await open('', { javaScriptEnabled: false })
  assert.ok(await off.page.getByText('Is it new that you cannot pass').isVisible())
  assert.match(await withoutScripts(server.url), /Scripts are off in this browser/)
  await off.page.locator('input[name=cauda][value=yes]').check({ force: true })
  assert.ok(await off.page.getByText('Get emergency help now').isVisible())
  await shot(off.page, 'no-scripts')

  const without = await open('about:blank'.slice(11))
  await without.page.addInitScript(() => delete globalThis.WebAssembly)
  await without.page.reload()
  await without.page.getByText('WebAssembly is switched off').waitFor()
  assert.ok(await without.page.getByText('Is it new that you cannot pass').isVisible())
  assert.deepEqual(await violations(without.page), [])

  const missing = await open('')
  await missing.page.route('**/*.xz', (route) => route.fulfill({ status: 404, body: '' }))
  await missing.page.reload()
  await missing.page.getByText('could not be loaded').waitFor()
  assert.ok(await missing.page.getByText('Is it new that you cannot pass').isVisible())
  await shot(missing.page, 'no-engine')
})
