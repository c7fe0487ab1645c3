// The network of the first seed as one sees it: a column for each layer, links between them, and
// below each column two cells, coloured by the size of its signal and of its gradient.

import { FONT, cleared, colours } from "./chart.js";
import { number } from "./words.js";

const DECADES = 6; // powers of ten from 1 to a full colour in the cells
const FULL = 2; // a unit's value with a full colour
const [LABELS, CELL, STRIPS] = [64, 16, 52]; // room on the left, height of a cell, of all below

export function drawNetwork(canvas, run) {
  const { context, width, height } = cleared(canvas);
  const c = colours();
  const [{ network }] = run.members;
  network.forward(run.probe.x, run.probe.labels.length);
  const layers = network.signals.slice(0, -1);
  const units = Math.min(run.settings.width, layers.length > 26 ? 6 : 8);
  const step = (width - LABELS - 8) / (layers.length + 2);
  const left = (k) => LABELS + step * (k + 0.5); // 0 is the input, then the layers, then the output
  const high = height - STRIPS;
  const top = (k, many) => 14 + ((high - 22) * (k + 0.5)) / many;
  const stage = { context, c, left, top, units, radius: Math.min(8, 0.36 * step, (0.4 * high) / units) };

  network.linears.forEach((linear, k) => {
    links(stage, linear, k, run.data.inputs, k === layers.length);
  });
  if (run.settings.skip !== "none") skips(stage, run.settings.depth);
  layers.forEach((signal, k) => {
    for (let unit = 0; unit < units; unit++) disc(stage, left(k + 1), top(unit, units), signal[unit]);
  });
  ends(stage, run, network, Math.min(step, 52), high);
  strips(stage, run, step, high);
  return words(run);
}

// Weights between the units that are shown: blue if positive, orange if negative, the larger the
// stronger, compared with the largest of their layer.
function links({ context, c, left, top, units }, linear, k, inputs, isLast) {
  const from = k === 0 ? Math.min(inputs, 8) : units;
  const last = isLast ? linear.fanOut : units;
  const picture = k === 0 && inputs > 8; // links leave from its middle
  const weight = (i, j) => linear.weight.value[i * linear.fanOut + j];
  let most = 0;
  for (let i = 0; i < from; i++) for (let j = 0; j < last; j++) most = Math.max(most, Math.abs(weight(i, j)));
  if (!(most > 0) || most === Infinity) return;
  const strengths = [[], [], [], [], [], []]; // one path for each strength and sign: quick
  for (let i = 0; i < from; i++) {
    for (let j = 0; j < last; j++) {
      const share = weight(i, j) / most;
      const level = Math.min(2, Math.floor(3 * Math.abs(share)));
      strengths[level + (share < 0 ? 3 : 0)].push([i, j]);
    }
  }
  strengths.forEach((pairs, strength) => {
    context.strokeStyle = strength < 3 ? c.blue : c.orange;
    context.globalAlpha = [0.1, 0.3, 0.6][strength % 3];
    context.lineWidth = [0.6, 0.9, 1.4][strength % 3];
    context.beginPath();
    for (const [i, j] of pairs) {
      const [x0, x1] = [left(k), left(k + 1)];
      const middle = (x0 + x1) / 2;
      const [y0, y1] = [picture ? top(0, 1) : top(i, from), top(j, last)];
      context.moveTo(x0, y0);
      context.bezierCurveTo(middle, y0, middle, y1, x1, y1);
    }
    context.stroke();
  });
  context.globalAlpha = 1;
}

// Arcs above: on them the signal passes a block unchanged.
function skips({ context, c, left }, depth) {
  Object.assign(context, { strokeStyle: c.green, lineWidth: 2 });
  for (let k = 1; k <= depth; k++) {
    context.beginPath();
    context.moveTo(left(k), 14);
    context.quadraticCurveTo((left(k) + left(k + 1)) / 2, -4, left(k + 1), 14);
    context.stroke();
  }
}

// A unit: blue if positive, orange if negative, pale near 0; not finite: a cross.
function disc({ context, c, radius }, x, y, value) {
  context.beginPath();
  context.arc(x, y, Math.max(1.5, radius), 0, 7);
  context.fillStyle = c.paper;
  context.fill();
  if (Number.isFinite(value)) {
    context.globalAlpha = Math.min(1, Math.abs(value) / FULL);
    context.fillStyle = value > 0 ? c.blue : c.orange;
  } else {
    context.fillStyle = c.ink;
  }
  context.fill();
  context.globalAlpha = 1;
  Object.assign(context, { strokeStyle: c.grey, lineWidth: 0.8 });
  context.stroke();
}

// The input and the output: the first digit as a picture, or the two coordinates, and the classes.
function ends({ context, c, left, top, units, radius }, run, network, edge, high) {
  const { x } = run.probe;
  if (run.data.inputs === 2) {
    for (const k of [0, 1]) disc({ context, c, radius }, left(0), top(k, 2), x[k]);
  } else {
    const [side, from] = [Math.min(edge, 48), left(0) - Math.min(edge, 48) / 2];
    context.fillStyle = c.ink;
    const least = x.subarray(0, 64).reduce((a, b) => Math.min(a, b));
    for (let k = 0; k < 64; k++) {
      context.globalAlpha = Math.min(1, (x[k] - least) / 2.6);
      const [row, column] = [Math.floor(k / 8), k % 8];
      const cell = side / 8;
      context.fillRect(from + column * cell, high / 2 - side / 2 + row * cell, cell, cell);
    }
    context.globalAlpha = 1;
    Object.assign(context, { strokeStyle: c.grey, lineWidth: 0.8 });
    context.strokeRect(from, high / 2 - side / 2, side, side);
  }
  const { classes } = run.data;
  const answers = Array.from(network.signals.at(-1).subarray(0, classes));
  const most = Math.max(...answers);
  const sum = answers.reduce((total, answer) => total + Math.exp(answer - most), 0);
  const place = left(run.settings.depth + 2);
  Object.assign(context, { textAlign: "left", textBaseline: "middle", font: FONT });
  answers.forEach((answer, k) => {
    const share = Math.exp(answer - most) / sum;
    disc({ context, c, radius: Math.min(radius, (0.4 * high) / classes) }, place, top(k, classes), Number.isFinite(share) ? FULL * share : NaN);
    context.fillStyle = k === run.probe.labels[0] ? c.ink : c.grey;
    context.font = k === run.probe.labels[0] ? `bold ${FONT}` : FONT;
    context.fillText(k, place + radius + 3, top(k, classes));
  });
  context.font = FONT;
}

// Cells below the layers: blue below 1, orange above, a 0 for exactly 0, a × for not finite.
function strips({ context, c, left }, run, step, high) {
  const [measure] = run.measures;
  const last = measure.gradients.at(-1);
  const rows = [measure.sizes, measure.gradients.map((gradient) => gradient / last)];
  Object.assign(context, { textBaseline: "middle", font: FONT });
  rows.forEach((values, row) => {
    const y = high + 4 + row * (CELL + 6);
    Object.assign(context, { fillStyle: c.ink, textAlign: "left" });
    context.fillText(["signal", "gradient"][row], 2, y + CELL / 2);
    values.forEach((value, k) => {
      const wide = Math.max(2, step - 2);
      const x = left(k + 1) - wide / 2;
      const sign = value === 0 ? "0" : Number.isFinite(value) ? "" : "×";
      context.fillStyle = sign === "×" ? c.ink : c.paper;
      context.fillRect(x, y, wide, CELL);
      if (!sign) {
        context.globalAlpha = Math.min(1, Math.abs(Math.log10(value)) / DECADES);
        context.fillStyle = value < 1 ? c.blue : c.orange;
        context.fillRect(x, y, wide, CELL);
        context.globalAlpha = 1;
      }
      Object.assign(context, { strokeStyle: c.grey, lineWidth: 0.8 });
      context.strokeRect(x, y, wide, CELL);
      Object.assign(context, { fillStyle: sign === "×" ? c.paper : c.ink, textAlign: "center" });
      context.fillText(sign, x + wide / 2, y + CELL / 2);
    });
  });
}

function words(run) {
  const { depth, width, skip } = run.settings;
  const [{ sizes, gradients }] = run.measures;
  const ways = { none: "no skips", residual: "a skip around each block", scaled: "a skip around each block, whose own part is scaled" };
  return `A first layer, ${depth} blocks of width ${width}, ${ways[skip]}. From the first to the last of them the signal goes from ${number(sizes[0])} to ${number(sizes.at(-1))}; on its way back the gradient becomes ${number(gradients[0] / gradients.at(-1))} times what it was.`;
}
