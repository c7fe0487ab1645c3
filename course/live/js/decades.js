// Planes of sizes by layer on a log axis, as plots/decades.py has them in Python.

import { Plot, lengthFor, tens, ticks } from "./plot.js";

const LADDER = [1, 3, 9, 27, 81, 300]; // an axis reaches from 10^-h to 10^h, each one of these
const MARKERS = 12; // along an axis of layers: more would merge into a band

export const rung = (exponent) => LADDER.find((h) => exponent <= h) ?? LADDER.at(-1);

// Of `count` layers those with a mark: the first, the last, and some well between them.
function markedLayers(count) {
  const every = Math.max(1, Math.floor(lengthFor(count) / MARKERS));
  const all = Array.from({ length: count }, (_, k) => k);
  return all.filter((k) => k === count - 1 || (k % every === 0 && k < count - Math.floor(every / 2) - 1) || k === 0);
}

// The ends of an axis, as powers of ten, that holds all of these sizes that are above 0 and finite.
function ends(sizes) {
  let [low, high] = [2, 1];
  for (const size of sizes) {
    if (!(size > 0 && size < Infinity)) continue;
    low = Math.max(low, -Math.log10(size));
    high = Math.max(high, Math.log10(size));
  }
  return [-rung(low), rung(high)];
}

// A plane of sizes at layers 1 ... L. curves: {sizes, line, mark, every}: the style of a line, and
// [shape, style] of marks, at every layer if `every`; without either it has none. What has no place
// on the axis stands at its edge: zeros below, what is not finite above.
export function sizesByLayer(curves, { width, height, title, ylabel }) {
  const [low, high] = ends(curves.flatMap(({ sizes }) => [...sizes]));
  const end = lengthFor(curves[0].sizes.length);
  const plot = new Plot({ width, height, title, xlabel: "layer", ylabel, x: [0, 1.02 * end], y: [low, high] });
  plot.xticks(ticks(0, end, 5, 1));
  plot.yticks(ticks(low, high, 7, 1), tens);
  const layers = Array.from(curves[0].sizes, (_, k) => k + 1);
  const edge = 0.03 * (high - low);
  const row = (14 * (high - low)) / (plot.inner.bottom - plot.inner.top); // of words, in decades
  let notes = 0;
  for (const { sizes, line, mark, every = false } of curves) {
    const logs = Array.from(sizes, (size) => (size > 0 && size < Infinity ? Math.log10(size) : NaN));
    if (line !== undefined) plot.line(layers, logs, line);
    const [shape, style] = mark ?? ["circle", line];
    if (mark) {
      const chosen = every ? [...layers.keys()] : markedLayers(layers.length);
      const points = chosen.filter((k) => !Number.isNaN(logs[k])).map((k) => [k + 1, logs[k]]);
      plot.marks(points, shape, style, every ? 2 : 3.4);
    }
    for (const [words, lost, y, kind, up] of [
      ["exactly 0", (size) => size === 0, low + edge, "down", 1],
      ["not finite", (size) => !Number.isFinite(size), high - edge, "up", -1],
    ]) {
      const at = layers.filter((layer) => lost(sizes[layer - 1]));
      if (!at.length) continue;
      plot.marks(markedLayers(at.length).map((k) => [at[k], y]), kind, style);
      const right = at[0] > 0.6 * end;
      plot.label(right ? at.at(-1) : at[0], y + up * (2 * edge + row * notes), words, right ? "end" : "start", style);
    }
    notes += 1;
  }
  return plot;
}
