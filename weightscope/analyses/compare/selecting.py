"""Which pairs are selected: options on names and places apply to A's piece, to B's if added."""

from __future__ import annotations

from collections.abc import Sequence

from ..piece import Model
from ..selection import Selection, selected
from .pair import Pair


def selected_pairs(
    pairs: Sequence[Pair], selection: Selection, a: Model, b: Model
) -> tuple[Pair, ...]:
    """The selected pairs; UsageError where there is none."""
    chosen = tuple(pair for pair in pairs if selection.admits(pair))
    if not chosen:
        selected((Model(a.source, a.checkpoint, tuple(pairs)),), selection)  # raises with advice
    return chosen
