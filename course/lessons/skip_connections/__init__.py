"""What ResNet, Highway and DiracNet let pass, and why a factor of 0.9 matters.

The lesson of `notebooks/09_skip_connections.ipynb`.

science     skips with a factor, gates, and what reaches each block
pictures, explorer, exercise    the usual doors
"""
