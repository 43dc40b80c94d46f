// What the page shows of docs/. A page becomes HTML when the page is built, so that the browser need not carry a reader of Markdown:
// `import html from 'docs/limits.md'`; with ?head only what stands before its first section. Links to files of the repository become
// plain words. A plot (`calibration.svg?plot`) loses digits that nobody sees.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Marked } from 'marked'
import { optimize } from 'svgo'
import type { Plugin } from 'vite'

const marked = new Marked({
  renderer: {
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens)
      return /^https?:/.test(href) ? `<a href="${href}">${text}</a>` : text
    },
    image: () => '',
  },
})

export const markdown = (): Plugin => ({
  name: 'markdown',
  enforce: 'pre',
  async load(id) {
    const [file, query] = id.split('?') as [string, string?]
    if (file.endsWith('.svg') && query === 'plot') {
      // A tenth of a point is finer than any screen; half of what Matplotlib writes need not be fetched.
      const source = optimize(await readFile(file, 'utf8'), { multipass: true, floatPrecision: 1 }).data
      if (this.meta.watchMode) return `export default ${JSON.stringify(`data:image/svg+xml,${encodeURIComponent(source)}`)}`
      const asset = this.emitFile({ type: 'asset', name: basename(file), source })
      return `export default import.meta.ROLLUP_FILE_URL_${asset}`
    }
    if (!file.endsWith('.md') || query === 'raw' || query === 'url') return
    const text = (await readFile(file, 'utf8')).replace(/^# .*\n/, '').replace(/^Written by .*\n/m, '')
    const html = await marked.parse(query === 'head' ? text.split(/^## /m)[0]! : text)
    // A wide table scrolls by itself, and a keyboard reaches it.
    return `export default ${JSON.stringify(html.replaceAll('<th></th>', '<td></td>').replaceAll('<table>', '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>').replaceAll('</table>', '</table></div>'))}`
  },
})
