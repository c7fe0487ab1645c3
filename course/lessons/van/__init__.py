"""Skips that leave a network: when, at whose push, and what is left.

The lesson of `notebooks/10a_van.ipynb`.

science     how multipliers take skips away, by closed form, simulated, and in training
pictures, explorer, exercise    the usual doors
"""
