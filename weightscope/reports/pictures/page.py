"""What all pictures look like: ink, frames and titles, how many panels a page holds, one legend above everything.

Names are drawn as they are written: escaped, and no mathematics is read into them.
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
GREY, BLUE, VERMILION, GREEN = (
    "#555555",
    "#0072b2",
    "#d55e00",
    "#009e73",
)  # Okabe and Ito's, for colour-blind eyes


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
    """A title over the left end, its middle left out beyond `most` characters."""
    ax.set_title(
        escaped(shortened(title, most)), fontsize=9, color=INK, loc="left", pad=4, parse_math=False
    )


def shortened(title: str, most: int) -> str:
    """Both ends of a long title.

    >>> shortened("model.layers.0.mlp.up_proj.weight", 14)
    'model.l…weight'
    """
    return title if len(title) <= most else f"{title[: most // 2]}…{title[-(most // 2) + 1 :]}"


def label(ax: Axes, x: str, y: str, *, lowest: bool, first: bool) -> None:
    """Numbers and the name of x where none stands below, the name of y at the first of a row."""
    ax.tick_params(labelbottom=lowest)
    ax.set_xlabel(x if lowest else "", fontsize=8, color=INK, labelpad=2)
    ax.set_ylabel(y if first else "", fontsize=8, color=INK, labelpad=2)


def head(count: int) -> float:
    """Inches above the panels, for a legend and a word on what is left out."""
    return 0.68 if count > MOST else 0.42


def surround(figure: Figure, handles: Sequence[Any], labels: Sequence[str], count: int) -> None:
    """The legend once, above everything, and how many of `count` panels are here."""
    height = figure.get_figheight()
    legend = figure.legend(
        handles,
        labels,
        loc="upper center",
        ncols=max(1, len(labels)),
        frameon=False,
        fontsize=8,
        handlelength=1.6,
        columnspacing=1.6,
        labelcolor=INK,
        bbox_to_anchor=(0.5, 1 - 0.04 / height),
    )
    for text in legend.get_texts():
        text.set_parse_math(False)
    if count > MOST:
        figure.suptitle(
            f"the first {MOST} of {count} panels",
            fontsize=9,
            color=INK,
            y=1 - 0.42 / height,
            va="top",
        )
