// A drawing on a canvas: sharp on every screen, in the colours of the page, with axes.

const MARGIN = { left: 44, right: 10, top: 8, bottom: 30 };
export const FONT = "12px system-ui, sans-serif";

// The colours of style.css, light or dark: {ink, grey, grid, paper, blue, orange, green, ...}.
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ink", "grey", "grid", "paper", "blue", "orange", "green", "pink", "yellow", "sky"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

// The context of a cleared canvas, in the page's pixels, with its size.
export function cleared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const dense = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== wide || canvas.height !== high) {
    [canvas.width, canvas.height] = [wide, high];
  }
  const context = canvas.getContext("2d");
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  return { context, width, height };
}

// Whole powers of ten around all numbers that a log axis can show; `wide` at the least.
export function decades(numbers, wide = 2) {
  const logs = numbers.filter((n) => n > 0 && Number.isFinite(n)).map(Math.log10);
  let low = Math.floor(logs.reduce((a, b) => Math.min(a, b), Infinity));
  let high = Math.ceil(logs.reduce((a, b) => Math.max(a, b), -Infinity));
  if (logs.length === 0) [low, high] = [-1, 1];
  while (high - low < wide) {
    low -= 1;
    if (high - low < wide) high += 1;
  }
  return [low, high];
}

// Axes from `x` [low, high] and `y` [low, high]; with `log` y is the power of ten.
export class Chart {
  constructor(canvas, { x, y, log, across, labels }) {
    Object.assign(this, cleared(canvas), { x, y, log, colours: colours() });
    this.axes(across, labels);
  }

  left(x) {
    const share = (x - this.x[0]) / (this.x[1] - this.x[0] || 1);
    return MARGIN.left + share * (this.width - MARGIN.left - MARGIN.right);
  }

  // What can't stand on the axis lies on its edge: not finite above, 0 on a log axis below.
  top(y) {
    const height = this.log ? Math.log10(y) : y;
    const share = (height - this.y[0]) / (this.y[1] - this.y[0] || 1);
    const inside = Number.isNaN(share) ? 1 : Math.min(1, Math.max(0, share));
    return this.height - MARGIN.bottom - inside * (this.height - MARGIN.top - MARGIN.bottom);
  }

  axes(across, labels) {
    const { context, colours: c, width, height } = this;
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    for (const tick of ticks(this.y, 4)) {
      const top = this.top(this.log ? 10 ** tick : tick);
      context.strokeStyle = c.grid;
      this.stroke([[MARGIN.left, top], [width - MARGIN.right, top]]);
      context.fillStyle = c.ink;
      context.fillText(labels(tick), MARGIN.left - 6, top);
    }
    context.textBaseline = "top";
    context.textAlign = "center";
    for (const tick of ticks(this.x, Math.max(2, width / 110))) {
      context.fillText(tick.toLocaleString("en"), this.left(tick), height - MARGIN.bottom + 3);
    }
    context.textAlign = "right";
    context.fillStyle = c.grey;
    context.fillText(across, width - MARGIN.right, height - 13);
  }

  stroke(points) {
    const { context } = this;
    context.beginPath();
    for (const point of points) context.lineTo(...point);
    context.stroke();
  }

  // A line through (xs, ys); × marks where it has left the numbers, 0 where it is exactly 0.
  line(xs, ys, { colour, dash = [], width = 2 }) {
    const { context } = this;
    Object.assign(context, { strokeStyle: colour, lineWidth: width, fillStyle: colour });
    context.setLineDash(dash);
    let piece = [];
    let [lost, zero] = [null, null];
    ys.forEach((y, k) => {
      const point = [this.left(xs[k]), this.top(y)];
      if (!Number.isFinite(y)) lost ??= point;
      else if (y === 0 && this.log) zero ??= point;
      else return piece.push(point);
      this.stroke(piece);
      piece = [];
    });
    this.stroke(piece);
    context.setLineDash([]);
    Object.assign(context, { textAlign: "center", textBaseline: "middle", font: `bold ${FONT}` });
    if (lost) context.fillText("×", Math.min(lost[0], this.width - 14), lost[1] + 5);
    if (zero) context.fillText("0", Math.min(zero[0], this.width - 14), zero[1] - 6);
    context.font = FONT;
  }

  // The space between two lines.
  band(xs, lows, highs, colour) {
    const { context } = this;
    context.beginPath();
    xs.forEach((x, k) => context.lineTo(this.left(x), this.top(lows[k])));
    [...xs.keys()].reverse().forEach((k) => context.lineTo(this.left(xs[k]), this.top(highs[k])));
    Object.assign(context, { fillStyle: colour, globalAlpha: 0.22 });
    context.fill();
    context.globalAlpha = 1;
  }

  // A dotted line across with its name.
  guide(y, words) {
    const { context, colours: c } = this;
    const top = this.top(y);
    Object.assign(context, { strokeStyle: c.grey, fillStyle: c.grey, lineWidth: 1 });
    context.setLineDash([2, 3]);
    this.stroke([[MARGIN.left, top], [this.width - MARGIN.right, top]]);
    context.setLineDash([]);
    Object.assign(context, { textAlign: "right", textBaseline: "bottom" });
    context.fillText(words, this.width - MARGIN.right, top - 1);
  }
}

// About `many` whole numbers from low to high, at steps of 1, 2 or 5 times a power of ten.
function ticks([low, high], many) {
  const rough = Math.max(1, (high - low) / many);
  const tens = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((leading) => leading * tens >= rough) * tens;
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) found.push(tick);
  return found;
}
