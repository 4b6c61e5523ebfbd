// Filter chips and their editor: field, comparison, value. The whole filter lives in the URL as f=field.op.value.
import { $, $$, el, place } from "./dom.js";

const CURSORS = ["after", "before", "page", "cursor"];
const parts = (raw) => { const [f, o, ...v] = raw.split("."); return { f, o, v: v.join(".") }; };

class Filters extends HTMLElement {
  connectedCallback() {
    if (this.box) return;
    this.fields = JSON.parse(document.getElementById(this.dataset.fields)?.textContent || "[]");
    this.box = el("div", { className: "menu fe", popover: "auto", role: "dialog", ariaLabel: this.dataset.add });
    this.append(this.box);
    this.addEventListener("click", (e) => {
      const chip = e.target.closest(".fe-open")?.closest("[data-filter]"), add = e.target.closest("button[data-add]");
      if (!chip && !add) return;
      e.preventDefault();
      this.old = chip?.dataset.filter ?? null;
      this.anchor = chip ?? add;
      if (chip) { const { f, o, v } = parts(this.old); this.edit(this.fields.find((x) => x.key === f), o, v); } else this.choose();
    });
    this.box.addEventListener("toggle", (e) => { if (e.newState === "closed") { this.box.replaceChildren(); $("button", this.anchor)?.focus(); if (this.anchor?.matches("button")) this.anchor.focus(); } });
  }
  open() {
    if (!this.box.matches(":popover-open")) this.box.showPopover();
    place(this.box, this.anchor);
    $("input, select, .mi", this.box)?.focus();
  }
  choose() {
    const find = el("input", { type: "search", className: "inp", placeholder: this.dataset.find, ariaLabel: this.dataset.find });
    const rows = this.fields.map((f) => {
      const b = el("button", { type: "button", className: "mi", textContent: f.label });
      b.addEventListener("click", () => this.edit(f));
      return b;
    });
    find.addEventListener("input", () => { for (const r of rows) r.hidden = !r.textContent.toLowerCase().includes(find.value.trim().toLowerCase()); });
    find.addEventListener("keydown", (e) => { if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); rows.find((r) => !r.hidden)?.click(); } });
    const many = this.fields.length > 8;
    this.box.replaceChildren(...(many ? [find] : []), el("div", { className: "fe-fields" }, ...rows));
    this.open();
  }
  edit(field, op, value = "") {
    if (!field) return this.choose();
    const ops = el("select", { ariaLabel: this.dataset.op }, ...field.ops.map(([code, label]) => el("option", { value: code, textContent: label, selected: code === op })));
    const slot = el("div", { className: "fld" });
    const draw = () => { slot.replaceChildren(...this.control(field, field.ops.find((o) => o[0] === ops.value)?.[2] ?? 1, value)); };
    ops.addEventListener("change", () => { value = this.read(slot); draw(); place(this.box, this.anchor); });
    const form = el("form", { className: "form" }, el("div", { className: "fld" }, el("label", { className: "lbl", textContent: field.label }), ops), slot,
      el("div", { className: "fe-f" }, el("button", { type: "button", className: "btn ghost sm", textContent: this.dataset.back, onclick: () => this.choose() }),
        el("button", { className: "btn primary sm", textContent: this.dataset.apply })));
    form.addEventListener("submit", (e) => { e.preventDefault(); e.stopPropagation(); this.apply(field.key, ops.value, this.read(slot), field.ops.find((o) => o[0] === ops.value)?.[2]); });
    draw();
    this.box.replaceChildren(form);
    this.open();
  }
  // arity: 0 none, 1 one, 2 from-to, "many" a list
  control(field, arity, value) {
    if (arity === 0) return [];
    const given = value.split("|");
    if (arity === "many" && field.choices) {
      const one = ([v, l]) => el("label", {}, el("input", { type: "checkbox", className: "ck", value: v, checked: given.includes(String(v)) }), el("span", { textContent: l }));
      return [el("div", { className: "fe-vals", role: "group", ariaLabel: field.label }, ...field.choices.map(one))];
    }
    if (field.choices) return [el("select", { ariaLabel: field.label }, ...field.choices.map(([v, l]) => el("option", { value: v, textContent: l, selected: String(v) === value })))];
    if (field.src) return [this.picker(field, arity, given)];
    const type = { number: "number", money: "number", percent: "number", date: "date", days: "number" }[field.type] ?? "text";
    const box = (v) => el("input", { type, value: v ?? "", ariaLabel: field.label, ...(type === "number" ? { step: "any" } : {}) });
    return arity === 2 ? [el("div", { className: "row2" }, box(given[0]), box(given[1]))] : [box(value)];
  }
  picker(field, arity, given) {
    const id = `fe_${field.key}`, many = arity === "many", names = field.names ?? {};
    const c = el("crm-combo", { className: "combo", "data-src": field.src, "data-name": "v", "data-none": this.dataset.none, "data-remove": this.dataset.remove });
    if (many) c.dataset.multiple = "";
    const chip = (v) => el("span", { className: "chip" }, names[v] ?? v, el("input", { type: "hidden", name: "v", value: v }), el("button", { type: "button", "data-drop-chip": true, ariaLabel: this.dataset.remove, textContent: "✕" }));
    c.append(...(many ? given.filter(Boolean).map(chip) : [el("input", { type: "hidden", name: "v", value: given[0] })]),
      el("input", { type: "text", role: "combobox", value: many ? "" : names[given[0]] ?? "", ariaLabel: field.label, "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": `${id}_list`, autocomplete: "off" }),
      el("ul", { className: "combo-list", id: `${id}_list`, role: "listbox", popover: "manual", ariaLabel: field.label }));
    return c;
  }
  read(slot) {
    const combo = $("crm-combo", slot);
    if (combo) return $$("input[type=hidden]", combo).map((x) => x.value).filter(Boolean).join("|");
    const boxes = $$("input[type=checkbox]", slot);
    if (boxes.length) return boxes.filter((b) => b.checked).map((b) => b.value).join("|");
    return $$("input, select", slot).map((x) => x.value.trim()).join("|");
  }
  apply(key, op, value, arity) {
    if (arity !== 0 && !value.replaceAll("|", "")) return $("input, select", this.box.querySelector(".fld:last-of-type"))?.focus();
    const url = new URL(location.href), all = url.searchParams.getAll("f"), raw = `${key}.${op}.${arity === 0 ? "" : value}`;
    const i = this.old === null ? -1 : all.indexOf(this.old);
    if (i >= 0) all[i] = raw; else all.push(raw);
    url.searchParams.delete("f");
    for (const f of all) url.searchParams.append("f", f);
    for (const c of CURSORS) url.searchParams.delete(c);
    location.href = url;
  }
}
customElements.define("crm-filters", Filters);
