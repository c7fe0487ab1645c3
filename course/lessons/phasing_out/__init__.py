"""Skips that leave by one schedule or another, and how deep a network may be for it to help.

The lesson of `notebooks/10b_phasing_out.ipynb`.

science     schedules, side by side
fading      where phasing out stops helping, over depth
pictures, explorer, exercise    the usual doors
"""
