// Means over a Gaussian, E g(z) for z ~ N(0, 1), where gaussian_means.py and angles.py have them by
// Gauss and Legendre's rule. Of smooth functions an even grid gives them to rounding: L. N. Trefethen
// and J. A. C. Weideman, "The exponentially convergent trapezoidal rule" (2014). Here that is tanh of
// deviation z, for deviations up to 4.

const STEP = 0.08;
export const Z = Float64Array.from({ length: 125 }, (_, k) => STEP * (k + 0.5)); // at -z there is the same
export const WEIGHTS = Z.map((z) => 2 * STEP * Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
const LARGEST = 1e300;

// [sqrt(E f(x)^2), sqrt(E f'(x)^2)] for x ~ N(0, deviation^2); the first is infinite from 1e299 on.
const MEANS = {
  identity: (deviation) => [held(deviation), 1],
  relu: (deviation) => [held(deviation) * Math.SQRT1_2, Math.SQRT1_2],
  tanh(deviation) {
    const largest = Math.tanh(deviation * Z.at(-1));
    if (!(largest > 1 / LARGEST)) return [0, 1];
    let [square, slope] = [0, 0];
    for (let k = 0; k < Z.length; k++) {
      const value = Math.tanh(deviation * Z[k]);
      const share = value / largest; // its square neither overflows nor underflows
      const steep = 1 - value * value;
      square += WEIGHTS[k] * share * share;
      slope += WEIGHTS[k] * steep * steep;
    }
    return [largest * Math.sqrt(square), Math.sqrt(slope)];
  },
};

const held = (deviation) => (deviation < LARGEST / 10 ? deviation : Infinity);

export const gaussianMeans = (activation, deviation) => MEANS[activation](deviation);
