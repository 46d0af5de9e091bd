"""Ranks, norms and evenness against numpy, scipy and matrices whose rank is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg, stats

from tests.noted import told
from weightscope.sketches.grid import grid
from weightscope.statistics.elements.spacing import eps_of
from weightscope.statistics.spectra.ranks import NAMES, rank_of_share, ranks
from weightscope.statistics.spectra.spectrum import ZERO


def _sigma(w: np.ndarray) -> np.ndarray:
    return np.linalg.svd(np.asarray(w, np.float64), compute_uv=False)


def _gram_sigma(w: np.ndarray) -> tuple[np.ndarray, float]:
    """Singular values by the Gram method and its floor, sigma_1 sqrt(r 2^-52)."""
    small = w if w.shape[0] <= w.shape[1] else w.T
    sigma = np.sqrt(np.maximum(np.linalg.eigvalsh(small @ small.T)[::-1], 0))
    return sigma, float(sigma[0]) * np.sqrt(len(sigma) * 2.0**-52)


def _read(w: np.ndarray, dtype: str = "F64", floor: float = 1e-12) -> dict[str, object]:
    sigma = _sigma(w)
    return dict(ranks(sigma, *w.shape, floor * (sigma[0] if len(sigma) else 0), eps_of(dtype)))


def _stored(w: np.ndarray, dtype: str) -> np.ndarray:
    """The matrix as that type stores it."""
    if dtype in ("F64", "F32", "F16"):
        return w.astype({"F64": np.float64, "F32": np.float32, "F16": np.float16}[dtype]).astype(
            np.float64
        )
    table = grid(dtype)
    return table.value[np.searchsorted(table.high[:-1], w)]


@pytest.mark.parametrize("shape", [(40, 40), (30, 70), (90, 20)])
def test_sizes_and_shares_equal_numpy_and_scipy(shape):
    """Norms, condition, entropy and variation equal those of numpy and scipy."""
    w = np.random.default_rng(1).standard_t(4, shape)
    sigma, got = _sigma(w), _read(w)
    energy = np.cumsum(sigma**2) / (sigma**2).sum()
    assert got == pytest.approx(
        {
            "sigma_max": np.linalg.norm(w, 2),
            "sigma_min": np.linalg.norm(w, -2),
            "fro": np.linalg.norm(w),
            "stable_rank": (np.linalg.norm(w) / np.linalg.norm(w, 2)) ** 2,
            "effective_rank": np.exp(stats.entropy(sigma)),
            "rank": np.linalg.matrix_rank(w),
            "condition": np.linalg.cond(w),
            "rank_90": int((energy < 0.9).sum()) + 1,
            "rank_99": int((energy < 0.99).sum()) + 1,
            "log_norm": np.log10(np.linalg.norm(w) ** 2),
            "orthogonality": stats.variation(sigma),
        },
        rel=1e-10,
    )
    assert tuple(got) == NAMES


@pytest.mark.parametrize("dtype", ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"])
@pytest.mark.parametrize("shape", [(16, 16), (32, 512), (128, 128)])
def test_rank_four_is_four_in_every_type_and_by_both_methods(dtype, shape):
    """Rounding fills up the spectrum, but stays below the rounding of the stored type."""
    rng = np.random.default_rng(2)
    w = _stored(rng.normal(size=(shape[0], 4)) @ rng.normal(size=(4, shape[1])), dtype)
    sigma, floor = _gram_sigma(w)
    assert ranks(sigma, *shape, floor, eps_of(dtype))["rank"] == 4
    got = _read(w, dtype)
    message = "condition is null" if got["condition"] is None else "condition is uncertain"
    assert got["rank"] == 4
    assert (
        told(got) == f"{message}: {min(shape) - 4} of {min(shape)} singular values may be rounding"
    )
    if dtype == "BF16":
        assert got["condition"] == pytest.approx(np.linalg.cond(w), rel=1e-6)
        assert np.linalg.matrix_rank(w) == min(shape)


@pytest.mark.parametrize("dtype", ["F32", "BF16"])
def test_noise_has_full_rank(dtype):
    """A long Gaussian matrix uses all its dimensions, whatever its type."""
    w = _stored(np.random.default_rng(3).normal(size=(128, 512)), dtype)
    assert _read(w, dtype)["rank"] == 128


@pytest.mark.parametrize(
    "w", [np.eye(50), linalg.hadamard(64) * 0.3, stats.ortho_group.rvs(100, random_state=1)]
)
def test_orthogonal_matrices_are_even(w):
    """All singular values equal: every rank is the side, and rounding changes no share."""
    n = len(w)
    got = _read(w)
    assert (got["rank"], got["rank_90"], got["rank_99"]) == (n, -(-n * 9 // 10), -(-n * 99 // 100))
    assert [got["stable_rank"], got["effective_rank"], got["condition"]] == pytest.approx([n, n, 1])
    assert got["orthogonality"] == pytest.approx(0, abs=1e-12)


def test_half_of_the_rows_zero():
    """Without its zero rows the matrix has full rank and a condition; with them a null."""
    w = np.random.default_rng(4).normal(size=(32, 64))
    padded = np.concatenate((w, np.zeros((32, 64))))
    reduced, whole = _read(w), _read(padded)
    assert (reduced["rank"], whole["rank"]) == (32, 32)
    assert reduced["condition"] == pytest.approx(np.linalg.cond(w))
    assert (whole["condition"], told(whole)) == (
        None,
        "condition is null: 32 of 64 singular values may be rounding",
    )
    same = ("sigma_max", "fro", "stable_rank", "effective_rank", "rank_90", "rank_99", "log_norm")
    assert [whole[c] for c in same] == pytest.approx([reduced[c] for c in same])


@pytest.mark.parametrize("sigma", [np.zeros(0), np.zeros(6)])
def test_a_zero_matrix_has_rank_zero_and_no_ratio(sigma):
    """Sizes and rank are 0 and ratios null, with the reason; also without any line."""
    got = dict(ranks(sigma, len(sigma), len(sigma), 0.0, eps_of("F32")))
    sizes = {"sigma_max": 0.0, "sigma_min": 0.0, "fro": 0.0, "rank": 0, "notes": (ZERO,)}
    assert got == dict.fromkeys(NAMES) | sizes


@pytest.mark.parametrize(
    ("last", "condition"), [(2e-6, 5e5), (1e-6, None), (1e-9, None), (0.0, None)]
)
def test_condition_ends_at_the_floor(last, condition):
    """A least value at the floor has no condition, neither a number nor infinity."""
    got = ranks(np.array([1.0, last]), 2, 2, floor=1e-6, eps=0.0)
    assert got["condition"] == (condition and pytest.approx(condition))
    assert told(got) == (
        "" if condition else "condition is null: 1 of 2 singular values may be rounding"
    )
    assert got["rank"] == (2 if condition else 1)


@pytest.mark.parametrize("unit", [1e-300, 1e-6, 1e150])
def test_the_unit_of_the_weights_changes_no_rank(unit):
    """Counts and ratios are those of W at any scale; sizes scale with it."""
    w = np.random.default_rng(5).normal(size=(20, 30))
    sigma = _sigma(w)
    want = ranks(sigma, 20, 30, 1e-8 * sigma[0], eps_of("BF16"))
    got = ranks(sigma * unit, 20, 30, 1e-8 * sigma[0] * unit, eps_of("BF16"))
    sizes = {name: want[name] * unit for name in ("sigma_max", "sigma_min", "fro")}
    assert got == pytest.approx(
        dict(want) | sizes | {"log_norm": want["log_norm"] + 2 * np.log10(unit)}, rel=1e-9
    )


@pytest.mark.parametrize("n", [1, 10, 100, 1090, 1130, 4090])
@pytest.mark.parametrize("error", [0.0, 1e-14])
def test_equal_values_share_alike(n, error):
    """n equal values need exactly ceil(0.9 n), also where they differ in the last digits."""
    sigma = np.sort(1 + error * np.random.default_rng(n).normal(size=(20, n)))[:, ::-1]
    assert {rank_of_share(s, 0.9) for s in sigma} == {-(-n * 9 // 10)}
