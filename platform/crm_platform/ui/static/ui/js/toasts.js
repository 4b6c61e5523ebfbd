// The server says {"toast": {text, kind, undo}} in HX-Trigger, or in a cookie after a redirect; this shows it.
import { el, say, send, swapParts } from "./dom.js";

const WORDS = { 0: "offline", 401: "signedOut", 403: "denied", 404: "gone", 410: "gone", 429: "slow" };
let leaving = false; // an answer that moves to another page leaves its message to that page

document.addEventListener("htmx:beforeOnLoad", (e) => {
  const x = e.detail.xhr;
  leaving = ["HX-Redirect", "HX-Refresh", "HX-Location"].some((h) => x.getResponseHeader(h));
}, true);

class Toasts extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController();
    const on = (name, fn) => document.addEventListener(name, fn, { signal: this.stop.signal });
    on("toast", (e) => { if (!leaving) { this.forget(); this.show(e.detail); } });
    on("refused", (e) => this.fail(e.detail.status));
    on("htmx:responseError", (e) => {
      if (!e.detail.xhr.getResponseHeader("HX-Trigger")?.includes("toast")) this.fail(e.detail.xhr.status);
    });
    on("htmx:sendError", () => this.fail(0));
    this.waiting();
  }
  disconnectedCallback() { this.stop.abort(); }
  // What was left for this page: a cookie from before a redirect, or a JSON attribute in the page.
  waiting() {
    const raw = document.cookie.match(/(?:^|; )toast="?([^;"]+)/)?.[1];
    this.forget();
    try { if (raw) this.show(JSON.parse(decodeURIComponent(raw))); } catch { /* not ours */ }
    for (const t of document.querySelectorAll("[data-toast]")) { this.show(JSON.parse(t.dataset.toast)); t.remove(); }
  }
  forget() { document.cookie = "toast=; path=/; max-age=0; samesite=lax"; }
  fail(status) { this.show({ text: this.dataset[WORDS[status]] ?? this.dataset.error, kind: "bad" }); }
  // A dialog opened later covers this layer; showing it again lifts it to the top.
  lift() {
    if (!this.showPopover) return;
    if (this.matches(":popover-open")) this.hidePopover();
    this.showPopover();
  }
  show({ text, kind = "ok", undo = null }) {
    const t = el("div", { className: `toast ${kind}` }, el("span", { textContent: text }));
    if (undo?.url?.startsWith("/") && !undo.url.startsWith("//")) t.append(this.undoButton(t, undo));
    const x = el("button", { type: "button", textContent: "✕", ariaLabel: this.dataset.close });
    x.addEventListener("click", () => t.remove());
    t.append(x);
    this.append(t);
    this.lift();
    if (this.children.length > 3) this.firstElementChild.remove();
    let left = undo || kind === "bad" ? 8000 : 4500; // the clock stops under pointer or focus (WCAG 2.2.1)
    const tick = setInterval(() => {
      if (t.matches(":hover, :focus-within")) return;
      left -= 250;
      if (left <= 0 || !t.isConnected) { clearInterval(tick); t.remove(); }
    }, 250);
  }
  undoButton(t, undo) {
    const b = el("button", { type: "button", className: "t-undo", textContent: this.dataset.undo });
    b.addEventListener("click", async () => {
      t.remove();
      if (undo.target) {
        await htmx.ajax("POST", undo.url, { values: undo.values, target: undo.target, swap: "outerHTML" });
        return say("undone", undo);
      }
      const answer = await send(undo.url, undo.values);
      if (!answer.ok) return;
      swapParts(answer.text);
      say("undone", undo);
    });
    return b;
  }
}
customElements.define("crm-toasts", Toasts);
