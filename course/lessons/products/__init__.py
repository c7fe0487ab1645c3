"""What a product of matrices does to directions: circle, ellipse, needle.

The lesson of `notebooks/07a_products.ipynb`.

science     products of random matrices, measured and in closed form
sheets      a plane sent through random layers
pictures, explorer, exercise    the usual doors
explorer.js, spectrum.js    the explorer of products as the page computes and draws it
"""
