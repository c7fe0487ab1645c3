// A state as the end of an address: "#depth=50&gain=1.1". Where a page has several sets of controls
// each has a name: "#chain.depth=50&gates.share=0.5". This module asks for no other, so that every
// page with controls can have it.
//
// A control: {key, start, values} for a number that is one of `values`, from the least to the most,
// or {key, start, choices} for one of [value, words], ...

// All of `state` that differs from the start, as parts of a link: ["chain.depth=50", ...].
export function parts(state, controls, name = "") {
  const changed = controls.filter(({ key, start }) => state[key] !== start);
  return changed.map(({ key }) => `${full(key, name)}=${encodeURIComponent(state[key])}`);
}

// The parts of all sets of controls as the end of an address, or "" where nothing differs.
export function joined(all) {
  return all.length ? `#${all.join("&")}` : "";
}

// The state that a link gives the controls called `name`, and complaints: a sentence for each part
// that means nothing to them. Without a name all parts are theirs; with one, those that bear it.
export function stateOf(hash, controls, name = "") {
  const state = Object.fromEntries(controls.map(({ key, start }) => [key, start]));
  const complaints = [];
  for (const [said, text] of pairs(hash)) {
    if (name && ownerOf(said) !== name) continue;
    const control = controls.find(({ key }) => full(key, name) === said);
    if (!control) {
      const keys = controls.map(({ key }) => full(key, name)).join(", ");
      complaints.push(`The link says “${said}”, which is none of ${keys}. It is left out.`);
      continue;
    }
    const { value, complaint } = understood(control, said, text);
    state[control.key] = value;
    if (complaint) complaints.push(complaint);
  }
  return { state, complaints };
}

// A sentence for each part that bears none of the names of a page's sets of controls. What has
// neither a dot nor a value is a place on the page, "#observe", and no part.
export function strangers(hash, names) {
  const said = pairs(hash).filter(([key, , given]) => given && !names.includes(ownerOf(key)));
  return said.map(([key]) => {
    return `The link says “${key}”; on this page it can speak of ${names.join(", ")}. It is left out.`;
  });
}

const full = (key, name) => (name ? `${name}.${key}` : key);
const ownerOf = (said) => said.slice(0, Math.max(0, said.lastIndexOf(".")));

// [key, text, whether there was a "="] for each part of a link.
function pairs(hash) {
  return hash.replace(/^#/, "").split("&").filter(Boolean).map((part) => {
    const [key, ...rest] = part.split("=");
    return [...[key, rest.join("=")].map(readable), rest.length > 0];
  });
}

function readable(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lonely % sign
  }
}

function understood({ start, values, choices }, key, text) {
  const said = `The link says ${key} = “${text}”`;
  if (choices) {
    const names = choices.map(([value]) => String(value));
    if (names.includes(text)) return { value: choices[names.indexOf(text)][0] };
    return { value: start, complaint: `${said}; it can be ${names.join(", ")}. It is ${start} now.` };
  }
  const wanted = text.trim() === "" ? NaN : Number(text);
  const [least, most] = [values[0], values.at(-1)];
  if (!(wanted >= least && wanted <= most)) {
    const complaint = `${said}; it can be a number from ${least} to ${most}. It is ${start} now.`;
    return { value: start, complaint };
  }
  const value = nearest(values, wanted);
  const near = Math.abs(value - wanted) <= 1e-9 * Math.abs(wanted);
  return near ? { value } : { value, complaint: `${said}; the nearest that there is, ${value}, is taken.` };
}

function nearest(values, wanted) {
  const far = (value) => Math.abs(value - wanted);
  return values.reduce((best, value) => (far(value) < far(best) ? value : best));
}
