# ---
# jupyter:
#   course:
#     title: "Landscapes, and reading figures of papers"
#     part: "III"
#     notebook: "11"
#     minutes: 80
# ---

# %% [markdown]
# # Problem set 11: landscapes, and reading figures
#
# A picture of a loss landscape convinces easily. You build its directions so that they can be compared,
# turn "rough" into two numbers, and then read a published table as a referee would: do these numbers
# support that sentence? About 80 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-12))


def surface(f, size=9):
    """Values of f(x, y) on a (size, size) grid over [-1, 1] x [-1, 1], and the spacing."""
    t = np.linspace(-1, 1, size)
    return f(t[:, None], t[None, :]), t[1] - t[0]


# %% [markdown]
# ## Problem 1, worked: why directions must be normalized
#
# With batch norm, weights times 10 give the same function. A random direction of fixed length is then a
# huge change for the small network and a tiny one for the large network: the same function looks rough or
# flat. Scaling each direction to the size of the weights that it changes removes the difference.

# %%
draw = np.random.default_rng(0)
small, direction = draw.normal(size=20), draw.normal(size=20)
for scale in (1.0, 10.0):
    relative = np.linalg.norm(direction) / np.linalg.norm(scale * small)
    print(f"weights x {scale:g}: the direction is {relative:.2f} of their length")

# %% [markdown]
# ## Problem 2, faded: filter-normalized directions (4 points)
#
# In $h W$ the weights of one unit are a *column* of $W$. Give each column of the direction the length of the
# corresponding column of the weights (Li et al., 2018). A column of zeros stays one.

# %% solution="normalise"
def normalise(direction, weights):
    """`direction` (fan_in, fan_out), each column scaled to the length of that column of `weights`."""
    length = np.linalg.norm(direction, axis=0)
    ### BEGIN SOLUTION
    wanted = np.linalg.norm(weights, axis=0)
    return direction * np.divide(wanted, length, out=np.zeros_like(length), where=length > 0)
    ### END SOLUTION


# %% check="normalise-check"
w = draw.normal(size=(6, 3)) * [1.0, 5.0, 0.2]
d = draw.normal(size=(6, 3))
n = normalise(d, w)
assert n.shape == d.shape, "The shape stays."
assert not close(np.linalg.norm(n, axis=1), np.linalg.norm(w, axis=1)), "Rows were matched: units are columns."
assert not (close(np.linalg.norm(n), np.linalg.norm(w)) and not close(np.linalg.norm(n[:, 0]), np.linalg.norm(w[:, 0]))), "One factor for the whole matrix: each unit needs its own."
assert not close(np.linalg.norm(n, axis=0), 1.0), "All columns have length 1 now: give them that of the weights."
assert close(np.linalg.norm(n, axis=0), np.linalg.norm(w, axis=0)), "Some column has the wrong length."
assert close(n[:, 0] / n[0, 0], d[:, 0] / d[0, 0]), "A column has turned: only its length may change."
d[:, 1] = 0.0
assert np.all(np.isfinite(normalise(d, w))), "A column of zeros must not divide by zero."
print("Problem 2: right so far.")

# %% grade="normalise-columns" points=3
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(111)
for shape in ((5, 5), (3, 8), (10, 1)):
    d, w = rng.normal(size=shape), rng.normal(size=shape) * rng.uniform(0.1, 9, size=shape[1])
    wanted = d * np.sqrt((w**2).sum(axis=0) / (d**2).sum(axis=0))
    expect(close(ask("normalise(d, w)", d=d, w=w), wanted), f"A direction of shape {shape} is off.")
### END HIDDEN TESTS

# %% grade="normalise-zeros" points=1
### BEGIN HIDDEN TESTS
d, w = np.ones((4, 2)), np.ones((4, 2))
d[:, 0] = 0.0
expect(close(ask("normalise(d, w)", d=d, w=w)[:, 0], np.zeros(4)), "A column of zeros must stay one.")
expect(close(ask("normalise(d, w)", d=d, w=2 * d)[:, 1], np.full(4, 2.0)), "Beside a column of zeros, another is as long as its weights.")
### END HIDDEN TESTS

# %% mistake="rows in the place of columns" of="normalise" fails=["normalise-columns"] hint="units are columns"
def normalise(direction, weights):
    row = np.linalg.norm(weights, axis=1, keepdims=True) / np.linalg.norm(direction, axis=1, keepdims=True)
    return direction * row


# %% mistake="one factor for all" of="normalise" fails=["normalise-columns"] hint="One factor"
def normalise(direction, weights):
    return direction * np.linalg.norm(weights) / np.linalg.norm(direction)


# %% [markdown]
# ## Problem 3: how much of it is not convex? (5 points)
#
# At each inner point of a grid of losses take the second differences: $a$ along the first axis, $c$ along the
# second, and the mixed one $b$, all divided by the squared spacing. The Hessian is
# $\begin{pmatrix} a & b \\ b & c \end{pmatrix}$. Return the share of inner points at which its smaller eigenvalue is negative
# (below $-10^{-9}$).

# %% solution="nonconvex"
def nonconvex_share(z, spacing):
    """Share of the inner points of a grid z at which the Hessian has a negative eigenvalue."""
    a = (z[2:, 1:-1] - 2 * z[1:-1, 1:-1] + z[:-2, 1:-1]) / spacing**2
    ### BEGIN SOLUTION
    c = (z[1:-1, 2:] - 2 * z[1:-1, 1:-1] + z[1:-1, :-2]) / spacing**2
    b = (z[2:, 2:] - z[2:, :-2] - z[:-2, 2:] + z[:-2, :-2]) / (4 * spacing**2)
    least = (a + c) / 2 - np.sqrt(((a - c) / 2) ** 2 + b**2)
    return float(np.mean(least < -1e-9))
    ### END SOLUTION


# %% check="nonconvex-check"
bowl, h = surface(lambda x, y: x**2 + 3 * y**2)
assert nonconvex_share(bowl, h) == 0, "A bowl is convex everywhere."
assert nonconvex_share(-bowl, h) == 1, "A hill is convex nowhere."
flat_then_down, h = surface(lambda x, y: x**2 - y**2 / 10)
assert nonconvex_share(flat_then_down, h) == 1, "Up in one direction, down in the other: a saddle is not convex. The sum of a and c does not tell."
twisted, h = surface(lambda x, y: x**2 + y**2 + 5 * x * y)
assert nonconvex_share(twisted, h) == 1, "This one is a saddle along the diagonal: the mixed difference is missing."
mild, h = surface(lambda x, y: x**2 + y**2 + 1.5 * x * y)
assert nonconvex_share(mild, h) == 0, "The mixed difference is too large: four corners, twice the spacing each way."
print("Problem 3: right so far.")

# %% grade="nonconvex-plain" points=2
### BEGIN HIDDEN TESTS
t = np.linspace(-2, 2, 21)
for wave in (2, 0.5):
    z = np.cos(wave * t)[:, None] + t[None, :] ** 2
    expected = np.mean((np.diff(z, 2, axis=0)[:, 1:-1] < -1e-9))
    expect(close(ask("nonconvex_share(z, s)", z=z, s=t[1] - t[0]), expected), "Waves along one axis: the share is off.")
    expect(close(ask("nonconvex_share(z, s)", z=z.T, s=t[1] - t[0]), expected), "The same waves along the other axis: off.")
### END HIDDEN TESTS

# %% grade="nonconvex-mixed" points=3
### BEGIN HIDDEN TESTS
for seed in (113, 213):
    rng = np.random.default_rng(seed)
    z = np.cumsum(np.cumsum(rng.normal(size=(15, 12)), axis=0), axis=1) + 0.5 * (np.arange(15)[:, None] ** 2 + np.arange(12) ** 2)
    hits = total = 0
    for i in range(1, 14):
        for j in range(1, 11):
            a, c = z[i + 1, j] - 2 * z[i, j] + z[i - 1, j], z[i, j + 1] - 2 * z[i, j] + z[i, j - 1]
            b = (z[i + 1, j + 1] - z[i + 1, j - 1] - z[i - 1, j + 1] + z[i - 1, j - 1]) / 4
            hits += np.linalg.eigvalsh([[a / 0.01, b / 0.01], [b / 0.01, c / 0.01]])[0] < -1e-9
            total += 1
    expect(close(ask("nonconvex_share(z, 0.1)", z=z), hits / total), "A rough surface: the share is off.")
### END HIDDEN TESTS

# %% mistake="the mixed difference is missing" of="nonconvex" fails=["nonconvex-mixed"] hint="the mixed difference is missing"
def nonconvex_share(z, spacing):
    a = (z[2:, 1:-1] - 2 * z[1:-1, 1:-1] + z[:-2, 1:-1]) / spacing**2
    c = (z[1:-1, 2:] - 2 * z[1:-1, 1:-1] + z[1:-1, :-2]) / spacing**2
    return float(np.mean(np.minimum(a, c) < -1e-9))


# %% mistake="the trace for the eigenvalue" of="nonconvex" fails=["nonconvex-plain", "nonconvex-mixed"] hint="does not tell"
def nonconvex_share(z, spacing):
    a = (z[2:, 1:-1] - 2 * z[1:-1, 1:-1] + z[:-2, 1:-1]) / spacing**2
    c = (z[1:-1, 2:] - 2 * z[1:-1, 1:-1] + z[1:-1, :-2]) / spacing**2
    return float(np.mean(a + c < -1e-9))


# %% [markdown]
# ## Problem 4: how many valleys? (4 points)
#
# Count the inner points that are lower than all eight points around them. Points on the rim don't count.

# %% solution="valleys"
def valleys(z):
    """Number of inner points of z that are strictly lower than their eight neighbours."""
    ### BEGIN SOLUTION
    inner = z[1:-1, 1:-1]
    rows, columns = z.shape
    lower = np.ones(inner.shape, dtype=bool)
    for i in (0, 1, 2):
        for j in (0, 1, 2):
            if (i, j) != (1, 1):
                lower &= inner < z[i : rows - 2 + i, j : columns - 2 + j]
    return int(lower.sum())
    ### END SOLUTION


# %% check="valleys-check"
pit = np.ones((5, 5))
pit[2, 2] = 0.0
assert valleys(pit) == 1, "One pit in a plain."
assert valleys(np.ones((5, 5))) == 0, "A plain has no valley: strictly lower."
pit[3, 3] = -1.0
assert valleys(pit) != 2, "Diagonal neighbours count too: all eight."
assert valleys(pit) == 1, "The deeper of two neighbouring pits is the only valley."
rim = np.ones((5, 5))
rim[0, 2] = 0.0
assert valleys(rim) == 0, "On the rim nothing is known about the other side."
print("Problem 4: right so far.")

# %% grade="valleys-count" points=4
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(114)
for shape in ((20, 31), (3, 3), (4, 9)):
    z = rng.normal(size=shape)
    wanted = 0
    for i in range(1, shape[0] - 1):
        for j in range(1, shape[1] - 1):
            around = np.delete(z[i - 1 : i + 2, j - 1 : j + 2].ravel(), 4)
            wanted += bool((z[i, j] < around).all())
    expect(ask("int(valleys(z))", z=z) == wanted, f"A random surface of shape {shape}: the count is off.")
### END HIDDEN TESTS

# %% mistake="four neighbours" of="valleys" fails=["valleys-count"] hint="all eight"
def valleys(z):
    m = z[1:-1, 1:-1]
    near = np.minimum.reduce([z[2:, 1:-1], z[:-2, 1:-1], z[1:-1, 2:], z[1:-1, :-2]])
    return int((m < near).sum())


# %% mistake="equal counts as lower" of="valleys" fails=[] hint="strictly lower"
def valleys(z):
    m, (r, c) = z[1:-1, 1:-1], z.shape
    near = [z[i : r - 2 + i, j : c - 2 + j] for i in range(3) for j in range(3)]
    return int((m <= np.minimum.reduce(near)).sum())


# %% [markdown]
# ## Problem 5, open: is the difference one? (5 points)
#
# A table gives, for two methods, the mean and standard deviation of the test error over runs: in the VAN
# paper 6.35 ± 0.21 (VAN, 26 layers) and 6.40 ± 0.16 (VAN with lambda = 0, 26 layers); take five runs each.
# Write `standard_errors`: the difference of the two means in units of its standard error (the errors of the
# means add up in squares). Give the number for these two methods (`in_errors`, positive if VAN is better),
# and the number of runs *each* that would make the same difference two standard errors (`runs`, rounded up).

# %% solution="table"
def standard_errors(mean_1, sd_1, n_1, mean_2, sd_2, n_2):
    """(mean_2 - mean_1) over its standard error; sd over runs, n runs."""
    ### BEGIN SOLUTION
    return (mean_2 - mean_1) / math.sqrt(sd_1**2 / n_1 + sd_2**2 / n_2)
    ### END SOLUTION


# in_errors = ...   a number
# runs = ...        a whole number
### BEGIN SOLUTION
in_errors = standard_errors(6.35, 0.21, 5, 6.40, 0.16, 5)
runs = math.ceil(4 * (0.21**2 + 0.16**2) / 0.05**2)
### END SOLUTION

# %% check="table-check"
assert standard_errors(1.0, 0.1, 5, 2.0, 0.1, 5) > 0, "Positive where the first error is the lower one."
few, many = standard_errors(1.0, 0.3, 4, 1.2, 0.4, 4), standard_errors(1.0, 0.3, 400, 1.2, 0.4, 400)
assert not close(few, many), "More runs must make a difference: the standard error of a mean falls with n."
assert not close(many / few, 100.0, 1e-3), "The standard error falls with the root of n, not with n."
assert close(many / few, 10.0), "A hundred times the runs, ten times the standard errors."
assert not close(standard_errors(0.0, 0.3, 1, 1.0, 0.4, 1), 1 / 0.7), "Errors add up in squares, not as they are."
assert close(standard_errors(0.0, 0.3, 1, 1.0, 0.4, 1), 2.0), "0.3 and 0.4 make 0.5, and 1 / 0.5 = 2."
assert runs == int(runs) and 10 < runs < 10_000, "runs: how does the number of standard errors grow with n?"
print("Problem 5: the function looks right.")

# %% grade="table-function" points=3
### BEGIN HIDDEN TESTS
for case in ((6.49, 0.16, 5, 6.35, 0.21, 5), (27.04, 0.3, 5, 28.2, 0.5, 3), (1.0, 0.0, 2, 1.5, 0.2, 9)):
    m1, s1, n1, m2, s2, n2 = case
    wanted = (m2 - m1) / math.sqrt(s1**2 / n1 + s2**2 / n2)
    expect(close(ask("standard_errors(*c)", c=list(case)), wanted), f"standard_errors{case} is off.")
### END HIDDEN TESTS

# %% grade="table-numbers" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(in_errors)"), 0.42348, rel=0.01), "in_errors: put the six numbers in.")
expect(ask("int(runs)") in (111, 112), "runs: solve for n where the difference is two standard errors.")
### END HIDDEN TESTS

# %% mistake="standard deviations taken for standard errors" of="table" fails=["table-function", "table-numbers"] hint="More runs"
def standard_errors(mean_1, sd_1, n_1, mean_2, sd_2, n_2):
    return (mean_2 - mean_1) / math.sqrt(sd_1**2 + sd_2**2)


in_errors, runs = standard_errors(6.35, 0.21, 5, 6.40, 0.16, 5), 112

# %% mistake="errors added as they are" of="table" fails=["table-function", "table-numbers"] hint="in squares"
def standard_errors(mean_1, sd_1, n_1, mean_2, sd_2, n_2):
    return (mean_2 - mean_1) / (sd_1 / math.sqrt(n_1) + sd_2 / math.sqrt(n_2))


in_errors, runs = standard_errors(6.35, 0.21, 5, 6.40, 0.16, 5), 112

# %% [markdown]
# ## Problem 6, in words (5 points, marked by hand)
#
# A paper shows two loss surfaces side by side: a plain network of 56 layers, jagged, and a residual one,
# smooth, one run each, random directions. Its caption: "Skip connections make the loss surface smooth, and
# that is why residual networks train." Which part of the caption does the figure support, which not? Name two
# things that you would ask for before you believe the first half, and one experiment that could refute the
# second. Three to eight sentences.

# %% [markdown] written="caption" points=5
# The figure shows that for these two runs and these directions the plain surface is rougher in a slice; it
# cannot show why networks train: that is a claim about causes. For the first half I would ask for directions
# normalized filter by filter (or the scale of the weights decides the picture), several runs and random
# directions with a number such as the share of non-convex points, the same span and the same colour scale, and
# whether the networks are compared at equal loss. The second half would be refuted by a network with a rough
# surface that trains well: the plain network with looks-linear weights of notebook 11, for instance, is non-convex
# at a quarter of the points and fits better than other plain ones; or by a smooth one that does not: small weights
# give the flattest surface of all, and learn nothing.
#
# Marks: 1 what is supported (this slice, these runs); 1 cause not shown; 2 two demands, e.g. normalization,
# seeds, a number, equal scale; 1 an experiment that could refute.
