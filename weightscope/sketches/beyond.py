"""Beyond -> Crossings: number of elements beyond thresholds, in all and by row and column.

The first pass counts; thresholds follow from the counts. The second pass compares every element
with the same result as in float64: a threshold becomes the last number of the tile's type that is
not beyond it. Where cells are exact, the totals follow from them, and the second pass counts by row
and column only. Of bins it also finds the exact quartiles (quartile_look.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from . import beyond_together
from .aims import SIGMAS, Aim
from .count import Count
from .power_sums import PowerSums
from .quartile_look import Collected
from .sketch import Again, Cut, Passes, State
from .spans import Edge, Span
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .value_counts import ValueCounts

COLLECTED = 64  # usually one element in 200 is collected to find the quartiles
EXACT = 1 << 24  # the largest integer up to which float32 represents all


@dataclass(frozen=True, eq=False)
class Crossings:
    """A tensor's counts, and its finite elements beyond thresholds; all comparisons are strict.

    `beyond`: numbers of elements with |w - mean| > k std for k of SIGMAS; None where std overflows.
    Central weights have |w - median| <= 4 robust_std: `central` has their power sums (for bins the
    first two, the others NaN), `rows` (m,) and `cols` (n,), int64, the number of other weights in
    each row and column. All three are None without a robust scale: if half of the values or more
    are identical, it is 0, and every other weight would be an outlier. A constant has no element
    beyond.
    """

    counts: ValueCounts
    beyond: tuple[int, ...] | None
    central: PowerSums | None
    rows: NDArray[np.int64] | None
    cols: NDArray[np.int64] | None

    def forget(self) -> Crossings:
        """Without rows and columns; numbers remain those beyond each tensor's own thresholds."""
        return replace(self, counts=self.counts.forget(), rows=None, cols=None)

    def __add__(self, other: Crossings) -> Crossings:
        """Numbers add; a sum with None is None."""
        beyond = central = None
        if self.beyond is not None and other.beyond is not None:
            beyond = tuple(a + b for a, b in zip(self.beyond, other.beyond, strict=True))
        if self.central is not None and other.central is not None:
            central = self.central + other.central
        return Crossings(self.counts + other.counts, beyond, central, None, None)


@dataclass(frozen=True)
class Beyond:
    """Counts values, then elements beyond the thresholds.

    Law: every number equals numpy's on the whole matrix in float64, with the thresholds of
    `counts`.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The histograms, and a number for each row and column."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device, as counting has it."""
        collected = 8 * shape[0] * shape[1] // COLLECTED
        return Count().bytes_on(shape, device) + 8 * sum(shape) + collected

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero counts."""
        zeros = {}
        for name, n in (("rows", shape[0]), ("cols", shape[1]), ("beyond", len(SIGMAS))):
            zeros[name] = torch.zeros(stack, n, dtype=torch.int64, device=device)
        return zeros | {
            "central": torch.zeros(stack, 2, dtype=torch.float64, device=device),
            "counted": Count().start(stack, shape, dtype, device),
            "aims": None,
            "looks": [Collected() for _ in range(stack)],
            "dtype": dtype,
            "device": device,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Counts a tile's values; in the second pass, its elements beyond the thresholds."""
        if state["aims"] is None:
            return state | {"counted": Count().add(state["counted"], tile)}
        if tile.scratch.device != "cpu":
            return state | beyond_together.add(state, tile)
        for i, aim in enumerate(state["aims"]):
            if aim.needs_pass and tile.box.size:
                _count_beyond(state, tile, i, aim)
        return state

    def merge(self, a: State, b: State) -> State:
        """The second pass begins after the counts are complete, so one worker folds all tiles."""
        raise TypeError("elements beyond thresholds are counted in one run")

    def finish(self, state: State) -> Sequence[Crossings] | Again:
        """The second pass, if any matrix needs it, or one record per matrix."""
        if state["aims"] is None:
            aims = [Aim.of(counts, state["dtype"]) for counts in Count().finish(state["counted"])]
            state = state | {"counted": None, "aims": aims}
            if state["device"] != "cpu":
                state |= beyond_together.thresholds([aim.numbers for aim in aims], state["device"])
            if any(aim.needs_pass for aim in aims):
                return Again(state)
        rows, cols = state["rows"].cpu().numpy(), state["cols"].cpu().numpy()
        beyond, central_sums = state["beyond"].tolist(), state["central"].tolist()
        records = []
        for i, aim in enumerate(state["aims"]):
            record = _crossings(aim, rows[i], cols[i], beyond[i], central_sums[i])
            if aim.bins is not None:
                record = _with_exact_edge(record, aim, state["looks"][i])
            records.append(record)
        return records


def _count_beyond(state: State, tile: Tile, i: int, aim: Aim) -> None:
    """Adds the elements beyond the thresholds of one matrix's tile to the state, in place."""
    x = _finite(tile.values[i], aim)  # (rows, columns)
    # Sums of ones in float32 are exact up to EXACT.
    sum_type = tile.values.dtype
    if tile.box.size > EXACT:
        sum_type = torch.float64
    for k, sigma_span in _crossed(x, aim.sigma_spans):
        outside, _ = _outside(tile, x, sigma_span)
        state["beyond"][i, k] += outside.sum(dtype=sum_type).long()
    if aim.central_span is None:
        return
    outside, cut = _outside(tile, x, aim.central_span)
    if aim.bins is not None:
        assert aim.outer_span is not None
        far_rows, far_cols = state["looks"][i].collect(tile, i, aim.bins, aim.outer_span, x, cut)
        _count(state["rows"][i], far_rows)
        _count(state["cols"][i], far_cols)
        state["central"][i] += _central_sums(cut, outside, aim)
        return
    rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
    state["rows"][i, rows] += outside.sum(-1, dtype=sum_type).long()
    state["cols"][i, cols] += outside.sum(-2, dtype=sum_type).long()
    if not aim.counts.exact:
        state["central"][i] += _central_sums(cut, outside, aim)


def _count(total: Tensor, indices: NDArray[np.int64]) -> None:
    """Adds the number of times that each index occurs, in place."""
    counts = torch.from_numpy(np.bincount(indices, minlength=len(total)))
    total += counts.to(total.device)


def _with_exact_edge(record: Crossings, aim: Aim, look: Collected) -> Crossings:
    """The record with each element of the band on its side of the exact edge."""
    assert aim.bins is not None
    assert record.central is not None
    assert record.rows is not None
    assert record.cols is not None
    settled = look.settled(aim.bins, record.rows, record.cols, record.central)
    if settled is None:
        return replace(record, central=None, rows=None, cols=None)
    rows, cols, central = settled
    return replace(record, central=central, rows=rows, cols=cols)


def _crossed(x: Tensor, spans: tuple[Span, ...]) -> list[tuple[int, Span]]:
    """The spans that elements of x exceed: few tiles exceed 5 or 6 std."""
    if not spans:
        return []
    low, high = (float(v) for v in torch.aminmax(x))
    crossed = []
    for k, (smallest, largest) in enumerate(spans):
        if low < smallest or high > largest:
            crossed.append((k, (smallest, largest)))
    return crossed


def _finite(x: Tensor, aim: Aim) -> Tensor:
    """x with NaN and Inf replaced by a number that is never beyond."""
    if not aim.counts.nan + aim.counts.inf:
        return x
    return x.nan_to_num(aim.middle, aim.middle, aim.middle)


def _outside(tile: Tile, x: Tensor, within: Span) -> tuple[Tensor, Tensor]:
    """1 for elements outside a span, else 0, and the elements clamped to it.

    Both are of the type of x, which is faster than bool.
    """
    cut = tile.buffer("cut", x, x.dtype)
    outside = tile.buffer("outside", x, x.dtype)
    torch.clamp(x, *within, out=cut)
    torch.ne(x, cut, out=outside)
    return outside, cut


def _central_sums(cut: Tensor, outside: Tensor, aim: Aim) -> Tensor:
    """Sums of w - median and its square over the central weights; overwrites `cut`.

    In units of a power of two near the edge, so that nothing overflows or underflows.
    """
    unit = aim.unit
    shift = torch.tensor(-aim.middle / unit, dtype=cut.dtype, device=cut.device)
    d = torch.add(shift, cut, alpha=1 / unit, out=cut)
    d.addcmul_(d, outside, value=-1)  # 0 for elements outside
    first = d.sum().double() * unit
    second = d.mul_(d).sum().double() * unit * unit
    return torch.stack((first, second))


def _crossings(
    aim: Aim, rows: NDArray[np.int64], cols: NDArray[np.int64], beyond: list[int], sums: list[float]
) -> Crossings:
    """The record of one matrix; totals come from its cells where these are exact."""
    counts = aim.counts
    if counts.n == 0 or counts.minimum == counts.maximum:
        none_beyond = (0,) * len(SIGMAS)
        return Crossings(counts, none_beyond, PowerSums(counts.n, counts.mean), rows, cols)
    if counts.exact:
        beyond = [int(counts.counts[_is_beyond(counts, edge)].sum()) for edge in aim.sigmas]
    totals = tuple(beyond) if aim.sigmas else None
    if aim.central is None:
        return Crossings(counts, totals, None, None, None)
    if counts.exact:
        inside = ~_is_beyond(counts, aim.central)
        central = PowerSums.of(counts.value[inside], counts.counts[inside])
    else:
        central = PowerSums(counts.n - int(rows.sum()), aim.middle, sums[0], sums[1], nan, nan)
    return Crossings(counts, totals, central, rows, cols)


def _is_beyond(counts: ValueCounts, edge: Edge) -> NDArray[np.bool_]:
    """Whether each cell's value is beyond an edge."""
    centre, reach = edge
    return np.abs(counts.value - centre) > reach
