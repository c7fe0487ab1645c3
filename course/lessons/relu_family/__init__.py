"""ReLU units that die and come back, and what ReLU does not mend.

The lesson of `notebooks/04_relu_family.ipynb`.

science     dead and off units, and the angle of two inputs
pictures, explorer, exercise    the usual doors
"""
