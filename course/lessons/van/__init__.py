"""Skips that leave a network: when, why gradually, and what is left.

The lesson of `notebooks/10_van.ipynb`.

science     how multipliers and schedules take skips away
fading      where phasing out stops helping, over depth
pictures, explorer, exercise    the usual doors
"""
