"""The distinct values of all matrices of a stack, while they are few, on a GPU.

Each matrix has a table of at most FEW values, of one size for all: a tile is sorted, equal
neighbours become one, and the host waits for nothing until the end. Only the sample that shows that
a tile has too many values is asked for, once a tile, since sorting takes far longer than counting.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..lazy import torch
from . import few_values
from .few_values import FewValues, exceed_few

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class Tables:
    """Values ascending, then Inf, with their counts, of each matrix.

    The last place has a count where there are more than FEW: then some are not in the table.
    """

    values: Tensor  # (b, FEW + 1)
    counts: Tensor  # (b, FEW + 1) int64
    known: tuple[bool, ...]  # whether the host knows that a matrix has too many


def room() -> int:
    """Bytes of the table of a matrix, and of joining it with that of a tile."""
    return 4 * 16 * _places()  # a value and its count


def empty(stack: int, dtype: torch.dtype, device: str) -> Tables:
    """No values."""
    values = torch.full((stack, _places()), torch.inf, dtype=dtype, device=device)
    return Tables(values, torch.zeros_like(values, dtype=torch.int64), (False,) * stack)


def extended(tables: Tables, x: Tensor) -> Tables:
    """The tables with the finite non-zero elements of a tile (b, elements)."""
    if all(tables.known):
        return tables
    pairs = zip(tables.known, exceed_few(x), strict=True)
    tables = replace(tables, known=tuple(before or now for before, now in pairs))
    if all(tables.known):
        return tables
    counted = x.isfinite() & (x != 0)
    return union(tables, _distinct(torch.where(counted, x, torch.inf)))


def union(a: Tables, b: Tables) -> Tables:
    """The values of both with the sums of their counts."""
    values, counts = torch.cat((a.values, b.values), 1), torch.cat((a.counts, b.counts), 1)
    joined = _distinct(values, counts)
    known = tuple(x or y for x, y in zip(a.known, b.known, strict=True))
    return replace(joined, known=known)


def on_host(tables: Tables) -> list[FewValues | None]:
    """The values of each matrix, None where they are too many: the host waits once."""
    if all(tables.known):
        return [None] * len(tables.known)
    words = tables.values.double().view(torch.int64)
    words, counts = torch.stack((words, tables.counts)).cpu()
    values = words.view(torch.float64).to(tables.values.dtype)
    found: list[FewValues | None] = []
    for i, known in enumerate(tables.known):
        occurring = counts[i] > 0
        if known or occurring[-1]:
            found.append(None)
        else:
            found.append(FewValues(values[i][occurring], counts[i][occurring]))
    return found


def _places() -> int:
    """One more than values that are few."""
    return max(few_values.FEW, 0) + 1


def _distinct(values: Tensor, counts: Tensor | None = None) -> Tables:
    """Sorted values (b, n) without repetitions; the places after the last one are Inf, with 0.

    Without counts each value that is not Inf counts once.
    """
    places = _places()
    values, order = values.sort(-1)
    counts = values.isfinite().long() if counts is None else counts.gather(-1, order)
    del order  # 8 bytes for each element
    differs = values[:, 1:] != values[:, :-1]
    # values that are too many share the last place
    place = torch.nn.functional.pad(differs.cumsum(-1), (1, 0)).clamp_(max=places - 1)
    table = torch.full_like(values[:, :1], torch.inf).repeat(1, places)
    table.scatter_(1, place, values)
    sums = torch.zeros_like(table, dtype=torch.int64).scatter_add_(1, place, counts)
    return Tables(table, sums, (False,) * len(values))
