"""Why do very deep networks fail to train, and what lets them? The library behind the notebooks.

A map of the house. Each folder's `__init__` is its front door: it lists what is offered, in the
order in which to read it.

The engine, an afternoon's reading:
networks      the textbook: architectures, blocks, layers, activations, first weights
data          real examples, and tasks that draw fresh ones
measures      what one can measure, on any torch.nn.Module
training      how a network learns, and what it says as it goes

What one sees and touches:
plots         the drawing vocabulary: axes and plain numbers in, artists out
live          a figure that one can touch, and runs that draw as they go
selfcheck     predict, and be checked
handbook      what one looks up: glossary, symbols, the decision card

What it is for:
doctor        what is wrong with a network, on what evidence, what to try first
lessons       a folder for each notebook: science, pictures, explorer, exercise
experiments   a page of settings and one command each
site          a page for a browser, with nothing to install: the depth playground
cli           the `course` command
classroom     problem sets: release, collect, grade, return
site          the course as pages, to read without installing

The ground: arguments (checks that name what is wrong), seeding (random streams), files (written
whole or not at all). Importing this package loads neither torch nor matplotlib.
"""

__version__ = "0.1.0"
