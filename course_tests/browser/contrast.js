// The contrast of each word below the elements `roots`, by WCAG 2.2, 1.4.3: {words, kind, ratio,
// least}; kind: the name of the first of `kinds`, {name: selector}, that the word stands in, or "".
//
// axe cannot be asked: it knows neither the colours of words in an SVG, nor what a list says. What is
// disabled has no contrast to keep. An Error says where the ground is not of one colour.
([roots, kinds]) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const colours = new Map();

  // Red, green and blue from 0 to 255, and alpha from 0 to 1, of a colour as CSS writes it.
  function rgba(colour) {
    if (!colours.has(colour)) {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
      colours.set(colour, [red, green, blue, alpha / 255]);
    }
    return colours.get(colour);
  }

  const over = ([...paint], alpha, ground) => ground.map((c, k) => alpha * paint[k] + (1 - alpha) * c);

  function luminance(rgb) {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [red, green, blue] = rgb.map((c) => linear(c / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(one, other) {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }

  // The paints below a word of an SVG: of the filled shapes before it that hold its middle.
  function shapesBelow(element) {
    const { x, y, width, height } = element.getBoundingClientRect();
    const middle = new DOMPoint(x + width / 2, y + height / 2);
    const shapes = element.closest("svg")?.querySelectorAll("rect, circle, path, polygon") ?? [];
    return [...shapes].flatMap((shape) => {
      const { fill, fillOpacity, opacity } = getComputedStyle(shape);
      const before = shape.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
      const at = middle.matrixTransform(shape.getScreenCTM().inverse());
      if (!before || fill === "none" || !shape.isPointInFill(at)) return [];
      return [[rgba(fill), rgba(fill)[3] * fillOpacity * opacity]];
    });
  }

  // What is painted at an element: its words, of colour `ink`, and their ground.
  function painted(element, ink) {
    const path = [];
    for (let at = element; at; at = at.parentElement) path.unshift(at);
    const below = shapesBelow(element);
    const inner = (k, ground) => {
      if (k === path.length) {
        const last = below.reduce((lower, [paint, alpha]) => over(paint, alpha, lower), ground);
        return [over(ink, ink[3], last), last];
      }
      const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(path[k]);
      const many = (backgroundImage !== "none" && !path[k].matches("select")) || filter !== "none";
      if (many) throw new Error(`no ground of one colour: ${path[k].outerHTML.slice(0, 200)}`);
      const own = over(rgba(backgroundColor), rgba(backgroundColor)[3], ground);
      return inner(k + 1, own).map((colour) => over(colour, Number(opacity), ground));
    };
    return inner(0, [255, 255, 255]);
  }

  const FIELD = "select, textarea, input:not([type=range], [type=radio], [type=checkbox])";
  function words(element) {
    if (element.matches(FIELD)) return element.selectedOptions?.[0]?.text ?? element.value;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    return own.map((node) => node.data).join("").replace(/[\s\u200b]+/g, " ").trim();
  }

  const found = [];
  for (const element of document.querySelectorAll(`:is(${roots}) *`)) {
    const said = words(element);
    if (!said || element.closest("option, style, :disabled")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fill, fontSize, fontWeight } = getComputedStyle(element);
    const ratio = contrast(...painted(element, rgba(element.closest("svg") ? fill : color)));
    const size = parseFloat(fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && fontWeight >= 700);
    const kind = Object.keys(kinds).find((name) => element.closest(kinds[name])) ?? "";
    found.push({ words: said, kind, ratio, least: isLarge ? 3 : 4.5 });
  }
  return found;
}
