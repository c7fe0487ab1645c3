"""A folder for each lesson, named as its notebook; in each of them the same doors.

science     what is trained or computed, and what it says: no pictures, no widgets
pictures    how it is drawn: axes and plain numbers in, artists out
explorer    the figure with sliders: it only wires
exercise    the checks of the notebook's exercises, check_<what the student writes>: a page is no
            place for hints

Further science stands beside them under a noun of its own. A lesson imports earlier ones only.
"""
