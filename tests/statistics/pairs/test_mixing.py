"""Shares of a merge against numpy.linalg.lstsq, their errors against ordinary least squares."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from tests.sketches.vectors import products
from weightscope.notes import notes_of
from weightscope.sketches import VectorProducts
from weightscope.statistics.pairs import MIX_COLUMNS, mixing

D = np.random.default_rng(0).normal(size=(4, 30, 40))
NAMES = [column.name for column in MIX_COLUMNS]


def oracle(sources, merge):
    """Shares, errors and residual from the stacked vectors."""
    x = np.stack([d.ravel() for d in sources], axis=1)
    y = merge.ravel()
    shares = np.linalg.lstsq(x, y, rcond=None)[0]
    rest = np.linalg.norm(y - x @ shares)
    noise = rest**2 / (x.shape[0] - x.shape[1])
    errors = np.sqrt(noise * np.diagonal(np.linalg.inv(x.T @ x)))
    return shares, errors, rest / np.linalg.norm(y)


def check(sources, merge):
    """Rows are those of the oracle to 1e-9."""
    rows = mixing(products(*sources, merge))
    shares, errors, residual = oracle(sources, merge)
    assert len(rows) == len(sources)
    for i, row in enumerate(rows):
        assert set(row) == {*NAMES, "notes"}
        assert all(type(row[name]) is float for name in NAMES)
        assert row["mix"] == pytest.approx(shares[i], rel=1e-9, abs=1e-12)
        assert row["mix_se"] == pytest.approx(errors[i], rel=1e-9)
        assert row["mix_residual"] == pytest.approx(residual, rel=1e-9)
        assert row["notes"] == ()


@pytest.mark.parametrize(
    ("sources", "merge"),
    [
        (D[:1], D[1]),
        (D[:2], 0.3 * D[0] + 0.7 * D[1] + 0.1 * D[2]),
        (D[:3], D[0] - 2 * D[2] + 0.01 * D[3]),
        ([D[0], D[0] + 0.1 * D[1]], D[0] + D[2]),
        ([D[0], 1e-6 * D[1]], D[0] + D[1] + 0.1 * D[2]),
        (5 + D[:2], 5 + D[0] + 0.2 * D[2]),
    ],
)
def test_shares_errors_and_residual_are_those_of_least_squares(sources, merge):
    """One source and several, correlated, of other sizes, with a mean: there is no intercept."""
    check(sources, merge)


def test_sizes_of_deltas_do_not_matter():
    """Products of 1e300 and 1e-240 beside each other have the rank and the residual of others."""
    merge = D[0] + D[1] + 0.1 * D[2]
    expected = mixing(products(D[0], D[1], merge))
    sizes = (1e150, 1e-120)
    found = mixing(products(sizes[0] * D[0], sizes[1] * D[1], 1e20 * merge))
    for row, other, size in zip(found, expected, sizes, strict=True):
        for name in ("mix", "mix_se"):
            assert row[name] * size / 1e20 == pytest.approx(other[name], rel=1e-9)
        assert row["mix_residual"] == pytest.approx(other["mix_residual"], rel=1e-9)


@pytest.mark.parametrize("shares", [(0.3, 0.7), (1.0, 0.0), (-1.0, 2.5)])
def test_of_a_linear_merge_the_residual_is_rounding(shares):
    """It reads at most 1e-7, and shares are exact to 1e-12."""
    merge = shares[0] * D[0] + shares[1] * D[1]
    rows = mixing(products(D[0], D[1], merge))
    assert [row["mix"] for row in rows] == pytest.approx(shares, abs=1e-12)
    for row in rows:
        assert 0 <= row["mix_residual"] < 1e-7
        assert 0 <= row["mix_se"] < 1e-8


def test_shares_of_tensors_together_are_those_of_the_concatenation():
    """`--by model`: records add."""
    merge = 0.3 * D[0] + 0.7 * D[1] + 0.2 * D[2]
    total = VectorProducts.none(3)
    for rows in (slice(0, 4), slice(4, 30)):
        total = total + products(D[0, rows], D[1, rows], merge[rows])
    shares, errors, residual = oracle(D[:2], merge)
    for i, row in enumerate(mixing(total)):
        expected = (shares[i], errors[i], residual)
        assert tuple(row[name] for name in NAMES) == pytest.approx(expected, rel=1e-9)


def test_collinear_sources_have_no_share_and_others_keep_theirs():
    """A source beside its double, and a sum of two others: the residual is that of the span."""
    merge = D[0] + 0.5 * D[1] + 0.1 * D[3]
    for sources, open_rows in (
        ([D[0], 2 * D[0], D[1]], (0, 1)),
        ([D[0], D[1], D[2], D[0] - 3 * D[2]], (0, 2, 3)),
        ([D[0], D[0], D[0]], (0, 1, 2)),
    ):
        rows = mixing(products(*sources, merge))
        x = np.stack([d.ravel() for d in sources], axis=1)
        basis = np.linalg.svd(x, full_matrices=False)[0][:, : np.linalg.matrix_rank(x)]
        rest = merge.ravel() - basis @ (basis.T @ merge.ravel())
        for i, row in enumerate(rows):
            assert row["mix_residual"] == pytest.approx(
                np.linalg.norm(rest) / np.linalg.norm(merge), rel=1e-9
            )
            if i in open_rows:
                assert row.get("mix") is row.get("mix_se") is None
                assert [note.code for note in notes_of(row)] == ["collinear"]
            else:
                assert row["mix"] == pytest.approx(0.5, abs=0.02)
                variance = rest @ rest / (rest.size - basis.shape[1])
                assert row["mix_se"] == pytest.approx(
                    sqrt(variance * np.linalg.pinv(x.T @ x)[i, i]), rel=1e-9
                )
                assert row["notes"] == ()


@pytest.mark.parametrize("apart", [1e-8, 1e-6, 1e-4])
def test_sources_that_hardly_differ_are_determined_or_null(apart):
    """No share is rounding: those of directions 1e-6 apart are null."""
    merge = 0.4 * D[0] + 0.6 * (D[0] + apart * D[1])
    rows = mixing(products(D[0], D[0] + apart * D[1], merge))
    if apart < 1e-5:
        assert all(row.get("mix") is None for row in rows)
    else:
        assert [row["mix"] for row in rows] == pytest.approx((0.4, 0.6), abs=1e-5)


def test_a_source_of_zeros_has_no_share():
    """An untouched tensor in one tuning: the others are fitted without it."""
    first, second = mixing(products(0 * D[0], D[1], D[1] + 0.1 * D[2]))
    shares, errors, residual = oracle(D[1:2], D[1] + 0.1 * D[2])
    assert first.get("mix") is first.get("mix_se") is None
    assert [note.code for note in notes_of(first)] == ["zero-norm"]
    expected = (shares[0], errors[0], residual)
    assert tuple(second[name] for name in NAMES) == pytest.approx(expected, rel=1e-9)
    assert second["notes"] == ()


def test_a_merge_of_zeros_has_shares_of_0_and_no_residual():
    """The tensor is untouched in the merge."""
    for row in mixing(products(D[0], D[1], 0 * D[2])):
        assert (row["mix"], row["mix_se"], row["mix_residual"]) == (0, 0, None)
        assert [note.code for note in notes_of(row)] == ["zero-norm"]


def test_where_all_are_zeros_all_is_null():
    """Frozen tensors."""
    for row in mixing(products(0 * D[0], 0 * D[1], 0 * D[2])):
        assert all(row.get(name) is None for name in NAMES)
        assert {note.code for note in notes_of(row)} == {"zero-norm"}
    (alone,) = mixing(products(0 * D[0], D[1]))
    assert alone["mix_residual"] == 1


@pytest.mark.parametrize("n", [1, 2])
def test_as_many_sources_as_elements_have_no_error(n):
    """Any vector is their sum: the residual is rounding, mix_se null."""
    vectors = [d.ravel()[:n] for d in D[: n + 1]]
    for row in mixing(products(*vectors)):
        assert row["mix"] is not None
        assert row.get("mix_se") is None
        assert row["mix_residual"] < 1e-7
        assert [note.code for note in notes_of(row)] == ["few-elements"]


def test_more_sources_than_elements_are_not_determined():
    """A bias of one element and two sources: null, not an error."""
    for row in mixing(products(np.ones(1), 2 * np.ones(1), 3 * np.ones(1))):
        assert row.get("mix") is None
        assert [note.code for note in notes_of(row)] == ["collinear"]


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_squares_that_leave_float64_are_null_with_a_note(size):
    """Of a source and of the merge."""
    for several in ((size * D[0], D[1], D[2]), (D[0], D[1], size * D[2])):
        for row in mixing(products(*several)):
            assert all(row.get(name) is None for name in NAMES)
            assert [note.code for note in notes_of(row)] == ["overflow-squared"]


def test_elements_with_nan_are_left_out():
    """They are counted in a note; nothing finite has nulls alone."""
    merge = D[0] + 0.1 * D[2]
    broken = merge.copy()
    broken.ravel()[:7] = np.nan
    rows = mixing(products(D[0], D[1], broken))
    shares, _, residual = oracle([d.ravel()[7:] for d in D[:2]], merge.ravel()[7:])
    for i, row in enumerate(rows):
        assert row["mix"] == pytest.approx(shares[i], rel=1e-9)
        assert row["mix_residual"] == pytest.approx(residual, rel=1e-9)
        assert [note.code for note in notes_of(row)] == ["pairs-left-out"]
    for row in mixing(products(D[0], np.nan * D[1])):
        assert set(row) == {"notes"}
    assert mixing(products(D[0])) == ()


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_rounding_is_zero(scale):
    """A merge that is one source: its share is 1, the other 0 and not 1e-16, the rest 0."""
    of_source, of_other = mixing(products(scale * D[0], D[1] - D[2], scale * D[0]))
    assert of_source["mix"] == pytest.approx(1, rel=1e-12)
    assert of_other["mix"] == 0.0
    assert of_source["mix_residual"] == 0.0


def test_a_small_rest_is_not_rounding():
    """A share and a rest of 1e-6 stay."""
    of_source, of_other = mixing(products(D[0], D[1], D[0] + 1e-6 * D[1] + 1e-6 * D[2]))
    assert of_other["mix"] == pytest.approx(1e-6, rel=0.1)
    assert of_source["mix_residual"] == pytest.approx(1e-6, rel=0.1)
