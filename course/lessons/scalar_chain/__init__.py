"""A hundred layers of one unit: what w^n does to a signal and to its gradient.

The lesson of `notebooks/01_scalar_chain.ipynb`.

science     the chain and its closed forms
pictures, explorer, exercise    the usual doors
"""
