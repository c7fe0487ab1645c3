// The explorer of sizes by weight scale and depth: what explorer.py says and pictures.py shows.

import { described } from "../../live/js/caption.js";
import { sizesByLayer } from "../../live/js/decades.js";
import { count, general, number } from "../../live/js/numbers.js";
import { explorer } from "../../live/js/panel.js";
import { Plot, lengthFor, sample, ticks } from "../../live/js/plot.js";
import { HOMOGENEOUS, expectedSizes, measuredSizes } from "./sizes.js";

const SCALES = Array.from({ length: 31 }, (_, k) => k / 10);
const HALF = 0.05; // a column of a map reaches so far to both sides
const STEPS = [1, 2, 4, 8, 16]; // decades above and below a size of 1 at which the colour changes
const EDGES = [...STEPS.map((step) => -step).reverse(), ...STEPS];
const HEIGHT = 320;

// Of the last few networks the maps: {measured, expected: a profile for each of SCALES, as far as that
// is done; lines: in the end, where theory has the edges of the colours, at each layer}.
const MAPS = new Map();
function mapsFor({ activation, depth, width, seed }) {
  const name = [activation, depth, width, seed].join();
  if (!MAPS.has(name)) {
    if (MAPS.size > 30) MAPS.clear();
    MAPS.set(name, { measured: [], expected: [], lines: { forward: [], backward: [] } });
  }
  return MAPS.get(name);
}

// What is left of the maps of a state: one column after the other, if it takes long.
function* rest({ values: { activation, depth, width, seed }, maps }) {
  const alike = HOMOGENEOUS.includes(activation);
  const { measured, expected } = maps;
  if (measured.length === SCALES.length) return;
  while (measured.length < SCALES.length) {
    if (!alike) yield;
    const scales = alike ? SCALES : [SCALES[measured.length]];
    measured.push(...measuredSizes(activation, scales, depth, width, seed));
    expected.push(...expectedSizes(activation, scales, depth));
  }
  maps.lines = { forward: edgesOf(expected, "forward"), backward: edgesOf(expected, "backward") };
}

function state(values) {
  const { activation, scale, depth, width, seed } = values;
  const [measured] = measuredSizes(activation, [scale], depth, width, seed);
  const [expected] = expectedSizes(activation, [scale], depth);
  const [signal, gradient] = [measured.forward.slice(1), measured.backward.slice(1)];
  const caption = described(words(values, measured, expected), { signal, gradient });
  return { ...caption, seen: 1, values, measured, expected, maps: mapsFor(values) };
}

const sizeOf = (value) => number(value, 2, "exactly 0");

function words({ activation, scale, depth, width }, measured, expected) {
  const [signal, gradient] = [measured.forward.at(-1), measured.backward[1]];
  return [
    `${activation}, weight scale ${general(scale, 3)}, ${count(depth, "layer")} of width ${width}.`,
    `Signal: size ${sizeOf(signal)} at layer ${depth}, theory ${sizeOf(expected.forward.at(-1))}. ${fate(signal)}`,
    `Gradient: size ${sizeOf(gradient)} at layer 1, theory ${sizeOf(expected.backward[1])}. ${fate(gradient)}`,
  ].join("\n");
}

function fate(size) {
  if (size < 0.1) return "It vanishes.";
  return size > 10 ? "It explodes." : "It stays within a factor of 10.";
}

// Of a size: how many of the edges it is above 1, or, negative, below.
function colourOf(size) {
  const decades = size > 0 ? Math.log10(size) : -Infinity;
  let colour = 0;
  for (const step of STEPS) colour += Number(decades >= step) - Number(decades < -step);
  return colour;
}

const shadeOf = (colour) => (colour === 0 ? "" : `${colour > 0 ? "warm" : "cool"} of-${2 * Math.abs(colour)}`);

// Sizes by weight scale and layer, upwards; lines: where theory has the edges of the colours.
function sizeMap(title, side) {
  return ({ values, maps: { measured, lines } }, width) => {
    const end = lengthFor(values.depth);
    const plot = new Plot({
      width, height: HEIGHT, title, xlabel: "weight scale", ylabel: "layer",
      x: [-HALF, 3 + HALF], y: [0.5, end + 0.5],
    });
    const columns = Array.from({ length: measured.length + 1 }, (_, k) => k / 10 - HALF);
    const layers = Array.from({ length: values.depth }, (_, k) => k + 1);
    const shade = (column, row) => shadeOf(colourOf(measured[column][side][row + 1]));
    plot.map(columns, [0.5, ...layers.map((l) => l + 0.5)], shade);
    for (const places of lines[side]) plot.line(places, layers.map((l, k) => (Number.isNaN(places[k]) ? NaN : l)), "thin");
    plot.line([values.scale, values.scale], [0.5, end + 0.5], "green dashed");
    plot.xticks([0, 1, 2, 3]);
    plot.yticks(ticks(1, end, 5, 1));
    return plot;
  };
}

// For each of EDGES the weight scales where it is, at layers 1 ... L.
function edgesOf(profiles, side) {
  const rising = profiles[0][side].slice(1).map((_, k) => profiles.map((profile) => Math.log10(profile[side][k + 1])));
  return EDGES.map((edge) => rising.map((heights) => crossing(heights, edge)));
}

// The weight scale where a line first reaches a level; NaN where it does not, or comes from 0.
function crossing(rising, level) {
  const k = rising.findIndex((height) => height >= level);
  if (k < 1 || rising[k - 1] < -32) return NaN;
  return SCALES[k - 1] + ((level - rising[k - 1]) / (rising[k] - rising[k - 1])) * (SCALES[k] - SCALES[k - 1]);
}

function profile({ measured, expected }, width) {
  const at = (one, side) => one[side].slice(1);
  const curves = [
    { sizes: at(measured, "forward"), mark: ["circle", "blue"], every: true },
    { sizes: at(measured, "backward"), mark: ["square", "orange"], every: true },
    { sizes: at(expected, "forward"), line: "" },
    { sizes: at(expected, "backward"), line: "green" },
  ];
  return sizesByLayer(curves, { width, height: HEIGHT, title: "At the weight scale chosen", ylabel: "size" });
}

function swatch(colour) {
  const cell = `<rect width="20" height="14" class="cell ${shadeOf(colour)}"/>`;
  return `<svg width="20" height="14" class="course-plot" aria-hidden="true">${cell}</svg>`;
}

export default explorer({
  state,
  rest,
  planes: [sizeMap("Signal, forward", "forward"), sizeMap("Gradient, backward", "backward"), profile],
  legend: [
    [[-1, -2, -3, -4, -5].map(swatch).join(""), "below 10⁻¹, 10⁻², 10⁻⁴, 10⁻⁸, 10⁻¹⁶"],
    [[1, 2, 3, 4, 5].map(swatch).join(""), "above 10, 10², 10⁴, 10⁸, 10¹⁶"],
    [sample("line", "thin"), "where theory has these edges"],
    [sample("line", "green dashed"), "the weight scale chosen"],
    [sample("circle", "blue"), "signal, measured"],
    [sample("line"), "signal, theory"],
    [sample("square", "orange"), "gradient, measured"],
    [sample("line", "green"), "gradient, theory"],
  ],
});
