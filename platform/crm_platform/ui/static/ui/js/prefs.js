import { $$, send } from "./dom.js";

const YEAR = 31536000;

// Theme and density show at once; the server keeps them.
export function setPref(name, value) {
  const form = $$("form[data-prefs]")[0];
  document.documentElement.dataset[name] = value;
  for (const b of $$(`[data-pref][name="${name}"]`)) b.ariaPressed = String(b.value === value);
  if (form) send(form.getAttribute("action"), { [name]: value });
}

document.addEventListener("click", (e) => {
  const b = e.target.closest("[data-pref]");
  if (b) { e.preventDefault(); setPref(b.name, b.value); }
  if (e.target.closest("[data-rail]:not(html)")) {
    const root = document.documentElement, folded = root.dataset.rail === "folded" ? "open" : "folded";
    root.dataset.rail = folded;
    document.cookie = `rail=${folded}; path=/; max-age=${YEAR}; samesite=lax`;
  }
});
