// Examples: x (count, inputs) as one flat array, labels from 0 to classes - 1.

import { stream } from "./random.js";

const POINTS = 200;
const { sin, cos, PI, sqrt } = Math;

// Pictures of 8 x 8 pixels, each 0 to 16, written as one letter of base 17. `stored` is what
// course/site/playground.py puts into the page: pictures, labels, and the mean and sd of pixels.
export function digits(stored) {
  const pixels = Float64Array.from(stored.pictures, (letter) => parseInt(letter, 17) / 16);
  return {
    name: "digits",
    inputs: 64,
    classes: 10,
    x: Float32Array.from(pixels, (pixel) => (pixel - stored.mean) / stored.sd),
    labels: Array.from(stored.labels, Number),
  };
}

// Points in the plane, from -1 to 1 in both directions, in two classes: half of them each.
const SHAPES = {
  circles(side, random) {
    const radius = (side ? 0.75 : 0.3) + 0.07 * random.normal();
    const angle = 2 * PI * random.uniform();
    return [radius * cos(angle), radius * sin(angle)];
  },
  spiral(side, random) {
    const along = sqrt(random.uniform());
    const angle = 2.5 * PI * along + side * PI;
    const near = () => 0.02 * random.normal();
    return [0.9 * along * sin(angle) + near(), 0.9 * along * cos(angle) + near()];
  },
  xor(side, random) {
    const [a, b] = [random.uniform(), random.uniform()].map((u) => 0.08 + 0.85 * u);
    const flip = random.uniform() < 0.5 ? -1 : 1;
    return [flip * a, flip * b * (side ? -1 : 1)];
  },
};

function plane(name) {
  const random = stream(0, name);
  const labels = Array.from({ length: POINTS }, (_, k) => k % 2);
  const points = labels.map((side) => SHAPES[name](side, random));
  // Twice as wide: each coordinate then has a variance near 1, as networks expect.
  const x = Float32Array.from(points.flat(), (number) => 2 * number);
  return { name, inputs: 2, classes: 2, x, labels };
}

export function examples(name, stored) {
  return name === "digits" ? digits(stored) : plane(name);
}

// Some of the examples: x and labels at these places.
export function pick({ x, labels, inputs }, places) {
  const rows = new Float32Array(places.length * inputs);
  places.forEach((place, k) => {
    rows.set(x.subarray(place * inputs, (place + 1) * inputs), k * inputs);
  });
  return { x: rows, labels: places.map((place) => labels[place]) };
}
