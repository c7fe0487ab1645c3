# ---
# jupyter:
#   course:
#     title: "Degeneracy: folded, orthogonal, and how many directions are left"
#     part: "II"
#     notebook: "06"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 6: degeneracy
#
# Two networks with equal weight variance, equal gradients, and one of them does not learn. What differs
# is the *rank*: how many directions get through. You build the degenerate and the orthogonal
# initialization, measure how many directions are left, and bound what a network that lost half of them
# can reach. Layers compute $h W$, $W$ of shape (fan_in, fan_out). About 90 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-12))


# %% [markdown]
# ## Problem 1, worked: equal size, lower rank
#
# Copy the upper half of a Gaussian matrix over its lower half. Each entry keeps its variance, the mean
# square of the output stays what it was, and half of the singular values are exactly 0: inputs $i$ and
# $i + n/2$ are seen only as their sum.

# %%
draw = np.random.default_rng(0)
full = draw.normal(size=(64, 64)) / 8
half = np.vstack([full[:32], full[:32]])
for name, w in {"full": full, "half": half}.items():
    s = np.linalg.svd(w, compute_uv=False)
    size = np.mean((draw.normal(size=(2000, 64)) @ w) ** 2)
    print(f"{name}: E[h²] = {size:.2f}, singular values above 1e-10: {np.sum(s > 1e-10)}")

# %% [markdown]
# ## Problem 2, faded: fold k times (4 points)
#
# Fold 1 repeats half of the *rows*, fold 2 a quarter of them four times, fold $k$ the first
# $n/2^k$ rows $2^k$ times. Fold 0 changes nothing.

# %% solution="fold"
def fold(w, k):
    """`w` (n, m) with its first n / 2**k rows repeated 2**k times, one block after the other."""
    blocks = 2**k
    ### BEGIN SOLUTION
    return np.tile(w[: len(w) // blocks], (blocks, 1))
    ### END SOLUTION


# %% check="fold-check"
w = draw.normal(size=(16, 8))
assert fold(w, 0).shape == (16, 8) and close(fold(w, 0), w), "Fold 0 leaves the matrix as it is."
for k in (1, 2, 3):
    f = fold(w, k)
    assert f.shape == w.shape, "The shape stays: repeat as often as you cut."
    assert not (k == 1 and close(f[:, :4], f[:, 4:])), "Columns are repeated: which axis are inputs?"
    assert np.linalg.matrix_rank(f) == min(8, 16 // 2**k), f"Fold {k} has {16 // 2**k} different rows."
    assert close(f[: 16 // 2**k], w[: 16 // 2**k]), "The first block stays in its place."
    assert not (k == 1 and close(f[0], f[1])), "Whole blocks are repeated, not neighbours."
print("Problem 2: right so far.")

# %% grade="fold-once" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(61)
w = rng.normal(size=(12, 12))
wanted = np.concatenate([w[:6], w[:6]])
expect(close(ask("fold(w, 1)", w=w), wanted), "fold(w, 1): the lower half repeats the upper half.")
expect(close(ask("fold(w, 0)", w=w), w), "fold(w, 0) leaves the matrix as it is.")
### END HIDDEN TESTS

# %% grade="fold-more" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(62)
w = rng.normal(size=(24, 5))
for k in (2, 3):
    n = 24 // 2**k
    wanted = np.stack([w[i % n] for i in range(24)])
    expect(close(ask("fold(w, k)", w=w, k=k), wanted), f"fold(w, {k}) is off.")
### END HIDDEN TESTS

# %% mistake="columns in the place of rows" of="fold" fails=["fold-once", "fold-more"] hint="which axis"
def fold(w, k):
    blocks = 2**k
    return np.tile(w[:, : w.shape[1] // blocks], (1, blocks))


# %% mistake="2 k in the place of 2 to the k" of="fold" fails=["fold-more"] hint="different rows"
def fold(w, k):
    blocks = 1 if k == 0 else 2 * k
    rows = -(-len(w) // blocks)
    return np.tile(w[:rows], (blocks, 1))[: len(w)]


# %% [markdown]
# ## Problem 3: a random orthogonal matrix (5 points)
#
# The QR decomposition of a Gaussian matrix gives an orthogonal $Q$. But LAPACK fixes the signs in its own
# way, and $Q$ is then not evenly distributed: its corner entry, for one, is never positive. Multiply each
# column of $Q$ by the sign of the diagonal entry of $R$ to mend that (Mezzadri, 2007).

# %% solution="orthogonal"
def orthogonal(rng, n):
    """A random orthogonal (n, n) matrix, evenly distributed; rng is a numpy Generator."""
    ### BEGIN SOLUTION
    q, r = np.linalg.qr(rng.normal(size=(n, n)))
    return q * np.sign(np.diag(r))
    ### END SOLUTION


# %% check="orthogonal-check"
rng = np.random.default_rng(1)
q = orthogonal(rng, 20)
assert q.shape == (20, 20), "A square matrix, please."
assert not np.allclose(np.tril(q, -1), 0), "That is R: the orthogonal factor is the other one."
assert np.allclose(q.T @ q, np.eye(20)), "Its columns are not orthonormal."
assert not np.allclose(q, orthogonal(rng, 20)), "The same matrix twice: draw from rng."
corner = np.mean([orthogonal(rng, 4)[0, 0] for _ in range(300)])
assert abs(corner) < 0.2, f"The corner entry is {corner:.2f} on average: mend the signs, column by column."
print("Problem 3: right so far.")

# %% grade="orthogonal-columns" points=3
### BEGIN HIDDEN TESTS
for n in (1, 2, 33):
    q = ask("np.asarray(orthogonal(np.random.default_rng(n), n))", n=n)
    expect(q.shape == (n, n) and close(q.T @ q, np.eye(n), least=1e-8), f"orthogonal(rng, {n}): Q^T Q is not 1.")
### END HIDDEN TESTS

# %% grade="orthogonal-even" points=2
### BEGIN HIDDEN TESTS
many = ask("np.stack([orthogonal(np.random.default_rng(s), 3) for s in range(600)])")
expect(abs(many.mean(axis=0)).max() < 0.12, "Some entry is not 0 on average: the matrices are not evenly distributed.")
expect(abs((many**2).mean(axis=0) - 1 / 3).max() < 0.08, "The entries do not share the power evenly.")
### END HIDDEN TESTS

# %% mistake="signs as they come" of="orthogonal" fails=["orthogonal-even"] hint="mend the signs"
def orthogonal(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[0]


# %% mistake="R in the place of Q" of="orthogonal" fails=["orthogonal-columns", "orthogonal-even"] hint="That is R"
def orthogonal(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[1]


# %% [markdown]
# ## Problem 4: count directions (5 points)
#
# Two ways to turn singular values $s_i$ into a number of directions. The *effective rank* (Roy and
# Vetterli, 2007) is $e^H$ with the entropy $H = -\sum p_i \ln p_i$ of $p_i = s_i / \sum_j s_j$; terms with
# $p_i = 0$ count as 0. The *participation ratio* is $\left(\sum s_i^2\right)^2 / \sum s_i^4$. Then predict, without
# computing: the effective rank of an orthogonal 64 x 64 matrix after fold 2 (`folded_rank`).

# %% solution="directions"
def effective_rank(s):
    """exp of the entropy of the singular values s >= 0, as shares of their sum."""
    ### BEGIN SOLUTION
    p = np.asarray(s) / np.sum(s)
    p = p[p > 0]
    return float(np.exp(-np.sum(p * np.log(p))))
    ### END SOLUTION


def participation_ratio(s):
    """(sum of squares)**2 / (sum of fourth powers)."""
    ### BEGIN SOLUTION
    square = np.asarray(s) ** 2
    return float(np.sum(square) ** 2 / np.sum(square**2))
    ### END SOLUTION


# folded_rank = ...   a number
### BEGIN SOLUTION
folded_rank = 16.0
### END SOLUTION

# %% check="directions-check"
for count in (effective_rank, participation_ratio):
    name = count.__name__
    assert close(count(np.full(7, 3.0)), 7.0), f"{name}: seven equal values are seven directions, whatever their size."
    assert np.isfinite(count(np.array([1.0, 0.0]))), f"{name}: a zero must not give NaN (0 ln 0 = 0)."
    assert close(count(np.array([2.0, 0.0, 0.0])), 1.0), f"{name}: a single value is one direction."
    assert 1 < count(np.array([1.0, 0.1])) < 2, f"{name}: between one and two directions here."
weak = effective_rank(np.array([1.0, 0.5, 0.5]))
assert not close(weak, 2 ** (1.5 / math.log(2)), 1e-3), "log2 and exp do not belong together."
assert close(weak, 2**1.5), "For 1, 1/2, 1/2 the shares are 1/2, 1/4, 1/4: work it out by hand."
assert 0 < folded_rank <= 64, "folded_rank lies between 1 and 64."
print("Problem 4: the functions look right.")

# %% grade="directions-entropy" points=2
### BEGIN HIDDEN TESTS
for s in (np.array([5.0, 3.0, 1.0, 0.5, 0.0]), np.array([9.0, 2.0, 0.1, 0.1, 0.0])):
    p = s[:4] / s.sum()
    expect(close(ask("effective_rank(s)", s=s), math.exp(-(p * np.log(p)).sum())), "effective_rank is off.")
### END HIDDEN TESTS

# %% grade="directions-participation" points=2
### BEGIN HIDDEN TESTS
for s in (np.array([5.0, 3.0, 1.0, 0.5, 0.0]), np.array([9.0, 2.0, 0.1, 0.1, 0.0])):
    expect(close(ask("participation_ratio(s)", s=s), (s**2).sum() ** 2 / (s**4).sum()), "participation_ratio is off.")
### END HIDDEN TESTS

# %% grade="directions-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(folded_rank)"), 16.0), "folded_rank: how many different rows, and are they equal in size?")
### END HIDDEN TESTS

# %% mistake="log2 with exp" of="directions" fails=["directions-entropy"] hint="seven equal values"
def effective_rank(s):
    p = s / np.sum(s)
    p = p[p > 0]
    return float(np.exp(-np.sum(p * np.log2(p))))


def participation_ratio(s):
    return float(np.sum(s**2) ** 2 / np.sum(s**4))


folded_rank = 16

# %% mistake="NaN for a zero" of="directions" fails=["directions-entropy"] hint="a zero must not give NaN"
def effective_rank(s):
    p = s / np.sum(s)
    return float(np.exp(-np.sum(p * np.log(p))))


def participation_ratio(s):
    return float(np.sum(s**2) ** 2 / np.sum(s**4))


folded_rank = 16

# %% mistake="fold 2 taken for half" of="directions" fails=["directions-number"]
def effective_rank(s):
    p = s[s > 0] / np.sum(s)
    return float(np.exp(-np.sum(p * np.log(p))))


def participation_ratio(s):
    return float(np.sum(s**2) ** 2 / np.sum(s**4))


folded_rank = 32

# %% [markdown]
# ## Problem 5, open: what half of the directions can reach (4 points)
#
# A linear network is to learn an orthogonal map $A$ of size $n$; its loss is $|P - A|^2 / |A|^2$ with $P$ the
# product of its layers (predicting 0 scores 1). As long as $P$ has rank $r$, how low can the loss get at
# best? Derive `least_loss(n, r)` (Eckart and Young help), and say what a Fold-1 network at *its first
# step* could hope for at best: `fold_one`.

# %% solution="floor"
def least_loss(n, r):
    """The least |P - A|**2 / |A|**2 over all P of rank r, for A orthogonal of size n."""
    ### BEGIN SOLUTION
    return 1.0 - r / n
    ### END SOLUTION


# fold_one = ...   a number
### BEGIN SOLUTION
fold_one = 0.5
### END SOLUTION

# %% check="floor-check"
q = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 12)))[0]
u, s, v = np.linalg.svd(q)
assert least_loss(12, 0) == 1, "Rank 0 predicts 0, and that scores 1."
assert close(least_loss(12, 12) + 1, 1.0), "With full rank the map can be learned."
for r in (3, 7):
    best = np.sum(((u[:, :r] * s[:r]) @ v[:r] - q) ** 2) / np.sum(q**2)
    assert not close(least_loss(12, r) ** 2, best, 1e-3), "The loss is made of squares: no root."
    assert not close(least_loss(12, r), 1 - best, 1e-3), "That is what is learned, not what is left."
    assert close(least_loss(12, r), best, 1e-3), f"The best matrix of rank {r} scores {best:.3f}."
print("Problem 5: right so far.")

# %% grade="floor-function" points=3
### BEGIN HIDDEN TESTS
for n, r in ((64, 32), (100, 1), (8, 8), (50, 49)):
    expect(close(ask("float(least_loss(n, r))", n=n, r=r), 1 - r / n), f"least_loss({n}, {r}) is off.")
### END HIDDEN TESTS

# %% grade="floor-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(fold_one)"), 0.5), "fold_one: which rank has the product, and what does that leave?")
### END HIDDEN TESTS

# %% mistake="what is learned in the place of what is left" of="floor" fails=["floor-function"] hint="Rank 0"
def least_loss(n, r):
    return r / n


fold_one = 0.5

# %% mistake="a root too many" of="floor" fails=["floor-function", "floor-number"] hint="no root"
def least_loss(n, r):
    return math.sqrt(1 - r / n)


fold_one = least_loss(64, 32)

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# "Fold 1 has the larger gradients, so it should learn faster." In the runs of notebook 06 it learns less.
# Explain in three to six sentences: what a large gradient tells, what it doesn't, and why Adam, which is
# nearly blind to the size of a gradient, does not rescue Fold 1. Name one condition under which the
# gradients of Fold 1 are *not* larger.

# %% [markdown] written="larger-worse" points=4
# The size of a gradient says how steeply the loss falls in the best direction, not how many directions there
# are in which it falls. Fold 1 repeats its rows: differences between the repeated inputs are invisible to it,
# the product has half of the rank, and all gradients lie in the directions that are left, so half of the map
# stays unlearned for long. Adam rescales each weight's step, it does not point into directions from which no
# signal comes. "Larger" holds at depth 10 and width 64, for instance; at depth 30 with width 64 they are equal
# or smaller, and later in training the order can change as well.
#
# Marks: 1 size is not number of directions; 1 the repeated rows hide differences, rank; 1 Adam rescales but
# does not create directions; 1 a condition (depth, width, time).
