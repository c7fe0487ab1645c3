// Matrices as flat arrays, row after row: element (i, j) of a matrix with n columns is [i * n + j].

import { scalarProducts } from "../../live/js/matrices.js";

// out = A B, A (rows, inner), B (inner, columns). `turned`: which of the two is stored transposed.
// The numbers that are multiplied are laid side by side first, as numbers of 64 bits: they are read
// so often that it pays.
export function multiply(out, a, b, rows, inner, columns, turned = {}) {
  const [left, right] = [lines(a, rows, inner, !turned.a, 0), lines(b, columns, inner, turned.b, 1)];
  return scalarProducts(left, right, inner, out);
}

// `count` lines of `size` numbers, one after the other: the rows of a matrix, or else its columns.
const ROOMS = [new Float64Array(0), new Float64Array(0)];
function lines(matrix, count, size, areRows, side) {
  if (ROOMS[side].length < count * size) ROOMS[side] = new Float64Array(count * size);
  const out = ROOMS[side].subarray(0, count * size);
  if (areRows) out.set(matrix);
  else for (let k = 0, at = 0; k < size; k++) for (let i = 0; i < count; i++) out[i * size + k] = matrix[at++];
  return out;
}

// Makes the columns of a (rows, columns) matrix orthonormal in place, rows >= columns: Gram and
// Schmidt, done twice so that rounding leaves nothing (Giraud et al. 2005). Of a Gaussian matrix
// the result is uniform among orthogonal matrices, as R has a positive diagonal (Mezzadri 2007).
export function orthonormalize(matrix, rows, columns) {
  for (let j = 0; j < columns; j++) {
    for (let k = 0; k < 2 * j; k++) {
      let dot = 0;
      for (let i = 0; i < rows; i++) dot += matrix[i * columns + (k % j)] * matrix[i * columns + j];
      for (let i = 0; i < rows; i++) {
        matrix[i * columns + j] -= dot * matrix[i * columns + (k % j)];
      }
    }
    let square = 0;
    for (let i = 0; i < rows; i++) square += matrix[i * columns + j] ** 2;
    for (let i = 0; i < rows; i++) matrix[i * columns + j] /= Math.sqrt(square) || 1;
  }
  return matrix;
}

// Eigenvalues of a symmetric (n, n) matrix, in no order; the matrix is used up.
// Householder reflections make it tridiagonal, then QL with implicit shifts: Golub and Van Loan,
// "Matrix Computations", sections 8.3.1 and 8.3.3.
export function eigenvalues(matrix, n) {
  const { diagonal, beside } = tridiagonal(matrix, n);
  for (let first = 0; first < n; first++) {
    for (let round = 0; round < 60; round++) {
      let last = first;
      while (last < n - 1) {
        const scale = Math.abs(diagonal[last]) + Math.abs(diagonal[last + 1]);
        if (Math.abs(beside[last]) <= Number.EPSILON * scale) break;
        last++;
      }
      if (last === first) break;
      rotate(diagonal, beside, first, last);
    }
  }
  return diagonal;
}

function tridiagonal(matrix, n) {
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(n);
  const v = new Float64Array(n);
  const p = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    let length = 0;
    for (let i = k + 1; i < n; i++) length += matrix[i * n + k] ** 2;
    length = Math.sqrt(length);
    const alpha = matrix[(k + 1) * n + k] > 0 ? -length : length;
    diagonal[k] = matrix[k * n + k];
    beside[k] = alpha;
    if (length === 0) continue;
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = matrix[i * n + k] - (i === k + 1 ? alpha : 0);
      square += v[i] * v[i];
    }
    if (square === 0) continue;
    let dot = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += matrix[i * n + j] * v[j];
      p[i] = (2 * sum) / square;
      dot += p[i] * v[i];
    }
    for (let i = k + 1; i < n; i++) p[i] -= (dot / square) * v[i];
    for (let i = k + 1; i < n; i++) {
      for (let j = k + 1; j < n; j++) matrix[i * n + j] -= v[i] * p[j] + p[i] * v[j];
    }
  }
  diagonal[n - 1] = matrix[n * n - 1];
  return { diagonal, beside };
}

// One QL step with Wilkinson's shift on the rows first to last of a tridiagonal matrix.
function rotate(diagonal, beside, first, last) {
  let g = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
  const r = Math.sqrt(g * g + 1);
  g = diagonal[last] - diagonal[first] + beside[first] / (g + (g >= 0 ? r : -r));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = last - 1; i >= first; i--) {
    const f = sine * beside[i];
    const b = cosine * beside[i];
    const length = Math.sqrt(f * f + g * g);
    beside[i + 1] = length;
    if (length === 0) {
      diagonal[i + 1] -= shift;
      beside[last] = 0;
      return;
    }
    sine = f / length;
    cosine = g / length;
    g = diagonal[i + 1] - shift;
    const s = (diagonal[i] - g) * sine + 2 * cosine * b;
    shift = sine * s;
    diagonal[i + 1] = g + shift;
    g = cosine * s - b;
  }
  diagonal[first] -= shift;
  beside[first] = g;
  beside[last] = 0;
}
