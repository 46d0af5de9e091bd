"""RowSample -> SampledRows: squared singular values of D = B - A on evenly spaced rows and columns.

Parts of a matrix of rank r have a rank of at most r, so a sample of k rows tells a low-rank change
from any other at the cost of k rows. `rounding` is the energy that rounding B to its type adds: a
merged adapter is a low-rank change plus this noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..dtypes import DTYPES
from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from ..sending import sent
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

FEWEST, MOST = 64, 128  # rows of a sample
WIDEST = 1024  # columns of a sample
ENOUGH = 1 << 16  # elements that give the energy of rounding to half a percent
SHARE = 16  # of the smaller side: one row in 16
# bits of the fraction, by type: the spacing of floats at x is 2^(exponent of x - bits)
FRACTION = {"F64": 52, "F32": 23, "F16": 10, "BF16": 7, "F8_E4M3": 3, "F8_E5M2": 2}


@dataclass(frozen=True, eq=False)
class SampledRows:
    """Squared singular values, descending, and the expected energy of the rounding of B.

    Of the rows and columns with a change, as many values as the fewer of both.
    Both in units of about the largest |d|^2 of the sample, so that no square leaves float64.
    """

    energies: NDArray[np.float64]
    rounding: float
    width: int = 0  # the longer side of the sample

    def forget(self) -> None:
        """A sample belongs to one matrix."""

    def __add__(self, other: SampledRows) -> SampledRows:
        raise TypeError("samples of different tensors do not add")


@dataclass(frozen=True)
class RowSample:
    """Taken of B; `other` is the label of A."""

    other: str = "a"
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """The sampled rows of A and of B, and their Gram matrix."""
        rows = len(sampled(shape))
        return 24 * rows * min(shape[1], WIDEST) + 8 * rows * rows

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Empty rows."""
        rows = torch.tensor(sampled(shape))
        step = max(1, -(-shape[1] // WIDEST))
        columns = -(-shape[1] // step)
        empty = torch.zeros(2, stack, len(rows), columns, dtype=torch.float64, device=device)
        return {
            "a": empty[0],
            "b": empty[1],
            "rows": rows,
            "there": sent(rows, device),
            "step": step,  # every step-th column is sampled
            "dtype": dtype,
        }

    def add(self, state: State, tile: Tile) -> State:
        """Copies the sampled rows and columns of a tile."""
        first, last = tile.box.rows
        rows: Tensor = state["rows"]
        here = ((rows >= first) & (rows < last)).nonzero()[:, 0]
        if not len(here) or not tile.box.size:
            return state
        chosen = slice(int(here[0]), int(here[-1]) + 1)
        of_tile = state["there"][chosen] - first
        step = state["step"]
        first_column, last_column = tile.box.cols
        cols = slice(-(-first_column // step), -(-last_column // step))
        skipped = cols.start * step - first_column
        for name, source in (("a", tile.beside[self.other]), ("b", tile)):
            state[name][:, chosen, cols] = _values(source, of_tile)[:, :, skipped::step]
        return state

    def merge(self, a: State, b: State) -> State:
        """Each sampled row is filled by one of both; the others are zero."""
        return a | {"a": a["a"] + b["a"], "b": a["b"] + b["b"]}

    def finish(self, state: State) -> Sequence[SampledRows]:
        """One record per matrix.

        Samples are small, and the size of their eigenproblem is known on the host alone.
        """
        records = []
        for a, b in zip(state["a"].cpu(), state["b"].cpu(), strict=True):
            d = (b - a).nan_to_num_(0.0, 0.0, 0.0)
            if bool(d.any()):
                records.append(_decomposed(d, b, state["dtype"]))
            else:  # no eigenvalues of what is unchanged
                records.append(SampledRows(np.zeros(0), 0.0))
        return records


def _values(tile: Tile, rows: Tensor) -> Tensor:
    """Some rows of a tile; the others are not converted where torch knows the type."""
    if DTYPES[tile.dtype].kind == "float":
        return tile.stored[:, rows]
    return tile.values[:, rows]


def sampled(shape: Shape) -> list[int]:
    """The sampled rows: all of a low matrix, else evenly spaced ones.

    >>> sampled((3, 8))
    [0, 1, 2]
    """
    height = shape[0]
    count = min(height, max(FEWEST, min(min(shape) // SHARE, MOST)))
    return [i * height // count for i in range(count)]


def _decomposed(d: Tensor, b: Tensor, dtype: str) -> SampledRows:
    """Of the rows and columns that changed: zeros would pass for a low rank."""
    rows, cols = d.any(1), d.any(0)
    d, b = d[rows][:, cols], b[rows][:, cols]
    _, exponent = torch.frexp(d.abs().max())
    unit = 2.0 ** (int(exponent) - 1)
    d = d / unit
    if d.shape[1] < d.shape[0]:
        d = d.mT
    values = torch.linalg.eigvalsh(d @ d.mT).clamp_(min=0).flip(-1)
    return SampledRows(values.numpy(), _rounding(b, dtype, unit), d.shape[1])


def _rounding(b: Tensor, dtype: str, unit: float) -> float:
    """Sum of the variances step^2/12 of rounding each element to the spacing of its type.

    In units of unit^2, a power of 2.
    """
    bits = FRACTION.get(dtype)
    if bits is None:
        return 0.0
    chosen = b.flatten()[:: -(-b.numel() // ENOUGH) or 1]
    _, exponents = torch.frexp(chosen[chosen.isfinite() & (chosen != 0)])
    steps = torch.ldexp(torch.ones_like(exponents, dtype=torch.float64), exponents - 1 - bits)
    variances = (steps / unit).square().sum() / 12
    return float(variances) * b.numel() / max(len(chosen), 1)
