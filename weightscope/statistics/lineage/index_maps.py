"""Index maps: which lines of a longer axis become the lines of a shorter one.

Three definitions are in use. Weight selection (Initializing Models with Larger Ones, ICLR 2024)
takes every (t/s)-th line where s divides t, else `round(linspace(0, t - 1, s))`; subcloning and
width pruning keep the first lines of a sorted axis; supernets share the first lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class IndexMap:
    """`lines[i]` is the line of the longer axis that becomes line i of the shorter one."""

    name: str  # as printed: `stride 2`, `linspace 2/3`, `first 1/2`, `all`
    lines: NDArray[np.int64]  # (s,), ascending


def candidate_maps(short: int, long: int, block: int = 1) -> tuple[IndexMap, ...]:
    """Every map of `short` lines into `long` ones; of equal lengths the identity alone, `all`.

        stride    i * t / s, where s divides t
        linspace  round(i * (t - 1) / (s - 1)), halves to even
        first     i

    No two are equal: their last lines are t - t/s, t - 1 and s - 1. A single line is the first
    under every rule, so it has that name. `linspace` equals
    numpy.linspace in float64; torch.linspace in float32 has another neighbour in about 1% of the
    lines at worst (151,936 to 32,000: 105), as its sums are rounded. `block` is the number of
    columns of one channel: kernels of a convolution stay together.

    >>> [(m.name, m.lines.tolist()) for m in candidate_maps(2, 4)]
    [('stride 2', [0, 2]), ('linspace 1/2', [0, 3]), ('first 1/2', [0, 1])]
    """
    if short == long:
        return (IndexMap("all", np.arange(long)),)
    if short < 1 or short > long:
        return ()
    if block > 1 and short % block == 0 and long % block == 0:
        channels = candidate_maps(short // block, long // block)
        return tuple(_expanded(of_channels, block) for of_channels in channels)
    share = Fraction(short, long)
    first = IndexMap(f"first {share}", np.arange(short))
    if short == 1:
        return (first,)
    spaced = np.linspace(0, long - 1, short).round().astype(np.int64)
    linspace = IndexMap(f"linspace {share}", spaced)
    if long % short:
        return linspace, first
    step = long // short
    return IndexMap(f"stride {step}", np.arange(short) * step), linspace, first


def _expanded(of_channels: IndexMap, block: int) -> IndexMap:
    """The same map of the `block` columns of each channel."""
    columns = of_channels.lines[:, None] * block + np.arange(block)
    return IndexMap(of_channels.name, columns.reshape(-1))
