// The explorer of the scalar chain: what explorer.py says and pictures.py shows, in the page.

import { described } from "../../live/js/caption.js";
import { general, number } from "../../live/js/numbers.js";
import { explorer } from "../../live/js/panel.js";
import { Plot, lengthFor, sample, sparse, tens, ticks } from "../../live/js/plot.js";
import { ROUND, closedForm, measure } from "./chain.js";

const HALF_HEIGHTS = [6, 18, 54, 162, 330]; // the axis holds 10^-h to 10^h
const STRIP = 0.09; // the share of its height that each strip takes
const HEALTHY = 3; // decades

const finite = Number.isFinite;

function state(values) {
  const round = ROUND[values.precision];
  const chain = { ...values };
  for (const name of ["weight", "bias", "x"]) chain[name] = round(values[name]);
  const [formula, run] = [closedForm(chain), measure(chain)];
  const caption = described(words(chain, formula, run), { signal: run.activations, gradient: run.gradients });
  return { ...caption, depth: chain.depth, formula, run };
}

function words(chain, formula, run) {
  const { weight, bias, x, depth, precision } = chain;
  const said = [weight, bias, x].map((value) => general(value, 4));
  return [
    `w = ${said[0]}, b = ${said[1]}, x = ${said[2]}, L = ${depth}, ${precision}. ${regime(weight)}`,
    `Last activation y_L = ${number(run.activations.at(-1), 3)}. ` +
      `Gradient of y_L with respect to x = ${number(run.gradients[0], 3)}, ` +
      `to w = ${number(run.dWeight, 3)}, to b = ${number(run.dBias, 3)}.`,
    overflow(run),
    agreement(chain, formula, run),
  ].join("\n");
}

function regime(weight) {
  if (Math.abs(weight) === 1) return "The gradient keeps its size at any depth.";
  const change = Math.abs(weight) > 1 ? "grows" : "shrinks";
  return `The gradient ${change} with every layer it passes.`;
}

function overflow({ activations, gradients }) {
  const lost = (value) => !finite(value);
  const [activation, gradient] = [activations.findIndex(lost), gradients.findLastIndex(lost)];
  const places = [];
  if (activation >= 0) places.push(`the activation at layer ${activation}`);
  if (gradient >= 0) places.push(`the gradient at layer ${gradient}, going backward`);
  return `Overflow: ${places.join(" and ") || "nowhere"}.`;
}

function agreement(chain, formula, run) {
  const bound = { ...chain, precision: "float64" };
  for (const name of ["weight", "bias", "x"]) bound[name] = Math.abs(chain[name]);
  const ours = [...formula.activations, ...formula.gradients];
  const theirs = [...run.activations, ...run.gradients];
  const scale = [...closedForm(bound).activations, ...formula.gradients.map(Math.abs)];
  const both = ours.map((value, k) => finite(value) && finite(theirs[k]) && scale[k] > 0);
  let worst = 0;
  both.forEach((usable, k) => {
    if (usable) worst = Math.max(worst, Math.abs(ours[k] - theirs[k]) / scale[k]);
  });
  if (worst < 1e-12) {
    const layers = both.every(Boolean) ? "in every layer" : "wherever both are finite and not 0";
    return `Closed form and measurement agree to 12 digits ${layers}.`;
  }
  return (
    `Closed form and measurement differ by up to ${number(worst, 1)} times the value: ` +
    `each layer rounds to ${chain.precision}.`
  );
}

const exponent = (value) => (finite(value) && value !== 0 ? Math.log10(Math.abs(value)) : NaN);

// The least half height of the axis that holds all that is finite, on both sides.
function halfHeight({ formula, run }) {
  const all = [formula, run].flatMap((chain) => [...chain.activations, ...chain.gradients]);
  const reach = all.map(exponent).reduce((most, e) => (finite(e) ? Math.max(most, Math.abs(e)) : most), 0);
  return HALF_HEIGHTS.find((half) => reach <= half) ?? HALF_HEIGHTS.at(-1);
}

// Sizes by layer: linear in log10, with a strip for zeros below and one for overflow above.
function plane(state, width, { title, ylabel, row, colour }) {
  const half = halfHeight(state);
  const edge = half / (1 - 2.5 * STRIP);
  const end = lengthFor(state.depth);
  const at = (share) => (2 * share - 1) * edge;
  const plot = new Plot({
    width, height: 330, right: 78, title, xlabel: "layer l", ylabel,
    x: [-0.02 * end, 1.02 * end], y: [-edge, edge],
  });
  plot.band(HEALTHY, edge, "high");
  plot.band(-edge, -HEALTHY, "low");
  plot.xticks(ticks(0, end, 5, 1));
  plot.yticks([-3, -2, -1, 0, 1, 2, 3].map((k) => (k * half) / 3), tens);
  for (const share of [STRIP, 1 - STRIP]) plot.guide(at(share));
  const band = HEALTHY / edge / 2;
  plot.beside(at(STRIP / 2), "exactly 0");
  plot.beside(at(Math.min(0.46 - band, 0.44)), "vanishes");
  plot.beside(0, "keeps size");
  plot.beside(at(Math.max(0.54 + band, 0.56)), "explodes");
  plot.beside(at(1 - STRIP / 2), "overflow ∞");
  const [formula, measured] = [state.formula[row], state.run[row]];
  const points = measured.map((value, layer) => ({ value, point: [layer, exponent(value)] }));
  const where = (test, height) =>
    sparse(points.filter(({ value }) => test(value)))
      .map(({ point }) => (height === undefined ? point : [point[0], height]));
  plot.marks(where((y) => finite(y) && y > 0), "circle", colour);
  plot.marks(where((y) => finite(y) && y < 0), "square", `${colour} hollow`);
  plot.marks(where((y) => y === 0, at(STRIP / 2)), "down", colour);
  plot.marks(where((y) => !finite(y), at(1 - STRIP / 2)), "up", colour);
  plot.line([...formula.keys()], formula.map(exponent), "");
  return plot;
}

const below = (letter) => `<tspan dy="0.3em" font-size="0.8em">${letter}</tspan><tspan dy="-0.3em">​</tspan>`;
const activations = { title: "Forward: activations", ylabel: `size |y${below("l")}|`, row: "activations", colour: "blue" };
const gradients = { title: "Backward: gradients", ylabel: `size |∂y${below("L")} / ∂y${below("l")}|`, row: "gradients", colour: "orange" };

export default explorer({
  state,
  planes: [activations, gradients].map((side) => (now, width) => plane(now, width, side)),
  legend: [
    [sample("line"), "closed form"],
    [sample("circle"), "measured, positive"],
    [sample("square", "hollow"), "measured, negative"],
    [sample("down"), "measured, exactly 0"],
    [sample("up"), "measured, overflow"],
  ],
});
