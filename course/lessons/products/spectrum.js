// Singular values of products of random matrices in the page: science.py, and product_svd.py.
// A matrix n x n is a Float64Array: a factor by rows, a basis by columns.

import { normals } from "../../live/js/streams.js";

export const WIDTH = 32;
const N = WIDTH;
const KINDS = {
  Gaussian: (gaussian) => gaussian.map((value) => value / Math.sqrt(N)),
  orthogonal: (gaussian) => transposed(orthonormal(transposed(gaussian)).q),
};

// {q, r}: columns as orthonormal ones times a triangle (by rows) with a positive diagonal.
function orthonormal(columns) {
  const q = columns.slice();
  const r = new Float64Array(N * N);
  for (let j = 0; j < N; j++) {
    const length = Math.sqrt(dot(q, j, q, j));
    r[j * N + j] = length;
    for (let i = 0; i < N; i++) q[j * N + i] /= length;
    for (let k = j + 1; k < N; k++) {
      const share = dot(q, j, q, k);
      r[j * N + k] = share;
      for (let i = 0; i < N; i++) q[k * N + i] -= share * q[j * N + i];
    }
  }
  return { q, r };
}

// The scalar product of line j of a and line k of b.
function dot(a, j, b, k) {
  let sum = 0;
  for (let i = 0; i < N; i++) sum += a[j * N + i] * b[k * N + i];
  return sum;
}

// factor times columns
function applied(factor, columns) {
  const image = new Float64Array(N * N);
  for (let j = 0; j < N; j++) for (let i = 0; i < N; i++) image[j * N + i] = dot(factor, i, columns, j);
  return image;
}

function transposed(a) {
  const b = new Float64Array(N * N);
  for (let i = 0; i < N; i++) for (let j = 0; j < N; j++) b[j * N + i] = a[i * N + j];
  return b;
}

// The factors of one draw, and for each the directions in the order of their singular values that
// the product up to it has. A longer product begins with the shorter one.
const START = orthonormal(normals(0, "start", N * N)).q;
const DRAWN = new Map();
function drawn(kind, seed, depth) {
  const name = `${kind} ${seed}`;
  if (DRAWN.size > 30) DRAWN.clear();
  if (!DRAWN.has(name)) DRAWN.set(name, { factors: [], bases: [START] });
  const { factors, bases } = DRAWN.get(name);
  while (factors.length < depth) {
    const gaussian = normals(seed, `factor ${factors.length}`, N * N);
    const factor = KINDS[kind](gaussian);
    factors.push(factor);
    bases.push(orthonormal(applied(transposed(factor), bases.at(-1))).q);
  }
  return { factors: factors.slice(0, depth), basis: bases[depth] };
}

// log10 of the singular values of the product of `depth` factors, largest first.
export function spectrum(kind, depth, seed) {
  let { factors, basis } = drawn(kind, seed, depth);
  let rows = Float64Array.from({ length: N * N }, (_, at) => Number(at % (N + 1) === 0));
  let powers = new Float64Array(N);
  for (const factor of factors.reverse()) {
    const { q, r } = orthonormal(applied(factor, basis));
    basis = q;
    [rows, powers] = scaled(r, rows, powers);
  }
  return jacobi(rows, powers).map((log2) => log2 * Math.log10(2));
}

// r times the rows 2^power row, as new rows of moderate numbers and their powers of two.
function scaled(r, rows, powers) {
  const fresh = new Float64Array(N * N);
  const sizes = new Float64Array(N);
  for (let i = 0; i < N; i++) {
    let shift = -Infinity;
    for (let j = i; j < N; j++) {
      if (r[i * N + j]) shift = Math.max(shift, powers[j] + Math.ceil(Math.log2(Math.abs(r[i * N + j]))));
    }
    for (let j = i; j < N; j++) {
      const weight = r[i * N + j] * 2 ** (powers[j] - shift);
      if (Math.abs(weight) < 1e-21) continue; // lost in rounding
      for (let k = 0; k < N; k++) fresh[i * N + k] += weight * rows[j * N + k];
    }
    let most = 0;
    for (let k = 0; k < N; k++) most = Math.max(most, Math.abs(fresh[i * N + k]));
    const excess = Math.ceil(Math.log2(most));
    for (let k = 0; k < N; k++) fresh[i * N + k] *= 2 ** -excess;
    sizes[i] = shift + excess;
  }
  return [fresh, sizes];
}

// log2 of the singular values of the matrix of rows 2^power row: pairs are rotated until all are
// orthogonal, and only the ratio of their lengths is ever needed. Hestenes (1958).
function jacobi(rows, powers) {
  const items = Array.from(powers, (power, i) => {
    const length = Math.sqrt(dot(rows, i, rows, i));
    const unit = rows.slice(i * N, (i + 1) * N).map((value) => value / length);
    return { unit, power, fine: Math.log2(length) };
  });
  for (let sweep = 0; sweep < 40; sweep++) {
    items.sort((a, b) => b.power + b.fine - (a.power + a.fine));
    let worst = 0;
    for (let i = 0; i < N; i++) {
      for (let j = i + 1; j < N; j++) worst = Math.max(worst, rotated(items[i], items[j]));
    }
    if (worst <= 4 * Number.EPSILON * Math.sqrt(N)) break;
  }
  return items.map(({ power, fine }) => power + fine).sort((a, b) => b - a);
}

// Rotates two rows in place until they are orthogonal; returns the cosine that they had.
function rotated(one, two) {
  const gapOf = (a, b) => b.power - a.power + (b.fine - a.fine);
  const [long, low] = gapOf(one, two) > 0 ? [two, one] : [one, two];
  const [x, y] = [long.unit, low.unit];
  let cosine = 0;
  for (let k = 0; k < N; k++) cosine += x[k] * y[k];
  const square = 2 ** (2 * gapOf(long, low));
  const root = Math.sqrt((1 - square) ** 2 + 4 * square * cosine ** 2) + (1 - square);
  const tau = root > 0 ? (2 * cosine) / root : 0;
  const shrink = -0.5 * Math.log2(1 + square * tau ** 2);
  let [longSum, lowSum] = [0, 0];
  for (let k = 0; k < N; k++) {
    const [before, other] = [x[k], y[k]];
    x[k] = before + square * tau * other;
    y[k] = other - tau * before;
    longSum += x[k] ** 2;
    lowSum += y[k] ** 2;
  }
  for (const [row, sum] of [[long, longSum], [low, lowSum]]) {
    const length = Math.sqrt(sum);
    for (let k = 0; k < N; k++) row.unit[k] /= length;
    row.fine += Math.log2(length) + shrink;
  }
  return Math.abs(cosine);
}

// What log10 of each singular value gains with a Gaussian factor: Newman (1986), largest first.
export function exponents() {
  const psi = [NaN, -0.5772156649015329 - 2 * Math.LN2, -0.5772156649015329]; // of k / 2
  for (let k = 3; k <= N; k++) psi[k] = psi[k - 2] + 2 / (k - 2);
  return Array.from({ length: N }, (_, i) => (Math.log(2 / N) + psi[N - i]) / (2 * Math.LN10));
}
