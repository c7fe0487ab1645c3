# ---
# jupyter:
#   course:
#     title: "Initialization: variance, fans, and the edge of chaos"
#     part: "I"
#     notebook: "05"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 5: initialization
#
# One number, the variance of the weights, decides whether a signal survives fifty layers. You derive it
# for linear and ReLU layers, draw weights by the laws of He and Glorot, and find where a tanh network
# turns chaotic. Layers compute $h W$ with $W$ of shape (fan_in, fan_out). About 90 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-300, np.abs(b)) + 1e-300))


def normal_mean(f):
    """The mean of f(u) over a standard normal u, by integration."""
    u = np.linspace(-10, 10, 801)
    return float(np.sum(f(u) * np.exp(-(u**2) / 2)) * (u[1] - u[0]) / math.sqrt(2 * math.pi))


# %% [markdown]
# ## Problem 1, worked: the variance of a sum
#
# A unit adds up $n$ products $x_i w_i$. Independent weights with mean 0 and variance $v$ give
# $E[z^2] = n\, v\, E[x^2]$: the *second moment* of the input counts, not its variance.

# %%
draw = np.random.default_rng(0)
x = draw.normal(size=400) + 1.0
z = x @ draw.normal(scale=0.1, size=(400, 5000))
print(f"measured {np.mean(z**2):.3f}, n v E[x²] = {400 * 0.01 * np.mean(x**2):.3f}")

# %% [markdown]
# ## Problem 2, faded: through many layers (4 points)
#
# Put problem 1 on top of itself `depth` times. With ReLU behind each layer half of the power is lost
# every time (problem set 4). Return $E[h^2]$ after `depth` layers of width `n`, for inputs with
# $E[x^2] = 1$ and weights of variance `v`.

# %% solution="power"
def power_after(depth, n, v, kind):
    """E[h**2] after `depth` layers; kind is "linear" or "relu"."""
    kept = {"linear": 1.0, "relu": 0.5}[kind]
    ### BEGIN SOLUTION
    return (n * v * kept) ** depth
    ### END SOLUTION


# %% check="power-check"
assert power_after(0, 64, 0.3, "linear") == 1, "No layer, no change."
assert not close(power_after(3, 10, 0.2, "relu"), 4.0), "In a ReLU net *every* layer loses one half."
assert not close(power_after(3, 10, 0.2, "linear"), 0.008), "Each unit adds up n products."
for kind in ("linear", "relu"):
    h = draw.normal(size=(300, 500))
    for _ in range(6):
        h = h @ draw.normal(scale=math.sqrt(1.5 / 500), size=(500, 500))
        h = np.maximum(h, 0) if kind == "relu" else h
    assert close(power_after(6, 500, 1.5 / 500, kind), np.mean(h**2), 0.3), f"A {kind} network disagrees."
print("Problem 2: right so far.")

# %% grade="power-linear" points=2
### BEGIN HIDDEN TESTS
for depth, n, v in ((1, 50, 0.02), (20, 100, 0.011), (50, 64, 1 / 64)):
    expect(close(ask("power_after(d, n, v, 'linear')", d=depth, n=n, v=v), (n * v) ** depth), f"Linear, depth {depth}: off.")
### END HIDDEN TESTS

# %% grade="power-relu" points=2
### BEGIN HIDDEN TESTS
for depth, n, v in ((1, 50, 0.02), (20, 100, 0.011), (50, 64, 2 / 64)):
    expect(close(ask("power_after(d, n, v, 'relu')", d=depth, n=n, v=v), (n * v / 2) ** depth), f"ReLU, depth {depth}: off.")
### END HIDDEN TESTS

# %% mistake="one half only once" of="power" fails=["power-relu"] hint="*every* layer"
def power_after(depth, n, v, kind):
    return (n * v) ** depth * ({"linear": 1.0, "relu": 0.5}[kind] if depth else 1.0)


# %% mistake="the width is forgotten" of="power" fails=["power-linear", "power-relu"] hint="adds up n products"
def power_after(depth, n, v, kind):
    return (v * {"linear": 1.0, "relu": 0.5}[kind]) ** depth


# %% [markdown]
# ## Problem 3: draw by the law (6 points)
#
# He's law keeps the power of a ReLU layer in the forward pass: normal weights with variance
# 2/fan_in. Glorot's compromise between both passes has the variance 2/(fan_in + fan_out), here with
# *uniform* weights on $[-a, a]$: which $a$ gives that variance?

# %% solution="laws"
def he_normal(rng, fan_in, fan_out):
    """(fan_in, fan_out) normal weights by He et al. (2015); rng is a numpy Generator."""
    ### BEGIN SOLUTION
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), size=(fan_in, fan_out))
    ### END SOLUTION


def glorot_uniform(rng, fan_in, fan_out):
    """(fan_in, fan_out) uniform weights by Glorot and Bengio (2010)."""
    ### BEGIN SOLUTION
    a = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))
    ### END SOLUTION


# %% check="laws-check"
w = he_normal(np.random.default_rng(1), 300, 700)
assert w.shape == (300, 700), "Inputs are rows: shape (fan_in, fan_out)."
assert not close(w.var(), (2 / 300) ** 2, 0.1), "The variance is 2/fan_in: numpy wants its square root."
assert not close(w.var(), 2 / 700, 0.05), "You divide by fan_out: how many terms does a unit add up?"
assert not close(w.var(), 1 / 300, 0.05), "That is LeCun's law: ReLU loses one half, win it back."
assert close(w.var(), 2 / 300, 0.03) and abs(w.mean()) < 1e-3, "Mean 0, variance 2/fan_in."
w = glorot_uniform(np.random.default_rng(2), 300, 700)
assert w.shape == (300, 700), "Inputs are rows: shape (fan_in, fan_out)."
assert abs(w.mean()) < 1e-3, "The interval must be symmetric about 0."
assert not close(w.var() * 3, 2 / 1000, 0.05), "A uniform law on [-a, a] has variance a²/3, not a²."
assert close(w.var(), 2 / 1000, 0.03), "The variance should be 2/(fan_in + fan_out)."
print("Problem 3: right so far.")

# %% grade="laws-he" points=3
### BEGIN HIDDEN TESTS
for fan_in, fan_out in ((300, 100), (60, 400)):
    w = ask("np.asarray(he_normal(np.random.default_rng(7), i, o))", i=fan_in, o=fan_out)
    expect(w.shape == (fan_in, fan_out), "he_normal: the shape is (fan_in, fan_out).")
    expect(abs(w.var() * fan_in / 2 - 1) < 0.03, "he_normal: the variance is off.")
    tails = np.mean(np.abs(w) > 2 * w.std())
    expect(0.035 < tails < 0.056, "he_normal: the weights are not normally distributed.")
### END HIDDEN TESTS

# %% grade="laws-glorot" points=3
### BEGIN HIDDEN TESTS
for fan_in, fan_out in ((300, 100), (60, 400)):
    w = ask("np.asarray(glorot_uniform(np.random.default_rng(8), i, o))", i=fan_in, o=fan_out)
    edge = math.sqrt(6 / (fan_in + fan_out))
    expect(w.shape == (fan_in, fan_out), "glorot_uniform: the shape is (fan_in, fan_out).")
    expect(edge * 0.998 < np.abs(w).max() <= edge, "glorot_uniform: the edge of the interval is off.")
    expect(abs(w.var() * (fan_in + fan_out) / 2 - 1) < 0.02, "glorot_uniform: the variance is off.")
### END HIDDEN TESTS

# %% mistake="variance given as scale" of="laws" fails=["laws-he"] hint="square root"
def he_normal(rng, fan_in, fan_out):
    return rng.normal(0.0, 2.0 / fan_in, size=(fan_in, fan_out))


def glorot_uniform(rng, fan_in, fan_out):
    a = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


# %% mistake="fan_out in the place of fan_in" of="laws" fails=["laws-he"] hint="fan_out"
def he_normal(rng, fan_in, fan_out):
    return rng.normal(0.0, math.sqrt(2.0 / fan_out), size=(fan_in, fan_out))


def glorot_uniform(rng, fan_in, fan_out):
    a = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


# %% mistake="the factor three is forgotten" of="laws" fails=["laws-glorot"] hint="a²/3"
def he_normal(rng, fan_in, fan_out):
    return rng.normal(0.0, math.sqrt(2.0 / fan_in), size=(fan_in, fan_out))


def glorot_uniform(rng, fan_in, fan_out):
    a = math.sqrt(2.0 / (fan_in + fan_out))
    return rng.uniform(-a, a, size=(fan_in, fan_out))


# %% [markdown]
# ## Problem 4: torch's default (3 points)
#
# `torch.nn.Linear` draws uniformly from $[-1/\sqrt{n}, 1/\sqrt{n}]$, with fan_in $n$. What is the variance? By
# which factor does a ReLU layer of such weights multiply $E[h^2]$ (`default_factor`)? After how many
# layers (`faint`) has the *size* $\sqrt{E[h^2]}$ fallen below $10^{-3}$ of the input's?

# %% solution="default"
# default_factor = ...   a number, without n in it
# faint = ...            a whole number of layers
### BEGIN SOLUTION
default_factor = 1 / 3 / 2
faint = math.floor(math.log(1e-3) / math.log(math.sqrt(default_factor))) + 1
### END SOLUTION

# %% check="default-check"
h = draw.normal(size=(500, 800))
g = np.maximum(h @ draw.uniform(-1, 1, size=(800, 800)) / math.sqrt(800), 0)
seen = float(np.mean(g**2) / np.mean(h**2))
assert not close(default_factor, 2 * seen, 0.1), "That is a linear layer: ReLU halves it."
assert not close(default_factor, 3 * seen, 0.1), "A uniform law on [-a, a] has variance a²/3."
assert close(default_factor, seen, 0.1), "A layer of such weights disagrees with your factor."
assert faint == int(faint), "Layers are whole."
assert default_factor ** (faint / 2) < 1e-3, "At your depth the size is still above 1e-3."
assert default_factor ** ((faint - 1) / 2) >= 1e-3, "One layer earlier it is below: size, not power?"
print("Problem 4: right so far.")

# %% grade="default-factor" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(default_factor)"), 1 / 6), "default_factor: variance of a uniform law, times one half.")
### END HIDDEN TESTS

# %% grade="default-depth" points=2
### BEGIN HIDDEN TESTS
expect(ask("int(faint)") == 8, "faint: the size shrinks by the square root of the factor in each layer.")
### END HIDDEN TESTS

# %% mistake="power in the place of size" of="default" fails=["default-depth"] hint="still above"
default_factor = 1 / 6
faint = 4

# %% mistake="ReLU forgotten" of="default" fails=["default-factor", "default-depth"] hint="ReLU halves it"
default_factor = 1 / 3
faint = 13

# %% [markdown]
# ## Problem 5, open: the edge of chaos (5 points)
#
# A wide tanh layer with weight variance $\sigma_w^2/n$ and bias variance $\sigma_b^2$ maps the second moment $q$
# of the pre-activations to $\sigma_w^2 E[\tanh^2(\sqrt{q}\,u)] + \sigma_b^2$. Iterate to its fixed point $q^*$. There, a
# small difference between two inputs is multiplied by $\chi = \sigma_w^2 E[\tanh'(\sqrt{q^*}\,u)^2]$ per layer:
# below 1 all inputs become one (order), above 1 neighbours part (chaos). `normal_mean` integrates.
# Then say for $\sigma_w^2 = 2$, $\sigma_b^2 = 0.1$: is `state` "order" or "chaos"?

# %% solution="edge"
def fixed_point(sw2, sb2):
    """q* of a tanh network with weight variance sw2 / n and bias variance sb2."""
    ### BEGIN SOLUTION
    q = 1.0
    for _ in range(500):
        q = sw2 * normal_mean(lambda u, q=q: np.tanh(math.sqrt(q) * u) ** 2) + sb2
    return q
    ### END SOLUTION


def chi(sw2, sb2):
    """How a small squared difference grows per layer, at the fixed point."""
    ### BEGIN SOLUTION
    q = fixed_point(sw2, sb2)
    return sw2 * normal_mean(lambda u: (1 - np.tanh(math.sqrt(q) * u) ** 2) ** 2)
    ### END SOLUTION


# state = ...   "order" or "chaos"
### BEGIN SOLUTION
state = "chaos" if chi(2.0, 0.1) > 1 else "order"
### END SOLUTION

# %% check="edge-check"
for sw2, sb2 in [(1.5, 0.0), (2.5, 0.3)]:
    q = fixed_point(sw2, sb2)
    back = sw2 * normal_mean(lambda u, q=q: np.tanh(math.sqrt(q) * u) ** 2) + sb2
    assert not close(back - sb2, q, 1e-6) or sb2 == 0, "The bias variance is missing."
    assert close(back, q, 1e-6), "One more layer changes your q*: iterate longer, from a q > 0."
assert chi(0.5, 0.0) < 1 < chi(3.0, 0.0), "Small weights give order, large ones chaos."
assert close(chi(0.25, 0.0), 0.25, 1e-3), "With weights this small, q* = 0 and chi = sw2: is tanh' squared?"
assert state in ("order", "chaos"), 'state is "order" or "chaos".'
print("Problem 5: the functions look right.")

# %% grade="edge-fixed-point" points=2
### BEGIN HIDDEN TESTS
def mean(f):
    u = np.linspace(-10, 10, 1001)
    return float(np.sum(f(u) * np.exp(-(u**2) / 2)) * (u[1] - u[0]) / math.sqrt(2 * math.pi))


for sw2, sb2 in ((1.2, 0.05), (2.0, 0.1), (4.0, 0.0)):
    q = float(ask("fixed_point(a, b)", a=sw2, b=sb2))
    again = sw2 * mean(lambda u: np.tanh(math.sqrt(max(q, 0)) * u) ** 2) + sb2
    expect(q > 0.01 and close(again, q, rel=1e-4), f"fixed_point({sw2}, {sb2}) moves under one more layer.")
### END HIDDEN TESTS

# %% grade="edge-chi" points=2
### BEGIN HIDDEN TESTS
def mean(f):
    u = np.linspace(-10, 10, 1001)
    return float(np.sum(f(u) * np.exp(-(u**2) / 2)) * (u[1] - u[0]) / math.sqrt(2 * math.pi))


for sw2, sb2 in ((1.2, 0.05), (2.0, 0.1), (4.0, 0.0)):
    q = 1.0
    for _ in range(400):
        q = sw2 * mean(lambda u: np.tanh(math.sqrt(q) * u) ** 2) + sb2
    wanted = sw2 * mean(lambda u: (1 - np.tanh(math.sqrt(q) * u) ** 2) ** 2)
    expect(close(ask("float(chi(a, b))", a=sw2, b=sb2), wanted, rel=1e-3), f"chi({sw2}, {sb2}) is off.")
### END HIDDEN TESTS

# %% grade="edge-state" points=1
### BEGIN HIDDEN TESTS
expect(ask("str(state)") == "chaos", "state: compute chi for these two variances.")
### END HIDDEN TESTS

# %% mistake="the bias is forgotten" of="edge" fails=["edge-fixed-point", "edge-chi"] hint="bias variance is missing"
def fixed_point(sw2, sb2):
    q = 1.0
    for _ in range(500):
        q = sw2 * normal_mean(lambda u, q=q: np.tanh(math.sqrt(q) * u) ** 2)
    return q


def chi(sw2, sb2):
    q = fixed_point(sw2, sb2)
    return sw2 * normal_mean(lambda u: (1 - np.tanh(math.sqrt(q) * u) ** 2) ** 2)


state = "chaos"

# %% mistake="the slope is not squared" of="edge" fails=["edge-chi"]
def fixed_point(sw2, sb2):
    q = 1.0
    for _ in range(500):
        q = sw2 * normal_mean(lambda u, q=q: np.tanh(math.sqrt(q) * u) ** 2) + sb2
    return q


def chi(sw2, sb2):
    q = fixed_point(sw2, sb2)
    return sw2 * normal_mean(lambda u: 1 - np.tanh(math.sqrt(q) * u) ** 2)


state = "chaos"

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# For fan_in ≠ fan_out no variance keeps the power in both directions. Say why (which fan counts
# forward, which backward), what Glorot's compromise does to a stack of layers that alternate between
# width 100 and 400, and when it is right to care for one direction only. Three to six sentences.

# %% [markdown] written="fans" points=4
# Forward a unit adds up fan_in products, backward an input adds up fan_out gradients: to keep both one would
# need variance 1/fan_in and 1/fan_out. Glorot's 2/(fan_in + fan_out) = 1/250 multiplies the power by 100/250
# in one layer and by 400/250 in the next, forward as well as backward: 0.64 for each pair, so that even the
# compromise loses in a long stack; He's forward law keeps the forward power exactly and multiplies the
# gradient by fan_out/fan_in, which cancels over a stack that comes back to its width (4 and 1/4). So caring for
# one direction is enough where the widths return: the other is off by a bounded factor.
#
# Marks: 1 which fan counts forward, which backward; 1 the factors of the alternating stack; 1 that they
# multiply over depth; 1 when one direction suffices.
