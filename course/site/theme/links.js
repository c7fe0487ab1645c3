// The states of a page's explorers stand in its address, and an address brings them back:
// 01_scalar_chain.html#scalar_chain.depth=50&scalar_chain.weight=0.9. A question can be a link.

import { joined, parts, stateOf, strangers } from "../playground/links.js";

// The places of a slider as numbers, without the errors of adding up steps.
function numbers({ least, most, step, log }) {
  const count = Math.round((most - least) / step) + 1;
  const at = (k) => least + k * step;
  return Array.from({ length: count }, (_, k) => Number((log ? 10 ** at(k) : at(k)).toPrecision(12)));
}

// A control of an explorer as playground/links.js wants it.
const recordedControl = ({ name, kind, values, words, first }) => {
  const start = values[first];
  if (kind === "slider" && typeof start === "number") return { key: name, start, values };
  return { key: name, start, choices: values.map((value, k) => [value, words[k]]) };
};
const exactControl = (start) => (control) => {
  const key = control.name;
  if (control.kind === "slider") return { key, start: start[key], values: numbers(control) };
  return { key, start: start[key], choices: control.options.map(([word, value]) => [value, word]) };
};

// Every explorer of the page: {name, element, controls, get(), set(changed), hear(listener)}, where
// `changed` has the values that are not those of the start.
function explorers() {
  const recorded = [...(window.recorded?.figures ?? [])].map(([name, figure]) => ({
    name,
    element: figure.root,
    controls: figure.controls.map(recordedControl),
    get: () => figure.values,
    set: (values) => figure.set(values),
    hear: (listener) => figure.root.addEventListener("recorded", listener),
  }));
  const exact = (window.courseExact?.places ?? []).map((place) => ({
    name: place.lesson,
    element: place.element,
    controls: place.model.get("controls").map(exactControl(place.model.get("first"))),
    get: place.get,
    set: (changed) => place.set({ ...place.model.get("first"), ...changed }),
    hear: (listener) => place.model.on("change:values", listener),
  }));
  return [...recorded, ...exact];
}

function say(element, sentences) {
  let note = element.parentElement.querySelector(":scope > .link-note");
  if (!note && !sentences.length) return;
  if (!note) {
    note = Object.assign(document.createElement("p"), { className: "link-note" });
    note.setAttribute("role", "status");
    element.before(note);
  }
  note.textContent = sentences.join(" ");
}

function start() {
  const all = explorers();
  if (!all.length) return;
  const names = all.map(({ name }) => name);
  let reading = false;

  function write() {
    if (reading) return;
    const link = joined(all.flatMap(({ name, controls, get }) => parts(get(), controls, name)));
    history.replaceState(null, "", location.pathname + location.search + link);
  }

  async function read() {
    if (!location.hash.includes("=")) return; // nothing, or a heading of the page
    reading = true;
    const named = all.filter(({ name }) => location.hash.includes(`${name}.`));
    const asked = named.length ? named : all.slice(0, 1);
    let lost = strangers(location.hash, names); // said beside the first
    for (const { name, element, controls, set } of asked) {
      const { state, complaints } = stateOf(location.hash, controls, name);
      const differs = controls.filter(({ key, start }) => state[key] !== start);
      await set(Object.fromEntries(differs.map(({ key }) => [key, state[key]])));
      say(element, [...complaints, ...lost]);
      lost = [];
    }
    reading = false;
    asked[0].element.scrollIntoView({ block: "center" });
  }

  for (const { hear } of all) hear(write);
  window.addEventListener("hashchange", read);
  read();
}

document.addEventListener("DOMContentLoaded", start); // when the explorers' own scripts have run
