// A run: the same network from several seeds, each on batches in an order of its own.

import { pick } from "./data.js";
import { effectiveRank, gradientLength, principal, size } from "./measures.js";
import { Network, crossEntropy } from "./network.js";
import { OPTIMIZERS } from "./optimizers.js";
import { stream } from "./random.js";

const PROBE = 100; // examples on which layers are measured: always the same
const KEPT = 1000; // losses that a curve keeps at most

export class Run {
  // settings: those of `Network`, and rate, batch, optimizer, seeds. Rate and batch may be changed
  // while it runs, and optimizer by `restartOptimizer`.
  constructor(settings, data) {
    const { inputs, classes } = data;
    this.settings = { ...settings };
    this.data = data;
    this.steps = 0;
    this.probe = pick(data, Array.from({ length: PROBE }, (_, k) => k));
    this.members = Array.from({ length: settings.seeds }, (_, seed) => {
      const network = new Network({ ...settings, inputs, outputs: classes }, seed);
      return { network, order: [], random: stream(seed, "batches"), losses: new Curve() };
    });
    this.restartOptimizer();
    this.measures = this.members.map((member) => this.measure(member));
  }

  restartOptimizer() {
    for (const member of this.members) member.optimize = OPTIMIZERS[this.settings.optimizer]();
  }

  // One step of every seed. Every few steps the layers of one seed are measured, in turn, if anyone
  // looks: all at once would make the picture jerk.
  step(measuring = true) {
    for (const member of this.members) {
      const { network, losses } = member;
      const { x, labels } = pick(this.data, this.batch(member));
      const answers = network.forward(x, labels.length);
      const { loss, gradient } = crossEntropy(answers, labels, this.data.classes);
      network.backward(gradient);
      member.optimize(network.parameters.values, network.parameters.gradients, this.settings.rate);
      losses.add(loss);
    }
    this.steps += 1;
    if (!measuring || this.steps % 5 !== 0) return false;
    const turn = (this.steps / 5) % this.members.length;
    this.measures[turn] = this.measure(this.members[turn]);
    return true;
  }

  // The places of the next batch: all examples once in random order, then again in another one.
  batch(member) {
    const wanted = Math.min(this.settings.batch, this.data.labels.length);
    if (member.order.length < wanted) {
      member.order = member.random.permutation(this.data.labels.length);
    }
    return member.order.splice(0, wanted);
  }

  // One pass over the probe: size, gradient and rank of each layer but the output.
  measure({ network }) {
    const { x, labels } = this.probe;
    const answers = network.forward(x, PROBE);
    const { loss, gradient, right } = crossEntropy(answers, labels, this.data.classes);
    network.backward(gradient);
    const signals = network.signals.slice(0, -1);
    return {
      loss,
      right,
      sizes: signals.map(size),
      gradients: network.slopes.slice(0, -1).map((slopes) => gradientLength(slopes, PROBE)),
      ranks: signals.map((signal) => effectiveRank(signal, PROBE)),
    };
  }

  measureAll() {
    this.measures = this.members.map((member) => this.measure(member));
  }

  // What the last layer of the first seed makes of the probe: points in two directions.
  lastLayer(axes) {
    const { network } = this.members[0];
    network.forward(this.probe.x, PROBE);
    return principal(network.signals.at(-2), PROBE, axes);
  }

  // The probability of class 1 on a grid of side x side points of the plane, row by row from the
  // top, with the batch norm of the probe.
  decisions(side, reach) {
    const { network } = this.members[0];
    const at = (k) => (reach * (2 * k + 1 - side)) / side;
    const x = new Float32Array(2 * side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        x.set([at(column), -at(row)], 2 * (row * side + column));
      }
    }
    network.forward(this.probe.x, PROBE);
    const answers = network.forward(x, side * side, true);
    return Float64Array.from({ length: side * side }, (_, k) => {
      return 1 / (1 + Math.exp(answers[2 * k] - answers[2 * k + 1]));
    });
  }

  // Whether every seed has left the numbers.
  get lost() {
    return this.members.every(({ losses }) => losses.count > 0 && !Number.isFinite(losses.last));
  }
}

// Losses step by step. When there are too many every other one goes, so old runs stay whole.
export class Curve {
  constructor() {
    Object.assign(this, { values: [], stride: 1, count: 0, recent: [] });
  }

  add(loss) {
    if (this.count % this.stride === 0) this.values.push(loss);
    this.count += 1;
    this.recent.push(loss);
    if (this.recent.length > 20) this.recent.shift();
    if (this.values.length > KEPT) {
      this.values = this.values.filter((_, k) => k % 2 === 0);
      this.stride *= 2;
    }
  }

  get last() {
    return this.recent.at(-1);
  }

  // Mean of the last 20 losses.
  get level() {
    return this.recent.reduce((a, b) => a + b, 0) / this.recent.length;
  }
}
