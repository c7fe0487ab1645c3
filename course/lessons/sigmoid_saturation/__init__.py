"""Sigmoid networks on digits fail in two ways, and only one of them is saturation.

The lesson of `notebooks/03_sigmoid_saturation.ipynb`.

science     networks on digits, their hidden layers: units and gradients
pictures, explorer, exercise    the usual doors
"""
