// Entry point. Behaviour is attached by light-DOM custom elements and event delegation, so fragments
// swapped in by htmx come alive with no call to set them up.
import { $, $$, busy, csrf } from "./dom.js";
import "./prefs.js";
import "./toasts.js";
import "./dialogs.js";
import "./forms.js";
import "./keys.js";
import "./palette.js";
import "./board.js";
import "./grid.js";
import "./cells.js";
import "./combo.js";
import "./filters.js";
import "./sortlist.js";
import "./extras.js";

// Of a row of places wider than the screen, the one we are at shall be seen.
for (const here of $$(".set-nav [aria-current], .tabs-nav [aria-current], nav.seg [aria-current]")) {
  const row = here.closest("nav"), outer = row.getBoundingClientRect(), inner = here.getBoundingClientRect();
  row.scrollLeft += inner.left - outer.left - (outer.width - inner.width) / 2;
}

// The only place that gives htmx the CSRF token.
document.addEventListener("htmx:configRequest", (e) => {
  if (e.detail.verb !== "get") e.detail.headers["X-CSRFToken"] = csrf();
});
const loud = (e) => !e.target.closest?.("[data-quiet], .job");
document.addEventListener("htmx:beforeRequest", (e) => { if (loud(e)) busy(1); });
document.addEventListener("htmx:afterRequest", (e) => { if (loud(e)) busy(-1); });

const sw = document.body.dataset.sw;
if (sw && "serviceWorker" in navigator && $("link[rel=manifest]")) {
  addEventListener("load", () => navigator.serviceWorker.register(sw).catch(() => {}));
}
