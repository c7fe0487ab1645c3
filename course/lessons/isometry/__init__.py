"""Networks whose Jacobian keeps all directions alike, and whether they learn faster.

The lesson of `notebooks/07b_isometry.ipynb`.

science     Jacobians from layer to layer, their spread, and networks that are trained
pictures, explorer    the usual doors
"""
