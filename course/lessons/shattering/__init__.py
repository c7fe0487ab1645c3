"""What norms and skips do to rank, Jacobian, and the gradients of neighbouring inputs.

The lesson of `notebooks/07c_shattering.ipynb`.

science     networks with and without norms and skips: rank by depth, correlated gradients
"""
