"use strict";
// Live updates, relative times and keys of the pages.

const ago = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000)), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86400)}d${two(Math.floor(s / 3600) % 24)}h`;
};

const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function updateTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    write(time, ago(Date.now() - Date.parse(time.dateTime)) + " ago");
  }
}

// replaceParts fetches the page again and replaces the parts that differ. The focus stays.
async function replaceParts() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement, key = (e) => e.getAttribute("href") || e.id;
  for (const part of document.querySelectorAll("[data-part]")) {
    const newer = next.getElementById(part.id);
    if (!newer || newer.innerHTML === part.innerHTML) continue;
    const same = part.contains(focused) && key(focused);
    part.replaceWith(document.adoptNode(newer));
    if (same) [...newer.querySelectorAll("a, button")].find((e) => key(e) === same)?.focus();
  }
  document.body.dataset.version = next.body.dataset.version;
  updateTimes();
}

// refresh replaces the parts, once more if it is called meanwhile.
let refreshing = false, again = false;
async function refresh() {
  if (refreshing) { again = true; return; }
  refreshing = true;
  do {
    again = false;
    try { await replaceParts(); } catch { /* the next event tries again */ }
  } while (again);
  refreshing = false;
}

// showState shows the state of the live updates. A screen reader reads the words only, and only when they change.
function showState(tone, words, interval = "") {
  const badge = document.getElementById("live");
  badge.hidden = false;
  badge.className = "badge " + tone;
  write(badge.children[0], words);
  write(badge.children[1], interval);
}

// A browser has six connections to a server, for all windows. So at most four windows are live at a time. The others
// refresh at an interval. Without the Web Locks API all windows are live.
const maxLive = 4, refreshEvery = 10000;

// acquireSlot resolves to a function that releases the slot, or to nothing if none is free.
async function acquireSlot() {
  if (!navigator.locks) return () => {};
  const acquire = (i) => new Promise((resolve) => navigator.locks.request("live " + i, { ifAvailable: true },
    (lock) => lock ? new Promise(resolve) : resolve()));
  for (let i = 0; i < maxLive; i++) {
    const release = await acquire(i);
    if (release) return release;
  }
}

const hidden = () => document.visibilityState === "hidden";

// follow listens to the events of the page's topic while the page is visible.
function follow() {
  const topic = document.body.dataset.live;
  if (!topic) return;
  let events = null, release = null, timer = 0, opening = false;
  const open = async () => {
    if (events || opening || hidden()) return;
    opening = true;
    release = await acquireSlot();
    opening = false;
    if (hidden()) { close(); return; }
    if (!release) {
      showState("busy", "refreshed", `, every ${refreshEvery / 1000} s; other windows are live`);
      timer = setTimeout(() => { refresh(); open(); }, refreshEvery);
      return;
    }
    events = new EventSource("/events?" + topic);
    events.onmessage = (event) => receive(JSON.parse(event.data));
    events.onerror = () => showState("bad", "disconnected");
  };
  const close = () => {
    events?.close();
    release?.();
    clearTimeout(timer);
    events = release = null;
  };
  const resume = () => { refresh(); open(); };
  document.addEventListener("visibilitychange", () => hidden() ? close() : resume());
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) resume(); });
  open();
}

function receive(update) {
  if (update.error) { showState("bad", "read failed: " + update.error); return; }
  showState("good", "live", `, every ${Math.round(update.every / 1000)} s`);
  if (update.version !== document.body.dataset.version) refresh();
  document.dispatchEvent(new CustomEvent("point", { detail: update.point }));
}

// Arrow keys move within the heat map, which is one stop of the Tab key.
function moveInHeatMap(event) {
  const cells = [...(event.target.closest(".heat")?.children ?? [])], here = cells.indexOf(event.target);
  if (here < 0) return;
  const columns = Math.max(1, cells.findIndex((c) => c.offsetTop > cells[0].offsetTop));
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -here,
    End: cells.length - 1 - here };
  const next = cells[here + (steps[event.key] ?? 0)];
  if (!(event.key in steps) || !next) return;
  event.preventDefault();
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    const first = document.querySelector("[data-first]");
    if (first) { event.preventDefault(); first.focus(); first.select(); }
    return;
  }
  moveInHeatMap(event);
});

// The page of a running execution reloads while it is visible.
if (document.querySelector("[data-running]")) setTimeout(() => {
  if (!hidden()) location.reload();
  else document.addEventListener("visibilitychange", () => location.reload(), { once: true });
}, 2000);

follow();
updateTimes();
setInterval(updateTimes, 1000);
