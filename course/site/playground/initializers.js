// Laws for the first weights. A law draws W (fanIn, fanOut), for y = x W + b, from a stream.
// Names and formulas are those of course/networks/initializers.py; every law is times a gain.

import { orthonormalize } from "./matrix.js";

const normal = (fanIn, fanOut, random, deviation) =>
  Float64Array.from({ length: fanIn * fanOut }, () => deviation * random.normal());

export const LAWS = {
  // Variance 1 / (3 fanIn): what torch.nn.Linear does, too small to keep a signal.
  torch_default: (fanIn, fanOut, random) =>
    Float64Array.from({ length: fanIn * fanOut }, () => within(1 / Math.sqrt(fanIn), random)),
  // Variance 1 / fanIn: a linear layer keeps the size of its signal (LeCun et al. 1998).
  lecun_normal: (fanIn, fanOut, random) => normal(fanIn, fanOut, random, 1 / Math.sqrt(fanIn)),
  // Between keeping signals and keeping gradients (Glorot and Bengio 2010).
  glorot_normal: (fanIn, fanOut, random) =>
    normal(fanIn, fanOut, random, Math.sqrt(2 / (fanIn + fanOut))),
  // Twice LeCun's variance makes up for the half that ReLU cuts away (He et al. 2015).
  he_normal: (fanIn, fanOut, random) => normal(fanIn, fanOut, random, Math.sqrt(2 / fanIn)),
  // All singular values 1: no direction is lost (Saxe et al. 2014).
  orthogonal(fanIn, fanOut, random) {
    const [long, short] = [Math.max(fanIn, fanOut), Math.min(fanIn, fanOut)];
    const q = orthonormalize(normal(long, short, random, 1), long, short);
    return fanIn >= fanOut ? q : transposed(q, long, short);
  },
  // [[V, -V], [-V, V]] with V orthogonal: under ReLU the network starts linear (Balduzzi et al.
  // 2017). The first layer is [U, -U], the last [[V], [-V]].
  "looks-linear": (fanIn, fanOut, random, place) =>
    mirrored(fanIn, fanOut, random, place !== "first", place !== "last"),
};

// The biases that belong to a law: torch's are drawn as its weights are, all others start at 0.
export function firstBias(law, fanIn, fanOut, random) {
  const bound = law === "torch_default" ? 1 / Math.sqrt(fanIn) : 0;
  return Float64Array.from({ length: fanOut }, () => within(bound, random));
}

function within(bound, random) {
  return bound * (2 * random.uniform() - 1);
}

function transposed(matrix, rows, columns) {
  return Float64Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / rows), at % rows];
    return matrix[j * columns + i];
  });
}

function mirrored(fanIn, fanOut, random, rows, columns) {
  const height = rows ? fanIn / 2 : fanIn;
  const width = columns ? fanOut / 2 : fanOut;
  const half = LAWS.orthogonal(height, width, random);
  return Float64Array.from({ length: fanIn * fanOut }, (_, at) => {
    const [i, j] = [Math.floor(at / fanOut), at % fanOut];
    const sign = i >= height !== j >= width ? -1 : 1;
    return sign * half[(i % height) * width + (j % width)];
  });
}
