"""How large the first weights should be, and what a right size leaves out.

The lesson of `notebooks/05_initialization.ipynb`.

gaussian_means  of activations and of their slopes
mean_field  sizes of signals and gradients in infinite width, and measured
angles      the angle of two inputs: order, chaos, and training there
depth_width depth against width
tents       what depth can buy: a function of few units in many layers
pictures, explorer, exercise    the usual doors
"""
