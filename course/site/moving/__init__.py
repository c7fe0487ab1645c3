"""Figures that move on a page without Python: each explorer of the notebooks, recorded.

In reading order:

cells          which cells open an explorer, and what has to run before them
stops          the places of a control that are recorded: at most 25, both ends and the first too
recorder       sweeps each control by the notebook's own drawing; pictures and words of each state
cache          keeps recordings until the code that draws changes
figure         what stands in the page: HTML, style and script
recorded.js    the figure in the page; it hands states to the script that shows them in a notebook
"""

from course.site.moving.cache import record_all as record_all
from course.site.moving.cells import explorers as explorers
from course.site.moving.figure import FOLDER as FOLDER
from course.site.moving.figure import RUN as RUN
from course.site.moving.figure import copy as copy
from course.site.moving.figure import figure as figure
from course.site.moving.figure import write_static as write_static
from course.site.moving.recorder import record as record
