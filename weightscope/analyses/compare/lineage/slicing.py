"""Slices: the rows and columns of A that a matrix of B was made from, per pair of matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ....checkpoints.views import Chosen, Indices
from ....engine.unit import Measurer
from ....notes import Note, united
from ....statistics.lineage import (
    AHEAD,
    Axis,
    IndexMap,
    NoSlice,
    Slice,
    SliceSample,
    channels,
    find_slice,
)
from ...measuring import no_values
from ...piece import Piece
from ..pair import MATCHING, Pair, pair_of
from .families import entry_of, shape_of
from .sampling import Plan, plan_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

    Positions = NDArray[np.int64]
    Lines = tuple[Positions | None, Positions | None]

REASONS = {
    "no elements": "the sample has no elements",
    "constant": "rows or columns are all equal",
    "cosine": "no rule has a cosine of 0.15",
    "runner-up": "no rule has twice the cosine of the next",
    "few elements": "too few elements to tell a rule from chance",
}


@dataclass(frozen=True, eq=False)
class Sliced:
    """A pair of matrices and the slice that pairs their elements; None where there is none."""

    pair: Pair
    plan: Plan
    found: Slice | NoSlice | None  # None: the samples do not fit into memory


def sliced(pairs: Sequence[Pair], measure: Measurer) -> Iterator[Sliced]:
    """The slice of each pair of matrices of two shapes."""
    plans = []
    units = []
    for pair in pairs:
        side_a, side_b = pair.both
        plan = plan_of((side_a, side_b), shape_of(side_a), shape_of(side_b))
        plans.append(plan)
        units += [plan.unit_of_a(side_a), plan.unit_of_b(side_b)]
    if not units:
        return
    measured = measure(units, no_values)
    for pair, plan in zip(pairs, plans, strict=True):
        a, b = plan.values(next(measured)), plan.values(next(measured))
        found = None
        if a is not None and b is not None:
            found = find_slice(SliceSample(plan.rows, plan.columns, a, b))
        yield Sliced(pair, plan, found)


def is_resized(pair: Pair) -> bool:
    """Whether both sides are matrices of two shapes."""
    if pair.a is None or pair.b is None or not pair.ordered:
        return False
    return pair.a.is_matrix and pair.b.is_matrix and pair.reshaped


def on_slice(one: Sliced) -> Pair:
    """The pair on the elements that its slice pairs; as it is where there is none."""
    if one.found is None:
        return one.pair
    if isinstance(one.found, NoSlice):
        return replace(one.pair, notes=united(one.pair.notes, _reason(one.found)))
    pair, found = one.pair, one.found
    rows = one.plan.rows.named(found.rows)
    columns = one.plan.columns.named(found.columns)
    chosen = on_lines(pair, _lines(one.plan.rows, rows), _lines(one.plan.columns, columns))
    known = {"matched_share": _share(chosen), "matched_cosine_null": found.runner_up}
    least = max(MATCHING, AHEAD * found.runner_up)
    return replace(chosen, rule=_name(pair, found), least=least, found=known)


def _reason(found: NoSlice) -> Note:
    """Why no slice was found."""
    if found.cosine is None:
        return Note.of("no-slice", "no slice: {reason}", reason=REASONS[found.reason])
    template = "no slice: {reason}; best cosine {cosine:.2g}, next rule {next:.2g}"
    return Note.of(
        "no-slice",
        template,
        reason=REASONS[found.reason],
        cosine=found.cosine,
        next=found.runner_up or 0.0,
    )


def _name(pair: Pair, found: Slice) -> str:
    """The rule as printed; the channels of a first convolution have a name of their own."""
    a, b = pair.both
    return channels(found, a.stored.dims, b.stored.dims) or found.name


def on_lines(pair: Pair, rows: Lines, columns: Lines) -> Pair:
    """The pair on chosen rows and columns: (of A, of B) for each, None for all of them."""
    rows_a, rows_b = rows
    columns_a, columns_b = columns
    side_a, side_b = pair.both
    a = _chosen(side_a, rows_a, columns_a)
    b = _chosen(side_b, rows_b, columns_b)
    return replace(pair_of(a, b), notes=pair.notes, rule=pair.rule, found=pair.found)


def _lines(axis: Axis, by: IndexMap) -> Lines:
    """The lines of A and of B that a map pairs."""
    return axis.every_a(by), axis.every_b(by)


def _chosen(piece: Piece, rows: Positions | None, columns: Positions | None) -> Piece:
    """The piece on chosen lines; itself without any choice."""
    if rows is None and columns is None:
        return piece
    of_rows = None if rows is None else Indices.of(rows)
    of_columns = None if columns is None else Indices.of(columns)
    return replace(piece, entry=Chosen(entry_of(piece), of_rows, of_columns))


def _share(pair: Pair) -> float:
    """The share of B's elements that are paired."""
    _, b = pair.both
    rows, columns = shape_of(b)
    return rows * columns / max(b.params, 1)
