"""Constants of code among tensors of unknown role, by their values: findings on them are `info`.

Masks, indices, one-hot matrices and Hadamard matrices hold whole numbers. Coupling coefficients of
equivariant networks are mostly zero, and the others repeat. The rows or columns of a
Fourier or cosine basis, of sinusoids and of unit vectors have equal norms, which neither drawn nor
trained weights have: of Gaussian rows of 64 weights one in 110 is within 0.1% of the median. Names
prove neither, since a mask may have any name. A matrix of one value is no table: it may never have
been filled.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import TYPE_CHECKING, Any

from ...dtypes import DTYPES
from ...lazy import numpy as np
from ...notes import Note
from ...sketches import Beyond
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import constant, rms
from ..piece import Piece
from .buffers import is_mask
from .kinds import last_word

if TYPE_CHECKING:
    from ...sketches import Margins, ValueCounts
    from ...statistics.lines.margins import Margin

# A basis of a Fourier transform may be the weight of a convolution.
TABLES = ("unknown", "position", "conv")
TOLERANCE = 1e-3  # relative distance of equal norms from their median; of bf16 rows 1.5e-4
OF_NULL = 0.1  # most of it in spreads of Gaussian norms, which are small for very long lines
EQUAL = 0.8  # share of equal norms: a window changes those of the first and last frequencies
LINES = 8  # fewer rows or columns, or shorter ones, may agree by chance
FILLED = 0.5  # most of the lines that may be constant: slow sinusoids of 16 bits are
NEAR = -0.9  # a table of a few positions reaches -1 to this
ENDS = 2  # constant lines of a basis: the lowest and the highest frequency


INTEGERS = Note("fixed-table", "an integer type: indices or a mask, no weights")
WHOLE = Note("fixed-table", "whole numbers: a mask or another constant, no weights")
COUPLING = Note("fixed-table", "mostly zeros, few values: coupling coefficients")
COSINES = Note("fixed-table", "cosines of positions: a constant table, no weights")
NORMS = Note("fixed-table", "lines of equal norm: a basis or another constant table")


def is_infinite_mask(piece: Piece, sketches: Mapping[Any, Any]) -> bool:
    """Whether a tensor of unknown role is zeros and -Inf: no row, as the mask of a buffer."""
    if piece.place.role != "unknown" or Beyond() not in sketches:
        return False
    counts = sketches[Beyond()].counts
    return counts.minus_inf > 0 and is_mask(piece, counts)


def table_of(piece: Piece, sketches: Mapping[Any, Any]) -> Note | None:
    """The reason why a tensor is no weight; None for weights, and for roles that prove a weight."""
    if Beyond() not in sketches:
        return None
    if piece.place.role == "unknown":
        counts = sketches[Beyond()].counts
        if DTYPES[piece.dtype].kind in ("int", "uint", "bool"):
            return INTEGERS
        if _is_whole(counts) or _is_filled_mask(piece, counts):
            return WHOLE
        if len(piece.stored.dims) > 2 and _is_coupling(counts):
            return COUPLING
    if piece.place.role not in TABLES or MARGINS not in sketches:
        return None
    margins = sketches[MARGINS]
    if _has_equal_norms(margins):
        return NORMS
    if _is_cosine(margins, sketches[Beyond()].counts):
        return COSINES
    return None


def _is_whole(counts: ValueCounts) -> bool:
    """Whether there are several values, all whole numbers, with 1 or two values alone.

    Large weights of few bits are whole numbers too, but none of them is near zero.
    """
    values = counts.values
    if counts.nan + counts.inf or values is None or len(values) < 2:
        return False
    if not bool((values == np.floor(values)).all()):
        return False
    sizes = np.abs(values)
    return len(values) == 2 or float(sizes[sizes > 0].min()) == 1.0


def _is_filled_mask(piece: Piece, counts: ValueCounts) -> bool:
    """Whether a tensor that is named a mask keeps all, or drops all."""
    if counts.nan + counts.inf or counts.minimum != counts.maximum:
        return False
    return counts.minimum in (0, 1) and "mask" in last_word(piece.name).lower()


def _is_coupling(counts: ValueCounts) -> bool:
    """Whether most values are zero and the sizes of the others occur twice on average, or more.

    As in Wigner 3j and Clebsch-Gordan coefficients; sizes agree up to rounding.
    """
    nonzero = counts.n - counts.zeros
    if not counts.exact or counts.nan + counts.inf or not 0 < nonzero < counts.n / 2:
        return False
    sizes = np.abs(counts.value[counts.value != 0])
    different = np.unique(np.round(sizes / sizes.max(), 5))
    return 2 * len(different) <= nonzero


def _has_equal_norms(margins: Margins) -> bool:
    """Whether nearly all rows, or nearly all columns, have one norm."""
    height, width = len(margins.rows["sum"]), len(margins.cols["sum"])
    # A matrix filled with one number has lines of equal norm too.
    if max(constant(margins.rows).mean(), constant(margins.cols).mean()) > FILLED:
        return False
    return _are_equal(margins.rows, width) or _are_equal(margins.cols, height)


def _are_equal(margin: Margin, length: int) -> bool:
    """Whether nearly all lines of a side that are not zero have one norm."""
    sizes = rms(margin, length)
    sizes = sizes[~np.isnan(sizes)]
    if min(len(sizes), length) < LINES or constant(margin).sum() > ENDS:
        return False
    limit = min(TOLERANCE, OF_NULL * sqrt(1 / (2 * length)))
    distance = np.abs(sizes / np.median(sizes) - 1)
    return float((distance < limit).mean()) >= EQUAL


def _is_cosine(margins: Margins, counts: ValueCounts) -> bool:
    """Whether values lie in -1..1 and reach both ends, and the first row or column is 1: cos 0."""
    if counts.maximum != 1 or not -1 <= counts.minimum < NEAR:
        return False
    for side in (margins.rows, margins.cols):
        if side["min"][0] == 1 and side["nonfinite"][0] == 0:
            return True
    return False
