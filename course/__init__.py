"""Why do very deep networks fail to train, and what lets them? The library behind the notebooks.

Importing this package loads neither torch nor matplotlib; its modules do, when they are imported.
"""

__version__ = "0.1.0"
