"use strict";
// The graph of the definition, laid out by dagre. The inside of a Map is laid out first, since it sets the Map's size.

const NS = "http://www.w3.org/2000/svg";

function svg(name, attributes, parent) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function lines(name) {
  const found = [""];
  for (const word of name.split(" ")) {
    const last = found.length - 1;
    if (found[last] && found[last].length + word.length > 20) found.push(word);
    else found[last] += (found[last] ? " " : "") + word;
  }
  return found;
}

const mapTitle = 26; // height of a Map's own name
const width = (line) => line.length * 7 + 22;

// layout places the states of a graph and returns them with the graph's size.
function layout(graph) {
  const laid = new dagre.graphlib.Graph({ multigraph: true });
  laid.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 34, edgesep: 10, marginx: 12, marginy: 12 });
  laid.setDefaultEdgeLabel(() => ({}));
  for (const state of graph.states) {
    const inside = state.inside && layout(state.inside);
    const text = lines(state.name);
    laid.setNode(state.name, inside
      ? { state, inside, width: Math.max(inside.width, width(state.name)), height: inside.height + mapTitle }
      : { state, text, width: Math.max(...text.map(width)), height: text.length * 15 + 14 });
  }
  graph.ways.forEach((edge, i) => laid.setEdge(edge.from, edge.to, { kind: edge.kind }, String(i)));
  dagre.layout(laid);
  return { laid, width: laid.graph().width, height: laid.graph().height };
}

// outcomes maps the classes of a state to what they mean.
const outcomes = { "not-entered": "not entered", entered: "entered", "entered failed": "failed",
  "entered running": "running", "entered caught": "ended with a caught error" };

function outcomeOf(name, steps) {
  const own = steps.filter((s) => s.state === name);
  if (!own.length) return "not-entered";
  const worst = ["failed", "running", "caught"].find((what) => own.some((s) => s[what]));
  return worst ? "entered " + worst : "entered";
}

function draw({ laid }, parent, steps) {
  const names = new Set(laid.nodes());
  const path = steps.filter((s) => names.has(s.state));
  const next = (i) => path.slice(i + 1).find((n) => n.item === path[i].item); // items of a Map have paths of their own
  const took = (from, to) => path.some((s, i) => s.state === from && next(i)?.state === to);
  for (const edge of laid.edges()) {
    const { points, kind } = laid.edge(edge), entered = took(edge.v, edge.w) ? " entered" : "";
    const curve = points.map((p, i) => (i ? "L" : "M") + p.x.toFixed(1) + " " + p.y.toFixed(1)).join("");
    svg("path", { d: curve, class: kind + entered }, parent);
    const [before, tip] = points.slice(-2);
    const turn = (Math.atan2(tip.y - before.y, tip.x - before.x) * 180 / Math.PI).toFixed(1);
    const transform = `translate(${tip.x.toFixed(1)} ${tip.y.toFixed(1)}) rotate(${turn})`;
    svg("path", { d: "M0 0L-8 -4L-8 4Z", class: "tip" + entered, transform }, parent);
  }
  for (const name of laid.nodes()) {
    const node = laid.node(name), left = node.x - node.width / 2, top = node.y - node.height / 2;
    const outcome = outcomeOf(name, steps);
    const label = `${name}, ${node.state.type}` + (steps.length ? ", " + outcomes[outcome] : "");
    const group = svg("g", { class: `node ${node.inside ? "map" : ""} ${outcome}`, tabindex: 0, role: "button",
      "aria-label": label, "data-state": name }, parent);
    svg("title", {}, group).textContent = [label, node.state.comment].filter(Boolean).join(". ");
    svg("rect", { x: left, y: top, width: node.width, height: node.height, rx: 6 }, group);
    const act = (event) => { event.stopPropagation(); event.preventDefault(); select(name); };
    group.addEventListener("click", act);
    group.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") act(event); });
    if (node.inside) {
      svg("text", { x: node.x, y: top + mapTitle / 2 + 3 }, group).textContent = name;
      const transform = `translate(${node.x - node.inside.width / 2} ${top + mapTitle})`;
      draw(node.inside, svg("g", { transform }, group), steps);
      continue;
    }
    node.text.forEach((line, i) => {
      svg("text", { x: node.x, y: node.y + (i - (node.text.length - 1) / 2) * 15 }, group).textContent = line;
    });
  }
}

// select shows the steps of one state; with an empty name, of all.
function select(name) {
  for (const node of document.querySelectorAll(".graph .node")) {
    node.classList.toggle("selected", node.dataset.state === name);
  }
  const steps = [...document.querySelectorAll(".step")], selected = document.getElementById("selected");
  for (const step of steps) {
    step.hidden = name !== "" && step.dataset.state !== name;
    if (name !== "" && !step.hidden) step.open = true;
  }
  document.querySelector(`dt[data-state="${CSS.escape(name)}"]`)?.scrollIntoView({ block: "center" });
  if (!selected) return;
  const entered = steps.some((s) => s.dataset.state === name);
  selected.firstElementChild.textContent = name === "" ? "Select a state in the graph to show only its steps."
    : entered ? `Only ${name}.` : `${name} was not entered, or is not in the history.`;
  document.getElementById("all").hidden = name === "";
}

function graph() {
  const place = document.getElementById("graph");
  if (!place) return;
  const { graph, steps: path } = JSON.parse(place.dataset.graph);
  const steps = (path ?? []).map((s) =>
    ({ ...s, caught: s.error && !s.failed, running: !s.left && !s.failed }));
  const laid = layout(graph);
  const picture = svg("svg", { width: laid.width, height: laid.height, viewBox: `0 0 ${laid.width} ${laid.height}`,
    role: "group", "aria-label": "State machine" });
  draw(laid, picture, steps);
  place.replaceChildren(picture);
  document.getElementById("all")?.addEventListener("click", (event) => { event.preventDefault(); select(""); });
}

graph();
