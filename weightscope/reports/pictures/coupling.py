"""Coupling: a heat map of the largest |rho| of every two vectors, grouped by index set.

Colours begin at the family point: what independent vectors reach is white. Vectors of two index
sets make no pair, so that cells off the blocks are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...columns import Panel
from ...escape import escaped
from ...lazy import matplotlib_figure
from ...lazy import numpy as np
from .page import INK, entitle, entitle_page, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# inches
CELL = 0.2  # of a map of few vectors, wide enough for two digits
SMALL = 0.13  # of many
NAMES, TURNED = 1.5, 1.35  # room for names: at the left, turned below
TOP, GAP, BAR = 0.35, 0.35, 0.75
LEAST = 1.6  # a map of two vectors

FEW, MOST = 32, 80  # vectors with numbers in the cells; vectors of a map
ACROSS, MAPS = 2, 8  # maps in a row, maps of a page
LETTERS = 24  # of a name
COLOURS = "Blues"
DARK = 0.6  # of the colours: white numbers
NOTHING = "#f2f2f2"  # cells without a pair
SETS = {"residual": "residual stream", "mlp_hidden": "hidden units", "kv_heads": "kv heads"}


def draw(panels: Sequence[Panel]) -> Figure:
    """The figure: a map per panel, two in a row, with one scale of colours."""
    shown = _beside(panels)[:MAPS]
    cell = _cell(shown)
    side = max(LEAST, cell * max(len(_names(panel)) for panel in shown))
    across = min(ACROSS, len(shown))
    down = -(-len(shown) // across)
    wide = across * (NAMES + side + GAP) + BAR
    high = down * (TOP + side + TURNED) + (TOP if len(panels) > MAPS else 0.0)
    figure = matplotlib_figure.Figure(figsize=(wide, high), dpi=144, facecolor="white")
    mesh = None
    for i, panel in enumerate(shown):
        row, column = divmod(i, across)
        left = column * (NAMES + side + GAP) + NAMES
        bottom = (down - 1 - row) * (TOP + side + TURNED) + TURNED
        ax = figure.add_axes((left / wide, bottom / high, side / wide, side / high))
        mesh = _map(ax, panel, cell)
        entitle(ax, panel.title, round(side * 12))
    _bar(figure, mesh, (wide, high, side))
    if len(panels) > MAPS:
        entitle_page(figure, len(panels), 0.05, MAPS)
    return figure


def _beside(panels: Sequence[Panel]) -> list[Panel]:
    """The maps of a model and stack beside each other, means before scales."""
    place: dict[object, int] = {}
    for panel in panels:
        place.setdefault((panel.of.get("source"), panel.of.get("stack")), len(place))

    def order(panel: Panel) -> tuple[int, str]:
        owner = panel.of.get("source"), panel.of.get("stack")
        return place[owner], str(panel.of.get("of"))

    return sorted(panels, key=order)


def _cell(panels: Sequence[Panel]) -> float:
    most = max(len(_names(panel)) for panel in panels)
    return CELL if most <= FEW else SMALL


def _names(panel: Panel) -> Sequence[str]:
    names: Sequence[str] = panel.values["names"][:MOST]
    return names


def _map(ax: Axes, panel: Panel, cell: float) -> Any:
    """Draws a map; returns its mesh."""
    names = _names(panel)
    count = len(names)
    rho = np.asarray(panel.values["max_rho"])[:count, :count]
    family = np.asarray(panel.values["family"])[:count, :count]
    excess = np.clip((rho - family) / (1 - family), 0.0, 1.0)
    ax.set_facecolor(NOTHING)
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(excess),
        cmap=COLOURS,
        vmin=0.0,
        vmax=1.0,
        edgecolors="white",
        linewidth=0.4,
    )
    ax.set_aspect("equal")
    ax.invert_yaxis()
    _label(ax, names, cell)
    _blocks(ax, panel.values["sets"][:count])
    if count <= FEW:
        _numbers(ax, rho, excess)
    if count < len(panel.values["names"]):
        more = len(panel.values["names"]) - count
        ax.set_xlabel(f"{more} more vectors", fontsize=7, color=INK)
    return mesh


def _label(ax: Axes, names: Sequence[str], cell: float) -> None:
    """The names of the vectors on both axes."""
    size = 7 if cell == CELL else 5
    words = [shortened(escaped(name), LETTERS) for name in names]
    middle = np.arange(len(names)) + 0.5
    ax.set_xticks(middle, words, rotation=90)
    ax.set_yticks(middle, words)
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        text.set_parse_math(False)
    ax.tick_params(labelsize=size, length=0, labelcolor=INK, pad=2)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _blocks(ax: Axes, sets: Sequence[str]) -> None:
    """A frame around the vectors of each index set, with its name where there is room."""
    first = 0
    for i in range(1, len(sets) + 1):
        if i < len(sets) and sets[i] == sets[first]:
            continue
        ax.plot(
            [first, i, i, first, first],
            [first, first, i, i, first],
            color=INK,
            linewidth=0.8,
            clip_on=False,
        )
        name = escaped(SETS.get(sets[first], sets[first]))
        # on the side of the block that has more empty cells
        right = len(sets) - i >= first
        x = i + 0.3 if right else first - 0.3
        ax.text(
            x,
            (first + i) / 2,
            name,
            fontsize=7,
            color=INK,
            ha="left" if right else "right",
            va="center",
            parse_math=False,
        )
        first = i


def _numbers(ax: Axes, rho: Any, excess: Any) -> None:
    """Two digits in each cell: .99, and 1 for what rounds to it."""
    for i, j in np.argwhere(np.isfinite(rho)):
        text = f"{rho[i, j]:.2f}".removeprefix("0")
        if rho[i, j] >= 0.995:
            text = "1"
        colour = "white" if excess[i, j] > DARK else INK
        ax.text(j + 0.5, i + 0.5, text, fontsize=5, color=colour, ha="center", va="center")


def _bar(figure: Figure, mesh: Any, size: tuple[float, float, float]) -> None:
    """The scale of colours, from the family point to 1, beside the first row of maps."""
    wide, high, side = size
    place = ((wide - BAR + 0.05) / wide, (high - TOP - side) / high, 0.12 / wide, side / high)
    ax = figure.add_axes(place)
    bar = figure.colorbar(mesh, cax=ax)
    bar.set_ticks([0.0, 1.0], labels=["family\npoint", "1"])
    ax.tick_params(labelsize=7, length=2, color=INK, labelcolor=INK)
    ax.set_title("max |rho|", fontsize=7, color=INK, pad=4)
