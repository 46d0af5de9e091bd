"""Columns of two task vectors against numpy, and their nulls."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jaccard

from tests.sketches.vectors import f64, measured, products
from weightscope.notes import notes_of
from weightscope.sketches import SharedOutliers, VectorProducts
from weightscope.statistics.pairs import (
    DIRECTION_COLUMNS,
    OVERLAP_COLUMNS,
    directions,
    overlaps,
)

OF_NORMS = ("cosine", "angle_deg", "norm_shrink", "implied_correlation")


def oracle(x, y):
    """All columns from long doubles; the angle by Kahan's formula."""
    x, y = x.ravel().astype(np.longdouble), y.ravel().astype(np.longdouble)
    u, v = x / np.linalg.norm(x), y / np.linalg.norm(y)
    angle = 2 * np.arctan2(np.linalg.norm(u - v), np.linalg.norm(u + v))
    both = (x != 0) & (y != 0)
    variances = x.var(), y.var()
    return {
        "cosine": u @ v,
        "cosine_null": 1 / np.sqrt(np.longdouble(x.size)),
        "cosine_score": u @ v * np.sqrt(np.longdouble(x.size)),
        "angle_deg": angle * 180 / np.longdouble(np.pi),
        "sign_agreement": (np.sign(x) == np.sign(y))[both].mean(),
        "norm_shrink": np.linalg.norm(x + y) / (np.linalg.norm(x) + np.linalg.norm(y)),
        "implied_correlation": 2 * ((x + y) / 2).var() / np.mean(variances) - 1,
    }


def check(found, expected):
    """Columns of a pair, to 1e-12 and the floor of an angle: 1e-6 degrees."""
    assert {column.name for column in DIRECTION_COLUMNS} == set(expected)
    for name, value in expected.items():
        near = {"angle_deg": 1e-6, "norm_shrink": 1e-8, "cosine_score": 1e-10}.get(name, 1e-12)
        assert found[name] == pytest.approx(float(value), rel=1e-12, abs=near), name
    assert found["notes"] == ()


def of(x, y):
    """The columns of two arrays."""
    return directions(products(x, y), 0, 1)


def codes(found):
    return [note.code for note in notes_of(found)]


X, Y = np.random.default_rng(0).normal(size=(2, 30, 40))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X, Y),
        (X, X + 0.3 * Y),
        (X, -X + 1e-3 * Y),
        (X, 100 * X + Y),
        (X, 1e-30 * Y),
        (1e150 * X, -1e140 * Y),
        (np.where(Y > 1, X, 0), np.where(X > 1, Y, 0)),
        (1 + 1e-4 * X, 1 + 1e-4 * Y),
        (1e6 + X, X + 1e3 * Y),
    ],
)
def test_every_column_is_that_of_numpy(x, y):
    """Independent, near, opposite, of other sizes, sparse, beside a mean."""
    check(of(x, y), oracle(x, y))
    check(directions(products(y, Y, x), 2, 0), oracle(x, y))


@pytest.mark.parametrize("apart", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("sign", [1, -1])
def test_small_angles_and_those_near_180_keep_their_digits(apart, sign):
    """The error of an angle is its floor, 1e-6 degrees."""
    found = of(X, sign * X + apart * Y)
    check(found, oracle(X, sign * X + apart * Y))
    assert found["angle_deg"] not in (0, 180)


@pytest.mark.parametrize("scale", [1.0, 0.1, 3e-80])
def test_of_equal_vectors_the_angle_is_exactly_0(scale):
    """Cosine and norm_shrink are 1, of opposite vectors -1 and 0."""
    found = of(scale * X, scale * X)
    assert (found["cosine"], found["angle_deg"], found["norm_shrink"]) == (1, 0, 1)
    assert found["sign_agreement"] == 1
    assert found["implied_correlation"] == pytest.approx(1, abs=1e-15)
    turned = of(scale * X, -scale * X)
    assert (turned["cosine"], turned["angle_deg"], turned["sign_agreement"]) == (-1, 180, 0)
    assert turned["norm_shrink"] == pytest.approx(0, abs=1e-15)


def test_pooled_tensors_are_one_concatenated_tensor():
    """`--by model`: records add, and columns follow from the sum."""
    total = products(X, Y) + products(3 + Y[:5], 0.1 * X[:5])
    x, y = np.vstack((X, 3 + Y[:5])), np.vstack((Y, 0.1 * X[:5]))
    check(directions(total, 0, 1), oracle(x, y))


def test_of_an_untouched_tensor_columns_of_norms_are_null():
    """A vector of zeros has no direction: the note names the source."""
    for x, y, named in ((0 * X, Y, "of a is"), (X, 0 * Y, "of b is"), (0 * X, 0 * Y, "a and b")):
        found = of(x, y)
        assert all(found.get(name) is None for name in (*OF_NORMS, "sign_agreement"))
        assert found["cosine_null"] == pytest.approx(1 / np.sqrt(X.size))
        (note,) = notes_of(found)
        assert note.code == "zero-norm"
        assert named in note.text


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_squares_that_leave_float64_are_null_with_a_note(size):
    """Signs are there; nothing is NaN or 0."""
    for x, y in ((size * X, Y), (X, size * Y), (size * X, size * X)):
        found = of(x, y)
        assert all(found.get(name) is None for name in OF_NORMS)
        assert found["sign_agreement"] == (np.sign(x) == np.sign(y)).mean()
        assert codes(found) == ["overflow-squared"]


@pytest.mark.parametrize("value", [0.1, 1e15 / 3])
def test_two_constants_have_no_correlation(value):
    """Shifted by one number each: the angle is 0 to its floor, implied_correlation null."""
    found = of(np.full((9, 9), value), np.full((9, 9), 7 * value))
    assert found["implied_correlation"] is None
    assert found["angle_deg"] == pytest.approx(0, abs=3e-6)
    assert codes(found) == ["constant"]
    beside_noise = of(np.full((9, 9), value), X[:9, :9])
    assert beside_noise["implied_correlation"] == pytest.approx(0, abs=1e-12)


def test_elements_with_nan_are_left_out_of_all():
    """They are counted in a note; numbers are those of the others."""
    x, y = X.copy(), Y.copy()
    x[0, 0], y[0, 1], y[0, 0] = np.nan, np.inf, np.nan
    found = of(x, y)
    check({**found, "notes": ()}, oracle(X.ravel()[2:], Y.ravel()[2:]))
    (note,) = notes_of(found)
    assert note.text == "2 elements are NaN or Inf in a task vector: left out of all"
    nothing = of(np.nan * X, Y)
    assert set(nothing) == {"notes"}
    assert codes(nothing) == ["pairs-left-out"]
    assert directions(VectorProducts.none(2), 0, 1) == {"notes": ()}


def test_overlap_is_the_jaccard_index_of_masks():
    """Beside its value for independent positions."""
    rng = np.random.default_rng(1)
    z = rng.standard_t(2, size=(3, 50, 60))
    z[1] = np.where(rng.random(z[1].shape) < 0.5, z[0], z[1])
    (record,) = measured(SharedOutliers, [f64(x) for x in z])
    masks = []
    for x in z:
        low, middle, high = np.quantile(x, (0.25, 0.5, 0.75))
        masks.append((np.abs(x - middle) > 4 * (high - low) / 1.349).ravel())
    for i, j in ((0, 1), (2, 0)):
        found = overlaps(record, i, j)
        assert set(found) == {column.name for column in OVERLAP_COLUMNS}
        assert found["outlier_overlap"] == pytest.approx(1 - jaccard(masks[i], masks[j]))
        p, q = masks[i].mean(), masks[j].mean()
        expected = p * q / (p + q - p * q)
        assert found["outlier_overlap_null"] == pytest.approx(expected, rel=1e-12)
    near = overlaps(record, 2, 0)
    assert near["outlier_overlap"] == pytest.approx(near["outlier_overlap_null"], abs=0.03)


def test_overlaps_without_outliers_are_null():
    """Nothing beyond in either; of one alone the overlap is 0."""
    uniform = np.linspace(-1, 1, 500)
    spiked = np.where(np.arange(500) == 7, 100.0, uniform)
    (record,) = measured(SharedOutliers, [f64(x) for x in (uniform, uniform, spiked)])
    assert overlaps(record, 0, 1) == {}
    nothing = {"outlier_overlap": 0, "outlier_overlap_null": 0, "outlier_overlap_score": None}
    assert overlaps(record, 0, 2) == nothing


def test_unresolved_vectors_have_no_overlap(monkeypatch):
    """Noise beside a large mean, counted in bins: null with a note, whatever the other is."""
    monkeypatch.setattr("weightscope.sketches.count.EXACT", -1)
    monkeypatch.setattr("weightscope.sketches.few_values.FEW", -1)
    (record,) = measured(SharedOutliers, [f64(1e5 + X), f64(Y), f64(X)])
    assert codes(overlaps(record, 0, 1)) == codes(overlaps(record, 2, 0)) == ["wide-bins"]
    assert codes(overlaps(record, 1, 2)) == []
