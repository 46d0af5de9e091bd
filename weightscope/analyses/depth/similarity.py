"""Similarity of neighbouring layers: the cosine of the matrices of one role in layers l and l + 1.

The matrices of a run of layers are one unit, whose tiles stand side by side: each is read once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from statistics import median

from ...columns import Column
from ...engine.unit import Measured, Measurer, Unit
from ...notes import Note, Notes, united
from ...sketches.pair_moments import Pairwise
from ...sketches.pair_record import PairMoments
from ...sketches.sketch import Measure
from ...statistics.score import score
from ..measuring import limits, no_values
from ..piece import Piece
from .series import Series

Run = list[tuple[int, Piece]]  # matrices by layer
FEW = 8  # pairs named in a note
MOST = 16  # matrices of a unit: its tiles are in memory together
SIMILARITY = Column(
    "similarity",
    "float",
    "signed median cosine of the matrices of neighbouring layers l and l + 1",
    on_request=True,
)
SIMILARITY_NULL = Column(
    "similarity_null",
    "float",
    "1/sqrt(N): standard deviation of the cosine of two independent matrices of N elements",
    on_request=True,
)

SIMILARITY_SCORE = Column(
    "similarity_score",
    "float",
    "similarity/similarity_null; the median of several pairs varies less",
    on_request=True,
)


@dataclass
class Neighbours:
    """The cosines of a series, their nulls, and pairs of equal layers."""

    cosines: list[float] = field(default_factory=list)
    nulls: list[float] = field(default_factory=list)
    equal: list[tuple[int, int]] = field(default_factory=list)
    without: list[tuple[int, int]] = field(default_factory=list)  # pairs without a cosine
    notes: Notes = ()

    @property
    def columns(self) -> dict[str, float | None]:
        """The columns SIMILARITY, SIMILARITY_NULL and SIMILARITY_SCORE."""
        value, null = None, None
        if self.cosines:
            value, null = median(self.cosines), median(self.nulls)
        return {
            SIMILARITY.name: value,
            SIMILARITY_NULL.name: null,
            SIMILARITY_SCORE.name: score(value, 0.0, null),
        }

    def take(self, run: Run, measured: Measured) -> None:
        """Adds the pairs of one unit."""
        self.notes = united(self.notes, limits((measured,)))
        for (layer, _), (following, piece) in pairwise(run):
            moments = measured.sketches[str(following)].get(Pairwise(str(layer)))
            if moments is not None:
                self._pair(layer, following, piece, moments)

    def _pair(self, layer: int, following: int, piece: Piece, moments: PairMoments) -> None:
        if moments.rotation is None:
            self.without.append((layer, following))
            return
        self.cosines.append(1 - moments.rotation)
        self.nulls.append(1 / sqrt(piece.params))
        if moments.dd == 0 and not moments.left_out:
            self.equal.append((layer, following))


def neighbours(series: Sequence[Series], measure: Measurer) -> list[Neighbours]:
    """The neighbours of each series, from one more read of its matrices."""
    found = [Neighbours() for _ in series]
    owners: list[tuple[Neighbours, Run]] = []
    for neighbours_of_one, one_series in zip(found, series, strict=True):
        owners += [(neighbours_of_one, run) for run in _runs(one_series)]
    if owners:
        units = [_unit(run) for _, run in owners]
        for (owner, run), measured in zip(owners, measure(units, no_values), strict=True):
            owner.take(run, measured)
    for one in found:
        if one.equal:
            one.notes = united(
                one.notes, _pairs("equal-layers", "layers {names} are equal", one.equal)
            )
        if one.without:
            template = "no cosine of layers {names}: a matrix is zero"
            one.notes = united(one.notes, _pairs("zero-norm", template, one.without))
    return found


def _unit(run: Run) -> Unit:
    """One unit: each matrix but the first is compared with that before it."""
    entries = {}
    wants: dict[str, frozenset[Measure]] = {}
    beside = {}
    before = ""
    for layer, piece in run:
        label = str(layer)
        assert piece.entry is not None
        entries[label] = piece.entry
        if before:
            wants[label] = frozenset({Pairwise(before)})
            beside[label] = (before,)
        before = label
    _, first = run[0]
    return Unit(first, entries, wants, beside)


def _runs(series: Series) -> Iterator[Run]:
    """Runs of neighbours that fit into a unit; of a longer one the next begins with its last."""
    for run in _whole_runs(series):
        for first in range(0, len(run) - 1, MOST - 1):
            yield run[first : first + MOST]


def _whole_runs(series: Series) -> Iterator[Run]:
    """Matrices of consecutive layers and of one shape; experts are paired by their number."""
    by_number: dict[str, Run] = {}
    for layer, members in series.layers.items():
        for member in members:
            if member.piece.is_matrix and not series.key.is_vector:
                number = member.piece.place.part
                by_number.setdefault(number, []).append((layer, member.piece))
    for matrices in by_number.values():
        run = matrices[:1]
        for (layer, piece), (following, next_piece) in pairwise(matrices):
            assert piece.entry is not None
            assert next_piece.entry is not None
            if following != layer + 1 or next_piece.entry.shape != piece.entry.shape:
                yield run
                run = []
            run.append((following, next_piece))
        yield run


def _pairs(code: str, template: str, pairs: Sequence[tuple[int, int]]) -> Note:
    """A note that names pairs of layers, the first of many."""
    names = [f"{layer} and {following}" for layer, following in pairs[:FEW]]
    if len(pairs) > FEW:
        names.append("...")
    return Note.of(code, template, names=", ".join(names))
