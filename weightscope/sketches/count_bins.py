"""Counting large tensors of wide types: bins of the upper 16 bits of float32, and power sums of the values themselves.

Bins are at most 2^-7 wide relative to their value; moments come from power sums, never from bins. Zero, Inf and
NaN are decided on the full stored word, by a second look that only tiles which hold a candidate pay for. The distinct
values of floats are kept while they are few.
"""

from __future__ import annotations

from dataclasses import replace
from math import frexp, isfinite
from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import numpy as np
from ..lazy import torch
from .count_patterns import cells, histogram
from .few_values import extended, union
from .grid import NORMAL
from .nonfinite import first_places
from .power_sums import PowerSums
from .sketch import State
from .tile import Scratch, Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LARGEST = 3.4028234663852886e38  # of float32


def start(stack: int, dtype: str, device: str) -> State:
    """An empty histogram, empty records, and no value of a float type."""
    kind = DTYPES[dtype]
    none = (
        torch.empty(0, dtype=getattr(torch, kind.store), device=device)
        if kind.kind == "float"
        else None
    )
    return {
        "counts": torch.zeros(stack, 65536, dtype=torch.int64, device=device),
        "rest": [ValueCounts(coarse=dtype == "F32")] * stack,
        "few": [none] * stack,
    }


def add(state: State, tile: Tile) -> State:
    """Histogram of the tile, and per matrix what the histogram cannot tell."""
    x = tile.flat
    counts = histogram(_bins(x, tile.scratch), 65536)
    suspect = (
        counts[:, :128].sum(1) + counts[:, 0x8000:0x8080].sum(1)
    ).tolist()  # exponent 0: zero or subnormal
    here = [
        _rest(x[i], state["dtype"], tile.scratch, suspect[i] > 0, seen.coarse)
        for i, seen in enumerate(state["rest"])
    ]
    few = [
        state["few"][i] if found.coarse else extended(_known(state, i), x[i], tile.scratch)
        for i, found in enumerate(here)
    ]
    return {
        "counts": state["counts"].add_(counts),
        "rest": [seen + found for seen, found in zip(state["rest"], here, strict=True)],
        "few": few,
        "first": first_places(state["first"], tile, [found.nan + found.inf for found in here]),
    }


def merge(a: State, b: State) -> State:
    """Everything adds."""
    return {
        "counts": a["counts"] + b["counts"],
        "rest": [x + y for x, y in zip(a["rest"], b["rest"], strict=True)],
        "few": [union(_known(a, i), _known(b, i)) for i in range(len(a["rest"]))],
    }


def finish(state: State) -> list[ValueCounts]:
    """Bins that occur, zero as a cell of its own; bf16 stored as float32 has the exact cells of bf16."""
    every = zip(state["counts"].cpu().numpy(), state["rest"], state["few"], strict=True)
    return [_coarse(c, r) if r.coarse else _cells(c, r, few, state["dtype"]) for c, r, few in every]


def _known(state: State, i: int) -> Tensor | None:
    """The values of one matrix but 0, while they are few. While lower halves are zero the histogram has them all."""
    if not state["rest"][i].coarse:
        few: Tensor | None = state["few"][i]
        return few
    values = state["counts"][i].nonzero()[:, 0].to(torch.int16).view(torch.bfloat16).float()
    return union(values.new_empty(0), values[values.isfinite() & (values != 0)])


def _coarse(counts: NDArray[np.int64], rest: ValueCounts) -> ValueCounts:
    """The upper halves are all there is; NaN and Inf as seen on the whole word, since a NaN may have a lower half."""
    return replace(
        cells(counts, "BF16"), inf=rest.inf, minus_inf=rest.minus_inf, nan=rest.nan, coarse=True
    )


def _bins(x: Tensor, scratch: Scratch) -> Tensor:
    """The upper half of each value's float32 word, 0..65535; float64 beyond float32's range goes to its last bin."""
    if x.dtype == torch.float64:
        finite = torch.where(torch.isfinite(x), x.clamp(-LARGEST, LARGEST), x)
        x = scratch.take("float32", tuple(x.shape), torch.float32).copy_(finite)
    out = scratch.take("patterns", tuple(x.shape), torch.int32)
    return torch.bitwise_right_shift(x.view(torch.int32), 16, out=out).bitwise_and_(0xFFFF)


def _rest(x: Tensor, dtype: str, scratch: Scratch, suspect: bool, coarse: bool) -> ValueCounts:
    """Extremes, power sums and special values of one matrix's tile, as counts without cells."""
    low, high = (
        float(v) + 0.0 for v in torch.aminmax(x)
    )  # never -0: which zero comes first says nothing
    nan = inf = minus_inf = 0
    if not (abs(low) < float("inf") and abs(high) < float("inf")):
        nan, inf, minus_inf = int(x.isnan().sum()), int(x.isinf().sum()), int(x.isneginf().sum())
        x = x[x.isfinite()]
        low, high = (
            (float(v) + 0.0 for v in torch.aminmax(x)) if len(x) else (float("inf"), float("-inf"))
        )
    zeros = int((x == 0).sum()) if suspect else 0
    tiny = int((x.abs() < NORMAL[dtype]).sum()) - zeros if suspect and dtype in NORMAL else 0
    rough = coarse and dtype == "F32" and not bool((x.view(torch.int32) & 0xFFFF).any())
    return ValueCounts(
        power=_power(x, low, high, scratch),
        exact=False,
        zeros=zeros,
        subnormals=tiny,
        inf=inf,
        nan=nan,
        minimum=low,
        maximum=high,
        coarse=rough,
        minus_inf=minus_inf,
    )


def _power(x: Tensor, low: float, high: float, scratch: Scratch) -> PowerSums:
    """Sums about the tile's own mean c, of (x - c)/s with s a power of two above every |x - c|.

    So nothing cancels, overflows or vanishes: float32 keeps 1e-6 of mean and std, and 1e-5 of skew and kurtosis.
    """
    if not len(x):
        return PowerSums()
    mean = float(x.mean()) + 0.0
    c = mean if isfinite(mean) else 0.0
    s = 2.0 ** min(max(frexp(max(abs(low - c), abs(high - c)))[1], -120), 120)
    shift = torch.tensor(-c / s, dtype=x.dtype, device=x.device)
    d = torch.add(shift, x, alpha=1 / s, out=scratch.take("d", tuple(x.shape), x.dtype))
    d2 = torch.mul(d, d, out=scratch.take("d2", tuple(x.shape), x.dtype))
    sums = [d.sum(), d2.sum(), d.mul_(d2).sum(), d2.mul_(d2).sum()]
    s1, s2, s3, s4 = torch.stack(sums).tolist()
    return PowerSums(len(x), c, s1 * s, s2 * s * s, s3 * s * s * s, s4 * s * s * s * s)


def _cells(
    counts: NDArray[np.int64], rest: ValueCounts, few: Tensor | None, dtype: str
) -> ValueCounts:
    """The histogram as cells, zeros taken out of the two bins that hold them; the values that occur, where known."""
    codes = np.arange(65536, dtype=np.uint32)
    finite = (codes & 0x7FFF) < 0x7F80
    edge = _word(np.where(finite, codes, 0))
    last = (codes & 0x7FFF) == 0x7F7F
    outer = np.where(
        last, np.copysign(LARGEST, edge), _word(np.where(finite & ~last, codes + 1, 0))
    )
    left = counts.copy()
    left[0], left[0x8000] = left[0] + left[0x8000] - rest.zeros, 0
    seen = np.flatnonzero(finite & (left > 0))
    low, high = np.minimum(edge, outer)[seen], np.maximum(edge, outer)[seen]
    value, found = (low + high) / 2, left[seen]
    if rest.zeros:
        half = NORMAL.get(dtype, 1.0) * 2.0**-24
        low, high = np.append(low, -half), np.append(high, half)
        value, found = np.append(value, 0.0), np.append(found, rest.zeros)
    order = np.argsort(value, kind="stable")
    return ValueCounts(
        low[order],
        high[order],
        value[order],
        found[order],
        rest.power,
        False,
        rest.zeros,
        rest.subnormals,
        rest.inf,
        rest.nan,
        rest.minimum,
        rest.maximum,
        rest.coarse,
        few=None
        if few is None
        else np.unique(np.append(few.cpu().double().numpy(), [0.0] * (rest.zeros > 0))),
        minus_inf=rest.minus_inf,
    )


def _word(codes: NDArray[np.uint32]) -> NDArray[np.float64]:
    """The float32 whose upper half is the code and whose lower half is zero."""
    return (codes.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
