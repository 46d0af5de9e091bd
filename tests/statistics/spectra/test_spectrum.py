"""A spectrum: zero lines removed, products from their factors, and the reasons for none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from weightscope.errors import Unmeasured
from weightscope.sketches import Decompose, MarginSums, Triangle
from weightscope.statistics.spectra.spectrum import Spectrum, of_product, spectrum

RNG = np.random.default_rng(0)
GAUSSIAN = RNG.standard_normal((24, 40))


@pytest.fixture
def spectrum_of(sketched):
    """`spectrum_of(matrix)`: from the sketches of a stored matrix."""

    def make(w, svd=False) -> Spectrum:
        sketches = sketched(w, svd)
        return spectrum(sketches[Decompose(svd)], sketches[MarginSums()])

    return make


def triangle(w) -> Triangle:
    """As Factor takes it."""
    return Triangle(np.linalg.qr(w, mode="r"))


@pytest.mark.parametrize("svd", [False, True])
@pytest.mark.parametrize(
    ("rows", "cols"), [([], []), ([0, 7, 23], []), ([3], [1, 2, 39]), (range(20), [5])], ids=str
)
def test_zero_lines_are_left_out(spectrum_of, svd, rows, cols) -> None:
    """Values, sides and variance are those of the non-zero lines; the shape is the stored one."""
    w = 0.5 + GAUSSIAN
    w[list(rows)], w[:, list(cols)] = 0, 0
    left = np.delete(np.delete(w, list(rows), 0), list(cols), 1)
    found, expected = spectrum_of(w, svd), np.linalg.svd(left, compute_uv=False)
    assert (found.m, found.n, found.shape) == (*left.shape, w.shape)
    assert found.method == ("svd" if svd else "gram")
    assert len(found.sigma) == len(expected)
    assert np.abs(found.sigma - expected).max() <= found.floor
    assert found.variance == pytest.approx(left.var(), rel=1e-12)
    r = min(left.shape)
    steps = r if svd else np.sqrt(r)
    assert found.floor == pytest.approx(expected[0] * steps * (2.0**-52 if svd else 2.0**-26))
    assert found.q == min(left.shape) / max(left.shape)


def test_a_zero_matrix_has_an_empty_spectrum(spectrum_of) -> None:
    """No value, no line, no variance, and no error."""
    found = spectrum_of(np.zeros((5, 9)))
    assert (len(found.sigma), found.m, found.n, found.variance, found.rank) == (0, 0, 0, 0.0, 0)
    assert (found.zero, found.low_rank, found.rounded) == (True, False, False)


@pytest.mark.parametrize(("spread", "known"), [(0.0, False), (1e-4, False), (0.1, True)])
def test_a_variance_of_rounding_alone_is_zero(spectrum_of, spread, known) -> None:
    """Equal elements have one."""
    w = 0.1 + 0.1 * spread * GAUSSIAN
    assert spectrum_of(w).variance == (pytest.approx(w.var(), rel=1e-6) if known else 0.0)


def test_above_has_the_values_above_the_floor(spectrum_of) -> None:
    """Squares of the four values of a rank-4 matrix, descending, without the twenty of rounding."""
    w = RNG.standard_normal((24, 4)) @ RNG.standard_normal((4, 40))
    found = spectrum_of(w)
    assert found.above == pytest.approx(np.linalg.svd(w, compute_uv=False)[:4] ** 2, rel=1e-9)


@pytest.mark.parametrize("svd", [False, True])
@pytest.mark.parametrize(
    ("scale", "reason"),
    [
        (np.nan, "^non-finite elements: no spectrum$"),
        (np.inf, "^non-finite elements: no spectrum$"),
        (1e200, "^values overflow or underflow when squared: no spectrum$"),
        (1e-200, "^values overflow or underflow when squared: no spectrum$"),
        (1e-155, "^values overflow or underflow when squared: no spectrum$"),
    ],
)
def test_a_matrix_without_a_spectrum_has_a_reason(spectrum_of, svd, scale, reason) -> None:
    """One non-finite element, or squares beyond float64, by either method."""
    w = (
        GAUSSIAN * scale
        if np.isfinite(scale)
        else np.where(GAUSSIAN.max() == GAUSSIAN, scale, GAUSSIAN)
    )
    with pytest.raises(Unmeasured, match=reason):
        spectrum_of(w, svd)


@pytest.mark.parametrize("scale", [1e150, 1e-140])
def test_far_units_have_a_spectrum(spectrum_of, scale) -> None:
    """As long as squares keep their digits."""
    assert spectrum_of(GAUSSIAN * scale).sigma / scale == pytest.approx(
        spectrum_of(GAUSSIAN).sigma, rel=1e-9
    )


@pytest.mark.parametrize("scale", [1.0, -0.25, 1e-6])
@pytest.mark.parametrize(
    ("m", "r", "n"), [(40, 4, 30), (30, 1, 40), (12, 30, 20), (5, 8, 30), (8, 8, 8)]
)
def test_a_product_has_the_values_of_the_dense_matrix(m, r, n, scale) -> None:
    """svd(scale B A), with zeros from min(r, m, n) on."""
    b, a = RNG.standard_normal((m, r)), RNG.standard_normal((r, n))
    found = of_product(triangle(b), triangle(a.T), scale, (m, n))
    expected = np.linalg.svd(scale * b @ a, compute_uv=False)
    assert (found.method, found.shape, len(found.values)) == ("factors", (m, n), min(m, n))
    assert np.abs(found.values - expected).max() <= 1e-13 * expected[0]
    assert (found.values[r:] == 0).all()
    assert found.floor == pytest.approx(expected[0] * 2**-52 * min(m, n, r))


def test_a_product_is_thin_or_not(sketched) -> None:
    """Thin factors add zeros, factors as thick as the matrix none; the diagonal is unknown."""
    for r, thin in ((4, True), (11, True), (12, False), (20, False)):
        b, a = RNG.standard_normal((12, r)), RNG.standard_normal((r, 30))
        found = spectrum(
            of_product(triangle(b), triangle(a.T), 1.0, (12, 30)), sketched(b @ a)[MarginSums()]
        )
        assert (found.low_rank, found.diagonal) == (thin, None)


@pytest.mark.parametrize("scale", [0.0, 1.0])
def test_a_product_with_a_zero_factor_is_zero(scale) -> None:
    """B of a fresh adapter, or alpha 0."""
    b = np.zeros((9, 2)) if scale else np.ones((9, 2))
    found = of_product(triangle(b), triangle(np.ones((7, 2))), scale, (9, 7))
    assert (found.values == np.zeros(7)).all()
    assert found.floor == 0


@pytest.mark.parametrize("scale", [1.0, np.nan, np.inf])
def test_a_product_beyond_float64_has_no_spectrum(sketched, scale) -> None:
    """Never a failure of LAPACK."""
    big = 1e200 if np.isfinite(scale) else 1.0
    found = of_product(triangle(big * np.eye(6, 2)), triangle(big * np.eye(5, 2)), scale, (6, 5))
    with pytest.raises(Unmeasured, match="values overflow or underflow when squared"):
        spectrum(found, sketched(np.eye(6, 5))[MarginSums()])


def test_non_finite_elements_of_factors_count(sketched) -> None:
    """Of both."""
    one, two = Triangle(np.eye(2), 1), Triangle(np.eye(2), 2)
    found = of_product(one, two, 1.0, (6, 5))
    assert found.nonfinite == 3
    with pytest.raises(Unmeasured, match="non-finite elements"):
        spectrum(found, sketched(np.eye(6, 5))[MarginSums()])


@pytest.mark.parametrize(("rank", "rounded"), [(4, True), (11, True), (12, False), (24, False)])
def test_rank_excludes_rounding_of_the_stored_type(spectrum_of, rank, rounded) -> None:
    """`rounded` where most values may be rounding."""
    w = (
        (RNG.standard_normal((24, rank)) @ RNG.standard_normal((rank, 40)))
        .astype(np.float16)
        .astype(np.float64)
    )
    sketches = spectrum_of(w)
    assert sketches.rank == 24
    found = replace(sketches, eps=2.0**-10)
    assert (found.rank, found.rounded, found.zero) == (rank, rounded, False)
    assert found.floor < found.uncertain < found.sigma[rank - 1]
