"""Rows and columns that stand out: dead, constant, of one sign, duplicated, of unusual norm; and zero padding.

From margins with extremes and from content hashes. Lines with non-finite elements are none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..heavy import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Lines = Mapping[str, NDArray[np.float64]]   # sum, squares, min, max, nonfinite of each line

SIGNED = 16                                     # elements: shorter lines have one sign by chance (2^-15)
FAR, FACTOR = 6 * 1.4826, 1.5                   # MADs of log RMS from the median, and at least that ratio


def dead(lines: Lines) -> NDArray[np.bool_]:
    """All elements are zero."""
    return np.asarray(_finite(lines) & (lines["min"] == 0) & (lines["max"] == 0))


def constant(lines: Lines) -> NDArray[np.bool_]:
    """All elements are one value that is not zero; a line of one element is no evidence."""
    return np.asarray(_finite(lines) & (lines["min"] == lines["max"]) & (lines["max"] != 0))


def one_sign(lines: Lines, length: int) -> NDArray[np.bool_]:
    """All elements above zero, or all below; none in lines shorter than 16, and constant lines are constant.

    >>> lines = {"min": np.array([1.0]), "max": np.array([2.0]), "nonfinite": np.array([0.0])}
    >>> one_sign(lines, 100).tolist(), one_sign(lines, 8).tolist()
    ([True], [False])
    """
    signed = (lines["min"] > 0) | (lines["max"] < 0)
    return _finite(lines) & signed & ~constant(lines) & (length >= SIGNED)


def outlying(lines: Lines, length: int) -> NDArray[np.bool_]:
    """Log RMS further than 6 x 1.4826 MAD from the median of the non-zero lines, and by a factor of 1.5 at least."""
    seen = _sized(lines)
    logs = np.full(len(seen), np.nan)
    logs[seen] = 0.5 * np.log(lines["squares"][seen] / length)
    if not seen.any():
        return seen
    away = np.abs(logs - np.median(logs[seen]))
    limit = max(FAR * float(np.median(away[seen])), float(np.log(FACTOR)))
    return np.asarray(seen & (np.nan_to_num(away) > limit))


def loudest(lines: Lines, length: int) -> float | None:
    """RMS of the line with the largest over that of the median line, zero lines left out; None without any.

    >>> lines = {"squares": np.array([4.0, 4.0, 36.0, 0.0]), "nonfinite": np.zeros(4)}
    >>> loudest(lines, 4)
    3.0
    """
    squares = lines["squares"][_sized(lines)]
    rms = np.sqrt(squares / length)
    return float(rms.max() / np.median(rms)) if len(rms) else None


def row_z(lines: Lines, length: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """RMS of each line, and its log's distance from the median in 1.4826 MAD; NaN for zero and non-finite lines.

    Where all lines are alike (MAD 0) no distance has a unit: all are NaN.
    """
    seen = _sized(lines)
    rms, z = np.sqrt(lines["squares"] / length), np.full(len(seen), np.nan)
    logs = np.log(rms[seen])
    away = logs - np.median(logs) if len(logs) else logs
    mad = 1.4826 * float(np.median(np.abs(away))) if len(logs) else 0.0
    if mad > 0:
        z[seen] = away / mad
    return rms, z


def duplicated(hashes: NDArray[np.uint64], skipped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Rows that have a twin of the same hash, all of them; `skipped` (dead and constant rows) have none.

    >>> duplicated(np.array([7, 8, 7], np.uint64), np.zeros(3, bool)).tolist()
    [True, False, True]
    """
    _, place, many = np.unique(hashes, return_inverse=True, return_counts=True)
    twins = np.bincount(place[~skipped], minlength=len(many)) > 1
    return np.asarray(twins[place] & ~skipped)


def content(lines: Lines) -> NDArray[np.float64]:
    """(m, 4): sum, sum of squares, least and greatest of each line; tensors that agree in every line are equal.

    But for a chance of about 2^-80 a line.
    """
    return np.stack([lines[name] for name in ("sum", "squares", "min", "max")], -1)


def zero_block(rows: NDArray[np.bool_], cols: NDArray[np.bool_]) -> str | None:
    """Zero rows and columns at the end of a matrix, as `32x0`: padding of a grown model; None without any.

    `rows` and `cols` are what is dead; a matrix that is zero throughout has no padding.

    >>> zero_block(np.array([False, True, True]), np.array([False, False]))
    '2x0'
    """
    if rows.all() or cols.all():
        return None
    ends = [int(np.argmin(side[::-1])) for side in (rows, cols)]
    return f"{ends[0]}x{ends[1]}" if any(ends) else None


def _finite(lines: Lines) -> NDArray[np.bool_]:
    return np.asarray(lines["nonfinite"] == 0)


def _sized(lines: Lines) -> NDArray[np.bool_]:
    """Finite lines that are not zero and whose squares are within float64."""
    return np.asarray(_finite(lines) & (lines["squares"] > 0) & np.isfinite(lines["squares"]))
