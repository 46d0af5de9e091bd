"""Which rows and columns are behind a finding, and how a note names them.

Lines count from 0 in math orientation: rows are outputs, those of an embedding or a head are tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ...heavy import numpy as np
from ...sketches import Hashes, Margins, Twins, Untrained
from ...statistics.lines.margins import MARGINS
from ...statistics.lines.marked_lines import constant, dead, duplicated, one_sign, outlying, rms, twins
from .base import BASE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...statistics.lines.margins import Lines

    Places = Mapping[str, NDArray[np.int64]]    # what lines are ("dead rows") -> which, ascending

LOUD = 4.0                                      # RMS of a line over the median one: two bits of every absmax scale
RUNS = 8                                        # that a note names


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
        "duplicate rows": equal,
        "untrained rows": np.setdiff1d(untrained, [*equal, *of_rows["constant rows"]]),
        **(_changed(sketches) if BASE in sketches else {}),
    }


def _of_side(side: str, lines: Lines, length: int) -> Places:
    """What margins tell of the rows, or of the columns."""
    gone = dead(lines)
    found = {"dead": gone, "constant": constant(lines), "loud": _loud(lines, length)}
    found["one-sign"] = one_sign(lines, length)
    found["inner dead"] = gone & np.logical_or.accumulate(~gone[::-1])[::-1]  # others follow that are not: no padding
    return {f"{what} {side}": np.flatnonzero(mask) for what, mask in found.items()}


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
    return {"changed rows": changed, "equal changed rows": changed[duplicated(own[changed], own[changed] == 0)]}


def named(what: str, at: Sequence[int] | NDArray[np.int64]) -> str:
    """Ascending lines as slices, the first eight.

    >>> named("dead rows", [3, 32, 33, 34, 90]), named("dead rows", range(0, 20, 2))
    ('dead rows 3, 32:35, 90', 'dead rows 0, 2, 4, 6, 8, 10, 12, 14 and 2 more')
    """
    runs = np.split(np.asarray(at), (np.flatnonzero(np.diff(at) > 1) + 1)[:RUNS])
    texts = [str(run[0]) if len(run) == 1 else f"{run[0]}:{run[-1] + 1}" for run in runs[:RUNS]]
    left = sum(len(run) for run in runs[RUNS:])
    return f"{what} {', '.join(texts)}" + (f" and {left} more" if left else "")
