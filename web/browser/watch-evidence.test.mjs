// Watch and Evidence in a real browser, over the built page: with keys alone, with less motion, on a phone, in the dark; nobody
// but the page itself is asked for anything; axe finds nothing.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { closeAll, open as opened, shot, violations } from './page.mjs'

after(closeAll)

const sizes = { desktop: { width: 1440, height: 1000 }, phone: { width: 390, height: 844 } }

/** Opens a room; anything asked of another place, or any error on the page, fails the test that opened it. */
async function open(room, { size = 'desktop', dark = false, still = false } = {}) {
  const { page, context, strangers, errors } = await opened(`#/${room}`, { viewport: sizes[size], colorScheme: dark ? 'dark' : 'light', reducedMotion: still ? 'reduce' : 'no-preference' })
  page.setDefaultTimeout(60_000)
  await page.waitForSelector(room.startsWith('watch') ? '.watch h1' : '.evidence h1')
  const done = async (name) => {
    if (name) await shot(page, name, false)
    await context.close()
    assert.deepEqual([strangers, errors], [[], []])
  }
  return { page, done }
}

async function noBarriers(page, name) {
  // Not while colours change or rows change places: once nothing that ends has moved for some frames.
  await page.evaluate(() => { window.stillFrames = 0 })
  await page.waitForFunction(() => {
    const moves = document.getAnimations().some((a) => a.playState === 'running' && Number.isFinite(a.effect.getComputedTiming().endTime))
    window.stillFrames = moves ? 0 : window.stillFrames + 1
    return window.stillFrames > 5
  }, null, { polling: 'raf' })
  assert.deepEqual(await violations(page), [], name)
}
const slider = (page) => page.locator('.time input[type=range]')
const stageName = (page) => page.locator('.stage-name').innerText()
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)

test('Watch plays, pauses and ends', async () => {
  const { page, done } = await open('watch/met_breast')
  const play = page.locator('button.play')
  await page.selectOption('.speed select', '2')
  await play.click()
  const begun = Number(await slider(page).inputValue())
  await page.waitForFunction((x) => Number(document.querySelector('.time input').value) > x, begun)
  await play.click()
  assert.match(await play.innerText(), /Play/)
  const paused = Number(await slider(page).inputValue())
  await page.waitForTimeout(300)
  assert.equal(Number(await slider(page).inputValue()), paused)
  await slider(page).press('End')
  assert.match(await play.innerText(), /again/)
  await play.click()
  await page.waitForFunction((x) => Number(document.querySelector('.time input').value) < x, paused)
  await done('watch-played')
})

test('Watch with keys alone: another tumour, its stages, the way to Consult', async () => {
  const { page, done } = await open('watch')
  await page.locator('.cause select').focus()
  await page.keyboard.type('chordoma')
  await page.waitForFunction(() => location.hash === '#/watch/chordoma')
  await slider(page).focus()
  await page.keyboard.press('End')
  const last = await stageName(page)
  assert.match(await slider(page).getAttribute('aria-valuetext'), new RegExp(last.slice(1, 12)))
  await page.keyboard.press('Home')
  assert.notEqual(await stageName(page), last)
  await page.keyboard.press('ArrowRight')
  // Every stage can be reached by Tab and Enter, and then is the one that is drawn.
  const chips = page.locator('.legend button')
  for (let i = 0; i < (await chips.count()); ++i) {
    await chips.nth(i).focus()
    await page.keyboard.press('Enter')
    assert.equal(await chips.nth(i).getAttribute('aria-current'), 'step')
    assert.equal((await chips.nth(i).locator('.word').innerText()).toLowerCase(), (await stageName(page)).toLowerCase())
  }
  await page.locator('button.primary').focus()
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.hash.startsWith('#/consult'))
  assert.doesNotMatch(await page.evaluate(() => location.href), /age|sex|findings|weeks/)
  await done()
})

test('Watch says what it draws: stages of 1,000 people, findings in percent, a text of the picture', async () => {
  const { page, done } = await open('watch/myeloma')
  await page.locator('.legend button').nth(3).click()
  const counts = (await page.locator('.legend .count').allInnerTexts()).map((t) => Number(/[\d,]+/.exec(t)[0].replace(',', '')))
  const all = counts.reduce((a, b) => a + b, 0)
  assert.ok(Math.abs(all - 1000) <= counts.length, `${counts} sums to ${all}`)
  const [here, beside] = await page.locator('tbody td.number').evaluateAll((cells) => [cells[0].innerText, cells[1].innerText])
  assert.ok(Number(here) > 10 && Number(here) <= 100 && Number(beside.replace('<', '')) < 100)
  const description = await page.locator('svg.drawing desc').first().textContent()
  assert.match(description, /broken|collapsed/i)
  assert.equal(await page.locator('[aria-live=polite]').first().textContent(), description)
  await done()
})

test('Watch goes in steps where less motion is asked for', async () => {
  const { page, done } = await open('watch/met_lung', { still: true })
  await page.selectOption('.speed select', '2')
  await page.locator('button.play').click()
  await page.waitForTimeout(400)
  const standing = await slider(page).inputValue()
  await page.waitForTimeout(500)
  assert.equal(await slider(page).inputValue(), standing)
  await page.waitForFunction((x) => document.querySelector('.time input').value !== x, standing)
  assert.equal(await page.evaluate(() => document.getAnimations().filter((a) => a.playState === 'running').length), 0)
  await done()
})

for (const [name, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { size: 'phone' } }))
  test(`Watch has no barriers and fits: ${name}`, async () => {
    const { page, done } = await open('watch/met_breast', options)
    await noBarriers(page, 'at the start')
    await page.locator('.legend button').nth(4).click()
    await noBarriers(page, 'compressed')
    assert.ok(await fits(page), 'wider than the screen')
    for (const other of ['renal_cell_carcinoma', 'muscle_strain']) {
      await page.evaluate((id) => (location.hash = `#/watch/${id}`), other)
      await page.waitForTimeout(400)
      await noBarriers(page, other)
    }
    await done(`watch-${name}`)
  })

test('a tumour of each group is drawn at each of its stages', async () => {
  const { page, done } = await open('watch', { still: true })
  const groups = await page.locator('.cause optgroup').evaluateAll((list) => list.map((g) => [...g.querySelectorAll('option')].map((o) => o.value)))
  assert.ok(groups.flat().length >= 40)
  const causes = groups.map((list) => list[list.length - 1])
  for (const cause of causes) {
    await page.evaluate((id) => (location.hash = `#/watch/${id}`), cause)
    await page.waitForFunction((id) => document.querySelector('.cause select').value === id, cause)
    const chips = page.locator('.legend button')
    for (let i = 0; i < (await chips.count()); ++i) await chips.nth(i).click()
    const broken = await page.locator('svg.drawing path').evaluateAll((paths) => paths.filter((p) => /NaN|undefined/.test(p.getAttribute('d') ?? '')).length)
    assert.equal(broken, 0, cause)
  }
  await done()
})

test('Evidence is searched and read with keys alone', async () => {
  const { page, done } = await open('evidence')
  await page.locator('input[type=search]').focus()
  await page.keyboard.type('night pain')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.waitForFunction(() => /finding/.test(document.activeElement?.getAttribute('href') ?? ''))
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => location.hash.startsWith('#/evidence/finding/'))
  // Focus follows the address, a frame later.
  await page.waitForFunction(() => document.activeElement?.classList.contains('shown'))
  const figures = page.locator('.rows li')
  assert.ok((await figures.count()) > 5)
  await page.locator('.rows summary').first().focus()
  await page.keyboard.press('Enter')
  assert.ok(await page.locator('.rows details[open] dl').first().isVisible())
  await done()
})

test('Evidence: fragments lead to entries, and unknown ones say so', async () => {
  const { page, done } = await open('evidence/finding/night_pain')
  assert.match(await page.locator('#entry').innerText(), /night/)
  for (const [rest, expected] of [['night_pain', /night/], ['cause/myeloma', /myeloma/], ['course/metastasis', /metastasis/], ['mechanism/cord_compression', /cord/], ['rule/ng234_spinal_metastases', /metastases/], ['page/limits', /does not know/], ['source/harding-2005', /night pain/i]]) {
    await page.evaluate((x) => (location.hash = `#/evidence/${x}`), rest)
    await page.waitForFunction((source) => new RegExp(source, 'i').test(document.querySelector('#entry')?.textContent ?? ''), expected.source)
  }
  await page.evaluate(() => (location.hash = '#/evidence/finding/nothing_like_it'))
  await page.waitForSelector('.shown [role=alert]')
  await done()
})

test('Evidence: the model stands with version and hash, base rates come from the engine', async () => {
  const { page, done } = await open('evidence/page/model')
  assert.match(await page.locator('.shown code').innerText(), /^[0-9a-f]{32}$/)
  await page.evaluate(() => (location.hash = '#/evidence/page/rates'))
  await page.waitForSelector('.shown tbody td')
  const cells = (await page.locator('.shown table').first().locator('td').allInnerTexts()).map(Number).filter((x) => x > 0)
  assert.ok(cells.length >= 28 && cells.every((x) => x > 0 && x < 200), `${cells}`)
  await done()
})

for (const [name, options] of Object.entries({ light: {}, dark: { dark: true }, phone: { size: 'phone' } }))
  test(`Evidence has no barriers and fits: ${name}`, async () => {
    const { page, done } = await open('evidence', options)
    for (const rest of ['', '/page/rates', '/page/validation', '/page/limits', '/page/hazards', '/page/model', '/finding/night_pain', '/finding/crp', '/cause/met_breast', '/course/metastasis', '/rule/ng234_spinal_metastases', '/source/harding-2005', '/nothing']) {
      await page.evaluate((x) => (location.hash = `#/evidence${x}`), rest)
      await page.waitForTimeout(400)
      await noBarriers(page, rest)
      assert.ok(await fits(page), `${rest} is wider than the screen`)
    }
    await done(`evidence-${name}`)
  })
