// The controls of state.js as native inputs with labels, in groups.

import { CONTROLS } from "./state.js";
import { number } from "./words.js";

const shown = (key, value) => (key === "rate" ? number(value) : String(value));

// Fills the panel; change(key, value) is called when a reader moves a control. Returns
// show(state), which sets them all.
export function makeControls(panel, change) {
  const setters = CONTROLS.map((control) => {
    const make = control.values ? slider : choice;
    const { row, set } = make(control, (value) => change(control.key, value));
    row.title = control.help;
    group(panel, control.group).append(row);
    return (state) => set(state[control.key]);
  });
  return (state) => setters.forEach((set) => set(state));
}

function group(panel, name) {
  const old = [...panel.querySelectorAll("fieldset")].find((one) => one.dataset.name === name);
  if (old) return old;
  const fresh = element("fieldset", {}, element("legend", { textContent: name }));
  fresh.dataset.name = name;
  panel.append(fresh);
  return fresh;
}

// A slider over the places of the values, so that a learning rate moves in even steps.
function slider({ key, label, values }, change) {
  const id = `control-${key}`;
  const output = element("output", { htmlFor: id });
  const input = element("input", { type: "range", id, min: 0, max: values.length - 1, step: 1 });
  const say = (value) => {
    output.textContent = shown(key, value);
    input.setAttribute("aria-valuetext", shown(key, value));
  };
  input.addEventListener("input", () => {
    say(values[input.value]);
    change(values[input.value]);
  });
  const row = element("div", { className: "control slider" }, labelled(id, label), output, input);
  const set = (value) => {
    input.value = values.indexOf(value);
    say(value);
  };
  return { row, set };
}

function choice({ key, label, choices }, change) {
  const id = `control-${key}`;
  const options = choices.map(([value, textContent]) => element("option", { value, textContent }));
  const input = element("select", { id }, ...options);
  input.addEventListener("change", () => change(input.value));
  const row = element("div", { className: "control" }, labelled(id, label), input);
  return { row, set: (value) => (input.value = value) };
}

const labelled = (id, textContent) => element("label", { htmlFor: id, textContent });

export function element(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}
