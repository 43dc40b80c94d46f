import { mount } from 'svelte'
import App from './App.svelte'

mount(App, { target: document.getElementById('app')! })

// Once all is quiet: fetch the other rooms, and keep the page's own files for when there is no network (public/sw.js).
async function settle(): Promise<void> {
  await Promise.allSettled([import('./rooms/consult/Consult.svelte'), import('./rooms/watch/Watch.svelte'), import('./rooms/evidence/Evidence.svelte')])
  if (!('serviceWorker' in navigator) || location.protocol === 'file:') return
  await navigator.serviceWorker.register('./sw.js')
  const { active } = await navigator.serviceWorker.ready
  const files = performance.getEntriesByType('resource').map((entry) => entry.name)
  active?.postMessage([location.href.split('#')[0], ...files.filter((url) => url.startsWith(location.origin))])
}
addEventListener('load', () => setTimeout(() => void settle().catch(() => undefined), 1500))
