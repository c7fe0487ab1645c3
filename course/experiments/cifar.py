r"""Figures 2 and 3 of the VAN paper: convolutional networks from 10 to 82 layers deep, on CIFAR.

What the paper shows: plain networks compete up to about 30 layers, then they fall; VAN goes with
ResNet up to about 40 layers. On CIFAR-100 (--data cifar100, its figure 3) likewise.

For a GPU. The records that come with the course (notebook 10c) are parts of it. "cifar-12-epochs"
took 16 minutes on an H100, with --jobs 14 and NVIDIA's MPS; "cifar-12-epochs-van-120" and
"cifar-12-epochs-van-3404" are the same with --networks van and --leave-at 120 or 3404, and
"cifar-30-epochs" with --networks plain,resnet,van --depths 34 and 30 in place of 12:
course run cifar --depths 10,18,26,34,50 --seeds 3 --width 16 --epochs 12 --evaluate-every 12

On a laptop take less: "cifar" was made on one core in 39 minutes, and "cifar-van-120", with
--networks van --leave-at 120, in 16:
course run cifar --depths 10,18,26,34,50 --seeds 3 --width 4 --subset 1008 --test-subset 500 \
--epochs 3 --batch 16 --evaluate-every 3

Given in the paper, and so here: depth 8 n + 2, SGD with momentum 0.9, 165 epochs of batches of 128,
rate 0.1 divided by ten at epochs 82 and 125, crops and mirroring, He's start, eta' = eta / 10 and
lambda = -1. Not given: the number of channels (64, 128, 256, 512 here), weight decay (0.0001 here,
as in He et al. 2015), and the step of alpha that fits its figure 2, where skips are gone near
"iteration 120": with eta = 0.1 they are gone in ten steps. --leave-at 120 makes it 120 steps,
--leave-at 46800 the 120 epochs that it may have meant.

Source: Monti, Tootoonian, Cao, "Avoiding Degradation in Deep Feed-Forward Networks by Phasing Out
Skip-Connections" (ICANN 2018; the VAN paper), section 4.2.
"""

from course.experiments.settings import ConvGrid

SETTINGS = ConvGrid(
    data="cifar10",
    networks=("plain", "resnet", "van", "van0"),
    depths=(10, 18, 26, 34, 42, 50, 82),
    seeds=(0, 1, 2, 3, 4),
    width=64,
    epochs=165,
    batch=128,
    rate=0.1,
    momentum=0.9,
    drops=(82 / 165, 125 / 165),
    weight_decay=0.0001,
    padding=4,
    multiplier=-1.0,
    ratio=0.1,
    gate_bias=-2.0,
    evaluate_every=5,
)
