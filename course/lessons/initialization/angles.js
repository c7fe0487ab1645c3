// The angle of two inputs on its way through random tanh layers: angles.py, in the page.

import { scalarProducts, turned } from "../../live/js/matrices.js";
import { stream } from "../../live/js/streams.js";
import { WEIGHTS, Z, gaussianMeans } from "./gaussian.js";

const WIDTH = 200;
export const PAIRS = 5;

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
function draws(seed, depth) {
  if (drawn.seed !== seed) {
    const rows = stream(seed, "pairs")(PAIRS * 2 * WIDTH);
    const row = (k) => rows.subarray(k * WIDTH, (k + 1) * WIDTH);
    const pairs = Array.from({ length: PAIRS }, (_, p) => orthonormal(row(2 * p), row(2 * p + 1)));
    drawn = { seed, pairs, layers: [] };
  }
  while (drawn.layers.length < depth) {
    const next = stream(seed, `layer ${drawn.layers.length + 1}`);
    drawn.layers.push({ forth: turned(next(WIDTH * WIDTH), WIDTH), bias: next(WIDTH) });
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

// {row, length} of each input at layers 0 ... depth at least: z there, and its length, both relative
// to the largest number of the row. What has been passed through is kept for a deeper network.
const PASSED = new Map();
function passedThrough(name, start, depth, { sigmaW, sigmaB, layers: matrices }) {
  if (!PASSED.has(name)) {
    if (PASSED.size > 8) PASSED.clear();
    const h = start();
    PASSED.set(name, { h, layers: [relative(h)] });
  }
  const pass = PASSED.get(name);
  const factor = sigmaW / Math.sqrt(WIDTH);
  while (pass.layers.length <= depth) {
    const { forth, bias } = matrices[pass.layers.length - 1];
    const z = scalarProducts(pass.h, forth, WIDTH);
    for (let k = 0; k < z.length; k++) z[k] = factor * z[k] + sigmaB * bias[k % WIDTH];
    pass.layers.push(relative(z));
    for (let k = 0; k < z.length; k++) z[k] = Math.tanh(z[k]);
    pass.h = z;
  }
  return pass.layers;
}

// The cosines of each pair in one network: PAIRS rows of depth + 1.
export function measuredAngles(sigmaW, sigmaB, cosine, depth, seed) {
  const network = { sigmaW, sigmaB, ...draws(seed, depth) };
  const sine = Math.sin(Math.acos(cosine));
  const inputs = (first, second) => () => {
    const h = new Float64Array(PAIRS * WIDTH);
    network.pairs.forEach(([one, other], p) => {
      for (let k = 0; k < WIDTH; k++) h[p * WIDTH + k] = Math.sqrt(WIDTH) * (first * one[k] + second * other[k]);
    });
    return h;
  };
  const name = [sigmaW, sigmaB, seed].join();
  const one = passedThrough(name, inputs(1, 0), depth, network); // the same for every cosine
  const other = passedThrough(`${name},${cosine}`, inputs(cosine, sine), depth, network);
  return Array.from({ length: PAIRS }, (_, p) =>
    Array.from({ length: depth + 1 }, (_, l) => {
      const [u, v] = [one[l][p], other[l][p]];
      return scalar(u.row, v.row) / (u.length * v.length); // NaN where one of them is 0
    }));
}

// Each row relative to its largest number, and how long that is: squares of tiny ones would be 0.
function relative(rows) {
  return Array.from({ length: PAIRS }, (_, p) => {
    const row = rows.slice(p * WIDTH, (p + 1) * WIDTH);
    let largest = 0;
    for (let k = 0; k < WIDTH; k++) largest = Math.max(largest, Math.abs(row[k]));
    for (let k = 0; k < WIDTH; k++) row[k] /= largest;
    return { row, length: Math.sqrt(scalar(row, row)) };
  });
}
