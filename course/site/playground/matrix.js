// Matrices as flat arrays, row after row: element (i, j) of a matrix with n columns is [i * n + j].

// out = A B, A (rows, inner), B (inner, columns). `turned`: which of the two is stored transposed.
// Four rows and two columns at a time: a number of A is then read half as often, one of B a quarter
// as often. At an edge the last row or column is done again.
export function multiply(out, a, b, rows, inner, columns, turned = {}) {
  const [aRow, aStep] = turned.a ? [1, rows] : [inner, 1];
  const [bRow, bStep] = turned.b ? [1, inner] : [columns, 1];
  for (let i = 0; i < rows; i += 4) {
    const i1 = Math.min(i + 1, rows - 1);
    const i2 = Math.min(i + 2, rows - 1);
    const i3 = Math.min(i + 3, rows - 1);
    for (let j = 0; j < columns; j += 2) {
      const j1 = Math.min(j + 1, columns - 1);
      let s00 = 0, s01 = 0, s10 = 0, s11 = 0;
      let s20 = 0, s21 = 0, s30 = 0, s31 = 0;
      let a0 = i * aRow, a1 = i1 * aRow, a2 = i2 * aRow, a3 = i3 * aRow;
      let b0 = j * bStep, b1 = j1 * bStep;
      for (let k = 0; k < inner; k++) {
        const left = b[b0];
        const right = b[b1];
        s00 += a[a0] * left;
        s01 += a[a0] * right;
        s10 += a[a1] * left;
        s11 += a[a1] * right;
        s20 += a[a2] * left;
        s21 += a[a2] * right;
        s30 += a[a3] * left;
        s31 += a[a3] * right;
        a0 += aStep;
        a1 += aStep;
        a2 += aStep;
        a3 += aStep;
        b0 += bRow;
        b1 += bRow;
      }
      out[i * columns + j] = s00;
      out[i * columns + j1] = s01;
      out[i1 * columns + j] = s10;
      out[i1 * columns + j1] = s11;
      out[i2 * columns + j] = s20;
      out[i2 * columns + j1] = s21;
      out[i3 * columns + j] = s30;
      out[i3 * columns + j1] = s31;
    }
  }
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
