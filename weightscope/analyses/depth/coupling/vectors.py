"""The vectors that a piece gives, and the index set that each lives on.

A matrix gives a vector of its rows and one of its columns, of means or of log scales; a norm or a
bias is a vector itself. Indices of a residual stream are those of all matrices of a block; hidden
units and heads are those of one MLP, one expert or one attention (`inside`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....lazy import numpy as np
from ....naming import Place
from ....sketches import Balanced, MarginSums
from ...piece import Piece
from ...residual import CROSS, ENCODED, RESIDUAL
from ..series import VECTORS, key_of
from .options import MEANS, SCALES

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARGINS = MarginSums(extremes=True)
ROWS, COLS, GAIN, BIAS = "rows", "cols", "gain", "bias"
BOTH = ""  # `of` of a gain or a bias: it is paired with means, and with scales
EXPERT = "moe.expert."
# Spread up to which a vector is constant, relative to the RMS of its matrix, in log scales, and
# relative to the largest element: rounding of sums, unfinished balancing, rounding of elements.
MEAN_NOISE, SCALE_NOISE, ELEMENT_NOISE = 1e-6, 1e-5, 1e-12
# The order of a and b in a pair: the flow through a block.
FLOW = ("norm", "attn.q", "attn.k", "attn.v", "attn.o", "gate", "up", "down")


@dataclass(frozen=True)
class Line:
    """A vector before it is measured: its label, its index set, and the part that it is inside.

    >>> Line("mlp.up", "rows", "mlp_hidden").label
    'mlp.up.rows'
    """

    name: str  # role[slot]
    side: str
    index_set: str
    inside: tuple[str, ...] = ()  # () = all of the block
    number: str = ""  # of an expert

    @property
    def label(self) -> str:
        """`role[slot].rows`."""
        return f"{self.name}.{self.side}"

    @property
    def of_matrix(self) -> bool:
        """Whether it is of the rows or columns of a matrix."""
        return self.side in (ROWS, COLS)

    @property
    def order(self) -> tuple[int, str]:
        """Its position in a pair."""
        for i, word in enumerate(FLOW):
            if word in self.name:
                return i, self.label
        return len(FLOW), self.label


@dataclass(frozen=True, eq=False)
class Vector:
    """A measured vector of a layer; NaN where it has no number."""

    line: Line
    stack: str
    layer: int
    of: str
    values: NDArray[Any]


def lines(piece: Piece) -> tuple[Line, ...]:
    """The vectors of a piece that live on an index set."""
    place = piece.place
    if place.layer is None or piece.place.kind == "buffer":
        return ()
    name = name_of(piece)
    if place.kind in VECTORS:
        if not place.in_set:
            return ()
        side = GAIN if place.kind == "norm" else BIAS
        return (_line(name, side, place.in_set, place),)
    found = []
    if place.out_set:
        found.append(_line(name, ROWS, place.out_set, place))
    if place.in_set and not (place.slot == CROSS and place.role in ENCODED):
        found.append(_line(name, COLS, place.in_set, place))
    return tuple(found)


def name_of(piece: Piece) -> str:
    """`role[slot]`, of a bias that of its matrix; experts share a name."""
    key = key_of(piece)
    name = key.role
    if key.kind == "bias":
        name = name.removesuffix(".bias")
    if key.part:
        name += f".{key.part}"
    if key.slot:
        name += f"[{key.slot}]"
    return name


def _line(name: str, side: str, index_set: str, place: Place) -> Line:
    number, _, _ = place.part.partition(".")
    if not number.isdecimal():
        number = ""
    if index_set == RESIDUAL:
        return Line(name, side, index_set, (), number)
    slot = "" if place.kind == "norm" else place.slot
    family = EXPERT if place.role.startswith(EXPERT) else ""
    return Line(name, side, index_set, (family, slot, number), number)


def vectors(piece: Piece, sketches: Mapping[Any, Any]) -> Iterator[Vector]:
    """The vectors of a piece that vary, from its sketches."""
    place = piece.place
    assert place.layer is not None
    for line in lines(piece):
        for of, values, noise in _values(piece, line.side, sketches):
            finite = values[np.isfinite(values)]
            if len(finite) > 1 and np.ptp(finite) > noise:
                yield Vector(line, place.stack, place.layer, of, values)


def _values(
    piece: Piece, side: str, sketches: Mapping[Any, Any]
) -> Iterator[tuple[str, NDArray[Any], float]]:
    """(means, scales or both, the vector, the spread up to which it is constant)."""
    assert piece.entry is not None
    margins, balanced = sketches.get(MARGINS), sketches.get(Balanced(()))
    rows, columns = piece.entry.shape
    if side in (GAIN, BIAS):
        if margins is not None:
            values = _elements(margins, rows)
            largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
            yield BOTH, values, ELEMENT_NOISE * float(largest)
        return
    if margins is not None:
        rms = float(np.sqrt(margins.rows["squares"].sum() / max(1, rows * columns)))
        if side == ROWS:
            yield MEANS, margins.rows["sum"] / max(1, columns), MEAN_NOISE * rms
        else:
            yield MEANS, margins.cols["sum"] / max(1, rows), MEAN_NOISE * rms
    if balanced is not None and balanced.exists:
        scales = balanced.log_rows if side == ROWS else balanced.log_cols
        yield SCALES, scales, SCALE_NOISE


def _elements(margins: Any, rows: int) -> NDArray[Any]:
    """The elements of a vector: the sums of lines of one element; NaN where it is not finite."""
    elements = margins.cols if rows == 1 else margins.rows
    values: NDArray[Any] = np.where(elements["nonfinite"] > 0, np.nan, elements["sum"])
    return values


def has_non_finite(sketches: Mapping[Any, Any]) -> bool:
    """Whether a tensor has NaN or Inf."""
    margins = sketches.get(MARGINS)
    return margins is not None and bool(margins.rows["nonfinite"].any())
