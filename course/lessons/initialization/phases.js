// Order and chaos of tanh layers: the fixed point, chi, and the line between; see mean_field.py.

import { gaussianMeans } from "./gaussian.js";

// sqrt(q*), by bisection of the exponent.
function fixedDeviation(sigmaW, sigmaB) {
  if (sigmaB === 0 && sigmaW <= 1) return 0;
  const excess = (sigmaW - 1) * (sigmaW + 1);
  const root = Math.hypot(excess, Math.sqrt(8) * sigmaW * sigmaB);
  const small = excess > 0 ? Math.sqrt((excess + root) / 4) / sigmaW : sigmaB / Math.sqrt((root - excess) / 2);
  if (small < 1e-4) return small; // there rounding would decide
  let [low, high] = [Math.max(sigmaB, 1e-5), Math.hypot(sigmaW, sigmaB)];
  for (let step = 0; step < 64; step++) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    const after = Math.hypot(sigmaW * gaussianMeans("tanh", middle)[0], sigmaB);
    [low, high] = after > middle ? [middle, high] : [low, middle];
  }
  return high;
}

export function chi(sigmaW, sigmaB) {
  return (sigmaW * gaussianMeans("tanh", fixedDeviation(sigmaW, sigmaB))[1]) ** 2;
}

// [sigma_w, sigma_b] with chi = 1, for each deviation of what goes into the units.
export function criticalLine(deviations) {
  return deviations.map((deviation) => {
    const [size, slope] = gaussianMeans("tanh", deviation);
    const share = deviation > 0 ? size / slope / deviation : 1;
    return [1 / slope, share ** 2 < 1 - 1e-14 ? deviation * Math.sqrt(1 - share ** 2) : 0];
  });
}
