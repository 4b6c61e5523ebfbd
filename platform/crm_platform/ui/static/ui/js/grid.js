// Lists: choose rows (click, shift-range, X, all, all that match), walk with J/K, act on the chosen ones.
import { $, $$, clamp } from "./dom.js";
import { openDialog } from "./dialogs.js";

class Grid extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController();
    const opts = { signal: this.stop.signal };
    this.bulk = $(".bulk", this);
    this.every = false; // all that match the filter, also those not loaded
    this.addEventListener("change", (e) => this.change(e), opts);
    this.addEventListener("click", (e) => this.click(e), opts);
    this.addEventListener("htmx:afterSwap", () => this.sync(), opts);
    document.addEventListener("row", (e) => this.walk(e.detail), opts);
    this.bulk?.addEventListener("formdata", (e) => { for (const [k, v] of this.chosen()) e.formData.append(k, v); }, opts);
    this.bulk?.addEventListener("htmx:afterRequest", (e) => { if (e.detail.xhr.status < 300) this.all(false); }, opts);
    this.sync();
  }
  disconnectedCallback() { this.stop.abort(); }
  get boxes() { return $$("[name=id][type=checkbox]", this); }
  get checked() { return this.boxes.filter((b) => b.checked); }
  get total() { return Number(this.dataset.total || 0); }
  // What the bar acts on: the ids, or the page's own filter.
  chosen() {
    if (this.every) return [["all", "1"], ["filter", location.search.slice(1)]];
    return this.checked.map((b) => ["id", b.value]);
  }
  all(on) { this.every = false; for (const b of this.boxes) b.checked = on; this.sync(); }
  change(e) {
    if (e.target.matches("[data-all]")) return this.all(e.target.checked);
    if (e.target.matches("[name=id]")) { this.every = false; this.sync(); }
  }
  click(e) {
    if (e.target.matches("[name=id][type=checkbox]")) this.range(e);
    if (e.target.closest("[data-clear]")) this.all(false);
    if (e.target.closest("[data-select-all]")) { this.every = true; this.sync(); }
    const ask = e.target.closest("[data-bulk-dialog]");
    if (ask) {
      e.preventDefault();
      const url = new URL(ask.dataset.bulkDialog, location.href);
      for (const [k, v] of this.chosen()) url.searchParams.append(k, v);
      openDialog(url.pathname + url.search, ask).then((said) => { if (said === "done") this.all(false); });
    }
  }
  range(e) {
    const b = this.boxes;
    if (e.shiftKey && this.last?.isConnected) {
      const [a, z] = [b.indexOf(this.last), b.indexOf(e.target)].sort((x, y) => x - y);
      for (const x of b.slice(a, z + 1)) x.checked = e.target.checked;
      this.sync();
    }
    this.last = e.target;
  }
  sync() {
    const n = this.checked.length, rows = this.boxes.length, all = $("[data-all]", this);
    for (const b of this.boxes) b.closest("tr")?.classList.toggle("sel", b.checked);
    if (all) { all.checked = n > 0 && n === rows; all.indeterminate = n > 0 && n < rows; }
    if (!this.bulk) return;
    this.bulk.hidden = n === 0;
    const lang = document.documentElement.lang;
    for (const x of $$("[data-n]", this.bulk)) x.textContent = (this.every ? this.total : n).toLocaleString(lang);
    const more = $("[data-select-all]", this.bulk);
    if (more) more.hidden = this.every || n < rows || this.total <= rows;
  }
  walk(key) {
    const rows = $$("tbody tr[data-id]", this), i = rows.findIndex((r) => r.classList.contains("cur"));
    if (key === "x") return $("[name=id]", rows[i] ?? this)?.click();
    if (key === "Enter") return $("a", rows[i] ?? document.createElement("i"))?.click();
    rows[i]?.classList.remove("cur");
    const to = rows[clamp(i + (key === "j" ? 1 : -1), 0, rows.length - 1)];
    to?.classList.add("cur");
    $("a", to ?? this)?.focus({ preventScroll: true });
    to?.scrollIntoView({ block: "nearest" });
  }
}
customElements.define("crm-grid", Grid);
