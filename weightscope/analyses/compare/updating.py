"""Updating: a piece of a base with the update of one pair of factors, cut as the piece is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from ...checkpoints import Entry, LoraPair, Stored
from ...checkpoints.pairs import DORA
from ...checkpoints.views import Adapted, Dora, Part, Product, Transpose
from ...errors import UsageError
from ...escape import escaped
from ...geometry import Axis, Shape
from ...naming import Place
from ...notes import united
from ..piece import Piece
from ..pieces import oriented, product, turned
from .partners import Partner


@dataclass(frozen=True, eq=False)
class Updates:
    """The pairs of an adapter as updates of pieces."""

    tensors: Mapping[str, Stored]
    fan_in_fan_out: bool  # adapter_config.json: the adapted weights are stored (in, out)

    def applied(self, pair: LoraPair, partner: Partner, piece: Piece) -> Piece:
        """A piece of the partner of a pair with its update; UsageError where it does not fit."""
        entry = piece.entry
        if entry is None or piece.stored.coded:
            raise _unlike(pair, piece, f"a weight of type {piece.dtype} that has no values")
        update = self._oriented(pair, piece.place)
        whole = entry.shape
        is_stack = False
        if not partner.is_part:
            whole = oriented(piece.stored, piece.place).shape
            is_stack = piece.place.expert is not None
        if update.shape != whole or is_stack:
            rows, columns = update.shape
            raise _unlike(pair, piece, f"an update of {rows}x{columns}")
        magnitudes = None
        if pair.magnitudes:
            magnitudes = self._magnitudes(pair, piece, whole)
        if not partner.is_part:
            update = _cut(update, piece.place)
            magnitudes = magnitudes and magnitudes.cut(pair, piece)
        notes = tuple(note for note in pair.notes if note != DORA)
        adapted = _adapted(entry, update, magnitudes)
        return replace(piece, entry=adapted, dtype=adapted.dtype, notes=united(piece.notes, notes))

    def _oriented(self, pair: LoraPair, place: Place) -> Product:
        """The update with outputs as rows, tokens in an embedding."""
        update = product(pair, self.tensors)
        if pair.table is None and place.kind == "embedding":
            update = turned(update)
        if place.orientation == "unknown" and self.fan_in_fan_out and not place.transpose:
            update = turned(update)  # the base is read as it is stored: (in, out)
        return update

    def _magnitudes(self, pair: LoraPair, piece: Piece, shape: Shape) -> _Magnitudes:
        """m of DoRA as a column, or as a row where it belongs to inputs; UsageError if no fit."""
        stored = self.tensors[pair.magnitudes]
        axis = _axis(pair, stored)
        entry: Entry = stored
        kernel = prod(piece.stored.dims[2:]) if axis else 1
        if axis == 0 and stored.shape[0] == 1:
            entry = Transpose(stored)
        expected = (1, shape[1] // kernel) if axis else (shape[0], 1)
        if entry.shape != expected or not stored.measurable:
            size = "x".join(map(str, stored.dims))
            raise _unlike(pair, piece, f"magnitudes {escaped(stored.name)} of {size}")
        return _Magnitudes(entry, axis)


@dataclass(frozen=True)
class _Magnitudes:
    """m of DoRA and the axis of the lines that have one each."""

    entry: Entry
    axis: Axis

    def cut(self, pair: LoraPair, piece: Piece) -> _Magnitudes:
        """Those of the lines of a piece, which has to have its lines whole."""
        place = piece.place
        crossing = place.rows if self.axis else place.cols
        if crossing is not None:
            raise _unlike(pair, piece, "magnitudes of lines that it splits", "add --no-split")
        if self.axis == 0 and place.rows is not None:
            return replace(self, entry=Part(self.entry, place.rows))
        if self.axis == 1 and place.cols is not None:
            return replace(self, entry=Transpose(Part(Transpose(self.entry), place.cols)))
        return self


def _axis(pair: LoraPair, stored: Stored) -> Axis:
    """The axis whose lines have a magnitude each.

    PEFT and MLX: the outputs, which are the columns of PEFT's embeddings. LyCORIS: inputs where the
    shape is (1, inputs, ...), else outputs.
    """
    if "lora_magnitude_vector" in pair.magnitudes:
        return 1 if pair.table else 0
    if len(stored.dims) > 1 and stored.dims[0] == 1:
        return 1
    return 0


def _cut(update: Product, place: Place) -> Product:
    """The rows and columns of an update: those of its factors, so that it stays a product."""
    if place.rows is not None:
        update = replace(update, b=Part(update.b, place.rows))
    if place.cols is not None:
        update = replace(update, a=Transpose(Part(Transpose(update.a), place.cols)))
    return update


def _adapted(entry: Entry, update: Product, magnitudes: _Magnitudes | None) -> Entry:
    if magnitudes is None:
        return Adapted(entry, update)
    return Dora(entry, update, magnitudes.entry, magnitudes.axis)


def _unlike(pair: LoraPair, piece: Piece, found: str, advice: str = "") -> UsageError:
    return UsageError(
        f"expected an adapter of the base, whose {escaped(piece.name)} is {piece.shape}",
        f"found for {escaped(pair.module)} {found}",
        advice or "name the base that the adapter was trained on",
    )
