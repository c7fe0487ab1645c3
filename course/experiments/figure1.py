"""Figure 1 of the VAN paper: six thin networks from 1 to 30 blocks deep, on MNIST or Fashion-MNIST.

What the paper shows: plain networks deteriorate beyond about ten layers; ResNet, Highway, DiracNet
and VAN with lambda = 0 stay level; VAN stays a little below. The full grid takes many hours on a
processor: lower `epochs`, `seeds` or `depths` for a look.

Source: Monti, Tootoonian, Cao, "Avoiding Degradation in Deep Feed-Forward Networks by Phasing Out
Skip-Connections" (ICANN 2018; the VAN paper), section 4.1: width 50, 50 epochs, batches of 128, SGD
at rate 0.001 with momentum 0.9.
"""

from course.experiments.settings import Grid

SETTINGS = Grid(
    data="mnist",
    networks=("plain", "resnet", "highway", "diracnet", "van", "van0"),
    depths=(1, 5, 10, 15, 20, 25, 30),
    seeds=tuple(range(10)),
    width=50,
    epochs=50,
    batch=128,
    rate=0.001,
    momentum=0.9,
    decay_from=1.0,
    gate_bias=-2.0,
    evaluate_every=10,
)
