// Scalar products in WebAssembly, which takes two numbers at a time where JavaScript takes one: three
// times as fast. The code of its loops is written here instruction by instruction; their numbers are
// in "WebAssembly Core Specification 2.0" (W3C, 2022), section 5.4.

const HIGH = 2; // rows of a, and rows of b, whose products the inner loop takes at once
const WIDE = 4;
const WORD = 8; // bytes of a number
const PAIR = 2 * WORD;

// A module of {memory, strip}: strip(a, end, b, row, out, across) takes the rows of a, `row` bytes
// long, from address a up to `end`, with the WIDE rows that `Pairs` keeps at address b, and writes the
// products to `out`, those of each row of a `across` bytes behind those of the last. Null where the
// browser knows none of it, or the page forbids it.
function compiled() {
  const [I32, V128, NOTHING] = [0x7f, 0x7b, 0x40];
  const range = (n) => [...Array(n).keys()];
  const tile = range(HIGH).flatMap((r) => range(WIDE).map((c) => [r, c]));
  const parameters = ["a", "end", "b", "row", "out", "across"];
  const addresses = [...range(HIGH).map((r) => `left ${r}`), "row's end", "right"];
  const pairs = ["none", ...range(HIGH).map((r) => `x ${r}`), "y", ...tile.map(([r, c]) => `sum ${r} ${c}`)];
  const places = [...parameters, ...addresses, ...pairs];
  const get = (name) => [0x20, places.indexOf(name)];
  const set = (name) => [0x21, places.indexOf(name)];
  const move = (name, by) => [...get(name), ...by, 0x6a, ...set(name)]; // name += by
  const copy = (name, from) => [...get(from), ...set(name)];
  const loop = (code, left, right) => // again while left < right
    [0x03, NOTHING, ...code, ...get(left), ...get(right), 0x49, 0x0d, 0, 0x0b];
  const constant = (number) => (number < 64 ? [0x41, number] : [0x41, (number & 127) | 128, number >> 7]);
  const loadPair = (name, k = 0) => [...get(name), 0xfd, 0x00, 3, k * PAIR];
  const [times, plus, plusOne] = [[0xfd, 0xf2, 0x01], [0xfd, 0xf0, 0x01], [0xa0]];
  const half = (name, k) => [...get(name), 0xfd, 0x21, k];

  const behind = (name, before) => [...copy(name, before), ...move(name, get("row"))]; // one row on
  const start = [
    ...range(HIGH).flatMap((r) => (r ? behind(`left ${r}`, `left ${r - 1}`) : copy("left 0", "a"))),
    ...behind("row's end", "a"), ...copy("right", "b"),
    ...tile.flatMap(([r, c]) => copy(`sum ${r} ${c}`, "none")),
  ];
  const step = [
    ...range(HIGH).flatMap((r) => [...loadPair(`left ${r}`), ...set(`x ${r}`)]),
    ...range(WIDE).flatMap((c) => [
      ...loadPair("right", c), ...set("y"),
      ...range(HIGH).flatMap((r) => [
        ...get(`sum ${r} ${c}`), ...get(`x ${r}`), ...get("y"), ...times, ...plus, ...set(`sum ${r} ${c}`),
      ]),
    ]),
    ...range(HIGH).flatMap((r) => move(`left ${r}`, constant(PAIR))),
    ...move("right", constant(WIDE * PAIR)),
  ];
  const store = range(HIGH).flatMap((r) => [
    ...range(WIDE).flatMap((c) => [
      ...get("out"), ...half(`sum ${r} ${c}`, 0), ...half(`sum ${r} ${c}`, 1), ...plusOne, 0x39, 3, c * WORD,
    ]),
    ...move("out", get("across")), ...move("a", get("row")),
  ]);
  const code = [
    2, addresses.length, I32, pairs.length, V128,
    ...loop([...start, ...loop(step, "left 0", "row's end"), ...store], "a", "end"), 0x0b,
  ];

  const size = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...size(n >> 7)]);
  const section = (id, content) => [id, ...size(content.length), ...content];
  const letter = (text) => text.charCodeAt();
  const word = (text) => [text.length, ...[...text].map(letter)];
  const bytes = [
    0, ...[..."asm"].map(letter), 1, 0, 0, 0,
    ...section(1, [1, 0x60, parameters.length, ...parameters.map(() => I32), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // a memory, of one page at first
    ...section(7, [2, ...word("memory"), 2, 0, ...word("strip"), 0, 0]),
    ...section(10, [1, ...size(code.length), ...code]),
  ];
  try {
    return new WebAssembly.Module(Uint8Array.from(bytes));
  } catch {
    return null;
  }
}

const MODULE = compiled();

// Whether `Pairs` can take rows of `size` numbers.
export const takesPairs = (size) => MODULE !== null && size > 0 && size % 2 === 0;

// A memory for rows: what is kept there is not copied again for each product.
export class Pairs {
  constructor() {
    Object.assign(this, new WebAssembly.Instance(MODULE).exports); // memory and strip
    this.clear();
  }

  // Let go what was kept.
  clear() {
    this.end = 0;
  }

  // The memory as numbers, of which there are `count` at least.
  numbers(count) {
    const missing = count * WORD - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    return new Float64Array(this.memory.buffer);
  }

  // Where the rows of b are from now on, for `products`: WIDE of them side by side, a pair of each in
  // turn, in the order in which the loop reads them. What stands beside the last ones is never asked for.
  keep(b, size) {
    const start = this.end;
    const columns = b.length / size;
    this.end += WIDE * Math.ceil(columns / WIDE) * size;
    const numbers = this.numbers(this.end);
    for (let j = 0; j < columns; j++) {
      let to = start + (j - (j % WIDE)) * size + 2 * (j % WIDE);
      for (let k = j * size; k < (j + 1) * size; k += 2, to += 2 * WIDE) {
        numbers[to] = b[k];
        numbers[to + 1] = b[k + 1];
      }
    }
    return { start, columns, size };
  }

  // What `oneByOne` of matrices.js gives, but for the order in which a sum is taken.
  products(a, { start, columns, size }, out) {
    const rows = a.length / size;
    const across = WIDE * Math.ceil(columns / WIDE);
    const startOut = this.end + HIGH * Math.ceil(rows / HIGH) * size;
    const numbers = this.numbers(startOut + HIGH * Math.ceil(rows / HIGH) * across);
    numbers.set(a, this.end);
    const [from, to] = [this.end * WORD, (this.end + rows * size) * WORD];
    for (let j = 0; j < columns; j += WIDE) {
      this.strip(from, to, (start + j * size) * WORD, size * WORD, (startOut + j) * WORD, across * WORD);
    }
    if (columns === across) out.set(numbers.subarray(startOut, startOut + rows * columns));
    else for (let i = 0; i < rows; i++) {
      const row = startOut + i * across;
      out.set(numbers.subarray(row, row + columns), i * columns);
    }
    return out;
  }
}
