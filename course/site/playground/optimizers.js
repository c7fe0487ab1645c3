// How a step is made from a gradient, number by number; the rules of torch.optim.

export const OPTIMIZERS = {
  // w <- w - rate g
  sgd: () => (values, gradients, rate) => {
    for (let at = 0; at < values.length; at++) values[at] -= rate * gradients[at];
  },

  // v <- 0.9 v + g,  w <- w - rate v: a ball that keeps rolling
  momentum() {
    let velocity = null;
    return (values, gradients, rate) => {
      velocity ??= values.map(() => 0);
      for (let at = 0; at < values.length; at++) {
        velocity[at] = 0.9 * velocity[at] + gradients[at];
        values[at] -= rate * velocity[at];
      }
    };
  },

  // Each weight by its own measure: the mean gradient over its usual size (Kingma and Ba 2015).
  adam() {
    let [mean, square, steps] = [null, null, 0];
    return (values, gradients, rate) => {
      mean ??= values.map(() => 0);
      square ??= values.map(() => 0);
      steps += 1;
      const [first, second] = [1 - 0.9 ** steps, 1 - 0.999 ** steps];
      for (let at = 0; at < values.length; at++) {
        const g = gradients[at];
        mean[at] += 0.1 * (g - mean[at]);
        square[at] = 0.999 * square[at] + 0.001 * g * g;
        values[at] -= ((rate / first) * mean[at]) / (Math.sqrt(square[at] / second) + 1e-8);
      }
    };
  },
};
