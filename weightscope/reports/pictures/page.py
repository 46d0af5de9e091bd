"""The style of all pictures: colours, frames, titles, panels per page, one legend on top.

Names are drawn literally: escaped, and without mathematical notation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...escape import escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 64  # panels on one page that are still legible
INK, GRID = "#333333", "#e3e3e3"
# Okabe and Ito's colours, distinguishable with colour-blindness
GREY, BLUE, VERMILION, GREEN = "#555555", "#0072b2", "#d55e00", "#009e73"


def frame(ax: Axes) -> None:
    """A light grid, ink on two sides."""
    ax.grid(True, color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=8, color=GRID, labelcolor=INK, length=2)
    ax.minorticks_off()
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#bbbbbb")


def entitle(ax: Axes, title: str, most: int) -> None:
    """A title above the left end, its middle cut beyond `most` characters."""
    text = shortened(escaped(title), most)
    ax.set_title(text, fontsize=9, color=INK, loc="left", pad=4, parse_math=False)


def shortened(title: str, most: int) -> str:
    """A title of at most `most` characters: both ends of a longer one.

    >>> shortened("model.layers.0.mlp.up_proj.weight", 14)
    'model.l…weight'
    """
    if len(title) <= most:
        return title
    half = most // 2
    return title[:half] + "…" + title[1 - half :]


def label(ax: Axes, x: str, y: str, *, lowest: bool, first: bool) -> None:
    """Numbers and name of x in the lowest panel of a column, name of y in the first of a row."""
    ax.tick_params(labelbottom=lowest)
    ax.set_xlabel(x if lowest else "", fontsize=8, color=INK, labelpad=2)
    ax.set_ylabel(y if first else "", fontsize=8, color=INK, labelpad=2)


def head(count: int) -> float:
    """Inches above the panels: for the legend, and for the count of panels left out."""
    return 0.68 if count > MOST else 0.42


def key(
    figure: Figure,
    handles: Sequence[Any],
    labels: Sequence[str],
    columns: int,
    below: float = 0,
    sample: float = 1.6,
    place: tuple[str, float] = ("center", 0.5),
) -> None:
    """A legend in rows of `columns` entries, `below` inches under the top of the page.

    `sample` is the length of a line in it, in letters. `place` is its side of the page, and where
    that side is, as a share of the width.
    """
    side, share = place
    legend = figure.legend(
        handles,
        labels,
        loc=f"upper {side}",
        ncols=max(1, columns),
        frameon=False,
        fontsize=8,
        handlelength=sample,
        columnspacing=1.6,
        labelcolor=INK,
        bbox_to_anchor=(share, 1 - (0.04 + below) / figure.get_figheight()),
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def surround(
    figure: Figure, handles: Sequence[Any], labels: Sequence[str], count: int, below: float = 0
) -> None:
    """The legend above all panels, and how many of `count` panels are drawn."""
    key(figure, handles, labels, len(labels), below)
    if count > MOST:
        entitle_page(figure, count, 0.42 + below)


def entitle_page(figure: Figure, count: int, below: float, most: int = 0) -> None:
    """How many of `count` panels are drawn, `below` inches under the top of the page.

    `most` are drawn where it is not MOST.
    """
    figure.suptitle(
        f"the first {most or MOST} of {count} panels",
        fontsize=9,
        color=INK,
        y=1 - below / figure.get_figheight(),
        va="top",
    )
