"""Pictures, one file each: from panels to a matplotlib figure. PICTURES lists them.

Panels of the kind FRAMES are drawn as an animation alone, the others as a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from ...columns import FRAMES, Panel
from ...errors import CheckpointError, UsageError
from ...lazy import matplotlib_figure
from ..files import check_writable, write_atomically
from .change import draw as change
from .coupling import draw as coupling
from .density import draw as density
from .depth import draw as depth
from .frames import Film, film_of
from .gif import write as write_gif
from .layer_map import draw as layer_map
from .outliers import draw as outliers
from .settings import defaults
from .spectrum import draw as spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES: Mapping[str, Callable[[Sequence[Panel]], Figure]] = {
    "change": change,
    "coupling": coupling,
    "density": density,
    "depth": depth,
    "layer_map": layer_map,
    "outliers": outliers,
    "spectrum": spectrum,
}
NOTED = frozenset({"depth"})  # kinds whose panels are drawn with their note in place of curves
ANIMATED = ".gif"
STILL = (".png", ".svg", ".pdf")
SUFFIXES = (*STILL, ANIMATED)
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


def is_animated(path: str | Path) -> bool:
    """Whether the suffix is that of an animation."""
    return Path(path).suffix.lower() == ANIMATED


def check_series(path: str | Path, series: bool) -> None:
    """Refuses an animation of what is no `series` of checkpoints."""
    if is_animated(path) and not series:
        raise UsageError(
            f"expected a series of at least three checkpoints for a {ANIMATED}",
            f"found none for '{path}'",
            f"name them in order after `compare`, or draw another picture: {' '.join(STILL)}",
        )


def figure_of(panels: Sequence[Panel]) -> Figure:
    """Draws panels of one kind, without those that have a note and no values if it is not NOTED.

    Panels of FRAMES beside them are for an animation: they are left out.
    """
    _need_matplotlib()
    panels = [panel for panel in panels if panel.kind != FRAMES] or panels
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


def animate(panels: Sequence[Panel], path: str | Path) -> Figure:
    """Writes panels of FRAMES as an animation, a complete file or none; returns its last frame.

    Without curves it is one frame with the words "nothing to draw". Equal panels give equal bytes.
    """
    _need_matplotlib()
    drawn = [panel for panel in panels if panel.curves]
    film = Film(blank())
    with defaults():
        if drawn:
            film = film_of(drawn)
        write_atomically(path, partial(write_gif, film))
    return film.figure


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
