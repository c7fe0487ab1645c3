// Scalar products in WebAssembly, which takes two numbers at a time where JavaScript takes one: three
// times as fast. The code of its loops is written here instruction by instruction; their numbers are
// in "WebAssembly Core Specification 2.0" (W3C, 2022), section 5.4.

const HIGH = 2; // rows of a, and rows of b, whose products the inner loop takes at once
const WIDE = 4;
const WORD = 8; // bytes of a number

// {memory, strip}: strip(a, end, b, row, out, across) takes the rows of a, `row` bytes long, from
// address a up to `end`, with the WIDE rows at address b, and writes the products to `out`, those of
// each row of a `across` bytes behind those of the last. Null where the browser knows none of it, or
// the page forbids it.
function compiled() {
  const [I32, V128, NOTHING] = [0x7f, 0x7b, 0x40];
  const range = (n) => [...Array(n).keys()];
  const tile = range(HIGH).flatMap((r) => range(WIDE).map((c) => [r, c]));
  const parameters = ["a", "end", "b", "row", "out", "across"];
  const addresses = [...range(HIGH).map((r) => `left ${r}`), ...range(WIDE).map((c) => `right ${c}`), "row's end"];
  const pairs = ["none", ...range(HIGH).map((r) => `x ${r}`), "y", ...tile.map(([r, c]) => `sum ${r} ${c}`)];
  const places = [...parameters, ...addresses, ...pairs];
  const get = (name) => [0x20, places.indexOf(name)];
  const set = (name) => [0x21, places.indexOf(name)];
  const move = (name, by) => [...get(name), ...by, 0x6a, ...set(name)]; // name += by
  const copy = (name, from) => [...get(from), ...set(name)];
  const loop = (code, left, right) => // again while left < right
    [0x03, NOTHING, ...code, ...get(left), ...get(right), 0x49, 0x0d, 0, 0x0b];
  const loadPair = (name) => [...get(name), 0xfd, 0x00, 3, 0];
  const [times, plus, plusOne] = [[0xfd, 0xf2, 0x01], [0xfd, 0xf0, 0x01], [0xa0]];
  const half = (name, k) => [...get(name), 0xfd, 0x21, k];

  const behind = (name, before) => [...copy(name, before), ...move(name, get("row"))]; // one row on
  const line = (side, count, start) =>
    range(count).flatMap((k) => (k ? behind(`${side} ${k}`, `${side} ${k - 1}`) : copy(`${side} 0`, start)));
  const start = [
    ...line("left", HIGH, "a"), ...line("right", WIDE, "b"), ...behind("row's end", "a"),
    ...tile.flatMap(([r, c]) => copy(`sum ${r} ${c}`, "none")),
  ];
  const step = [
    ...range(HIGH).flatMap((r) => [...loadPair(`left ${r}`), ...set(`x ${r}`)]),
    ...range(WIDE).flatMap((c) => [
      ...loadPair(`right ${c}`), ...set("y"),
      ...range(HIGH).flatMap((r) => [
        ...get(`sum ${r} ${c}`), ...get(`x ${r}`), ...get("y"), ...times, ...plus, ...set(`sum ${r} ${c}`),
      ]),
    ]),
    ...addresses.slice(0, -1).flatMap((name) => move(name, [0x41, 2 * WORD])),
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
  const bytes = [
    0, ...[..."asm"].map(letter), 1, 0, 0, 0,
    ...section(1, [1, 0x60, parameters.length, ...parameters.map(() => I32), 0]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, 1]), // a memory, of one page at first
    ...section(7, [2, 1, letter("m"), 2, 0, 1, letter("s"), 0, 0]),
    ...section(10, [1, ...size(code.length), ...code]),
  ];
  try {
    const { m: memory, s: strip } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes))).exports;
    return { memory, strip };
  } catch {
    return null;
  }
}

const COMPILED = compiled();

// Whether `inPairs` can take rows of `size` numbers.
export const takesPairs = (size) => COMPILED !== null && size > 0 && size % 2 === 0;

// What scalarProducts of matrices.js gives, but for the order in which a sum is taken.
export function inPairs(a, b, size, out) {
  const { memory, strip } = COMPILED;
  const [rows, columns, row] = [a.length / size, b.length / size, size * WORD];
  const across = WIDE * Math.ceil(columns / WIDE); // in the memory there is room for whole tiles
  const startB = (rows + HIGH - 1) * size;
  const startOut = startB + (columns + WIDE - 1) * size;
  const missing = (startOut + (rows + HIGH - 1) * across) * WORD - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65536));
  const numbers = new Float64Array(memory.buffer);
  numbers.set(a);
  numbers.set(b, startB);
  for (let j = 0; j < columns; j += WIDE) {
    strip(0, rows * row, startB * WORD + j * row, row, (startOut + j) * WORD, across * WORD);
  }
  if (columns === across) {
    out.set(numbers.subarray(startOut, startOut + rows * columns));
  } else {
    for (let i = 0, from = startOut; i < rows; i++, from += across) {
      out.set(numbers.subarray(from, from + columns), i * columns);
    }
  }
  return out;
}
