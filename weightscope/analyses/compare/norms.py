"""Norms of DoRA: a first pass over the adapted weights, whose rows or columns are rescaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...checkpoints.views import Adapted, Dora
from ...engine.unit import Measured, Measurer, Unit
from ...lazy import numpy as np
from ...lazy import torch
from ...sketches import MarginSums
from ..measuring import limits
from ..piece import Model, Piece

if TYPE_CHECKING:
    from numpy.typing import NDArray

WANTED: frozenset[Any] = frozenset({MarginSums()})


def with_norms(model: Model, measure: Measurer) -> Model:
    """The model with the norms of its DoRA weights measured; itself where it has none."""
    units = [unit for piece in model.pieces for unit in _units(piece)]
    if not units:
        return model
    measured = measure(units, _nothing)
    pieces = {result.unit.key: _with_norms(result) for result in measured}
    return replace(model, pieces=tuple(pieces.get(piece, piece) for piece in model.pieces))


def _units(piece: Piece) -> tuple[Unit, ...]:
    """The sum of base and update of a weight whose norms are unknown."""
    entry = piece.entry
    if not isinstance(entry, Dora) or entry.norms is not None:
        return ()
    # in float64: of changes of 1e-6 of a weight norms in float32 would leave one digit
    terms = Adapted(entry.of, entry.update, wide=True)
    return (Unit(piece, {"": terms}, {"": WANTED}),)


def _nothing(measured: Measured) -> Mapping[str, object]:
    return {}


def _with_norms(measured: Measured) -> Piece:
    """The piece with norms; unmeasured, with a note, where the memory is too small."""
    piece: Piece = measured.unit.key
    entry = piece.entry
    assert isinstance(entry, Dora)
    sketches = measured.sketches[""]
    if not sketches:
        return replace(piece, entry=None, notes=(*piece.notes, *limits([measured])))
    (margins,) = sketches.values()
    lines = margins.cols if entry.axis else margins.rows
    squares: NDArray[np.float64] = lines["squares"].reshape(-1, entry.kernel).sum(1)
    norms = torch.from_numpy(np.sqrt(squares))
    return replace(piece, entry=replace(entry, norms=norms))
