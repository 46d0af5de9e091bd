"""The columns `law`, `law_distance` and `tvr` of the rows of std.

What they need beside the statistics of a run, spreads of rows and columns, is measured in the same
pass, and has no notes: these belong to statistics that a user has named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.unit import Measured, Unit
from ...notes import Note, Notes
from ...sketches import Count, MarginSums
from ...statistics.lines import IID
from ...statistics.schemes import (
    BY_NAME,
    LAW,
    LAW_DISTANCE,
    TVR,
    Elements,
    Matrix,
    Spread,
    beyond_target,
    distance,
    nearest,
    target_ratio,
)
from ...statistics.series.direction import TREND
from ...statistics.statistic import Evidence, Statistic, evaluate
from ..layer_names import layers_named
from ..measuring import Units
from ..piece import Piece
from .options import STD, TARGET, DepthOptions
from .series import Member, Series
from .setting import DRAWN, setting_of

ORTHOGONALITY = "orthogonality"  # a column of `spectrum`, with --spectrum
OF_LAW = frozenset({LAW.name, LAW_DISTANCE.name})
COLUMNS = (LAW, LAW_DISTANCE, TVR)
NULLS: Mapping[str, object] = dict.fromkeys(column.name for column in COLUMNS)


def law_wanted(o: DepthOptions) -> bool:
    """Whether a column needs the laws of the elements: not those of a run without rows of std."""
    if STD not in o.stats or o.per_layer:
        return False
    return o.wanted is None or not o.wanted.isdisjoint(OF_LAW)


@dataclass(frozen=True)
class LawRequest:
    """Sums of rows and columns of matrices, without notes."""

    @property
    def statistics(self) -> tuple[Statistic, ...]:
        """Deviations of rows and columns."""
        return (IID,)

    def units(self, piece: Piece) -> Units:
        """The matrix; nothing of a vector, which has no law."""
        if piece.entry is None or not piece.is_matrix or piece.place.kind not in DRAWN:
            return ()
        return (Unit(piece, {"": piece.entry}, {"": frozenset({Count(), MarginSums()})}),)

    def lack(self, piece: Piece) -> Notes:
        """None: that of the statistics counts."""
        return ()

    def sketches(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[Any, Any]:
        """As measured."""
        return measured[0].sketches[""]

    def values(self, piece: Piece, measured: Sequence[Measured]) -> Mapping[str, object]:
        """Spreads of rows and columns."""
        shape = piece.entry.shape if piece.entry else None
        evidence = Evidence(self.sketches(piece, measured), shape, piece.dtype, piece.place.kind)
        values = evaluate(self.statistics, evidence)
        return {**values, "notes": ()}


def of_series(
    series: Series, o: DepthOptions, counts: Mapping[str, int]
) -> tuple[Mapping[str, object], Note | None]:
    """The three columns of a series, and the note of the layers beyond the target."""
    if series.key.is_vector:
        return NULLS, None
    stds = {
        point.layer: float(point.value)
        for point in series.points(STD, "")
        if point.value is not None
    }
    target = o.target or TARGET
    columns: dict[str, object] = {**NULLS, TVR.name: target_ratio(stds, target)}
    if law_wanted(o):
        columns |= _law(series, o, counts)
    beyond = beyond_target(stds, target)
    if not beyond or not _is_asked(o):
        return columns, None
    template = "std above 1.2 x {target:g} in {names}"
    note = Note.of("beyond-target", template, target=target, names=layers_named(beyond))
    return columns, note


def _is_asked(o: DepthOptions) -> bool:
    """Whether a call is about the target: with --target, or `tvr` among a few named columns.

    A usual run has `tvr` too; nearly every trained layer is above 1.2 times 0.02.
    """
    if o.target is not None:
        return True
    return o.wanted is not None and TVR.name in o.wanted and TREND.name not in o.wanted


def _law(series: Series, o: DepthOptions, counts: Mapping[str, int]) -> dict[str, object]:
    """`law` and `law_distance`; with --law the distance to that scheme, named or not."""
    matrices = _matrices(series, o, counts)
    if matrices is None:
        return {}
    named = nearest(matrices)
    value = named.distance
    if o.law is not None and o.law != named.law:
        value = distance(BY_NAME[o.law], matrices)
    return {LAW.name: named.law, LAW_DISTANCE.name: value}


def _matrices(series: Series, o: DepthOptions, counts: Mapping[str, int]) -> list[Matrix] | None:
    """What the schemes are judged by; None unless every member is a matrix that was measured."""
    matrices = []
    for member in series.members:
        setting = setting_of(member.piece, counts, o.target or TARGET)
        if setting is None or member.values.get(STD) is None:
            return None
        orthogonality = _number(member, ORTHOGONALITY) if o.spectrum else None
        matrices.append(
            Matrix(
                setting,
                _elements(member),
                Spread(_number(member, "row_spread"), _number(member, "row_spread_null")),
                Spread(_number(member, "col_spread"), _number(member, "col_spread_null")),
                orthogonality,
            )
        )
    return matrices


def _elements(member: Member) -> Elements:
    low, high = _number(member, "min"), _number(member, "max")
    largest = None
    if low is not None and high is not None:
        largest = max(abs(low), abs(high))
    return Elements(
        member.piece.params,
        _number(member, "mean"),
        _number(member, STD),
        _number(member, "kurtosis"),
        _number(member, "l_kurtosis"),
        largest,
    )


def _number(member: Member, name: str) -> float | None:
    """A value; None where it is missing."""
    value = member.values.get(name)
    return float(value) if isinstance(value, int | float) else None
