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
    """Values ascending, then Inf, with their counts, of each matrix; those of too many are void."""

    values: Tensor  # (b, places)
    counts: Tensor  # (b, places) int64
    exceed: Tensor  # (b,) whether a matrix has more than FEW values
    known: tuple[bool, ...]  # the same as far as the host knows it


def room() -> int:
    """Bytes of the table of a matrix, and of joining it with that of a tile."""
    places = max(few_values.FEW, 0) + 1
    return 4 * 16 * places  # a value and its count


def empty(stack: int, dtype: torch.dtype, device: str) -> Tables:
    """No values."""
    places = max(few_values.FEW, 0) + 1
    values = torch.full((stack, places), torch.inf, dtype=dtype, device=device)
    counts = torch.zeros_like(values, dtype=torch.int64)
    exceed = torch.zeros(stack, dtype=torch.bool, device=device)
    return Tables(values, counts, exceed, (False,) * stack)


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
    return replace(joined, exceed=joined.exceed | a.exceed | b.exceed, known=known)


def on_host(tables: Tables) -> list[FewValues | None]:
    """The values of each matrix, None where they are too many: the host waits once."""
    if all(tables.known):
        return [None] * len(tables.known)
    words = tables.values.double().view(torch.int64)
    exceed = tables.exceed[:, None].expand_as(words).long()
    numbers, counts, exceeds = torch.stack((words, tables.counts, exceed)).cpu()
    found: list[FewValues | None] = []
    for i, known in enumerate(tables.known):
        if known or exceeds[i, 0]:
            found.append(None)
            continue
        occurring = counts[i] > 0
        values = numbers[i].view(torch.float64)[occurring].to(tables.values.dtype)
        found.append(FewValues(values, counts[i][occurring]))
    return found


def _distinct(values: Tensor, counts: Tensor | None = None) -> Tables:
    """Sorted values (b, n) without repetitions; the places after the last one are Inf, with 0.

    Without counts each value that is not Inf counts once.
    """
    places = max(few_values.FEW, 0) + 1
    values, order = values.sort(-1)
    counts = values.isfinite().long() if counts is None else counts.gather(-1, order)
    del order  # 8 bytes for each element
    differs = values[:, 1:] != values[:, :-1]
    # values beyond the last place share one more, which is dropped
    place = torch.nn.functional.pad(differs.cumsum(-1), (1, 0)).clamp_(max=places)
    table = torch.full_like(values[:, :1], torch.inf).repeat(1, places + 1)
    table.scatter_(1, place, values)
    sums = torch.zeros_like(table, dtype=torch.int64).scatter_add_(1, place, counts)
    distinct = (differs & values[:, 1:].isfinite()).sum(-1) + values[:, 0].isfinite()
    exceed = distinct > few_values.FEW
    return Tables(table[:, :places], sums[:, :places], exceed, (False,) * len(values))
