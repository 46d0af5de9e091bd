"""Tied layers: equal ones, shared ones with a rest of low rank, and unrelated ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.statistics.lineage.tied import Tie, difference_rank, tied

STORES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


def stored(x: np.ndarray, dtype: str) -> np.ndarray:
    """Rounded to a type, as float64."""
    rounded: np.ndarray = torch.from_numpy(x).to(STORES[dtype]).double().numpy()
    return rounded


def shared(count: int, ranks: list[int], size: float = 1.0, seed: int = 0) -> np.ndarray:
    """One matrix in each layer, plus a rest of its rank."""
    rng = np.random.default_rng(seed)
    common = 0.02 * rng.standard_normal((64, 200))
    layers = []
    for rank in ranks[:count]:
        rest = rng.standard_normal((64, rank)) @ rng.standard_normal((rank, 200))
        layers.append(common + 0.02 * size * rest)
    return np.stack(layers)


@pytest.mark.parametrize("dtype", STORES)
@pytest.mark.parametrize("rank", [1, 4, 12])
def test_rests_of_low_rank_are_counted(dtype, rank) -> None:
    """Of three layers each rest has its rank, in every type."""
    samples = stored(shared(3, [rank, rank, 0]), dtype)
    assert tied(samples, (0, 4, 7), [dtype] * 3) == (Tie((0, 4, 7), (rank, rank, 0)),)


def test_two_layers_have_one_rest() -> None:
    """The difference does not say whose it is: the second has it."""
    samples = shared(2, [3, 0])
    assert tied(samples, (2, 5), ["F32"] * 2) == (Tie((2, 5), (0, 3)),)


def test_equal_layers_form_groups() -> None:
    """A B A B C: two groups of equal layers; C is alone."""
    a, b, c = np.random.default_rng(1).standard_normal((3, 64, 64))
    ties = tied(np.stack([a, b, a, b, c]), range(5), ["BF16"] * 5)
    assert ties == (Tie((0, 2), (0, 0)), Tie((1, 3), (0, 0)))
    assert all(tie.equal for tie in ties)


def test_casts_are_equal_and_noise_is_no_tie() -> None:
    """A layer cast to bf16 differs by rounding alone; noise of 1 sigma has full rank."""
    a, noise = np.random.default_rng(2).standard_normal((2, 64, 128))
    pair = np.stack([a, stored(a, "BF16")])
    assert tied(pair, (0, 1), ("F32", "BF16")) == (Tie((0, 1), (0, 0)),)
    assert tied(pair, (0, 1), ("F32", "F32")) == ()
    assert tied(np.stack([a, a + noise]), (0, 1), ("F32", "F32")) == ()


@pytest.mark.parametrize("dtype", ["F32", "BF16"])
def test_unrelated_layers_are_not_tied(dtype) -> None:
    """In 100 seeded draws of three layers each, for two types."""
    for seed in range(100):
        samples = np.random.default_rng(seed).standard_normal((3, 32, 40))
        assert tied(samples, range(3), [dtype] * 3) == ()


def test_odd_samples_end_no_run() -> None:
    """Few rows, zeros, constant rows, NaN and huge elements."""
    rng = np.random.default_rng(3)
    assert tied(rng.standard_normal((2, 8, 40)), (0, 1), ["F32"] * 2) == ()
    assert tied(np.zeros((2, 32, 40)), (0, 1), ["F32"] * 2) == ()
    assert tied(np.zeros((0, 32, 40)), (), []) == ()
    assert tied(np.zeros((2, 0, 40)), (0, 1), ["F32"] * 2) == ()
    x = rng.standard_normal((32, 40))
    holed = np.stack([x, x, x])
    holed[1, 3, 3] = np.nan
    assert tied(holed, (0, 1, 2), ["F32"] * 3) == (Tie((0, 2), (0, 0)),)
    assert tied(1e200 * np.stack([x, x]), (0, 1), ["F64"] * 2) == (Tie((0, 1), (0, 0)),)


def test_the_rank_of_a_difference_is_that_of_numpy() -> None:
    """Above rounding: numpy.linalg.matrix_rank of the exact difference."""
    rng = np.random.default_rng(4)
    a = rng.standard_normal((30, 50))
    for rank in (0, 1, 7, 30):
        d = rng.standard_normal((30, rank)) @ rng.standard_normal((rank, 50))
        assert difference_rank(a, a + d, "F32", "F32") == np.linalg.matrix_rank(d)
