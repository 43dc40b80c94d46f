// node browser/pictures.mjs: takes the pictures of the rooms that stand in docs/ and README.md.
import { join } from 'node:path'
import { closeAll, gate, open } from './page.mjs'

const docs = join(import.meta.dirname, '../../docs')
const take = (page, name) => page.screenshot({ path: join(docs, name) })

{
  const { page } = await open('#/check')
  await gate(page)
  await page.getByRole('textbox').fill('58')
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByRole('button', { name: 'Female', exact: true }).click()
  await page.getByRole('button', { name: '6 weeks to 3 months' }).click()
  await page.getByRole('button', { name: 'Low back' }).click()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.locator('.sentence', { hasText: 'the range is' }).waitFor()
  await page.getByText('could still change').or(page.getByText('You can stop here')).waitFor()
  await take(page, 'page-check.png')
}
{
  const { page } = await open('#/consult', { viewport: { width: 1440, height: 1250 } })
  await page.locator('input[type=file]').setInputFiles(join(import.meta.dirname, '../../examples/breast-12y-55f.json'))
  await page.getByText('95%:').waitFor()
  await page.locator('.waterfall tr').nth(1).waitFor()
  await take(page, 'page-consult.png')
}
{
  const { page } = await open('#/watch/met_breast', { viewport: { width: 1440, height: 1000 }, reducedMotion: 'reduce' })
  const next = page.getByRole('button', { name: 'Next stage' })
  while (await next.isEnabled()) await next.click()
  await page.waitForTimeout(1500)
  await take(page, 'web-watch.png')
}
{
  const { page } = await open('#/evidence/finding/night_pain')
  await page.getByRole('heading', { name: 'pain at night' }).first().waitFor()
  await take(page, 'web-evidence.png')
}
await closeAll()
