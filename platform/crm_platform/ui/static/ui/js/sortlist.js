// A list whose order is part of a form: drag the grip, or focus it and use the arrow keys.
// Each row carries its own hidden input, so the order in the page is the order that is posted.
import { $, $$, clamp } from "./dom.js";

class Sortlist extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController();
    const opts = { signal: this.stop.signal };
    this.list = $(".sortlist", this);
    const name = this.getAttribute("name");
    if (name) for (const li of this.rows) if (!$(`input[name="${CSS.escape(name)}"]`, li)) {
      li.append(Object.assign(document.createElement("input"), { type: "hidden", name, value: li.dataset.id }));
    }
    this.addEventListener("pointerdown", (e) => this.down(e), opts);
    this.addEventListener("keydown", (e) => this.key(e), opts);
  }
  disconnectedCallback() { this.stop?.abort(); }
  get rows() { return $$(":scope > li", this.list); }
  down(e) {
    const grip = e.target.closest(".grip");
    if (!grip || e.button) return;
    e.preventDefault();
    grip.focus();
    const li = grip.closest("li"), was = this.rows.indexOf(li), done = new AbortController(), opts = { signal: done.signal };
    li.classList.add("moving");
    document.documentElement.classList.add("sorting");
    const end = (keep) => {
      done.abort();
      grip.focus();
      li.classList.remove("moving");
      document.documentElement.classList.remove("sorting");
      if (!keep) this.to(li, was);
      else if (this.rows.indexOf(li) !== was) this.changed();
    };
    // On the document: moving a row in the page would drop a pointer capture.
    document.addEventListener("pointermove", (ev) => {
      const over = this.rows.findIndex((r) => r !== li && ev.clientY > r.getBoundingClientRect().top && ev.clientY < r.getBoundingClientRect().bottom);
      if (over >= 0) this.to(li, over);
    }, opts);
    document.addEventListener("pointerup", () => end(true), opts);
    document.addEventListener("pointercancel", () => end(false), opts);
    document.addEventListener("keydown", (ev) => { if (ev.key === "Escape") { ev.stopPropagation(); ev.preventDefault(); end(false); } }, { capture: true, ...opts });
  }
  to(li, i) {
    const rest = this.rows.filter((r) => r !== li);
    this.list.insertBefore(li, rest[clamp(i, 0, rest.length)] ?? null);
  }
  key(e) {
    const grip = e.target.closest(".grip"), step = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!grip || !step) return;
    e.preventDefault();
    const li = grip.closest("li"), i = this.rows.indexOf(li);
    if (i + step < 0 || i + step >= this.rows.length) return;
    this.to(li, i + step);
    grip.focus();
    this.changed();
  }
  changed() {
    this.dispatchEvent(new CustomEvent("sorted", { bubbles: true }));
    const f = this.closest("form");
    if (f && "guard" in f.dataset) f.dataset.dirty = 1;
    if (!("autosubmit" in this.dataset) || !f) return;
    clearTimeout(this.wait); // several key presses are one change
    this.wait = setTimeout(() => f.requestSubmit(), 500);
  }
}
customElements.define("crm-sortlist", Sortlist);
