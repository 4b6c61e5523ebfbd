// Kanban: mouse at once, touch after a 220 ms hold (so that swiping still scrolls), Shift+arrows, and a
// menu on each card (WCAG 2.5.7: nothing needs a drag). Moves show at once; a refusal puts the card back.
import { $, $$, calm, clamp, el, place, send, swapParts } from "./dom.js";
import { openDialog } from "./dialogs.js";

const HOLD = 220, SLOP = 5, EDGE = 56;

class Board extends HTMLElement {
  connectedCallback() {
    this.stop = new AbortController();
    const opts = { signal: this.stop.signal };
    this.jobs = new Map(); // card id -> its last move; moves of one card follow each other
    this.addEventListener("pointerdown", (e) => this.down(e), opts);
    this.addEventListener("keydown", (e) => this.key(e), opts);
    this.addEventListener("click", (e) => this.click(e), { capture: true, ...opts });
    this.addEventListener("dragstart", (e) => e.preventDefault(), opts);
    this.addEventListener("contextmenu", (e) => { if (this.drag) e.preventDefault(); }, opts);
    document.addEventListener("undone", (e) => this.undone(e.detail), opts);
  }
  disconnectedCallback() { this.stop.abort(); }

  get lists() { return $$(".cards", this); }
  cards(list) { return $$(":scope > .card", list); }
  // A list may end in a "Load more" row, which cards stay above.
  put(card, list, before = null) { list.insertBefore(card, before ?? $(":scope > .more", list)); }
  home(card) { return { list: card.parentNode, next: this.nextCard(card) }; }
  nextCard(card) { const n = card.nextElementSibling; return n?.classList.contains("card") ? n : null; }
  goHome(card, home) { this.put(card, home.list, home.next?.parentNode === home.list ? home.next : null); }

  down(e) {
    const card = e.target.closest(".card");
    if (!card || e.button || this.drag || e.target.closest("button, input, .more")) return;
    const s = { card, x: e.clientX, y: e.clientY, id: e.pointerId, touch: e.pointerType === "touch" };
    const done = new AbortController(), opts = { signal: done.signal };
    const stop = () => { clearTimeout(s.timer); done.abort(); };
    const on = (ev) => {
      if (ev.pointerId !== s.id) return;
      if (ev.type === "pointermove") {
        const far = Math.hypot(ev.clientX - s.x, ev.clientY - s.y) > SLOP;
        if (!this.drag && far) { if (s.touch) return stop(); this.lift(s); }
        if (this.drag) this.move(ev.clientX, ev.clientY);
      } else { if (this.drag) this.end(ev.type === "pointerup"); stop(); }
    };
    if (s.touch) s.timer = setTimeout(() => { this.lift(s); navigator.vibrate?.(12); }, HOLD);
    for (const t of ["pointermove", "pointerup", "pointercancel"]) document.addEventListener(t, on, opts);
    document.addEventListener("touchmove", (ev) => { if (this.drag) ev.preventDefault(); }, { passive: false, ...opts });
    document.addEventListener("keydown", (ev) => {
      if (ev.key === "Escape" && this.drag) { ev.stopPropagation(); ev.preventDefault(); this.end(false); stop(); }
    }, { capture: true, ...opts });
  }
  lift(s) {
    const r = s.card.getBoundingClientRect(), g = s.card.cloneNode(true);
    g.removeAttribute("id");
    g.classList.add("lift");
    g.ariaHidden = "true";
    g.style.width = `${r.width}px`;
    document.body.append(g);
    s.card.classList.add("ghosted");
    document.documentElement.classList.add("dragging");
    this.drag = { ...s, g, dx: s.x - r.left, dy: s.y - r.top, home: this.home(s.card) };
    this.move(s.x, s.y);
  }
  move(x, y) {
    const d = this.drag;
    Object.assign(d, { px: x, py: y });
    d.g.style.left = `${x - d.dx}px`;
    d.g.style.top = `${y - d.dy}px`;
    this.aim();
    d.raf ||= requestAnimationFrame(() => this.scrollEdge());
  }
  // Where the pointer is now; asked again while the edge scrolls under a pointer that rests.
  aim() {
    const d = this.drag, drop = document.elementFromPoint(d.px, d.py)?.closest(".col, .closer");
    for (const o of $$(".over", this)) if (o !== drop) o.classList.remove("over");
    d.zone = drop?.classList.contains("closer") ? drop : null;
    drop?.classList.add("over");
    const list = drop && $(".cards", drop);
    if (list) {
      const next = this.cards(list).find((c) => c !== d.card && d.py < c.getBoundingClientRect().top + c.offsetHeight / 2) ?? null;
      if (d.card.parentNode !== list || this.nextCard(d.card) !== next) this.put(d.card, list, next);
      d.list = list;
    }
  }
  scrollEdge() {
    const d = this.drag;
    if (!d) return;
    const b = this.getBoundingClientRect();
    const by = (v, lo, hi) => (v < lo + EDGE ? (v - lo - EDGE) / 7 : v > hi - EDGE ? (v - hi + EDGE) / 7 : 0);
    const before = this.scrollLeft;
    this.scrollBy(by(d.px, b.left, b.right), 0);
    if (this.scrollLeft !== before) this.aim();
    if (d.list && !d.zone) { const l = d.list.getBoundingClientRect(); d.list.scrollBy(0, by(d.py, l.top, l.bottom)); }
    d.raf = requestAnimationFrame(() => this.scrollEdge());
  }
  end(commit) {
    const { card, g, home, zone, raf } = this.drag;
    cancelAnimationFrame(raf);
    g.remove();
    card.classList.remove("ghosted");
    document.documentElement.classList.remove("dragging");
    for (const o of $$(".over", this)) o.classList.remove("over");
    this.drag = null;
    this.justDragged = true;
    setTimeout(() => (this.justDragged = false), 60);
    if (!commit) return this.goHome(card, home);
    if (zone) return this.close(card, zone, home);
    if (card.parentNode !== home.list || this.nextCard(card) !== home.next) this.settle(card, card.parentNode.closest(".col"), home);
  }
  // Onto a zone the card leaves the board; the zone itself is no place for it.
  close(card, zone, home) {
    this.goHome(card, home);
    const after = { list: card.parentNode, next: this.nextCard(card) };
    card.remove();
    this.settle(card, zone, after);
  }
  settle(card, target, home) {
    const stage = target.dataset.stage ?? target.dataset.drop, { kind } = target.dataset;
    const moved = home.list.dataset.drop !== stage;
    if (moved && kind === "lost" && this.dataset.lostUrl) return this.askWhy(card, stage, home);
    const run = () => this.save(card, stage, home);
    const job = (this.jobs.get(card.dataset.id) ?? Promise.resolve()).then(run);
    this.jobs.set(card.dataset.id, job);
  }
  values(card, stage) {
    return { stage, before: (card.isConnected && this.nextCard(card)?.dataset.id) || "", version: card.dataset.version ?? "" };
  }
  url(pattern, card) { return pattern.replace("/0/", `/${card.dataset.id}/`); }
  async askWhy(card, stage, home) {
    const query = new URLSearchParams(this.values(card, stage));
    const said = await openDialog(`${this.url(this.dataset.lostUrl, card)}?${query}`, this);
    if (said !== "done") this.animate(() => this.goHome(this.live(card), home));
  }
  live(card) { return document.getElementById(card.id) ?? card; }
  async save(old, stage, home) {
    const card = this.live(old);
    card.classList.add("waiting");
    const answer = await send(this.url(this.dataset.url, card), this.values(card, stage));
    card.classList.remove("waiting");
    while (this.drag) await new Promise((r) => setTimeout(r, 80)); // never change a list under a moving card
    if (!answer.ok) this.animate(() => this.goHome(this.live(card), home));
    const focused = document.activeElement?.closest?.(".card")?.id;
    swapParts(answer.text);
    if (focused && !document.activeElement?.closest?.(".card")) $("a", document.getElementById(focused) ?? card)?.focus();
  }
  undone(undo) {
    if (!undo.card) return;
    const card = document.getElementById(`card-${undo.card}`), list = $(`[data-drop="${CSS.escape(undo.values?.stage ?? "")}"].cards`, this);
    if (!card || !list) return location.reload();
    const before = undo.values.before && document.getElementById(`card-${undo.values.before}`);
    if (card.parentNode !== list) this.animate(() => this.put(card, list, before?.parentNode === list ? before : null));
  }
  animate(change) {
    if (document.startViewTransition && !calm()) return void document.startViewTransition(change);
    change();
  }
  shift(card, key) {
    const home = this.home(card), { lists } = this, i = lists.indexOf(home.list);
    const all = this.cards(home.list), k = all.indexOf(card);
    if (key === "ArrowUp" && k > 0) this.put(card, home.list, all[k - 1]);
    else if (key === "ArrowDown" && k < all.length - 1) this.put(card, home.list, all[k + 2] ?? null);
    else if (key === "ArrowLeft" && i > 0) lists[i - 1].prepend(card);
    else if (key === "ArrowRight" && i < lists.length - 1) lists[i + 1].prepend(card);
    else return;
    $("a", card).focus();
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
    this.settle(card, card.parentNode.closest(".col"), home);
  }
  key(e) {
    const card = e.target.closest(".card");
    if (!card || !e.key.startsWith("Arrow") || e.altKey || e.ctrlKey || e.metaKey) return;
    e.preventDefault();
    if (e.shiftKey) return this.shift(card, e.key);
    const { lists } = this, i = lists.indexOf(card.parentNode), here = this.cards(card.parentNode), k = here.indexOf(card);
    let to = { ArrowDown: here[k + 1], ArrowUp: here[k - 1] }[e.key];
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      const step = e.key === "ArrowRight" ? 1 : -1;
      for (let j = i + step; !to && lists[j]; j += step) { const there = this.cards(lists[j]); to = there[clamp(k, 0, there.length - 1)]; }
    }
    $("a", to ?? card)?.focus();
  }
  click(e) {
    if (this.justDragged) { e.preventDefault(); e.stopPropagation(); return; }
    const b = e.target.closest("[data-move]");
    if (b) { e.preventDefault(); this.menu(b.closest(".card"), b); }
  }
  menu(card, button) {
    const m = el("div", { className: "menu", popover: "auto" });
    for (const c of $$(".col, .closer", this)) {
      const stage = c.dataset.stage ?? c.dataset.drop;
      if (stage === card.parentNode.dataset.drop) continue;
      const b = el("button", { type: "button", className: "mi" }, $(".dot, .i", c)?.cloneNode(true), ($("h2", c) ?? c).textContent.trim());
      b.addEventListener("click", () => { m.hidePopover(); this.send(card, c); });
      m.append(b);
    }
    this.append(m);
    m.addEventListener("toggle", (e) => { if (e.newState === "closed") { m.remove(); if (button.isConnected && document.activeElement === document.body) button.focus(); } });
    m.showPopover();
    place(m, button);
    m.firstElementChild?.focus();
  }
  send(card, target) {
    const home = this.home(card), list = $(".cards", target);
    if (!list) return this.close(card, target, home);
    this.animate(() => list.prepend(card));
    setTimeout(() => { $("a", this.live(card))?.focus(); this.settle(card, target, home); }, calm() ? 0 : 60);
  }
}
customElements.define("crm-board", Board);

// J and K walk through the cards of a board as through the rows of a list.
document.addEventListener("row", (e) => {
  const board = $("crm-board");
  if (!board || !"jk".includes(e.detail)) return;
  const all = $$(".card", board), i = all.indexOf(document.activeElement?.closest?.(".card"));
  const to = all[clamp(i + (e.detail === "j" ? 1 : -1), 0, all.length - 1)];
  $("a", to ?? board)?.focus();
  to?.scrollIntoView({ block: "nearest", inline: "nearest" });
});
