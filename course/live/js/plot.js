// Axes as SVG: lines, marks and words on a plane, in the colours of exact.css.

const MARGIN = { left: 62, right: 12, top: 28, bottom: 42 };

// SVG for 10^k.
export function tens(exponent) {
  const sign = exponent < 0 ? "−" : "";
  return `10<tspan dy="-0.45em" font-size="0.75em">${sign}${Math.abs(exponent)}</tspan>`;
}

// About `many` round numbers from low to high, at steps of 1, 2 or 5 times a power of ten.
export function ticks(low, high, many, least = 0) {
  const rough = Math.max(least, (high - low) / many);
  const unit = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  const step = [1, 2, 5, 10].find((digit) => digit * unit >= rough * (1 - 1e-9)) * unit;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => Number(((first + k) * step).toPrecision(9)));
}

// Where an axis for so many layers ends: 10, or else 100.
export const lengthFor = (depth) => [10, 100].find((end) => depth <= end) ?? 100;

// Of many marks one in four, and the last: more would merge into a band.
export const sparse = (items) => items.filter((_, k) => k % 4 === 0 || k === items.length - 1);

const SHAPES = {
  circle: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  down: (x, y, r) => `M${x - r} ${y - r}h${2 * r}l${-r} ${2 * r}z`,
  up: (x, y, r) => `M${x - r} ${y + r}h${2 * r}l${-r} ${-2 * r}z`,
  diamond: (x, y, r) => `M${x - r} ${y}l${r} ${-r}l${r} ${r}l${-r} ${r}z`,
};

// A sample of a line or mark, for a legend.
export function sample(kind, style = "") {
  const drawing = SHAPES[kind]
    ? `<path class="mark ${style}" d="${SHAPES[kind](14, 7, 4.5)}"/>`
    : `<path class="line ${style}" d="M0 7h28"/>`;
  return `<svg width="28" height="14" aria-hidden="true">${drawing}</svg>`;
}

const short = (pixels) => Math.round(pixels * 10) / 10;

// A plane `width` x `height` pixels large, from `x` [low, high] and `y` [low, high].
export class Plot {
  constructor({ width, height, x, y, title, xlabel = "", ylabel = "", right = MARGIN.right }) {
    Object.assign(this, { width, height, x, y, parts: [], over: [] }); // elements, the lowest first
    this.inner = { left: MARGIN.left, right: width - right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const { left, top, bottom } = this.inner;
    const [middle, half] = [(left + this.inner.right) / 2, (top + bottom) / 2];
    this.over.push(`<text class="title" x="${middle}" y="16" text-anchor="middle">${title}</text>`);
    this.over.push(`<text x="${middle}" y="${height - 6}" text-anchor="middle">${xlabel}</text>`);
    this.over.push(`<text transform="translate(14 ${half}) rotate(-90)" text-anchor="middle">${ylabel}</text>`);
    this.over.push(`<path class="axis" d="M${left} ${top}V${bottom}H${this.inner.right}"/>`);
  }

  across(value) {
    const { left, right } = this.inner;
    return short(left + ((value - this.x[0]) / (this.x[1] - this.x[0])) * (right - left));
  }

  up(value) {
    const { top, bottom } = this.inner;
    return short(bottom - ((value - this.y[0]) / (this.y[1] - this.y[0])) * (bottom - top));
  }

  xticks(values, label = String) {
    const { top, bottom } = this.inner;
    for (const value of values) {
      const at = this.across(value);
      this.parts.push(`<path class="grid" d="M${at} ${top}V${bottom}"/>`);
      this.over.push(`<text x="${at}" y="${bottom + 16}" text-anchor="middle">${label(value)}</text>`);
    }
  }

  yticks(values, label = String) {
    const { left, right } = this.inner;
    for (const value of values) {
      const at = this.up(value);
      this.parts.push(`<path class="grid" d="M${left} ${at}H${right}"/>`);
      this.over.push(`<text x="${left - 6}" y="${at + 4}" text-anchor="end">${label(value)}</text>`);
    }
  }

  // A tinted strip across, from one height to another.
  band(low, high, style) {
    const { left, right, top, bottom } = this.inner;
    const [from, to] = [high, low].map((y) => Math.min(Math.max(this.up(y), top), bottom));
    this.parts.push(`<rect class="${style}" x="${left}" y="${from}" width="${right - left}" height="${to - from}"/>`);
  }

  // The area inside a polygon of points, cut off at the axes' ends.
  area(points, style) {
    const held = (value, [low, high]) => Math.min(Math.max(value, low), high);
    const corners = points.map(([x, y]) => `${this.across(held(x, this.x))} ${this.up(held(y, this.y))}`);
    this.parts.push(`<path class="${style}" d="M${corners.join("L")}z"/>`);
  }

  // A map: columns.length - 1 cells across and rows.length - 1 upwards, between these places.
  // shade(column, row): the CSS class of a cell, and "" for none; neighbours across are drawn as one.
  map(columns, rows, shade) {
    const paths = new Map();
    const [xs, ys] = [columns.map((x) => this.across(x)), rows.map((y) => this.up(y))];
    for (let row = 0; row + 1 < rows.length; row++) {
      const styles = columns.slice(1).map((_, column) => shade(column, row));
      for (let from = 0, to = 0; from < styles.length; from = to) {
        const style = styles[from];
        for (to = from + 1; styles[to] === style; to++);
        if (!style) continue;
        const cell = `M${xs[from]} ${ys[row]}H${xs[to]}V${ys[row + 1]}H${xs[from]}z`;
        paths.set(style, (paths.get(style) ?? "") + cell);
      }
    }
    for (const [style, path] of paths) this.parts.push(`<path class="cell ${style}" d="${path}"/>`);
  }

  // A thin line across.
  guide(y, style = "guide") {
    this.parts.push(`<path class="${style}" d="M${this.inner.left} ${this.up(y)}H${this.inner.right}"/>`);
  }

  // Words beside the axes at some height.
  beside(y, words) {
    this.over.push(`<text class="beside" x="${this.inner.right + 6}" y="${this.up(y) + 4}">${words}</text>`);
  }

  // Words in the plane, in the colour of a line or mark of this style.
  label(x, y, words, anchor = "middle", style = "") {
    const at = `x="${this.across(x)}" y="${this.up(y) + 4}" text-anchor="${anchor}"`;
    this.over.push(`<text class="${style}" ${at}>${words}</text>`);
  }

  // A line through the points; a gap where one is not finite.
  line(xs, ys, style) {
    let pen = "M";
    let path = "";
    ys.forEach((y, k) => {
      if (!Number.isFinite(y)) return (pen = "M");
      path += `${pen}${this.across(xs[k])} ${this.up(y)}`;
      pen = "L";
    });
    this.parts.push(`<path class="line ${style}" d="${path}"/>`);
  }

  // One mark of a shape of `SHAPES` at each point.
  marks(points, shape, style, radius = 3.4) {
    const path = points.map(([x, y]) => SHAPES[shape](this.across(x), this.up(y), radius)).join("");
    this.parts.push(`<path class="mark ${style}" d="${path}"/>`);
  }

  // Make `svg`, which shows `before`, show this: elements that are as they were stay, for the page need
  // not lay them out again.
  replace(svg, before) {
    const [now, then] = [this, before].map(({ parts, over }) => [...parts, ...over]);
    const alike = before.width === this.width && before.height === this.height && now.length === then.length;
    if (!alike) svg.outerHTML = this;
    else now.forEach((element, k) => element !== then[k] && (svg.children[k].outerHTML = element));
  }

  toString() {
    const size = `width="${this.width}" height="${this.height}" viewBox="0 0 ${this.width} ${this.height}"`;
    return `<svg class="course-plot" ${size} aria-hidden="true">${this.parts.join("")}${this.over.join("")}</svg>`;
  }
}
