"""What a picture of the loss shows and what it doesn't.

The lesson of `notebooks/11_loss_landscapes.ipynb`.

science     surfaces of trained networks, and how rough they are
paths       the way that training took, in its own plane
curvature   the strongest curvatures of all directions
roughness   pictures of roughness over depth
figures     drawings of curvatures and of principal directions
pictures, explorer, exercise    the usual doors
"""
