// The leaf every module may import. Nothing here imports anything: hashed names rule out cycles.
export const $ = (s, root = document) => root.querySelector(s);
export const $$ = (s, root = document) => [...root.querySelectorAll(s)];
export const csrf = () => $("meta[name=csrf-token]")?.content ?? "";
export const clamp = (v, lo, hi) => Math.max(lo, Math.min(hi, v));
export const typing = (t) => t.isContentEditable || (/^(INPUT|TEXTAREA|SELECT)$/.test(t.tagName) && !/^(checkbox|radio|button|submit)$/.test(t.type));
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
export const say = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
export const toast = (text, kind = "ok") => say("toast", { text, kind });

export function el(tag, props = {}, ...kids) {
  const node = document.createElement(tag);
  for (const [k, v] of Object.entries(props)) {
    if (v === false || v == null) continue;
    if (k in node && !k.includes("-") && k !== "list") node[k] = v;
    else node.setAttribute(k, v === true ? "" : v);
  }
  node.append(...kids.filter((k) => k != null));
  return node;
}

// A slow request shows a bar; a fast one shows nothing.
let running = 0;
export function busy(d) {
  running = Math.max(0, running + d);
  document.documentElement.classList.toggle("busy", running > 0);
}

// Floating things are placed by CSSOM: `style-src 'self'` allows that and forbids style attributes.
export function place(box, anchor, where = "bottom-start") {
  const a = anchor.getBoundingClientRect(), b = box.getBoundingClientRect(), gap = 5;
  const below = a.bottom + gap + b.height <= innerHeight - 8;
  const up = where.startsWith("top") ? a.top - gap - b.height >= 8 : !below && a.top - gap - b.height >= 8;
  const x = where.endsWith("end") ? a.right - b.width : a.left;
  box.style.left = `${clamp(x, 8, Math.max(8, innerWidth - b.width - 8))}px`;
  box.style.top = `${up ? a.top - gap - b.height : clamp(a.bottom + gap, 8, Math.max(8, innerHeight - b.height - 8))}px`;
}

// The events a server answer carries, as htmx would raise them.
function raise(header) {
  if (!header) return;
  if (!header.startsWith("{")) return header.split(",").forEach((n) => say(n.trim(), {}));
  for (const [name, detail] of Object.entries(JSON.parse(header))) say(name, detail);
}

const body = (values) => {
  const out = new URLSearchParams();
  for (const [k, v] of Object.entries(values ?? {})) for (const one of [v].flat()) out.append(k, one ?? "");
  return out;
};

// POST like htmx, but several at once from one element, and with a plain answer: true when it worked.
export async function send(url, values) {
  busy(1);
  try {
    const r = await fetch(url, { method: "POST", body: body(values), headers: { "X-CSRFToken": csrf(), "HX-Request": "true" } });
    if (r.redirected && !r.headers.get("HX-Trigger")) { say("refused", { status: 401 }); return { ok: false }; }
    const trigger = r.headers.get("HX-Trigger");
    const target = r.headers.get("HX-Redirect"), again = r.headers.get("HX-Refresh") === "true";
    if (!target && !again) raise(trigger); // else the page that comes shows what the cookie holds
    if (target) location.href = target;
    if (again) location.reload();
    if (!r.ok && !trigger?.includes("toast")) say("refused", { status: r.status });
    return { ok: r.ok, text: await r.text() };
  } catch {
    say("refused", { status: 0 });
    return { ok: false };
  } finally {
    busy(-1);
  }
}

// Puts the out-of-band parts of an answer in their places.
export function swapParts(html) {
  if (html?.trim()) htmx.swap(document.body, html, { swapStyle: "none" });
}
