"""Which rows and columns are behind a finding.

Lines count from 0 in math orientation: rows are outputs, those of an embedding or a head are tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...lazy import numpy as np
from ...sketches import Hashes, Margins, Twins, Untrained
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import (
    constant,
    dead,
    duplicated,
    one_sign,
    outlying,
    rms,
    twins,
)
from .base import BASE
from .marks import Mark

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...statistics.lines.margins import Lines
    from .marks import Places

LOUD = 4.0  # RMS of a line over the median one: two bits of every absmax scale


def marked(sketches: Mapping[Any, Any]) -> Places:
    """What is known of a matrix's lines; nothing of what was not measured."""
    margins: Margins | None = sketches.get(MARGINS)
    if margins is None:
        return {}
    rows, cols, equal = margins.rows, margins.cols, _duplicates(sketches, margins.rows)
    untrained = sketches[Untrained()].untrained if Untrained() in sketches else equal
    of_rows = _of_side("rows", rows, len(cols["sum"]))
    return {
        **of_rows,
        **_of_side("columns", cols, len(rows["sum"])),
        Mark.DUPLICATE_ROWS: equal,
        Mark.UNTRAINED_ROWS: np.setdiff1d(untrained, [*equal, *of_rows[Mark.CONSTANT_ROWS]]),
        **(_changed(sketches) if BASE in sketches else {}),
    }


def _of_side(side: str, lines: Lines, length: int) -> Places:
    """What margins tell of the rows, or of the columns."""
    gone = dead(lines)
    found = {"dead": gone, "constant": constant(lines), "loud": _loud(lines, length)}
    found["one-sign"] = one_sign(lines, length)
    found["inner dead"] = gone & np.logical_or.accumulate(~gone[::-1])[::-1]
    return {Mark((what, side)): np.flatnonzero(mask) for what, mask in found.items()}


def _loud(lines: Lines, length: int) -> NDArray[np.bool_]:
    """Outlying lines with 4 times the RMS of the median one or more."""
    far, sizes = outlying(lines, length), rms(lines, length)
    return np.asarray(far & (sizes >= LOUD * np.nanmedian(sizes))) if far.any() else far


def _duplicates(sketches: Mapping[Any, Any], lines: Lines) -> NDArray[np.int64]:
    """Those that `duplicate_rows` counts."""
    sets = twins(sketches[Twins()], lines) if Twins() in sketches else ()
    return np.sort(np.concatenate([np.zeros(0, np.int64), *sets]))


def _changed(sketches: Mapping[Any, Any]) -> Places:
    """Rows that differ from those of the base, and those of them that equal each other; zero rows are dead."""
    own, base = sketches[Hashes()].rows, sketches[BASE].rows
    changed = np.flatnonzero(own != base)
    equal = changed[duplicated(own[changed], own[changed] == 0)]
    return {Mark.CHANGED_ROWS: changed, Mark.EQUAL_CHANGED_ROWS: equal}
