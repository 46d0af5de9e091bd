"""Statistics that bins do not resolve are null with a reason; the others are accurate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from weightscope import fit
from weightscope.sketches.quantiles import robust_std
from weightscope.statistics.elements.filters import tiny_share, trimmed
from weightscope.statistics.elements.moments import l_kurtosis
from weightscope.statistics.elements.shape import beta_moment, weibull_k

NULL = (
    "best",
    "beta",
    "ks_normal",
    "weibull_k",
    "tiny_share",
    "robust_std",
    "l_kurtosis",
    "trimmed_std",
    "pattern",
    "beta_moment",
)

BALANCED = (
    "balanced_kurtosis",
    "balanced_kurtosis_null",
    "balanced_beta",
    "balanced_beta_null",
    "balanced_ks_normal",
    "row_scale_spread",
    "row_scale_spread_null",
    "row_scale_spread_score",
    "col_scale_spread",
    "col_scale_spread_null",
    "col_scale_spread_score",
)


def _row(x: torch.Tensor) -> dict[str, object]:
    return dict(fit({"h.0.mlp.weight": x}).rows[0])


@pytest.fixture
def noise() -> np.ndarray:
    """More weights than are counted by value."""
    return np.random.default_rng(5).standard_normal((300, 300))


@pytest.mark.parametrize(("scale", "shift"), [(1e60, 0.0), (1e-60, 0.0), (1e-3, 1.0), (1e-6, 1.0)])
def test_unresolved_statistics_are_null_with_a_reason(
    noise: np.ndarray, scale: float, shift: float
) -> None:
    """Beyond float32's range, or with a mean of 1,000 std, moments are right and the rest null."""
    x = noise * scale + shift
    row = _row(torch.from_numpy(x))
    assert row["std"] == pytest.approx(x.std(), rel=1e-6)
    assert {name: row[name] for name in NULL} == dict.fromkeys(NULL)
    assert "bins are too wide" in str(row["note"])


def test_bf16_stored_as_f32_has_the_statistics_of_bf16(noise: np.ndarray) -> None:
    """A large float32 tensor that came from bf16 has the cells of bf16, and so its numbers."""
    narrow = torch.from_numpy(noise * 0.02).bfloat16()
    wide, stored = _row(narrow.float()), _row(narrow)
    assert wide["distinct"] == len(narrow.float().unique())
    assert {k: v for k, v in wide.items() if k not in ("dtype", "row_spread", "col_spread")} == {
        k: v for k, v in stored.items() if k not in ("dtype", "row_spread", "col_spread")
    }


NEAR = {
    "beta_moment": 2e-4,
    "weibull_k": 6e-4,
    "robust_std": 6e-4,
    "trimmed_std": 2e-3,
    "trimmed_kurtosis": 0.03,
    "l_kurtosis": 2e-4,
    "tiny_share": 2e-5,
}
LAWS = {
    "gaussian": lambda rng, n: rng.normal(size=n),
    "t3": lambda rng, n: rng.standard_t(3, n),
    "far mean": lambda rng, n: rng.normal(15, 1, n),
    "lognormal": lambda rng, n: rng.lognormal(size=n),
}


def _statistics(counts) -> dict[str, float | None]:
    return {
        "beta_moment": beta_moment(counts),
        "weibull_k": weibull_k(counts),
        "robust_std": robust_std(counts),
        "l_kurtosis": l_kurtosis(counts),
        "tiny_share": tiny_share(counts),
        **trimmed(counts),
    }


@pytest.mark.parametrize("law", LAWS)
def test_bins_are_as_accurate_as_documented(counts_of, law: str) -> None:
    """Statistics of cells 0.8% wide against those of the elements."""
    x = LAWS[law](np.random.default_rng(10), 200_000)
    exact, binned = _statistics(counts_of(x)), _statistics(counts_of(x, bins=True))
    for name, near in NEAR.items():
        size = 1 if name in ("trimmed_kurtosis", "l_kurtosis", "tiny_share") else exact[name] or 1
        allowed = (
            None if exact[name] is None else pytest.approx(exact[name], rel=0, abs=near * size)
        )
        assert binned[name] == allowed, name


@pytest.mark.parametrize("mean", [5.0, 30.0, 100.0])
def test_ks_does_not_guess_inside_wide_cells(noise: np.ndarray, mean: float) -> None:
    """The distribution is compared at edges alone: ks is at most that of the weights themselves."""
    x = (noise + mean).astype(np.float32)
    true = stats.kstest(
        x.ravel().astype(np.float64),
        "norm",
        (x.mean(dtype=np.float64), x.std(dtype=np.float64)),
        method="asymp",  # the statistic is the same
    )
    assert 0 < float(_row(torch.from_numpy(x))["ks_normal"]) <= true.statistic + 1e-5  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e-170])
def test_overflowing_squares_stop_nothing(scale: float) -> None:
    """Products of extreme float64 weights over- or underflow: statistics are scale-free or null."""
    plain = np.random.default_rng(6).standard_normal((100, 100))
    row, one = _row(torch.from_numpy(plain * scale)), _row(torch.from_numpy(plain))
    for name in ("beta_moment", "lag_row", "lag_col"):
        assert row[name] is None or row[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9)


def test_spread_of_iid_elements_holds_for_any_mean() -> None:
    """The expected spread shrinks as the spread itself where the mean is a million std."""
    x = torch.from_numpy(1 + 1e-6 * np.random.default_rng(7).standard_normal((200, 100)))
    row = _row(x)
    assert row["row_spread_iid"] == pytest.approx(1e-6 / 100**0.5, rel=0.02)
    assert abs(float(row["row_spread_score"])) < 3  # type: ignore[arg-type]


def test_shapes_leave_out_zeros_only_where_they_are_an_excess() -> None:
    """Shapes and fits leave out pruned weights alike, and no zeros of a lattice."""
    g = np.random.default_rng(8).standard_normal((200, 200))
    pruned = np.where(np.random.default_rng(9).random(g.shape) < 0.3, 0.0, g)
    row = _row(torch.from_numpy(pruned))
    assert row["weibull_k"] == pytest.approx(1.205, abs=0.03)
    assert row["beta_moment"] == pytest.approx(2.0, abs=0.06)
    assert "exact zeros left out" in str(row["note"])
    lattice = _row(torch.from_numpy(np.rint(2 * g).astype(np.int8)))
    assert float(lattice["zeros"]) > 0.1 * g.size  # type: ignore[arg-type]
    assert "exact zeros" not in str(lattice["note"])


def test_a_large_constant_is_one(noise: np.ndarray) -> None:
    """A value of more weights than are counted by value is one distinct value."""
    row = _row(torch.full(noise.shape, 0.3))
    assert (row["distinct"], row["pattern"], row["std"]) == (1, "constant", 0.0)
    assert "1 distinct value: a fit" in str(row["note"])


def test_a_matrix_with_holes_is_not_balanced() -> None:
    """Ones with one NaN have no scales: a NaN in a row is no scale of the row."""
    x = torch.ones(50, 50)
    x[3, 4] = float("nan")
    row = dict(fit({"h.0.mlp.weight": x}, balance=True).rows[0])
    assert {k: v for k, v in row.items() if "balanced" in k or "_scale_" in k} == dict.fromkeys(
        BALANCED
    )
    assert "not balanced" in str(row["note"])
