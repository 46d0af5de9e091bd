"""Single curves: the label up to a colon is the name, the rest is written into the plot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...columns import Curve
from ...escape import escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def name(curve: Curve) -> str:
    """The name of a curve, the same in every panel."""
    return curve.label.partition(":")[0]


def annotate(ax: Axes, curve: Curve, colour: str, line: int) -> int:
    """Writes the words of a curve into the upper right corner, below `line` others.

    Returns the number of lines in the corner.
    """
    words = curve.label.partition(": ")[2]
    if words:
        ax.annotate(
            escaped(words),
            (1.0, 0.99),
            xytext=(0, -11 * line),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize=8,
            color=colour,
            parse_math=False,
            zorder=5,
        )
    return line + bool(words)


def dashes(ax: Axes, curve: Curve, colour: str) -> None:
    """A law."""
    ax.plot(
        curve.x, curve.y, color=colour, dashes=(4, 2), linewidth=1.3, label=name(curve), zorder=3
    )


def dots(ax: Axes, curve: Curve, colour: str) -> None:
    """Single values."""
    ax.plot(
        curve.x,
        curve.y,
        linestyle="",
        marker="o",
        markersize=2.4,
        markeredgewidth=0,
        color=colour,
        alpha=0.75,
        label=name(curve),
        zorder=2,
    )


def legend(axes: Iterable[Axes], order: Iterable[str]) -> tuple[list[Any], list[str]]:
    """Handles and names of the legend: each name that occurs, once."""
    by_name: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        by_name |= dict(zip(labels, handles, strict=True))
    names = [name for name in order if name in by_name]
    return [by_name[name] for name in names], names
