// The angle of two inputs on its way through random tanh layers: angles.py, in the page.

import { Kept, turned } from "../../live/js/matrices.js";
import { stream } from "../../live/js/streams.js";
import { tanh } from "../../live/js/units.js";
import { WEIGHTS, Z, gaussianMeans } from "./gaussian.js";

const WIDTH = 200;
export const PAIRS = 5;
const NUMBERS = PAIRS * WIDTH;

// Hermite's polynomials of odd degree, with E He(z)^2 = 1: a row for each, times the weights of z.
const HERMITE = [];
{
  let [before, now] = [Z.map(() => 1), Z.slice()];
  for (let degree = 1; degree < 500; degree++) {
    if (degree % 2) HERMITE.push(now.map((value, k) => WEIGHTS[k] * value));
    const next = now.map((value, k) => (Z[k] * value - Math.sqrt(degree) * before[k]) / Math.sqrt(degree + 1));
    [before, now] = [now, next];
  }
}

// E tanh(u) tanh(v) / E tanh(u)^2 for u, v ~ N(0, deviation^2) of the correlation `cosine`: the sum
// of a_n^2 cosine^n over that of a_n^2, a_n = E tanh(deviation z) He_n(z) (Mehler's formula).
const HEIGHTS = new Float64Array(Z.length); // of tanh
function correlation(deviation, cosine) {
  const size = Math.max(deviation, 1e-300);
  const largest = Math.tanh(size * Z.at(-1));
  for (let k = 0; k < Z.length; k++) HEIGHTS[k] = Math.tanh(size * Z[k]) / largest;
  let square = 0;
  for (let k = 0; k < Z.length; k++) square += WEIGHTS[k] * HEIGHTS[k] * HEIGHTS[k];
  let [product, rest, power] = [0, square, cosine];
  for (const row of HERMITE) {
    const share = scalar(row, HEIGHTS) ** 2;
    product += share * power;
    rest -= share;
    power *= cosine * cosine;
    if (rest < 1e-15 * square || Math.abs(power) < 1e-16) break;
  }
  return (product + Math.max(rest, 0) * power) / square; // the rest as if it were of the next degree
}

// {deviations, cosines} in infinite width, of the inputs and of z_1 ... z_depth.
let theory = { name: "" };
export function expectedAngles(sigmaW, sigmaB, cosine, depth) {
  const name = [sigmaW, sigmaB, cosine].join();
  if (theory.name !== name) theory = { name, deviations: [1], cosines: [cosine] };
  const { deviations, cosines } = theory;
  while (deviations.length <= depth) {
    const before = deviations.at(-1);
    let [size, c] = [deviations.length > 1 ? 0 : 1, cosines.at(-1)];
    if (deviations.length > 1 && before > 0) {
      [size] = gaussianMeans("tanh", before);
      c = correlation(before, c);
    }
    const deviation = Math.hypot(sigmaW * size, sigmaB);
    deviations.push(deviation);
    // The biases, common to both, are a share of the variance, and have the correlation 1.
    cosines.push(deviation > 0 ? Math.min(c + (sigmaB / deviation) ** 2 * (1 - c), 1) : NaN);
  }
  return { deviations: deviations.slice(0, depth + 1), cosines: cosines.slice(0, depth + 1) };
}

// Pairs of orthonormal vectors, and layers {forth, bias} of standard normal numbers, of one draw.
let drawn = { seed: -1 };
const KEPT = new Kept();
function draws(seed, depth) {
  if (drawn.seed !== seed) {
    const rows = stream(seed, "pairs")(PAIRS * 2 * WIDTH);
    const row = (k) => rows.subarray(k * WIDTH, (k + 1) * WIDTH);
    const pairs = Array.from({ length: PAIRS }, (_, p) => orthonormal(row(2 * p), row(2 * p + 1)));
    drawn = { seed, pairs, layers: [] };
    KEPT.clear();
  }
  while (drawn.layers.length < depth) {
    const next = stream(seed, `layer ${drawn.layers.length + 1}`);
    drawn.layers.push({ forth: KEPT.keep(turned(next(WIDTH * WIDTH), WIDTH), WIDTH), bias: next(WIDTH) });
  }
  return drawn;
}

function scalar(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

// Q of the columns a, b, with the signs of Householder's reflections, as LAPACK has them.
function orthonormal(a, b) {
  const length = -Math.sign(a[0]) * Math.sqrt(scalar(a, a));
  const first = a.map((value) => value / length);
  const normal = a.slice();
  normal[0] -= length;
  const reflected = b[1] - normal[1] * ((2 * scalar(normal, b)) / scalar(normal, normal));
  const along = scalar(first, b);
  const across = b.map((value, k) => value - along * first[k]);
  const height = -Math.sign(reflected) * Math.sqrt(scalar(across, across));
  return [first, across.map((value) => value / height)];
}

// What is known of PAIRS inputs that pass through a network: {h, layers}, h what comes out of the last
// of the layers, and of each layer what `rowsOf` says of z. It is kept for a deeper network.
const PASSED = new Map();
function begun(name, start) {
  if (!PASSED.has(name)) {
    if (PASSED.size > 8) PASSED.clear();
    const h = start();
    PASSED.set(name, { h, layers: [rowsOf(h.slice())] });
  }
  return PASSED.get(name);
}

// Bring each of the passes to so many layers at least; those that have come as far, together.
function goOn(passes, depth, { sigmaW, sigmaB, layers }) {
  const factor = sigmaW / Math.sqrt(WIDTH);
  const room = new Float64Array(passes.length * NUMBERS);
  for (;;) {
    const l = Math.min(...passes.map((pass) => pass.layers.length));
    if (l > depth) return;
    const { forth, bias } = layers[l - 1];
    const behind = passes.filter((pass) => pass.layers.length === l);
    behind.forEach(({ h }, p) => room.set(h, p * NUMBERS));
    const inputs = room.subarray(0, behind.length * NUMBERS);
    const z = KEPT.products(inputs, forth, new Float64Array(inputs.length));
    for (let row = 0; row < z.length; row += WIDTH) {
      for (let k = 0; k < WIDTH; k++) z[row + k] = factor * z[row + k] + sigmaB * bias[k];
    }
    behind.forEach(({ h, layers: seen }, p) => {
      const own = z.subarray(p * NUMBERS, (p + 1) * NUMBERS);
      for (let k = 0; k < NUMBERS; k++) h[k] = tanh(own[k]);
      seen.push(rowsOf(own));
    });
  }
}

// The cosines of each pair in one network: PAIRS rows of depth + 1.
export function measuredAngles(sigmaW, sigmaB, cosine, depth, seed) {
  const network = { sigmaW, sigmaB, ...draws(seed, depth) };
  const sine = Math.sin(Math.acos(cosine));
  const inputs = (first, second) => () => {
    const h = new Float64Array(NUMBERS);
    network.pairs.forEach(([one, other], p) => {
      for (let k = 0; k < WIDTH; k++) h[p * WIDTH + k] = Math.sqrt(WIDTH) * (first * one[k] + second * other[k]);
    });
    return h;
  };
  const name = [sigmaW, sigmaB, seed].join();
  const one = begun(name, inputs(1, 0)); // the same for every cosine
  const other = begun(`${name},${cosine}`, inputs(cosine, sine));
  goOn([one, other], depth, network);
  return Array.from({ length: PAIRS }, (_, p) =>
    Array.from({ length: depth + 1 }, (_, l) => cosineOf(one.layers[l][p], other.layers[l][p])));
}

// {row, largest, length} of each input: its number that is largest, and how long it is relative to that.
// Squares of tiny ones would be 0.
function rowsOf(numbers) {
  return Array.from({ length: PAIRS }, (_, p) => {
    const row = numbers.subarray(p * WIDTH, (p + 1) * WIDTH);
    let [largest, square] = [0, 0];
    for (let k = 0; k < WIDTH; k++) largest = Math.max(largest, Math.abs(row[k]));
    for (let k = 0; k < WIDTH; k++) square += (row[k] / largest) ** 2;
    return { row, largest, length: Math.sqrt(square) };
  });
}

// NaN where one of them is 0.
function cosineOf(u, v) {
  let sum = 0;
  for (let k = 0; k < WIDTH; k++) sum += (u.row[k] / u.largest) * (v.row[k] / v.largest);
  return sum / (u.length * v.length);
}
