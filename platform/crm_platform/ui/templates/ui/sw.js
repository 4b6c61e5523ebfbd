{% autoescape off %}// Keeps hashed static files and one offline page. Never a page or an answer of any company.
const V = "{{ version }}";
const OFFLINE = "{{ offline_url }}";
const KEEP = {{ keep }};
self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(V).then((c) => c.addAll([OFFLINE, ...KEEP])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (e) => {
  e.waitUntil(caches.keys().then((all) => Promise.all(all.filter((k) => k !== V).map((k) => caches.delete(k)))).then(() => self.clients.claim()));
});
self.addEventListener("fetch", (e) => {
  const r = e.request, u = new URL(r.url);
  if (r.method !== "GET" || u.origin !== location.origin) return;
  if (u.pathname.startsWith("{{ static_url }}")) {
    e.respondWith(caches.match(r).then((hit) => hit || fetch(r).then((res) => {
      // A hashed name never changes its content; any other name must be asked for again.
      if (res.ok && /\.[0-9a-f]{12}\./.test(u.pathname)) { const copy = res.clone(); caches.open(V).then((c) => c.put(r, copy)); }
      return res;
    })));
  } else if (r.mode === "navigate") {
    e.respondWith(fetch(r).catch(() => caches.match(OFFLINE)));
  }
});
{% endautoescape %}
