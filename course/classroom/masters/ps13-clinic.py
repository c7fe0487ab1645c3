# ---
# jupyter:
#   course:
#     title: "The clinic: a doctor of your own, and how to score one"
#     part: "III"
#     notebook: "13"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 13: the clinic
#
# You compute the numbers that a loss is compared with, find out whether labels belong to their inputs,
# write a doctor of your own, and score doctors. About 80 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-9))


# The chart of a network with four hidden layers, as one would measure it. Lists run from input to output.
#   loss: before the first and after the last of 60 training steps; constant: loss of the best constant answer;
#   gradient: length of the gradient at each layer; dead: share of units that are 0 for every example;
#   alike: mean cosine between examples; agree: share of inputs whose nearest neighbour has the same label;
#   chance: what `agree` would be if labels had nothing to do with inputs;
#   piled: length of what is in p.grad over the length of the gradient of one pass.
patient = {
    "loss": [2.31, 2.30], "constant": 2.30, "gradient": [0.9, 1.1, 0.8, 1.0], "dead": [0.0, 0.2, 0.1, 0.2],
    "alike": [0.71, 0.98, 0.996, 0.998], "agree": 0.94, "chance": 0.10, "piled": 1.0,
}

# %% [markdown]
# ## Problem 1, worked: a flat loss says little by itself
#
# The patient's loss went from 2.31 to 2.30. Is that much or little? It has ten classes of equal size, so an
# answer that ignores the input has at best $-\ln 0.1 = 2.303$. The network has learned that, and nothing more.

# %%
print("ten equal classes:", round(-math.log(0.1), 3))
print("two classes, 9 to 1:", round(-(0.9 * math.log(0.9) + 0.1 * math.log(0.1)), 3))

# %% [markdown]
# ## Problem 2, faded: two losses to compare with (3 points)
#
# `constant(labels)` is the cross-entropy of the best constant answer: it gives each class the share $p_k$ that it
# has among the labels, so it is $-\sum_k p_k \ln p_k$ over the classes that occur.
#
# `floor(classes)` is the least cross-entropy that a network can reach if a softmax stands before the loss. What
# goes into the loss are then probabilities, at best 1 for the right class and 0 for the others, and the loss puts
# them through a softmax once more.

# %% solution="losses"
def constant(labels):
    """Cross-entropy of the best constant answer to these labels (N,)."""
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    ### BEGIN SOLUTION
    return float(-np.sum(shares * np.log(shares)))
    ### END SOLUTION


def floor(classes):
    """Least cross-entropy where probabilities of so many classes go into it in place of logits."""
    ### BEGIN SOLUTION
    return math.log(math.e + classes - 1) - 1
    ### END SOLUTION


# %% check="losses-check"
assert not close(constant([0, 1, 2, 3]), -math.log(4)), "A loss is not below 0: look at the sign."
assert not close(constant([0, 1, 2, 3]), 2.0), "That is in bits: use the natural logarithm."
assert close(constant([0, 1, 2, 3]), math.log(4)), "Four equal classes: ln 4."
assert close(constant([7] * 5), 0.0), "If one class is always right, a constant answer has no loss."
assert constant([0] * 9 + [1]) < math.log(2), "Shares of 0.9 and 0.1: the answer follows the frequent class."
assert floor(10) > 0.5, "The loss applies its softmax to the probabilities: even 1 and nine times 0 end up near one another."
assert not close(floor(2), math.log(math.e + 1)), "Cross-entropy is the logarithm of the sum less the right class's own entry, here 1."
assert close(floor(2), -math.log(math.e / (math.e + 1))), "For two classes the largest share is e / (e + 1)."
print("Problem 2: right so far.")

# %% grade="losses-constant" points=1
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(131)
for count in (2, 5, 12):
    labels = rng.integers(0, count, 60) * 3 - 4
    shares = np.unique(labels, return_counts=True)[1] / 60
    expect(close(ask("constant(y)", y=labels), -np.sum(shares * np.log(shares))), f"constant: off for {count} classes.")
### END HIDDEN TESTS

# %% grade="losses-floor" points=2
### BEGIN HIDDEN TESTS
for count in (3, 10, 1000):
    expect(close(ask("floor(n)", n=count), math.log(math.e + count - 1) - 1), f"floor({count}) is off.")
### END HIDDEN TESTS

# %% mistake="sign" of="losses" fails=["losses-constant", "losses-floor"] hint="look at the sign"
def constant(labels):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(np.sum(shares * np.log(shares)))


def floor(classes):
    return 1 - math.log(math.e + classes - 1)


# %% mistake="the right class's entry is left out" of="losses" fails=["losses-floor"] hint="own entry"
def constant(labels):
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float(-np.sum(shares * np.log(shares)))


def floor(classes):
    return math.log(math.e + classes - 1)


# %% [markdown]
# ## Problem 3: do the labels belong to the inputs? (4 points)
#
# Alike inputs tend to have the same label. `agreement(x, y)` is the share of examples whose nearest *other*
# example (Euclidean distance between rows of `x`) has the same label. If labels were moved by some places
# against the inputs, it falls to chance, and rises again once they are moved back: `shift(x, y)` is the whole
# number from −3 to 3 for which `np.roll(y, shift)` agrees best.

# %% solution="labels"
def agreement(x, y):
    """Share of the rows of x (N, D) whose nearest other row has the same label in y (N,)."""
    ### BEGIN SOLUTION
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(distance, np.inf)
    return float(np.mean(y[distance.argmin(1)] == y))
    ### END SOLUTION


def shift(x, y):
    """The k from -3 to 3 for which np.roll(y, k) agrees best with x."""
    ### BEGIN SOLUTION
    return max(range(-3, 4), key=lambda k: agreement(x, np.roll(y, k)))
    ### END SOLUTION


# %% check="labels-check"
draw = np.random.default_rng(0)
y = draw.integers(0, 3, 60)
x = 10 * np.eye(3)[y] + draw.normal(size=(60, 3))
assert not close(agreement(x, draw.permutation(y)), 1.0), "Each example is its own nearest neighbour in your function: leave it out."
assert close(agreement(x, y), 1.0), "Three groups far apart: all neighbours agree."
assert close(agreement([[0.0], [1.0], [2.5]], [0, 1, 1]), 1 / 3), "The nearest of 0 is 1, of 1 is 0, of 2.5 is 1."
assert shift(x, y) == 0, "These labels are where they belong."
assert shift(x, np.roll(y, 2)) != 2, "Labels that were moved by 2 have to be moved back: which sign?"
assert shift(x, np.roll(y, 2)) == -2, "Try all of -3 to 3, and take the one that agrees best."
print("Problem 3: right so far.")

# %% grade="labels-agree" points=2
### BEGIN HIDDEN TESTS
for seed, count in ((132, 40), (133, 25)):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(count, 4)), rng.integers(0, 3, count)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1) + np.diag(np.full(count, np.inf))
    expect(close(ask("agreement(x, y)", x=x, y=y), np.mean(y[distance.argmin(1)] == y)), "agreement is off for random points.")
### END HIDDEN TESTS

# %% grade="labels-shift" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(134)
y = rng.integers(0, 4, 80)
x = 6 * np.eye(4)[y] + rng.normal(size=(80, 4))
for moved in (3, -1, 0, 2):
    expect(ask("shift(x, y)", x=x, y=np.roll(y, moved)) == -moved, f"shift: the labels were moved by {moved}.")
### END HIDDEN TESTS

# %% mistake="its own neighbour" of="labels" fails=["labels-agree", "labels-shift"] hint="leave it out"
def agreement(x, y):
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    return float(np.mean(y[distance.argmin(1)] == y))


def shift(x, y):
    return max(range(-3, 4), key=lambda k: agreement(x, np.roll(y, k)))


# %% mistake="moved the wrong way" of="labels" fails=["labels-shift"] hint="which sign"
def agreement(x, y):
    x, y = np.asarray(x, dtype=float), np.asarray(y)
    distance = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(distance, np.inf)
    return float(np.mean(y[distance.argmin(1)] == y))


def shift(x, y):
    return -max(range(-3, 4), key=lambda k: agreement(x, np.roll(y, k)))


# %% [markdown]
# ## Problem 4, open: a doctor of your own (4 points)
#
# Write `diagnose(chart)` for charts such as `patient`. It returns one of `"healthy"`, `"labels"`, `"piled up"`,
# `"dead"`, `"exploding"`, `"vanishing"`, `"collapsed"`, `"not sure"`. Order and thresholds are yours. Two faults
# are certain by sight, even where the loss falls: labels that agree with the inputs as by chance, and gradients
# that pile up. All else is a *symptom*, and counts only in a network that does not learn: one whose loss is not
# clearly below `constant`. Healthy networks may well have a third of their units dead or unequal gradients. Clear
# cases will be tried, healthy ones among them, and each of these with a twin that does not learn.

# %% solution="rule"
def diagnose(chart):
    """The name of what is wrong, or "healthy", or "not sure"."""
    ### BEGIN SOLUTION
    if chart["piled"] > 3:
        return "piled up"
    if chart["agree"] < chart["chance"] + 0.1:
        return "labels"
    now = chart["loss"][-1]
    if math.isfinite(now) and now < 0.9 * chart["constant"]:
        return "healthy"
    first, last = chart["gradient"][0], chart["gradient"][-1]
    if max(chart["dead"]) > 0.9:
        return "dead"
    if not math.isfinite(now) or not math.isfinite(first) or first > 1000 * last:
        return "exploding"
    if first < last / 1000:
        return "vanishing"
    return "collapsed" if chart["alike"][-1] > 0.97 else "not sure"
    ### END SOLUTION


# %% check="rule-check"
learns = {**patient, "loss": [2.31, 0.4], "alike": [0.3, 0.4, 0.4, 0.5]}
stuck = {**learns, "loss": [2.31, 2.30]}
assert diagnose(learns) == "healthy", "Its loss is far below that of a constant answer."
assert diagnose({**learns, "gradient": [900.0, 90.0, 9.0, 0.5]}) == "healthy", "Unequal gradients in a network that learns are no illness."
assert diagnose({**stuck, "gradient": [1e-7, 1e-5, 1e-3, 0.1]}) == "vanishing", "Gradients shrink a million times toward the input."
assert diagnose({**stuck, "gradient": [9e6, 3e4, 90.0, 0.1]}) == "exploding", "Gradients grow toward the input, where the list begins."
assert diagnose({**learns, "piled": 40.0}) == "piled up", "p.grad holds forty passes: certain, even though the loss falls."
assert diagnose(stuck) == "not sure", "Nothing is odd here but the loss: a doctor may say so."
print("Problem 4: right so far; your patient has:", diagnose(patient))

# %% grade="rule-sick" points=2
### BEGIN HIDDEN TESTS
base = {"loss": [1.12, 1.10], "constant": 1.10, "gradient": [1.2, 1.0, 0.9, 1.1, 1.0], "dead": [0.1, 0.2, 0.0, 0.3, 0.3],
        "alike": [0.2, 0.4, 0.5, 0.6, 0.6], "agree": 0.85, "chance": 0.34, "piled": 1.0}
sick = {
    "vanishing": {"gradient": [1e-9, 1e-7, 1e-5, 1e-3, 0.1]},
    "exploding": {"loss": [1.2, math.nan], "gradient": [1e12, 1e9, 1e6, 1e3, 1.0]},
    "dead": {"dead": [0.1, 0.3, 1.0, 1.0, 1.0], "gradient": [0.0, 0.0, 0.0, 0.0, 0.8]},
    "collapsed": {"alike": [0.6, 0.9, 0.99, 0.999, 0.9995]},
    "labels": {"agree": 0.33},
    "piled up": {"piled": 25.0},
    "not sure": {},
}
for name, changes in sick.items():
    said = ask("diagnose(c)", c={**base, **changes})
    expect(said == name, f"With {', '.join(changes) or 'only the loss'} out of order, {said!r} is not right.")
### END HIDDEN TESTS

# %% grade="rule-healthy" points=2
### BEGIN HIDDEN TESTS
base = {"loss": [2.4, 0.3], "constant": 2.30, "gradient": [1.2, 1.0, 0.9, 1.0], "dead": [0.1, 0.2, 0.0, 0.3],
        "alike": [0.2, 0.4, 0.5, 0.6], "agree": 0.95, "chance": 0.10, "piled": 1.0}
odd = [
    ({}, "not sure"),
    ({"dead": [0.1, 0.95, 0.4, 0.3]}, "dead"),
    ({"gradient": [5000.0, 300.0, 20.0, 1.0]}, "exploding"),
    ({"gradient": [1e-4, 1e-2, 0.3, 1.0]}, "vanishing"),
    ({"alike": [0.5, 0.9, 0.98, 0.99]}, "collapsed"),
]
for changes, name in odd:
    said = ask("diagnose(c)", c={**base, **changes})
    expect(said == "healthy", f"With odd {', '.join(changes) or 'nothing'} and a loss that falls, {said!r} is a false alarm.")
    said = ask("diagnose(c)", c={**base, **changes, "loss": [2.4, 2.31]})
    expect(said == name, f"With odd {', '.join(changes) or 'nothing'} and a flat loss, {said!r} is not right.")
said = ask("diagnose(c)", c={**base, "agree": 0.11})
expect(said == "labels", f"Labels that agree by chance, and a loss that falls by heart: {said!r} is not right.")
### END HIDDEN TESTS

# %% mistake="symptoms of networks that learn" of="rule" fails=["rule-healthy"] hint="learns are no illness"
def diagnose(chart):
    first, last = chart["gradient"][0], chart["gradient"][-1]
    if chart["piled"] > 3:
        return "piled up"
    if chart["agree"] < chart["chance"] + 0.1:
        return "labels"
    if max(chart["dead"]) > 0.9:
        return "dead"
    if not math.isfinite(chart["loss"][-1]) or first > 1000 * last:
        return "exploding"
    if first < last / 1000:
        return "vanishing"
    if chart["alike"][-1] > 0.97:
        return "collapsed"
    return "healthy" if chart["loss"][-1] < 0.9 * chart["constant"] else "not sure"


# %% mistake="ends swapped" of="rule" fails=["rule-sick", "rule-healthy"] hint="shrink a million times"
def diagnose(chart):
    if chart["piled"] > 3:
        return "piled up"
    if chart["agree"] < chart["chance"] + 0.1:
        return "labels"
    if chart["loss"][-1] < 0.9 * chart["constant"]:
        return "healthy"
    first, last = chart["gradient"][-1], chart["gradient"][0]
    return "exploding" if first > 1000 * last else "vanishing" if first < last / 1000 else "not sure"


# %% [markdown]
# ## Problem 5: score a doctor (2 points)
#
# `said` and `truth` are lists of names. `score(said, truth)` returns two shares: of the patients that are not
# `"healthy"`, how many were named right; of the healthy ones, how many were called anything else than
# `"healthy"`. A doctor who finds an illness in everyone has a 1 in the second place.

# %% solution="score"
def score(said, truth):
    """(share of the sick named right, share of the healthy that got another name)."""
    ### BEGIN SOLUTION
    said, truth = np.asarray(said), np.asarray(truth)
    well = truth == "healthy"
    return float(np.mean(said[~well] == truth[~well])), float(np.mean(said[well] != "healthy"))
    ### END SOLUTION


# %% check="score-check"
truth = ["dead", "healthy", "labels", "healthy", "dead", "vanishing"]
assert len(score(truth, truth)) == 2, "Return two numbers."
assert not close(score(truth, truth)[1], 1.0), "The second share counts false alarms: 0 for a perfect doctor."
assert close(score(truth, truth), (1.0, 0.0)), "Whoever says the truth has 1 and 0."
assert close(score(["dead"] * 6, truth), (0.5, 1.0)), "Two of the four sick ones are dead; both healthy ones are flagged."
assert close(score(["healthy"] * 6, truth), (0.0, 0.0)), "Who finds nothing flags nobody, and names nobody."
print("Problem 5: right so far.")

# %% grade="score-shares" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(135)
names = np.array(["healthy", "dead", "labels", "not sure"])
for count in (30, 50):
    said, truth = names[rng.integers(0, 4, count)], names[rng.integers(0, 3, count)]
    well = truth == "healthy"
    wanted = (np.mean(said[~well] == truth[~well]), np.mean(said[well] != "healthy"))
    expect(close(ask("score(s, t)", s=said.tolist(), t=truth.tolist()), wanted), f"score is off for {count} patients.")
### END HIDDEN TESTS

# %% mistake="healthy ones named right" of="score" fails=["score-shares"] hint="counts false alarms"
def score(said, truth):
    said, truth = np.asarray(said), np.asarray(truth)
    well = truth == "healthy"
    return float(np.mean(said[~well] == truth[~well])), float(np.mean(said[well] == "healthy"))


# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# A colleague shows you a tool that examined eleven sick networks and eight that train well. It named six of the
# sick ones right and found something in all eight healthy ones. Another tool named three of the sick ones right,
# and was silent on all healthy ones. Which of the two would you use on a network of your own, and for what? What
# does neither score tell you? Which two measurements would you make before you believe either? Four to eight
# sentences.

# %% [markdown] written="tools" points=4
# The first tool cries wolf: of the fourteen networks and more in which it finds something, eight are well, so its
# alarm says nothing about whether there is an illness at all. The second one names fewer, but what it says can be
# believed, so I would use it first, and the first one only as a list of things to look at in a network that
# certainly does not learn. Neither score says how the networks were drawn: with other illnesses, architectures
# or data the shares may be others, and nineteen networks leave wide margins (three of eleven is between 6 % and
# 61 %). Before I believe either I look at whether the loss falls below that of the best constant answer, and
# whether the remedy that it names makes the loss fall and changes the measurement that it should.
#
# Marks: 1 false alarms make the first tool's alarms worthless; 1 a use for each, or a reason against one; 1 what
# the scores leave out (how cases were chosen, few cases, place, remedy); 1 two measurements that could refute it.
