// ARIA combobox with a listbox. Results are server HTML; this only moves the choice and runs commands.
import { $$, say } from "./dom.js";

class Palette extends HTMLElement {
  connectedCallback() {
    if (this.input) return;
    this.input = this.querySelector("input");
    this.list = this.querySelector("[role=listbox]");
    this.dlg = this.closest("dialog");
    this.input.addEventListener("keydown", (e) => this.key(e));
    // While an input method composes, its letters are not yet the person's words.
    this.input.addEventListener("input", (e) => { if (!e.isComposing) htmx.trigger(this.input, "typed"); });
    this.input.addEventListener("compositionend", () => htmx.trigger(this.input, "typed"));
    this.list.addEventListener("mousemove", (e) => this.pick(e.target.closest("[role=option]"), false));
    this.list.addEventListener("click", (e) => this.run(e, e.target.closest("[role=option]")));
    this.list.addEventListener("htmx:afterSwap", () => this.pick(this.options[0]));
    new MutationObserver(() => this.dlg.open && this.opened()).observe(this.dlg, { attributeFilter: ["open"] });
  }
  get options() { return $$("[role=option][href]", this.list); }
  opened() { this.input.value = ""; this.input.focus(); htmx.trigger(this.input, "load-list"); }
  pick(o, scroll = true) {
    if (!o) { this.cur = null; return this.input.removeAttribute("aria-activedescendant"); }
    for (const x of this.options) x.ariaSelected = String(x === o);
    this.input.setAttribute("aria-activedescendant", o.id);
    if (scroll) o.scrollIntoView({ block: "nearest" });
    this.cur = o;
  }
  key(e) {
    const all = this.options, i = all.indexOf(this.cur), n = all.length;
    if (e.isComposing || !n) return;
    if (e.key === "ArrowDown") { e.preventDefault(); this.pick(all[(i + 1) % n]); }
    else if (e.key === "ArrowUp") { e.preventDefault(); this.pick(all[(i - 1 + n) % n]); }
    else if (e.key === "Enter" && this.cur?.isConnected) {
      e.preventDefault();
      if (e.ctrlKey || e.metaKey) open(this.cur.href, "_blank", "noopener"); else this.cur.click();
    }
  }
  run(e, o) {
    const h = o?.getAttribute("href");
    if (!h?.startsWith("#")) return;
    e.preventDefault();
    this.dlg.close();
    say("command", h.slice(1));
  }
}
customElements.define("crm-palette", Palette);
