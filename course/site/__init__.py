"""The course in a browser, with nothing to install.

    course site                 writes all lessons as pages into a folder; their sliders move
    course playground           writes the depth playground, which trains in the page

In reading order:

sources     what becomes a page: each notebook as it is stored, the handbook, the guide
exact       explorers that the page computes itself; theme/exact.js brings them to life
colours     pictures with few colours: a page with all that it asks for has at most 1.5 MB
predictions questions that a page asks as the notebook does; where exercises are run
elsewhere   addresses of a notebook on Binder, on Colab, on a hub
formulas    formulas as MathML, when the site is built
named       names of buttons, tables that scroll by keys
building    build: the whole site, or an error and nothing
moving      record_all: explorers that move without Python, from recorded states
theme       how it looks beyond its theme: stylesheet, templates; links.js keeps the states of
            explorers in a page's address
page        the depth playground as one file; `playground/` holds its parts, to be read:
            main.js, then training.js, network.js, layers.js
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
