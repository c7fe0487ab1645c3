// An explorer that is computed and drawn in the page: controls, badge, rows, picture, words.
// The same in a notebook, where anywidget gives the `model`, and on the site, where host.js does.

import { KEY, drawRows, isDark } from "./caption.js";
import { fixed, general, typed } from "./numbers.js";

const LEAST = 298; // pixels of a plane that has another one beside it
const SPACE = 12;
const PIECE = 16; // milliseconds of slow work between two pictures

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

// What a slider can take, by its places from the left, and how it is read.
function places({ least, most, step, log }) {
  const fine = Math.floor(Math.log10(step));
  const digits = log ? Math.max(3, 2 - fine) : 9 - fine;
  const at = (k) => least + k * step;
  return {
    last: Math.round((most - least) / step),
    value: (k) => Number(log ? (10 ** at(k)).toPrecision(digits) : at(k).toFixed(digits)) + 0,
    place: (value) => Math.round(((log ? Math.log10(value) : value) - least) / step),
    read: (value) => (log ? typed(Number(general(value, 2))) : fixed(value, Math.max(-fine, 0))),
  };
}

function slider(control, change) {
  const { last, value, place, read } = places(control);
  const input = element("input", { type: "range", min: 0, max: last, step: 1 });
  const output = element("output");
  input.addEventListener("input", () => change(value(Number(input.value))));
  const show = (now) => {
    input.value = place(now);
    output.textContent = read(now);
    input.setAttribute("aria-valuetext", read(now));
  };
  return { input, output, show };
}

function choice(control, change) {
  const options = control.options.map(([name], k) => element("option", { value: k, textContent: name }));
  const input = element("select", {}, ...options);
  input.addEventListener("change", () => change(control.options[input.value][1]));
  const show = (now) => (input.value = control.options.findIndex(([, value]) => value === now));
  return { input, output: "", show };
}

// The controls that `model` lists, and buttons; show(values) moves them.
function makeControls(model) {
  const box = element("div", { className: "course-exact-controls" });
  const set = (values) => {
    model.set("values", values); // the page draws, and only then Python hears of it
    setTimeout(() => model.save_changes());
  };
  const shows = model.get("controls").map((control) => {
    const change = (value) => set({ ...model.get("values"), [control.name]: value });
    const { input, output, show } = { slider, choice }[control.kind](control, change);
    const name = element("span", { textContent: control.description });
    input.title = control.tooltip;
    input.setAttribute("aria-label", control.description); // without the value that stands beside
    input.dataset.lmSuppressShortcuts = "true"; // JupyterLab takes the arrow keys else
    box.append(element("label", {}, name, input, output));
    return (values) => show(values[control.name]);
  });
  const button = (textContent, title, press) => {
    const made = element("button", { type: "button", textContent, title });
    made.addEventListener("click", press);
    return made;
  };
  const buttons = element("div", { className: "course-exact-buttons" });
  if ("seed" in model.get("first")) {
    const more = () => set({ ...model.get("values"), seed: model.get("values").seed + 1 });
    buttons.append(button("New draw", "Draw new random numbers", more));
  }
  buttons.append(button("Reset", "Bring back the first values", () => set({ ...model.get("first") })));
  box.append(buttons);
  return { box, show: (values) => shows.forEach((one) => one(values)) };
}

// A badge, rows of layers, and sentences of which one is always seen: the first, or number `seen`.
function makeCaption() {
  const badge = element("span", { className: "course-picture-badge" });
  const rows = element("canvas", { className: "course-picture-layers", title: KEY });
  const head = element("div", { className: "course-picture-head" }, badge, rows);
  const before = element("span", { className: "course-picture-before" });
  const [line, rest] = [document.createTextNode(""), document.createTextNode("")];
  const summary = element("summary", {}, before, line);
  const words = element("details", { className: "course-picture-caption" }, summary, rest);
  words.setAttribute("aria-live", "polite");
  const show = (state, dark) => {
    // First what is measured: to ask for a width after a change is to wait until all is laid out.
    const none = !state.rows.length && !state.badge;
    if (head.hidden !== none) head.hidden = none;
    if (badge.textContent !== state.badge) badge.textContent = badge.dataset.badge = state.badge;
    if (!none) drawRows(rows, state.rows, dark);
    const lines = state.text.split(/(?<=\n)/);
    const seen = state.seen ?? 0;
    before.textContent = lines.slice(0, seen).join("");
    line.data = lines[seen];
    rest.data = lines.slice(seen + 1).join("");
    words.classList.toggle("course-one-line", lines.length === 1);
  };
  return { head, words, show };
}

// A module for anywidget from what a lesson knows:
// state(values): {text, badge, rows, seen, ...}; planes: functions (state, width) that give a Plot
// each; abreast: how many of them stand side by side at most; legend: [sample, words] for each kind
// of mark; rest(state): a generator that adds to a state, piece by piece, what is slow to compute, and
// not in its words: the picture is drawn before, and is busy until all is there.
export function explorer({ state, planes, legend, abreast = planes.length, rest = function* () {} }) {
  function render({ model, el }) {
    el.classList.add("course-picture", "course-exact");
    const controls = makeControls(model);
    const caption = makeCaption();
    const frame = element("div", { className: "course-exact-frame" });
    frame.setAttribute("role", "img");
    const key = element("ul", { className: "course-exact-legend" });
    key.innerHTML = legend.map(([drawn, words]) => `<li>${drawn} ${words}</li>`).join("");
    el.replaceChildren(controls.box, caption.head, frame, key, caption.words);

    let width = 0;
    let frames = 0;
    let shown = []; // the planes as they were drawn last
    function update() {
      const values = model.get("values");
      const now = state(values);
      caption.show(now, el.classList.contains("course-dark"));
      controls.show(values);
      frame.setAttribute("aria-label", now.text);
      cancelAnimationFrame(frames); // an earlier state is no longer asked for
      if (width) complete(now, rest(now), 0);
    }

    function complete(now, pieces, milliseconds) {
      const end = performance.now() + milliseconds;
      let { done } = pieces.next();
      while (!done && performance.now() < end) ({ done } = pieces.next());
      draw(now);
      frame.setAttribute("aria-busy", String(!done));
      if (!done) frames = requestAnimationFrame(() => complete(now, pieces, PIECE));
    }

    function draw(now) {
      const room = Math.floor((width + SPACE) / (LEAST + SPACE));
      const columns = Math.min(Math.max(room, 1), abreast);
      const each = Math.floor((width + SPACE) / columns) - SPACE;
      const drawn = planes.map((plane) => plane(now, each));
      if (shown.length === 0) frame.innerHTML = drawn.join("");
      else drawn.forEach((plot, k) => plot.replace(frame.children[k], shown[k]));
      shown = drawn;
    }

    function measure() {
      const room = Math.min(Math.floor(el.clientWidth), 1100);
      if (room < 100) return;
      el.classList.toggle("course-dark", isDark(el));
      width = room;
      update();
    }

    model.on("change:values", update);
    const sizes = new ResizeObserver(measure);
    sizes.observe(el);
    const theme = new MutationObserver(() => setTimeout(measure, 150)); // once its colours have changed
    theme.observe(document.body, { attributes: true });
    theme.observe(document.documentElement, { attributes: true });
    update();
    return () => {
      cancelAnimationFrame(frames);
      model.off("change:values", update);
      sizes.disconnect();
      theme.disconnect();
    };
  }
  const whole = (values) => {
    const now = state(values);
    for (const pieces = rest(now); !pieces.next().done; );
    return now;
  };
  return { render, state: whole };
}
