// The page: one state, one run, and a loop that steps, measures and draws.

import { element, makeControls } from "./controls.js";
import { examples } from "./data.js";
import { drawNetwork } from "./diagram.js";
import { drawDecisions, drawDirections, drawLoss, drawRanks, drawSizes } from "./pictures.js";
import { PRESETS } from "./presets.js";
import { LIVE, fromLink, toLink } from "./state.js";
import { Run } from "./training.js";
import { verdict } from "./verdict.js";

const BUDGET = 8; // milliseconds of steps in a frame: the rest is for drawing
const OLD = 3; // earlier curves that stay
const CALM = matchMedia("(prefers-reduced-motion: reduce)"); // then nothing starts by itself

const $ = (id) => document.getElementById(id);
const stored = JSON.parse($("stored").textContent);

let { state, complaints } = fromLink(location.hash);
let run = null;
let playing = false;
let old = [];
let memory = {};
let pace = { since: 0, frames: 0, steps: 0, drawn: 0 };

// A new run of this state from step 0; the curve of the last one stays, pale.
function restart() {
  if (run?.steps >= 20) old = [...old, run.members[0].losses].slice(-OLD);
  if (run && run.data.name !== state.data) old = []; // losses of another task can't be compared
  run = new Run(state, examples(state.data, stored));
  memory = {};
  draw();
  announce();
}

function change(key, value) {
  state = { ...state, [key]: value };
  complain([]);
  about(null);
  history.replaceState(null, "", location.pathname + location.search + toLink(state));
  if (!LIVE.includes(key)) return restart();
  run.settings[key] = value;
  if (key === "optimizer") run.restartOptimizer();
}

// To another state at once: a link or a preset.
function go(next, problems = []) {
  state = next;
  showControls(state);
  complain(problems);
  history.replaceState(null, "", location.pathname + location.search + toLink(state));
  restart();
}

function complain(sentences) {
  $("complaints").replaceChildren(...sentences.map((textContent) => element("p", { textContent })));
}

function play(on) {
  playing = on && !run.lost;
  $("play").textContent = playing ? "Pause" : "Play";
  $("play").classList.toggle("on", playing);
  pace = { since: performance.now(), frames: 0, steps: 0, drawn: 0 };
  if (playing) return requestAnimationFrame(frame);
  run.measureAll();
  draw();
  announce();
}

// As many steps as fit into a frame, at least one.
function frame(now) {
  if (!playing) return;
  let measured = false;
  const start = performance.now();
  do {
    measured = run.step() || measured;
    pace.steps += 1;
  } while (performance.now() - start < BUDGET && !run.lost && pace.steps < 8 * (pace.frames + 1));
  pace.frames += 1;
  if (run.lost) return play(false);
  if (!CALM.matches || now - pace.drawn > 1000) { // a picture a second is no motion
    draw(measured);
    pace.drawn = now;
  }
  if (now - pace.since > 1000) {
    const per = (many) => Math.round((1000 * many) / (now - pace.since));
    $("pace").textContent = `${per(pace.steps)} steps and ${per(pace.frames)} pictures a second`;
    pace = { ...pace, since: now, frames: 0, steps: 0 };
  }
  requestAnimationFrame(frame);
}

// Steps without a loop: the button, the console and tests.
function advance(steps) {
  for (let k = 0; k < steps && !run.lost; k++) run.step(false);
  run.measureAll();
  draw();
  announce();
}

function draw(all = true) {
  picture("loss", drawLoss, run, old);
  $("steps").textContent = run.steps.toLocaleString("en");
  if (!all) return;
  picture("network", drawNetwork, run);
  picture("sizes", drawSizes, run);
  picture("ranks", drawRanks, run);
  const plane = run.data.inputs === 2;
  picture("last", plane ? drawDecisions : drawDirections, run, memory);
  $("last-title").textContent = plane ? "What the network says where" : "What the last layer sees";
  const { word, sentence } = verdict(run);
  $("badge").textContent = word;
  $("badge").dataset.word = word;
  $("sentence").textContent = sentence;
}

function picture(name, drawn, ...given) {
  const canvas = $(name);
  const words = drawn(canvas, ...given);
  canvas.setAttribute("aria-label", words);
  const caption = $(`${name}-words`);
  if (caption) caption.textContent = words;
}

// Read aloud when something has come to rest, not at every picture.
function announce() {
  if (playing) return;
  const { word, sentence } = verdict(run);
  $("aloud").textContent = `${word}: ${sentence}`;
}

// The preset that is shown: what to look at, and the lesson that explains it.
function about(preset) {
  for (const button of $("presets").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.textContent === preset?.name));
  }
  const text = preset?.say ?? "Your own network. What do you expect? Press Play, and see.";
  $("about").replaceChildren(text);
  if (!preset) return;
  const address = stored.lessons[preset.lesson];
  const title = `Lesson: ${preset.title}`;
  const lesson = address ? element("a", { href: address, textContent: title }) : title;
  $("about").append(" ", lesson);
}

function makePresets() {
  for (const preset of PRESETS) {
    const button = element("button", { type: "button", textContent: preset.name });
    button.addEventListener("click", () => {
      go({ ...fromLink("").state, ...preset.settings });
      about(preset);
      play(!CALM.matches);
    });
    $("presets").append(element("li", {}, button));
  }
}

function presetOf(link) {
  return PRESETS.find(({ settings }) => toLink({ ...fromLink("").state, ...settings }) === link);
}

async function copyLink() {
  const address = location.href.split("#")[0] + toLink(state);
  try {
    await navigator.clipboard.writeText(address);
    $("copied").textContent = "Copied.";
  } catch {
    $("copied").textContent = "Copy the address of this page: it holds all settings.";
  }
}

const showControls = makeControls($("controls"), change);
makePresets();
$("play").addEventListener("click", () => play(!playing));
$("step").addEventListener("click", () => {
  if (playing) play(false);
  advance(1);
});
$("restart").addEventListener("click", restart);
$("link").addEventListener("click", copyLink);
addEventListener("hashchange", () => {
  const { state: next, complaints: problems } = fromLink(location.hash);
  go(next, problems);
  about(presetOf(toLink(next)));
});
addEventListener("resize", () => draw());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw());

go(state, complaints);
about(presetOf(toLink(state)));
// For the console, and for tests: playground.advance(100), playground.run.measures
globalThis.playground = {
  advance,
  get run() {
    return run;
  },
};
