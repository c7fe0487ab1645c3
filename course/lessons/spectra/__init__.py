"""What a hundred layers do to a hundred directions, and what keeps them alike.

The lesson of `notebooks/07_spectra.ipynb`.

products    products of random matrices
sheets      a plane sent through random layers
isometry    networks whose Jacobian keeps all directions alike
shattering  gradients at neighbouring inputs
pictures, explorer, exercise    the usual doors
"""
