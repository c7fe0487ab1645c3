"""Gradients of the right size are not enough: nine singular values of a product.

The lesson of `notebooks/06_degeneracy.ipynb`.

science     deep linear networks that learn a linear map
pictures, explorer, exercise    the usual doors
"""
