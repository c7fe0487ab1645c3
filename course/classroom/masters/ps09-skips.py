# ---
# jupyter:
#   course:
#     title: "Skip connections: the one in the derivative"
#     part: "III"
#     notebook: "09"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 9: skip connections
#
# A residual layer computes $x + F(x)$. Its derivative is $1 + F'$, and that 1 changes everything. You
# differentiate residual chains, see what happens when the skip is scaled, count paths, and set the gate
# of a Highway network. About 80 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-12))


def residual(w, x, n):
    """The activations of n residual layers y_k = y_(k-1) + w tanh(y_(k-1)), from y_0 = x."""
    ys = [x]
    for _ in range(n):
        ys.append(ys[-1] + w * math.tanh(ys[-1]))
    return ys


# %% [markdown]
# ## Problem 1, worked: linear residual layers
#
# With $F(x) = w x$ each layer multiplies by $1 + w$. For $w$ near 0 that is near 1: a residual chain starts
# at the point where a plain chain is healthy, and stays there for any depth if $w$ shrinks like $1/n$.

# %%
for n in (10, 100, 1000):
    print(f"n = {n:4d}: plain 0.9^n = {0.9**n:.1e}, residual (1 + 1/n)^n = {(1 + 1 / n) ** n:.3f}")

# %% [markdown]
# ## Problem 2, faded: the slope of a residual chain (4 points)
#
# Each layer $y_k = y_{k-1} + w \tanh(y_{k-1})$ multiplies the slope by its own derivative, taken at what goes *into*
# it. Remember $\tanh' = 1 - \tanh^2$.

# %% solution="slope"
def slope(w, x, n):
    """d y_n / d x of residual(w, x, n)."""
    ys = residual(w, x, n)
    product = 1.0
    for k in range(1, n + 1):
        ### BEGIN SOLUTION
        product = product * (1.0 + w * (1.0 - math.tanh(ys[k - 1]) ** 2))
        ### END SOLUTION
    return product


# %% check="slope-check"
for w, x, n in [(0.3, 0.2, 4), (-0.5, 1.1, 3), (0.8, -0.6, 1)]:
    step = 1e-6
    seen = (residual(w, x + step, n)[-1] - residual(w, x - step, n)[-1]) / (2 * step)
    plain = math.prod(w * (1 - math.tanh(y) ** 2) for y in residual(w, x, n)[:n])
    after = math.prod(1 + w * (1 - math.tanh(y) ** 2) for y in residual(w, x, n)[1:])
    mine = slope(w, x, n)
    assert not close(mine, plain, 1e-5), "Where is the skip? The derivative of x itself is missing."
    assert not close(mine, after, 1e-5), "Off by one layer: what goes into layer k, not what comes out."
    assert close(mine, seen, 1e-5), "A difference quotient disagrees."
print("Problem 2: right so far.")

# %% grade="slope-values" points=4
### BEGIN HIDDEN TESTS
for w, x, n in ((0.1, 0.5, 50), (-1.0, 0.3, 6), (2.0, -1.5, 9), (0.4, 0.0, 20), (0.7, 1.0, 0)):
    y, wanted = x, 1.0
    for _ in range(n):
        wanted *= 1 + w / math.cosh(y) ** 2
        y += w * math.tanh(y)
    expect(close(ask("slope(w, x, n)", w=w, x=x, n=n), wanted), f"slope({w}, {x}, {n}) is off.")
### END HIDDEN TESTS

# %% mistake="the skip is forgotten" of="slope" fails=["slope-values"] hint="Where is the skip?"
def slope(w, x, n):
    return math.prod(w * (1 - math.tanh(y) ** 2) for y in residual(w, x, n)[:n])


# %% mistake="off by one layer" of="slope" fails=["slope-values"] hint="Off by one layer"
def slope(w, x, n):
    return math.prod(1 + w * (1 - math.tanh(y) ** 2) for y in residual(w, x, n)[1:])


# %% [markdown]
# ## Problem 3: a skip of 0.9 is not a skip (4 points)
#
# Scale every skip by $1 - \alpha$. Along the path of skips alone a gradient arrives multiplied by $(1 - \alpha)^n$.
# Write `largest_alpha`: the largest $\alpha$ for which at least `share` of it arrives after $n$ layers. Then: what
# arrives at depth 50 with $\alpha = 0.1$ (`arrives`)?

# %% solution="scaled"
def largest_alpha(n, share):
    """The largest alpha in [0, 1] with (1 - alpha)**n >= share, for n >= 1 and 0 < share <= 1."""
    ### BEGIN SOLUTION
    return 1.0 - share ** (1.0 / n)
    ### END SOLUTION


# arrives = ...   a number
### BEGIN SOLUTION
arrives = 0.9**50
### END SOLUTION

# %% check="scaled-check"
for n, share in [(10, 0.5), (40, 0.1)]:
    alpha = largest_alpha(n, share)
    assert not close(alpha**n, share, 1e-4), "That is the skip itself; alpha is what is taken from it."
    assert not close(alpha, (1 - share) / n, 1e-6), "Shares multiply from layer to layer, they don't add up."
    assert (1 - alpha) ** n >= share * (1 - 1e-9), "Less than the share arrives: alpha is too large."
    assert (1 - alpha - 1e-3) ** n < share, "alpha could be larger."
assert arrives < 0.01, "After 50 layers hardly anything arrives: multiply, don't subtract."
print("Problem 3: right so far.")

# %% grade="scaled-function" points=3
### BEGIN HIDDEN TESTS
for n, share in ((1, 0.3), (50, 0.1), (100, 0.9), (30, 1.0)):
    expect(close(ask("largest_alpha(n, s)", n=n, s=share), 1 - share ** (1 / n)), f"largest_alpha({n}, {share}) is off.")
### END HIDDEN TESTS

# %% grade="scaled-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(arrives)"), 0.9**50, rel=0.02), "arrives: fifty skips of 0.9, one after the other.")
### END HIDDEN TESTS

# %% mistake="the skip in the place of alpha" of="scaled" fails=["scaled-function"] hint="That is the skip itself"
def largest_alpha(n, share):
    return share ** (1.0 / n)


arrives = 0.9**50

# %% mistake="shares added up" of="scaled" fails=["scaled-function", "scaled-number"] hint="they don't add up"
def largest_alpha(n, share):
    return (1 - share) / n


arrives = 0.0

# %% [markdown]
# ## Problem 4: many short paths (4 points)
#
# Multiply out $(1 + w)^n$: the gradient is a sum over paths, and a path takes the branch in $k$ of the $n$ layers.
# There are $\binom{n}{k}$ paths of length $k$, each worth $w^k$. Return the share of the total that paths of length
# $k$ carry, for $w > 0$, and the mean length of a path, weighted by these shares.

# %% solution="paths"
def path_share(n, k, w):
    """Share of (1 + w)**n that paths through exactly k of n branches carry."""
    ### BEGIN SOLUTION
    return math.comb(n, k) * w**k / (1.0 + w) ** n
    ### END SOLUTION


def mean_length(n, w):
    """The mean of k, weighted by path_share(n, k, w)."""
    ### BEGIN SOLUTION
    return n * w / (1.0 + w)
    ### END SOLUTION


# %% check="paths-check"
for n, w in [(6, 0.5), (10, 0.1)]:
    shares = [path_share(n, k, w) for k in range(n + 1)]
    bare = sum(w**k / (1 + w) ** n for k in range(n + 1))
    assert not close(sum(shares), bare, 1e-6), "Count the paths: how many ways to choose k of n layers?"
    assert not close(sum(shares), (1 + w) ** n, 1e-6), "Divide by the total to get shares."
    assert close(sum(shares), 1.0), "The shares must add up to 1."
    assert close(mean_length(n, w), sum(k * s for k, s in enumerate(shares))), "mean_length and path_share disagree."
print("Problem 4: right so far.")

# %% grade="paths-share" points=2
### BEGIN HIDDEN TESTS
for n, k, w in ((50, 5, 0.1), (4, 0, 2.0), (12, 12, 1.0)):
    wanted = math.comb(n, k) * w**k / (1 + w) ** n
    expect(close(ask("path_share(n, k, w)", n=n, k=k, w=w), wanted, least=0), f"path_share({n}, {k}, {w}) is off.")
### END HIDDEN TESTS

# %% grade="paths-length" points=2
### BEGIN HIDDEN TESTS
for n, w in ((50, 0.1), (1, 1.0), (200, 0.01)):
    expect(close(ask("mean_length(n, w)", n=n, w=w), n * w / (1 + w)), f"mean_length({n}, {w}) is off.")
### END HIDDEN TESTS

# %% mistake="paths are not counted" of="paths" fails=["paths-share"] hint="Count the paths"
def path_share(n, k, w):
    return w**k / (1 + w) ** n


def mean_length(n, w):
    return n * w / (1 + w)


# %% mistake="half of the layers, always" of="paths" fails=["paths-length"] hint="disagree"
def path_share(n, k, w):
    return math.comb(n, k) * w**k / (1 + w) ** n


def mean_length(n, w):
    return n / 2


# %% [markdown]
# ## Problem 5, open: set the gate (5 points)
#
# A Highway layer is $T(x) F(x) + (1 - T(x))\, x$ with the gate $T = \sigma(\ldots + b)$. At the start $T \approx \sigma(b)$, so
# $n$ layers carry the input on with $(1 - \sigma(b))^n$. Write `carried(b, n)` and its inverse in $b$: `gate_bias(n,
# share)`, the bias at which `share` of the input is carried through $n$ layers. Give `bias_50`, for one half
# carried through 50 layers.

# %% solution="gate"
def carried(b, n):
    """Share of the input that n Highway layers with gate bias b carry at the start."""
    ### BEGIN SOLUTION
    return (1.0 - 1.0 / (1.0 + math.exp(-b))) ** n
    ### END SOLUTION


def gate_bias(n, share):
    """The b with carried(b, n) == share, for 0 < share < 1."""
    ### BEGIN SOLUTION
    gate = 1.0 - share ** (1.0 / n)
    return math.log(gate / (1.0 - gate))
    ### END SOLUTION


# bias_50 = ...   a number
### BEGIN SOLUTION
bias_50 = gate_bias(50, 0.5)
### END SOLUTION

# %% check="gate-check"
assert not close(carried(-2.0, 1), 1 / (1 + math.exp(2.0)), 1e-6), "That share goes through F: what is left is carried."
assert carried(-6.0, 20) > carried(-1.0, 20), "A lower bias closes the gate to F, and carries more."
assert close(carried(0.0, 3), 0.125), "At b = 0 half is carried by each layer."
for n, share in [(10, 0.9), (30, 0.2)]:
    assert close(carried(gate_bias(n, share), n), share, 1e-4), "gate_bias does not undo carried."
assert gate_bias(100, 0.5) < gate_bias(10, 0.5), "A deeper network needs a lower bias."
assert close(carried(bias_50, 50), 0.5, 0.01), "bias_50: it is not one half that arrives."
print("Problem 5: right so far.")

# %% grade="gate-carried" points=2
### BEGIN HIDDEN TESTS
for b, n in ((-2.0, 50), (-4.0, 50), (1.0, 3), (-1.0, 0)):
    expect(close(ask("carried(b, n)", b=b, n=n), (1 / (1 + math.exp(b))) ** n, least=0), f"carried({b}, {n}) is off.")
### END HIDDEN TESTS

# %% grade="gate-inverse" points=2
### BEGIN HIDDEN TESTS
for n, share in ((1, 0.5), (50, 0.9), (20, 0.01)):
    b = float(ask("gate_bias(n, s)", n=n, s=share))
    expect(close((1 / (1 + math.exp(b))) ** n, share, rel=1e-4), f"gate_bias({n}, {share}) carries another share.")
### END HIDDEN TESTS

# %% grade="gate-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(bias_50)"), -4.2718, rel=0, least=0.02), "bias_50: solve (1 - sigma(b))^50 = 1/2.")
### END HIDDEN TESTS

# %% mistake="gate and carry swapped" of="gate" fails=["gate-carried", "gate-inverse", "gate-number"] hint="goes through F"
def carried(b, n):
    return (1 / (1 + math.exp(-b))) ** n


def gate_bias(n, share):
    gate = share ** (1 / n)
    return math.log(gate / (1 - gate))


bias_50 = gate_bias(50, 0.5)

# %% mistake="one layer in the place of n" of="gate" fails=["gate-inverse", "gate-number"] hint="does not undo"
def carried(b, n):
    return (1 / (1 + math.exp(b))) ** n


def gate_bias(n, share):
    return math.log((1 - share) / share)


bias_50 = 0.0

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# Someone reports: "Our Highway network with gate bias -1 trains at depth 10 and fails at depth 50, so skip
# connections do not help in deep networks." Use your functions for the two depths, and say what you would
# change, what you would keep the same, and what you would measure before you believe the sentence.
# Three to six sentences.

# %% [markdown] written="gate-report" points=4
# At bias -1 a layer carries 1 - 0.27 = 0.73 of its input: 0.044 over ten layers, 1.6e-7 over fifty. So at depth
# 50 there is practically no skip, and the failure says nothing about skips. I would lower the bias (about -4.3
# for one half carried over 50 layers) and leave data, rate, seeds and steps as they are, with a plain and a
# residual network of the same depth beside it. Before believing the sentence I would measure the gates and the
# gradient at the first layer at the start, and training accuracy over several seeds.
#
# Marks: 1 numbers at both depths; 1 conclusion "no skip left"; 1 change the bias only; 1 a measurement or control.
