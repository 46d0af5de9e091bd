"""Beyond -> Crossings: how many elements stand far out, and in which rows and columns.

The first pass counts; the counts say how far is far. The second compares every element, exactly as float64 would: a
threshold becomes the last number of the tile's own type that is not beyond it. Exact cells answer most questions by
themselves: of them the second pass takes only the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import copysign, frexp, isfinite, nan
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .count import Count
from .power_sums import PowerSums
from .quantiles import median, robust_std
from .sketch import Again, Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from .value_counts import ValueCounts

SIGMAS = (3, 4, 5, 6)  # std from the mean
ROBUST = 4  # robust std from the median: where the core ends
EXACT = 1 << 24  # up to which float32 counts without a gap

Edge = tuple[float, float]  # centre and reach: beyond is |w - centre| > reach
Span = tuple[float, float]  # the least and the greatest number within an edge


@dataclass(frozen=True, eq=False)
class Crossings:
    """A tensor's counts, and its finite elements beyond thresholds that follow from them; all comparisons are strict.

    `beyond`: how many have |w - mean| > k std for k of SIGMAS; None where std leaves float64. The core is what has
    |w - median| <= 4 robust_std: `core` holds its power sums (in bins the first two, the others NaN), `rows` (m,) and
    `cols` (n,), int64, how many of each line are outside. All three are None where there is no robust scale: where half
    of the values or more are equal it is 0, and everything else would be an outlier. Nothing is beyond in a constant.
    """

    counts: ValueCounts
    beyond: tuple[int, ...] | None
    core: PowerSums | None
    rows: NDArray[np.int64] | None
    cols: NDArray[np.int64] | None

    def forget(self) -> Crossings:
        """Without lines; what is beyond stays beyond its own tensor's thresholds."""
        return replace(self, counts=self.counts.forget(), rows=None, cols=None)

    def __add__(self, other: Crossings) -> Crossings:
        """Numbers add; unknown and known make unknown."""
        beyond = core = None
        if self.beyond is not None and other.beyond is not None:
            beyond = tuple(a + b for a, b in zip(self.beyond, other.beyond, strict=True))
        if self.core is not None and other.core is not None:
            core = self.core + other.core
        return Crossings(self.counts + other.counts, beyond, core, None, None)


@dataclass(frozen=True, eq=False)
class Aim:
    """What one matrix is looked through for; spans are in the type of its tiles, those of sigmas for bins alone."""

    counts: ValueCounts
    middle: float  # nowhere beyond: the median, or the mean where no core is known
    sigmas: tuple[Edge, ...]
    sigma_spans: tuple[Span, ...]
    core: Edge | None
    core_span: Span | None

    @staticmethod
    def of(counts: ValueCounts, dtype: str) -> Aim:
        """Thresholds of what has been counted; those that there are."""
        middle, std = counts.mean, counts.std
        sigmas = (
            tuple((middle, k * std) for k in SIGMAS)
            if std > 0 and isfinite(SIGMAS[-1] * std)
            else ()
        )
        kind = np.float64 if DTYPES[dtype].bits >= 32 and dtype != "F32" else np.float32
        spans = () if counts.exact else tuple(span(edge, kind) for edge in sigmas)
        core = _core(counts)
        return Aim(
            counts,
            core[0] if core else middle,
            sigmas,
            spans,
            core,
            span(core, kind) if core else None,
        )

    @property
    def looks(self) -> bool:
        """Whether the cells leave anything to be seen."""
        return self.core_span is not None or bool(self.sigma_spans)


@dataclass(frozen=True)
class Beyond:
    """Counts, and looks a second time.

    Law: every number equals what numpy counts on the whole matrix in float64, with the thresholds of `counts`.
    """

    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The histograms, and a number for each line."""
        return Count().bytes(shape) + 8 * sum(shape)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Nothing counted."""
        numbers = {"rows": shape[0], "cols": shape[1], "beyond": len(SIGMAS)}
        zeros = {
            name: torch.zeros(stack, n, dtype=torch.int64, device=device)
            for name, n in numbers.items()
        }
        return zeros | {
            "core": torch.zeros(stack, 2, dtype=torch.float64, device=device),
            "counted": Count().start(stack, shape, dtype, device),
            "aims": None,
            "dtype": dtype,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Counts a tile; when all is counted, looks at it."""
        if state["aims"] is None:
            return state | {"counted": Count().add(state["counted"], tile)}
        for i, aim in enumerate(state["aims"]):
            if aim.looks and tile.box.size:
                _look(state, tile, i, aim)
        return state

    def merge(self, a: State, b: State) -> State:
        """The second look starts when all is counted: one worker takes both."""
        raise TypeError("what is beyond is looked for in one run")

    def finish(self, state: State) -> Sequence[Crossings] | Again:
        """The second look, if any matrix needs it; then what was found."""
        if state["aims"] is None:
            aims = [Aim.of(counts, state["dtype"]) for counts in Count().finish(state["counted"])]
            again = state | {"counted": None, "aims": aims}
            return Again(again) if any(aim.looks for aim in aims) else self.finish(again)
        lines = state["rows"].cpu().numpy(), state["cols"].cpu().numpy()
        found = zip(
            state["aims"], *lines, state["beyond"].tolist(), state["core"].tolist(), strict=True
        )
        return [_crossings(*seen) for seen in found]


def span(edge: Edge, kind: type[np.floating]) -> Span:
    """The least and the greatest number of a float type that are not beyond an edge, by halving their words.

    >>> span((0.0, 0.1), np.float32)            # of which 0.1 is none: its nearest is beyond
    (-0.09999999403953552, 0.09999999403953552)
    """
    centre, reach = edge
    word = np.int64 if kind is np.float64 else np.int32
    start, top = (int(np.array(x, kind).view(word)) for x in (abs(centre), np.finfo(kind).max))

    def number(key: int) -> float:
        return copysign(float(np.array(abs(key), word).view(kind)), key)

    def last(good: int, bad: int) -> float:
        while abs(bad - good) > 1:
            key = (good + bad) // 2
            good, bad = (key, bad) if abs(number(key) - centre) <= reach else (good, key)
        return number(good)

    start = start if centre >= 0 else -start
    return last(start, -top - 1), last(start, top + 1)


def _core(counts: ValueCounts) -> Edge | None:
    """Where the core ends; None where the scale is 0, or the width of a single bin that holds both quartiles."""
    middle, scale, upto = median(counts), robust_std(counts), np.cumsum(counts.counts)
    first, last = np.searchsorted(upto, counts.n * np.array((0.25, 0.75)))
    return (
        (middle, ROBUST * scale)
        if middle is not None and scale and (counts.exact or first < last)
        else None
    )


def _look(state: State, tile: Tile, i: int, aim: Aim) -> None:
    """Adds what is far in one matrix's tile to the state, in place."""
    x, exact = (
        _finite(tile.values[i], aim),
        torch.float64 if tile.box.size > EXACT else tile.values.dtype,
    )
    for k, within in _crossed(x, aim.sigma_spans):
        state["beyond"][i, k] += _outside(tile, x, within)[0].sum(dtype=exact).long()
    if aim.core_span:
        outside, cut = _outside(tile, x, aim.core_span)
        state["rows"][i, slice(*tile.box.rows)] += outside.sum(-1, dtype=exact).long()
        state["cols"][i, slice(*tile.box.cols)] += outside.sum(-2, dtype=exact).long()
        if not aim.counts.exact:
            state["core"][i] += _core_sums(cut, outside, aim)


def _crossed(x: Tensor, spans: tuple[Span, ...]) -> list[tuple[int, Span]]:
    """The spans that do not hold everything: of five and six std few tiles cross any."""
    low, high = (float(v) for v in torch.aminmax(x)) if spans else (0.0, 0.0)
    return [(k, within) for k, within in enumerate(spans) if low < within[0] or high > within[1]]


def _finite(x: Tensor, aim: Aim) -> Tensor:
    """The median, which is nowhere beyond, in the place of NaN and Inf."""
    return torch.where(x.isfinite(), x, aim.middle) if aim.counts.nan + aim.counts.inf else x


def _outside(tile: Tile, x: Tensor, within: Span) -> tuple[Tensor, Tensor]:
    """1 where an element is outside a span, else 0, in its own type (faster than bool); and the elements cut at it."""
    cut = torch.clamp(x, *within, out=tile.buffer("cut", x, x.dtype))
    return torch.ne(x, cut, out=tile.buffer("outside", x, x.dtype)), cut


def _core_sums(cut: Tensor, outside: Tensor, aim: Aim) -> Tensor:
    """Sums of w - median and its square over the core, in place.

    In units of a power of two near the edge, so that nothing overflows or vanishes.
    """
    assert aim.core
    unit = 2.0 ** min(max(frexp(aim.core[1])[1], -120), 120)
    shift = torch.tensor(-aim.middle / unit, dtype=cut.dtype, device=cut.device)
    d = torch.add(shift, cut, alpha=1 / unit, out=cut)
    d.addcmul_(d, outside, value=-1)
    first = d.sum().double() * unit
    return torch.stack((first, d.mul_(d).sum().double() * unit * unit))


def _crossings(
    aim: Aim, rows: NDArray[np.int64], cols: NDArray[np.int64], beyond: list[int], sums: list[float]
) -> Crossings:
    """One matrix's record, from its cells where they are exact."""
    counts = aim.counts
    if counts.n == 0 or counts.minimum == counts.maximum:
        return Crossings(counts, (0,) * len(SIGMAS), PowerSums(counts.n, counts.mean), rows, cols)
    if counts.exact:
        beyond = [int(counts.counts[_apart(counts, edge)].sum()) for edge in aim.sigmas]
    found = tuple(beyond) if aim.sigmas else None
    if aim.core is None:
        return Crossings(counts, found, None, None, None)
    if not counts.exact:
        core = PowerSums(counts.n - int(rows.sum()), aim.middle, sums[0], sums[1], nan, nan)
        return Crossings(counts, found, core, rows, cols)
    keep = ~_apart(counts, aim.core)
    return Crossings(
        counts, found, PowerSums.of(counts.value[keep], counts.counts[keep]), rows, cols
    )


def _apart(counts: ValueCounts, edge: Edge) -> NDArray[np.bool_]:
    """Which cells are beyond an edge, by their values."""
    return np.abs(counts.value - edge[0]) > edge[1]
