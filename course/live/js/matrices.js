// Products of matrices, stored by rows.

import { Pairs, takesPairs } from "./pairs.js";

// Rows with which products are taken again and again.
export class Kept {
  constructor() {
    this.pairs = takesPairs(2) ? new Pairs() : null;
  }

  // Let go all rows.
  clear() {
    this.pairs?.clear();
  }

  // What `products` takes: the rows of b, which have `size` numbers.
  keep(b, size) {
    return this.pairs && takesPairs(size) ? this.pairs.keep(b, size) : { b, size };
  }

  // The scalar products of each row of `a` with each of those rows, by the rows of `a`, in `out`.
  products(a, rows, out) {
    return rows.b ? oneByOne(a, rows.b, rows.size, out) : this.pairs.products(a, rows, out);
  }
}

const ONCE = new Kept();

// The scalar products of each row of `a` with each row of `b`, by the rows of `a`, in `out`. Rows
// have `size` numbers.
export function scalarProducts(a, b, size, out = new Float64Array((a.length / size) * (b.length / size))) {
  ONCE.clear();
  return ONCE.products(a, ONCE.keep(b, size), out);
}

// Eight products at a time, 2 x 4, are quickest; at an edge some are taken twice.
export function oneByOne(a, b, size, out) {
  const [rows, columns] = [a.length / size, b.length / size];
  for (let j = 0; j < columns; j += 4) {
    const [c0, c1, c2, c3] = [j, Math.min(j + 1, columns - 1), Math.min(j + 2, columns - 1), Math.min(j + 3, columns - 1)];
    const [b0, b1, b2, b3] = [c0 * size, c1 * size, c2 * size, c3 * size];
    for (let i = 0; i < rows; i += 2) {
      const next = Math.min(i + 1, rows - 1);
      const [one, other] = [i * size, next * size];
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      for (let k = 0; k < size; k++) {
        const x = a[one + k], y = a[other + k];
        const p = b[b0 + k], q = b[b1 + k], r = b[b2 + k], s = b[b3 + k];
        s0 += x * p;
        s1 += x * q;
        s2 += x * r;
        s3 += x * s;
        t0 += y * p;
        t1 += y * q;
        t2 += y * r;
        t3 += y * s;
      }
      const [up, down] = [i * columns, next * columns];
      out[up + c0] = s0;
      out[up + c1] = s1;
      out[up + c2] = s2;
      out[up + c3] = s3;
      out[down + c0] = t0;
      out[down + c1] = t1;
      out[down + c2] = t2;
      out[down + c3] = t3;
    }
  }
  return out;
}

// Columns as rows; a row of `matrix` has `size` numbers.
export function turned(matrix, size) {
  const rows = matrix.length / size;
  const out = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < size; j++) out[j * rows + i] = matrix[i * size + j];
  return out;
}

// `values`, each times `factor`, in place.
export function scaleBy(values, factor) {
  for (let k = 0; k < values.length; k++) values[k] *= factor;
  return values;
}

export function meanSquare(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] * values[k];
  return sum / values.length;
}
