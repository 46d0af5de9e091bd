"""Numbers that bins cannot show are null with a reason; those they can show are not spoilt by how bins were filled."""

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
    "col_scale_spread",
    "col_scale_spread_null",
)


def _row(x: torch.Tensor) -> dict[str, object]:
    return dict(fit({"h.0.mlp.weight": x}).rows[0])


@pytest.fixture
def noise() -> np.ndarray:
    """More weights than are counted by value."""
    return np.random.default_rng(5).standard_normal((300, 300))


@pytest.mark.parametrize(("scale", "shift"), [(1e60, 0.0), (1e-60, 0.0), (1e-3, 1.0), (1e-6, 1.0)])
def test_what_bins_cannot_show_is_null_and_says_so(
    noise: np.ndarray, scale: float, shift: float
) -> None:
    """Beyond float32's range, or with a mean of a thousand std, moments are right and everything else is null."""
    x = noise * scale + shift
    row = _row(torch.from_numpy(x))
    assert row["std"] == pytest.approx(x.std(), rel=1e-6)
    assert {name: row[name] for name in NULL} == dict.fromkeys(NULL)
    assert "bins too wide" in str(row["note"])


def test_bf16_stored_wide_reads_as_bf16(noise: np.ndarray) -> None:
    """A large float32 tensor that came from bf16 has the cells of bf16, and so its numbers."""
    narrow = torch.from_numpy(noise * 0.02).bfloat16()
    wide, stored = _row(narrow.float()), _row(narrow)
    assert wide["distinct"] == len(narrow.float().unique())
    assert {k: v for k, v in wide.items() if k not in ("dtype", "row_spread", "col_spread")} == {
        k: v for k, v in stored.items() if k not in ("dtype", "row_spread", "col_spread")
    }


NEAR = {"beta_moment": 2e-4, "weibull_k": 6e-4, "robust_std": 6e-4, "trimmed_std": 2e-3, "trimmed_kurtosis": 0.03,
        "l_kurtosis": 2e-4, "tiny_share": 2e-5}  # fmt: skip


@pytest.mark.parametrize("law", ["gaussian", "t3", "far mean", "lognormal"])
def test_bins_are_as_near_as_the_page_says(counts_of, law: str) -> None:
    """Readings of cells 0.8% wide beside those of the elements."""
    rng = np.random.default_rng(10)
    x = {"gaussian": rng.normal, "t3": lambda size: rng.standard_t(3, size),
         "far mean": lambda size: rng.normal(15, 1, size), "lognormal": rng.lognormal}[law](size=200_000)  # fmt: skip
    read = lambda c: {"beta_moment": beta_moment(c), "weibull_k": weibull_k(c), "robust_std": robust_std(c),
                      "l_kurtosis": l_kurtosis(c), "tiny_share": tiny_share(c)} | trimmed(c)  # fmt: skip
    exact, binned = read(counts_of(x)), read(counts_of(x, bins=True))
    for name, near in NEAR.items():
        size = 1 if name in ("trimmed_kurtosis", "l_kurtosis", "tiny_share") else exact[name] or 1
        allowed = (
            None if exact[name] is None else pytest.approx(exact[name], rel=0, abs=near * size)
        )
        assert binned[name] == allowed, name


@pytest.mark.parametrize("mean", [5.0, 30.0, 100.0])
def test_ks_does_not_guess_inside_wide_cells(noise: np.ndarray, mean: float) -> None:
    """A distribution known only at edges is compared there: never further off than the weights themselves are."""
    x = (noise + mean).astype(np.float32)
    true = stats.kstest(
        x.ravel().astype(np.float64), "norm", (x.mean(dtype=np.float64), x.std(dtype=np.float64))
    )
    assert 0 < float(_row(torch.from_numpy(x))["ks_normal"]) <= true.statistic + 1e-5  # type: ignore[arg-type]


@pytest.mark.parametrize("scale", [1e150, 1e-150, 1e-170])
def test_squares_that_leave_float64_stop_nothing(scale: float) -> None:
    """Products of extreme float64 weights over- or underflow; what survives is scale-free or null."""
    plain = np.random.default_rng(6).standard_normal((100, 100))
    row, one = _row(torch.from_numpy(plain * scale)), _row(torch.from_numpy(plain))
    for name in ("beta_moment", "lag_row", "lag_col"):
        assert row[name] is None or row[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9)


def test_spread_of_iid_elements_holds_for_any_mean() -> None:
    """sqrt((kurtosis + 2)/(4n)) uses the printed kurtosis also where the mean is a million std."""
    x = torch.from_numpy(1 + 1e-6 * np.random.default_rng(7).standard_normal((200, 100)))
    row = _row(x)
    assert row["row_spread_iid"] == pytest.approx(
        ((float(row["kurtosis"]) + 2) / 400) ** 0.5, rel=1e-6
    )  # type: ignore[arg-type]


def test_zeros_leave_shapes_and_the_note_only_where_they_are_an_excess() -> None:
    """Pruned weights leave weibull_k and beta_moment and the fits alike; the zero of a lattice stays."""
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
    """One value that fills more weights than are counted by value is still known to be one."""
    row = _row(torch.full(noise.shape, 0.3))
    assert (row["distinct"], row["pattern"], row["std"]) == (1, "constant", 0.0)
    assert "1 distinct value: no law" in str(row["note"])


def test_a_matrix_with_holes_is_not_balanced() -> None:
    """Ones with one NaN have no scales: what a NaN does to its row is no finding."""
    x = torch.ones(50, 50)
    x[3, 4] = float("nan")
    row = dict(fit({"h.0.mlp.weight": x}, balance=True).rows[0])
    assert {k: v for k, v in row.items() if "balanced" in k or "_scale_" in k} == dict.fromkeys(
        BALANCED
    )
    assert "not balanced" in str(row["note"])
