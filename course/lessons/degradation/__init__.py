"""Deeper networks fit worse: which suspects are innocent, and what tells.

The lesson of `notebooks/08_degradation.ipynb`.

science     networks of growing depth on real data, and profiles of their layers
pictures, explorer, exercise    the usual doors; figures: what is drawn once
"""
