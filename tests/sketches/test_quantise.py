"""Quantise equals numpy in float64, block by block; values of the grid have no error."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from scipy.special import erf

from weightscope.dtypes import DTYPES
from weightscope.sketches import SCHEMES, QuantisationError, QuantisationErrors, Quantise

RNG = np.random.default_rng(0)
E2M1 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
E4M3 = np.array(
    [k * 2.0**-9 if k < 8 else (1 + k % 8 / 8) * 2.0 ** (k // 8 - 7) for k in range(127)]
)
TOGETHER = Quantise(tuple(SCHEMES))
GRIDS = {
    "int8": np.arange(128.0),
    "int4_g128": np.arange(8.0),
    "int4_g32": np.arange(8.0),
    "fp8_e4m3": E4M3,
    "fp8_e4m3_b128": E4M3,
    "mxfp4": E2M1,
    "nvfp4": E2M1,
}
SIDES = {
    "int8": (1, 10**9),
    "int4_g128": (1, 128),
    "int4_g32": (1, 32),
    "fp8_e4m3": (10**9, 10**9),
    "fp8_e4m3_b128": (128, 128),
    "mxfp4": (1, 32),
    "nvfp4": (1, 16),
}
MATRICES = {
    "gaussian": RNG.normal(0, 0.02, (140, 270)),
    "heavy": RNG.standard_t(2, (40, 150)),
    "outliers": np.where(RNG.random((40, 140)) < 0.004, 300.0, 1.0) * RNG.normal(size=(40, 140)),
    "uneven rows": RNG.normal(size=(70, 50)) * RNG.lognormal(0, 4, (70, 1)),
    "tiny": 1e-30 * RNG.normal(size=(40, 50)),
    "huge": 1e30 * RNG.normal(size=(40, 50)),
    "half zero": RNG.normal(size=(33, 129)) * (np.arange(129) > 60),
    "zero": np.zeros((9, 40)),
    "one element": np.array([[0.37]]),
    "one row": RNG.normal(size=(1, 777)),
    "one column": RNG.normal(size=(777, 1)),
}


def nearest(y: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The nearer of two neighbours, of two equally near the even code; clipped at the largest."""
    above = np.clip(np.searchsorted(grid, y), 1, len(grid) - 1)
    low, high = y - grid[above - 1], grid[above] - y
    return grid[np.where((high < low) | ((high == low) & (above % 2 == 0)), above, above - 1)]


def scales(scheme: str, peaks: np.ndarray, top: float) -> np.ndarray:
    """As the schemes are defined, of the largest of each block, which is not 0, and of all."""
    if scheme == "mxfp4":
        return 2.0 ** np.maximum(np.frexp(peaks)[1] - 1 - 2, -127)
    if scheme == "nvfp4":
        ratios = 448 * peaks / top  # absmax / (6 s), rounded once
        return nearest(ratios, E4M3) * top / (6 * 448)
    return peaks / GRIDS[scheme][-1]


def peaks_of(size: np.ndarray, block: tuple[int, int]) -> np.ndarray:
    """The largest of the block of each element."""
    rows, cols = size.shape
    high, wide = min(block[0], rows), min(block[1], cols)
    padded = np.pad(size, ((0, -rows % high), (0, -cols % wide)))
    blocks = padded.reshape(len(padded) // high, high, -1, wide)
    peaks = np.broadcast_to(blocks.max((1, 3), keepdims=True), blocks.shape)
    return peaks.reshape(padded.shape)[:rows, :cols]


def reference(scheme: str, w: np.ndarray) -> QuantisationError:
    """Non-finite elements are excluded, and blocks of zeros have no error."""
    finite = np.isfinite(w)
    size = np.where(finite, np.abs(w), 0)
    peaks, top = peaks_of(size, SIDES[scheme]), size.max()
    x = size[peaks > 0]
    s = scales(scheme, peaks[peaks > 0], top)
    rounded = s * nearest(x / np.where(s > 0, s, 1), GRIDS[scheme])
    error = ((rounded - x) ** 2).sum()
    clipped = int((x > s * GRIDS[scheme][-1] * (1 + 1e-9)).sum())
    return QuantisationError(int(finite.sum()), float((size**2).sum()), float(error), clipped)


def quantised(
    lab, scheme: str, stored: torch.Tensor, dtype: str, axis=0, cuts=()
) -> list[QuantisationError]:
    """The error of each matrix by one scheme."""
    return [
        errors.of[scheme] for errors in lab.take(Quantise((scheme,)), stored, dtype, axis, cuts)
    ]


@pytest.fixture(scope="module")
def energies(lab):
    """The errors of every scheme for a matrix in a type, cut and stored in four ways.

    Taken together: that each scheme alone gives the same bits is a test below.
    """

    @cache
    def taken(name: str, dtype: str):
        stored = lab.numbers(dtype, MATRICES[name][None])
        turned = stored.mT.contiguous().mT
        ways = (
            (stored, 0, (8, 24, 200)),
            (stored, 1, (5, 32, 100)),
            (turned, 1, (40, 128)),
            (turned, 0, (7,)),
        )
        results = [lab.take(TOGETHER, x, dtype, axis, cuts)[0].of for x, axis, cuts in ways]
        return lab.values(dtype, stored)[0], results

    return taken


@pytest.fixture(scope="module")
def of_bits(lab):
    """The values of any bits of a type, and the errors of every scheme for them."""

    @cache
    def taken(dtype: str):
        stored = lab.bits(dtype, (1, 30, 70), 3)
        if dtype == "F64":
            stored = torch.from_numpy(np.random.default_rng(1).normal(size=(1, 30, 70)))
        return lab.values(dtype, stored)[0], lab.take(TOGETHER, stored, dtype, cuts=(16,))[0].of

    return taken


def agree(result: QuantisationError, expected: QuantisationError) -> None:
    """Within 0.01 dB, and far within where the signal is meant; counts exactly."""
    assert (result.elements, result.clipped) == (expected.elements, expected.clipped)
    assert result.signal == pytest.approx(expected.signal, rel=1e-5, abs=0)
    assert result.error == pytest.approx(
        expected.error, rel=10**0.001 - 1, abs=1e-13 * expected.signal
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", MATRICES)
def test_energies_are_those_of_plain_numpy(energies, scheme, name) -> None:
    """Whatever the values, the shape, the cut and the layout, for bf16 and for float32."""
    for dtype in ("BF16", "F32"):
        values, ways = energies(name, dtype)
        expected = reference(scheme, values)
        for errors in ways:
            agree(errors[scheme], expected)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", [name for name, kind in DTYPES.items() if kind.kind != "none"])
def test_every_type_is_quantised(of_bits, scheme, dtype) -> None:
    """Any bits at all; float64 beyond the roots of its range has no energies to compare."""
    values, errors = of_bits(dtype)
    agree(errors[scheme], reference(scheme, values))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_non_finite_elements_do_not_count(lab, scheme) -> None:
    """NaN and Inf do not affect the scale of a row or group, which is 0 without other elements."""
    w = RNG.normal(size=(2, 40, 96))
    w[0, 3, 5], w[0, 3, 6], w[0, 9, 95], w[0, 20] = np.nan, np.inf, -np.inf, np.nan
    result = quantised(lab, scheme, torch.from_numpy(w).float(), "F32", 0, (8,))
    for i in range(2):
        agree(result[i], reference(scheme, w[i].astype(np.float32).astype(float)))
    assert result[0].elements == 40 * 96 - 99
    none = quantised(lab, scheme, torch.full((1, 5, 5), torch.nan), "F32")[0]
    assert none == QuantisationError()


def test_int8_of_a_uniform_grid_is_exact(lab) -> None:
    """127 steps to the largest of each row."""
    w = RNG.integers(-127, 128, (1, 20, 300)).astype(float)
    w[:, :, 7] = -127
    w *= 2.0 ** RNG.integers(-9, 9, (1, 20, 1))
    result = quantised(lab, "int8", torch.from_numpy(w).float(), "F32")[0]
    assert result.error == 0 < result.signal


@pytest.mark.parametrize("scheme", SCHEMES)
def test_values_of_the_grid_have_no_error(lab, scheme) -> None:
    """Elements of its grid, the largest in each block, on scales that the scheme has."""
    grid, rows = GRIDS[scheme], (1, 16, 1)
    w = RNG.choice(grid, (1, 16, 64)) * RNG.choice([-1, 1], (1, 16, 64))
    w[..., ::16] = grid[-1]
    if scheme == "nvfp4":
        w *= np.where(np.arange(16) == 5, 448, RNG.choice(E4M3[1:], 16)).reshape(rows)
    elif "fp8" not in scheme:
        w *= 2.0 ** RNG.integers(-20, 20, rows)
    result = quantised(lab, scheme, torch.from_numpy(w).float(), "F32", 1, (24,))[0]
    assert result.error == 0 < result.signal
    assert result.clipped == 0


def test_a_gaussian_has_the_error_of_a_fine_step(lab) -> None:
    """s^2/12 with s = absmax/127 of 4096 elements: E absmax^2 by the law of the largest."""
    x = np.linspace(0, 8, 20_001)
    square = np.trapezoid(2 * x * (1 - erf(x / 2**0.5) ** 4096), x)
    stored = lab.numbers("BF16", RNG.normal(size=(1, 256, 4096)))
    result = quantised(lab, "int8", stored, "BF16", cuts=(128,))[0]
    assert 10 * np.log10(result.signal / result.error) == pytest.approx(
        10 * np.log10(12 * 127**2 / square), abs=0.1
    )


def test_blocks_that_a_scheme_cannot_scale_become_zero(lab) -> None:
    """An nvfp4 block 2^20 below the tensor's peak has scale 0: its elements are clipped to 0."""
    w = torch.zeros(1, 2, 16)
    w[0, 0, 0], w[0, 1, :5] = 6 * 448, 2.0**-12
    result = quantised(lab, "nvfp4", w, "F32")[0]
    assert result == QuantisationError(32, (6 * 448.0) ** 2 + 5 * 2.0**-24, 5 * 2.0**-24, 5)


def test_errors_add_as_energies(lab) -> None:
    """Two tensors add to one of twice the size; energies have no position."""
    w = torch.from_numpy(RNG.normal(size=(2, 10, 64)))
    a, b = quantised(lab, "int4_g32", w, "F64")
    both = quantised(lab, "int4_g32", w.reshape(1, 20, 64), "F64")[0]
    assert (a + b).elements == both.elements
    assert (a + b).error == pytest.approx(both.error, rel=1e-12)
    assert QuantisationError() + a == a
    errors = QuantisationErrors({"int8": a, "mxfp4": b})
    assert errors.forget() is errors
    assert (errors + errors).of == {"int8": a + a, "mxfp4": b + b}


def test_only_cut_blocks_are_in_the_state(lab) -> None:
    """Tiles of whole rows have the scales of their groups: one pass, and no state by block."""
    stored = torch.randn(1, 64, 512)
    for scheme in SCHEMES:
        measure = Quantise((scheme,))
        state = measure.start(1, (64, 512), "F32", "cpu")
        for box in lab.boxes((64, 512), 0, [32]):
            state = measure.add(state, lab.tile(stored, "F32", box))
        kept = sum(x.numel() for x in state["peaks"].values())
        assert kept == {"fp8_e4m3": 1, "fp8_e4m3_b128": 4, "nvfp4": 1}.get(scheme, 0)
        assert measure.bytes((64, 512)) >= 4 * kept


@pytest.mark.parametrize("axis", [0, 1])
def test_schemes_together_equal_each_alone(lab, axis) -> None:
    """Sharing changes no bit."""
    stored = torch.from_numpy(RNG.normal(size=(2, 130, 200)))
    stored[1, 5, 5] = torch.nan
    together = lab.take(Quantise(tuple(SCHEMES)), stored, "F64", axis, (40, 120))
    for scheme in SCHEMES:
        assert quantised(lab, scheme, stored, "F64", axis, (40, 120)) == [
            errors.of[scheme] for errors in together
        ]


def test_a_long_row_is_summed_in_runs(lab) -> None:
    """float32 alone would lose a thousandth of the energy of two million equal elements."""
    stored = torch.full((1, 1, 1 << 21), 1.1)
    stored[0, 0, 0] = 127.0
    result = quantised(lab, "int8", stored, "F32")[0]
    assert result.signal == pytest.approx(
        127**2 + ((1 << 21) - 1) * float(torch.tensor(1.1)) ** 2, rel=1e-4
    )
    assert result.error == pytest.approx(
        ((1 << 21) - 1) * (float(torch.tensor(1.1)) - 1) ** 2, rel=1e-4
    )
