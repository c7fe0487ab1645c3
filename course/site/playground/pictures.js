// The five pictures of a run, each drawn on a canvas and told in words: draw...(canvas, ...) returns
// the words, which become the alternative text.

import { Chart, cleared, colours, decades } from "./chart.js";
import { count, median, number, percent, power } from "./words.js";

const SIDE = 40; // points on an edge of the decision picture
const REACH = 2.3; // it shows the plane from -REACH to REACH

// Losses of all seeds step by step: the middle one, and the space between the least and the most.
// old: curves of earlier runs, pale.
export function drawLoss(canvas, run, old) {
  const curves = run.members.map(({ losses }) => losses);
  const [{ stride }] = curves;
  const now = across(curves.map(({ values }) => values));
  const guess = Math.log(run.data.classes);
  const most = Math.max(50, run.steps, ...old.map(({ values, stride }) => values.length * stride));
  const shown = [guess, ...now.low, ...now.high, ...old.flatMap(({ values }) => values)];
  const y = decades(shown);
  const chart = new Chart(canvas, { x: [0, most], y, log: true, across: "step", labels: power });
  const c = chart.colours;
  const steps = (values, stride) => values.map((_, k) => 1 + k * stride);
  old.forEach(({ values, stride }) => {
    chart.line(steps(values, stride), values, { colour: c.grid, width: 1.5 });
  });
  chart.guide(guess, "guessing");
  chart.band(steps(now.low, stride), now.low, now.high, c.blue);
  chart.line(steps(now.middle, stride), now.middle, { colour: c.blue });
  if (run.steps === 0) return `No step yet. Guessing has a loss of ${number(guess)}.`;
  const last = (values) => number(values.at(-1));
  const spread = curves.length > 1 ? ` (${last(now.low)} to ${last(now.high)} over the seeds)` : "";
  const earlier = old.length ? ` Pale: ${count(old.length, "earlier run")}.` : "";
  return `Loss ${last(now.middle)}${spread} after ${count(run.steps, "step")}.${earlier}`;
}

// Sizes of signals and gradients layer by layer, on a log axis.
export function drawSizes(canvas, run) {
  const sizes = across(run.measures.map((measure) => measure.sizes));
  const gradients = across(run.measures.map((measure) => measure.gradients));
  const y = decades([sizes, gradients].flatMap(({ low, high }) => [...low, ...high]), 4);
  const x = [0, Math.max(1, sizes.middle.length - 1)];
  const chart = new Chart(canvas, { x, y, log: true, across: "layer", labels: power });
  const c = chart.colours;
  const layers = [...sizes.middle.keys()];
  chart.band(layers, sizes.low, sizes.high, c.blue);
  chart.band(layers, gradients.low, gradients.high, c.orange);
  chart.line(layers, sizes.middle, { colour: c.blue });
  chart.line(layers, gradients.middle, { colour: c.orange, dash: [7, 4] });
  const ends = ({ middle }) => `${number(middle[0])} at the first layer, ${number(middle.at(-1))} at the last`;
  return `Signal: ${ends(sizes)}. Gradient: ${ends(gradients)}.`;
}

// Effective rank layer by layer.
export function drawRanks(canvas, run) {
  const ranks = across(run.measures.map((measure) => measure.ranks));
  const most = Math.max(2, ...ranks.high.filter(Number.isFinite));
  const x = [0, Math.max(1, ranks.middle.length - 1)];
  const chart = new Chart(canvas, { x, y: [0, 1.05 * most], across: "layer", labels: String });
  const layers = [...ranks.middle.keys()];
  chart.band(layers, ranks.low, ranks.high, chart.colours.green);
  chart.line(layers, ranks.middle, { colour: chart.colours.green, dash: [8, 3, 2, 3] });
  const { middle } = ranks;
  const many = (rank) => (rank === 0 ? "none" : `${number(rank)} direction${number(rank) === "1" ? "" : "s"}`);
  return `The examples differ in ${many(middle[0])} at the first layer, in ${many(middle.at(-1))} at the last.`;
}

// What the last layer sees. In the plane: the probability of each class at every point.
export function drawDecisions(canvas, run) {
  const { context, width, height } = cleared(canvas);
  const c = colours();
  const edge = Math.min(width, height);
  const [left, top] = [(width - edge) / 2, (height - edge) / 2].map(Math.round);
  const shares = run.decisions(SIDE, REACH);
  const cell = edge / SIDE;
  shares.forEach((share, k) => {
    context.globalAlpha = Number.isFinite(share) ? 0.75 * Math.abs(2 * share - 1) : 0;
    context.fillStyle = share > 0.5 ? c.orange : c.blue;
    const [row, column] = [Math.floor(k / SIDE), k % SIDE];
    const [x0, y0, x1, y1] = [column, row, column + 1, row + 1].map((n) => Math.round(n * cell));
    context.fillRect(left + x0, top + y0, x1 - x0, y1 - y0); // whole pixels: else seams show
  });
  context.globalAlpha = 1;
  const { x, labels } = run.data;
  Object.assign(context, { strokeStyle: c.paper, lineWidth: 1 });
  labels.forEach((label, k) => {
    const px = left + (edge * (x[2 * k] + REACH)) / (2 * REACH);
    const py = top + (edge * (REACH - x[2 * k + 1])) / (2 * REACH);
    context.fillStyle = label ? c.orange : c.blue;
    context.beginPath();
    if (label) context.rect(px - 3, py - 3, 6, 6);
    else context.arc(px, py, 3.3, 0, 7);
    context.fill();
    context.stroke();
  });
  if (!shares.every(Number.isFinite)) return "Squares and discs: the classes. The network's answers are not finite.";
  const spread = Math.max(...shares) - Math.min(...shares);
  const sure = spread < 0.01 ? "The network says the same everywhere." : `Where the network says “squares”: ${percent(shares.filter((s) => s > 0.5).length / shares.length)} of the plane.`;
  const right = median(run.measures.map((measure) => measure.right));
  return `${sure} ${percent(right)} of the examples are right.`;
}

// Of digits: the examples in the two directions in which their signals differ most, equal scales.
// memory.axes: those directions, kept from picture to picture.
export function drawDirections(canvas, run, memory) {
  const { context, width, height } = cleared(canvas);
  const c = colours();
  const found = run.lastLayer(memory.axes);
  memory.axes = found?.axes;
  Object.assign(context, { textAlign: "center", textBaseline: "middle", fillStyle: c.ink });
  if (!found) {
    context.fillText("The signals are not finite.", width / 2, height / 2);
    return "The signals are not finite: there is nothing to draw.";
  }
  const [xs, ys] = [0, 1].map((k) => found.points.map((point) => point[k]));
  const middle = (of) => (Math.min(...of) + Math.max(...of)) / 2;
  const reach = (of) => Math.max(...of) - Math.min(...of);
  const widest = Math.max(reach(xs), reach(ys));
  const fit = Math.min((width - 24) / reach(xs), (height - 20) / reach(ys));
  const scale = widest > 0 ? fit : 0;
  const hues = [c.blue, c.orange, c.green, c.pink, c.ink];
  context.font = "bold 13px system-ui, sans-serif";
  found.points.forEach(([x, y], k) => {
    const label = run.probe.labels[k];
    context.fillStyle = hues[label % hues.length];
    const [px, py] = [x - middle(xs), y - middle(ys)].map((number) => scale * number);
    context.fillText(label, width / 2 + px, height / 2 - py);
  });
  if (widest === 0) return "All examples lie on one point: to the last layer they are the same.";
  const [wide, high] = [0, 1].map((k) => Math.hypot(...found.points.map((point) => point[k])));
  const apart = wide / Math.sqrt(found.points.length); // over the largest number of the signal
  const little = apart < 0.01 ? ` All of it is ${number(apart)} of the signal.` : "";
  return `Spread over the second direction: ${percent(high / wide)} of that over the first.${little}`;
}

// Number by number over several lists of one length: the least, the middle and the largest.
// A seed that is not finite makes the middle so only if half of them are.
function across(lists) {
  const at = lists[0].map((_, k) => lists.map((list) => list[k]));
  const finite = at.map((values) => values.filter(Number.isFinite));
  return {
    low: finite.map((values) => (values.length ? Math.min(...values) : NaN)),
    middle: at.map((values) => median(values)),
    high: finite.map((values) => (values.length ? Math.max(...values) : NaN)),
  };
}
