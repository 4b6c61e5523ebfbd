import { $, say, typing } from "./dom.js";
import { show } from "./dialogs.js";
import { setPref } from "./prefs.js";

let g = 0;
const go = () => JSON.parse($("#keys")?.dataset.go || "{}");

addEventListener("keydown", (e) => {
  if ((e.ctrlKey || e.metaKey) && !e.shiftKey && e.key.toLowerCase() === "k") {
    const p = $("#palette");
    if (!p) return;
    e.preventDefault();
    return p.open ? p.close() : show(p);
  }
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.defaultPrevented || typing(e.target)) return;
  const k = e.key.toLowerCase();
  const top = $("dialog[open]");
  if (top) { // in the Create dialog a letter picks what to create
    if (top.id === "create") $(`[data-create-key="${CSS.escape(k)}"]`, top)?.click();
    return;
  }
  if ($(".menu:popover-open")) return;
  if (Date.now() - g < 900) {
    const to = go()[k];
    g = 0;
    if (to) { e.preventDefault(); location.href = to; return; }
  }
  if (k === "g") g = Date.now();
  else if (e.key === "?") show($("#keys"));
  else if (e.key === "/") { const f = $("input[data-find]"); if (f) { e.preventDefault(); f.focus(); f.select(); } }
  else if (k === "c") { e.preventDefault(); const one = $("[data-create]"); if (one) one.click(); else show($("#create")); }
  else if (k === "e") $(".fv.edit")?.click();
  else if ("jkx".includes(k)) {
    const a = $(`a[data-key="${k}"]`);
    if (a) a.click(); else say("row", k);
  } else if (k === "enter" && e.target === document.body) say("row", "Enter");
});
document.addEventListener("command", (e) => {
  const r = document.documentElement.dataset, dark = matchMedia("(prefers-color-scheme: dark)").matches;
  if (e.detail === "theme") setPref("theme", r.theme === "dark" || (r.theme === "auto" && dark) ? "light" : "dark");
  if (e.detail === "density") setPref("density", r.density === "compact" ? "cosy" : "compact");
  if (e.detail === "keys") show($("#keys"));
  if (e.detail === "create") show($("#create"));
});
