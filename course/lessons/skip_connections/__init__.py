"""What ResNet, Highway and DiracNet let pass, and why a factor of 0.9 matters.

The lesson of `notebooks/09_skip_connections.ipynb`.

science     skips with a factor, gates, and how much of a signal is kept
pictures, explorer, exercise    the usual doors; figures: what is drawn once
"""
