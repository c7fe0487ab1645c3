// The settings of the playground: their controls, and the whole state as a link, #depth=50&gain=1.1

import { joined, parts, stateOf } from "./links.js";

const RATES = [-6, -5, -4, -3, -2, -1, 0].flatMap((exponent) =>
  [1, 1.5, 2, 3, 5, 7].map((leading) => Number(`${leading}e${exponent}`)),
).concat(10);

const range = (least, most, step) =>
  Array.from({ length: Math.round((most - least) / step) + 1 }, (_, k) =>
    Number((least + k * step).toFixed(2)),
  );

// key, label, what a tooltip says, group; values: all that a slider can take, or choices: [value, name].
export const CONTROLS = [
  {
    key: "data", label: "Data", group: "The task", start: "digits",
    help: "500 handwritten digits, or points of two classes in the plane",
    choices: [["digits", "digits"], ["circles", "circles"], ["spiral", "spiral"], ["xor", "xor"]],
  },
  {
    key: "depth", label: "Depth", group: "The network", start: 30, values: range(1, 50, 1),
    help: "How many blocks of layers stand between the first layer and the output",
  },
  {
    key: "width", label: "Width", group: "The network", start: 32, values: range(2, 64, 2),
    help: "How many units each layer has",
  },
  {
    key: "activation", label: "Activation", group: "The network", start: "tanh",
    help: "What each unit does to the sum that it receives",
    choices: [
      ["identity", "none (linear)"], ["sigmoid", "sigmoid"], ["tanh", "tanh"], ["relu", "ReLU"],
      ["leaky-relu", "leaky ReLU"], ["gelu", "GELU"], ["selu", "SELU"],
    ],
  },
  {
    key: "skip", label: "Skip connections", group: "The network", start: "none",
    help: "Ways around each block, on which the signal passes unchanged",
    choices: [["none", "none"], ["residual", "residual"], ["scaled", "scaled 1/√depth"]],
  },
  {
    key: "norm", label: "Norm", group: "The network", start: "none",
    help: "Brings signals back to mean 0 and variance 1: a unit over the batch, or an example over its units",
    choices: [["none", "none"], ["batch", "batch norm"], ["layer", "layer norm"]],
  },
  {
    key: "init", label: "First weights", group: "The network", start: "torch_default",
    help: "The law by which the weights are drawn before training",
    choices: [
      ["torch_default", "PyTorch's"], ["lecun_normal", "LeCun"], ["glorot_normal", "Glorot (Xavier)"],
      ["he_normal", "He (Kaiming)"], ["orthogonal", "orthogonal"], ["looks-linear", "looks linear"],
    ],
  },
  {
    key: "gain", label: "Gain", group: "The network", start: 1, values: range(0, 3, 0.05),
    help: "All first weights are multiplied by this number",
  },
  {
    key: "optimizer", label: "Optimizer", group: "The training", start: "sgd",
    help: "How a step is made from the gradient",
    choices: [["sgd", "SGD"], ["momentum", "SGD with momentum 0.9"], ["adam", "Adam"]],
  },
  {
    key: "rate", label: "Learning rate", group: "The training", start: 0.03, values: RATES,
    help: "How far each step goes. It acts on the training that runs",
  },
  {
    key: "batch", label: "Batch", group: "The training", start: 32, values: [4, 8, 16, 32, 64, 128, 200],
    help: "Examples for each step. It acts on the training that runs",
  },
  {
    key: "seeds", label: "Seeds at once", group: "The training", start: 3, values: [1, 2, 3, 4, 5],
    help: "How often the same network is trained, from other random first weights",
  },
];

export const DEFAULTS = Object.fromEntries(CONTROLS.map(({ key, start }) => [key, start]));
export const LIVE = ["rate", "batch", "optimizer"]; // what a running training takes up

// All that differs from the defaults, as the end of an address: "#depth=50&gain=1.1", or "".
export const toLink = (state) => joined(parts(state, CONTROLS));

// The state of a link, and complaints: a sentence for each part that means nothing here.
export const fromLink = (hash) => stateOf(hash, CONTROLS);
