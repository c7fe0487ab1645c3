# ---
# jupyter:
#   course:
#     title: "Spectra: Jacobians, isometry, and shattered gradients"
#     part: "II"
#     notebook: "07b"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 7: spectra
#
# Singular values tell what a single gradient norm cannot: how differently a deep network treats
# different directions. You differentiate a network by hand, look at products too long for floating
# point, predict the spread of a Jacobian's spectrum, and measure how gradients shatter. Layers compute
# $h W$ with $W$ of shape (fan_in, fan_out). About 90 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-12))


def forward(weights, x):
    """The activations x, h_1, ..., h_L of a tanh network h_k = tanh(h_(k-1) W_k), x of shape (n,)."""
    hs = [x]
    for w in weights:
        hs.append(np.tanh(hs[-1] @ w))
    return hs


# %% [markdown]
# ## Problem 1, worked: stretched here, crushed there
#
# The singular values of a product are not the products of the singular values. Ten random matrices
# stretch one direction a little and crush most others.

# %%
draw = np.random.default_rng(0)
product = np.eye(50)
for _ in range(10):
    product = product @ draw.normal(size=(50, 50)) / math.sqrt(50)
s = np.linalg.svd(product, compute_uv=False)
print(f"largest {s[0]:.2f}, middle {s[25]:.1e}, smallest {s[-1]:.1e}")

# %% [markdown]
# ## Problem 2, faded: the Jacobian of a tanh network (5 points)
#
# $J_{ij} = \partial h_{L,j} / \partial x_i$: rows belong to inputs. Each layer multiplies from the right by $W_k D_k$, where
# $D_k$ is diagonal with the slopes $1 - h_k^2$ of *that* layer. Complete the loop.

# %% solution="jacobian"
def jacobian(weights, x):
    """The Jacobian (inputs, outputs) of forward(weights, x)[-1] with respect to x."""
    hs = forward(weights, x)
    j = np.eye(len(x))
    for k, w in enumerate(weights):
        ### BEGIN SOLUTION
        j = (j @ w) * (1.0 - hs[k + 1] ** 2)
        ### END SOLUTION
    return j


# %% check="jacobian-check"
weights = [draw.normal(size=shape) / 2 for shape in [(4, 6), (6, 5), (5, 3)]]
x = draw.normal(size=4)
mine = jacobian(weights, x)
step = 1e-6
rows = [forward(weights, x + step * e)[-1] - forward(weights, x - step * e)[-1] for e in np.eye(4)]
seen = np.array(rows) / (2 * step)
assert mine.shape != (3, 4), "Transposed: rows belong to inputs, columns to outputs."
assert mine.shape == (4, 3), "Four inputs and three outputs make a (4, 3) matrix."
bare = weights[0] @ weights[1] @ weights[2]
assert not close(mine, bare, 1e-4), "Where are the slopes? That is the product of the weights alone."
assert close(mine, seen, 1e-4), "Difference quotients disagree. Off by one layer in the slopes?"
print("Problem 2: right so far.")

# %% grade="jacobian-shallow" points=2
### BEGIN HIDDEN TESTS
for seed in (71, 171):
    rng = np.random.default_rng(seed)
    w, x = rng.normal(size=(5, 5)), rng.normal(size=5) / 3
    wanted = w * (1 - np.tanh(x @ w) ** 2)
    expect(close(ask("jacobian([w], x)", w=w, x=x), wanted), "One layer: the Jacobian is W times the slopes of its outputs.")
### END HIDDEN TESTS

# %% grade="jacobian-deep" points=3
### BEGIN HIDDEN TESTS
for seed in (72, 172):
    rng = np.random.default_rng(seed)
    ws = [rng.normal(size=(7, 7)) * 0.5 for _ in range(9)]
    x = rng.normal(size=7)
    h, wanted = x, np.eye(7)
    for w in ws:
        h = np.tanh(h @ w)
        wanted = wanted @ w @ np.diag(1 - h**2)
    expect(close(ask("jacobian(ws, x)", ws=ws, x=x), wanted), "Nine layers: the Jacobian is off.")
### END HIDDEN TESTS

# %% mistake="slopes of the layer below" of="jacobian" fails=["jacobian-shallow", "jacobian-deep"] hint="disagree"
def jacobian(weights, x):
    hs = forward(weights, x)
    j = np.eye(len(x))
    for k, w in enumerate(weights):
        j = (j * (1.0 - hs[k] ** 2)) @ w
    return j


# %% mistake="no slopes" of="jacobian" fails=["jacobian-shallow", "jacobian-deep"] hint="Where are the slopes?"
def jacobian(weights, x):
    j = np.eye(len(x))
    for w in weights:
        j = j @ w
    return j


# %% mistake="transposed" of="jacobian" fails=["jacobian-shallow", "jacobian-deep"] hint="Transposed"
def jacobian(weights, x):
    hs = forward(weights, x)
    j = np.eye(len(x))
    for k, w in enumerate(weights):
        j = (j @ w) * (1.0 - hs[k + 1] ** 2)
    return j.T


# %% [markdown]
# ## Problem 3: a product too long for floating point (5 points)
#
# A product of 400 small matrices underflows to 0, and then all shares are wrong. Scale the product back
# to norm 1 after each factor: ratios of singular values don't mind. Return the share of singular values
# that are below `t` times the largest one.

# %% solution="share"
def share_below(matrices, t):
    """Share of the singular values of the product of square matrices that are < t * the largest."""
    ### BEGIN SOLUTION
    product = np.eye(len(matrices[0]))
    for m in matrices:
        product = product @ m
        product = product / np.linalg.norm(product)
    s = np.linalg.svd(product, compute_uv=False)
    return float(np.mean(s < t * s[0]))
    ### END SOLUTION


# %% check="share-check"
ones = [np.diag([1.0, 0.1, 0.01, 1.0])]
assert not close(share_below(ones, 0.05), 1.0), "A share between 0 and 1, please, not a count."
assert not close(share_below(ones, 0.05), 0.75), "That is the share *above* t."
assert close(share_below(ones, 0.05), 0.25), "One of these four is below 0.05 of the largest."
assert close(share_below(2 * ones, 0.05), 0.5), "Two factors: 1, 0.01, 0.0001, 1."
assert close(share_below([5 * ones[0]], 0.05), 0.25), "Relative to the *largest* singular value."
tiny = [0.01 * np.diag([1.0, 0.999, 0.5, 0.25])] * 200
assert not close(share_below(tiny, 0.5), 0.0), "This product underflowed: scale it back as you go."
assert close(share_below(tiny, 0.5), 0.5), "200 tiny factors: half of the values are far below."
print("Problem 3: right so far.")

# %% grade="share-short" points=3
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(73)
ms = [rng.normal(size=(30, 30)) for _ in range(6)]
p = ms[0]
for m in ms[1:]:
    p = p @ m
s = np.linalg.svd(p, compute_uv=False)
for t in (0.1, 1e-3):
    expect(close(ask("share_below(ms, t)", ms=ms, t=t), np.mean(s < t * s[0])), f"Six factors, t = {t}: off.")
### END HIDDEN TESTS

# %% grade="share-long" points=2
### BEGIN HIDDEN TESTS
for s, share in (([1.0, 0.99, 0.9, 0.2], 0.5), ([1.0, 0.99, 1.0, 0.9], 0.25)):
    for size in (1e3, 1e-3):
        ms = [np.diag(s) * size] * 150
        expect(close(ask("share_below(ms, 0.1)", ms=ms), share), "150 large (or tiny) factors: over- or underflow?")
### END HIDDEN TESTS

# %% mistake="no scaling" of="share" fails=["share-long"] hint="underflowed"
def share_below(matrices, t):
    product = np.eye(len(matrices[0]))
    for m in matrices:
        product = product @ m
    product = np.nan_to_num(product, posinf=1e308)
    s = np.linalg.svd(product, compute_uv=False)
    return float(np.mean(s < t * s[0]))


# %% mistake="absolute threshold" of="share" fails=["share-short", "share-long"] hint="Relative to the"
def share_below(matrices, t):
    product = np.eye(len(matrices[0]))
    for m in matrices:
        product = product @ m
    s = np.linalg.svd(np.nan_to_num(product), compute_uv=False)
    return float(np.mean(s < t))


# %% [markdown]
# ## Problem 4: how wide is the spectrum? (4 points)
#
# Take orthogonal weights, scaled so that the mean of $s^2$ is 1, and units that are active with probability
# $p$ (slope 1) or else off (slope 0). After one layer $s^2$ is 0 or $1/p$. Compute the variance of $s^2$ after
# one layer. Variances of such layers *add up* over depth (Pennington, Schoenholz and Ganguli, 2017);
# Gaussian weights add 1 more per layer. Give the variance at depth `n` for both, and the depth at which
# an orthogonal ReLU network ($p = 1/2$) is as wide as a Gaussian *linear* one of depth 32: `as_wide`.

# %% solution="spread"
def spread(p, n, weights):
    """Variance of s**2 (mean 1) after n layers; weights is "orthogonal" or "gaussian"."""
    extra = {"orthogonal": 0.0, "gaussian": 1.0}[weights]
    ### BEGIN SOLUTION
    return n * ((1 - p) / p + extra)
    ### END SOLUTION


# as_wide = ...   a depth
### BEGIN SOLUTION
as_wide = 32
### END SOLUTION

# %% check="spread-check"
for p in (0.5, 0.25, 0.8):
    values = np.where(np.arange(10_000) < 10_000 * p, 1 / p, 0.0)
    assert not close(spread(p, 1, "orthogonal"), values.var() * p * p, 1e-3), "Scaled to mean 1: the values are 0 and 1/p."
    assert not close(spread(p, 1, "orthogonal"), values.var() + 1, 1e-3), "That is the mean of s⁴: take off the mean squared."
    assert close(spread(p, 1, "orthogonal"), values.var(), 1e-3), "One layer: the values 0 and 1/p disagree."
assert close(spread(0.5, 6, "orthogonal"), 6 * spread(0.5, 1, "orthogonal")), "Variances add up over depth."
assert close(spread(0.5, 2, "gaussian") - spread(0.5, 2, "orthogonal"), 2.0), "Gaussian: 1 more *per layer*."
print("Problem 4: the function looks right.")

# %% grade="spread-function" points=3
### BEGIN HIDDEN TESTS
for p, n in ((0.5, 8), (1.0, 40), (0.9, 3), (0.3, 17)):
    expect(close(ask("spread(p, n, 'orthogonal')", p=p, n=n), n * (1 / p - 1)), f"Orthogonal, p = {p}, n = {n}: off.")
    expect(close(ask("spread(p, n, 'gaussian')", p=p, n=n), n / p), f"Gaussian, p = {p}, n = {n}: off.")
### END HIDDEN TESTS

# %% grade="spread-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(as_wide)"), 32.0), "as_wide: compare the variance per layer of the two networks.")
### END HIDDEN TESTS

# %% mistake="the mean is not taken off" of="spread" fails=["spread-function", "spread-number"] hint="mean of s⁴"
def spread(p, n, weights):
    return n * (1 / p + (weights == "gaussian"))


as_wide = 16

# %% mistake="not scaled to mean 1" of="spread" fails=["spread-function"] hint="Scaled to mean 1"
def spread(p, n, weights):
    return n * (p * (1 - p) + (weights == "gaussian"))


as_wide = 32

# %% [markdown]
# ## Problem 5, open: shattered gradients (5 points)
#
# `g[i]` is the gradient at the $i$-th point of a path of inputs, shape (points, units). In a shallow
# network neighbouring points have similar gradients; in a deep one with batch norm they look like noise.
# Centre each unit over the points, then return the correlation at a lag: the sum of products of
# gradients `lag` points apart, divided by the sum of squares, as if both had the same number of terms
# (divide each sum by its number of terms).

# %% solution="shattered"
def autocorrelation(g, lag):
    """Correlation of the gradients g (points, units) with those `lag` >= 0 points further on."""
    ### BEGIN SOLUTION
    g = g - g.mean(axis=0)
    apart = np.mean(g[: len(g) - lag] * g[lag:])
    return float(apart / np.mean(g**2))
    ### END SOLUTION


# %% check="shattered-check"
t = np.linspace(0, 40 * math.pi, 4001)
waves = np.stack([np.sin(t), np.cos(t), np.sin(t + 1)], axis=1)
assert close(autocorrelation(waves, 0), 1.0), "Lag 0 compares each point with itself: 1."
assert close(autocorrelation(waves + 5.0, 50), autocorrelation(waves, 50), 1e-6), "Centre first: a constant must not matter."
assert close(autocorrelation(waves + np.arange(3), 50), autocorrelation(waves, 50), 1e-6), "Centre over the points, unit by unit: wrong axis?"
assert abs(autocorrelation(waves, 100) + 1) < 0.02, "Half a period on, these waves are reversed: -1."
noise = draw.normal(size=(2000, 5))
assert abs(autocorrelation(noise, 1)) < 0.05, "Noise has no memory."
print("Problem 5: right so far.")

# %% grade="shattered-lags" points=3
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(75)
g = np.cumsum(rng.normal(size=(300, 4)), axis=0)
c = g - g.mean(axis=0)
for lag in (0, 1, 10, 100):
    wanted = (c[: 300 - lag] * c[lag:]).mean() / (c**2).mean()
    expect(close(ask("autocorrelation(g, k)", g=g, k=lag), wanted), f"autocorrelation at lag {lag} is off.")
### END HIDDEN TESTS

# %% grade="shattered-centre" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(76)
g = rng.normal(size=(500, 6)) + 100 * np.arange(6)
expect(abs(float(ask("autocorrelation(g, 3)", g=g))) < 0.1, "Units with different means: centre each over the points.")
g = np.cos(np.arange(500) * np.pi / 25)[:, None] + 100 * np.arange(6)
expect(close(ask("autocorrelation(g, 25)", g=g), -1, rel=0.01), "A wave is its own negative half a period later, whatever the means.")
### END HIDDEN TESTS

# %% mistake="wrong axis" of="shattered" fails=["shattered-lags", "shattered-centre"] hint="wrong axis"
def autocorrelation(g, lag):
    g = g - g.mean()
    return float(np.mean(g[: len(g) - lag] * g[lag:]) / np.mean(g**2))


# %% mistake="not centred" of="shattered" fails=["shattered-lags", "shattered-centre"] hint="Centre first"
def autocorrelation(g, lag):
    return float(np.mean(g[: len(g) - lag] * g[lag:]) / np.mean(g**2))


# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# Orthogonal hard-tanh networks near the critical point keep all singular values of the Jacobian near 1 at
# depth 100, ReLU networks cannot. Does it follow that the most isometric network trains fastest? Answer
# with an argument from problem 4, one observation of notebook 07b, and one thing that the Jacobian at
# initialization does not tell. Three to six sentences.

# %% [markdown] written="isometry" points=4
# By problem 4 an orthogonal ReLU network gains a variance of 1 per layer whatever the weights, because half of
# its slopes are 0, while slopes near 1 keep the variance near 0 at any depth; signals and gradients in all
# directions then arrive. In the notebook orthogonal tanh learns faster than Gaussian tanh and ReLU at every rate. But
# the most isometric network of all is the linear one: it wins where a linear map will do, and only guesses on
# the rings. At one common rate the quieter tanh looks slower than the louder one; each at its best, they are level.
# The Jacobian at the start says nothing on how the spectrum changes in training, nor on what the network can
# represent.
#
# Marks: 1 zeros of ReLU widen the spectrum by a fixed amount per layer; 1 an observation with numbers or order;
# 1 "no": the linear control, or the rate; 1 what the initial Jacobian leaves out.
