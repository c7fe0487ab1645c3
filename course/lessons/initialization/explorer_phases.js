// The explorer of order and chaos: what explorer.py says and pictures.py shows, in the page.

import { count, fixed, general, number } from "../../live/js/numbers.js";
import { explorer } from "../../live/js/panel.js";
import { Plot, lengthFor, sample, ticks } from "../../live/js/plot.js";
import { PAIRS, expectedAngles, measuredAngles } from "./angles.js";
import { chi, criticalLine } from "./phases.js";

const LIMITS = [3, 1]; // the largest sigma_w and sigma_b
const HEIGHT = 320;
const LINE = criticalLine(Array.from({ length: 121 }, (_, k) => k / 40));

function state({ sigma_w: sigmaW, sigma_b: sigmaB, cosine, depth, seed }) {
  const theory = expectedAngles(sigmaW, sigmaB, cosine, depth);
  const measured = measuredAngles(sigmaW, sigmaB, cosine, depth, seed);
  const ends = measured.map((cosines) => cosines.at(-1));
  const whole = ends.every(Number.isFinite);
  const alike = whole && Math.min(...ends) > 0.99;
  const text = words(sigmaW, sigmaB, ends, theory);
  const caption = { text, badge: alike ? "degenerate" : "", rows: [], seen: whole ? 0 : 1 };
  return { ...caption, sigmaW, sigmaB, depth, measured, theory };
}

function words(sigmaW, sigmaB, ends, { cosines, deviations }) {
  const factor = chi(sigmaW, sigmaB);
  const critical = Math.abs(factor - 1) < 1e-9;
  const phase = critical ? "On the line" : factor < 1 ? "Order" : "Chaos";
  const change = factor < 1 ? "shrink" : "grow";
  const layers = fixed(2 / Math.abs(Math.log(factor)), 1);
  const scale = factor > 0 && !critical ? ` Small differences ${change} by a factor of e in ${layers} layers.` : "";
  const known = [...ends, cosines.at(-1)].every(Number.isFinite);
  const said = (c) => fixed(c, 2).replace("-0.00", "0.00");
  const [low, high, expected] = [Math.min(...ends), Math.max(...ends), cosines.at(-1)].map(said);
  const length = number(deviations.at(-1) ** 2, 2, "exactly 0");
  return [
    `sigma_w = ${general(sigmaW, 3)}, sigma_b = ${general(sigmaB, 3)}. ${phase}: chi = ${fixed(factor, 3)}.${scale}`,
    known
      ? `Cosine at the last layer: ${low} to ${high}, theory ${expected}. Mean square of z there, in theory: ${length}.`
      : "There is no cosine left to measure: the signal is 0.",
  ].join("\n");
}

const sigma = (letter) => `σ<tspan dy="0.3em" font-size="0.8em">${letter}</tspan>`;

function plane({ sigmaW, sigmaB }, width) {
  const plot = new Plot({
    width, height: HEIGHT, title: "Where you are", xlabel: `weights: ${sigma("w")}`, ylabel: `biases: ${sigma("b")}`,
    x: [-0.05, LIMITS[0] * 1.02], y: [-0.03, LIMITS[1] * 1.03],
  });
  const [left, right, bottom, top] = [plot.x[0], plot.x[1], plot.y[0], plot.y[1]];
  plot.area([...LINE, [left, top], [left, bottom], [1, bottom]], "low");
  plot.area([...LINE, [right, top], [right, bottom], [1, bottom]], "high");
  plot.xticks([0, 0.5, 1, 1.5, 2, 2.5, 3]);
  plot.yticks([0, 0.2, 0.4, 0.6, 0.8, 1], (value) => value.toFixed(1));
  const shown = LINE.filter(([across, up]) => across <= right && up <= top);
  plot.line(shown.map(([across]) => across), shown.map(([, up]) => up), "");
  plot.label(0.75, 0.5, "order");
  plot.label(2.4, 0.5, "chaos");
  plot.marks([[sigmaW, sigmaB]], "circle", "orange", 6);
  return plot;
}

function angles({ depth, measured, theory }, width) {
  const end = lengthFor(depth);
  const plot = new Plot({
    width, height: HEIGHT, title: "Two inputs on their way", xlabel: "layer", ylabel: "cosine of the two",
    x: [0, end], y: [-0.8, 1.06],
  });
  plot.xticks(ticks(0, end, 5, 1));
  plot.yticks([-0.5, 0, 0.5, 1], (c) => String(c).replace("-", "−"));
  plot.guide(0);
  const layers = [...theory.cosines.keys()];
  for (const cosines of measured) plot.line(layers, cosines, "blue thin");
  plot.line(layers, theory.cosines, "dashed");
  return plot;
}

export default explorer({
  state,
  planes: [plane, angles],
  legend: [
    [sample("line", "blue thin"), `measured: ${count(PAIRS, "pair")}, one network`],
    [sample("line", "dashed"), "theory: infinite width"],
    [sample("line"), "chi = 1"],
  ],
});
