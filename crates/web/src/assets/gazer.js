// Everything works without this file. It keeps pages fresh, tells times as the reader's clock does, and adds rows.
"use strict";

// Live: one stream says that something changed; the page is fetched again and its live parts are swapped.
const live = () => document.querySelectorAll("[data-live]");
let wanted = false, busy = false, last = 0;
const PAUSE = 1000; // at most one fetch a second, however fast things change

async function refresh() {
  if (busy || document.hidden) { wanted = true; return; }
  const wait = last + PAUSE - Date.now();
  busy = true; wanted = false;
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, credentials: "same-origin" });
    if (answer.redirected && new URL(answer.url).pathname !== location.pathname) return location.reload();
    if (answer.ok) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch { /* the stream reconnects by itself, and then the page is fetched again */ }
  last = Date.now(); busy = false;
  if (wanted) refresh();
}

function swap(fresh) {
  for (const old of live()) {
    const next = fresh.getElementById(old.id);
    if (!next || next.outerHTML === old.served) continue;
    if (old.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
    const served = next.outerHTML, focus = old.contains(document.activeElement) && path(old, document.activeElement);
    const open = [...old.querySelectorAll("details")].map((d) => d.open);
    const details = next.querySelectorAll("details");
    if (details.length === open.length) details.forEach((d, i) => { d.open = open[i]; });
    const status = old.dataset.status !== next.dataset.status;
    old.replaceWith(next);
    next.served = served;
    if (focus) focus.reduce((at, i) => at && at.children[i], next)?.focus();
    if (status) next.classList.add("flash");
  }
  if (document.title !== fresh.title) document.title = fresh.title;
  for (const step of [times, ago]) step();
}

// Where a focused link or button stands, so that a swap does not take the focus away.
function path(root, node) {
  const steps = [];
  for (; node !== root; node = node.parentElement) steps.unshift([...node.parentElement.children].indexOf(node));
  return steps;
}

function listen() {
  if (!live().length || !window.EventSource) return;
  const beat = document.querySelector(".beat");
  const stream = new EventSource("/live");
  const mark = (on) => { if (beat) { beat.classList.toggle("on", on); beat.textContent = on ? "Live" : "Reconnecting"; } };
  stream.onopen = () => { mark(true); refresh(); };
  stream.onerror = () => { mark(false); if (stream.readyState === EventSource.CLOSED) poll(beat); };
  stream.addEventListener("changed", refresh);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && wanted) refresh(); });
  addEventListener("pagehide", () => stream.close());
}

// Where no stream can be held open, the page asks again.
const POLL = 10000;
function poll(beat) {
  if (beat) { beat.classList.add("on"); beat.textContent = "Every 10 s"; }
  setInterval(() => { if (!document.hidden) refresh(); }, POLL);
}

// Times: the server writes UTC; here they become the reader's own, with UTC in the tooltip.
const DAY = { day: "numeric", month: "short" }, CLOCK = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false };
function times() {
  for (const time of document.querySelectorAll("time.at:not([title])")) {
    const at = new Date(time.dateTime);
    const year = at.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
    const shape = time.classList.contains("hm") ? { hour: "2-digit", minute: "2-digit", hour12: false }
      : time.classList.contains("day") ? { ...DAY, ...year } : { ...DAY, ...year, ...CLOCK };
    time.title = time.textContent;
    time.textContent = at.toLocaleString(undefined, shape);
  }
}

const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
function spell(seconds) {
  const from = UNITS.findIndex(([, size]) => seconds >= size);
  if (from < 0) return "0 s";
  const [unit, size] = UNITS[from], [small, part] = UNITS[from + 1] ?? ["", 0];
  const rest = part ? Math.floor((seconds % size) / part) : 0;
  return `${Math.floor(seconds / size)} ${unit}${rest ? ` ${rest} ${small}` : ""}`;
}
// The server's clock and the reader's may differ; ages count on from what the server wrote.
const drift = Date.now() - Number(document.body.dataset.now || Date.now());
function ago() {
  const now = Date.now() - drift;
  for (const time of document.querySelectorAll("time.ago")) {
    const text = spell(Math.max(0, Math.floor((now - new Date(time.dateTime)) / 1000)));
    if (time.textContent !== text) time.textContent = text;
  }
}

// Forms: rows to add, things to copy, and a button that is pressed once.
function forms() {
  document.addEventListener("click", async (event) => {
    const more = event.target.closest("[data-more]"), copy = event.target.closest("[data-copy]");
    if (more) {
      const rows = document.getElementById(more.dataset.more), row = rows.lastElementChild.cloneNode(true), n = rows.children.length;
      for (const part of row.querySelectorAll("[name]"))
        for (const key of ["name", "id", "aria-label"])
          part.setAttribute(key, part.getAttribute(key).replace(/\d+/, key === "aria-label" ? n + 1 : n));
      for (const part of row.querySelectorAll("input, select")) { part.value = ""; part.removeAttribute("aria-invalid"); if (part.tagName === "SELECT") part.selectedIndex = 0; }
      row.querySelectorAll(".wrong").forEach((w) => w.remove());
      rows.append(row);
      row.querySelector("select").focus();
    }
    if (copy) {
      await navigator.clipboard?.writeText(document.getElementById(copy.dataset.copy).textContent.trim());
      copy.textContent = "Copied";
    }
  });
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (button) setTimeout(() => { button.disabled = true; });
  });
  addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((b) => { b.disabled = false; }));
  document.querySelectorAll("[data-script][hidden]").forEach((part) => { part.hidden = false; });
}

for (const part of live()) part.served = part.outerHTML; // before the times in it are told otherwise
times(); ago(); setInterval(ago, 1000); forms(); listen();
document.querySelector("[aria-invalid]")?.focus();
