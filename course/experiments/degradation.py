"""Do plain networks get worse as they get deeper? Real digits, under a minute on two cores.

What you will see: the plain network's accuracy falls with depth on the *training* set too, so this
is not overfitting; the residual network's does not fall. Every network sees the same batches.

Source: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2015), figure 1.
"""

from course.experiments.settings import Grid

SETTINGS = Grid(
    data="digits",
    networks=("plain", "resnet"),
    depths=(2, 5, 10, 20, 30, 50),
    seeds=(0, 1, 2),
    width=50,
    epochs=10,
    batch=100,
    rate=0.03,
    momentum=0.9,
    decay_from=0.6,
    gate_bias=-4.0,
)
