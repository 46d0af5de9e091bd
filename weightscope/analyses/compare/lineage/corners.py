"""Corners: slices of the first lines beside which the larger matrix has zeros alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ....engine.unit import Measured, Measurer, Unit
from ....sketches import Count
from ....statistics.lineage import Slice
from ...measuring import no_values
from ...piece import Piece
from ..pair import Pair
from .families import entry_of
from .slicing import Sliced, on_slice

CORNER, CHANNELS = "corner", "channels"
COUNT = Count()


def cornered(found: Sequence[Sliced], measure: Measurer) -> Iterator[Pair]:
    """Each pair on its slice; the rule is `corner` where the larger side is zero beside it."""
    pairs = [on_slice(one) for one in found]
    units: list[Unit] = []
    for one, pair in zip(found, pairs, strict=True):
        units += _units(one, pair)
    measured = measure(units, no_values) if units else iter(())
    for one, pair in zip(found, pairs, strict=True):
        counts = [_nonzero(next(measured)) for _ in _units(one, pair)]
        if counts and None not in counts and counts[0] == counts[1]:
            pair = replace(pair, rule=_renamed(one))
        yield pair


def _units(one: Sliced, pair: Pair) -> list[Unit]:
    """The larger matrix whole, and the part of it that the slice pairs."""
    larger = _larger(one)
    if not larger or pair.rule.startswith(CHANNELS):
        return []
    which = ("a", "b").index(larger)
    return [_unit(one.pair.both[which]), _unit(pair.both[which])]


def _unit(piece: Piece) -> Unit:
    return Unit(piece, {"": entry_of(piece)}, {"": frozenset({COUNT})})


def _larger(one: Sliced) -> str:
    """The side that has all lines of the other first; "" where no side has."""
    if not isinstance(one.found, Slice):
        return ""
    rules = {one.found.rows.partition(" ")[0], one.found.columns.partition(" ")[0]}
    if not rules <= {"first", "all"}:
        return ""
    rows, columns = one.plan.rows, one.plan.columns
    if rows.size_a <= rows.size_b and columns.size_a <= columns.size_b:
        return "b"
    if rows.size_a >= rows.size_b and columns.size_a >= columns.size_b:
        return "a"
    return ""


def _nonzero(measured: Measured) -> int | None:
    """Elements that are not 0; None where the matrix does not fit into memory."""
    counts = measured.sketches[""].get(COUNT)
    if counts is None:
        return None
    return int(counts.n - counts.zeros + counts.nan + counts.inf)


def _renamed(one: Sliced) -> str:
    """The rule of a corner, with the scale where it has one."""
    assert isinstance(one.found, Slice)
    if one.found.factor is None:
        return CORNER
    return f"{CORNER}, times {one.found.factor:.4g}"
