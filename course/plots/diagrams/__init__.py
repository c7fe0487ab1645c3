"""Drawings of what the course is about, each with its alternative text.

    from course.live import show
    from course.plots.diagrams import blocks, chain, matrices, norms, units

    show(*blocks.block("plain", "residual"))     # every function returns (figure, words)

strokes     box, node, arrow, lane: what the drawings are made of
chain       a chain of numbers, a network, a layer, forward and backward, a recurrent chain
units       the curves of units, their slopes, and where on the curve units sit
blocks      plain, residual, Highway, DiracNet; a skip that is phased out
matrices    what a matrix does to a circle; its entries and singular values; a cloud that is crushed
norms       which entries of the table (batch, units) a norm averages

A drawing takes the page's colours: made inside `style.dark()`, it is one for a dark page.
"""
