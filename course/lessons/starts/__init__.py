"""What first weights can do for fifty blocks without a norm, and what fifty blocks are good for.

The lesson of `notebooks/12b_starts.ipynb`.

science     SELU's fixed point, and the map of a whole network at its start
remedies    deep networks trained with each remedy of the course
pictures, explorer, exercise    the usual doors
"""
