// Layers: forward(x, count) of `count` examples, and backward(g): what each number of the layer's
// output does to the loss comes in, the same for its input goes out, and the gradients of its
// parameters are left in `gradient`. Arrays are flat, example after example, and used again.

import { ACTIVATIONS } from "./activations.js";
import { multiply } from "./matrix.js";

const EPSILON = 1e-5; // in norms, as in torch

const sized = (old, size, like) => (old?.length === size ? old : new like.constructor(size));

// y = x W + b. W (fanIn, fanOut), b (fanOut).
export class Linear {
  constructor(fanIn, fanOut, parameters) {
    Object.assign(this, { fanIn, fanOut, kind: "linear" });
    this.weight = parameters.take(fanIn * fanOut);
    this.bias = parameters.take(fanOut);
  }

  forward(x, count) {
    const { fanIn, fanOut, weight, bias } = this;
    Object.assign(this, { x, count });
    this.y = multiply(sized(this.y, count * fanOut, x), x, weight.value, count, fanIn, fanOut);
    for (let at = 0; at < this.y.length; ) {
      for (let k = 0; k < fanOut; k++) this.y[at++] += bias.value[k];
    }
    return this.y;
  }

  backward(g) {
    const { fanIn, fanOut, weight, bias, x, count } = this;
    multiply(weight.gradient, x, g, fanIn, count, fanOut, { a: true });
    bias.gradient.fill(0);
    for (let at = 0; at < g.length; ) {
      for (let k = 0; k < fanOut; k++) bias.gradient[k] += g[at++];
    }
    this.g = sized(this.g, count * fanIn, g);
    return multiply(this.g, g, weight.value, count, fanOut, fanIn, { b: true });
  }
}

// y = f(x), number by number.
export class Activation {
  constructor(name) {
    this.kind = "activation";
    this.function = ACTIVATIONS[name];
  }

  forward(x) {
    const { value } = this.function;
    this.x = x;
    this.y = sized(this.y, x.length, x);
    for (let at = 0; at < x.length; at++) this.y[at] = value(x[at]);
    return this.y;
  }

  backward(g) {
    const { x, y } = this;
    const { slope } = this.function;
    this.g = sized(this.g, g.length, g);
    for (let at = 0; at < g.length; at++) this.g[at] = g[at] * slope(x[at], y[at]);
    return this.g;
  }
}

// y = scale (x - mean) / sqrt(variance + epsilon) + shift.
// "batch": mean and variance of a unit over the examples (Ioffe and Szegedy 2015);
// "layer": of an example over its units (Ba, Kiros and Hinton 2016).
export class Norm {
  constructor(over, width, parameters) {
    Object.assign(this, { over, width, kind: "norm", frozen: false });
    this.scale = parameters.take(width);
    this.scale.value.fill(1);
    this.shift = parameters.take(width);
  }

  // The groups of numbers that share a mean: how many, how many numbers in each, and their places.
  groups(count) {
    return this.over === "batch"
      ? { groups: this.width, size: count, start: 1, step: this.width }
      : { groups: count, size: this.width, start: this.width, step: 1 };
  }

  forward(x, count) {
    const { width, scale, shift } = this;
    const { groups, size, start, step } = this.groups(count);
    this.count = count;
    this.y = sized(this.y, x.length, x);
    this.normal = sized(this.normal, x.length, x);
    if (!this.frozen) this.statistics(x, groups, size, start, step);
    for (let group = 0; group < groups; group++) {
      for (let k = 0, at = group * start; k < size; k++, at += step) {
        this.normal[at] = (x[at] - this.mean[group]) * this.factor[group];
        this.y[at] = scale.value[at % width] * this.normal[at] + shift.value[at % width];
      }
    }
    return this.y;
  }

  statistics(x, groups, size, start, step) {
    this.mean = sized(this.mean, groups, x);
    this.factor = sized(this.factor, groups, x);
    for (let group = 0; group < groups; group++) {
      let [sum, squares] = [0, 0];
      for (let k = 0, at = group * start; k < size; k++, at += step) sum += x[at];
      const mean = sum / size;
      for (let k = 0, at = group * start; k < size; k++, at += step) squares += (x[at] - mean) ** 2;
      this.mean[group] = mean;
      this.factor[group] = 1 / Math.sqrt(squares / size + EPSILON);
    }
  }

  backward(g) {
    const { width, scale, shift, normal, factor } = this;
    const { groups, size, start, step } = this.groups(this.count);
    this.g = sized(this.g, g.length, g);
    scale.gradient.fill(0);
    shift.gradient.fill(0);
    for (let at = 0; at < g.length; ) {
      for (let k = 0; k < width; k++, at++) {
        scale.gradient[k] += g[at] * normal[at];
        shift.gradient[k] += g[at];
      }
    }
    for (let group = 0; group < groups; group++) {
      let [sum, along] = [0, 0]; // of g, and of g along the normalized signal: norms take both out
      for (let k = 0, at = group * start; k < size; k++, at += step) {
        const slope = g[at] * scale.value[at % width];
        sum += slope;
        along += slope * normal[at];
      }
      for (let k = 0, at = group * start; k < size; k++, at += step) {
        const slope = g[at] * scale.value[at % width];
        this.g[at] = factor[group] * (slope - sum / size - (normal[at] * along) / size);
      }
    }
    return this.g;
  }
}

// Several layers, one after another.
export class Chain {
  constructor(layers) {
    this.layers = layers;
  }

  forward(x, count) {
    return this.layers.reduce((signal, layer) => layer.forward(signal, count), x);
  }

  backward(g) {
    return this.layers.reduceRight((gradient, layer) => layer.backward(gradient), g);
  }
}

// y = x + factor F(x): the signal passes, and F adds to it (He, Zhang, Ren and Sun 2016).
export class Residual extends Chain {
  constructor(layers, factor) {
    super(layers);
    this.factor = factor;
  }

  forward(x, count) {
    const branch = super.forward(x, count);
    this.y = sized(this.y, x.length, x);
    for (let at = 0; at < x.length; at++) this.y[at] = x[at] + this.factor * branch[at];
    return this.y;
  }

  backward(g) {
    this.scaled = sized(this.scaled, g.length, g);
    for (let at = 0; at < g.length; at++) this.scaled[at] = this.factor * g[at];
    const branch = super.backward(this.scaled);
    this.sum = sized(this.sum, g.length, g);
    for (let at = 0; at < g.length; at++) this.sum[at] = g[at] + branch[at];
    return this.sum;
  }
}
