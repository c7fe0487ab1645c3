"""A figure that one can touch: sliders, runs that draw as they go, and the same in words.

    from course.live import live, show

    live(fig, draw, depth=(1, 100), weight=(0.5, 1.5))     # calls draw(depth=..., weight=...)
    show(fig, "The loss falls from 2.3 to 0.1.")           # a still picture with its words

In reading order:

figure          live, LivePanel: controls, a figure and a `draw` that changes its artists
controls        Slider, Choice, Switch: a slider, a list and a box to tick, in full
browser         in_browser, BrowserPanel: an explorer that is computed and drawn in the page;
                explorer_name: what it is called there
modules         bundle: a lesson's JavaScript as one text; js/ has what all of them share
caption         Caption, describe: a badge, a row of layers, and sentences to unfold
run             live_run: training in the background: play, pause, step, stop, restart
background      LiveRun: the thread, and its picture
stopping        what later cells say of a run that was stopped: BrokenOff, cut_short
pace            how often it is drawn
transport       Knob: what can be turned while a training runs; from_start; the buttons
ahead           what is one step away, computed while nobody waits
slices          Slices: work a little at a time, between drawings; later
words           show, in_words; number, power, count, percents
canvas          Canvas: redraws what has changed, and only that
encoding        pixels as a PNG
layers          what stays as pixels, and what is drawn anew above it
lettering       text that is drawn again where it was
parts           what is drawn, in its order, and what of it changes unsaid
scales          limits that change: which axis they draw anew
picture         the picture in the page, with its alternative text
output          a widget in a cell
link            a button that copies a link to the same state on a page
stored          publish: what a saved notebook shows of it; Kept: after it has changed, too
cells           what a cell that runs again lets go of
pyplot          a hint where `draw` uses pyplot
failures        an error or an interrupt in `draw`, an error in training, in words
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
