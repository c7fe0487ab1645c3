// The page's half of course/live/picture.py: swap decoded pictures, name the controls, draw layers.

import { KEY, drawRows, isDark } from "./js/caption.js";
import { typed } from "./js/numbers.js";

const PIECE = 8192; // bytes that are handed to a function at once
const INVISIBLE = /[\s\u200b]+/g; // ipywidgets fills an empty label with a zero-width space
const AGAIN = "The kernel that moved this picture is gone. Run this cell to bring the sliders back.";

function set(node, attribute, value) {
  if (node.getAttribute(attribute) !== value) node.setAttribute(attribute, value);
}

function nameControls(panel) {
  for (const label of panel.querySelectorAll(".widget-label")) {
    const name = label.textContent.replace(INVISIBLE, " ").trim();
    const control = label.parentElement;
    if (!name || !control || control.matches(".widget-container")) continue; // a title names none
    const readout = control.querySelector(".widget-readout");
    if (readout && control.classList.contains("course-log")) plain(readout);
    const handles = [...control.querySelectorAll("[role=slider]")];
    handles.forEach((handle, k) => {
      const which = handles.length === 2 ? [" (from)", " (to)"][k] : "";
      set(handle, "aria-label", name + which);
      // The slider says 1.0499999999999998, or the exponent, or an index: say what is shown.
      if (readout && handles.length === 1) set(handle, "aria-valuetext", readout.textContent);
    });
    if (readout) {
      set(readout, "role", "textbox");
      set(readout, "aria-label", `${name} (value)`);
    }
    fill(control, handles);
    const several = control.querySelector("input[type=radio], .widget-toggle-button");
    if (several) {
      set(control, "role", several.matches("input") ? "radiogroup" : "group");
      set(control, "aria-label", name);
      continue; // each option has its own label
    }
    for (const field of control.querySelectorAll("input, select, textarea")) {
      set(field, "aria-label", name);
    }
  }
  for (const bar of panel.querySelectorAll(".widget-hprogress .progress-bar")) {
    set(bar, "role", "progressbar");
    set(bar, "aria-label", "progress");
    set(bar, "aria-valuenow", String(Math.round(parseFloat(bar.style.width) || 0)));
  }
}

// 0.01 and 1 in the place of 1.0e-2 and 1.0e+0, which d3 writes.
function plain(readout) {
  const text = typed(Number(readout.textContent));
  if (text !== "NaN" && text !== readout.textContent) readout.textContent = text;
}

// The track up to the handle, or from 0 where the slider has both signs; a logarithmic one has none.
function fill(control, handles) {
  const track = control.querySelector(".noUi-connects");
  if (!track || handles.length !== 1) return;
  const [low, high, now] = ["min", "max", "now"].map((key) =>
    parseFloat(handles[0].getAttribute(`aria-value${key}`)),
  );
  if (!(high > low)) return;
  const share = (value) => `${((100 * (value - low)) / (high - low)).toFixed(2)}%`;
  const signs = low < 0 && high > 0 && !control.classList.contains("course-log");
  const zero = signs ? 0 : low;
  const [from, to] = [Math.min(zero, now), Math.max(zero, now)].map(share);
  if (track.dataset.filled === `${from} ${to}`) return;
  track.dataset.filled = `${from} ${to}`;
  const colour = "var(--jp-brand-color1, #1976d2)";
  const stops = `transparent ${from}, ${colour} ${from}, ${colour} ${to}, transparent ${to}`;
  track.style.background = `linear-gradient(to right, ${stops})`;
}

// PNG bytes as the address of an image. One that names a blob is looked up in another process of the
// browser, which takes some milliseconds more.
function addressOf({ buffer, byteOffset, byteLength }) {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  return `data:image/png;base64,${bytes.toBase64?.() ?? inPieces(bytes)}`;
}

// The same in browsers of before 2025, ten times slower.
function inPieces(bytes) {
  const pieces = [];
  for (let k = 0; k < bytes.length; k += PIECE) {
    pieces.push(String.fromCharCode(...bytes.subarray(k, k + PIECE)));
  }
  return btoa(pieces.join(""));
}

function render({ model, el }) {
  el.classList.add("course-picture");
  const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });
  const head = make("div", "course-picture-head");
  const badge = make("span", "course-picture-badge");
  const layers = Object.assign(make("canvas", "course-picture-layers"), { title: KEY });
  head.append(badge, layers);
  const frame = make("div", "course-picture-frame");
  const caption = make("details", "course-picture-caption");
  caption.setAttribute("aria-live", "polite");
  const summary = document.createElement("summary");
  const before = make("span", "course-picture-before");
  const [seen, rest] = [document.createTextNode(""), document.createTextNode("")];
  summary.append(before, seen);
  caption.append(summary, rest);
  const failure = make("div", "course-picture-failure");
  failure.setAttribute("role", "alert");
  const gone = Object.assign(make("div", "course-picture-gone"), { textContent: AGAIN });
  el.replaceChildren(gone, head, caption, failure); // the frame comes once its room is known

  let asked = 0; // pictures that began to decode
  let shown = 0; // the newest of them on the page: an older one that ends later is dropped
  let bytes = null;
  let ended = false;
  let measured = false; // whether the room in this page is known

  function words(image) {
    image?.setAttribute("alt", model.get("alt"));
    el.classList.toggle("course-picture-old", model.get("failure") !== "");
    const lines = model.get("caption").split(/(?<=\n)/);
    const line = Math.min(model.get("seen"), lines.length - 1);
    const say = (node, text) => node.textContent !== text && (node.textContent = text);
    say(before, lines.slice(0, line).join(""));
    say(seen, lines[line]);
    say(rest, lines.slice(line + 1).join(""));
    caption.classList.toggle("course-one-line", lines.length === 1);
    if (failure.textContent !== model.get("failure")) failure.textContent = model.get("failure");
    const rows = model.get("rows");
    head.hidden = !rows.length && !model.get("badge");
    badge.textContent = model.get("badge");
    badge.dataset.badge = model.get("badge");
    if (!head.hidden) drawRows(layers, rows, el.classList.contains("course-dark"));
  }

  const size = () => ["width", "height", "fits"].map((key) => model.get(key));

  // The room of the picture, or that of the one for this page, which is on its way.
  function makeRoom([width, height, fits]) {
    const room = model.get("room");
    const waits = fits !== room;
    if (waits && room) {
      const [full, row, column, narrow] = model.get("needs");
      height = room < narrow && room < full ? column : row;
      width = Math.min(full, room);
    }
    frame.style.width = `${width}px`;
    frame.style.height = `${height}px`;
    set(frame, "aria-busy", String(waits));
  }

  async function update() {
    const wanted = model.get("png");
    if (!(wanted?.byteLength ?? wanted?.length)) return; // an address: a recorded picture
    if (wanted === bytes) {
      if (asked === shown) makeRoom(size());
      return words(frame.firstChild);
    }
    bytes = wanted;
    const turn = ++asked;
    const drawn = size();
    if (!frame.firstChild) {
      makeRoom(drawn); // before the first one is decoded
      words(null);
    }
    const next = Object.assign(new Image(), { decoding: "sync" }); // seen whole, or not at all
    const src = wanted.byteLength ? addressOf(wanted) : wanted;
    try {
      await new Promise((load, error) => { // decode() would wait for another frame of the page
        Object.assign(next, { onload: load, onerror: error, src });
      });
    } catch {
      return;
    }
    if (turn < shown || ended) return;
    shown = turn;
    makeRoom(turn === asked ? size() : drawn);
    words(next);
    frame.replaceChildren(next);
  }

  const place = () => frame.isConnected || head.after(frame);

  // How much room there is, and how dense the screen: the kernel draws for it.
  function measure() {
    const width = Math.floor(el.parentElement?.clientWidth ?? 0);
    const ratio = Math.min(Math.max(Math.round(4 * window.devicePixelRatio) / 4, 1), 3);
    if (width < 100) return;
    measured = true;
    place();
    if (Math.abs(width - model.get("room")) < 8 && ratio === model.get("ratio")) return makeRoom(size());
    model.set("room", width);
    model.set("ratio", ratio);
    model.save_changes();
    makeRoom(size());
  }

  let timer = null;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      measure();
      place(); // also where no room can be told
      el.classList.toggle("course-dark", isDark(el));
      words(frame.firstChild);
    }, 120);
  };

  model.on("change", update);
  update();
  const theme = new MutationObserver(soon);
  theme.observe(document.body, { attributes: true });
  theme.observe(document.documentElement, { attributes: true });
  window.addEventListener("resize", soon);

  // The panel is known only once the picture stands in the page.
  const names = new MutationObserver(() => {
    nameControls(panel);
    names.takeRecords(); // what it changed itself: to be called for that again might never end
  });
  let panel = null;
  const placed = new ResizeObserver(() => {
    if (!measured) measure(); // at once for the first time: the picture for this page comes soon
    soon();
    const nearest = el.closest(".course-live");
    if (!nearest || nearest === panel) return;
    names.disconnect();
    panel = nearest;
    nameControls(panel);
    names.observe(panel, {
      childList: true,
      subtree: true,
      characterData: true,
      attributeFilter: ["aria-valuetext", "aria-valuenow", "style"],
    });
  });
  placed.observe(el);

  return () => {
    ended = true;
    clearTimeout(timer);
    model.off("change", update);
    window.removeEventListener("resize", soon);
    theme.disconnect();
    names.disconnect();
    placed.disconnect();
  };
}

export default { render };
