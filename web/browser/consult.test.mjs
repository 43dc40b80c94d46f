// Journeys through Consult, as a clinician beside a person would make them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { closeAll, open, shot, violations } from './page.mjs'

after(closeAll)
const example = join(import.meta.dirname, '../../examples/breast-12y-55f.json')

test('enter a person by hand, and everything is on one screen', async () => {
  const { page, strangers, errors } = await open('#/consult')
  await page.getByLabel('Age', { exact: true }).fill('55')
  await page.getByRole('combobox', { name: 'Sex' }).selectOption('female')
  await page.getByLabel('Cancer, ever').selectOption('breast')
  await page.getByLabel('Weeks of pain').fill('4-8')
  await page.getByRole('button', { name: 'yes: pain at night that disturbs sleep' }).click()
  await page.getByText('95%:').waitFor()
  await page.locator('.waterfall tr').nth(1).waitFor()
  assert.match(await page.locator('.urgency h2').textContent(), /Within days|Emergency/)
  for (const name of ['Causes', 'Mechanisms at work', 'Why', 'Ask or test next', 'What would change the advice', 'Level']) await page.getByRole('heading', { name }).first().waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'consult')
  assert.deepEqual([strangers, errors], [[], []])
})

test('a file opened, saved again the same, as FHIR, as text; a foreign file changes nothing', async () => {
  const { page, context } = await open('#/consult')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await page.locator('input[type=file]').setInputFiles(example)
  await page.getByText('The file was opened').waitFor()
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save' }).click()])
  assert.deepEqual(JSON.parse(readFileSync(await saved.path(), 'utf8')), JSON.parse(readFileSync(example, 'utf8')))
  const [fhir] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'FHIR' }).click()])
  assert.equal(JSON.parse(readFileSync(await fhir.path(), 'utf8')).resourceType, 'Bundle')
  await page.getByRole('button', { name: 'Copy text' }).click()
  await page.getByText('Copied').waitFor()
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /How likely is a tumour/)
  const before = await page.locator('.big').textContent()
  await page.locator('input[type=file]').setInputFiles({ name: 'holiday.json', mimeType: 'application/json', buffer: Buffer.from('{"beach": true}') })
  await page.getByText('nothing was changed').waitFor()
  assert.equal(await page.locator('.big').textContent(), before)
  await shot(page, 'consult-example')
  assert.ok((await page.pdf({ format: 'A4' })).length > 5000)
})

test('with the keyboard alone: search, move, answer', async () => {
  const { page } = await open('#/consult')
  await page.getByLabel('Age', { exact: true }).waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('nocturnal')
  await page.keyboard.press('Tab')
  while (!(await page.evaluate(() => document.activeElement.matches('.row button')))) await page.keyboard.press('Tab')
  await page.keyboard.press('y')
  assert.equal(await page.getByRole('button', { name: 'yes: pain at night that disturbs sleep' }).getAttribute('aria-pressed'), 'true')
  await page.keyboard.press('u')
  assert.equal(await page.getByRole('button', { name: 'yes: pain at night that disturbs sleep' }).getAttribute('aria-pressed'), 'false')
})

test('what cannot be is refused in words, and what was there stands', async () => {
  const { page } = await open('#/consult')
  await page.getByLabel('Age', { exact: true }).fill('212')
  await page.getByLabel('Age', { exact: true }).press('Tab')
  await page.getByText('0 to 120 years').waitFor()
  await page.getByLabel('Weeks of pain').fill('long')
  await page.getByLabel('Weeks of pain').press('Tab')
  await page.getByText('such as 6').waitFor()
  await page.getByLabel('Search findings').fill('haemoglobin')
  await page.getByLabel('value of haemoglobin').fill('1120')
  await page.getByLabel('value of haemoglobin').press('Tab')
  await page.getByText('not possible').waitFor()
})

test('visits: a second one, and findings that are its own', async () => {
  const { page } = await open('#/consult')
  await page.getByLabel('Age', { exact: true }).fill('58')
  await page.getByRole('button', { name: 'Add a visit' }).click()
  await page.getByLabel('Weeks since the first visit').fill('4')
  await page.getByLabel('Weeks since the first visit').press('Enter')
  await page.getByRole('button', { name: 'yes: pain at night that disturbs sleep' }).click()
  await page.getByText('Over the visits').waitFor()
  await page.getByRole('button', { name: 'first', exact: true }).click()
  assert.equal(await page.getByRole('button', { name: 'yes: pain at night that disturbs sleep' }).getAttribute('aria-pressed'), 'false')
})

for (const [name, options] of [
  ['phone', { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }],
  ['dark', { colorScheme: 'dark' }],
  ['400-percent', { viewport: { width: 360, height: 225 }, deviceScaleFactor: 2 }],
])
  test(`Consult, ${name}: nothing is cut off`, async () => {
    const { page } = await open('#/consult', options)
    await page.locator('input[type=file]').setInputFiles(example)
    await page.getByText('95%:').waitFor()
    await page.locator('.waterfall tr').nth(1).waitFor()
    const width = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth])
    assert.ok(width[0] <= width[1] + 1, `scrolls sideways: ${width}`)
    assert.deepEqual(await violations(page), [])
    await shot(page, `consult-${name}`)
  })
