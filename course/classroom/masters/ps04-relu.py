# ---
# jupyter:
#   course:
#     title: "ReLU and its family: half of the units, and the dead ones"
#     part: "I"
#     notebook: "04"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 4: ReLU and its family
#
# ReLU has slope 1 where it is active, and that mends what a sigmoid breaks. It costs half of the signal,
# it can lose units for good, and with depth it makes all inputs look alike. You compute all three.
# About 80 minutes.

# %% setup="start"
import math

import numpy as np


def relu(z):
    return np.maximum(z, 0.0)


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-12, np.abs(b)) + 1e-12))


def below(x):
    """The probability that a standard normal number is below x."""
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


# %% [markdown]
# ## Problem 1, worked: ReLU passes half of the power
#
# For $z$ normal with mean 0, half of the values become 0, and the other half keep their squares:
# $E[\mathrm{relu}(z)^2] = \frac{1}{2} E[z^2]$. Backward it is the same: a gradient passes where $z > 0$, so half of
# its power arrives.

# %%
z = np.random.default_rng(0).normal(size=1_000_000)
print(f"forward {np.mean(relu(z) ** 2) / np.mean(z**2):.3f}, backward {np.mean(z > 0):.3f}")

# %% [markdown]
# ## Problem 2, faded: count the dead (4 points)
#
# `h` holds the outputs of a ReLU layer: a row for each input, a column for each unit. A unit is *dead* if it
# is 0 for every input: no gradient reaches its weights any more. An input is *lost* if all units are 0 for it.
# Return both numbers.

# %% solution="dead"
def dead_and_lost(h):
    """(number of dead units, number of lost inputs) of the outputs h (inputs, units)."""
    off = h == 0
    ### BEGIN SOLUTION
    return int(off.all(axis=0).sum()), int(off.all(axis=1).sum())
    ### END SOLUTION


# %% check="dead-check"
h = np.ones((5, 4))
h[:, 2:] = 0.0
h[1, :] = 0.0
h[2:, 0] = 0.0
found = dead_and_lost(h)
assert found != (1, 2), "Units are columns, inputs are rows: swapped?"
assert found[0] != 4, "A unit with one zero is not dead: it must be 0 for *every* input."
assert found == (2, 1), "In this layer two units are dead and one input is lost."
print("Problem 2: right so far.")

# %% grade="dead-units" points=2
### BEGIN HIDDEN TESTS
h = np.zeros((7, 10))
h[2, 3] = h[5, 8] = h[6, 8] = 1e-9
expect(ask("dead_and_lost(h)[0]", h=h) == 8, "Eight of ten units never fire in this layer.")
expect(ask("dead_and_lost(np.ones((3, 4)))[0]") == 0, "A layer that always fires has no dead units.")
### END HIDDEN TESTS

# %% grade="lost-inputs" points=2
### BEGIN HIDDEN TESTS
h = np.zeros((7, 10))
h[2, 3] = h[5, 8] = h[6, 8] = 1e-9
expect(ask("dead_and_lost(h)[1]", h=h) == 4, "Four of seven inputs reach no unit of this layer.")
expect(ask("dead_and_lost(h)[1]", h=h[2:7:3]) == 0, "Here each input reaches a unit.")
### END HIDDEN TESTS

# %% mistake="axes swapped" of="dead" fails=["dead-units", "lost-inputs"] hint="swapped"
def dead_and_lost(h):
    off = h == 0
    return int(off.all(axis=1).sum()), int(off.all(axis=0).sum())


# %% mistake="any zero kills" of="dead" fails=["dead-units", "lost-inputs"] hint="for *every* input"
def dead_and_lost(h):
    off = h == 0
    return int(off.any(axis=0).sum()), int(off.any(axis=1).sum())


# %% [markdown]
# ## Problem 3: how far may the bias go? (5 points)
#
# A unit computes $\mathrm{relu}(u + b)$ with $u$ standard normal and independent from input to input. Write the
# probability that it is dead on a batch of `batch` inputs. (`below(x)` is the normal distribution
# function.) Then find `half_dead`, the bias at which half of all units are dead on a batch of 256, to
# 0.01.

# %% solution="bias"
def p_dead(b, batch):
    """Probability that u + b <= 0 for every one of `batch` independent standard normal u."""
    ### BEGIN SOLUTION
    return below(-b) ** batch
    ### END SOLUTION


# half_dead = ...   a number, to 0.01
### BEGIN SOLUTION
low, high = -10.0, 10.0
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if p_dead(middle, 256) > 0.5 else (low, middle)
half_dead = low
### END SOLUTION

# %% check="bias-check"
assert 0 <= p_dead(0.3, 8) <= 1, "A probability lies between 0 and 1."
assert p_dead(-3.0, 8) > p_dead(0.0, 8), "A lower bias makes death likelier: check the sign of b."
assert not close(p_dead(0.0, 8), 0.5), "That is for a batch of one: all of the inputs must miss."
assert not close(p_dead(0.0, 8), 1 - 0.5**8), "That is the chance that *some* input misses, or its rest."
assert close(p_dead(0.0, 8), 0.5**8), "At b = 0 each of the 8 inputs misses with probability 1/2."
assert close(p_dead(half_dead, 256), 0.5, 0.05), "At your half_dead it is not half of the units."
print("Problem 3: right so far.")

# %% grade="bias-function" points=3
### BEGIN HIDDEN TESTS
def phi(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


for b, batch in ((-2.0, 32), (-3.5, 256), (0.7, 3), (0.0, 1)):
    expect(close(ask("p_dead(b, n)", b=b, n=batch), phi(-b) ** batch), f"p_dead is off for b = {b}, batch = {batch}.")
### END HIDDEN TESTS

# %% grade="bias-number" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(half_dead)"), -2.7826, rel=0, least=0.011), "half_dead: solve p_dead(b, 256) = 1/2 for b.")
### END HIDDEN TESTS

# %% mistake="the batch is forgotten" of="bias" fails=["bias-function", "bias-number"] hint="batch of one"
def p_dead(b, batch):
    return below(-b)


half_dead = 0.0

# %% mistake="sign of the bias" of="bias" fails=["bias-function", "bias-number"] hint="sign of b"
def p_dead(b, batch):
    return below(b) ** batch


half_dead = 2.78

# %% [markdown]
# ## Problem 4: the gain that keeps the power (4 points)
#
# A leaky ReLU is $z$ for $z > 0$ and $a z$ below. Weights of variance $g^2/n$ in a layer of width $n$ keep the
# power of the signal if $g$ is right. Derive `gain(a)` for any slope $a$, and check the ends: $a = 0$ is ReLU,
# $a = 1$ is linear.

# %% solution="gain"
def gain(a):
    """The g for which weights of standard deviation g / sqrt(n) keep E[h**2] through leaky ReLU layers."""
    ### BEGIN SOLUTION
    return math.sqrt(2.0 / (1.0 + a**2))
    ### END SOLUTION


# %% check="gain-check"
draw = np.random.default_rng(4)
n = 1000
for a in (0.0, 0.3, 1.0):
    z = draw.normal(size=(200, n))
    h = np.where(z > 0, z, a * z) @ draw.normal(size=(n, n)) / math.sqrt(n)
    power = float(np.mean(h**2))
    assert not close(gain(a) * power, 1.0, 0.02) or a == 1, "That is g squared: a variance, not a scale."
    assert not (a == 0.3 and close(gain(a), math.sqrt(2), 0.02)), "The negative half has power too: a² of it."
    assert close(gain(a) ** 2 * power, 1.0, 0.05), f"With a = {a} your gain does not keep the power at 1."
print("Problem 4: right so far.")

# %% grade="gain-ends" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("gain(0.0)"), math.sqrt(2)), "gain(0): this is ReLU.")
expect(close(ask("gain(1.0)"), 1.0), "gain(1): this is a linear layer.")
### END HIDDEN TESTS

# %% grade="gain-between" points=2
### BEGIN HIDDEN TESTS
for a in (0.01, 0.25, 0.5, -1.0, 2.0):
    expect(close(ask("gain(a)", a=a), math.sqrt(2 / (1 + a * a))), f"gain({a}) is off.")
### END HIDDEN TESTS

# %% mistake="variance in the place of scale" of="gain" fails=["gain-ends", "gain-between"] hint="a variance"
def gain(a):
    return 2.0 / (1.0 + a**2)


# %% mistake="the leak is forgotten" of="gain" fails=["gain-ends", "gain-between"] hint="negative half"
def gain(a):
    return math.sqrt(2.0)


# %% [markdown]
# ## Problem 5, open: all inputs look alike (4 points)
#
# Two inputs with cosine $c = \cos\theta$ leave a very wide ReLU layer with the cosine
# $\frac{1}{\pi}\left(\sin\theta + (\pi - \theta)\cos\theta\right)$ (Cho and Saul, 2009). Write this map, iterate
# it, and give `alike`: how many layers until two orthogonal inputs have a cosine above 0.99.

# %% solution="alike"
def next_cosine(c):
    """Cosine after one wide ReLU layer of two inputs with cosine c in [-1, 1]."""
    ### BEGIN SOLUTION
    angle = math.acos(c)
    return (math.sin(angle) + (math.pi - angle) * c) / math.pi
    ### END SOLUTION


# alike = ...   a whole number of layers
### BEGIN SOLUTION
c, alike = 0.0, 0
while c <= 0.99:
    c, alike = next_cosine(c), alike + 1
### END SOLUTION

# %% check="alike-check"
draw = np.random.default_rng(5)
weights = draw.normal(size=(2, 400_000))
for c in (0.0, 0.5, -0.7):
    pair = relu(np.array([[1.0, 0.0], [c, math.sqrt(1 - c * c)]]) @ weights)
    seen = float(pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1]))
    assert not close(next_cosine(c) / math.pi, seen, 0.02), "Divide by pi."
    assert abs(next_cosine(c) - seen) < 0.01, f"A wide random layer gives {seen:.2f} for c = {c}."
assert close(next_cosine(1.0), 1.0), "Equal inputs stay equal."
assert alike == int(alike) and 2 < alike < 200, "alike: count layers from cosine 0 on."
print("Problem 5: the map looks right.")

# %% grade="alike-map" points=2
### BEGIN HIDDEN TESTS
for c in (-1.0, -0.2, 0.0, 0.3, 0.9, 1.0):
    t = math.acos(c)
    expect(close(ask("next_cosine(c)", c=c), (math.sin(t) + (math.pi - t) * c) / math.pi), f"next_cosine({c}) is off.")
### END HIDDEN TESTS

# %% grade="alike-number" points=2
### BEGIN HIDDEN TESTS
c, layers = 0.0, 0
while c <= 0.99:
    t = math.acos(c)
    c, layers = (math.sin(t) + (math.pi - t) * c) / math.pi, layers + 1
expect(ask("int(alike)") == layers, "alike: iterate from cosine 0 and count until it is above 0.99.")
### END HIDDEN TESTS

# %% mistake="pi is forgotten" of="alike" fails=["alike-map", "alike-number"] hint="Divide by pi"
def next_cosine(c):
    angle = math.acos(c)
    return math.sin(angle) + (math.pi - angle) * c


alike = 5

# %% mistake="off by one layer" of="alike" fails=["alike-number"]
def next_cosine(c):
    angle = math.acos(c)
    return (math.sin(angle) + (math.pi - angle) * c) / math.pi


c, alike = 0.0, 0
while next_cosine(c) <= 0.99:
    c, alike = next_cosine(c), alike + 1

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# A ReLU network trained with a large learning rate loses most units of its second layer in the first ten
# steps. Explain how a learning rate kills a unit, why the unit cannot come back by itself, and compare two
# remedies: which of them prevents it, which only makes it rarer? Three to six sentences.

# %% [markdown] written="remedies" points=4
# A large step can push the bias (or the weights) of a unit so far down that its input is negative for all
# data. Then its output and its slope are 0 for every input, so that no gradient reaches its weights: nothing
# moves them back, only changes in earlier layers could. A leaky slope keeps a gradient on the negative side,
# so no unit is ever entirely without one: it prevents death. A lower rate (or warm-up, or clipping) only makes
# such long steps rarer.
#
# Marks: 1 how the step does it; 1 zero slope for all inputs, hence no way back; 1 leaky/ELU keeps a gradient;
# 1 lower rate or clipping only makes it rarer.
