# ---
# jupyter:
#   course:
#     title: "The scalar chain: one weight, many layers"
#     part: "I"
#     notebook: "01"
#     minutes: 75
# ---

# %% [markdown]
# # Problem set 1: the scalar chain
#
# The chain of notebook 01 has one weight $w$ and one bias $b$, used in every layer:
# $y_0 = x$, $y_{k} = w\, y_{k-1} + b$. You will differentiate it, find out when it overflows, and
# say how much room there is between vanishing and exploding.
#
# Run the cells from the top. A *check* below each problem tells you at once whether you are on the
# way; your work is graded later by more tests than these. About 75 minutes.

# %% setup="start"
import math

import numpy as np


def forward(w, b, x, n):
    """The activations y_0 ... y_n of the chain, as a list of n + 1 numbers."""
    ys = [x]
    for _ in range(n):
        ys.append(w * ys[-1] + b)
    return ys


def close(a, b, tolerance=1e-5):
    return abs(a - b) <= tolerance * max(1.0, abs(a), abs(b))


# %% [markdown]
# ## Problem 1, worked: how the output depends on the input
#
# Each layer multiplies by $w$, so a small change of $x$ arrives as $w \cdot w \cdots w$ times that
# change: $\partial y_n / \partial x = w^n$. A difference quotient agrees. Nothing to do here but to
# read, to run, and to change the numbers.

# %%
def dy_dx(w, b, x, n):
    return w**n


h = 1e-6
quotient = (forward(0.9, 0.1, 1.0 + h, 20)[-1] - forward(0.9, 0.1, 1.0 - h, 20)[-1]) / (2 * h)
print(dy_dx(0.9, 0.1, 1.0, 20), quotient)

# %% [markdown]
# ## Problem 2, faded: how the output depends on the weight and on the bias (5 points)
#
# The weight stands in *every* layer. Layer $k$ contributes $y_{k-1}$ (what $w$ is multiplied with
# there), and the layers above it multiply that by $w^{n-k}$. Add up over $k$. The bias works the same
# way, with a 1 in the place of $y_{k-1}$. Fill in the two sums.

# %% solution="slopes"
def dy_dw(w, b, x, n):
    """dy_n / dw for any real w, n >= 0."""
    ys = forward(w, b, x, n)
    ### BEGIN SOLUTION
    return sum(ys[k - 1] * w ** (n - k) for k in range(1, n + 1))
    ### END SOLUTION


def dy_db(w, b, x, n):
    """dy_n / db for any real w, n >= 0."""
    ### BEGIN SOLUTION
    return sum(w ** (n - k) for k in range(1, n + 1))
    ### END SOLUTION


# %% check="slopes-check"
def quotient(f, at, h=1e-6):
    return (f(at + h) - f(at - h)) / (2 * h)


for w, b, x, n in [(0.9, 0.0, 1.0, 5), (1.1, 0.3, -0.5, 4), (-0.8, 0.2, 0.7, 6)]:
    mine, seen = dy_dw(w, b, x, n), quotient(lambda v: forward(v, b, x, n)[-1], w)
    assert mine is not None, "dy_dw returns nothing: does it end with a return?"
    assert not (b == 0 and close(mine * n, seen)), "Your dy_dw misses a factor: how many layers hold w?"
    assert not close(mine, seen * w), "One factor w too many: how many layers are above layer k?"
    assert not close(mine * w, seen), "One factor w is missing: which y is multiplied in layer k?"
    assert not close(mine, seen - forward(w, b, x, n)[n - 1]), "One term is missing: does the sum reach the last layer?"
    assert close(mine, seen), "dy_dw differs from the slope of forward. Write out n = 2 by hand."
    mine, seen = dy_db(w, b, x, n), quotient(lambda v: forward(w, v, x, n)[-1], b)
    assert mine is not None, "dy_db returns nothing: does it end with a return?"
    assert not close(mine, w ** (n - 1)), "That is the first layer's bias alone: add all the layers."
    assert not close(mine, seen + w**n), "One term too many: how many layers are there?"
    assert close(mine, seen), "dy_db differs from the slope of forward. Does the last bias count?"
print("Problem 2: what could be checked here is right.")

# %% grade="slope-w" points=3
### BEGIN HIDDEN TESTS
def chain_slope(w, b, x, n):
    y, slope = x, 0.0
    for _ in range(n):
        y, slope = w * y + b, y + w * slope
    return slope


for w, b, x, n in ((1.0, 0.5, 2.0, 9), (0.0, 0.3, 1.5, 4), (1.3, -0.2, 0.4, 25), (-1.05, 1.0, 0.0, 30)):
    got = ask("dy_dw(w, b, x, n)", w=w, b=b, x=x, n=n)
    expect(close(got, chain_slope(w, b, x, n)), f"dy_dw is off for w = {w}, b = {b}, n = {n}.")
expect(close(ask("dy_dw(0.7, 0.1, 2.0, 0)"), 0.0), "With no layer at all, w changes nothing.")
### END HIDDEN TESTS

# %% grade="slope-b" points=2
### BEGIN HIDDEN TESTS
for w, n in ((1.0, 12), (0.0, 3), (0.5, 40), (-1.1, 21)):
    geometric = n if w == 1 else (1 - w**n) / (1 - w)
    expect(close(ask("dy_db(w, 0.3, 1.0, n)", w=w, n=n), geometric), f"dy_db is off for w = {w}, n = {n}.")
### END HIDDEN TESTS

# %% mistake="the factor n is forgotten" of="slopes" fails=["slope-w"] hint="misses a factor"
def dy_dw(w, b, x, n):
    return x * w ** (n - 1) if n else 0.0


def dy_db(w, b, x, n):
    return sum(w**k for k in range(n))


# %% mistake="off by one layer" of="slopes" fails=["slope-w", "slope-b"] hint="One factor w too many"
def dy_dw(w, b, x, n):
    ys = forward(w, b, x, n)
    return sum(ys[k] * w ** (n - k) for k in range(1, n + 1))


def dy_db(w, b, x, n):
    return sum(w ** (n - k) for k in range(0, n + 1))


# %% mistake="the last layer is left out" of="slopes" fails=["slope-w"] hint="reach the last layer"
def dy_dw(w, b, x, n):
    ys = forward(w, b, x, n)
    return sum(ys[k - 1] * w ** (n - k) for k in range(1, n))


def dy_db(w, b, x, n):
    return sum(w**k for k in range(n))


# %% mistake="closed form that divides by zero at w = 1" of="slopes" fails=["slope-b"]
def dy_dw(w, b, x, n):
    ys = forward(w, b, x, n)
    return sum(ys[k - 1] * w ** (n - k) for k in range(1, n + 1))


def dy_db(w, b, x, n):
    return (1 - w**n) / (1 - w)


# %% [markdown]
# ## Problem 3: predict where it overflows (4 points)
#
# With $b = 0$ and $x = 1$ the chain computes $w^n$. The largest finite number is about $65504$ in
# `float16` and $3.4 \cdot 10^{38}$ in `float32`. The *overflow depth* is the first $n$ for which
# $w^n$ is larger than that. Write a function that predicts it from a logarithm, without a loop over
# layers, and use it (or paper) for two numbers: the overflow depths of $w = 1.3$.

# %% solution="overflow"
def overflow_depth(w, largest):
    """The least n with w**n > largest, for w > 1."""
    ### BEGIN SOLUTION
    return math.floor(math.log(largest) / math.log(w)) + 1
    ### END SOLUTION


# depth_16 = ...   overflow depth of w = 1.3 in float16, a whole number
# depth_32 = ...   overflow depth of w = 1.3 in float32, a whole number
### BEGIN SOLUTION
depth_16 = overflow_depth(1.3, 65504.0)
depth_32 = overflow_depth(1.3, 3.4028235e38)
### END SOLUTION

# %% check="overflow-check"
for w, largest in [(3.0, 1e3), (1.7, 1e6), (2.0, 1000.0)]:
    n = overflow_depth(w, largest)
    assert n == int(n), "A depth is a whole number: round to the right side."
    assert w ** (n - 1) <= largest, "Too deep: one layer earlier it has overflowed already."
    assert w**n > largest, "Not there yet: at your depth w**n is still finite. Off by one layer?"
for depth, kind in [(depth_16, np.float16), (depth_32, np.float32)]:
    assert depth == int(depth) and depth > 0, f"{kind.__name__}: a whole number, please."
    assert 1.3 ** (depth - 1) <= float(np.finfo(kind).max), f"{kind.__name__}: one layer earlier is inf too."
    assert 1.3**depth > float(np.finfo(kind).max), f"{kind.__name__}: this depth is still finite."
print("Problem 3: right so far.")

# %% grade="overflow-function" points=2
### BEGIN HIDDEN TESTS
for w, largest in ((1.1, 65504.0), (1.2, 3.4028235e38), (1.5, 1e300), (10.0, 5.0), (1.01, 2.0)):
    depth = ask("overflow_depth(w, largest)", w=w, largest=largest)
    expect(
        isinstance(depth, (int, float)) and w ** (int(depth) - 1) <= largest < w ** int(depth),
        f"overflow_depth({w}, {largest:g}) is not the first depth beyond the limit.",
    )
### END HIDDEN TESTS

# %% grade="overflow-numbers" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(depth_16)"), 43.0), "depth_16: which n is the first beyond 65504?")
expect(close(ask("float(depth_32)"), 339.0), "depth_32: which n is the first beyond the largest float32?")
### END HIDDEN TESTS

# %% mistake="off by one layer" of="overflow" fails=["overflow-function", "overflow-numbers"] hint="Off by one layer?"
def overflow_depth(w, largest):
    return math.floor(math.log(largest) / math.log(w))


depth_16 = overflow_depth(1.3, 65504.0)
depth_32 = overflow_depth(1.3, 3.4028235e38)

# %% mistake="the numbers are missing" of="overflow" fails=["overflow-numbers"]
def overflow_depth(w, largest):
    return math.floor(math.log(largest) / math.log(w)) + 1


# %% [markdown]
# ## Problem 4, open: how much room is there? (4 points)
#
# Call a depth-$n$ chain *healthy* if $w^n$ lies between $1/10$ and $10$ (for $w > 0$). Which weights are
# healthy? Write `healthy(n)`, the smallest and the largest such $w$. Then write `room(n)`, the width of
# that interval, and find the first depth at which the room is less than one per cent: `narrow`.

# %% solution="room"
def healthy(n):
    """(smallest, largest) w > 0 with 1/10 <= w**n <= 10, for n >= 1."""
    ### BEGIN SOLUTION
    return 10.0 ** (-1 / n), 10.0 ** (1 / n)
    ### END SOLUTION


def room(n):
    """How wide the interval healthy(n) is."""
    low, high = healthy(n)
    return high - low


# narrow = ...   the first n with room(n) < 0.01
### BEGIN SOLUTION
narrow = next(n for n in range(1, 10_000) if room(n) < 0.01)
### END SOLUTION

# %% check="room-check"
for n in (1, 7, 60):
    low, high = healthy(n)
    assert low < high, "The smallest weight comes first."
    assert not close(low**n, 10.0), "These are the same bound twice: one of them belongs to vanishing."
    assert close(high**n, 10.0), "The largest weight must reach exactly 10 after n layers."
    assert close(low**n, 0.1), "The smallest weight must reach exactly 1/10 after n layers."
assert room(narrow) < 0.01, "At this depth there is more room than one per cent: go deeper."
assert room(narrow - 1) >= 0.01, "One layer less is narrow already: is yours the *first* depth?"
print("Problem 4: right so far.")

# %% grade="room-function" points=2
### BEGIN HIDDEN TESTS
for n in (1, 2, 13, 100, 900):
    got = ask("list(healthy(n))", n=n)
    expect(close(got, [10 ** (-1 / n), 10 ** (1 / n)]), f"healthy({n}): one end is off.")
### END HIDDEN TESTS

# %% grade="room-number" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(narrow)"), 461.0), "narrow: look for the first depth at which room(n) < 0.01.")
### END HIDDEN TESTS

# %% mistake="e in the place of ten" of="room" fails=["room-function", "room-number"] hint="exactly 10"
def healthy(n):
    return math.exp(-1 / n), math.exp(1 / n)


def room(n):
    low, high = healthy(n)
    return high - low


narrow = next(n for n in range(1, 10_000) if room(n) < 0.01)

# %% mistake="ten times too generous" of="room" fails=["room-number"] hint="go deeper"
def healthy(n):
    return 10.0 ** (-1 / n), 10.0 ** (1 / n)


def room(n):
    low, high = healthy(n)
    return high - low


narrow = 47

# %% [markdown]
# ## Problem 5, in words (4 points, marked by hand)
#
# A friend says: "With 32-bit floats nothing can explode below depth 100, so a depth of 50 is safe."
# Answer in three to five sentences. Use your overflow depths, name one thing that goes wrong *long
# before* a number overflows, and say what depth does to the room for the weight.

# %% [markdown] written="safe-depth" points=4
# The overflow depth depends on w: for w = 2 it is 128, for w = 1.3 it is 339 and for w = 10 it is 39, so
# "below 100" is wrong for large weights. Long before overflow the gradient with respect to early layers is
# huge, so that one step with an ordinary learning rate throws the weights away (or, below 1, it vanishes and
# early layers learn nothing). The room for w shrinks like 2 ln(10) / n, so at depth 50 only weights within
# about 5 % of 1 are healthy.
#
# Marks: 1 overflow depends on w, with a number; 1 large gradients or steps before overflow; 1 vanishing side
# or room ~ 1/n; 1 clear sentences.
