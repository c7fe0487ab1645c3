"""Pictures: functions that take axes and data, and return the artists they made.

style        one look: palette, line styles, figures, guides, legends; `dark` for a dark page
numbers      a number in a sentence, and a mean with its error
curves       lines with bands, and where they stop being finite
decades      a logarithmic axis that also holds 0 and infinity
growing      curves that grow while a network trains
experiments  the grids of the published experiments
diagrams     drawings of networks, units, blocks, matrices and norms, with alternative text
examples     the data as pictures: galleries, neighbours, what is confused, what a unit sees
"""
