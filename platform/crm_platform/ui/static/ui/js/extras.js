// Small helpers: file drop, live check of a field, times that stay fresh.
import { $, $$ } from "./dom.js";

const size = (n) => (n < 1024 ** 2 ? `${Math.ceil(n / 1024)} KB` : `${(n / 1024 ** 2).toFixed(1)} MB`);

class Drop extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.input = $("input[type=file]", this);
    this.text = $("[data-file]", this);
    const over = (on) => () => this.classList.toggle("over", on);
    for (const t of ["dragenter", "dragover"]) this.addEventListener(t, over(true));
    for (const t of ["dragleave", "drop"]) this.addEventListener(t, over(false));
    this.input.addEventListener("change", () => {
      const all = [...this.input.files];
      this.classList.toggle("has", all.length > 0);
      if (all.length) this.text.textContent = all.map((f) => `${f.name} · ${size(f.size)}`).join(", ");
      if ("autosubmit" in this.dataset && all.length) this.input.form?.requestSubmit();
    });
  }
}
customElements.define("crm-drop", Drop);

class LiveCheck extends HTMLElement {
  connectedCallback() {
    if (this.out) return;
    const box = $("input", this);
    this.out = Object.assign(document.createElement("p"), { className: "live", role: "status" });
    (box.closest(".fld") ?? this).append(this.out);
    box.addEventListener("input", () => { clearTimeout(this.wait); this.wait = setTimeout(() => this.check(box), 300); });
    // A name typed elsewhere may suggest this value until the person writes their own.
    const from = this.dataset.from && document.getElementById(this.dataset.from);
    box.addEventListener("input", (e) => { if (e.isTrusted) this.own = true; });
    from?.addEventListener("input", () => {
      if (this.own) return;
      box.value = from.value.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, box.maxLength > 0 ? box.maxLength : 40);
      if (box.value) box.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  async check(box) {
    const url = new URL(this.dataset.src, location.href);
    this.call?.abort();
    this.call = new AbortController();
    if (!box.value) { this.out.textContent = ""; return; }
    url.searchParams.set("value", box.value);
    try {
      const r = await fetch(url, { signal: this.call.signal, headers: { Accept: "application/json" } });
      const { ok, text } = await r.json();
      this.out.textContent = text;
      this.out.dataset.ok = ok;
    } catch { /* a newer check replaced this one; the server checks again on submit */ }
  }
}
customElements.define("crm-livecheck", LiveCheck);

// "3 minutes ago" grows old while a page stays open; after a day the server's words are good enough.
const fresh = (root = document) => {
  const f = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" });
  for (const t of $$("time[data-since]", root)) {
    const s = (Date.now() - Date.parse(t.dateTime)) / 1000;
    if (s < 60 || s > 86400) continue;
    t.textContent = s < 3600 ? f.format(-Math.floor(s / 60), "minute") : f.format(-Math.floor(s / 3600), "hour");
  }
};
setInterval(fresh, 60000);
