# ---
# jupyter:
#   course:
#     title: "Saturation: what a sigmoid does to a gradient"
#     part: "I"
#     notebook: "03"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 3: saturation
#
# A sigmoid flattens out for large inputs, and at its steepest it has slope 1/4. Both weaken gradients,
# and they are not the same thing. Here you compute each of them, count saturated units, and find the
# weight scale at which a layer of sigmoids passes gradients on. About 80 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-12, np.abs(b)) + 1e-12))


# %% [markdown]
# ## Problem 1, worked: one unit far out on the curve
#
# $\sigma(5)$ is near 1 and its slope is small. Ten such units in a row multiply their slopes.

# %%
z = 5.0
s = 1 / (1 + math.exp(-z))
print(f"sigma(5) = {s:.5f}, slope = {s * (1 - s):.5f}, its 10th power = {(s * (1 - s)) ** 10:.1e}")

# %% [markdown]
# ## Problem 2, faded: a sigmoid that survives any input (4 points)
#
# $1/(1 + e^{-z})$ overflows for $z = -1000$, $e^z/(1 + e^z)$ becomes NaN for $z = 1000$. Use each where it
# is safe: only ever take the exponential of a number that is not positive. Then write the slope, from
# the value alone.

# %% solution="sigmoid"
def sigmoid(z):
    """1 / (1 + exp(-z)) for an array z of any size and sign, without overflow."""
    z = np.asarray(z, dtype=float)
    small = np.exp(-np.abs(z))  # in (0, 1]
    ### BEGIN SOLUTION
    return np.where(z >= 0, 1.0, small) / (1.0 + small)
    ### END SOLUTION


def slope(z):
    """d sigmoid / dz at z."""
    ### BEGIN SOLUTION
    s = sigmoid(z)
    return s * (1.0 - s)
    ### END SOLUTION


# %% check="sigmoid-check"
zs = np.array([-800.0, -3.0, 0.0, 0.5, 800.0])
with np.errstate(all="ignore"):
    mine, steep = sigmoid(zs), slope(zs)
assert mine is not None and steep is not None, "Both functions must return something."
assert np.all(np.isfinite(mine)), "NaN or inf for a large |z|: which exponential overflowed?"
assert close(mine + sigmoid(-zs), 1.0), "sigma(z) + sigma(-z) must be 1: is one half mirrored wrongly?"
assert mine[3] > mine[2] > mine[1], "A sigmoid rises with z."
h = 1e-5
seen = (sigmoid(zs[1:4] + h) - sigmoid(zs[1:4] - h)) / (2 * h)
assert not close(steep[1:4], mine[1:4], 1e-4), "That is the value itself, not its slope."
assert not close(steep[1:4], mine[1:4] * (1 - zs[1:4]), 1e-4), "1 - sigma(z), not 1 - z."
assert close(steep[1:4], seen, 1e-4), "slope differs from a difference quotient of your sigmoid."
print("Problem 2: right so far.")

# %% grade="sigmoid-value" points=2
### BEGIN HIDDEN TESTS
at = np.array([-1e4, -30.0, -1.0, 0.0, 2.0, 30.0, 1e4])
wanted = np.array([0.0, math.exp(-30) / (1 + math.exp(-30)), 1 / (1 + math.e), 0.5, 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(-30)), 1.0])
expect(close(ask("sigmoid(z)", z=at), wanted, least=1e-20), "sigmoid is off for some z between -10,000 and 10,000.")
expect(close(ask("sigmoid(z)", z=at[1:3]), wanted[1:3], least=1e-20), "sigmoid is off at -30 or -1.")
### END HIDDEN TESTS

# %% grade="sigmoid-slope" points=2
### BEGIN HIDDEN TESTS
at = np.array([-1e4, -5.0, 0.0, 5.0])
expect(close(ask("slope(z)", z=at), [0.0, 0.006648056670790, 0.25, 0.006648056670790]), "slope is off at -5, 0 or 5.")
expect(close(ask("slope(z)", z=at[1:3]), [0.006648056670790, 0.25]), "slope is off at -5 or 0.")
### END HIDDEN TESTS

# %% mistake="one formula everywhere" of="sigmoid" fails=["sigmoid-value"] hint="overflowed"
def sigmoid(z):
    return np.exp(z) / (1 + np.exp(z))


def slope(z):
    s = sigmoid(z)
    return s * (1 - s)


# %% mistake="one minus z" of="sigmoid" fails=["sigmoid-slope"] hint="not 1 - z"
def sigmoid(z):
    small = np.exp(-np.abs(z))
    return np.where(np.asarray(z) >= 0, 1.0, small) / (1.0 + small)


def slope(z):
    return sigmoid(z) * (1 - np.asarray(z))


# %% [markdown]
# ## Problem 3: which units are saturated? (4 points)
#
# `h` holds the outputs of a sigmoid layer, one row for each input and one column for each unit. An
# output below `edge` or above `1 - edge` is saturated. Return two things: the share of all outputs that
# are saturated, and the number of units that are saturated for *every* input (those units learn nothing).

# %% solution="saturated"
def saturated(h, edge=0.03):
    """(share of saturated outputs, number of units saturated for all inputs); h is (inputs, units)."""
    ### BEGIN SOLUTION
    flat = (h < edge) | (h > 1 - edge)
    return float(flat.mean()), int(flat.all(axis=0).sum())
    ### END SOLUTION


# %% check="saturated-check"
h = np.full((4, 3), 0.5)
h[:, 0] = 0.999
h[:2, 1:] = 0.001
share, units = saturated(h)
assert not close(share, 4 / 12), "Only one end of the curve is counted: sigma near 0 is flat too."
assert not close(share, 8.0), "A share, please: between 0 and 1."
assert units != 2, "Units are columns: you counted inputs, or units saturated for *some* input."
assert units != 3, "A unit counts only if it is saturated for every input, not for any."
assert units == 1 and 0 <= share <= 1, "One unit of this layer is saturated for all four inputs."
print("Problem 3: right so far.")

# %% grade="saturated-share" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(3)
h = 1 / (1 + np.exp(-6 * rng.normal(size=(50, 20))))
flat = (h < 0.03) | (h > 0.97)
expect(close(ask("saturated(h)[0]", h=h), flat.mean()), "The share of saturated outputs is off.")
flat = (h < 0.2) | (h > 0.8)
expect(close(ask("saturated(h, 0.2)[0]", h=h), flat.mean()), "The share is off for edge = 0.2.")
### END HIDDEN TESTS

# %% grade="saturated-units" points=2
### BEGIN HIDDEN TESTS
h = np.full((6, 9), 0.4)
h[:, 2:5] = 0.99
h[3, 4] = 0.5
h[1, :] = 0.0
h[1, 2] = 1.0
expect(ask("saturated(h)[1]", h=h) == 2, "Two units of a layer are saturated for all inputs.")
expect(ask("saturated(np.full((3, 5), 0.001))[1]") == 5, "All five units are at the lower end.")
### END HIDDEN TESTS

# %% mistake="wrong axis" of="saturated" fails=["saturated-units"] hint="Units are columns"
def saturated(h, edge=0.03):
    flat = (h < edge) | (h > 1 - edge)
    return float(flat.mean()), int(flat.all(axis=1).sum())


# %% mistake="only the upper end" of="saturated" fails=["saturated-share", "saturated-units"] hint="one end"
def saturated(h, edge=0.03):
    flat = h > 1 - edge
    return float(flat.mean()), int(flat.all(axis=0).sum())


# %% mistake="any in the place of all" of="saturated" fails=["saturated-units"] hint="not for any"
def saturated(h, edge=0.03):
    flat = (h < edge) | (h > 1 - edge)
    return float(flat.mean()), int(flat.any(axis=0).sum())


# %% [markdown]
# ## Problem 4: how deep until nothing is left? (4 points)
#
# At Glorot's scale units sit near $z = 0$, so each layer multiplies a gradient by about $\sigma'(0)$. Write
# `layers_until(factor, floor)`: the first number of layers after which a gradient of 1 is *below* `floor`.
# Then give `lost_32`: the first depth at which it is below $10^{-7}$, about the precision of `float32`.

# %% solution="lost"
def layers_until(factor, floor):
    """The least n with factor**n < floor, for 0 < factor < 1 and 0 < floor < 1."""
    ### BEGIN SOLUTION
    return math.floor(math.log(floor) / math.log(factor)) + 1
    ### END SOLUTION


# lost_32 = ...   a whole number
### BEGIN SOLUTION
lost_32 = layers_until(0.25, 1e-7)
### END SOLUTION

# %% check="lost-check"
for factor, floor in [(0.5, 0.2), (0.9, 1e-3), (0.5, 0.25)]:
    n = layers_until(factor, floor)
    assert n == int(n), "Layers are whole."
    assert factor**n < floor, "At your depth the gradient is not below the floor yet. Off by one layer?"
    assert factor ** (n - 1) >= floor, "One layer earlier it is below the floor already."
assert lost_32 == int(lost_32) and 0 < lost_32 < 60, "lost_32 is a whole number of layers."
print("Problem 4: the function looks right.")

# %% grade="lost-function" points=2
### BEGIN HIDDEN TESTS
for factor, floor in ((0.25, 1e-3), (0.99, 0.5), (0.1, 0.05), (0.7, 1e-30)):
    n = int(ask("layers_until(factor, floor)", factor=factor, floor=floor))
    expect(factor**n < floor <= factor ** (n - 1), f"layers_until({factor}, {floor}) is not the first depth.")
### END HIDDEN TESTS

# %% grade="lost-number" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(lost_32)"), 12.0), "lost_32: what is the slope of a sigmoid at 0?")
### END HIDDEN TESTS

# %% mistake="off by one layer" of="lost" fails=["lost-function", "lost-number"] hint="Off by one layer?"
def layers_until(factor, floor):
    return math.floor(math.log(floor) / math.log(factor))


lost_32 = layers_until(0.25, 1e-7)

# %% mistake="the slope of tanh" of="lost" fails=["lost-number"]
def layers_until(factor, floor):
    return math.floor(math.log(floor) / math.log(factor)) + 1


lost_32 = layers_until(0.5, 1e-7)

# %% [markdown]
# ## Problem 5, open: the scale that passes gradients on (4 points)
#
# Take inputs of size 1, so that $z = s\,u$ with $u$ normal, and weights of scale $s$. A gradient's mean
# square is then multiplied, layer by layer, by $\chi(s) = s^2\, E[\sigma'(s u)^2]$. Small $s$ loses by the
# factor $s^2$, large $s$ by saturation. Which wins? Compute `chi(s)` by numerical integration (or a very
# large fixed sample; $\sigma'(z) = (1 - \tanh^2(z/2))/4$ helps if your `slope` does not work yet), plot it, and find the scale `s_one` at which $\chi = 1$, to one per cent.

# %% solution="scale"
def chi(s):
    """s**2 times the mean of sigmoid'(s u)**2 over a standard normal u, to about 1e-3 relative."""
    ### BEGIN SOLUTION
    u = np.linspace(-9, 9, 20_001)
    density = np.exp(-(u**2) / 2) / math.sqrt(2 * math.pi)
    return s**2 * float(np.sum(((1 - np.tanh(s * u / 2) ** 2) / 4) ** 2 * density) * (u[1] - u[0]))
    ### END SOLUTION


# s_one = ...   the s with chi(s) = 1
### BEGIN SOLUTION
low, high = 1.0, 100.0
while high - low > 1e-6:
    low, high = ((low + high) / 2, high) if chi((low + high) / 2) < 1 else (low, (low + high) / 2)
s_one = low
### END SOLUTION

# %% check="scale-check"
assert close(chi(0.01), 0.01**2 / 16, 0.01), "For small s the slope is 1/4 everywhere: chi = s²/16."
assert not close(chi(2.0), chi(2.0) ** 2 / 4, 0.01), "Is s squared?"
assert 0.5 < chi(20.0) / chi(10.0) / 2 < 1.5, "For large s, chi grows like s: did you square the slope?"
assert abs(chi(s_one) - 1) < 0.02, "At your s_one, chi is not 1: search on."
print("Problem 5: right so far.")

# %% grade="scale-function" points=2
### BEGIN HIDDEN TESTS
grid = np.linspace(-9, 9, 40_001)
for s in (0.5, 1.0, 4.0, 30.0):
    e = np.exp(-np.abs(s * grid))
    steep = e / (1 + e) ** 2
    wanted = s**2 * float(np.sum(steep**2 * np.exp(-(grid**2) / 2)) * (grid[1] - grid[0])) / math.sqrt(2 * math.pi)
    expect(close(ask("float(chi(s))", s=s), wanted, rel=0.01), f"chi({s}) is off by more than a per cent.")
### END HIDDEN TESTS

# %% grade="scale-number" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(s_one)"), 15.203, rel=0.01), "s_one: where does chi cross 1?")
### END HIDDEN TESTS

# %% mistake="the scale is not squared" of="scale" fails=["scale-function", "scale-number"] hint="s²/16"
def chi(s):
    u = np.linspace(-9, 9, 20_001)
    return s * float(np.sum(((1 - np.tanh(s * u / 2) ** 2) / 4) ** 2 * np.exp(-(u**2) / 2)) * (u[1] - u[0])) / math.sqrt(2 * math.pi)


s_one = 15.0 * chi(15.0)

# %% mistake="the slope is not squared" of="scale" fails=["scale-function", "scale-number"] hint="s²/16"
def chi(s):
    u = np.linspace(-9, 9, 20_001)
    return s**2 * float(np.sum((1 - np.tanh(s * u / 2) ** 2) / 4 * np.exp(-(u**2) / 2)) * (u[1] - u[0])) / math.sqrt(2 * math.pi)


s_one = 2.6

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# "Deep sigmoid networks fail because their units saturate." At Glorot's initialization hardly a unit is
# saturated, and the networks fail all the same; at the scale of problem 5 most units are saturated, and
# the mean square gradient survives. What is the culprit at Glorot's scale? What would you measure in a
# failing network to tell the two apart? Three to six sentences.

# %% [markdown] written="culprit" points=4
# At Glorot's scale units sit near 0, where the slope is at its largest, 1/4, and that is already too small:
# every layer divides the gradient by about four. Saturation is a second, different cause: there the slope is
# far below 1/4 for most units, but the few that are not saturated carry large weights. Measure the share of
# saturated outputs and the gradient ratio per layer: few saturated and a ratio near 1/4 is the slope; many
# saturated with a ratio far below is saturation. tanh with slope 1 at 0 mends the first, not the second.
#
# Marks: 1 slope 1/4 at 0; 1 not saturation, with the share; 1 a measurement that separates them; 1 clear
# sentences, e.g. what tanh or another scale would change.
