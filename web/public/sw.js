// The page again without a network: its own files, as they were last fetched. Nothing that anybody typed passes through here.
const name = 'dorsalgia'
const own = (request) => request.method === 'GET' && new URL(request.url).origin === location.origin

self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('message', (event) => {
  // What the page had fetched before this worker was there.
  event.waitUntil(caches.open(name).then((cache) => Promise.allSettled(event.data.map((url) => cache.add(url)))))
})
self.addEventListener('fetch', (event) => {
  if (!own(event.request)) return
  event.respondWith(
    fetch(event.request)
      .then((answer) => {
        const copy = answer.clone()
        if (answer.ok) event.waitUntil(caches.open(name).then((cache) => cache.put(event.request, copy)))
        return answer
      })
      .catch(async () => (await caches.match(event.request, { ignoreSearch: true })) ?? Response.error()),
  )
})
