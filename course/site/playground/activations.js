// The nonlinearities by name: value(x), and slope(x, y), the derivative where y = value(x).
// At a kink the slope is what torch takes: that of the left side.

const SELU_SCALE = 1.0507009873554805; // Klambauer et al. (2017)
const SELU_ALPHA = 1.6732632423543772;

export const ACTIVATIONS = {
  identity: { value: (x) => x, slope: () => 1 },
  sigmoid: { value: (x) => 1 / (1 + Math.exp(-x)), slope: (x, y) => y * (1 - y) },
  tanh: { value: Math.tanh, slope: (x, y) => 1 - y * y },
  relu: { value: (x) => (x <= 0 ? 0 : x), slope: (x) => (x > 0 ? 1 : 0) }, // NaN stays NaN
  "leaky-relu": { value: (x) => (x > 0 ? x : 0.01 * x), slope: (x) => (x > 0 ? 1 : 0.01) },
  gelu: {
    value: (x) => (x === -Infinity ? 0 : x * normalBelow(x)),
    slope: (x) => normalBelow(x) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  },
  selu: {
    value: (x) => SELU_SCALE * (x > 0 ? x : SELU_ALPHA * Math.expm1(x)),
    slope: (x) => SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * Math.exp(x)),
  },
};

// The probability that a standard normal number is below x:
// 1/2 + density(x) (x + x^3 / 3 + x^5 / (3 * 5) + ...), Marsaglia (2004). All terms have one sign.
function normalBelow(x) {
  if (Math.abs(x) > 9) return x > 0 ? 1 : 0;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}
