"""Sigmoid networks on digits fail in two ways, and only one of them is saturation.

The lesson of `notebooks/03_sigmoid_saturation.ipynb`.

science     networks on digits, their hidden layers: units and gradients
first_step  what one step of Adam changes, and what its gradient promised
pictures, explorer, exercise    the usual doors
"""
