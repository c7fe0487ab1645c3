// The scalar chain in the page: the equations of science.py, and the chain run layer by layer.

import { wholeNear } from "../../live/js/numbers.js";

// A number to the nearest of a precision; beyond the largest it is infinite.
export const ROUND = { float16: half, float32: Math.fround, float64: (value) => value };

function half(value) {
  const size = Math.abs(value);
  if (!Number.isFinite(value) || size === 0) return value;
  let exponent = Math.floor(Math.log2(size));
  if (2 ** exponent > size) exponent -= 1;
  const unit = 2 ** (Math.max(exponent, -14) - 10);
  const rounded = wholeNear(size / unit) * unit;
  return Math.sign(value) * (rounded > 65504 ? Infinity : rounded);
}

// w^n, and 0 for n < 0.
const raised = (w, n) => (n < 0 ? 0 : w ** n);

// c w^n in four parts: a small c counts where w^n overflows.
function timesPower(c, w, n) {
  let product = c;
  for (let k = 0; k < 4; k++) product *= raised(w, Math.floor((n + k) / 4));
  return c === 0 ? 0 : product;
}

// S_n = 1 + w + ... + w^(n-1)
function geometricSum(w, n) {
  if (w === 0) return Math.min(n, 1);
  if (w === 1 || n < 2) return n;
  const small = Math.expm1(n * Math.log(Math.abs(w)));
  let excess = Math.abs(small) < 0.5 ? small : raised(Math.abs(w), n) - 1;
  if (w < 0 && n % 2 === 1) excess = -excess - 2;
  return Number.isFinite(excess) ? excess / (w - 1) + 0 : timesPower(w / (w - 1), w, n - 1);
}

// S'_n, its derivative with respect to w
function geometricSlope(w, n) {
  const h = w - 1;
  if (Math.abs(n * h) < 0.5 || n < 3) {
    let [series, term] = [0, (n * (n - 1)) / 2];
    for (let j = 1; j < 25; j++) {
      series += term;
      const next = Math.abs(n * h) < 0.5 ? term * h : 0;
      term = next * ((j + 1) / j) * ((n - j - 1) / (j + 2));
    }
    return series;
  }
  const ratio = (n * raised(w, n - 1) - geometricSum(w, n)) / h;
  return Number.isFinite(ratio) ? ratio : timesPower((n - w / h) / h, w, n - 1);
}

// c S_n for |w| > 1
function timesSum(c, w, n) {
  const total = geometricSum(w, n);
  return Number.isFinite(total) ? c * total : timesPower(c, w, n - 1) * (w / (w - 1));
}

function weightGradient(x, step, w, n) {
  const slope = geometricSlope(w, n);
  if (Number.isFinite(slope)) return timesSum(x, w, n) + step * slope;
  return timesPower(x * w + step * (n - w / (w - 1)), w, n - 2) * (w / (w - 1));
}

// (w - 1) x + b, rounded once: in whole numbers of 2^-64 and 2^-128, exact for all places of sliders.
function firstStep(w, b, x) {
  const whole = (value) => BigInt(Math.round(value * 2 ** 64));
  const one = 2n ** 64n;
  return Number((whole(w) - one) * whole(x) + whole(b) * one) / 2 ** 128;
}

// Activations from the equations; nothing is run. Each is rounded once.
export function closedForm({ weight: w, bias: b, x, depth, precision }) {
  const layers = Array.from({ length: depth + 1 }, (_, n) => n);
  const step = Math.abs(w) > 1 ? firstStep(w, b, x) : 0;
  const activation = (n) =>
    Math.abs(w) <= 1 ? timesPower(x, w, n) + b * geometricSum(w, n) : x + timesSum(step, w, n);
  const dWeight =
    Math.abs(w) <= 1
      ? depth * timesPower(x, w, depth - 1) + b * geometricSlope(w, depth)
      : weightGradient(x, step, w, depth);
  const round = ROUND[precision];
  return {
    activations: layers.map((n) => round(activation(n))),
    gradients: layers.map((n) => round(raised(w, depth - n))),
    dWeight: round(dWeight),
    dBias: round(geometricSum(w, depth)),
  };
}

// The chain as a network runs it: forward, then backward as autograd does. Every step is rounded.
export function measure({ weight: w, bias: b, x, depth, precision }) {
  const round = ROUND[precision];
  const activations = [x];
  for (let l = 1; l <= depth; l++) activations.push(round(round(w * activations[l - 1]) + b));
  const gradients = [1];
  let [dWeight, dBias] = [0, 0];
  for (let l = depth; l > 0; l--) {
    const [gradient] = gradients;
    dWeight = round(dWeight + round(gradient * activations[l - 1]));
    dBias = round(dBias + gradient);
    gradients.unshift(round(gradient * w));
  }
  return { activations, gradients, dWeight, dBias };
}
