// The angle of two inputs on its way through random tanh layers: angles.py, in the page.

import { scalarProducts, turned } from "../../live/js/matrices.js";
import { stream } from "../../live/js/streams.js";
import { gaussianMeans, normalPoints, pointsRoom } from "./gaussian.js";

const WIDTH = 200;
export const PAIRS = 5;

// E tanh(u) tanh(v) / E tanh(u)^2 for u, v ~ N(0, deviation^2) of the correlation `cosine`.
function correlation(deviation, cosine) {
  const size = Math.max(deviation, 1e-300);
  const rest = size * Math.sqrt((1 - cosine) * (1 + cosine));
  const { x: u, weights, count } = normalPoints(OUTER, 0, size, [-9, -3, 3, 9].map((turn) => turn * rest));
  const largest = Math.tanh(u[count - 1]);
  let [product, square] = [0, 0];
  for (let k = 0; k < count; k++) {
    if (!(u[k] > 0)) continue; // at -u there is the same
    const first = Math.tanh(u[k]) / largest;
    product += weights[k] * first * meanTanh(cosine * u[k], rest, largest);
    square += weights[k] * first * first;
  }
  return product / square;
}

const [OUTER, INNER] = [pointsRoom(), pointsRoom()];

// E tanh(v) / largest for v ~ N(mean, deviation^2)
function meanTanh(mean, deviation, largest) {
  const { x, weights, count } = normalPoints(INNER, mean, deviation);
  let sum = 0;
  for (let k = 0; k < count; k++) sum += weights[k] * (Math.tanh(x[k]) / largest);
  return sum;
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

// The cosines of each pair in one network: PAIRS rows of depth + 1.
let passed = { name: "" };
export function measuredAngles(sigmaW, sigmaB, cosine, depth, seed) {
  const { pairs, layers } = draws(seed, depth);
  const name = [sigmaW, sigmaB, cosine, seed].join();
  if (passed.name !== name) {
    const h = new Float64Array(2 * PAIRS * WIDTH);
    const sine = Math.sin(Math.acos(cosine));
    pairs.forEach(([first, other], p) => {
      for (let k = 0; k < WIDTH; k++) {
        h[p * WIDTH + k] = Math.sqrt(WIDTH) * first[k];
        h[(p + PAIRS) * WIDTH + k] = Math.sqrt(WIDTH) * (cosine * first[k] + sine * other[k]);
      }
    });
    passed = { name, h, cosines: [cosinesOf(h)] };
  }
  const factor = sigmaW / Math.sqrt(WIDTH);
  while (passed.cosines.length <= depth) {
    const { forth, bias } = layers[passed.cosines.length - 1];
    const z = scalarProducts(passed.h, forth, WIDTH);
    for (let k = 0; k < z.length; k++) z[k] = factor * z[k] + sigmaB * bias[k % WIDTH];
    passed.cosines.push(cosinesOf(z));
    for (let k = 0; k < z.length; k++) z[k] = Math.tanh(z[k]);
    passed.h = z;
  }
  return pairs.map((_, p) => passed.cosines.slice(0, depth + 1).map((layer) => layer[p]));
}

// Of row p and row p + PAIRS; NaN where one of them is 0.
function cosinesOf(rows) {
  return Array.from({ length: PAIRS }, (_, p) => {
    const [one, other] = [p, p + PAIRS].map((k) => relative(rows.subarray(k * WIDTH, (k + 1) * WIDTH)));
    return scalar(one, other) / (Math.sqrt(scalar(one, one)) * Math.sqrt(scalar(other, other)));
  });
}

// Relative to the largest: squares of tiny numbers would be 0.
function relative(row) {
  const fresh = row.slice();
  let largest = 0;
  for (let k = 0; k < row.length; k++) largest = Math.max(largest, Math.abs(row[k]));
  for (let k = 0; k < row.length; k++) fresh[k] /= largest;
  return fresh;
}
