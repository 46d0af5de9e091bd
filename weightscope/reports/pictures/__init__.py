"""Pictures, one file each: from panels to a matplotlib figure. PICTURES lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...columns import Panel
from ...errors import CheckpointError, UsageError
from ...lazy import matplotlib_figure
from ..files import check_writable, write_atomically
from .change import draw as change
from .density import draw as density
from .depth import draw as depth
from .outliers import draw as outliers
from .settings import defaults
from .spectrum import draw as spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES: Mapping[str, Callable[[Sequence[Panel]], Figure]] = {
    "change": change,
    "density": density,
    "depth": depth,
    "outliers": outliers,
    "spectrum": spectrum,
}
NOTED = frozenset({"depth"})  # kinds whose panels are drawn with their note in place of curves
SUFFIXES = (".png", ".svg", ".pdf")
# No dates, and ids of an SVG from a fixed salt: two runs write the same bytes.
_METADATA = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def check_plot(path: str | Path) -> None:
    """Refuses a picture that cannot be made, before any work: suffix, folder or missing extra."""
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"expected a picture ending in one of {' '.join(SUFFIXES)}",
            f"found '{path}'",
            "change the suffix",
        )
    check_writable(path)
    _need_matplotlib()


def figure_of(panels: Sequence[Panel]) -> Figure:
    """Draws panels of one kind, without those that have a note and no values if it is not NOTED."""
    _need_matplotlib()
    kinds = sorted({panel.kind for panel in panels})
    if len(kinds) != 1 or kinds[0] not in PICTURES:
        raise UsageError(
            f"expected panels of one kind that can be drawn: {', '.join(PICTURES)}",
            f"found {', '.join(kinds) or 'none'}",
            "request them with --plot FILE.png, or `plot` in Python",
        )
    drawn = [panel for panel in panels if panel.values or not panel.note or panel.kind in NOTED]
    if not drawn:
        return blank()
    with defaults():
        return PICTURES[kinds[0]](drawn)


def blank() -> Figure:
    """A figure with the words "nothing to draw", for a view without rows."""
    _need_matplotlib()
    with defaults():
        figure = matplotlib_figure.Figure(figsize=(5.0, 1.2), dpi=144, facecolor="white")
        figure.text(0.5, 0.5, "nothing to draw", ha="center", va="center", fontsize=9)
    return figure


def save_picture(figure: Figure, path: str | Path) -> None:
    """Writes a complete file or none, by its suffix; equal figures give equal bytes."""
    suffix = Path(path).suffix.lower().removeprefix(".")

    def write(stream: BinaryIO) -> None:
        with defaults():
            figure.savefig(stream, format=suffix, metadata=_METADATA[suffix])

    write_atomically(path, write)


def _need_matplotlib() -> None:
    if find_spec("matplotlib") is None:
        raise CheckpointError(
            "expected matplotlib for a picture",
            "found it is not installed",
            "pip install matplotlib",
        )
