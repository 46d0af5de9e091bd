"""Counting large tensors of wide types: bins of the upper 16 bits of float32, and exact power sums.

Bins are at most 2^-7 wide relative to their value; moments come from power sums, never from bins.
Zero, Inf and NaN are counted on the full stored words, in a second look that only tiles with a
candidate need. The distinct values of float types are counted while they are few.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import frexp, inf, isfinite
from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from .count_patterns import cells
from .count_values import edges
from .few_values import FewValues, extended, no_values, union
from .grid import NORMAL
from .histogram import histogram
from .nonfinite import first_positions
from .power_sums import PowerSums
from .sketch import State
from .tile import Scratch, Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LARGEST = 3.4028234663852886e38  # of float32
FIRST = 1024  # elements that show alone that a tensor is no bfloat16


def start(stack: int, dtype: str, device: str) -> State:
    """An empty histogram, empty records, and no values of a float type."""
    few = None
    if DTYPES[dtype].kind == "float":
        storage = getattr(torch, DTYPES[dtype].store)
        few = no_values(torch.empty(0, dtype=storage, device=device))
    return {
        "counts": torch.zeros(stack, 65536, dtype=torch.int64, device=device),
        "rest": [ValueCounts(coarse=dtype == "F32")] * stack,
        "few": [few] * stack,
    }


def add(state: State, tile: Tile) -> State:
    """The histogram of the tile, and per matrix the record of what a histogram lacks."""
    x = tile.flat  # (b, elements)
    counts = histogram(bin_codes(x, tile.scratch), 65536)
    # Exponent 0 of either sign: zero or subnormal.
    tiny = (counts[:, :128].sum(1) + counts[:, 0x8000:0x8080].sum(1)).tolist()
    rest, few, nonfinite = [], [], []
    for i, before in enumerate(state["rest"]):
        here = _rest(x[i], state["dtype"], tile.scratch, tiny[i], before.coarse)
        values = state["few"][i]
        if not here.coarse:  # else the histogram has all values
            values = extended(_few_values(state, i), x[i], tile.scratch)
        rest.append(before + here)
        few.append(values)
        nonfinite.append(here.nan + here.inf)
    return {
        "counts": state["counts"].add_(counts),
        "rest": rest,
        "few": few,
        "first": first_positions(state["first"], tile, torch.tensor(nonfinite)),
    }


def merge(a: State, b: State) -> State:
    """Histograms and records add; sets of values are joined."""
    stack = len(a["rest"])
    return {
        "counts": a["counts"] + b["counts"],
        "rest": [x + y for x, y in zip(a["rest"], b["rest"], strict=True)],
        "few": [union(_few_values(a, i), _few_values(b, i)) for i in range(stack)],
    }


def finish(state: State) -> list[ValueCounts]:
    """The bins that occur, with a cell for zero alone.

    Cells are exact for bf16 stored as float32, and for float tensors of few values.
    """
    histograms = state["counts"].cpu().numpy()
    records = []
    for counts, rest, few in zip(histograms, state["rest"], state["few"], strict=True):
        if rest.coarse:
            records.append(_coarse(counts, rest))
        elif few is not None:
            records.append(_exact(few, rest))
        else:
            records.append(_cells(counts, rest, state["dtype"]))
    return records


def _few_values(state: State, i: int) -> FewValues | None:
    """The non-zero values of one matrix and their counts, while they are few.

    While all lower halves are zero, they follow from the histogram.
    """
    # `coarse`: all lower halves have been zero so far, so that a bin is one value.
    if not state["rest"][i].coarse:
        few: FewValues | None = state["few"][i]
        return few
    codes = state["counts"][i].nonzero()[:, 0]
    values = codes.to(torch.int16).view(torch.bfloat16).float()
    nonzero = values.isfinite() & (values != 0)
    in_order_of_codes = FewValues(values[nonzero], state["counts"][i][codes[nonzero]])
    return union(no_values(values), in_order_of_codes)


def _coarse(counts: NDArray[np.int64], rest: ValueCounts) -> ValueCounts:
    """Cells of tensors whose lower halves are all zero.

    NaN and Inf are those counted on the whole word, since a NaN may have a lower half.
    """
    exact = cells(counts, "BF16")
    return replace(exact, inf=rest.inf, minus_inf=rest.minus_inf, nan=rest.nan, coarse=True)


def bin_codes(x: Tensor, scratch: Scratch) -> Tensor:
    """The upper half of each value's float32 word, 0..65535.

    float64 beyond float32's range goes to its last bin.
    """
    if x.dtype == torch.float64:
        clamped = torch.where(torch.isfinite(x), x.clamp(-LARGEST, LARGEST), x)
        x = scratch.take("float32", tuple(x.shape), torch.float32).copy_(clamped)
    words = x.view(torch.int32)
    codes = scratch.take("patterns", tuple(x.shape), torch.int32)
    torch.bitwise_right_shift(words, 16, out=codes)
    return codes.bitwise_and_(0xFFFF)


def _rest(x: Tensor, dtype: str, scratch: Scratch, tiny: int, coarse: bool) -> ValueCounts:
    """Extremes, power sums and special values of one matrix's tile, as counts without cells."""
    low, high = _extremes(x)
    nan_count = inf_count = minus_inf_count = 0
    if not (isfinite(low) and isfinite(high)):
        nan_count, inf_count = int(x.isnan().sum()), int(x.isinf().sum())
        minus_inf_count = int(x.isneginf().sum())
        x = x[x.isfinite()]
        low, high = _extremes(x)
    zeros = subnormals = 0
    if tiny:
        zeros = len(x) - _nonzeros(x, scratch)
        subnormals = _subnormals(x, dtype, tiny, zeros)
    if coarse:
        coarse = dtype == "F32" and _lower_halves_zero(x)
    return ValueCounts(
        power=_power(x, low, high, scratch),
        exact=False,
        zeros=zeros,
        subnormals=subnormals,
        inf=inf_count,
        nan=nan_count,
        minimum=low,
        maximum=high,
        coarse=coarse,
        minus_inf=minus_inf_count,
    )


def _lower_halves_zero(x: Tensor) -> bool:
    """Whether float32 words end in 16 zeros; the first of an ordinary tensor do not."""
    words = x.view(torch.int32)
    return not any(bool((part & 0xFFFF).any()) for part in (words[:FIRST], words[FIRST:]))


def _nonzeros(x: Tensor, scratch: Scratch) -> int:
    """The number of values other than 0: the sum of the squares of their signs, exact to 2^24."""
    if len(x) > 1 << 24:
        return int(x.count_nonzero())
    signs = scratch.take("d", tuple(x.shape), x.dtype)
    torch.sign(x, out=signs)
    return round(float(torch.dot(signs, signs)))


def _subnormals(x: Tensor, dtype: str, tiny: int, zeros: int) -> int:
    """Values below the smallest normal one; `tiny` have exponent 0 in float32."""
    if dtype == "F32":
        return tiny - zeros
    if dtype not in NORMAL:
        return 0
    return int((x.abs() < NORMAL[dtype]).sum()) - zeros


def _extremes(x: Tensor) -> tuple[float, float]:
    """Minimum and maximum, NaN if x has NaN; inf and -inf of no elements."""
    if not len(x):
        return inf, -inf
    low, high = torch.aminmax(x)
    # + 0.0 turns -0 into 0: which of the two is returned depends on the order.
    return float(low) + 0.0, float(high) + 0.0


def _power(x: Tensor, low: float, high: float, scratch: Scratch) -> PowerSums:
    """Sums about the tile's own mean c, of (x - c)/s with s a power of two above every |x - c|.

    So nothing cancels, overflows or underflows: float32 has 1e-6 of mean and std, and 1e-5 of skew
    and kurtosis.
    """
    if not len(x):
        return PowerSums()
    mean = float(x.mean()) + 0.0
    c = mean if isfinite(mean) else 0.0
    if low == high:
        c = low  # a constant has sums of exactly 0
    reach = max(abs(low - c), abs(high - c))
    exponent = frexp(reach)[1]
    s = 2.0 ** min(max(exponent, -120), 120)
    shift = torch.tensor(-c / s, dtype=x.dtype, device=x.device)
    d = scratch.take("d", tuple(x.shape), x.dtype)
    d2 = scratch.take("d2", tuple(x.shape), x.dtype)
    torch.add(shift, x, alpha=1 / s, out=d)
    torch.mul(d, d, out=d2)
    # In place: each product overwrites a power that has been summed.
    sums = [d.sum(), d2.sum(), d.mul_(d2).sum(), d2.mul_(d2).sum()]
    s1, s2, s3, s4 = torch.stack(sums).tolist()
    return PowerSums(len(x), c, s1 * s, s2 * s * s, s3 * s * s * s, s4 * s * s * s * s)


def _exact(few: FewValues, rest: ValueCounts) -> ValueCounts:
    """One cell per distinct value, as of a small tensor; zero included where it occurs."""
    distinct, counts = few.values.cpu().numpy(), few.counts.cpu().numpy()
    if rest.zeros:
        at = int(np.searchsorted(distinct, 0.0))
        distinct = np.insert(distinct, at, 0.0)
        counts = np.insert(counts, at, rest.zeros)
    low, high = edges(distinct)
    value = distinct.astype(np.float64)
    return replace(
        rest,
        low=low,
        high=high,
        value=value,
        counts=counts,
        power=PowerSums.of(value, counts),
        exact=True,
    )


def _cells(counts: NDArray[np.int64], rest: ValueCounts, dtype: str) -> ValueCounts:
    """The histogram as cells, zeros removed from the two bins that contain them."""
    # Bins 0 and 0x8000 have the zeros and the smallest subnormals of either sign.
    nonzero = counts.copy()
    nonzero[0] += nonzero[0x8000] - rest.zeros
    nonzero[0x8000] = 0
    low, high = _edges()
    occurring = np.flatnonzero(np.isfinite(low) & (nonzero > 0))
    low, high, occurrences = low[occurring], high[occurring], nonzero[occurring]
    value = (low + high) / 2
    if rest.zeros:
        # The cell of zero is far narrower than its neighbours.
        half_width = NORMAL.get(dtype, 1.0) * 2.0**-24
        low, high = np.append(low, -half_width), np.append(high, half_width)
        value, occurrences = np.append(value, 0.0), np.append(occurrences, rest.zeros)
    order = np.argsort(value, kind="stable")
    return replace(
        rest,
        low=low[order],
        high=high[order],
        value=value[order],
        counts=occurrences[order],
        exact=False,
    )


@cache
def _edges() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper edge of each bin; NaN for the bins of NaN and Inf."""
    codes = np.arange(65536, dtype=np.uint32)
    magnitude = codes & 0x7FFF
    finite, last = magnitude < 0x7F80, magnitude == 0x7F7F
    inner = _word(np.where(finite, codes, 0))
    next_bin = _word(np.where(finite & ~last, codes + 1, 0))
    outer = np.where(last, np.copysign(LARGEST, inner), next_bin)
    low, high = np.minimum(inner, outer), np.maximum(inner, outer)
    return np.where(finite, low, np.nan), np.where(finite, high, np.nan)


def _word(codes: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The float32 whose upper half is the code and whose lower half is zero."""
    words = codes.astype(np.uint32) << 16
    return words.view(np.float32).astype(np.float64)
