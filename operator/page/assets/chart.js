"use strict";
// The files of a run over time, drawn by uPlot: from the receipts, then from the live updates.

async function chart() {
  const place = document.getElementById("chart"), note = document.getElementById("chart-note");
  if (!place) return;
  const answer = await fetch(place.dataset.source);
  if (!answer.ok) { note.textContent = "The progress cannot be read: " + (await answer.text()); return; }
  const progress = await answer.json();
  note.textContent = (progress.sampled < progress.of || progress.cut
    ? `Estimated from the messages of ${progress.sampled} of ${progress.of} collections, then live.`
    : "From the times at which messages were counted.") + " Times are in the browser's time zone.";
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
  const fill = color("busy").replace(/^rgb\((.*)\)$/, "rgba($1, 0.12)");
  const plot = new uPlot({
    width: place.clientWidth, height: 240, scales: { y: { range: (_, low, high) => [0, Math.max(1, high * 1.05)] } },
    series: [{}, { label: "received", stroke: color("busy"), width: 2, fill, points: { show: false } },
      { label: "sent", stroke: color("faint"), dash: [5, 4], spanGaps: true, points: { show: false } }],
    axes: [axis, { ...axis, size: 64 }], cursor: { y: false }, legend: { live: true },
  }, columns(), place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 240 })).observe(place);
  document.addEventListener("point", (event) => {
    const point = event.detail, last = points.at(-1);
    if (!point || (last && point.at < last[0])) return;
    if (last && last[0] === point.at) points.pop();
    points.push([point.at, point.files, point.sent]);
    const same = ([, files, sent]) => files === point.files && sent === point.sent;
    if (points.length > 2 && same(points.at(-2)) && same(points.at(-3))) points.splice(-2, 1);
    plot.setData(columns());
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  document.getElementById("chart")?.replaceChildren();
  chart();
});
chart();
