"""Which pairs are selected: options on names and places apply to A's piece, to B's if added."""

from __future__ import annotations

from collections.abc import Sequence

from ..piece import Model
from ..selection import Selection, selected
from .pair import Pair


def selected_pairs(pairs: Sequence[Pair], selection: Selection, a: Model) -> Model:
    """The pairs as a model with the selected ones as its pieces; UsageError where none is."""
    every = tuple(pairs)
    (chosen,) = selected((Model(a.source, a.checkpoint, every, placed=every),), selection)
    return chosen
