"""Six networks that are ill and one that is not: examine, commit, mend, and bring your own.

The lesson of `notebooks/13_clinic.ipynb`.

science     the patients, called by letters, and what is measured of them
pictures    the waiting room, a chart by layer, before and after
exercise    what the student commits to, the truth, the mends, and the score
"""
