// Moments of the lessons. `settings` are changes to the defaults; `lesson` is the slug of the
// notebook that explains it; the tests train the first seed of each and ask for the word in `after`:
// steps, badge.

export const PRESETS = [
  {
    name: "Nothing moves",
    settings: {},
    say: "PyTorch's own first weights, thirty layers of tanh. Look at the gradient of the first layer. What changes if you only draw the weights by Glorot's law?",
    lesson: "initialization", title: "Initialization, depth and width",
    after: [100, "vanishes"],
  },
  {
    name: "One word mends it",
    settings: { init: "glorot_normal" },
    say: "The same network and the same rate; the weights are drawn a little larger. Does every seed learn?",
    lesson: "initialization", title: "Initialization, depth and width",
    after: [250, "healthy"],
  },
  {
    name: "Sigmoid fades",
    settings: { activation: "sigmoid", init: "glorot_normal", depth: 20 },
    say: "A sigmoid's slope is at most a quarter. What do twenty of them leave of a gradient?",
    lesson: "sigmoid_saturation", title: "Sigmoid saturation",
    after: [100, "vanishes"],
  },
  {
    name: "It explodes",
    settings: { activation: "relu", init: "he_normal", gain: 1.5, rate: 0.01 },
    say: "Weights half as large again as they should be. How many steps until no number is left?",
    lesson: "blow_up", title: "When training blows up",
    after: [10, "explodes"],
  },
  {
    name: "Healthy gradients, no learning",
    settings: { activation: "relu", init: "he_normal", depth: 50, rate: 0.003 },
    say: "The right size of weights for ReLU, so that gradients neither vanish nor explode. Look at the picture of the last layer: can it still tell the digits apart?",
    lesson: "degeneracy", title: "Degeneracy",
    after: [100, "degenerate"],
  },
  {
    name: "One line mends that",
    settings: { activation: "relu", init: "he_normal", depth: 50, rate: 0.003, skip: "scaled" },
    say: "The same network with one more plus sign: each block adds to the signal instead of replacing it.",
    lesson: "skip_connections", title: "Skip connections",
    after: [480, "healthy"],
  },
  {
    name: "All directions survive",
    settings: { init: "orthogonal", depth: 50 },
    say: "Fifty layers, no skip, no norm: orthogonal weights turn the signal without losing a direction. Compare the rank with that of Glorot's weights.",
    lesson: "isometry", title: "Isometry",
    after: [160, "healthy"],
  },
  {
    name: "A norm alone",
    settings: { activation: "relu", init: "he_normal", depth: 50, norm: "batch" },
    say: "Batch norm keeps every signal at the right size. And the gradient, on its way back?",
    lesson: "norms", title: "Norms",
    after: [0, "explodes"],
  },
  {
    name: "Fifty plain layers learn",
    settings: { activation: "relu", init: "looks-linear", depth: 50, rate: 0.005 },
    say: "ReLU, no skip, no norm. Half of the units mirror the other half, so the network starts as a linear one and bends as it learns.",
    lesson: "starts", title: "Starts",
    after: [80, "healthy"],
  },
];
