"""A chain that trains, and breaks: the first NaN, remedies, and the failure that says nothing.

The lesson of `notebooks/02_blow_up.ipynb`.

science     chains trained by `training.fit`
short_chain the same trained in milliseconds, for a slider
pictures, explorer, exercise    the usual doors
figures     sizes by layer, of signals, gradients and steps
"""
