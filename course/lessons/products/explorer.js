// The explorer of products of random matrices: what explorer.py says and pictures.py shows.

import { rung } from "../../live/js/decades.js";
import { fixed, number, percent, power } from "../../live/js/numbers.js";
import { explorer } from "../../live/js/panel.js";
import { Plot, sample, tens, ticks } from "../../live/js/plot.js";
import { WIDTH, exponents, spectrum } from "./spectrum.js";

const THRESHOLDS = [1e-1, 1e-3, 1e-6];
const STYLES = [["square", "orange dashed"], ["up", "green mixed"], ["diamond", "pink dotted"]];
const DRAWS = 3;
const DEEPEST = 100;
const NEWMAN = exponents();

const CACHE = new Map(); // a new scale multiplies nothing anew
function spectra(kind, depth, seed) {
  const name = `${kind} ${depth} ${seed}`;
  if (CACHE.size > 200) CACHE.clear();
  if (!CACHE.has(name)) {
    CACHE.set(name, Array.from({ length: DRAWS }, (_, k) => spectrum(kind, depth, DRAWS * seed + k)));
  }
  return CACHE.get(name);
}

const middleOf = (three) => three.toSorted((a, b) => a - b)[1];

function state({ depth, kind, scale, seed }) {
  const measured = spectra(kind, depth, seed);
  const shift = scale ? depth * Math.log10(scale) : -Infinity;
  const middle = NEWMAN.map((_, rank) => middleOf(measured.map((logs) => logs[rank]))).sort((a, b) => b - a);
  const logs = middle.map((log) => log + shift);
  const formula = NEWMAN.map((gain) => (kind === "Gaussian" ? depth * gain : 0) + shift);
  const all = measured.flat();
  const shares = THRESHOLDS.map((t) => all.filter((log) => log < Math.log10(t)).length / all.length);
  const text = words(depth, kind, scale, logs, shares);
  return { text, badge: "", rows: [], seen: 1, depth, kind, logs, formula, shares };
}

function words(depth, kind, scale, logs, shares) {
  const below = shares.map((share, k) => `${percent(share)} are below ${sizeInWords(Math.log10(THRESHOLDS[k]))}`);
  const [largest, middle, smallest] = [logs[0], logs[WIDTH / 2], logs.at(-1)].map(sizeInWords);
  const sizes = scale
    ? `The largest singular value is ${largest}, the middle one ${middle}, the smallest ${smallest}.`
    : "All singular values are 0: nothing gets through.";
  return (
    `${depth} ${kind} ${depth === 1 ? "matrix" : "matrices"} of ${WIDTH} x ${WIDTH}, ` +
    `scale ${fixed(scale, 2)}.\n${sizes}\nApart from the scale, ${below.join(", ")}.`
  );
}

const sizeInWords = (log) => (Math.abs(log) < 2 ? number(10 ** log) : power(log));

// Singular values by rank; what is too small for the axis lies on its lower edge.
function byRank({ logs, formula }, width) {
  const shown = [...logs, ...formula].filter((log) => log > -300);
  const low = rung(shown.reduce((most, log) => Math.max(most, -log), 2));
  const high = rung(shown.reduce((most, log) => Math.max(most, log), 1));
  const plot = new Plot({
    width, height: 330, title: "Singular values of the product", xlabel: "rank", ylabel: "singular value",
    x: [0, 1.02 * WIDTH], y: [-low, high],
  });
  plot.xticks(ticks(0, WIDTH, 6, 1));
  plot.yticks(ticks(-low, high, 8, 1), tens);
  const points = logs.map((log, k) => [k + 1, log]);
  plot.marks(points.filter(([, log]) => log > -300), "circle", "blue");
  const lost = points.filter(([, log]) => !(log > -300));
  const edge = 0.03 * (low + high);
  plot.marks(lost.map(([rank]) => [rank, edge - low]), "down", "blue");
  const anchor = lost[0]?.[0] > WIDTH / 2 ? "end" : "start";
  if (lost.length) plot.label(lost[0][0], 3 * edge - low, "exactly 0", anchor, "blue");
  plot.line(formula.map((_, k) => k + 1), formula.map((log) => (log > -300 ? log : NaN)), "");
  return plot;
}

// The share of them below each threshold, as it is expected by depth, and as it is now.
function byDepth({ depth, kind, shares }, width) {
  const plot = new Plot({
    width, height: 330, title: "How many are below", xlabel: "number of factors",
    ylabel: "share of the singular values", x: [0, 1.02 * DEEPEST], y: [-0.03, 1.03],
  });
  plot.xticks(ticks(0, DEEPEST, 5, 1));
  plot.yticks([0, 0.2, 0.4, 0.6, 0.8, 1], (share) => share.toFixed(1));
  const depths = Array.from({ length: DEEPEST }, (_, k) => k + 1);
  THRESHOLDS.forEach((t, k) => {
    const [shape, style] = STYLES[k];
    plot.line(depths, depths.map((l) => (kind === "Gaussian" ? t ** (2 / l) : 0)), style);
    plot.marks([[depth, shares[k]]], shape, style.split(" ")[0], 5);
  });
  return plot;
}

export default explorer({
  state,
  planes: [byRank, byDepth],
  legend: [
    [sample("circle", "blue"), "measured, each value"],
    [sample("line"), "closed form, for many factors"],
    ...THRESHOLDS.map((t, k) => [
      sample("line", STYLES[k][1]) + sample(STYLES[k][0], STYLES[k][1].split(" ")[0]),
      `below ${power(Math.log10(t))}`,
    ]),
  ],
});
