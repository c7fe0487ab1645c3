# ---
# jupyter:
#   course:
#     title: "Normalization, and the diagnosis of a network from its norms"
#     part: "III"
#     notebook: "12a"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 12: normalization and diagnosis
#
# The last set puts things together. You write the two normalizations, see why batch norm changes the
# learning rate behind your back, build the initialization that lets a plain network be as deep as a
# residual one, and diagnose networks from a table of norms alone. About 90 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-9))


# Per layer, from the input to the output, at the start of training (5 layers):
#   size: RMS of the activations; gradient: norm with respect to the activations;
#   off: share of units that are 0 for every input; flat: share of outputs on the flat ends of the
#   activation; alike: mean cosine between the activations of different inputs.
patient = {
    "size": [0.41, 0.17, 0.07, 0.029, 0.012],
    "gradient": [2e-5, 5e-5, 1.2e-4, 2.9e-4, 7e-4],
    "off": [0.0, 0.0, 0.0, 0.0, 0.0],
    "flat": [0.0, 0.0, 0.0, 0.0, 0.0],
    "alike": [0.31, 0.45, 0.55, 0.62, 0.67],
}

# %% [markdown]
# ## Problem 1, worked: with batch norm the scale of a weight does not matter
#
# $\mathrm{BN}(h\, (cW)) = \mathrm{BN}(h W)$, so the loss is the same for every $c > 0$. Differentiate with respect to $c$: the
# gradient is orthogonal to the weights. And at $cW$ it is $1/c$ times as long. Larger weights learn more slowly.

# %%
draw = np.random.default_rng(0)
h, w = draw.normal(size=(64, 5)), draw.normal(size=5)
for c in (1.0, 3.0):
    z = h @ (c * w)
    print(f"c = {c:g}: first three of BN(z):", np.round(((z - z.mean()) / z.std())[:3], 3))

# %% [markdown]
# ## Problem 2, faded: two normalizations (4 points)
#
# `z` has a row for each input and a column for each unit. Batch norm gives each *unit* mean 0 and variance 1
# over the inputs, layer norm each *input* over its units. Divide by $\sqrt{\mathrm{var} + \epsilon}$ with
# $\epsilon = 10^{-5}$ (the variance with $1/n$).

# %% solution="normal"
def standard(z, axis, eps=1e-5):
    """z with mean 0 and variance 1 along `axis`."""
    centred = z - z.mean(axis=axis, keepdims=True)
    ### BEGIN SOLUTION
    return centred / np.sqrt(np.mean(centred**2, axis=axis, keepdims=True) + eps)
    ### END SOLUTION


def batch_norm(z):
    ### BEGIN SOLUTION
    return standard(z, 0)
    ### END SOLUTION


def layer_norm(z):
    ### BEGIN SOLUTION
    return standard(z, 1)
    ### END SOLUTION


# %% check="normal-check"
z = draw.normal(size=(50, 8)) * np.arange(1, 9) + np.arange(8)
b, m = batch_norm(z), layer_norm(z)
assert b.shape == m.shape == z.shape, "The shape stays."
assert not close(b.mean(axis=1), 0.0, 1e-3), "Your batch norm works along the units: axes swapped?"
assert close(b.mean(axis=0), 0.0, 1e-3) and close(m.mean(axis=1), 0.0, 1e-3), "The mean is not 0."
assert not close(b.var(axis=0), 49 / 50, 1e-3), "That is the variance with 1/(n - 1): use 1/n."
assert not close(b.std(axis=0) * z.std(axis=0), 1.0, 1e-3), "Divide by the standard deviation, not the variance."
assert close(b.std(axis=0), 1.0, 1e-3) and close(m.std(axis=1), 1.0, 1e-3), "The variance is not 1."
assert np.all(np.isfinite(batch_norm(np.ones((4, 3))))), "A constant unit: that is what eps is for."
print("Problem 2: right so far.")

# %% grade="normal-batch" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(121)
z = rng.normal(size=(12, 5)) * 3 + 7
expect(close(ask("batch_norm(z)", z=z), (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)), "batch_norm is off.")
tiny = 1e-3 * rng.normal(size=(12, 5))
expect(close(ask("batch_norm(z)", z=tiny), (tiny - tiny.mean(0)) / np.sqrt(tiny.var(0) + 1e-5)), "eps belongs under the root.")
### END HIDDEN TESTS

# %% grade="normal-layer" points=2
### BEGIN HIDDEN TESTS
for seed in (122, 222):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(6, 30)) * 2 - 4
    wanted = (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    expect(close(ask("layer_norm(z)", z=z), wanted), "layer_norm is off.")
### END HIDDEN TESTS

# %% mistake="axes swapped" of="normal" fails=["normal-batch", "normal-layer"] hint="axes swapped"
def layer_norm(z):
    return (z - z.mean(0)) / np.sqrt(z.var(0) + 1e-5)


def batch_norm(z):
    return (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)


# %% mistake="variance with n - 1" of="normal" fails=["normal-batch", "normal-layer"] hint="use 1/n"
def batch_norm(z):
    return (z - z.mean(0)) / np.sqrt(z.var(0, ddof=1) + 1e-5)


def layer_norm(z):
    return (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True, ddof=1) + 1e-5)


# %% mistake="eps outside of the root" of="normal" fails=["normal-batch"]
def batch_norm(z):
    return (z - z.mean(0)) / (z.std(0) + 1e-5)


def layer_norm(z):
    return (z - z.mean(1, keepdims=True)) / np.sqrt(z.var(1, keepdims=True) + 1e-5)


# %% [markdown]
# ## Problem 3: the learning rate that fades by itself (4 points)
#
# The gradient of a scale-invariant weight is orthogonal to it, so each step of plain gradient descent makes
# the weight *longer*: $|w|^2$ grows by the squared length of the step (Pythagoras). What counts is the angle of
# a step, and it goes with $\text{rate} / |w|^2$ for a function of fixed slope $g$ at $|w| = 1$ (the gradient at $w$ has the
# length $g / |w|$). Write both.

# %% solution="fading"
def next_length(length, rate, g):
    """|w| after one step of gradient descent with a gradient of length g / |w|, orthogonal to w."""
    ### BEGIN SOLUTION
    return math.sqrt(length**2 + (rate * g / length) ** 2)
    ### END SOLUTION


def angle(length, rate, g):
    """The angle, in radians, by which that step turns w."""
    ### BEGIN SOLUTION
    return math.atan2(rate * g / length, length)
    ### END SOLUTION


# %% check="fading-check"
w = np.array([2.0, 0.0])
moved = w - 0.5 * np.array([0.0, 3.0]) / 2.0  # rate 0.5, slope 3 at length 1
mine = next_length(2.0, 0.5, 3.0)
assert mine > 2.0, "Such a step can only lengthen the weight."
assert not close(mine, 2.0 + 0.75, 1e-4), "The step is orthogonal to w: use Pythagoras, don't add up."
assert not close(mine, math.hypot(2.0, 1.5), 1e-4), "At length 2 the gradient is only g / 2 long."
assert close(mine, np.linalg.norm(moved)), "A step in the plane gives another length."
assert close(angle(2.0, 0.5, 3.0), math.acos(w @ moved / 2 / np.linalg.norm(moved)), 1e-4), "The angle is off."
assert close(angle(20.0, 0.5, 3.0) / angle(10.0, 0.5, 3.0), 0.25, 0.01), "Twice the length, a quarter of the angle."
print("Problem 3: right so far.")

# %% grade="fading-length" points=2
### BEGIN HIDDEN TESTS
for length, rate, g in ((1.0, 1.0, 1.0), (0.1, 0.5, 2.0), (50.0, 0.1, 9.0)):
    wanted = math.hypot(length, rate * g / length)
    expect(close(ask("next_length(l, r, g)", l=length, r=rate, g=g), wanted), f"next_length({length}, {rate}, {g}) is off.")
### END HIDDEN TESTS

# %% grade="fading-angle" points=2
### BEGIN HIDDEN TESTS
for length, rate, g in ((1.0, 1.0, 1.0), (0.1, 0.5, 2.0), (50.0, 0.1, 9.0)):
    wanted = math.atan(rate * g / length**2)
    expect(close(ask("angle(l, r, g)", l=length, r=rate, g=g), wanted), f"angle({length}, {rate}, {g}) is off.")
### END HIDDEN TESTS

# %% mistake="the gradient does not shrink" of="fading" fails=["fading-length", "fading-angle"] hint="only g / 2"
def next_length(length, rate, g):
    return math.hypot(length, rate * g)


def angle(length, rate, g):
    return math.atan2(rate * g, length)


# %% mistake="lengths added up" of="fading" fails=["fading-length"] hint="use Pythagoras"
def next_length(length, rate, g):
    return length + rate * g / length


def angle(length, rate, g):
    return math.atan2(rate * g / length, length)


# %% [markdown]
# ## Problem 4: a plain ReLU network that starts out linear (5 points)
#
# Let the units come in pairs, $h = [\mathrm{relu}(u), \mathrm{relu}(-u)]$: nothing of $u$ is lost, since $\mathrm{relu}(u) -
# \mathrm{relu}(-u) = u$. Build from an orthogonal $V$ (m, m) the weights $W$ (2m, 2m) for which $\mathrm{relu}(h W)$ is again
# such a pair, of $u V$. That is the looks-linear initialization (Balduzzi et al., 2017).

# %% solution="linear"
def looks_linear(v):
    """W (2m, 2m) with relu([relu(u), relu(-u)] @ W) = [relu(u v), relu(-u v)]."""
    ### BEGIN SOLUTION
    return np.block([[v, -v], [-v, v]])
    ### END SOLUTION


# %% check="linear-check"
v = np.linalg.qr(draw.normal(size=(4, 4)))[0]
big = looks_linear(v)
assert big.shape == (8, 8), "Twice as many rows and columns as V."
u = draw.normal(size=(6, 4))
pair = lambda t: np.maximum(np.hstack([t, -t]), 0)
out = np.maximum(pair(u) @ big, 0)
assert not close(out[:, :4], out[:, 4:]), "Both halves are equal: the second one must be mirrored."
assert not close(out, pair(u @ v.T)), "V is transposed: we compute u V."
assert not close(out, np.maximum(np.hstack([np.maximum(u, 0) @ v, np.maximum(-u, 0) @ v]), 0)), "The halves must talk to each other: relu(u) - relu(-u) = u."
assert close(out, pair(u @ v)), "The output is not the pair of u V."
print("Problem 4: right so far.")

# %% grade="linear-pair" points=3
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(124)
for m in (1, 3, 7):
    v, u = rng.normal(size=(m, m)), rng.normal(size=(5, m))
    w = ask("looks_linear(v)", v=v)
    out = np.maximum(np.maximum(np.hstack([u, -u]), 0) @ w, 0)
    expect(close(out, np.maximum(np.hstack([u @ v, -u @ v]), 0)), f"m = {m}: the output is not the pair of u V.")
### END HIDDEN TESTS

# %% grade="linear-deep" points=2
### BEGIN HIDDEN TESTS
for seed in (125, 225):
    rng = np.random.default_rng(seed)
    v, u = np.linalg.qr(rng.normal(size=(6, 6)))[0], rng.normal(size=(4, 6))
    w = ask("looks_linear(v)", v=v)
    h = np.maximum(np.hstack([u, -u]), 0)
    for _ in range(60):
        h = np.maximum(h @ w, 0)
    expect(close(h[:, :6] - h[:, 6:], u @ np.linalg.matrix_power(v, 60)), "After 60 layers the network should still be linear.")
### END HIDDEN TESTS

# %% mistake="no mirror" of="linear" fails=["linear-pair", "linear-deep"] hint="mirrored"
def looks_linear(v):
    return np.block([[v, v], [-v, -v]])


# %% mistake="halves apart" of="linear" fails=["linear-pair", "linear-deep"] hint="talk to each other"
def looks_linear(v):
    return np.block([[v, np.zeros_like(v)], [np.zeros_like(v), v]])


# %% [markdown]
# ## Problem 5, open: the doctor (6 points)
#
# Write `diagnose(table)` for tables such as `patient`. Look at the strongest evidence first, in this order:
# any number that is not finite, or a `gradient` that changes by more than a factor 3 per layer on average
# (geometric mean, growing toward the input): `"exploding"`; more than half of the units `off` in some layer:
# `"dead"`; more than half of the outputs `flat` in some layer: `"saturated"`; `alike` above 0.95 in the
# last layer: `"collapsed"`; `gradient` shrinking toward the input by more than a factor 2 per layer on average:
# `"vanishing"`; else `"healthy"`. Then say what the `patient` has: `verdict`.

# %% solution="doctor"
def diagnose(table):
    """One of exploding, dead, saturated, collapsed, vanishing, healthy; lists run from input to output."""
    ### BEGIN SOLUTION
    columns = {name: np.asarray(values, dtype=float) for name, values in table.items()}
    if not all(np.isfinite(values).all() for values in columns.values()):
        return "exploding"
    g = columns["gradient"]
    toward_input = (g[0] / g[-1]) ** (1 / (len(g) - 1)) if g[-1] > 0 else 1.0
    if toward_input > 3:
        return "exploding"
    if columns["off"].max() > 0.5:
        return "dead"
    if columns["flat"].max() > 0.5:
        return "saturated"
    if columns["alike"][-1] > 0.95:
        return "collapsed"
    return "vanishing" if toward_input < 0.5 else "healthy"
    ### END SOLUTION


# verdict = ...   one word
### BEGIN SOLUTION
verdict = diagnose(patient)
### END SOLUTION

# %% check="doctor-check"
fine = {"size": [1.0] * 4, "gradient": [1.0, 1.1, 0.9, 1.0], "off": [0.0] * 4, "flat": [0.1] * 4, "alike": [0.1, 0.2, 0.3, 0.4]}
words = ("exploding", "dead", "saturated", "collapsed", "vanishing", "healthy")
assert diagnose(fine) in words, "Return one of the six words."
assert diagnose(fine) == "healthy", "All is well in this table."
assert diagnose({**fine, "gradient": [64.0, 16.0, 4.0, 1.0]}) != "vanishing", "Lists start at the input: this one grows toward it."
assert diagnose({**fine, "gradient": [64.0, 16.0, 4.0, 1.0]}) == "exploding", "A factor 4 per layer: four layers are three steps."
assert diagnose({**fine, "gradient": [6.0, 4.0, 2.0, 1.0]}) == "healthy", "A factor below 2 per layer is no explosion: ends over steps."
assert diagnose({**fine, "off": [0.0, 0.0, 0.9, 0.1]}) == "dead", "One layer with 90 % dead units is enough."
assert diagnose({**fine, "off": [0.9, 0, 0, 0], "alike": [0.1, 0.5, 0.9, 0.99]}) == "dead", "Dead comes before collapsed."
assert verdict in words, "verdict is one of the six words."
print("Problem 5: right so far.")

# %% grade="doctor-rules" points=4
### BEGIN HIDDEN TESTS
base = {"size": [1.0] * 6, "gradient": [1.0] * 6, "off": [0.1] * 6, "flat": [0.2] * 6, "alike": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}
cases = {
    "healthy": [{}, {"gradient": [30.0, 1.0, 1.0, 1.0, 1.0, 1.0]}, {"alike": [0.99, 0.9, 0.8, 0.7, 0.6, 0.5]}],
    "exploding": [{"gradient": [1025.0, 256.0, 64.0, 16.0, 4.0, 1.0]}, {"size": [1.0, 9.0, math.inf, math.nan, 1, 1], "off": [0.9] * 6}],
    "dead": [{"off": [0, 0, 0, 0, 0, 0.6], "flat": [0.9] * 6}],
    "saturated": [{"flat": [0, 0, 0.51, 0, 0, 0], "gradient": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]}],
    "collapsed": [{"alike": [0.1, 0.5, 0.8, 0.9, 0.95, 0.97], "gradient": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]}],
    "vanishing": [{"gradient": [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1]}, {"gradient": [1.0, 2.2, 5.0, 10.0, 22.0, 45.0]}],
}
for word, changes in cases.items():
    for change in changes:
        said = ask("diagnose(t)", t={**base, **change})
        expect(said == word, f"With {', '.join(change) or 'nothing'} changed from a healthy table, {said!r} is not right.")
### END HIDDEN TESTS

# %% grade="doctor-verdict" points=2
### BEGIN HIDDEN TESTS
expect(ask("str(verdict)") == "vanishing", "verdict: by how much does the patient's gradient change per layer?")
### END HIDDEN TESTS

# %% mistake="input and output swapped" of="doctor" fails=["doctor-rules", "doctor-verdict"] hint="Lists start at the input"
def diagnose(table):
    g = table["gradient"]
    ratio = (g[-1] / g[0]) ** (1 / (len(g) - 1))
    return "exploding" if ratio > 3 else "vanishing" if ratio < 0.5 else "healthy"


verdict = "healthy"

# %% mistake="only the gradient is looked at" of="doctor" fails=["doctor-rules"] hint="90 % dead"
def diagnose(table):
    g = table["gradient"]
    ratio = (g[0] / g[-1]) ** (1 / (len(g) - 1))
    return "exploding" if ratio > 3 else "vanishing" if ratio < 0.5 else "healthy"


verdict = diagnose(patient)

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# Write the letter of a doctor about `patient`, a ReLU network that was initialized with PyTorch's default: what is
# wrong, on what evidence (two columns, with numbers), what you rule out, and *one* thing to try first, with what
# you expect to see in the table afterwards. Four to eight sentences.

# %% [markdown] written="letter" points=4
# The gradients vanish toward the input: they shrink by about 2.4 per layer, from 7e-4 to 2e-5 over four steps.
# The activations shrink by the same factor (0.41 to 0.012), which is what the default's variance 1/(3n) gives
# with ReLU: sqrt(1/6) = 0.41 per layer. No unit is dead, nothing is flat, and the cosine of 0.67 shows no
# collapse yet, so neither a leaky slope nor a lower rate is called for. First try He's initialization (gain
# sqrt(2)): sizes and gradients should then stay within a factor of about two over the five layers. The cosine
# will still rise with depth: that is ReLU, not the scale.
#
# Marks: 1 diagnosis with a factor per layer; 1 second column or cause (default variance); 1 what is ruled out;
# 1 one remedy with an expectation.
