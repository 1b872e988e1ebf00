"use strict";
// The files of a run over time, drawn by uPlot: what the receipts say, and what is seen while the page is open.

async function chart() {
  const place = document.getElementById("chart"), note = document.getElementById("chart-note");
  if (!place) return;
  const answer = await fetch(place.dataset.source);
  if (!answer.ok) { note.textContent = "The progress cannot be read: " + (await answer.text()); return; }
  const progress = await answer.json();
  note.textContent = progress.sampled < progress.of || progress.cut
    ? `Estimated from the messages of ${progress.sampled} of ${progress.of} collections; from now on as it is seen. Times are those of this browser.`
    : "From the times at which messages were counted. Times are those of this browser.";
  const color = (name) => {
    const probe = document.createElement("i");
    probe.style.color = `var(--${name})`;
    place.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const points = progress.points.map((p) => [p.at, p.files, null]);
  const columns = () => [0, 1, 2].map((i) => points.map((p) => p[i]));
  const axis = { stroke: color("faint"), grid: { stroke: color("line"), width: 1 }, ticks: { stroke: color("line") } };
  const plot = new uPlot({
    width: place.clientWidth, height: 240, scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
    series: [{}, { label: "received", stroke: color("busy"), width: 2, fill: color("busy").replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)"), points: { show: false } },
      { label: "sent", stroke: color("faint"), dash: [5, 4], spanGaps: true, points: { show: false } }],
    axes: [axis, { ...axis, size: 64 }], cursor: { y: false }, legend: { live: true },
  }, columns(), place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 240 })).observe(place);
  document.addEventListener("point", (event) => {
    const seen = event.detail, last = points[points.length - 1];
    if (!seen || (last && seen.at < last[0])) return;
    if (last && last[0] === seen.at) points.pop();
    points.push([seen.at, seen.files, seen.sent]);
    const before = points[points.length - 3], between = points[points.length - 2];
    if (before && before[2] !== null && before[1] === between[1] && between[1] === seen.files && before[2] === between[2]) points.splice(-2, 1);
    plot.setData(columns());
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { document.getElementById("chart")?.replaceChildren(); chart(); });
chart();
