"""The rows and columns to which findings refer, by mark.

Indices count from 0 in math orientation: rows are outputs; of an embedding or a head, tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np
from ...sketches import Duplicates, Hashes, Margins, Untrained
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import (
    constant,
    dead,
    duplicate_sets,
    duplicated,
    one_sign,
    outlying,
    rms,
)
from .base import BASE
from .marks import Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...statistics.lines.margins import Margin
    from .marks import Places

PADDED = 2  # rows of padding tokens in use: 0, and 1 of fairseq's and RoBERTa's vocabularies
LARGE = 4.0  # RMS of a line over that of the median line: costs two bits of every absmax scale


def marked(sketches: Mapping[Any, Any]) -> Places:
    """The marked rows and columns of a matrix, as far as their measures were taken."""
    margins: Margins | None = sketches.get(MARGINS)
    if margins is None:
        return {}
    height, width = len(margins.rows["sum"]), len(margins.cols["sum"])
    places = {
        **_of_side("rows", margins.rows, width),
        **_of_side("columns", margins.cols, height),
    }
    places[Mark.PADDING_ROWS] = _padding(places[Mark.INNER_DEAD_ROWS])
    duplicates = _duplicates(sketches, margins.rows)
    places[Mark.DUPLICATE_ROWS] = duplicates
    places[Mark.UNTRAINED_ROWS] = np.zeros(0, np.int64)
    if Untrained() in sketches:
        # Duplicate and constant rows are parallel too and have findings of their own.
        others = [*duplicates, *places[Mark.CONSTANT_ROWS]]
        places[Mark.UNTRAINED_ROWS] = np.setdiff1d(sketches[Untrained()].untrained, others)
    if BASE in sketches:
        places |= _changed(sketches)
    return places


def _of_side(side: str, margin: Margin, length: int) -> Places:
    """The marks that margins give, of the rows or of the columns."""
    zero = dead(margin)
    followed = np.logical_or.accumulate(~zero[::-1])[::-1]  # by a line that is not zero
    masks = {
        "dead": zero,
        "constant": constant(margin),
        "outlier": _large(margin, length),
        "one-sign": one_sign(margin, length),
        "inner dead": zero & followed,
    }
    return {Mark((name, side)): np.flatnonzero(mask) for name, mask in masks.items()}


def _padding(inner_dead: NDArray[np.int64]) -> NDArray[np.int64]:
    """A single dead row before the end, if it is one of the first."""
    if len(inner_dead) == 1 and inner_dead[0] < PADDED:
        return inner_dead
    return inner_dead[:0]


def _large(margin: Margin, length: int) -> NDArray[np.bool_]:
    """Outlying lines with at least 4 times the RMS of the median line, also without one weight.

    A single far weight makes a short line of heavy-tailed noise long; it is no channel.
    """
    far = outlying(margin, length)
    if not far.any():
        return far  # the median of no finite RMS would warn
    sizes = rms(margin, length)
    furthest = np.maximum(np.abs(margin["min"]), np.abs(margin["max"]))
    # Relative to the RMS, since the square of a float64 weight may overflow.
    share = (furthest / sizes) ** 2 / length
    others = sizes * np.sqrt(np.maximum(1 - share, 0.0))
    large = others >= LARGE * np.nanmedian(sizes)
    return np.asarray(far & large)


def _duplicates(sketches: Mapping[Any, Any], rows: Margin) -> NDArray[np.int64]:
    """The rows that `duplicate_rows` counts."""
    if Duplicates() not in sketches:
        return np.zeros(0, np.int64)
    sets = duplicate_sets(sketches[Duplicates()], rows)
    return np.sort(np.concatenate([np.zeros(0, np.int64), *sets]))


def _changed(sketches: Mapping[Any, Any]) -> Places:
    """Rows that differ from those of the base, and those of them that equal each other.

    Changed rows of zeros are dead, not equal.
    """
    hashes = sketches[Hashes()].rows
    changed = np.flatnonzero(hashes != sketches[BASE].rows)
    is_zero = hashes[changed] == 0  # the hash of a row of zeros
    equal = changed[duplicated(hashes[changed], is_zero)]
    return {Mark.CHANGED_ROWS: changed, Mark.EQUAL_CHANGED_ROWS: equal}
