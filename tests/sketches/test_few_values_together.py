"""Tables of few values of a stack, as a GPU keeps them, are those of numpy for any tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import few_values
from weightscope.sketches import few_values_together as together

TYPES = [torch.float32, torch.float64]


def tables_of(x: torch.Tensor) -> together.Tables:
    """The tables of one tile."""
    return together.extended(together.empty(len(x), x.dtype, "cpu"), x)


def expected(x: np.ndarray) -> tuple[list[float], list[int]]:
    """Finite values other than zero, and their counts."""
    values, counts = np.unique(x[np.isfinite(x) & (x != 0)], return_counts=True)
    return values.tolist(), counts.tolist()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("grouping", ["left", "right", "one state"])
def test_tiles_in_any_grouping_have_the_values_of_numpy(dtype, grouping) -> None:
    """NaN, Inf and both zeros do not count; each matrix has its own values, one has none."""
    rng = np.random.default_rng(0)
    palette = [0.0, -0.0, 0.1, -1e-42, 1e-44, 3e38, np.nan, np.inf, -np.inf, *range(40)]
    x = torch.from_numpy(rng.choice(palette, (3, 5000))).to(dtype)
    x[1, :2000] = 7.0
    x[2] = np.nan
    tiles = torch.split(x, 700, 1)
    if grouping == "one state":
        tables = together.empty(3, dtype, "cpu")
        for tile in tiles:
            tables = together.extended(tables, tile)
    else:
        parts = [tables_of(tile) for tile in tiles]
        while len(parts) > 1:
            at = 0 if grouping == "left" else len(parts) - 2
            parts[at : at + 2] = [together.union(parts[at], parts[at + 1])]
        tables = parts[0]
    for found, matrix in zip(together.on_host(tables), x.numpy(), strict=True):
        assert found is not None
        assert found.values.dtype == dtype
        assert (found.values.tolist(), found.counts.tolist()) == expected(matrix)


@pytest.mark.parametrize("dtype", TYPES)
def test_one_value_more_is_too_many(dtype) -> None:
    """In one tile, or in both together; the other matrices keep theirs."""
    few = few_values.FEW
    x = torch.arange(1, few + 1, dtype=dtype).repeat(3, 2)
    x[1, -1] = 0.5
    for tiles in ((x,), (x[:, :few], x[:, few:])):
        tables = together.empty(3, dtype, "cpu")
        for tile in tiles:
            tables = together.extended(tables, tile)
        first, second, third = together.on_host(tables)
        assert second is None
        assert first is not None
        assert third is not None
        assert first.values.tolist() == third.values.tolist() == list(range(1, few + 1))
        assert first.counts.tolist() == [2] * few
        again = together.extended(tables, x[:, :9])
        assert together.on_host(again)[1] is None


def test_ordinary_tensors_are_decided_by_a_sample(monkeypatch) -> None:
    """Nothing is sorted, and later tiles are not even sampled."""
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(2, 100_000)))
    monkeypatch.setattr(together, "_distinct", None)
    tables = tables_of(x)
    monkeypatch.setattr(together, "exceed_few", None)
    assert together.on_host(together.extended(tables, x)) == [None, None]
