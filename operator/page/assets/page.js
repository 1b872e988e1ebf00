"use strict";
// What the pages do besides being pages: they follow what they show, keep "12s ago" true, and know some keys.

const ago = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000)), two = (n) => String(n).padStart(2, "0");
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m`;
  if (s < 86400) return `${Math.floor(s / 3600)}h${two(Math.floor(s / 60) % 60)}m`;
  return `${Math.floor(s / 86400)}d${two(Math.floor(s / 3600) % 24)}h`;
};

function keepTimes() {
  for (const time of document.querySelectorAll("time[datetime]")) {
    const text = ago(Date.now() - Date.parse(time.dateTime)) + " ago";
    if (time.textContent !== text) time.textContent = text;
  }
}

// swap puts the parts of a newer version of this page in the place of those shown. What has the focus keeps it.
async function swap() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const focused = document.activeElement, at = focused?.getAttribute("href") || focused?.id;
  for (const part of document.querySelectorAll("[data-part]")) {
    const newer = next.getElementById(part.id);
    if (!newer || newer.innerHTML === part.innerHTML) continue;
    const held = part.contains(focused);
    part.replaceWith(document.adoptNode(newer));
    if (held && at) [...newer.querySelectorAll("a, button")].find((e) => e.getAttribute("href") === at || e.id === at)?.focus();
  }
  document.body.dataset.version = next.body.dataset.version;
  keepTimes();
}

// renew swaps once more if it is asked for while it swaps.
let swapping = false, again = false;
async function renew() {
  if (swapping) { again = true; return; }
  swapping = true;
  do {
    again = false;
    try { await swap(); } catch { /* the next event tries again */ }
  } while (again);
  swapping = false;
}

// say tells how it stands with following. Only the words are read out, and only if they are others than before.
function say(tone, words, pace = "") {
  const badge = document.getElementById("live"), write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
  badge.hidden = false;
  badge.className = "badge " + tone;
  write(badge.children[0], words);
  write(badge.children[1], pace);
}

// A browser has six connections for a server, all of its windows together. So four of them follow at a time, and the others
// renew their pages now and then; where there are no locks to agree by, all follow.
const places = 4, seldom = 10000;

// place resolves to a function that gives the place back, or to nothing if all are taken.
async function place() {
  if (!navigator.locks) return () => {};
  const take = (i) => new Promise((taken) => navigator.locks.request("follow " + i, { ifAvailable: true },
    (lock) => lock ? new Promise(taken) : taken()));
  for (let i = 0; i < places; i++) {
    const giveBack = await take(i);
    if (giveBack) return giveBack;
  }
}

const hidden = () => document.visibilityState === "hidden";

// follow listens to the one poller that the server has for this topic, as long as the page is seen, and asks for the page
// again when something changed.
function follow() {
  const topic = document.body.dataset.live;
  if (!topic) return;
  let events = null, giveBack = null, later = 0, opening = false;
  const open = async () => {
    if (events || opening || hidden()) return;
    opening = true;
    giveBack = await place();
    opening = false;
    if (hidden()) { close(); return; }
    if (!giveBack) {
      say("busy", "renewed", `, every ${seldom / 1000} s; other windows follow`);
      later = setTimeout(() => { renew(); open(); }, seldom);
      return;
    }
    events = new EventSource("/events?" + topic);
    events.onmessage = (event) => heard(JSON.parse(event.data));
    events.onerror = () => say("bad", "not connected");
  };
  const close = () => {
    events?.close();
    giveBack?.();
    clearTimeout(later);
    events = giveBack = null;
  };
  const seen = () => { renew(); open(); };
  document.addEventListener("visibilitychange", () => hidden() ? close() : seen());
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) seen(); });
  open();
}

function heard(news) {
  if (news.error) { say("bad", "cannot read: " + news.error); return; }
  say("good", "live", `, every ${Math.round(news.every / 1000)} s`);
  if (news.version !== document.body.dataset.version) renew();
  document.dispatchEvent(new CustomEvent("point", { detail: news.point }));
}

// Arrow keys move about the heat map, which is one stop of the Tab key.
function moveInHeat(event) {
  const cells = [...(event.target.closest(".heat")?.children ?? [])], here = cells.indexOf(event.target);
  if (here < 0) return;
  const columns = Math.max(1, cells.findIndex((c) => c.offsetTop > cells[0].offsetTop));
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -here, End: cells.length - 1 - here };
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
  moveInHeat(event);
});

// An execution that still runs is read again until it has ended, while it is seen.
if (document.querySelector("[data-running]")) setTimeout(() => {
  if (!hidden()) location.reload();
  else document.addEventListener("visibilitychange", () => location.reload(), { once: true });
}, 2000);

follow();
keepTimes();
setInterval(keepTimes, 1000);
