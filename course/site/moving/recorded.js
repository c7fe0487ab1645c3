// A figure that moves without a kernel: recorded states, shown by the script that shows pictures
// in a notebook, course/live/picture.js. It stands before this text, and offers `render`.
//
//     recorded.figures.get("09_skip_connections-b93c69bf8b16").set({ depth: 50 })
//
// A figure loads nothing before it is near the view or touched.

const FAR = "600px"; // below the view; nearer figures load their words and first picture
const NARROW = 500; // pixels of the page below which panels stand in a column
const LOST = "The recording could not be loaded: ";

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// What anywidget gives a widget's script in a notebook; `answer` hears what the script has set.
function makeModel(values, answer) {
  const listeners = new Set();
  return {
    get: (key) => values[key],
    set: (key, value) => (values[key] = value),
    save_changes: () => answer(),
    on: (_, listener) => listeners.add(listener),
    off: (_, listener) => listeners.delete(listener),
    change(more) {
      Object.assign(values, more);
      for (const listener of listeners) listener();
    },
  };
}

// The place of the value nearest to `wanted`, a number, a word or a truth value, or -1.
function nearest(values, wanted) {
  const same = values.findIndex((value) => String(value) === String(wanted));
  const number = parseFloat(wanted); // NaN for null, which Number takes for 0
  if (same >= 0 || String(wanted).trim() === "" || Number.isNaN(number)) return same;
  const apart = values.map((value) => (typeof value === "number" ? Math.abs(value - number) : NaN));
  return apart.indexOf(Math.min(...apart.filter((gap) => !Number.isNaN(gap))));
}

const size = (room) => (room && room < NARROW ? "narrow" : "wide");

class Figure {
  constructor(root) {
    this.root = root;
    const about = JSON.parse(root.querySelector("script").textContent);
    Object.assign(this, about); // folder, controls, pairs, sizes
    this.still = root.closest(".cell_output").querySelector("img");
    this.first = Object.fromEntries(this.controls.map(({ name, first }) => [name, first]));
    this.place = { ...this.first };
    this.back = make("span", { className: "recorded-back" });
    root.querySelector(".recorded-note").append(" ", this.back);
    this.holder = make("div", {}, this.still);
    this.box = make("div", { className: "recorded-controls" });
    this.show = this.controls.map((control) => this.addControl(control));
    const reset = make("button", { type: "button", textContent: "Reset" });
    reset.addEventListener("click", () => this.goTo({ ...this.first }));
    this.box.append(reset);
    root.prepend(this.box, this.holder);
    root.hidden = false;
    this.say();
    for (const touch of ["pointerdown", "focusin"]) root.addEventListener(touch, () => this.load());
  }

  addControl({ name, kind, label, tooltip, words }) {
    const id = `${this.root.id}-${name}`;
    const caption = make("label", { htmlFor: id, textContent: label });
    const readout = make("span", { className: "recorded-value" });
    const input = make(kind === "list" ? "select" : "input", { id, title: tooltip });
    if (kind === "list") input.append(...words.map((word, k) => make("option", { value: k }, word)));
    if (kind === "box") input.type = "checkbox";
    if (kind === "slider") Object.assign(input, { type: "range", min: 0, max: words.length - 1 });
    const stop = () => (kind === "box" ? Number(input.checked) : Number(input.value));
    input.addEventListener("input", () => this.move(name, stop()));
    this.box.append(make("div", { className: "recorded-control" }, caption, input, readout));
    return () => {
      const now = this.place[name];
      if (kind === "box") input.checked = now === 1;
      else input.value = now;
      if (kind !== "slider") return;
      input.setAttribute("aria-valuetext", words[now]);
      readout.textContent = words[now];
    };
  }

  // One control moves; others go back to their defaults, but one that was recorded with it.
  move(name, stop) {
    const moved = ({ name: other }) => other !== name && this.place[other] !== this.first[other];
    const together = ({ name: other }) =>
      this.pairs.some((pair) => pair.includes(name) && pair.includes(other));
    const others = this.controls.filter(moved);
    const kept = others.find(together);
    const gone = others.filter((other) => other !== kept);
    const beside = kept ? { [kept.name]: this.place[kept.name] } : {};
    const names = gone.map((other) => other.label).join(", ");
    return this.goTo({ ...this.first, ...beside, [name]: stop }, names && `Back at the default: ${names}.`);
  }

  // Values by the names of controls, as in Python; each goes to the recorded one that is nearest,
  // in turn, as by hand. Names and values that the figure does not know change nothing.
  set(values) {
    let done = this.goTo({ ...this.first });
    for (const { name, values: own } of this.controls) {
      const stop = name in values ? nearest(own, values[name]) : -1;
      if (stop >= 0) done = this.move(name, stop);
    }
    return done.then(() => this.values);
  }

  get values() {
    return Object.fromEntries(this.controls.map(({ name, values }) => [name, values[this.place[name]]]));
  }

  goTo(place, note = "") {
    this.place = place;
    this.back.textContent = note;
    this.say();
    this.root.dispatchEvent(new CustomEvent("recorded", { bubbles: true, detail: this.values }));
    return this.load().then(() => this.draw());
  }

  say() {
    for (const show of this.show) show();
  }

  get state() {
    const moved = this.controls.filter(({ name, first }) => this.place[name] !== first);
    return this.states[moved.map(({ name }) => `${name}=${this.place[name]}`).join("&")];
  }

  // The words of all states, then the script of the picture.
  load() {
    this.loading ??= new Promise((resolve) => {
      const script = make("script", { src: `${this.folder}/states.js` });
      recorded.receivers.set(this.root.id, resolve);
      script.addEventListener("error", () => this.fail(script.src));
      document.head.append(script);
    }).then(async (states) => {
      this.states = states;
      const room = Math.floor(this.holder.clientWidth);
      const image = make("img", { src: this.address(this.state, size(room)) });
      await image.decode().catch(() => {}); // the stored picture stays until this one is there
      this.begin(room);
    });
    return this.loading;
  }

  begin(room) {
    const values = { room, needs: [0, 0, 0, 0], rows: [], seen: 0, failure: "" };
    this.model = makeModel(values, () => this.draw());
    this.draw();
    render({ model: this.model, el: this.holder });
  }

  draw() {
    const { state, model } = this;
    const room = model.get("room");
    const kind = size(room);
    const [width, height] = this.sizes[kind];
    const shown = Math.min(width, room || width);
    const picture = { png: this.address(state, kind), width: shown, fits: room };
    picture.height = Math.round((height * shown) / width);
    const { text, seen, badge, rows } = state;
    model.change({ ...picture, alt: text, caption: text, seen, badge, rows, failure: "" });
    const image = new Image();
    image.addEventListener("error", () => this.fail(image.src));
    image.src = picture.png;
    this.fetchBeside(kind);
  }

  // The pictures one stop away from here: the next press of an arrow key finds them loaded.
  fetchBeside(kind) {
    for (const [name, stop] of Object.entries(this.place)) {
      if (stop === this.first[name]) continue;
      for (const beside of [stop - 1, stop + 1]) {
        const near = Object.create(this, { place: { value: { ...this.place, [name]: beside } } }).state;
        if (near) new Image().src = this.address(near, kind);
      }
    }
  }

  address(state, kind) {
    return `${this.folder}/${state[kind]}`;
  }

  fail(address) {
    const words = LOST + address.split("/").slice(-2).join("/");
    if (this.model) this.model.change({ failure: words });
    else this.back.textContent = words;
  }
}

const recorded = {
  figures: new Map(), // by their ids
  receivers: new Map(),
  receive: (id, states) => recorded.receivers.get(id)(states), // what a recording calls
};
window.recorded = recorded;

const near = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) recorded.figures.get(target.id).load();
    }
  },
  { rootMargin: FAR },
);
for (const root of document.querySelectorAll(".recorded")) {
  recorded.figures.set(root.id, new Figure(root));
  near.observe(root);
}
