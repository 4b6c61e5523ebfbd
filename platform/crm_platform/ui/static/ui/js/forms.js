// What every form gets: Ctrl-Enter, no double post, a guard for unsaved text, edit in place.
import { $, $$, toast } from "./dom.js";

const buttons = (f) => $$("button:not([type=button]), input[type=submit]", f).concat(f.id ? $$(`button[form="${f.id}"]`) : []);

function lock(f, by) {
  f.dataset.sending = 1;
  const b = by ?? buttons(f)[0];
  b?.classList.add("sending");
  // After the browser has read the pressed button's own name and value.
  setTimeout(() => { for (const x of buttons(f)) x.disabled = true; });
}
function unlock(f) {
  delete f.dataset.sending;
  setTimeout(() => { for (const x of buttons(f)) { x.disabled = false; x.classList.remove("sending"); } });
}

document.addEventListener("submit", (e) => {
  const f = e.target;
  if (f.method === "dialog") return;
  if (f.dataset.sending) { e.preventDefault(); e.stopImmediatePropagation(); return; }
  if (f.matches("[data-inline]")) f.dataset.done = 1;
  delete f.dataset.dirty;
}, true);
document.addEventListener("submit", (e) => {
  const f = e.target;
  if (e.defaultPrevented || f.method === "dialog") return;
  lock(f, e.submitter);
  // A download or a slow page must not leave a dead button behind.
  setTimeout(() => unlock(f), f.method === "get" || "stay" in f.dataset ? 1500 : 15000);
});
addEventListener("pageshow", () => { for (const f of $$("form[data-sending]")) unlock(f); });

document.addEventListener("htmx:beforeRequest", (e) => {
  const f = e.detail.elt;
  if (f.tagName === "FORM") lock(f, e.detail.requestConfig?.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", (e) => {
  const f = e.detail.elt, ok = e.detail.xhr?.status >= 200 && e.detail.xhr.status < 300;
  if (f.tagName === "FORM") {
    unlock(f);
    if (!ok) delete f.dataset.done;
    if (ok && "reset" in f.dataset) { f.reset(); whens(f); }
  }
  if (ok && "reload" in f.dataset) location.reload();
});
// What was refused is not saved: leaving it asks first.
document.addEventListener("htmx:afterSwap", (e) => {
  if (e.detail.xhr?.status === 422) for (const f of $$("form[data-guard]", e.detail.target)) f.dataset.dirty = 1;
});
document.addEventListener("htmx:afterSettle", (e) => {
  const root = e.detail.elt;
  const wrong = e.detail.xhr?.status === 422 && $$("[aria-invalid=true]", root).find((x) => !x.closest("[hidden]"));
  if (wrong) return wrong.focus();
  const first = $$("[autofocus]", root)[0];
  if (first && !root.closest("dialog:not([open])")) { first.focus(); first.select?.(); }
});

// Leaving a page with unsaved text asks first.
document.addEventListener("input", (e) => { const f = e.target.form; if (f && "guard" in f.dataset) f.dataset.dirty = 1; });
addEventListener("beforeunload", (e) => { if ($("form[data-dirty]")) e.preventDefault(); });

document.addEventListener("change", (e) => {
  const f = e.target.form;
  if (e.target.closest("[data-autosubmit]") && f && !e.target.closest("crm-sortlist")) f.requestSubmit();
  if (f) whens(f);
});

// `data-when="kind=task call"` shows a part of a form for some values of another field.
function whens(f) {
  for (const part of $$("[data-when]", f)) {
    const [name, want] = part.dataset.when.split("=");
    const have = new FormData(f).getAll(name).map(String);
    const on = want.split(" ").some((w) => have.includes(w));
    part.hidden = !on;
    for (const x of $$("input, select, textarea", part)) x.disabled = !on;
  }
}
const allWhens = (root) => { for (const f of new Set($$("[data-when]", root).map((p) => p.closest("form")))) if (f) whens(f); };
document.addEventListener("htmx:load", (e) => allWhens(e.detail.elt));
allWhens(document);

// Edit in place: Enter saves, Escape or leaving an unchanged field restores, leaving a changed one saves.
const restore = (f) => htmx.ajax("GET", f.dataset.cancel, { target: f.closest("td") || f, swap: "outerHTML" });
document.addEventListener("keydown", (e) => {
  const f = e.target.closest?.("form");
  if (!f || e.isComposing) return;
  const inline = f.matches("[data-inline]");
  if (inline && e.key === "Escape") { e.preventDefault(); e.stopPropagation(); f.dataset.done = 1; restore(f); }
  const save = e.key === "Enter" && (e.ctrlKey || e.metaKey);
  // Chromium does not submit on Enter from a date field or a select.
  const plainEnter = inline && e.key === "Enter" && (e.target.type === "date" || e.target.tagName === "SELECT");
  if (save || plainEnter) { e.preventDefault(); f.requestSubmit(); }
}, true);
document.addEventListener("focusout", (e) => {
  const f = e.target.closest?.("form[data-inline]");
  // After a refusal the field stays open until it is mended or given up.
  if (!f || f.dataset.done || f.contains(e.relatedTarget) || $("[aria-invalid=true]", f)) return;
  f.dataset.done = 1;
  const same = $$("input, textarea, select", f).every((x) => (x.tagName === "SELECT" ? [...x.options].every((o) => o.selected === o.defaultSelected) : x.type === "checkbox" ? x.checked === x.defaultChecked : x.value === x.defaultValue));
  if (same) restore(f); else f.requestSubmit();
});
document.addEventListener("change", (e) => {
  const f = e.target.closest("form[data-inline]");
  if (f && e.target.tagName === "SELECT" && !f.dataset.done) f.requestSubmit();
});

document.addEventListener("click", async (e) => {
  const c = e.target.closest("[data-copy]");
  if (c) {
    await navigator.clipboard?.writeText(c.dataset.copy || $(c.dataset.copyFrom)?.textContent.trim() || "");
    if (c.dataset.copied) toast(c.dataset.copied);
  }
  const r = e.target.closest("[data-reveal]");
  if (r) {
    const box = document.getElementById(r.dataset.reveal);
    box.type = box.type === "password" ? "text" : "password";
    r.ariaPressed = String(box.type === "text");
  }
  if (e.target.closest("[data-retry]")) { e.preventDefault(); location.reload(); }
  if (e.target.closest("[data-print]")) print();
  const all = e.target.closest("[data-check-all]");
  if (all) for (const b of $$("input[type=checkbox]:not(:disabled)", $(all.dataset.checkAll))) b.checked = all.checked ?? true;
});
