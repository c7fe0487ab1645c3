"""One look for every figure: the Okabe-Ito palette, safe for colour-blind readers.

Colour never stands alone: each colour comes with its own line style and marker, so that lines stay
apart in grey print too. Source: Okabe and Ito, "Color Universal Design" (2008).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from matplotlib import rc_context, rcParams
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from course.plots import arrange

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: tuple[Any, ...] = (
    "-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (7, 2)), (0, (1, 1)),
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

ARCHITECTURES = ("resnet", "plain", "van", "highway", "diracnet", "van0", "looks-linear")
"""In this order they take the palette, so a network has the same colour in every notebook."""

GREY = "#6E6E6E"
LIGHT = "#D9D9D9"

DARK: dict[Any, str] = {
    **dict.fromkeys(("figure.facecolor", "axes.facecolor"), "#17191E"),
    **dict.fromkeys(
        ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), "#E8E8E8"
    ),
}


def dark() -> AbstractContextManager[None]:
    """Inside, figures are for a dark page: make, draw and save them there."""
    return rc_context(DARK)


def ink() -> str:
    """The colour of text and outlines: black, or nearly white inside `dark`."""
    return to_hex(rcParams["text.color"])


def formula() -> dict[str, Any]:
    """Keywords for the line of a closed form."""
    return {"color": ink(), "linewidth": 1.2}


def paper() -> str:
    """The colour of the page: white, or nearly black inside `dark`."""
    return to_hex(rcParams["figure.facecolor"])


def tint(color: str, share: float = 0.18) -> str:
    """A mix of `share` of a colour with the paper: a filling that text stays readable on."""
    (r, g, b), (red, green, blue) = to_rgb(color), to_rgb(paper())
    rest = 1 - share
    return to_hex((share * r + rest * red, share * g + rest * green, share * b + rest * blue))


def line(k: int) -> dict[str, Any]:
    """Keywords for the k-th line: ``ax.plot(x, y, **style.line(0))``. It repeats after seven."""
    k %= len(PALETTE)
    color = ink() if PALETTE[k] == "#000000" else PALETTE[k]
    return {"color": color, "linestyle": DASHES[k], "marker": MARKERS[k], "markersize": 4}


def architecture(name: str) -> dict[str, Any]:
    """Keywords for a network's line, the same in every figure: ``style.architecture("plain")``."""
    return line(ARCHITECTURES.index(name))


def figure(width: float = 8.0, height: float = 3.6, **subplots: Any) -> tuple[Figure, Any]:
    """A figure with axes (as ``plt.subplots``), made without pyplot, so that nothing leaks.

    width, height: inches at 100 dots per inch. Returns (figure, axes or array of axes).
    """
    fig = Figure(figsize=(width, height), dpi=100, layout="constrained")
    axes = fig.subplots(**subplots)
    for ax in fig.axes:
        tidy(ax)
    return fig, axes


def tidy(ax: Axes) -> Axes:
    """Drop the frame's top and right side and draw a faint grid behind the data."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(True, color=tint(GREY, 0.26), linewidth=0.6)  # LIGHT on a white page
    ax.set_axisbelow(True)
    return ax


def hold(fig: Figure, widest: Callable[[], object]) -> None:
    """Arrange the axes once for good: ones that tremble while a slider moves are hard to read.

    widest: shows the widest labels that there will be; the axes leave room for them.
    """
    widest()
    arrange.freeze(fig)


def margins(fig: Figure, **edges: float) -> None:
    """Arrange the axes for good by numbers, those of `Figure.subplots_adjust`."""
    fig.set_layout_engine(None)
    fig.subplots_adjust(**edges)


def limits(ax: Axes, **edges: tuple[float, float]) -> None:
    """Set xlim or ylim where it differs: a new limit means that all has to be drawn again."""
    for name, edge in edges.items():
        if getattr(ax, f"get_{name}")() != edge:
            ax.set(**{name: edge})


def whole_numbers(ax: Axes, ticks: int = 6) -> None:
    """An x axis of layers or steps: about so many ticks, each at a whole number."""
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))


def guide(
    ax: Axes, height: float, words: str, *, at: tuple[float, float] | None = None,
    beside: bool = False, **line: Any,
) -> Text:  # fmt: skip
    """A grey line across the axes with its name, which is returned: above its right end or beside.

    at: where the name ends, x from 0 to 1 and the height. line: keywords for the line.
    """
    ax.axhline(height, **{"color": GREY, "linewidth": 0.8, "linestyle": (0, (2, 2)), **line})
    above: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 8}
    text = {"va": "center", "fontsize": 9} if beside else above
    place = at or (1.01 if beside else 1.0, height)
    # Below the data and their bands (1.5): a name on top of a curve hides it, and what lies on
    # something that moves is drawn again with it.
    transform = ax.get_yaxis_transform()
    return ax.text(*place, words, transform=transform, color=GREY, zorder=1.4, **text)


def guessing(ax: Axes, percent: float) -> None:
    """A grey line where an answer drawn by chance would be, with its name."""
    guide(ax, percent, "guessing ", at=(1.0, percent + 1))


def legend_below(fig: Figure, handles: Sequence[Any], ncols: int = 0, **options: Any) -> None:
    """A legend of these artists below all axes, by `ncols` or all in a row; two if narrow."""
    wide = ncols or len(handles)
    plain = {"frameon": False, "fontsize": 9, "loc": "outside lower center"}

    def put(columns: int) -> Legend:
        return fig.legend(handles=handles, ncols=columns, **{**plain, **options})

    legend, columns = put(wide), wide

    def rows(columns: int) -> int:
        return -(-len(handles) // columns)

    def arrange_for(narrow: bool) -> None:
        nonlocal legend, columns
        wanted = min(wide, 2) if narrow else wide
        if wanted != columns:
            legend.remove()
            legend, columns = put(wanted), wanted

    # Attributes of ours, for `arrange.fit`: how to make it narrow, and how many rows more that is.
    setattr(fig, "course_legend", arrange_for)  # noqa: B010
    setattr(fig, "course_rows", rows(min(wide, 2)) - rows(wide))  # noqa: B010


def legend_beside(ax: Axes, x: float = 1.0, **options: Any) -> None:
    """A legend right of the axes, half way up: inside it would lie on a curve sooner or later."""
    plain = {"frameon": False, "fontsize": 9, "loc": "center left", "bbox_to_anchor": (x, 0.5)}
    ax.legend(**{**plain, **options})
