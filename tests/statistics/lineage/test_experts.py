"""Experts copied or cut from a dense layer: planted ones, and unrelated ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.statistics.lineage.experts import among_experts, from_dense, set_cosines


def upcycled(granularity: int, noise: float, seed: int = 0, count: int = 8):
    """Experts (E, 16, 32) from shards (G, 16, 32), with noise of that many sigma."""
    rng = np.random.default_rng(seed)
    shards = rng.standard_normal((granularity, 16, 32))
    experts = shards[np.arange(count) % granularity]
    return experts + noise * rng.standard_normal(experts.shape), shards


def bfloat16(x: np.ndarray) -> np.ndarray:
    """Rounded to bf16."""
    rounded: np.ndarray = torch.from_numpy(x).to(torch.bfloat16).double().numpy()
    return rounded


@pytest.mark.parametrize("granularity", [1, 2, 4])
@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0, 3.0])
def test_experts_are_found_beside_their_dense_layer(granularity, noise) -> None:
    """The cosine is 1/sqrt(1 + noise^2), of bf16 too; other shards are near 0."""
    experts, shards = upcycled(granularity, noise)
    rule = from_dense(bfloat16(experts), bfloat16(shards))
    assert rule is not None
    assert rule.granularity == granularity
    assert rule.name == ("copied" if granularity == 1 else "sharded")
    assert rule.cosine == pytest.approx((1 + noise**2) ** -0.5, abs=0.05)
    assert rule.runner_up < 0.1


@pytest.mark.parametrize("granularity", [1, 2, 4])
@pytest.mark.parametrize("noise", [0.0, 0.1, 1.0])
def test_experts_are_found_among_themselves(granularity, noise) -> None:
    """The cosine of two copies is 1/(1 + noise^2); the least granularity is named."""
    rule = among_experts(upcycled(granularity, noise)[0])
    assert rule is not None
    assert rule.granularity == granularity
    assert rule.cosine == pytest.approx(1 / (1 + noise**2), abs=0.05)


def test_noise_of_three_sigma_hides_equal_experts_from_each_other() -> None:
    """Pairs have a cosine of 0.10, which is no rule; the dense layer still names them."""
    experts, shards = upcycled(1, 3.0)
    assert among_experts(experts) is None
    pairs = set_cosines(experts, experts)[np.triu_indices(8, 1)]
    assert pairs.mean() == pytest.approx(0.10, abs=0.03)
    assert from_dense(experts, shards).name == "copied"


def test_router_rows_are_equal_modulo_granularity() -> None:
    """One row for each expert; rows that are all alike name no granularity."""
    rows = np.random.default_rng(1).standard_normal((2, 1, 64))
    router = rows[np.arange(8) % 2]
    assert among_experts(router).granularity == 2
    assert among_experts(router + 0.3 * np.random.default_rng(2).standard_normal(router.shape))
    assert among_experts(np.ones((8, 1, 64))) is None


def test_a_common_direction_is_no_copy() -> None:
    """Experts of unrelated neurons with one large mean: other rows are as similar."""
    rng = np.random.default_rng(3)
    experts = rng.standard_normal((4, 16, 32)) + 2 * rng.standard_normal(32)
    assert set_cosines(experts, experts).min() > 0.5
    assert among_experts(experts) is None
    assert from_dense(experts, experts[:1] * 0 + rng.standard_normal((1, 16, 32)) + 2) is None


def test_unrelated_experts_have_no_rule() -> None:
    """Of 80 seeded draws of experts, routers and dense layers."""
    for seed in range(80):
        rng = np.random.default_rng(seed)
        experts = rng.standard_normal((4, 8, 24))
        assert among_experts(experts) is None
        assert among_experts(rng.standard_normal((8, 1, 48))) is None
        for granularity in (1, 2):
            assert from_dense(experts, rng.standard_normal((granularity, 8, 24))) is None


def test_odd_experts_end_no_run() -> None:
    """None, one expert, zeros, NaN and huge elements."""
    shards = np.random.default_rng(4).standard_normal((2, 4, 6))
    assert from_dense(shards[:0], shards) is None
    assert from_dense(shards[:, :1], shards[:, :1]) is None
    assert among_experts(shards[:0]) is None
    assert among_experts(shards[:1]) is None
    assert among_experts(0 * shards) is None
    assert from_dense(1e200 * shards, shards).granularity == 2
    holed = shards.copy()
    holed[0, 0] = np.nan
    assert from_dense(holed, shards).granularity == 2
