// A search box that picks one record (or several, as chips) by id. The answer's text is never read as HTML.
import { $, $$, el, place } from "./dom.js";

const DELAY = 140;

class Combo extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.input = $("[role=combobox]", this);
    this.list = $("[role=listbox]", this);
    this.many = "multiple" in this.dataset;
    this.sure = this.input.value; // the text that belongs to the stored id
    const on = (t, fn) => this.input.addEventListener(t, fn);
    on("input", (e) => { if (!e.isComposing) this.later(); });
    on("compositionend", () => this.later());
    on("keydown", (e) => this.key(e));
    on("click", () => this.ask());
    on("focusout", () => setTimeout(() => this.leave(), 120));
    this.list.addEventListener("pointerdown", (e) => { e.preventDefault(); this.take(e.target.closest("[role=option]")); });
    this.addEventListener("click", (e) => { const x = e.target.closest("[data-drop-chip]"); if (x) { x.closest(".chip").remove(); this.input.focus(); this.said(); } });
  }
  get open() { return this.list.matches(":popover-open"); }
  get options() { return $$("[role=option]:not(.none)", this.list); }
  said() { this.dispatchEvent(new Event("change", { bubbles: true })); this.input.dispatchEvent(new Event("input", { bubbles: true })); }
  later() { if (this.quiet) return; clearTimeout(this.wait); this.wait = setTimeout(() => this.ask(), DELAY); }
  async ask() {
    this.call?.abort();
    this.call = new AbortController();
    const url = new URL(this.dataset.src, location.href), q = this.input.value === this.sure && !this.many ? "" : this.input.value.trim();
    url.searchParams.set("q", q);
    try {
      const r = await fetch(url, { signal: this.call.signal, headers: { Accept: "application/json" } });
      if (r.ok && document.activeElement === this.input) this.fill(await r.json(), q);
    } catch { /* a newer question replaced this one, or there is no connection */ }
  }
  fill({ items = [], create = false }, q) {
    const have = new Set($$(".chip input", this).map((x) => x.value));
    const rows = items.filter((x) => !have.has(String(x.id))).map((x) => this.option(x));
    if (create && "create" in this.dataset && q && !items.some((x) => x.label.toLowerCase() === q.toLowerCase())) {
      rows.push(this.option({ id: `new:${q}`, label: q, text: this.dataset.new.replace("{text}", q), cls: " new" }));
    }
    if (!rows.length) rows.push(el("li", { className: "opt none", role: "option", "aria-disabled": "true", textContent: this.dataset.none }));
    rows.forEach((r, i) => { r.id = `${this.list.id}_${i}`; });
    this.list.replaceChildren(...rows);
    this.show();
    this.pick(this.options[0]);
  }
  option({ id, label, note, hue, initials, text, cls = "" }) {
    const o = el("li", { className: `opt${cls}`, role: "option", "aria-selected": "false", "data-id": id, "data-label": label });
    if (hue) o.append(el("span", { className: "av av-xs", "data-hue": hue, "aria-hidden": "true", textContent: initials ?? label.slice(0, 1) }));
    o.append(el("span", {}, text ?? label, note ? el("small", { textContent: note }) : null));
    return o;
  }
  show() {
    if (!this.open) this.list.showPopover();
    this.list.style.minWidth = `${this.input.closest(".combo").offsetWidth}px`;
    place(this.list, this);
    this.input.ariaExpanded = "true";
  }
  hide() {
    if (this.open) this.list.hidePopover();
    this.input.ariaExpanded = "false";
    this.input.removeAttribute("aria-activedescendant");
    this.cur = null;
  }
  pick(o) {
    for (const x of this.options) x.ariaSelected = String(x === o);
    this.cur = o;
    if (o) { this.input.setAttribute("aria-activedescendant", o.id); o.scrollIntoView({ block: "nearest" }); }
  }
  key(e) {
    if (e.isComposing) return;
    const all = this.options, i = all.indexOf(this.cur), n = all.length;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      if (!this.open) return this.ask();
      if (n) this.pick(all[(i + (e.key === "ArrowDown" ? 1 : n - 1)) % n]);
    } else if (e.key === "Enter" && this.open && this.cur && !e.ctrlKey && !e.metaKey) { e.preventDefault(); this.take(this.cur); }
    else if (e.key === "Escape" && this.open) { e.preventDefault(); e.stopPropagation(); this.hide(); }
    else if (e.key === "Tab" && this.open && this.cur && this.input.value !== this.sure) this.take(this.cur);
    else if (e.key === "Backspace" && this.many && !this.input.value) { $$(".chip", this).at(-1)?.remove(); this.said(); }
  }
  take(o) {
    if (!o?.dataset.id) return;
    const { id, label } = o.dataset;
    this.quiet = true;
    if (this.many) {
      const x = el("button", { type: "button", ariaLabel: this.dataset.remove, "data-drop-chip": true, textContent: "✕" });
      this.insertBefore(el("span", { className: "chip" }, label, el("input", { type: "hidden", name: this.dataset.name, value: id }), x), this.input);
      this.input.value = "";
    } else {
      this.hidden_.value = id;
      this.input.value = this.sure = label;
    }
    this.hide();
    this.said();
    this.quiet = false;
  }
  get hidden_() { return $(":scope > input[type=hidden]", this); }
  // Text that was not chosen from the list means nothing: emptied clears the choice, else the old one returns.
  leave() {
    if (document.activeElement === this.input) return;
    this.hide();
    if (this.many) { this.input.value = ""; return; }
    if (!this.input.value.trim() && this.hidden_.value) { this.hidden_.value = ""; this.sure = ""; this.said(); }
    else if (this.input.value !== this.sure) this.input.value = this.sure;
  }
}
customElements.define("crm-combo", Combo);
