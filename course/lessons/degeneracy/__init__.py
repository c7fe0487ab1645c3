"""Gradients of the right size are not enough: nine singular values of a product.

The lesson of `notebooks/06_degeneracy.ipynb`.

science     deep linear networks that learn a linear map
matrices    their weights without the network, soon enough for a slider
pictures, explorer, exercise    the usual doors
"""
