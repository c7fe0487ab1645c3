// Sizes of a signal and of its gradient by layer and weight scale: mean_field.py, in the page.
// A profile is {forward, backward}: root mean squares at layers 0 ... L.

import { Kept, meanSquare, scaleBy, turned } from "../../live/js/matrices.js";
import { stream } from "../../live/js/streams.js";
import { UNITS } from "../../live/js/units.js";
import { gaussianMeans } from "./gaussian.js";

const INPUTS = 8;
export const HOMOGENEOUS = ["identity", "relu"]; // f(c z) = c f(z) for c > 0: one scale tells all

function rootMeanSquare(values) {
  let largest = 0;
  for (let k = 0; k < values.length; k++) largest = Math.max(largest, Math.abs(values[k]));
  if (largest === 0) return 0;
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += (values[k] / largest) ** 2; // else tiny ones are lost
  return largest * Math.sqrt(sum / values.length);
}

// The inputs, the gradients at the end and the matrices, {back, forth}, of one draw, kept in `rows`.
const DRAWS = new Map();
function draws(width, seed, depth) {
  const name = `${width} ${seed}`;
  if (!DRAWS.has(name)) {
    if (DRAWS.size > 3) DRAWS.clear();
    const next = stream(seed, "inputs and gradients");
    const [x, last] = [next(INPUTS * width), next(INPUTS * width)];
    for (const rows of [x, last]) scaleBy(rows, 1 / Math.sqrt(meanSquare(rows)));
    DRAWS.set(name, { x, last, rows: new Kept(), matrices: [] });
  }
  const drawn = DRAWS.get(name);
  while (drawn.matrices.length < depth) {
    const gaussian = stream(seed, `layer ${drawn.matrices.length + 1}`)(width * width);
    const back = scaleBy(gaussian, 1 / Math.sqrt(width));
    const [up, down] = [back, turned(back, width)].map((matrix) => drawn.rows.keep(matrix, width));
    drawn.matrices.push({ back: up, forth: down });
  }
  return drawn;
}

// The layers of a network that has been gone through at one scale: the deeper it is asked for, the
// further. Of the last few, for a shallower one is the beginning of it.
const PASSED = new Map();
function forwardPass(activation, scale, width, seed, depth) {
  const name = [activation, scale, width, seed].join();
  if (!PASSED.has(name)) {
    if (PASSED.size > 64) PASSED.clear();
    PASSED.set(name, { sizes: [1], slopes: [] });
  }
  const pass = PASSED.get(name);
  const { x, rows, matrices } = draws(width, seed, depth);
  pass.outputs ??= x;
  while (pass.slopes.length < depth) {
    const z = rows.products(pass.outputs, matrices[pass.slopes.length].forth, new Float64Array(x.length));
    scaleBy(z, scale);
    const slopes = new Float64Array(z.length);
    UNITS[activation].apply(z, z, slopes);
    pass.outputs = z;
    pass.slopes.push(slopes);
    pass.sizes.push(rootMeanSquare(z));
  }
  return pass;
}

function passBoth(activation, scale, depth, width, seed) {
  const { sizes, slopes } = forwardPass(activation, scale, width, seed, depth);
  const { last, rows, matrices } = draws(width, seed, depth);
  const backward = [1];
  let back = last;
  for (let l = depth - 1; l >= 0; l--) {
    const [through, slope] = [back.slice(), slopes[l]];
    for (let k = 0; k < through.length; k++) through[k] *= scale * slope[k];
    back = rows.products(through, matrices[l].back, new Float64Array(last.length));
    backward.unshift(rootMeanSquare(back));
  }
  return { forward: sizes.slice(0, depth + 1), backward };
}

// The profile at each of the scales, measured in one network.
export function measuredSizes(activation, scales, depth, width, seed) {
  if (!HOMOGENEOUS.includes(activation)) {
    return scales.map((scale) => passBoth(activation, scale, depth, width, seed));
  }
  const { forward, backward } = passBoth(activation, 1, depth, width, seed);
  return scales.map((scale) => ({
    forward: forward.map((size, l) => size * scale ** l),
    backward: backward.map((size, l) => size * scale ** (depth - l)),
  }));
}

// The profile at each of the scales, in infinite width.
const EXPECTED = new Map(); // by activation and scale
export function expectedSizes(activation, scales, depth) {
  return scales.map((scale) => {
    const name = `${activation} ${scale}`;
    if (EXPECTED.size > 300) EXPECTED.clear();
    if (!EXPECTED.has(name)) EXPECTED.set(name, { forward: [1], factors: [] });
    const { forward, factors } = EXPECTED.get(name);
    while (factors.length < depth) {
      const [size, slope] = gaussianMeans(activation, scale > 0 ? scale * forward.at(-1) : 0);
      forward.push(size);
      factors.push(scale * slope);
    }
    const backward = [1];
    for (let l = depth - 1; l >= 0; l--) backward.unshift(backward[0] * factors[l]);
    return { forward: forward.slice(0, depth + 1), backward };
  });
}
