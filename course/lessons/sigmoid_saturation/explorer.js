// The explorer of saturation: what explorer.py says and pictures.py shows, in the page.

import { described } from "../../live/js/caption.js";
import { sizesByLayer } from "../../live/js/decades.js";
import { count, fixed, general, number, percent } from "../../live/js/numbers.js";
import { explorer } from "../../live/js/panel.js";
import { Plot, lengthFor, sample, ticks } from "../../live/js/plot.js";
import { UNITS } from "../../live/js/units.js";
import { hiddenLayers } from "./hidden.js";

const EDGE = 8; // inputs of units are shown from -EDGE to EDGE
const HEIGHT = 250;
const SHADES = 10;
const DARKEST = 0.4; // the share of a layer's units in one cell that has the full colour
const PLACES = Float64Array.from({ length: 161 }, (_, k) => -EDGE + k / 10);
const MEASURED = ["blue", ["circle", "blue"]];
const EXPECTED = "orange dashed";

function state(values) {
  const layers = hiddenLayers(values);
  return { ...described(words(values, layers), { gradient: layers.gradient }), seen: 2, values, layers };
}

const sizeOf = (value) => number(value, 2, "exactly 0");

function words({ activation, depth, scale, input_scale: inputScale }, layers) {
  const { saturated, slopes, gradient, expected, growth } = layers;
  const ends = depth > 1 ? [1, depth] : [1];
  const at = (layers, row, say, where) =>
    layers.map((layer) => `${say(row[layer - 1])} ${where} layer ${layer}`).join(", ");
  const steepness = at(ends, slopes, (slope) => fixed(slope, 3), "in");
  const factor = Number.isFinite(growth)
    ? `A factor of ${number(growth, 3)} per layer.`
    : "There is no factor per layer.";
  const comparable = gradient[0] > 0 && expected[0] > 0;
  const alone = comparable ? `${sizeOf(expected[0])} at layer 1.` : "nothing to compare.";
  return [
    `${activation}, ${count(depth, "hidden layer")}, weight scale ${general(scale, 4)}, ` +
      `input scale ${general(inputScale, 3)}.`,
    `Saturated: ${at(ends, saturated, percent, "of")}. Typical slope: ${steepness}.`,
    `Gradient: ${at([...ends].reverse(), gradient, sizeOf, "at")}. ${factor}`,
    `From the slopes alone: ${alone}`,
  ].join("\n");
}

const ticksOfInputs = (plot) =>
  plot.xticks([-8, -4, 0, 4, 8], (z) => ({ "-8": "≤ −8", "-4": "−4", 8: "≥ 8" })[z] ?? z);

// Where saturation begins, on both sides.
function bounds(plot, { activation }, low, high) {
  for (const z of UNITS[activation].flat) plot.line([z, z], [low, high], "grey dashed");
}

function curve({ values }, width) {
  const plot = new Plot({ width, height: HEIGHT, title: "The curve and its slope", x: [-EDGE, EDGE], y: [-1.1, 1.1] });
  ticksOfInputs(plot);
  plot.yticks([-1, -0.5, 0, 0.5, 1], (y) => y.toFixed(1).replace("-", "−"));
  bounds(plot, values, -1.1, 1.1);
  const [heights, slopes] = [PLACES.slice(), PLACES.slice()];
  UNITS[values.activation].apply(PLACES, heights, slopes);
  plot.line(PLACES, heights, "blue");
  plot.line(PLACES, slopes, "orange dashed");
  return plot;
}

// Planes over layers have the same axis.
function overLayers({ values: { depth } }, options) {
  const end = lengthFor(depth);
  return { end, plot: new Plot({ height: HEIGHT, xlabel: "layer", x: [0, 1.02 * end], ...options }) };
}

function saturatedUnits(now, width) {
  const axes = { title: "Saturated units", ylabel: "share of the layer", y: [-0.03, 1.03] };
  const { plot, end } = overLayers(now, { width, ...axes });
  plot.xticks(ticks(0, end, 5, 1));
  plot.yticks([0, 0.2, 0.4, 0.6, 0.8, 1], percent);
  const { saturated } = now.layers;
  plot.line(saturated.map((_, k) => k + 1), saturated, "green");
  const every = Math.max(1, Math.floor(end / 12));
  plot.marks(saturated.map((share, k) => [k + 1, share]).filter(([l]) => (l - 1) % every === 0), "up", "green");
  return plot;
}

// The inputs of the units of each layer, layer 1 on top.
function units({ values, layers }, width) {
  const end = lengthFor(values.depth);
  const plot = new Plot({
    width, height: HEIGHT, title: "Where the units sit", xlabel: "input z of a unit", ylabel: "layer",
    x: [-EDGE, EDGE], y: [end + 0.5, 0.5],
  });
  const columns = Array.from({ length: 65 }, (_, k) => -EDGE + k / 4);
  const rows = Array.from({ length: values.depth + 1 }, (_, k) => k + 0.5);
  const shade = (share) => Math.min(Math.ceil(SHADES * Math.sqrt(share / DARKEST)), SHADES);
  plot.map(columns, rows, (column, row) => {
    const share = layers.shares[row][column];
    return share > 0 ? `cool of-${shade(share)}` : "";
  });
  ticksOfInputs(plot);
  plot.yticks(ticks(1, end, 5, 1));
  bounds(plot, values, 0.5, end + 0.5);
  return plot;
}

function gradients({ layers: { gradient, expected } }, width) {
  const [line, mark] = MEASURED;
  const curves = [{ sizes: gradient, line, mark }, { sizes: expected, line: EXPECTED }];
  return sizesByLayer(curves, { width, height: HEIGHT, title: "Gradients", ylabel: "size of the gradient" });
}

export default explorer({
  state,
  planes: [curve, saturatedUnits, units, gradients],
  abreast: 2,
  legend: [
    [sample("line", "blue"), "the curve: value"],
    [sample("line", "orange dashed"), "the curve: slope"],
    [sample("line", "grey dashed"), "saturated beyond"],
    [sample("line", "blue") + sample("circle", "blue"), "gradient, measured"],
    [sample("line", EXPECTED), "gradient, from the slopes alone"],
  ],
});
