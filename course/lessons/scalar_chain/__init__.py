"""A hundred layers of one unit: what w^L does to a signal and to its gradient.

The lesson of `notebooks/01_scalar_chain.ipynb`.

science     the chain and its closed forms
recurrent   one unit of a recurrent network, the same chain in time
pictures, explorer, exercise    the usual doors
explorer.js, chain.js    the explorer as the page computes and draws it
figures     what a recurrent unit remembers
"""
