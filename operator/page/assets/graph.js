"use strict";
// The graph of the definition, laid out by dagre: the inside of a Map first, which makes the Map as large as it has to be.

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

const title = 26; // height of a Map's own name
const wide = (line) => line.length * 7 + 22;

// layout places the states of a graph, and returns it with its size.
function layout(graph) {
  const laid = new dagre.graphlib.Graph({ multigraph: true });
  laid.setGraph({ rankdir: "TB", nodesep: 18, ranksep: 34, edgesep: 10, marginx: 12, marginy: 12 });
  laid.setDefaultEdgeLabel(() => ({}));
  for (const state of graph.states) {
    const inside = state.inside && layout(state.inside);
    const text = lines(state.name);
    laid.setNode(state.name, inside
      ? { state, inside, width: Math.max(inside.width, wide(state.name)), height: inside.height + title }
      : { state, text, width: Math.max(...text.map(wide)), height: text.length * 15 + 14 });
  }
  graph.ways.forEach((way, i) => laid.setEdge(way.from, way.to, { way }, String(i)));
  dagre.layout(laid);
  const { width, height } = laid.graph();
  return { laid, width, height };
}

function stateClass(name, entered) {
  const steps = entered.filter((s) => s.state === name);
  if (!steps.length) return "untaken";
  if (steps.some((s) => s.failed)) return "taken failed";
  if (steps.some((s) => s.running)) return "taken running";
  return steps.some((s) => s.caught) ? "taken caught" : "taken";
}

// outcome says what the colour of a state says; nothing where no execution is drawn.
const outcomes = { untaken: "not entered", taken: "entered", "taken failed": "failed", "taken running": "running", "taken caught": "ended with an error that is caught" };
const outcome = (steps, look) => steps.length ? ", " + outcomes[look] : "";

function draw({ laid }, parent, steps, choose) {
  const names = new Set(laid.nodes());
  const way = steps.filter((s) => names.has(s.state));
  const next = (i) => way.slice(i + 1).find((n) => n.item === way[i].item); // items of a Map go their ways side by side
  const taken = (from, to) => way.some((s, i) => s.state === from && next(i)?.state === to);
  for (const edge of laid.edges()) {
    const { points, way } = laid.edge(edge), on = taken(edge.v, edge.w) ? " taken" : "";
    const curve = points.map((p, i) => (i ? "L" : "M") + p.x.toFixed(1) + " " + p.y.toFixed(1)).join("");
    svg("path", { d: curve, class: way.kind + on }, parent);
    const tip = points[points.length - 1], before = points[points.length - 2];
    const turn = Math.atan2(tip.y - before.y, tip.x - before.x) * 180 / Math.PI;
    svg("path", { d: "M0 0L-8 -4L-8 4Z", class: "tip" + on, transform: `translate(${tip.x.toFixed(1)} ${tip.y.toFixed(1)}) rotate(${turn.toFixed(1)})` }, parent);
  }
  for (const name of laid.nodes()) {
    const node = laid.node(name), left = node.x - node.width / 2, top = node.y - node.height / 2;
    const look = stateClass(name, steps), said = `${name}, ${node.state.type}${outcome(steps, look)}`;
    const group = svg("g", { class: `node ${node.inside ? "map" : ""} ${look}`, tabindex: 0, role: "button", "aria-label": said, "data-state": name }, parent);
    svg("title", {}, group).textContent = [said, node.state.comment].filter(Boolean).join(". ");
    svg("rect", { x: left, y: top, width: node.width, height: node.height, rx: 6 }, group);
    const act = (event) => { event.stopPropagation(); event.preventDefault(); choose(name); };
    group.addEventListener("click", act);
    group.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") act(event); });
    if (node.inside) {
      svg("text", { x: node.x, y: top + title / 2 + 3 }, group).textContent = name;
      draw(node.inside, svg("g", { transform: `translate(${node.x - node.inside.width / 2} ${top + title})` }, group), steps, choose);
      continue;
    }
    node.text.forEach((line, i) => {
      svg("text", { x: node.x, y: node.y + (i - (node.text.length - 1) / 2) * 15 }, group).textContent = line;
    });
  }
}

// choose shows only the steps of one state; of none, all.
function choose(name) {
  for (const node of document.querySelectorAll(".graph .node")) node.classList.toggle("chosen", node.dataset.state === name);
  const steps = [...document.querySelectorAll(".step")], chosen = document.getElementById("chosen");
  for (const step of steps) {
    step.hidden = name !== "" && step.dataset.state !== name;
    if (name !== "" && !step.hidden) step.open = true;
  }
  const listed = document.querySelector(`dt[data-state="${CSS.escape(name)}"]`);
  listed?.scrollIntoView({ block: "center" });
  if (!chosen) return;
  const entered = steps.some((s) => s.dataset.state === name);
  chosen.firstChild.textContent = name === "" ? "Choose a state in the graph to see only it. " : entered ? `Only ${name}. ` : `${name} was not entered, or the history does not hold it. `;
  document.getElementById("all").hidden = name === "";
}

function graph() {
  const place = document.getElementById("graph"), source = document.getElementById("drawn");
  if (!place || !source) return;
  const { graph, steps } = JSON.parse(source.dataset.graph);
  const laid = layout(graph);
  const picture = svg("svg", { width: laid.width, height: laid.height, viewBox: `0 0 ${laid.width} ${laid.height}`, role: "group", "aria-label": "State machine" });
  draw(laid, picture, steps, choose);
  place.replaceChildren(picture);
  document.getElementById("all")?.addEventListener("click", (event) => { event.preventDefault(); choose(""); });
}

graph();
