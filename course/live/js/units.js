// Activations and their slopes, as networks/activations.py has them, for numbers z that go in.
// slope(z, value): f'(z), where value = f(z). flat: a unit that can saturate is saturated outside, as
// measures has it.

const same = (z) => z;

export const UNITS = {
  sigmoid: { value: (z) => 1 / (1 + Math.exp(-z)), slope: (_, value) => (1 - value) * value, flat: [-4.3565, 4.3565] },
  tanh: { value: Math.tanh, slope: (_, value) => 1 - value * value, flat: [-2.1783, 2.1783] },
  "hard-tanh": {
    value: (z) => Math.min(Math.max(z, -1), 1),
    slope: (z) => (z > -1 && z < 1 ? 1 : 0),
    flat: [-1, 1],
  },
  relu: { value: (z) => Math.max(z, 0), slope: (z) => (z > 0 ? 1 : 0) },
  identity: { value: same, slope: () => 1 },
};
