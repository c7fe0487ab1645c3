// Means over a Gaussian as gaussian_means.py takes them: Gauss and Legendre's rule on pieces.

const ORDER = 16;
const CUTS = [-10, -4, 0, 4, 10]; // ends of pieces in deviations from the mean
const BENDS = [-40, -8, -2, 0, 2, 8, 40]; // and in x itself
const SMALLEST = 1e-300;
const LARGEST = 1e300;
const [NODES, WEIGHTS] = legendre(ORDER);

// Nodes and weights from -1 to 1: the zeros of a Legendre polynomial, by Newton's method.
function legendre(order) {
  const rule = Array.from({ length: order }, (_, k) => {
    let x = -Math.cos((Math.PI * (k + 0.75)) / (order + 0.5));
    let slope = 1;
    for (let step = 0; step < 20; step++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= order; n++) [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      slope = (order * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    return [x, 2 / ((1 - x * x) * slope * slope)];
  });
  return [0, 1].map((part) => Float64Array.from(rule, (pair) => pair[part]));
}

// Room for points x and their weights, of which the first `count` hold.
export const pointsRoom = () => ({ count: 0, x: new Float64Array(300), weights: new Float64Array(300) });

// `room` with points: the sum of weights g(x) is E g(x) for x ~ N(mean, deviation^2), where g bends
// or turns at `kinks`.
export function normalPoints(room, mean, deviation, kinks = []) {
  const bends = [...BENDS, ...kinks].map((bend) => (bend - mean) / deviation || 0);
  const cuts = bends.map((z) => Math.min(Math.max(z, CUTS[0]), CUTS.at(-1)));
  const ends = Float64Array.from([...CUTS, ...cuts]).sort();
  const { x, weights } = room;
  let [count, total] = [0, 0];
  for (let k = 0; k + 1 < ends.length; k++) {
    const length = ends[k + 1] - ends[k];
    if (!(length > 0)) continue;
    for (let j = 0; j < ORDER; j++, count++) {
      const z = ends[k] + (length * (NODES[j] + 1)) / 2;
      x[count] = mean + deviation * z;
      weights[count] = length * WEIGHTS[j] * Math.exp((-z * z) / 2);
      total += weights[count];
    }
  }
  for (let k = 0; k < count; k++) weights[k] /= total;
  room.count = count;
  return room;
}

const ROOM = pointsRoom();

// [sqrt(E f(x)^2), sqrt(E f'(x)^2)] for x ~ N(0, deviation^2); the first is infinite from 1e299 on.
const MEANS = {
  identity: (deviation) => [held(deviation), 1],
  relu: (deviation) => [held(deviation) * Math.SQRT1_2, Math.SQRT1_2],
  tanh(deviation) {
    if (!(deviation > SMALLEST)) return [0, 1];
    const { x, weights, count } = normalPoints(ROOM, 0, Math.min(deviation, LARGEST));
    const largest = Math.tanh(x[count - 1]);
    let [square, slope] = [0, 0];
    for (let k = 0; k < count; k++) {
      const value = Math.tanh(x[k]);
      square += weights[k] * (value / largest) ** 2; // it neither overflows nor underflows
      slope += weights[k] * (1 - value * value) ** 2;
    }
    return [largest * Math.sqrt(square), Math.sqrt(slope)];
  },
};

const held = (deviation) => (deviation < LARGEST / 10 ? deviation : Infinity);

export const gaussianMeans = (activation, deviation) => MEANS[activation](deviation);
