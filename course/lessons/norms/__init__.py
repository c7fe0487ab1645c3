"""What batch norm and layer norm mend, what they break, and what saves a deep network from it.

The lesson of `notebooks/12a_norms.ipynb`.

science     sizes, gradients and company in a batch; the growth of gradients in closed form
pictures, explorer, exercise    the usual doors
"""
