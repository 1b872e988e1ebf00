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

// follow listens to the one poller that the server has for this run, and asks for the page again when something changed.
function follow() {
  const key = document.body.dataset.live, badge = document.getElementById("live");
  if (!key) return;
  const events = new EventSource("/events?" + key);
  let swapping = false, again = false;
  const renew = async () => {
    if (swapping) { again = true; return; }
    swapping = true;
    do {
      again = false;
      try { await swap(); } catch { /* the next event tries again */ }
    } while (again);
    swapping = false;
  };
  events.onmessage = (event) => {
    const news = JSON.parse(event.data);
    badge.className = news.error ? "badge bad" : "badge good";
    badge.textContent = news.error ? "cannot read: " + news.error : `live, every ${Math.round(news.every / 1000)} s`;
    if (news.error) return;
    if (news.version !== document.body.dataset.version) renew();
    document.dispatchEvent(new CustomEvent("point", { detail: news.point }));
  };
  events.onerror = () => { badge.className = "badge bad"; badge.textContent = "not connected"; };
  addEventListener("pagehide", () => events.close());
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

// An execution that still runs is read again until it has ended.
if (document.querySelector("[data-running]")) setTimeout(() => location.reload(), 2000);

follow();
keepTimes();
setInterval(keepTimes, 1000);
