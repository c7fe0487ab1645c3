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

// What is known of PAIRS inputs that pass through a network, for a deeper one, and for another input:
// h, what comes out of the last layer so far, and of the inputs and each z, `layers` of them, the
// numbers, and what `rowsOf` says of them. The memory of those passed longest ago is taken again.
const MOST = 100; // layers
const PASSES = Array.from({ length: 8 }, () => ({ name: "" }));
function begun(name, start) {
  const known = PASSES.findIndex((pass) => pass.name === name);
  const [pass] = PASSES.splice(known < 0 ? 0 : known, 1);
  PASSES.push(pass);
  if (known < 0) {
    pass.h ??= new Float64Array(NUMBERS);
    pass.numbers ??= new Float64Array((MOST + 1) * NUMBERS);
    Object.assign(pass, { name, layers: 1, rows: [] });
    start(pass.h);
    pass.numbers.set(pass.h);
    pass.rows.push(rowsOf(pass.numbers.subarray(0, NUMBERS)));
  }
  return pass;
}

// Bring each of the passes to so many layers at least; those that have come as far, together.
const ROOM = { inputs: new Float64Array(2 * NUMBERS), products: new Float64Array(2 * NUMBERS) };
function goOn(passes, depth, { sigmaW, sigmaB, layers }) {
  const factor = sigmaW / Math.sqrt(WIDTH);
  for (;;) {
    const l = Math.min(...passes.map((pass) => pass.layers));
    if (l > depth) return;
    const { forth, bias } = layers[l - 1];
    const behind = passes.filter((pass) => pass.layers === l);
    behind.forEach(({ h }, p) => ROOM.inputs.set(h, p * NUMBERS));
    const count = behind.length * NUMBERS;
    const z = KEPT.products(ROOM.inputs.subarray(0, count), forth, ROOM.products.subarray(0, count));
    behind.forEach((pass, p) => {
      const { h } = pass;
      const own = pass.numbers.subarray(l * NUMBERS, (l + 1) * NUMBERS);
      for (let row = 0; row < NUMBERS; row += WIDTH) {
        for (let k = row; k < row + WIDTH; k++) {
          own[k] = factor * z[p * NUMBERS + k] + sigmaB * bias[k - row];
        }
      }
      for (let k = 0; k < NUMBERS; k++) h[k] = tanh(own[k]);
      pass.rows.push(rowsOf(own));
      pass.layers++;
    });
  }
}

// The cosines of each pair in one network: PAIRS rows of depth + 1.
export function measuredAngles(sigmaW, sigmaB, cosine, depth, seed) {
  const network = { sigmaW, sigmaB, ...draws(seed, depth) };
  const sine = Math.sin(Math.acos(cosine));
  const inputs = (first, second) => (h) => {
    network.pairs.forEach(([one, other], p) => {
      for (let k = 0; k < WIDTH; k++) h[p * WIDTH + k] = Math.sqrt(WIDTH) * (first * one[k] + second * other[k]);
    });
  };
  const name = [sigmaW, sigmaB, seed].join();
  const one = begun(name, inputs(1, 0)); // the same for every cosine
  const other = begun(`${name},${cosine}`, inputs(cosine, sine));
  goOn([one, other], depth, network);
  return Array.from({ length: PAIRS }, (_, p) =>
    Array.from({ length: depth + 1 }, (_, l) => cosineOf(one.rows[l][p], other.rows[l][p])));
}

// {row, by, length} of each input: its numbers, how long they are, and what both are to be multiplied
// by: squares of tiny numbers would be 0.
function rowsOf(numbers) {
  const rows = [];
  for (let start = 0; start < NUMBERS; start += WIDTH) {
    const row = numbers.subarray(start, start + WIDTH);
    const square = scalar(row, row);
    const by = square < 1e-250 ? 2 ** 600 : 1;
    rows.push({ row, by, length: by === 1 ? Math.sqrt(square) : lengthOf(row, by) });
  }
  return rows;
}

const lengthOf = (row, by) => Math.sqrt(row.reduce((sum, value) => sum + (by * value) ** 2, 0));

// NaN where one of them is 0.
function cosineOf(u, v) {
  if (u.by === 1 && v.by === 1) return scalar(u.row, v.row) / (u.length * v.length);
  let sum = 0;
  for (let k = 0; k < WIDTH; k++) sum += u.by * u.row[k] * (v.by * v.row[k]);
  return sum / (u.length * v.length);
}
