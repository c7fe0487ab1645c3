// An untrained network on digits, its hidden layers and its gradients: science.py, in the page.
// Layers have 64 units; examples stand in rows, and a matrix by rows of its inputs.

import { Kept, meanSquare, scaleBy, turned } from "../../live/js/matrices.js";
import { normals } from "../../live/js/streams.js";
import { UNITS } from "../../live/js/units.js";
import { DIGITS } from "./digits.js";

const WIDTH = 64;
const CLASSES = 10;
const [BINS, EACH] = [64, 0.25]; // of inputs of units around 0; what lies beyond is counted at the edge

// Glorot's weights of one draw: {back, forth} for layer `number` from 0, and the head's, in KEPT.
const KEPT = new Kept();
let drawn = { seed: -1, layers: [], head: null };
function weights(seed, depth) {
  if (drawn.seed !== seed) {
    KEPT.clear();
    drawn = { seed, layers: [], head: draw(seed, "head", CLASSES) };
  }
  while (drawn.layers.length < depth) {
    drawn.layers.push(draw(seed, `layer ${drawn.layers.length}`, WIDTH));
  }
  return drawn;
}

function draw(seed, purpose, fanOut) {
  const back = normals(seed, purpose, WIDTH * fanOut);
  const deviation = Math.sqrt(2 / (WIDTH + fanOut));
  for (let k = 0; k < back.length; k++) back[k] *= deviation;
  return { back: KEPT.keep(back, fanOut), forth: KEPT.keep(turned(back, fanOut), WIDTH) };
}

// What each layer does to the examples. A deeper network begins with a shallower one; another one
// is written over the arrays of the last.
let passed = { name: "", depth: 0 };
const LAYERS = [];
function forward({ activation, depth, scale, input_scale: inputScale, seed }) {
  const name = [activation, scale, inputScale, seed].join();
  if (passed.name !== name) passed = { name, depth: 0 };
  const matrices = weights(seed, depth).layers;
  for (let l = passed.depth; l < depth; l++) {
    const before = l ? LAYERS[l - 1].outputs : scaleBy(DIGITS.pixels.slice(), inputScale);
    const layer = (LAYERS[l] ??= { outputs: before.slice(), slopes: before.slice(), inputs: before.slice() });
    scaleBy(KEPT.products(before, matrices[l].forth, layer.inputs), scale);
    pass(activation, layer);
    passed.depth = l + 1;
  }
  return LAYERS.slice(0, depth);
}

// Fill the outputs and slopes of a layer, and what there is to say about it.
function pass(activation, layer) {
  const { inputs, outputs, slopes } = layer;
  const { apply, flat: [low, high] } = UNITS[activation];
  apply(inputs, outputs, slopes);
  const counts = new Float64Array(BINS);
  let saturated = 0;
  for (let k = 0; k < inputs.length; k++) {
    const z = inputs[k];
    if (z <= low || z >= high) saturated += 1;
    const bin = Math.floor(z / EACH) + BINS / 2;
    counts[bin > 0 ? Math.min(bin, BINS - 1) : 0] += 1;
  }
  layer.shares = scaleBy(counts, 1 / inputs.length);
  layer.saturated = saturated / inputs.length;
  layer.slope = Math.sqrt(meanSquare(slopes));
}

// The gradient of each example's loss with respect to the outputs of the last hidden layer.
function lastGradient(outputs, head, scale) {
  const examples = outputs.length / WIDTH;
  const scores = scaleBy(KEPT.products(outputs, head.forth, new Float64Array(examples * CLASSES)), scale);
  for (let k = 0; k < scores.length; k += CLASSES) {
    const row = scores.subarray(k, k + CLASSES);
    const most = Math.max(...row);
    let sum = 0;
    for (let c = 0; c < CLASSES; c++) sum += row[c] = Math.exp(row[c] - most);
    for (let c = 0; c < CLASSES; c++) row[c] /= sum;
    row[DIGITS.labels[k / CLASSES]] -= 1;
  }
  return scaleBy(KEPT.products(scores, head.back, new Float64Array(outputs.length)), scale);
}

// {shares, saturated, slopes, gradient, expected}: by layer, and `growth`; see HiddenLayers.
export function hiddenLayers(values) {
  const { depth, scale, seed } = values;
  const layers = forward(values);
  const { layers: matrices, head } = weights(seed, depth);
  let back = lastGradient(layers.at(-1).outputs, head, scale);
  let spare = back.slice();
  const gradient = [Math.sqrt(WIDTH * meanSquare(back))];
  const expected = [gradient[0]];
  for (let l = depth - 1; l > 0; l--) {
    const { slopes, slope } = layers[l];
    for (let k = 0; k < back.length; k++) back[k] *= scale * slopes[k];
    [back, spare] = [KEPT.products(back, matrices[l].back, spare), back];
    gradient.unshift(Math.sqrt(WIDTH * meanSquare(back)));
    expected.unshift(expected[0] * scale * slope);
  }
  return {
    shares: layers.map((layer) => layer.shares),
    saturated: layers.map((layer) => layer.saturated),
    slopes: layers.map((layer) => layer.slope),
    gradient,
    expected,
    growth: depth > 1 ? (gradient[0] / gradient.at(-1)) ** (1 / (depth - 1)) : NaN,
  };
}
