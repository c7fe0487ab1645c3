// What stands beside a picture, as caption.py makes it: a badge in a word, and rows of layers.

import { wholeNear } from "./numbers.js";

const FAR = 3; // powers of ten from end to end that count as vanishing or exploding
export const [LOST, ZERO] = [999, -999]; // in a row: not finite, and exactly 0
const FULL = 6; // powers of ten with a full colour
export const KEY =
  "A cell for each layer. Grey: as large as where it comes in; orange: larger; blue: smaller; " +
  "full colour: by 10\u2076 or more. \u221e: not finite, 0: exactly 0, a line below: negative.";

// "healthy", "vanishes" or "explodes", for sizes by layer, each from the end where it comes in.
export function verdict(...rows) {
  let change = 0;
  for (const row of rows) {
    if (!row.every(Number.isFinite)) return "explodes";
    const [first, last] = [Math.abs(row[0] ?? 0), Math.abs(row.at(-1) ?? 0)];
    const lost = row.length > 0 && last === 0;
    const grown = lost ? -Infinity : first > 0 ? Math.log10(last) - Math.log10(first) : 0;
    if (Math.abs(grown) > Math.abs(change)) change = grown;
  }
  return Math.abs(change) < FAR ? "healthy" : change > 0 ? "explodes" : "vanishes";
}

// The row of a quantity as `drawRows` takes it: powers of ten relative to the end it comes in at.
export function cells(name, row) {
  const usable = (value) => Number.isFinite(value) && value !== 0;
  const ends = row.filter(usable);
  const start = Math.log10(Math.abs((name === "gradient" ? ends.at(-1) : ends[0]) ?? 1));
  const powers = row.map((value) => {
    if (!Number.isFinite(value)) return LOST;
    if (value === 0) return ZERO;
    return wholeNear(10 * (Math.log10(Math.abs(value)) - start)) / 10 + 0;
  });
  return { name, powers, negative: [...row.keys()].filter((k) => row[k] < 0) };
}

// A caption with the row of a signal and of a gradient by layer, and their verdict.
export function described(text, { signal = [], gradient = [] }) {
  const rows = Object.entries({ signal, gradient }).filter(([, row]) => row.length);
  const badge = verdict(signal, [...gradient].reverse());
  return { text, badge, rows: rows.map(([name, row]) => cells(name, row)) };
}

function colour(power, dark) {
  if (power === LOST) return "#000";
  if (power === ZERO) return "#777";
  const share = Math.min(Math.abs(power) / FULL, 1);
  const end = power < 0 ? [0, 84, 166] : [213, 74, 0]; // too small: blue; too large: orange
  const same = dark ? [72, 72, 70] : [236, 236, 230];
  return `rgb(${same.map((c, k) => Math.round(c + share * (end[k] - c))).join(",")})`;
}

// A row of cells for each quantity, drawn at the screen's own density; dark: so is the page.
export function drawRows(canvas, rows, dark) {
  const [width, density, high] = [canvas.clientWidth, window.devicePixelRatio || 1, 17];
  const text = getComputedStyle(canvas).color;
  canvas.style.height = `${high * rows.length}px`;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(high * rows.length * density);
  const pen = canvas.getContext("2d");
  pen.scale(density, density);
  rows.forEach((row, line) => {
    const [left, top] = [64, high * line];
    pen.fillStyle = text;
    pen.font = "12px sans-serif";
    pen.textBaseline = "middle";
    pen.fillText(row.name, 0, top + high / 2, left - 6);
    const cell = (width - left) / row.powers.length;
    const gap = cell > 5 ? 1 : 0;
    row.powers.forEach((power, k) => {
      pen.fillStyle = colour(power, dark);
      pen.fillRect(left + k * cell, top + 1, Math.max(cell - gap, 1), high - 3);
      if (power === LOST || power === ZERO) {
        pen.fillStyle = "#fff";
        if (cell > 7) pen.fillText(power === LOST ? "∞" : "0", left + k * cell + 1, top + high / 2, cell - 2);
      }
    });
    pen.fillStyle = text;
    for (const k of row.negative) pen.fillRect(left + k * cell, top + high - 3, Math.max(cell - gap, 1), 1.5);
  });
}

// Whether what lies behind the node is dark.
export function isDark(node) {
  for (let at = node; at; at = at.parentElement) {
    const [r, g, b, a = 1] = (getComputedStyle(at).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (a > 0.5) return 0.299 * r + 0.587 * g + 0.114 * b < 110;
  }
  return false;
}
