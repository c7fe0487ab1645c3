// What one measures on the layers of a network, as course/measures does it.

import { eigenvalues, multiply } from "./matrix.js";

// Root mean square of all numbers: the size of a signal.
export function size(signal) {
  let sum = 0;
  for (let at = 0; at < signal.length; at++) sum += signal[at] * signal[at];
  return Math.sqrt(sum / signal.length);
}

// Root mean square over the examples of the length of their gradients. Each is that of the
// example's own loss: `count` times that of the mean.
export function gradientLength(slopes, count) {
  let sum = 0;
  for (let at = 0; at < slopes.length; at++) sum += slopes[at] * slopes[at];
  return Math.sqrt(sum * count);
}

// In how many directions the examples differ: exp(-sum p log p), p the shares of the singular
// values of the signal (count, units) less its mean, without those that may be rounding alone. From 1
// (all on a line) to the number of units; 0 where all examples look alike; NaN where a number is not
// finite. Roy and Vetterli (2007).
export function effectiveRank(signal, count) {
  const units = signal.length / count;
  const centred = centre(signal, count);
  if (centred === null) return NaN;
  const squares = eigenvalues(covariance(centred, count, units), units);
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  const least = Math.max(rounding(signal, count), 1e-7 * Math.sqrt(most));
  const singular = squares.map((square) => (square > least ** 2 ? Math.sqrt(square) : 0));
  if (most <= least ** 2) return 0;
  const sum = singular.reduce((a, b) => a + b, 0);
  let entropy = 0;
  for (const value of singular) if (value > 0) entropy -= (value / sum) * Math.log(value / sum);
  return Math.exp(entropy);
}

// How large singular values may be that are nothing but rounding, in units of the largest number.
function rounding(signal, count) {
  const epsilon = signal instanceof Float32Array ? 2 ** -23 : Number.EPSILON;
  return epsilon * (Math.sqrt(count) + Math.sqrt(signal.length / count));
}

// The signal over its largest number, less the mean of each unit; null if not finite.
function centre(signal, count) {
  const units = signal.length / count;
  let most = 0;
  for (let at = 0; at < signal.length; at++) most = Math.max(most, Math.abs(signal[at]));
  if (!Number.isFinite(most)) return null; // Math.max hands NaN on
  const centred = new Float64Array(signal.length);
  for (let j = 0; j < units; j++) {
    let sum = 0;
    for (let at = j; at < signal.length; at += units) sum += signal[at] / (most || 1);
    const mean = sum / count;
    for (let at = j; at < signal.length; at += units) centred[at] = signal[at] / (most || 1) - mean;
  }
  return centred;
}

function covariance(centred, count, units) {
  const matrix = new Float64Array(units * units);
  return multiply(matrix, centred, centred, units, count, units, { a: true });
}

// The examples of a signal (count, units) in the two directions in which they differ most: pairs.
// `start`: the directions of last time, so that a moving picture does not turn over. One point
// where no difference is more than rounding.
export function principal(signal, count, start) {
  const units = signal.length / count;
  const centred = centre(signal, count);
  if (centred === null) return null;
  const matrix = covariance(centred, count, units);
  let axes = start?.[0].length === units ? start : [unit(units, 0), unit(units, 1)];
  for (let round = 0; round < 30; round++) {
    const [first, second] = axes.map((axis) => times(matrix, axis, units));
    const one = direction(first, axes[0]);
    const along = dot(second, one);
    axes = [one, direction(second.map((number, k) => number - along * one[k]), axes[1])];
  }
  const most = Math.sqrt(dot(axes[0], times(matrix, axes[0], units)));
  const points = Array.from({ length: count }, (_, i) => {
    const row = centred.subarray(i * units, (i + 1) * units);
    return axes.map((axis) => (most > rounding(signal, count) ? dot(row, axis) : 0));
  });
  return { axes, points };
}

const unit = (n, k) => Float64Array.from({ length: n }, (_, at) => (at % 2 === k ? 1 : 0.1 / (at + 1)));
const dot = (a, b) => a.reduce((sum, number, k) => sum + number * b[k], 0);
const times = (matrix, axis, n) =>
  axis.map((_, i) => dot(matrix.subarray(i * n, (i + 1) * n), axis));

function direction(vector, otherwise) {
  const length = Math.sqrt(dot(vector, vector));
  return length > 1e-12 ? vector.map((number) => number / length) : otherwise;
}
