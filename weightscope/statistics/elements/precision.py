"""precision_history: the format from which a tensor of a wider type was upcast.

Types first: float32 whose values are all of BF16 or F16. Then quantisers, from a sample of paired
rows: integers with a step, FP4, NF4 and FP8, each with a scale per tensor, row, block of 128 x 128,
or group of 128, 64, 32 or 16 weights along a row. Formats with one scale for more weights come
first, since a part of their groups is on the same grid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...lazy import numpy as np
from . import grids
from .grids import Sized, Spacing
from .spacing import eps_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...sketches import PairedRows, ValueCounts

    Groups = NDArray[np.float64]  # (groups, values)

BLOCK = 128
GROUPS = (128, 64, 32, 16)
TESTED = 16  # groups: all are on the grid, or few
MOST = 256  # values of a group that are tested
SEGMENT = 128  # values among which repetitions are counted
SEGMENTS = 64
REPEATS = 0.93  # distinct sizes in a segment over those expected; others have 0.99 to 1.01
FEW = 256  # distinct values: 8 bits with one scale have no more
MOST_REPEATS = 0.7  # distinct of 128 sizes: BF16 has 0.8, where all are of one binade 0.63
EACH = 16  # weights to each of these
VARIED = 64  # values: 0, 1 and 2 are in every type
# Least spacing of a type with subnormals that weights reach.
LEAST = {"F16": 2.0**-24}
LARGEST_F16 = 65504.0


@dataclass(frozen=True, eq=False)
class Quantiser:
    """A grid, the weights that share its scale, and all sampled weights in such groups."""

    grid: str  # int2 int3 int4 int8 nf4 fp4_e2m1 fp8_e4m3 fp8_e5m2
    scale: str  # `per tensor`, `per row`, `b128`, `g64`
    groups: Groups  # (groups, values); of a scale per tensor (1, values)
    spacing: Spacing


def precision_history(counts: ValueCounts, rows: PairedRows, dtype: str) -> str | None:
    """`BF16`, `F16`, `F32`, or a scheme such as `int8 per row`, `nf4 g64`; None where none fits."""
    found, narrow = _told(counts, rows, dtype)
    if found is not None:
        return f"{found.grid} {found.scale}"
    if _is_varied(counts):
        return narrow
    return None


def quantiser(counts: ValueCounts, rows: PairedRows, dtype: str) -> Quantiser | None:
    """The quantiser that `precision_history` names; None without one."""
    found, _ = _told(counts, rows, dtype)
    return found


def _told(counts: ValueCounts, rows: PairedRows, dtype: str) -> tuple[Quantiser | None, str | None]:
    """The quantiser, and the narrower type; None of each that is not found."""
    if DTYPES[dtype].kind != "float" or DTYPES[dtype].bits < 16 or not counts.n:
        return None, None
    finite = np.isfinite(rows.values).all(axis=1)
    values = rows.values[finite]
    narrow = narrower_type(counts, values, dtype)
    return _quantiser(counts, values, narrow or dtype), narrow


def lattice_of(history: str | None) -> str | None:
    """The history as a lattice, on which types have small letters.

    >>> lattice_of("F16"), lattice_of("int8 per row")
    ('f16', 'int8 per row')
    """
    if history in ("BF16", "F16", "F32"):
        return history.lower()
    return history


def narrower_type(counts: ValueCounts, rows: Groups, dtype: str) -> str | None:
    """The narrowest of BF16, F16 and F32 that has all values of a wider type; None otherwise."""
    if dtype == "F32" and counts.coarse:
        return "BF16"
    values = counts.values
    if values is None:
        values = rows.ravel()
    if not len(values):
        return None
    if dtype in ("F32", "F64") and _are_f16(values):
        return "F16"
    with np.errstate(over="ignore"):
        as_float32 = values.astype(np.float32)
    if dtype == "F64" and np.array_equal(as_float32, values):
        return "F32"
    return None


def _is_varied(counts: ValueCounts) -> bool:
    """Whether there are more values than those that every type has."""
    return counts.distinct is None or counts.distinct >= VARIED


def _are_f16(values: Groups) -> bool:
    if np.abs(values).max() > LARGEST_F16:
        return False
    return np.array_equal(values.astype(np.float16), values)


def _quantiser(counts: ValueCounts, rows: Groups, dtype: str) -> Quantiser | None:
    """The first scheme whose grid has nearly all sampled groups; None without one."""
    if not counts.std > 0:  # NaN where squares overflow
        return None
    slack = 4.0 if dtype in ("F32", "F64") else 1.05
    spacing = Spacing(eps_of(dtype), LEAST.get(dtype, 0.0), slack)
    if _has_few_values(counts):
        groups = counts.value[None]
        grid = _grid(groups, spacing)
        if grid is not None:
            return Quantiser(grid, "per tensor", groups, spacing)
    if rows.size:
        rows = rows[np.ptp(rows, axis=1) > 0]
    if rows.size < SEGMENT or not _repeats(rows):
        return None
    found = None
    for scale, groups in _groupings(rows):
        grid = _grid(_some(_thinned(groups)), spacing)
        if grid is None or (found is not None and grid != "fp4_e2m1"):
            continue
        found = Quantiser(grid, scale, groups, spacing)
        if grid != "int8":
            break
        # FP4 with scales in E4M3 is on up to 255 small steps, where neighbours' scales are alike
    return found


def _has_few_values(counts: ValueCounts) -> bool:
    """Whether all values are known, and so few that one scale of 8 bits may have them all."""
    distinct = counts.distinct
    if distinct is None or not counts.exact:
        return False
    return 1 < distinct <= FEW and counts.n >= EACH * distinct


def _repeats(rows: Groups) -> bool:
    """Whether segments of rows repeat sizes often, or more often than all sampled rows do.

    A segment of weights drawn from all of them has sum 1 - (1 - c/N)^n different ones, of the
    counts c of the sizes: 16-bit types repeat too.
    """
    segments = _segments(rows)
    ordered = np.sort(segments, axis=1)
    new = np.diff(ordered, axis=1) > 0
    found = int(new.sum()) + int((ordered[:, 0] > 0).sum())
    share = found / max(int((segments > 0).sum()), 1)
    if share < MOST_REPEATS:
        return True
    if share >= REPEATS:  # no more are expected: float32 hardly repeats
        return False
    sizes, occurrences = np.unique(segments, return_counts=True)
    occurrences = occurrences[sizes > 0]
    missed = (1 - occurrences / segments.size) ** segments.shape[1]
    expected = len(segments) * float((1 - missed).sum())
    return found < REPEATS * expected


def _segments(rows: Groups) -> Groups:
    """Sizes in up to 64 segments of 128 neighbours, from all sampled rows."""
    width = min(SEGMENT, rows.shape[1])
    per_row = rows.shape[1] // width
    segments = np.abs(rows[:, : per_row * width]).reshape(-1, width)
    step = max(1, len(segments) // SEGMENTS) | 1  # odd, so that it meets every place in a row
    return segments[::step][:SEGMENTS]


def _groupings(rows: Groups) -> Iterator[tuple[str, Groups]]:
    """Sampled weights by the sets that may share a scale, the largest sets first."""
    count, width = rows.shape
    yield "per row", rows
    pairs = rows[: count // 2 * 2].reshape(-1, 2, width)
    blocks = width // BLOCK
    if blocks > 1 and len(pairs):
        beside = pairs[:, :, : blocks * BLOCK].reshape(-1, 2, blocks, BLOCK)
        yield "b128", beside.swapaxes(1, 2).reshape(-1, 2 * BLOCK)
    for length in GROUPS:
        if width > length:
            groups = width // length
            yield f"g{length}", rows[:, : groups * length].reshape(-1, length)


def _some(groups: Groups) -> Groups:
    """At most 16 groups of at least two values, at random: even steps may meet even rows alone."""
    groups = groups[np.ptp(groups, axis=1) > 0]
    if len(groups) <= TESTED:
        return groups
    chosen = np.random.default_rng(0).choice(len(groups), TESTED, replace=False)
    return groups[np.sort(chosen)]


def _thinned(groups: Groups) -> Groups:
    """At most 256 values of each group, with the largest, which sets the scale."""
    step = -(-groups.shape[1] // MOST)
    if step == 1:
        return groups
    largest = np.abs(groups).argmax(axis=1)[:, None]
    return np.hstack((np.take_along_axis(groups, largest, 1), groups[:, step::step]))


def _grid(groups: Groups, spacing: Spacing) -> str | None:
    """The name of the grid of nearly all groups; None without one.

    The numbers of int4 are numbers of FP8 too, and those of FP8 near zero multiples of a step.
    """
    if not groups.size:
        return None
    sizes = grids.magnitudes(groups, spacing)
    reach = grids.reach(sizes)
    if reach >= grids.FP4_REACH and _are_floats(sizes, 2):
        if reach > grids.FP4_MOST_REACH:
            return None
        return "fp4_e2m1"
    int4, int8 = grids.MOST_STEPS
    name = _integers(groups, sizes, int4)
    if name is not None:
        return name
    if grids.agree(grids.signed(groups, spacing), grids.nf4):
        return "nf4"
    for name, digits in (("fp8_e5m2", 3), ("fp8_e4m3", 4)):
        if _are_floats(sizes, digits):
            return name
    return _from_least(groups, spacing) or _integers(groups, sizes, int8)


def _are_floats(sizes: Sized, digits: int) -> bool:
    return grids.agree(sizes, partial(grids.floats, digits=digits))


def _integers(groups: Groups, sizes: Sized, most: int) -> str | None:
    """Whole multiples of a step, at most so many."""
    if not grids.agree(sizes, partial(grids.steps, most=most)):
        return None
    peak_steps = grids.peak_in_steps(sizes, most)
    known = ~np.isnan(peak_steps)
    return f"int{grids.bits_of(groups[known], peak_steps[known])}"


def _from_least(groups: Groups, spacing: Spacing) -> str | None:
    """Whole steps from the least value on: a zero point that is no multiple of the step."""
    distances = grids.above_least(groups, spacing)
    most = grids.MOST_STEPS_OF_SPAN
    if not grids.agree(distances, partial(grids.steps, most=most)):
        return None
    levels = float(np.nanmax(grids.peak_in_steps(distances, most))) + 1
    return f"int{grids.whole_bits(levels)}"
