"""Counting bins of all matrices of a stack at once, on a GPU: `count_bins` without its waits.

What a histogram lacks (extremes, power sums, special values) is a row of numbers for each tile. The
rows stay on the GPU until the end, where they become the records of `count_bins` and add as these.
Distinct values are searched where a sample shows few.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dtypes import DTYPES
from ..lazy import torch
from . import count_bins
from . import few_values_together as few_together
from .grid import NORMAL
from .histogram import histogram
from .nonfinite import first_positions
from .power_sums import PowerSums
from .sketch import State
from .tile import Tile
from .value_counts import ValueCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..lazy import numpy as np

# of one tile: finite values, zeros, subnormals, Inf, -Inf, NaN, whether a lower half is not zero,
# extremes, centre, unit, and four sums of (x - centre) / unit
FIELDS = ("n", "zeros", "subnormals", "inf", "minus_inf", "nan", "fine", "low", "high")
SUMS = ("centre", "unit", "s1", "s2", "s3", "s4")
LARGEST_EXPONENT = 120  # of the unit, so that no power leaves float32


def start(stack: int, dtype: str, device: str) -> State:
    """An empty histogram, no rows, and no values of a float type."""
    few = None
    if DTYPES[dtype].kind == "float":
        few = few_together.empty(stack, getattr(torch, DTYPES[dtype].store), device)
    rows = torch.zeros(0, stack, len(FIELDS + SUMS), dtype=torch.float64, device=device)
    counts = torch.zeros(stack, 65536, dtype=torch.int64, device=device)
    return {"counts": counts, "few": few, "tiles": [rows]}


def add(state: State, tile: Tile) -> State:
    """The histogram of the tile, and its row."""
    x = tile.flat  # (b, elements)
    finite = x.isfinite()
    row = _row(x, finite, state["dtype"])
    return {
        "counts": state["counts"].add_(histogram(count_bins.bin_codes(x, tile.scratch), 65536)),
        "few": state["few"] and few_together.extended(state["few"], x),
        "tiles": [*state["tiles"], row[None]],
        "first": first_positions(state["first"], tile, finite),
    }


def merge(a: State, b: State) -> State:
    """Histograms add, rows follow each other, sets of values are joined."""
    return {
        "counts": a["counts"] + b["counts"],
        "few": a["few"] and few_together.union(a["few"], b["few"]),
        "tiles": [*a["tiles"], *b["tiles"]],
    }


def finish(state: State) -> list[ValueCounts]:
    """The records of `count_bins`."""
    dtype = state["dtype"]
    by_tile = torch.cat(state["tiles"]).cpu().numpy()  # (tiles, b, fields)
    rest = []
    for i in range(by_tile.shape[1]):
        record = ValueCounts(coarse=dtype == "F32")
        for row in by_tile[:, i]:
            record = record + _record(row, dtype)
        rest.append(record)
    few = state["few"] and few_together.on_host(state["few"])
    return count_bins.finish({**state, "rest": rest, "few": few or [None] * len(rest)})


def _row(x: Tensor, finite: Tensor, dtype: str) -> Tensor:
    """(b, fields) of a tile, float64."""
    zero = x == 0
    subnormal = (x.abs() < NORMAL.get(dtype, 0.0)) & ~zero
    fine = torch.zeros_like(finite)
    if dtype == "F32":
        fine = finite & ((x.view(torch.int32) & 0xFFFF) != 0)
    inf, minus_inf, nan = x.isinf(), x.isneginf(), x.isnan()
    counts = [
        mask.sum(-1).double() for mask in (finite, zero, subnormal, inf, minus_inf, nan, fine)
    ]
    # + 0.0 turns -0 into 0
    low = torch.where(finite, x, torch.inf).amin(-1).double() + 0.0
    high = torch.where(finite, x, -torch.inf).amax(-1).double() + 0.0
    sums = _sums(x, finite, counts[0], low, high)
    return torch.stack((*counts, low, high, *sums), -1)


def _sums(x: Tensor, finite: Tensor, n: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, ...]:
    """(b,) centre, unit and four sums: about the tile's mean, in units above every distance."""
    mean = torch.where(finite, x, 0.0).sum(-1, dtype=torch.float64) / n.clamp(min=1)
    mean = mean.to(x.dtype).double()  # a number of the type, from which x has exact distances
    centre = torch.where(mean.isfinite(), mean, 0.0)
    centre = torch.where(low == high, low, centre)
    reach = torch.maximum((low - centre).abs(), (high - centre).abs())
    exponent = torch.frexp(reach).exponent.clamp(-LARGEST_EXPONENT, LARGEST_EXPONENT)
    unit = torch.ldexp(torch.ones_like(reach), exponent)
    scale, shift = (1 / unit).to(x.dtype)[:, None], (-centre / unit).to(x.dtype)[:, None]
    d = torch.where(finite, x * scale + shift, 0.0)
    power, sums = d, []
    for _ in range(4):
        sums.append(power.sum(-1, dtype=torch.float64))
        power = power * d
    return centre, unit, *sums


def _record(row: NDArray[np.float64], dtype: str) -> ValueCounts:
    """The counts without cells of one tile of a matrix."""
    values: dict[str, Any] = dict(zip(FIELDS + SUMS, row.tolist(), strict=True))
    n, s = int(values["n"]), values["unit"]
    power = PowerSums()
    if n:
        power = PowerSums(
            n,
            values["centre"],
            values["s1"] * s,
            values["s2"] * s * s,
            values["s3"] * s * s * s,
            values["s4"] * s * s * s * s,
        )
    return ValueCounts(
        power=power,
        exact=False,
        zeros=int(values["zeros"]),
        subnormals=int(values["subnormals"]),
        inf=int(values["inf"]),
        nan=int(values["nan"]),
        minimum=values["low"],
        maximum=values["high"],
        coarse=dtype == "F32" and not values["fine"],
        minus_inf=int(values["minus_inf"]),
    )
