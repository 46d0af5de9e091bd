"""How single curves are drawn and named: by the label up to a colon; words after it stand in their plot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...columns import Curve
from ...escape import escaped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def name(curve: Curve) -> str:
    """What a curve is known by, in every panel."""
    return curve.label.partition(":")[0]


def say(ax: Axes, curve: Curve, colour: str, line: int) -> int:
    """Writes a curve's words into the upper right corner, below `line` others; how many there are then."""
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
    """Each name that is somewhere, once."""
    found: dict[str, Any] = {}
    for ax in axes:
        handles, labels = ax.get_legend_handles_labels()
        found |= dict(zip(labels, handles, strict=True))
    names = [name for name in order if name in found]
    return [found[name] for name in names], names
