// Dialogs, menus, confirmations. Escape closes only the top layer: the browser's own dialogs and popovers do that.
import { $, $$, el, place, say } from "./dom.js";

const shared = () => $("#dialog");
let opener = null;

export function show(dialog, from = document.activeElement) {
  if (!dialog || dialog.open) return dialog;
  for (const m of $$("[popover]:popover-open:not(.toasts)")) m.hidePopover();
  dialog.returnValue = "";
  opener = from;
  dialog.showModal();
  // A form opens at its first field, not at the Close button; on a phone that would raise the keyboard.
  const wanted = $("[autofocus]", dialog) ?? (matchMedia("(pointer: fine)").matches ? $("form :is(input:not([type=hidden], [type=radio], [type=checkbox], [type=file]), select, textarea)", dialog) : null);
  wanted?.focus();
  return dialog;
}

// Loads a form into the shared dialog; the promise gives "done" when the server accepted it, else "".
export async function openDialog(url, from) {
  const d = shared();
  opener = from ?? document.activeElement;
  await htmx.ajax("GET", url, { target: "#dialog-body", swap: "innerHTML", source: $("#dialog-body") });
  const inside = $("#dialog-body");
  if (inside.querySelector("main, #main")) { location.href = url; return ""; } // a whole page came: go there
  if (!inside.childElementCount) return "";
  show(d, opener);
  return new Promise((done) => d.addEventListener("close", () => done(d.returnValue), { once: true }));
}

// Asks before something large. Words come from the element's data attributes, already translated.
export function confirmed(from) {
  const d = $("#confirm"), yes = $("[data-yes]", d), { confirm, confirmNote, confirmVerb } = from.dataset;
  $("#confirm-h").textContent = confirm;
  $("#confirm-note").textContent = confirmNote ?? "";
  $("#confirm-note").hidden = !confirmNote;
  yes.textContent = confirmVerb || yes.dataset.text;
  yes.classList.toggle("danger", "danger" in from.dataset);
  yes.classList.toggle("primary", !("danger" in from.dataset));
  show(d, from);
  return new Promise((done) => d.addEventListener("close", () => done(d.returnValue === "yes"), { once: true }));
}

let passing = null;
document.addEventListener("click", async (e) => {
  const b = e.target.closest("[data-confirm]");
  if (!b || b.tagName === "FORM" || b === passing) return;
  e.preventDefault();
  e.stopImmediatePropagation();
  if (!(await confirmed(b))) return;
  passing = b;
  b.click();
  passing = null;
}, true);

document.addEventListener("click", (e) => {
  const t = e.target;
  const load = t.closest("[data-dialog]");
  if (load && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
    e.preventDefault();
    load.closest("dialog")?.close();
    openDialog(load.getAttribute("href") || load.dataset.dialog, load);
  }
  const open = t.closest("[data-open]");
  if (open) { e.preventDefault(); show(document.getElementById(open.dataset.open), open); }
  const close = t.closest("[data-close]");
  if (close) { e.preventDefault(); (close.closest("dialog") ?? shared()).close(); }
  // Light dismiss where `closedby` is unknown; never where something may have been typed.
  if (t.tagName === "DIALOG" && t.matches("[closedby=any], .palette")) t.close();
  side(t);
});

function side(t) {
  const rail = $("#side");
  if (!rail) return;
  const open = t.closest("[data-side]") ? !rail.classList.contains("open") : rail.classList.contains("open") && !!t.closest("#side");
  if (open === rail.classList.contains("open")) return;
  rail.classList.toggle("open", open);
  for (const b of $$("[data-side][aria-controls]")) b.ariaExpanded = String(open);
  if (open) rail.querySelector("a")?.focus();
}

// A dialog's form that stands on a page of its own answers with a page: nobody sees the closed dialog.
document.addEventListener("htmx:beforeRequest", (e) => {
  const { elt, target } = e.detail;
  if (target?.id !== "dialog-body" || !elt.matches("form") || elt.closest("dialog")) return;
  e.preventDefault();
  elt.submit();
});

document.addEventListener("dialog-close", () => {
  const open = $$("dialog[open]").at(-1);
  if (open) { for (const f of $$("form[data-dirty]", open)) delete f.dataset.dirty; open.close("done"); }
});

document.addEventListener("close", (e) => {
  if (e.target.tagName !== "DIALOG") return;
  if (e.target.id === "dialog") $("#dialog-body").replaceChildren();
  if (document.activeElement === document.body && opener?.isConnected) opener.focus();
}, true);

document.addEventListener("cancel", (e) => {
  const f = e.target.querySelector?.("form[data-dirty]");
  if (!f || e.target.id !== "dialog") return;
  e.preventDefault();
  const ask = el("button", { "data-confirm": $("crm-toasts").dataset.leave });
  confirmed(ask).then((yes) => { if (yes) { delete f.dataset.dirty; e.target.close(); } });
}, true);

// Menus: the browser opens them (popovertarget), this puts them beside their button.
document.addEventListener("beforetoggle", (e) => {
  if (e.newState !== "open" || !e.target.matches?.(".menu")) return;
  const b = $(`[popovertarget="${e.target.id}"]:focus`) ?? $(`[popovertarget="${e.target.id}"]`);
  if (b) requestAnimationFrame(() => place(e.target, b, b.dataset.place));
}, true);

document.addEventListener("toggle", (e) => {
  const m = e.target;
  if (!m.matches?.(".menu")) return;
  for (const b of $$(`[popovertarget="${m.id}"]`)) b.ariaExpanded = String(e.newState === "open");
}, true);

document.addEventListener("keydown", (e) => {
  if (e.key === "Escape" && $("#side.open")) { $("#side").classList.remove("open"); $("[data-side][aria-controls]")?.focus(); }
  const menu = e.target.closest?.(".menu");
  const target = e.target.getAttribute?.("popovertarget"), opened = target && document.getElementById(target);
  const from = menu ?? (opened?.matches(":popover-open") ? opened : null);
  if (!from || !["ArrowDown", "ArrowUp", "Home", "End"].includes(e.key) || e.target.matches("input:not([type=checkbox]), select, textarea, [role=radio], .grip")) return;
  const items = $$(".mi:not(:disabled)", from), i = items.indexOf(document.activeElement);
  if (!items.length) return;
  e.preventDefault();
  const to = { ArrowDown: i + 1, ArrowUp: i < 0 ? items.length - 1 : i - 1, Home: 0, End: items.length - 1 }[e.key];
  items[(to + items.length) % items.length].focus();
});

// Short explanations on hover or focus; the element has its own name already.
let tip, wait;
const hush = () => { clearTimeout(wait); tip?.remove(); tip = null; };
const hint = (e) => {
  const t = e.target.closest?.("[data-tip]");
  hush();
  if (!t) return;
  wait = setTimeout(() => {
    tip = el("div", { className: "tip", popover: "manual", role: "tooltip", textContent: t.dataset.tip });
    document.body.append(tip);
    tip.showPopover();
    place(tip, t);
  }, e.type === "focusin" ? 100 : 450);
};
document.addEventListener("pointerover", hint);
document.addEventListener("focusin", hint);
document.addEventListener("focusout", hush);
document.addEventListener("pointerdown", hush);
document.addEventListener("keydown", (e) => { if (e.key === "Escape") hush(); });
document.addEventListener("command", (e) => { if (e.detail?.startsWith?.("open:")) openDialog(e.detail.slice(5)); });
export const closeTop = () => say("dialog-close", {});
