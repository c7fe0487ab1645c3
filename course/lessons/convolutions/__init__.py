"""Networks of convolutions: what they change about depth, and what they leave as it was.

The lesson of `notebooks/10c_convolutions.ipynb`.

science     networks of 3 x 3 convolutions on pictures, and how their gradients grow
figures     what a kernel sees, and gradients unit by unit
explorer, exercise    the usual doors
"""
