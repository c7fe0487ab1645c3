// A network: a first layer, `depth` equal blocks, and an output. Those of course/networks:
//
//   skip none       h <- act(norm(h W + b))              the output is h W + b
//   skip residual   h <- h + act(norm(h)) W + b          the output is act(norm(h)) W + b
//   skip scaled     h <- h + (act(norm(h)) W + b) / sqrt(depth)

import { LAWS, firstBias } from "./initializers.js";
import { Activation, Chain, Linear, Norm, Residual } from "./layers.js";
import { stream } from "./random.js";

// All parameters side by side in one array, so that an optimizer is a loop over numbers.
class Parameters {
  constructor(size, Numbers) {
    this.values = new Numbers(size);
    this.gradients = new Numbers(size);
    this.taken = 0;
  }

  // The next `size` numbers, as views: a change here is a change there.
  take(size) {
    const [from, to] = [this.taken, (this.taken += size)];
    return { value: this.values.subarray(from, to), gradient: this.gradients.subarray(from, to) };
  }
}

export class Network {
  // settings: inputs, outputs, depth, width, activation, init, gain, skip, norm.
  // Numbers: Float32Array, as networks are trained, or Float64Array, to compare exactly.
  constructor(settings, seed, Numbers = Float32Array) {
    this.settings = settings;
    const { inputs, outputs, depth, width } = settings;
    const norms = settings.norm === "none" ? 0 : 2 * width * (depth + 1);
    const size = (inputs + 1) * width + depth * (width + 1) * width + (width + 1) * outputs + norms;
    this.parameters = new Parameters(size, Numbers);
    this.linears = [];
    this.blocks = this.parts();
    this.norms = this.blocks.flatMap(({ layers }) => layers).filter(({ kind }) => kind === "norm");
    this.linears.forEach((linear, k) => this.begin(linear, k, seed));
  }

  parts() {
    const { inputs, outputs, depth, width, skip } = this.settings;
    const middle = Array.from({ length: depth }, () => [width, width]);
    if (skip === "none") {
      const blocks = [[inputs, width], ...middle].map((fans) => [this.linear(...fans), ...this.bend()]);
      return [...blocks, [this.linear(width, outputs)]].map((layers) => new Chain(layers));
    }
    const factor = skip === "scaled" ? 1 / Math.sqrt(depth) : 1;
    return [
      new Chain([this.linear(inputs, width)]),
      ...middle.map((fans) => new Residual([...this.bend(), this.linear(...fans)], factor)),
      new Chain([...this.bend(), this.linear(width, outputs)]),
    ];
  }

  linear(fanIn, fanOut) {
    this.linears.push(new Linear(fanIn, fanOut, this.parameters));
    return this.linears.at(-1);
  }

  bend() {
    const { activation, norm, width } = this.settings;
    const norms = norm === "none" ? [] : [new Norm(norm, width, this.parameters)];
    return [...norms, new Activation(activation)];
  }

  begin({ fanIn, fanOut, weight, bias }, k, seed) {
    const { init, gain, depth } = this.settings;
    const place = k === 0 ? "first" : k === depth + 1 ? "last" : "middle";
    const random = stream(seed, place === "last" ? "head" : `layer ${k}`);
    weight.value.set(LAWS[init](fanIn, fanOut, random, place).map((number) => gain * number));
    bias.value.set(firstBias(init, fanIn, fanOut, random));
  }

  // The outputs (count, outputs) for x (count, inputs); `signals` are those of the blocks.
  // frozen: batch norm takes the mean and variance that it met last.
  forward(x, count, frozen = false) {
    for (const norm of this.norms) norm.frozen = frozen && norm.over === "batch";
    this.signals = [];
    for (const block of this.blocks) {
      this.signals.push(block.forward(this.signals.at(-1) ?? x, count));
    }
    return this.signals.at(-1);
  }

  // Leaves the gradients of all parameters in `parameters.gradients`, and those of the blocks'
  // signals in `slopes`. g: of the outputs.
  backward(g) {
    this.slopes = [];
    for (let k = this.blocks.length - 1; k >= 0; k--) {
      this.slopes[k] = g;
      g = this.blocks[k].backward(g);
    }
  }
}

// The mean loss of answers (count, classes), its gradient, and the share that is right.
// Loss: minus the logarithm of the probability that softmax gives to the right class.
export function crossEntropy(answers, labels, classes) {
  const count = labels.length;
  const gradient = new answers.constructor(answers.length);
  let [loss, right] = [0, 0];
  for (let i = 0; i < count; i++) {
    const row = answers.subarray(i * classes, (i + 1) * classes);
    const most = row.reduce((a, b) => Math.max(a, b));
    let sum = 0;
    for (const answer of row) sum += Math.exp(answer - most);
    loss += (most + Math.log(sum) - row[labels[i]]) / count;
    right += row.indexOf(most) === labels[i] ? 1 / count : 0;
    for (let k = 0; k < classes; k++) {
      const share = Math.exp(row[k] - most) / sum;
      gradient[i * classes + k] = (share - (k === labels[i] ? 1 : 0)) / count;
    }
  }
  return { loss, gradient, right };
}
