"""What norms mend and break, and a plain network of fifty blocks without skips.

The lesson of `notebooks/12_normalization_and_initialization.ipynb`.

science     norms: sizes, gradients, company in a batch
remedies    fifty blocks trained with each remedy
starts      the first weights of those remedies
remedies_pictures, remedies_explorer    the doors of the second half
pictures, explorer, exercise    the usual doors
"""
