# ---
# jupyter:
#   course:
#     title: "VAN: phase the skips out, and prove that they are gone"
#     part: "III"
#     notebook: "10a"
#     minutes: 90
# ---

# %% [markdown]
# # Problem set 10: phasing the skips out
#
# A VAN layer computes $x_{l+1} = F_l(x_l) + (1 - \alpha_l)\, x_l$ (eq. 4 of the paper). Training drives every
# $\alpha_l$ from 0 to 1, and then the skips can be cut. You write the forward pass and one step, prove the
# removal, and predict when it happens. Here $F_l(x) = \mathrm{relu}(x W_l)$, in PyTorch. About 90 minutes.

# %% setup="start"
import math

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


def branch(x, w):
    """F_l(x) = relu(x W_l)."""
    return torch.relu(x @ w)


# %% [markdown]
# ## Problem 1, worked: what alpha does to one layer
#
# At $\alpha = 0$ the layer is residual, at $\alpha = 1$ it is plain. In between, the skip is scaled.

# %%
x, w = torch.randn(1, 4), torch.randn(4, 4) / 2
for alpha in (0.0, 0.5, 1.0):
    print(alpha, [round(v, 3) for v in (branch(x, w) + (1 - alpha) * x)[0].tolist()])

# %% [markdown]
# ## Problem 2, faded: forward (4 points)
#
# All layers, one after the other. Weights come as a list of $(n, n)$ tensors, alphas as a tensor with one entry
# for each layer. Leave the inputs as they are, and keep the pass differentiable.

# %% solution="forward"
def forward(x, weights, alphas):
    """The output of the VAN layers for a batch x (batch, n): eq. 4, layer by layer."""
    for w, alpha in zip(weights, alphas, strict=True):
        ### BEGIN SOLUTION
        x = branch(x, w) + (1 - alpha) * x
        ### END SOLUTION
    return x


# %% check="forward-check"
weights = [torch.randn(5, 5) / 3 for _ in range(3)]
x = torch.randn(7, 5)
before = x.clone()
plain = residual = x
for w in weights:
    plain, residual = branch(plain, w), branch(residual, w) + residual
ones, zeros = torch.ones(3), torch.zeros(3)
at_zero = forward(x, weights, zeros)
assert torch.equal(x, before), "The input tensor was changed in place."
assert not torch.allclose(at_zero, plain), "At alpha = 0 your network is plain: 1 - alpha belongs to the skip."
assert torch.allclose(at_zero, residual), "At alpha = 0 the network must be residual: x + F(x)."
assert torch.allclose(forward(x, weights, ones), plain), "At alpha = 1 the skips must be gone."
half = torch.tensor([0.5, 0.0, 1.0], requires_grad=True)
forward(x, weights, half).sum().backward()
assert half.grad is not None, "The pass is not differentiable in alpha: no .item(), no float()."
print("Problem 2: right so far.")

# %% grade="forward-values" points=3
### BEGIN HIDDEN TESTS
for seed in (101, 201):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(6, 4))
    ws = [rng.normal(size=(4, 4)) / 2 for _ in range(5)]
    alphas = np.array([0.0, 0.3, 1.0, 0.9, 0.5])
    wanted = x
    for w, a in zip(ws, alphas, strict=True):
        wanted = np.maximum(wanted @ w, 0) + (1 - a) * wanted
    got = ask("forward(x, ws, a)", x=x, ws=ws, a=alphas, torch=True)
    expect(close(got, wanted), "Five layers with different alphas: the output is off.")
### END HIDDEN TESTS

# %% grade="forward-slope" points=1
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(102)
x, w = rng.normal(size=(3, 4)), rng.normal(size=(4, 4))
slope = ask("torch.autograd.functional.jacobian(lambda a: forward(x, [w], a).sum(), torch.tensor([0.4]))", x=x, w=w, torch=True)
expect(close(slope, [-x.sum()]), "The output does not depend on alpha as it should.")
### END HIDDEN TESTS

# %% mistake="alpha in the place of 1 - alpha" of="forward" fails=["forward-values", "forward-slope"] hint="belongs to the skip"
def forward(x, weights, alphas):
    for w, alpha in zip(weights, alphas, strict=True):
        x = branch(x, w) + alpha * x
    return x


# %% mistake="the branch is scaled too" of="forward" fails=["forward-values", "forward-slope"] hint="must be residual"
def forward(x, weights, alphas):
    for w, alpha in zip(weights, alphas, strict=True):
        x = alpha * branch(x, w) + (1 - alpha) * x
    return x


# %% [markdown]
# ## Problem 3: one step (6 points)
#
# The constraint $\alpha_l = 1$ comes with a multiplier $\lambda_l$. With the cost $C$ (without the penalty), a step is
# $\alpha \leftarrow \alpha - \eta\, (\partial C / \partial \alpha + \lambda)$, cut off to $[0, 1]$ (eq. 7), and
# $\lambda \leftarrow \lambda + \eta'\, (\alpha - 1)$ (eq. 8). Both use the *old* $\alpha$. Return the new pair.

# %% solution="step"
def van_step(alphas, lambdas, slopes, eta, eta_prime):
    """(new alphas, new lambdas) from the old ones and slopes = dC/dalpha, all of shape (layers,)."""
    ### BEGIN SOLUTION
    new_alphas = (alphas - eta * (slopes + lambdas)).clamp(0.0, 1.0)
    new_lambdas = lambdas + eta_prime * (alphas - 1.0)
    return new_alphas, new_lambdas
    ### END SOLUTION


# %% check="step-check"
a, lam, flat = torch.tensor([0.0, 0.5]), torch.tensor([-1.0, -2.0]), torch.zeros(2)
new_a, new_lam = van_step(a, lam, flat, 0.1, 0.01)
assert not torch.equal(new_a, a), "alpha did not move: a negative lambda drives it up."
assert not (new_a < a).any(), "alpha moves the wrong way: it *descends* dC/dalpha + lambda."
assert torch.allclose(new_a, torch.tensor([0.1, 0.7])), "alpha: old value minus eta (slope + lambda)."
assert not torch.allclose(new_lam, lam + 0.01 * (new_a - 1)), "lambda must use the old alpha."
assert not torch.allclose(new_lam, lam - 0.01 * (a - 1)), "lambda *climbs*: the sign of alpha - 1."
assert torch.allclose(new_lam, lam + 0.01 * (a - 1)), "lambda: old value plus eta' (alpha - 1)."
far, _ = van_step(torch.tensor([0.95, 0.02]), torch.tensor([-9.0, 9.0]), flat, 0.1, 0.01)
assert ((far >= 0) & (far <= 1)).all(), "alpha left [0, 1]: cut it off."
print("Problem 3: right so far.")

# %% grade="step-alpha" points=3
### BEGIN HIDDEN TESTS
for seed in (103, 203):
    rng = np.random.default_rng(seed)
    a, lam, s = rng.uniform(size=8), rng.normal(size=8) * 3, rng.normal(size=8)
    wanted = np.clip(a - 0.2 * (s + lam), 0, 1)
    got = ask("van_step(a, l, s, 0.2, 0.05)[0]", a=a, l=lam, s=s, torch=True)
    expect(close(got, wanted), "The new alphas are off.")
### END HIDDEN TESTS

# %% grade="step-lambda" points=3
### BEGIN HIDDEN TESTS
for seed in (104, 204):
    rng = np.random.default_rng(seed)
    a, lam, s = rng.uniform(size=8), rng.normal(size=8) * 3, rng.normal(size=8)
    got = ask("van_step(a, l, s, 0.2, 0.05)[1]", a=a, l=lam, s=s, torch=True)
    expect(close(got, lam + 0.05 * (a - 1)), "The new lambdas are off.")
### END HIDDEN TESTS

# %% mistake="lambda uses the new alpha" of="step" fails=["step-lambda"] hint="must use the old alpha"
def van_step(alphas, lambdas, slopes, eta, eta_prime):
    new_alphas = (alphas - eta * (slopes + lambdas)).clamp(0.0, 1.0)
    return new_alphas, lambdas + eta_prime * (new_alphas - 1.0)


# %% mistake="no clipping" of="step" fails=["step-alpha"] hint="cut it off"
def van_step(alphas, lambdas, slopes, eta, eta_prime):
    return alphas - eta * (slopes + lambdas), lambdas + eta_prime * (alphas - 1.0)


# %% mistake="ascent in the place of descent" of="step" fails=["step-alpha"] hint="wrong way"
def van_step(alphas, lambdas, slopes, eta, eta_prime):
    return (alphas + eta * (slopes + lambdas)).clamp(0.0, 1.0), lambdas + eta_prime * (alphas - 1.0)


# %% [markdown]
# ## Problem 4: prove the removal (4 points)
#
# Write `plain(x, weights)`, the network without any skip, and `certificate(x, weights, alphas)`: the largest
# absolute difference between its output and that of the VAN, over a batch. At $\alpha = 1$ it must be *exactly* 0.

# %% solution="removal"
def plain(x, weights):
    """The same layers without skips."""
    ### BEGIN SOLUTION
    for w in weights:
        x = branch(x, w)
    return x
    ### END SOLUTION


def certificate(x, weights, alphas):
    """Largest absolute difference, as a float, between the outputs of VAN and plain network."""
    ### BEGIN SOLUTION
    van = x
    for w, alpha in zip(weights, alphas, strict=True):
        van = branch(van, w) + (1 - alpha) * van
    return float((van - plain(x, weights)).abs().max())
    ### END SOLUTION


# %% check="removal-check"
weights = [torch.randn(5, 5) / 2 for _ in range(4)]
x = torch.randn(9, 5)
bare = plain(x, weights)
assert not torch.allclose(bare, branch(x, weights[0]) + x), "There is a skip left in plain."
assert bare.shape == x.shape and (bare >= 0).all(), "plain ends in a ReLU: nothing negative can come out."
exact = certificate(x, weights, torch.ones(4))
assert exact == 0.0, f"At alpha = 1 the difference must be exactly 0, not {exact:.1e}."
some = certificate(x, weights, torch.tensor([1.0, 1.0, 0.9, 1.0]))
assert isinstance(some, float) and some != 0, "One alpha of 0.9 leaves a difference, as a float."
carried = certificate(torch.tensor([[1.0, -3.0]]), [torch.zeros(2, 2)], torch.tensor([0.5]))
assert carried == 1.5, "With F = 0 the difference is half of x, at most 1.5: do signs count?"
print("Problem 4: right so far.")

# %% grade="removal-plain" points=2
### BEGIN HIDDEN TESTS
for seed in (105, 205):
    rng = np.random.default_rng(seed)
    x, ws = rng.normal(size=(5, 4)), [rng.normal(size=(4, 4)) for _ in range(3)]
    h = x
    for w in ws:
        h = np.maximum(h @ w, 0)
    expect(close(ask("plain(x, ws)", x=x, ws=ws, torch=True), h), "plain: three layers, no skips.")
### END HIDDEN TESTS

# %% grade="removal-certificate" points=2
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(106)
x, ws = rng.normal(size=(5, 4)), [rng.normal(size=(4, 4)) / 2 for _ in range(3)]
for alphas in (np.ones(3), np.array([1.0, 0.87, 1.0]), np.zeros(3)):
    h = van = x
    for w, a in zip(ws, alphas, strict=True):
        h, van = np.maximum(h @ w, 0), np.maximum(van @ w, 0) + (1 - a) * van
    got = ask("certificate(x, ws, a)", x=x, ws=ws, a=alphas, torch=True)
    expect(close(got, np.abs(van - h).max()), f"The certificate is off for alphas {list(alphas)}.")
low = -np.abs(x)
got = ask("certificate(x, [torch.zeros(4, 4)], torch.tensor([0.2]))", x=low, torch=True)
expect(close(got, 0.8 * np.abs(x).max()), "The certificate misses a difference that is negative.")
### END HIDDEN TESTS

# %% mistake="signed difference" of="removal" fails=["removal-certificate"] hint="do signs count?"
def plain(x, weights):
    for w in weights:
        x = branch(x, w)
    return x


def certificate(x, weights, alphas):
    van = x
    for w, alpha in zip(weights, alphas, strict=True):
        van = branch(van, w) + (1 - alpha) * van
    return float((van - plain(x, weights)).max())


# %% mistake="a skip is left in plain" of="removal" fails=["removal-plain", "removal-certificate"] hint="nothing negative"
def plain(x, weights):
    for w in weights:
        x = branch(x, w) + x
    return x


def certificate(x, weights, alphas):
    return float((plain(x, weights) - plain(x, weights)).abs().max())


# %% [markdown]
# ## Problem 5, open: when are they gone? (5 points)
#
# If the cost does not resist ($\partial C / \partial \alpha = 0$), eqs. 7 and 8 are an oscillator in $1 - \alpha$. With
# $r = \eta'/\eta$ derive the number of steps after which $\alpha$ reaches 1, starting from $\alpha = 0$ and
# $\lambda_0 \le 0$. (Small steps: replace differences by derivatives. A cosine and a sine.) Then use the published
# CIFAR setting $\eta = 0.1$, $r = 0.1$, $\lambda_0 = -1$: after how many steps are the skips gone (`cifar`)?

# %% solution="time"
def removal_time(eta, r, lambda_0):
    """Steps until alpha = 1, for eta > 0, r = eta'/eta > 0, lambda_0 <= 0."""
    ### BEGIN SOLUTION
    return math.atan2(math.sqrt(r), abs(lambda_0)) / (eta * math.sqrt(r))
    ### END SOLUTION


# cifar = ...   a number of steps
### BEGIN SOLUTION
cifar = removal_time(0.1, 0.1, -1.0)
### END SOLUTION

# %% check="time-check"
def simulate(eta, r, lambda_0):
    alpha, lam, steps = 0.0, lambda_0, 0
    while alpha < 1 and steps < 100_000:
        alpha, lam, steps = alpha - eta * lam, lam + r * eta * (alpha - 1), steps + 1
    return steps


for eta, r, lambda_0 in [(0.001, 0.5, -1.0), (0.002, 0.05, -0.3), (0.002, 0.5, 0.0)]:
    mine, seen = removal_time(eta, r, lambda_0), simulate(eta, r, lambda_0)
    assert abs(mine / math.sqrt(r) / seen - 1) > 0.02, "You divided by eta alone: the frequency is eta sqrt(r)."
    assert abs(mine * math.sqrt(r) / seen - 1) > 0.02, "Is it r or its root?"
    assert abs(mine / seen - 1) < 0.02, f"The recursion needs {seen} steps, you predict {mine:.0f}."
assert 1 < cifar < 100, "cifar: put the published numbers into your formula."
print("Problem 5: right so far.")

# %% grade="time-function" points=4
### BEGIN HIDDEN TESTS
for eta, r, start in ((0.001, 0.5, -1.0), (0.01, 0.5, -1.0), (0.003, 2.0, -0.1), (0.01, 0.05, 0.0)):
    wanted = math.atan2(math.sqrt(r), abs(start)) / (eta * math.sqrt(r))
    expect(close(ask("removal_time(e, r, s)", e=eta, r=r, s=start), wanted, rel=0.02), f"removal_time({eta}, {r}, {start}) is off.")
### END HIDDEN TESTS

# %% grade="time-number" points=1
### BEGIN HIDDEN TESTS
expect(close(ask("float(cifar)"), 9.68, rel=0.05), "cifar: with these rates it takes only a handful of steps.")
### END HIDDEN TESTS

# %% mistake="the frequency is taken for eta" of="time" fails=["time-function", "time-number"] hint="frequency"
def removal_time(eta, r, lambda_0):
    return math.atan2(math.sqrt(r), abs(lambda_0)) / eta


cifar = removal_time(0.1, 0.1, -1.0)

# %% mistake="constant speed" of="time" fails=["time-function"] hint="The recursion needs"
def removal_time(eta, r, lambda_0):
    return 1 / (eta * max(abs(lambda_0), 1e-9))


cifar = 10.0

# %% [markdown]
# ## Problem 6, in words (4 points, marked by hand)
#
# The paper's figure on CIFAR shows the skips leaving near iteration 120, and its text gives the setting of
# problem 5. Compare with your `cifar`. What do you conclude, and what do you *not* conclude? And prove in two
# sentences why the removal at $\alpha = 1$ costs nothing, and what may happen if a single $\alpha$ stays at 0.87.

# %% [markdown] written="figure-and-text" points=4
# With the printed setting alpha reaches 1 after about ten steps unless the cost resists strongly; the measured
# slopes of the cost are far too small for that. So figure and text do not fit together: the step of alpha that
# produced the figure (say once an epoch, or another rate) cannot be recovered. It does not follow that the
# method fails, nor that the figure is wrong. At alpha = 1 the term (1 - alpha) x is exactly 0 in every layer, so
# by induction over the layers both networks have the same activations. With one alpha at 0.87 a share of 0.13
# of that layer's input is cut off, the layers above see inputs they were not trained on, and the difference can
# grow with depth: accuracy may collapse.
#
# Marks: 1 the comparison with numbers; 1 careful conclusion on both sides; 1 proof by layers; 1 what an alpha
# below 1 does.
