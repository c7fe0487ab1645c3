"""Pages for a browser, with nothing to install: `course playground` writes one.

page          the depth playground as one file; `playground/` holds its parts, to be read:
              main.js, then training.js, network.js, layers.js
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
