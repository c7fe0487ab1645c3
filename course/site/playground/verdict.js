// What is seen in a run, in a word and a sentence or two.
//
// A ratio alone is no illness: gradients that differ a thousandfold are one only while the loss
// does not fall. So what learns is healthy, and else the first of these that holds is named.

import { count, median, number, percent } from "./words.js";

const FAR = 1000; // first and last layer this many times apart: vanished, or exploded
const NARROW = 0.15; // the last layer's rank as a share of the widest layer's: degenerate below
const PATIENCE = 100; // steps after which a loss should have fallen
const HOLD = 1.3; // a word that stands goes when its limit is missed by this factor: else it flickers

// The run keeps the word: near a limit it stands.
export function verdict(run) {
  const facts = read(run);
  const { word, because } = judge(facts, run.word);
  run.word = word;
  return { word, sentence: `${because} ${aboutLoss(facts)}`.trim(), facts };
}

// The numbers that decide: medians over the seeds.
function read({ members, measures, steps, data }) {
  const middle = (of) => median(measures.map(of));
  const levels = members.map(({ losses }) => losses.level);
  return {
    steps,
    guess: Math.log(data.classes),
    loss: steps > 0 ? median(levels) : middle(({ loss }) => loss),
    lost: steps > 0 ? levels.filter((level) => !Number.isFinite(level)).length : 0,
    seeds: members.length,
    right: middle(({ right }) => right),
    growth: middle(({ sizes }) => sizes.at(-1) / sizes[0]),
    back: middle(({ gradients }) => gradients[0] / gradients.at(-1)),
    zero: middle(({ gradients, sizes }) => Math.min(gradients[0], sizes.at(-1))) === 0,
    finite: measures.every(({ loss, gradients }) =>
      [loss, ...gradients].every((value) => Number.isFinite(value)),
    ),
    rank: middle(({ ranks }) => ranks.at(-1)),
    widest: middle(({ ranks }) => Math.max(...ranks)),
  };
}

// before: the word that stands, if any.
function judge(facts, before) {
  const hold = (word) => (word === before ? HOLD : 1);
  const { steps, loss, guess, lost, finite, growth, back, zero, rank, widest } = facts;
  const times = (ratio) => `${number(ratio)} times`;
  if (lost > 0 || !finite) {
    const which = lost > 0 ? `${lost} of ${count(facts.seeds, "run")}` : "the first pass";
    return { word: "explodes", because: `Numbers grew past what a computer holds in ${which}.` };
  }
  if (steps > 0 && loss < 0.5 * hold("healthy") * guess) {
    return { word: "healthy", because: "The network learns." };
  }
  if (zero) return { word: "vanishes", because: "Nothing passes: a signal or gradient is exactly 0." };
  if (Math.max(back, growth) * hold("explodes") > FAR) {
    const signal = `From the first layer to the last the signal grows ${times(growth)}.`;
    const gradient = `On its way back the gradient grows ${times(back)}.`;
    return { word: "explodes", because: growth > back ? signal : gradient };
  }
  if (back < hold("vanishes") / FAR) {
    return {
      word: "vanishes",
      because: `The first layer's gradient is ${times(back)} the last one's: too little to learn from.`,
    };
  }
  if (growth < hold("vanishes") / FAR) {
    return {
      word: "vanishes",
      because: `The last layer's signal is ${times(growth)} the first one's: the examples fade away.`,
    };
  }
  if (rank < hold("degenerate") * Math.max(1.2, NARROW * widest)) {
    return {
      word: "degenerate",
      because: `Gradients have a fair size, but at the last layer the examples differ in only about ${number(rank)} directions, of ${number(widest)} before: all look alike.`,
    };
  }
  if (steps >= PATIENCE && loss > 0.9 * guess) {
    return {
      word: "no progress",
      because: "Signals, gradients and directions look well, and still nothing is learned: try another learning rate.",
    };
  }
  return { word: "healthy", because: "Signals, gradients and directions survive the depth." };
}

function aboutLoss({ steps, loss, guess, right, lost }) {
  if (steps === 0) return "Not trained yet.";
  if (lost > 0) return "";
  const compared = loss > 1.1 * guess ? "worse than guessing" : loss > 0.9 * guess ? "guessing" : "";
  const level = compared ? `${number(loss)}, ${compared}` : number(loss);
  return `After ${count(steps, "step")} the loss is ${level}; ${percent(right)} are right.`;
}
