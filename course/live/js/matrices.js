// Products of matrices, stored by rows.

// The scalar products of each row of `a` with each row of `b`, by the rows of `a`. Rows have `size`
// numbers; there is an even number of rows in both: four products at a time are quickest.
export function scalarProducts(a, b, size) {
  const [rows, columns] = [a.length / size, b.length / size];
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i += 2) {
    const [one, other] = [i * size, (i + 1) * size];
    for (let j = 0; j < columns; j += 2) {
      const [left, right] = [j * size, (j + 1) * size];
      let s = 0, t = 0, u = 0, v = 0;
      for (let k = 0; k < size; k++) {
        const x = a[one + k], y = a[other + k], p = b[left + k], q = b[right + k];
        s += x * p;
        t += x * q;
        u += y * p;
        v += y * q;
      }
      out[i * columns + j] = s;
      out[i * columns + j + 1] = t;
      out[(i + 1) * columns + j] = u;
      out[(i + 1) * columns + j + 1] = v;
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

export function meanSquare(values) {
  let sum = 0;
  for (let k = 0; k < values.length; k++) sum += values[k] * values[k];
  return sum / values.length;
}
