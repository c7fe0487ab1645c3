"""What can be wrong with a network: name, meaning, remedies (each with its check) and lesson."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Remedy:
    """What to do, and what it should change in which measurement, so that one can check it."""

    do: str
    check: str


@dataclass(frozen=True)
class Illness:
    """What it means, what to try (the first first), and the notebook that explains it, by slug."""

    means: str
    remedies: tuple[Remedy, ...]
    lesson: str


def _illness(means: str, lesson: str, *remedies: tuple[str, str]) -> Illness:
    return Illness(means, tuple(Remedy(*remedy) for remedy in remedies), lesson)


FALLS = "the loss of the trial steps falls below that of the best constant answer"
SAME_SIZE = "gradients of the first and the last layer come within a factor of 100"

ILLNESSES: dict[str, Illness] = {
    "does not run": _illness(
        "One training step raises an error, so nothing can be learned.",
        "start_here",
        ("mend what the message names", "one step runs"),
    ),
    "not finite": _illness(
        "NaN or infinity appears; from there on every number is lost.",
        "blow_up",
        (
            "look at the first layer that is named, and at what goes into it (logarithm, root, "
            "division)",
            "the share of numbers that are not finite there is 0",
        ),
    ),
    "input not finite": _illness(
        "The data hold NaN or infinity before the network does anything.",
        "blow_up",
        ("replace or drop these examples", "every input is finite"),
    ),
    "float16 overflow": _illness(
        "Numbers leave the range of float16 (largest 65,504; below 6e-8 all is 0). The same copy "
        "in float32 stays finite.",
        "blow_up",
        ("use bfloat16, or float32 with autocast", "every layer's output is finite"),
        ("scale the loss (torch.amp.GradScaler)", "gradients are neither infinite nor 0"),
    ),
    "constant input": _illness(
        "All examples are the same, so no answer can depend on them.",
        "start_here",
        ("look at what the loader returns", "the spread of the inputs is not 0"),
    ),
    "constant label": _illness(
        "All examples have the same label: one answer is always right, and nothing is learned.",
        "start_here",
        (
            "look at ten labels, and at what was done to them (a division, a cast to integers)",
            "labels have as many values as there are classes",
        ),
    ),
    "same batch again and again": _illness(
        "The loader gives one batch over and over: the rest of the data is never seen.",
        "start_here",
        ("let the loader move on, and shuffle", "two batches in a row differ"),
    ),
    "sorted labels": _illness(
        "Each batch holds few classes, in long runs: the network learns the class of the hour.",
        "start_here",
        ("shuffle the examples", "a batch holds as many classes as the data"),
    ),
    "badly scaled input": _illness(
        "Inputs are so large, so small or so far from 0 that the first layer works outside of its "
        "range. The same copy with standardized inputs learns.",
        "initialization",
        ("standardize each input: take off its mean, divide by its SD", FALLS),
        ("put a norm layer first", FALLS),
    ),
    "badly scaled target": _illness(
        "Targets are so large, so small or so far from 0 that the network has to walk far before "
        "it can answer. The same copy with standardized targets learns.",
        "initialization",
        ("standardize the targets, and undo it in the answers", FALLS),
    ),
    "labels do not belong to inputs": _illness(
        "Neighbours among the inputs carry unrelated labels, and what is learned does not carry "
        "over to other batches: labels were shuffled, shifted, or belong to other inputs.",
        "degradation",
        (
            "look at ten inputs with their labels",
            "neighbours among the inputs agree in their label more often than by chance",
        ),
    ),
    "layers in a list": _illness(
        "Layers lie in a Python list or dict: torch doesn't know them, the optimizer neither.",
        "start_here",
        ("use nn.ModuleList or nn.ModuleDict", "model.parameters() has their weights"),
    ),
    "detached": _illness(
        "These parameters can be trained, but no gradient comes to them: the way from the loss is "
        "cut by detach, no_grad, .data, numpy, or a result that is not differentiable.",
        "scalar_chain",
        ("take out the cut", "every trainable parameter has a gradient"),
    ),
    "frozen by mistake": _illness(
        "These parameters are frozen, and still as they were drawn: random numbers for good.",
        "start_here",
        ("set requires_grad = True", "they move in a step"),
    ),
    "not in the optimizer": _illness(
        "These parameters get gradients, and the optimizer doesn't know them: they never move.",
        "start_here",
        (
            "give model.parameters() to the optimizer, after the model is complete",
            "they move in a step",
        ),
    ),
    "evaluation mode": _illness(
        "Batch norm is in evaluation mode with the statistics of its start: it normalizes nothing.",
        "norms",
        ("call model.train() before training", "running statistics move in a step"),
    ),
    "batch of one under batch norm": _illness(
        "Batch norm takes its statistics from a batch of one example: it wipes out what the "
        "example says, or fails.",
        "norms",
        ("use larger batches", "a batch has at least 8 examples"),
        ("use group norm or layer norm", FALLS),
    ),
    "softmax before cross-entropy": _illness(
        "Cross-entropy takes logits and applies softmax itself. Probabilities are squeezed a "
        "second time: the loss cannot come near 0, and gradients are small.",
        "sigmoid_saturation",
        (
            "drop the softmax, in the model or before the loss",
            "rows that go into the loss no longer sum to 1; the loss can fall further",
        ),
    ),
    "sigmoid twice": _illness(
        "The loss applies a sigmoid itself, and gets what went through one already: answers stay "
        "between 0.5 and 0.73.",
        "sigmoid_saturation",
        (
            "drop the sigmoid of the model, or use the loss without logits",
            "what goes into the loss leaves the range 0 to 1",
        ),
    ),
    "missing sigmoid or softmax": _illness(
        "The loss expects probabilities (or their logarithms) and gets plain numbers: it is "
        "undefined, or can fall without limit.",
        "sigmoid_saturation",
        (
            "use the loss with logits: cross_entropy, binary_cross_entropy_with_logits",
            "the loss is never below 0",
        ),
    ),
    "softmax over the wrong axis": _illness(
        "A softmax runs over an axis that is not that of the classes (of one unit, or of the "
        "batch), so the answer says nothing of the example.",
        "sigmoid_saturation",
        (
            "for one unit use a sigmoid; else softmax over the axis of the classes",
            "answers differ from example to example",
        ),
    ),
    "target out of reach": _illness(
        "The last function of the network has limits, and the targets lie beyond them: the best "
        "answer sits at a limit, where the gradient is 0.",
        "sigmoid_saturation",
        ("leave the last function out, or take one that reaches the targets", FALLS),
        ("bring the targets within its limits, and undo it in the answers", FALLS),
    ),
    "broadcast in the loss": _illness(
        "Answers (N, 1) meet targets (N,): each is compared with all, (N, N), and the best answer "
        "is the mean of the targets.",
        "start_here",
        (
            "bring both to one shape: output.squeeze(1), or target[:, None]",
            "shapes in the loss are equal; " + FALLS,
        ),
    ),
    "symmetric start": _illness(
        "All units of a layer begin alike, get the same gradient, and stay alike: the layer is "
        "one unit wide.",
        "initialization",
        ("draw the weights at random, He or Glorot", "rows of the weight differ after a step"),
    ),
    "dead units": _illness(
        "Units of a ReLU layer give 0 for every example of several batches: no signal and no "
        "gradient pass.",
        "relu_family",
        ("set their biases to 0, draw the weights anew", "the share of dead units is under a half"),
        ("use leaky ReLU or GELU", FALLS),
    ),
    "saturated units": _illness(
        "Nearly all units sit where the activation is flat, so hardly any gradient passes.",
        "sigmoid_saturation",
        ("divide the weights: SD 1/sqrt(inputs)", "the share of flat units is under a half"),
        ("put a norm layer before the activation", FALLS),
    ),
    "vanishing gradients": _illness(
        "Gradients shrink by a factor with every layer on the way back: the first layers hardly "
        "move.",
        "sigmoid_saturation",
        ("draw the weights to keep sizes: He for ReLU, Glorot for tanh", SAME_SIZE),
        ("add skips, or norm layers", SAME_SIZE),
        ("use ReLU or GELU instead of sigmoid", SAME_SIZE),
    ),
    "exploding gradients": _illness(
        "Signals or gradients grow by a factor with every layer.",
        "blow_up",
        ("divide the weights: He or Glorot", SAME_SIZE),
        ("put norm layers, or divide branches by the root of their number", SAME_SIZE),
        ("clip the gradient", "the loss stays finite"),
    ),
    "exploding through batch norm": _illness(
        "Batch norm keeps the signals' size, and so multiplies gradients by 1.21 (for ReLU) with "
        "every layer on the way back; inputs lose their neighbours on the way.",
        "norms",
        ("add skips", "gradients grow with a power of the depth, not exponentially"),
        ("fewer layers without skips", SAME_SIZE),
    ),
    "collapsed representation": _illness(
        "Gradients are of a fair size, but all examples look alike in the deep layers: what tells "
        "them apart is lost.",
        "degeneracy",
        ("add skips", "the mean cosine in the last layers is clearly below 1"),
        ("orthogonal or looks-linear weights", "the same"),
    ),
    "attention at rank one": _illness(
        "All positions of a sequence carry the same vector after some layers of attention.",
        "degeneracy",
        ("add skips around attention", "the distance to the mean over positions stays above 0.1"),
    ),
    "decayed to a standstill": _illness(
        "Weight decay pulls harder than the gradient: weights shrink to 0. Without it the same "
        "copy learns.",
        "blow_up",
        ("divide the weight decay by 100", "the length of the weights stays; " + FALLS),
    ),
    "clipped to a standstill": _illness(
        "The gradient is clipped to so little that weights hardly move. Without the clip the same "
        "copy learns.",
        "blow_up",
        ("clip at the gradient's usual size or above", "most steps are not clipped"),
    ),
    "gradients pile up": _illness(
        "p.grad is the sum over many passes: zero_grad is missing.",
        "scalar_chain",
        (
            "call optimizer.zero_grad() before each backward pass",
            "p.grad is of the size of one pass's gradient",
        ),
    ),
    "no warm-up under post-norm": _illness(
        "Norm layers sit after the sums (post-LN): the first steps at the full rate throw the "
        "network off. The same copy with the rate ramped up learns.",
        "norms",
        ("ramp the rate up over the first steps", FALLS),
        ("norm inside the branch (norm_first=True)", FALLS),
    ),
    "rate too large": _illness(
        "Steps overshoot: the loss rises, swings or stays up. With a smaller rate the same copy "
        "learns.",
        "sigmoid_saturation",
        ("take the rate that the evidence names", FALLS),
        ("clip the gradient, or ramp the rate up", "the loss no longer rises"),
    ),
    "rate too small": _illness(
        "The loss hardly moves. With a larger rate the same copy learns.",
        "blow_up",
        ("take the rate that the evidence names", "updates are about 1e-3 of the weights"),
    ),
}
"""In the order from root to consequence: of two that are found, the earlier is named."""
