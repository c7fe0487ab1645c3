# ---
# jupyter:
#   course:
#     title: "Degradation: reading it, and ruling out what it is not"
#     part: "III"
#     notebook: "08"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 8: degradation
#
# A deeper network does worse, and on its *training* data too. You learn to tell degradation from
# overfitting in a table, make the argument that nothing should be lost by added layers, compute how
# gradients grow under batch norm, and build the measurement that does tell good from bad networks.
# Layers compute $h W + b$. About 90 minutes.

# %% setup="start"
import math

import numpy as np


def close(a, b, tolerance=1e-6):
    return bool(np.all(np.abs(np.asarray(a) - b) <= tolerance * np.maximum(1e-9, np.abs(b)) + 1e-12))


def run(layers, x):
    """A ReLU network: layers is a list of (W, b); ReLU after each but the last one."""
    for w, b in layers[:-1]:
        x = np.maximum(x @ w + b, 0.0)
    w, b = layers[-1]
    return x @ w + b


# %% [markdown]
# ## Problem 1, worked: two ways to be worse
#
# Network Q has a lower test accuracy than network P. If Q fits its training data as well as P, it
# *overfits*. If Q is worse on the training data too, no amount of data or regularization is to blame: it
# was not found by training, although Q has more layers. That is *degradation*.

# %%
table = {"P (5 layers)": (99.9, 96.8), "Q (30 layers)": (51.7, 49.8), "R (5, wide)": (100.0, 94.1)}
for name, (train, test) in table.items():
    print(f"{name:<14} train {train:5.1f}  test {test:5.1f}  gap {train - test:4.1f}")

# %% [markdown]
# ## Problem 2, faded: name it (4 points)
#
# Compare a deep network with a shallow one; accuracies are in per cent, and differences of up to
# `margin` are noise. Return `"degradation"` if the deep one is worse in training, `"overfitting"` if it is
# not worse in training but worse in the test, else `"fine"`.

# %% solution="name-it"
def name_it(shallow, deep, margin=1.0):
    """shallow and deep are (train, test) accuracies in per cent."""
    loss_in_training = shallow[0] - deep[0]
    ### BEGIN SOLUTION
    if loss_in_training > margin:
        return "degradation"
    return "overfitting" if shallow[1] - deep[1] > margin else "fine"
    ### END SOLUTION


# %% check="name-it-check"
said = name_it((99.0, 95.0), (99.5, 90.0))
assert said in ("degradation", "overfitting", "fine"), "Return one of the three words."
assert said != "degradation", "This one fits its training data better: look at training first."
assert said == "overfitting", "Better in training, worse in the test: what is that called?"
assert name_it((99.0, 95.0), (60.0, 58.0)) != "overfitting", "Worse in training as well: the gap is small!"
assert name_it((99.0, 95.0), (60.0, 58.0)) == "degradation", "Worse in training: that has a name."
assert name_it((99.0, 95.0), (98.5, 94.5)) == "fine", "Half a per cent is within the margin."
print("Problem 2: right so far.")

# %% grade="name-it-cases" points=4
### BEGIN HIDDEN TESTS
cases = [
    ((99.9, 97.0), (18.7, 18.0), 1.0, "degradation"),
    ((97.0, 96.0), (99.9, 94.0), 1.0, "overfitting"),
    ((97.0, 96.0), (99.9, 97.0), 1.0, "fine"),
    ((97.0, 96.0), (94.0, 96.5), 1.0, "degradation"),
    ((97.0, 96.0), (95.5, 93.0), 2.0, "overfitting"),
    ((97.0, 96.0), (94.5, 93.5), 3.0, "fine"),
]
for shallow, deep, margin, word in cases:
    said = ask("name_it(tuple(s), tuple(d), m)", s=shallow, d=deep, m=margin)
    expect(said == word, f"shallow {shallow}, deep {deep}, margin {margin}: not {said!r}.")
### END HIDDEN TESTS

# %% mistake="only the test is looked at" of="name-it" fails=["name-it-cases"] hint="look at training first"
def name_it(shallow, deep, margin=1.0):
    return "degradation" if shallow[1] - deep[1] > margin else "fine"


# %% mistake="the gap alone" of="name-it" fails=["name-it-cases"] hint="Half a per cent"
def name_it(shallow, deep, margin=1.0):
    if deep[0] < shallow[0]:
        return "degradation"
    return "overfitting" if deep[1] < shallow[1] else "fine"


# %% [markdown]
# ## Problem 3: nothing is lost by identity layers (5 points)
#
# Put `count` further hidden layers behind the last hidden layer of a trained ReLU network such that the
# function stays *exactly* the same. (What goes into them is not negative: why does that matter?)

# %% solution="extend"
def extend(layers, count):
    """`layers` (see run) with `count` more hidden layers before the last one, the same function."""
    width = layers[-1][0].shape[0]
    ### BEGIN SOLUTION
    same = (np.eye(width), np.zeros(width))
    return [*layers[:-1], *[same] * count, layers[-1]]
    ### END SOLUTION


# %% check="extend-check"
draw = np.random.default_rng(8)
net = [(draw.normal(size=s), draw.normal(size=s[1])) for s in [(5, 7), (7, 6), (6, 3)]]
x = draw.normal(size=(40, 5))
deep = extend(net, 4)
assert len(net) == 3, "You changed the network that you were given: make a new list."
assert len(deep) != 3, "No layer was added."
assert len(deep) == 7, "Four more layers, please."
assert deep[-1][0].shape == (6, 3), "The last layer must stay the last one."
assert all(w.shape == (6, 6) for w, _ in deep[2:-1]), "New layers go behind the last hidden one."
assert not np.allclose(deep[2][0], 1.0), "np.ones mixes all units: the identity has ones on its diagonal."
assert np.array_equal(run(deep, x), run(net, x)), "The function has changed."
print("Problem 3: right so far.")

# %% grade="extend-same" points=3
### BEGIN HIDDEN TESTS
shapes = [(4, 9), (9, 9), (9, 5), (5, 2)]
for seed in (81, 181):
    rng = np.random.default_rng(seed)
    net = [[rng.normal(size=s), rng.normal(size=s[1])] for s in shapes]
    x = rng.normal(size=(30, 4))
    got = ask("[[np.asarray(w), np.asarray(b)] for w, b in extend([tuple(l) for l in net], 6)]", net=net)
    h, plain = x, x
    for w, b in got[:-1]:
        h = np.maximum(h @ w + b, 0)
    for w, b in net[:-1]:
        plain = np.maximum(plain @ w + b, 0)
    expect(np.array_equal(h @ got[-1][0] + got[-1][1], plain @ net[-1][0] + net[-1][1]), "Six more layers changed the function.")
    expect(len(got) > len(net), "No layer was added.")
### END HIDDEN TESTS

# %% grade="extend-deeper" points=2
### BEGIN HIDDEN TESTS
net = [[np.ones((2, 3)), np.zeros(3)], [np.ones((3, 1)), np.zeros(1)]]
for count in (0, 1, 25):
    n = ask("len(extend([tuple(l) for l in net], k))", net=net, k=count)
    expect(n == 2 + count, f"extend(net, {count}) has {n} layers.")
### END HIDDEN TESTS

# %% mistake="ones in the place of the identity" of="extend" fails=["extend-same"] hint="np.ones"
def extend(layers, count):
    width = layers[-1][0].shape[0]
    return [*layers[:-1], *[(np.ones((width, width)), np.zeros(width))] * count, layers[-1]]


# %% mistake="behind the first layer" of="extend" fails=["extend-same"] hint="last hidden one"
def extend(layers, count):
    width = layers[0][0].shape[0]
    return [*[(np.eye(width), np.zeros(width))] * count, *layers]


# %% [markdown]
# ## Problem 4: batch norm, and gradients that grow (5 points)
#
# In a plain Linear-BN-ReLU network at its start, $z$ is standard normal and $h = \mathrm{relu}(z)$. The next batch
# norm divides by the standard deviation of $h W$, which goes with $\sqrt{\mathrm{var}(h)}$. Backward, ReLU lets half of
# the power through. So per layer the gradient grows by $\sqrt{\frac{1}{2} / \mathrm{var}(h)}$. Work out $\mathrm{var}(h)$ (mind its
# mean), the `growth` per layer, and `ratio`: first-layer gradient over last-layer gradient, 30 steps apart.

# %% solution="growth"
# variance = ...   var(relu(z)) for z standard normal
# growth = ...     factor per layer
# ratio = ...      over 30 layers
### BEGIN SOLUTION
variance = 0.5 - 1 / (2 * math.pi)
growth = math.sqrt(0.5 / variance)
ratio = growth**30
### END SOLUTION

# %% check="growth-check"
h = np.maximum(np.random.default_rng(9).normal(size=2_000_000), 0)
assert not close(variance, 0.5, 1e-3), "That is E[h²]: the mean of h is not 0, take off its square."
assert close(variance, h.var(), 0.005), f"Measured on two million numbers, var(h) is {h.var():.3f}."
assert not close(growth**0.5, math.sqrt(0.5 / variance), 1e-3), "Size, not power: a root is missing."
assert growth > 1, "The gradient grows toward the input, it does not shrink."
assert close(growth**2 * variance, 0.5, 1e-3), "growth² times var(h) must be one half."
assert close(math.log(ratio) / math.log(growth), 30, 1e-3), "30 steps multiply 30 factors."
print("Problem 4: right so far.")

# %% grade="growth-layer" points=3
### BEGIN HIDDEN TESTS
expect(close(ask("float(variance)"), 0.5 - 0.5 / math.pi, rel=1e-3), "variance: E[h²] - E[h]².")
expect(close(ask("float(growth)"), math.sqrt(math.pi / (math.pi - 1)), rel=1e-3), "growth: root of one half over the variance.")
### END HIDDEN TESTS

# %% grade="growth-ratio" points=2
### BEGIN HIDDEN TESTS
expect(close(ask("float(ratio)"), (math.pi / (math.pi - 1)) ** 15, rel=0.02), "ratio: thirty factors multiply.")
### END HIDDEN TESTS

# %% mistake="the mean is forgotten" of="growth" fails=["growth-layer", "growth-ratio"] hint="take off its square"
variance = 0.5
growth = 1.0
ratio = 1.0

# %% mistake="the root is forgotten" of="growth" fails=["growth-layer", "growth-ratio"] hint="a root is missing"
variance = 0.5 - 1 / (2 * math.pi)
growth = 0.5 / variance
ratio = growth**30

# %% [markdown]
# ## Problem 5, open: who is my neighbour? (6 points)
#
# Rank does not tell good deep networks from bad ones; this does. For each row of `h` find the *other* row
# that is nearest (Euclidean distance), and return the share of rows whose nearest neighbour has the same
# label: the leave-one-out 1-nearest-neighbour accuracy. Up to a few hundred rows, so a full table of
# distances is fine.

# %% solution="neighbours"
def neighbour_accuracy(h, y):
    """Share of rows of h (rows, units) whose nearest other row has the same label in y (rows,)."""
    ### BEGIN SOLUTION
    square = np.sum((h[:, None, :] - h[None, :, :]) ** 2, axis=-1)
    np.fill_diagonal(square, np.inf)
    return float(np.mean(y[np.argmin(square, axis=1)] == y))
    ### END SOLUTION


# %% check="neighbours-check"
h = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.0, 5.1], [9.0, 0.0]])
y = np.array([0, 0, 1, 1, 0])
right = neighbour_accuracy(h, y)
assert right != 1.0, "Each row is its own nearest neighbour: leave it out."
assert not close(right, 4.0), "A share between 0 and 1, not a count."
assert close(right, 0.8), "Four of these five rows have a neighbour of their own label."
assert close(neighbour_accuracy(h, np.array([0, 1, 0, 1, 2])), 0.0), "With these labels nobody has one."
turned = np.array([[0.0, 3.0], [4.0, 0.0], [0.0, 3.5], [4.0, 0.5]])
assert close(neighbour_accuracy(turned, np.array([0, 1, 0, 1])), 1.0), "Distances between rows, not columns."
assert close(neighbour_accuracy(h + 50.0, y), 0.8), "A shift of all rows must not matter: is yours a distance?"
print("Problem 5: right so far.")

# %% grade="neighbours-table" points=4
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(85)
for rows, units, classes in ((40, 3, 2), (90, 20, 5)):
    h, y = rng.normal(size=(rows, units)), rng.integers(classes, size=rows)
    h = h + 2 * rng.normal(size=(classes, units))[y] + 2.0
    hits = 0
    for i in range(rows):
        far = ((h - h[i]) ** 2).sum(axis=1)
        far[i] = np.inf
        hits += y[far.argmin()] == y[i]
    expect(close(ask("neighbour_accuracy(h, y)", h=h, y=y), hits / rows), f"{rows} rows, {classes} labels: off.")
### END HIDDEN TESTS

# %% grade="neighbours-shift" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(86)
h, y = rng.normal(size=(30, 4)), np.arange(30) // 2
h[1::2] = h[::2] + 1e-3
expect(close(ask("neighbour_accuracy(h + 1e3, y)", h=h, y=y), 1.0), "Close pairs far from the origin: differences first.")
y = np.arange(30) % 2
expect(close(ask("neighbour_accuracy(h + 1e3, y)", h=h, y=y), 0.0), "The same pairs with different labels: nobody's neighbour has its own.")
### END HIDDEN TESTS

# %% mistake="oneself as neighbour" of="neighbours" fails=["neighbours-table", "neighbours-shift"] hint="its own nearest"
def neighbour_accuracy(h, y):
    square = np.sum((h[:, None, :] - h[None, :, :]) ** 2, axis=-1)
    return float(np.mean(y[np.argmin(square, axis=1)] == y))


# %% mistake="largest product for least distance" of="neighbours" fails=["neighbours-table", "neighbours-shift"] hint="is yours a distance?"
def neighbour_accuracy(h, y):
    product = h @ h.T
    np.fill_diagonal(product, -np.inf)
    return float(np.mean(y[np.argmax(product, axis=1)] == y))


# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# A plain network of 30 layers with batch norm reaches 52 % training accuracy where one of 5 layers reaches
# 99.9 %. A colleague offers three explanations: overfitting, vanishing gradients, too low a rank. Say for
# each what you would measure and what you found in notebook 08, and what you would offer instead.
# Three to six sentences.

# %% [markdown] written="not-that" points=4
# Overfitting is ruled out by the training accuracy, which is the lower one. Vanishing is ruled out by gradient
# norms: with batch norm they grow toward the input by about 1.21 per layer, a few hundred times over 30 layers.
# Rank is measured by the effective rank of the last representation, which hardly differs between the networks
# that train and those that don't. What differs is which inputs are neighbours: leave-one-out accuracy at the
# start is at chance for the plain network, far above it for the residual one. Besides, an identity extension
# shows that good weights exist: training does not find them within the budget.
#
# Marks: 1 training accuracy; 1 gradients grow, with number or measurement; 1 rank does not separate; 1 the
# neighbours, or the identity argument plus the budget.
