# ---
# jupyter:
#   course:
#     title: "When training blows up: find it, stop it"
#     part: "I"
#     notebook: "02"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 2: when training blows up
#
# In notebook 02 a run ended in NaN within a few steps. Here you build the tools that find the first
# bad number, keep a step from being too long, and say how large a rate may be. Then you use them on
# three recorded runs. About 80 minutes.

# %% setup="start"
import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1.0, np.abs(b))))


def descend(slope, w, rate, steps):
    """Plain gradient descent on one number; stops early when it has left for good."""
    for _ in range(steps):
        w = w - rate * slope(w)
        if not abs(w) < 1e6:
            return float("inf")
    return w


# Three runs of the same chain on the same batches, and a run at learning rate 0 beside them.
_draw = np.random.default_rng(2)
_noise = _draw.normal(size=200)
at_rate_zero = 2.2 + 0.45 * _noise
losses = {
    "A": 1.3 + 0.4 * _noise + 0.05 * _draw.normal(size=200),
    "B": 0.01 + 2.0 * np.exp(-np.arange(200) / 15) + 0.003 * _draw.normal(size=200),
    "C": 2.2 * 1.02 ** np.arange(200) + 0.3 * _draw.normal(size=200),
}

# %% [markdown]
# ## Problem 1, worked: three steps to NaN
#
# One weight, used in 20 layers, loss $\frac{1}{2}(w^{20} - 1)^2$. Its slope is
# $20\, w^{19} (w^{20} - 1)$. Start at $w = 1.2$ with the rate 0.01 and look at the size of the steps.

# %%
w = np.float64(1.2)
with np.errstate(all="ignore"):  # inf and NaN are what we want to see
    for step in range(4):
        slope = 20 * w**19 * (w**20 - 1)
        print(f"step {step}: w = {w:.4g}, slope = {slope:.4g}")
        w = w - 0.01 * slope

# %% [markdown]
# ## Problem 2, faded: where is the first bad number? (4 points)
#
# `table[step, layer]` holds the largest activation of each layer at each training step. Return the
# `(step, layer)` of the first entry that is not finite: the earliest step counts first, within it the
# earliest layer. Return `None` if all is well. Infinities are bad numbers too.

# %% solution="first-bad"
def first_bad(table):
    """(step, layer) of the first entry of a (steps, layers) array that is not finite, or None."""
    bad = np.argwhere(~np.isfinite(table))
    ### BEGIN SOLUTION
    if len(bad) == 0:
        return None
    step, layer = bad[0]
    return int(step), int(layer)
    ### END SOLUTION


# %% check="first-bad-check"
example = np.ones((4, 6))
assert first_bad(example) is None, "In this table all is well: return None."
example[2, 5] = np.nan
assert first_bad(example) is not None, "There is a NaN in this table, and you found nothing."
assert tuple(first_bad(example)) != (5, 2), "Rows are steps and columns are layers: swapped?"
assert tuple(first_bad(example)) == (2, 5), "One NaN only, and you point elsewhere."
example[1, 4] = np.inf
assert tuple(first_bad(example)) != (2, 5), "An infinity comes before this NaN. Is it a good number?"
assert tuple(first_bad(example)) == (1, 4), "The earliest step comes first."
print("Problem 2: right so far.")

# %% grade="first-bad-nan" points=2
### BEGIN HIDDEN TESTS
grid = np.ones((5, 9))
expect(ask("first_bad(t)", t=grid) is None, "A table without bad numbers must give None.")
grid[3, 1] = grid[3, 7] = grid[4, 0] = np.nan
got = ask("list(first_bad(t))", t=grid)
expect(got == [3, 1], "With several NaN, the earliest step and then the earliest layer counts.")
### END HIDDEN TESTS

# %% grade="first-bad-inf" points=2
### BEGIN HIDDEN TESTS
grid = np.ones((6, 4))
grid[2, 3], grid[2, 1], grid[3, 0] = np.nan, -np.inf, np.inf
expect(ask("list(first_bad(t))", t=grid) == [2, 1], "Minus infinity is not finite either.")
grid = np.ones((6, 4))
grid[5, 2], grid[4, 3] = np.nan, -np.inf
expect(ask("list(first_bad(t))", t=grid) == [4, 3], "Minus infinity in the last layer is not finite either.")
### END HIDDEN TESTS

# %% mistake="infinities are overlooked" of="first-bad" fails=["first-bad-inf"] hint="Is it a good number?"
def first_bad(table):
    bad = np.argwhere(np.isnan(table))
    return None if len(bad) == 0 else (int(bad[0][0]), int(bad[0][1]))


# %% mistake="axes swapped" of="first-bad" fails=["first-bad-nan", "first-bad-inf"] hint="swapped"
def first_bad(table):
    bad = np.argwhere(~np.isfinite(table.T))
    return None if len(bad) == 0 else (int(bad[0][0]), int(bad[0][1]))


# %% [markdown]
# ## Problem 3: clip a gradient (5 points)
#
# A gradient is a list of arrays, one for each parameter. Its norm is that of *all* numbers together.
# If it is longer than `most`, shorten it to that length without turning it; otherwise leave it alone.
# A gradient of zeros must not divide by zero.

# %% solution="clip"
def clip(gradients, most):
    """The arrays in `gradients` times one common factor, so that their joint norm is <= most."""
    ### BEGIN SOLUTION
    norm = np.sqrt(sum(float(np.sum(np.square(g))) for g in gradients))
    factor = most / norm if norm > most else 1.0
    return [factor * np.asarray(g) for g in gradients]
    ### END SOLUTION


# %% check="clip-check"
long = [np.array([3.0, 0.0]), np.array([[4.0]])]
clipped = clip(long, 1.0)
assert len(clipped) == 2 and clipped[1].shape == (1, 1), "As many arrays as before, of the same shapes."
joint = np.sqrt(sum(np.sum(g**2) for g in clipped))
assert not close(joint, 2**0.5), "Each array was clipped by itself: their *joint* norm counts."
assert joint <= 1.0 + 1e-9, "The clipped gradient is still longer than allowed."
assert close(clipped[0][0] / clipped[1][0, 0], 0.75), "The direction changed: use one factor for all."
assert close(joint, 1.0), "Shorter than needed: it may have exactly the length `most`."
short = [np.array([0.3, 0.4])]
assert close(clip(short, 1.0)[0], short[0]), "This one is short enough already: leave it as it is."
print("Problem 3: right so far.")

# %% grade="clip-long" points=3
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(31)
pieces = [rng.normal(size=(5, 4)), rng.normal(size=7), rng.normal(size=(1, 3))]
joint = math.sqrt(sum(float((p**2).sum()) for p in pieces))
for most in (0.5, 2.0):
    got = ask("clip(g, most)", g=pieces, most=most)
    for mine, piece in zip(got, pieces, strict=True):
        expect(close(mine, piece * most / joint), f"A long gradient, clipped to {most}, is off.")
### END HIDDEN TESTS

# %% grade="clip-short" points=2
### BEGIN HIDDEN TESTS
calm = [np.array([0.01, -0.02]), np.array([[0.03]])]
got = ask("clip(g, 5.0)", g=calm)
expect(close(got[0], calm[0]) and close(got[1], calm[1]), "A short gradient must stay as it is.")
zero = ask("clip(g, 1.0)", g=[np.zeros(3)])
expect(close(zero[0], np.zeros(3)), "A gradient of zeros stays one: no division by zero.")
expect(close(ask("clip(g, 1.0)", g=[np.array([3.0])])[0], [1.0]), "A long one must not stay as it is.")
### END HIDDEN TESTS

# %% mistake="each array by itself" of="clip" fails=["clip-long"] hint="joint"
def clip(gradients, most):
    norms = [np.linalg.norm(g) for g in gradients]
    return [g * min(1.0, most / n) if n else g for g, n in zip(gradients, norms, strict=True)]


# %% mistake="short ones are stretched" of="clip" fails=["clip-short"] hint="short enough already"
def clip(gradients, most):
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients))
    return [g * most / norm for g in gradients]


# %% mistake="entries are cut, the direction turns" of="clip" fails=["clip-long"] hint="clipped"
def clip(gradients, most):
    return [np.clip(g, -most, most) for g in gradients]


# %% [markdown]
# ## Problem 4: how long may a step be? (4 points)
#
# Near its minimum a loss is a parabola $\frac{1}{2} c\, (w - w^*)^2$, and one step of gradient descent
# multiplies the distance from $w^*$ by $1 - \text{rate} \cdot c$. The run converges as long as that
# factor stays within $(-1, 1)$. For the loss of problem 1 with $n$ layers the curvature at $w^* = 1$
# grows with the depth: find out how, and write the largest rate that still converges there.

# %% solution="largest-rate"
def largest_rate(n):
    """Gradient descent on (w**n - 1)**2 / 2 converges near w = 1 for rates below this."""
    ### BEGIN SOLUTION
    return 2.0 / n**2
    ### END SOLUTION


# rate_20 = ...   the largest rate at depth 20, a number
### BEGIN SOLUTION
rate_20 = largest_rate(20)
### END SOLUTION

# %% check="largest-rate-check"
for n in (3, 8):
    slope = lambda w: n * w ** (n - 1) * (w**n - 1)
    below = abs(descend(slope, 1 + 1e-4, 0.95 * largest_rate(n), 500) - 1)
    above = abs(descend(slope, 1 + 1e-4, 1.05 * largest_rate(n), 500) - 1)
    assert below < 1e-4, "A little below your rate the run already leaves: too large. What is d²L/dw²?"
    assert above > 1e-3, "A little above your rate the run still converges: the limit is higher."
assert close(rate_20, largest_rate(20)), "rate_20 and your function disagree."
print("Problem 4: right so far.")

# %% grade="largest-rate-function" points=3
### BEGIN HIDDEN TESTS
for n in (1, 2, 10, 50):
    expect(close(ask("largest_rate(n)", n=n), 2 / n**2), f"largest_rate({n}) is not the limit.")
### END HIDDEN TESTS

# %% grade="largest-rate-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(rate_20)"), 0.005), "rate_20: put n = 20 into the curvature.")
### END HIDDEN TESTS

# %% mistake="the square is forgotten" of="largest-rate" fails=["largest-rate-function", "largest-rate-number"] hint="too large"
def largest_rate(n):
    return 2.0 / n


rate_20 = largest_rate(20)

# %% mistake="the factor two is forgotten" of="largest-rate" fails=["largest-rate-function", "largest-rate-number"] hint="the limit is higher"
def largest_rate(n):
    return 1.0 / n**2


rate_20 = largest_rate(20)

# %% [markdown]
# ## Problem 5, open: which run is stuck? (4 points)
#
# `losses["A"]`, `["B"]`, `["C"]` are three runs on the same batches, and `at_rate_zero` is the loss of
# an untrained copy on those batches. A run that learns nothing still goes up and down, *with the
# batches*. Write the correlation of two loss curves (between -1 and 1), and use it with your eyes and
# a plot: which run is `stuck`, which is `healthy`, which is `exploding`? Answer with the letters.

# %% solution="stuck"
def correlation(a, b):
    """Pearson's correlation of two curves of the same length, in [-1, 1]."""
    ### BEGIN SOLUTION
    a, b = np.asarray(a) - np.mean(a), np.asarray(b) - np.mean(b)
    return float(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)))
    ### END SOLUTION


# stuck, healthy, exploding = "?", "?", "?"
### BEGIN SOLUTION
stuck, healthy, exploding = "A", "B", "C"
### END SOLUTION

# %% check="stuck-check"
ramp = np.arange(10.0)
assert not close(correlation(ramp, 2 * ramp + 5), 2.0, 1e-3), "Divide by both spreads, not by one."
assert close(correlation(ramp, 2 * ramp + 5), 1.0), "Curves of one shape have correlation 1: are the means taken off?"
assert close(correlation(ramp, -ramp), -1.0), "Opposite curves have correlation -1."
assert {stuck, healthy, exploding} == {"A", "B", "C"}, "Each letter once."
print("Problem 5: the function looks right. The letters are graded later.")

# %% grade="stuck-function" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(9)
a, b = rng.normal(size=60), rng.normal(size=60) + 3
expect(close(ask("correlation(a, b)", a=a, b=b), np.corrcoef(a, b)[0, 1]), "correlation is off.")
expect(close(ask("correlation(a, b)", a=a, b=a - 7), 1.0), "A shift must not matter.")
### END HIDDEN TESTS

# %% grade="stuck-letters" points=2
### BEGIN HIDDEN TESTS
said = [ask("str(stuck)"), ask("str(healthy)"), ask("str(exploding)")]
expect(said == ["A", "B", "C"], "Compare each run with the one at rate 0, and plot it.")
### END HIDDEN TESTS

# %% mistake="means are not taken off" of="stuck" fails=["stuck-function"] hint="of one shape"
def correlation(a, b):
    return float(np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2)))


stuck, healthy, exploding = "A", "B", "C"

# %% mistake="the noisy one is called exploding" of="stuck" fails=["stuck-letters"]
def correlation(a, b):
    return float(np.corrcoef(a, b)[0, 1])


stuck, healthy, exploding = "C", "B", "A"

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# In deep networks the gradient outgrows the activations in every training step, and yet the first
# infinity appears in the *forward* pass. Explain in three to six sentences how both can be true, and
# name two remedies with what each of them changes.

# %% [markdown] written="forward-first" points=4
# The gradient is large but finite: it multiplies n factors as the forward pass does, starting from the error.
# It is the weight update that carries the damage: rate times a huge gradient throws the weights far away, and
# the next forward pass multiplies n of those new, huge weights, which overflows before any backward pass can
# run. A lower rate shortens every step; clipping shortens only the steps that are too long and keeps their
# direction; a smaller initialization keeps the gradient itself small.
#
# Marks: 1 gradient finite at first; 1 the step spoils the weights; 1 the next forward pass multiplies them;
# 1 two remedies with what each changes.
