"""Norms, directions and standard deviations of pairs against 80-bit sums of numpy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch

from tests.plain import plain
from weightscope.sketches import PairMoments
from weightscope.statistics.pairs import DELTA, labels
from weightscope.statistics.pairs.delta import COLUMNS

TYPES = ["F64", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2"]
MIXED = [("F32", "BF16"), ("BF16", "F32"), ("F64", "F16"), ("F16", "F8_E4M3"), ("F8_E5M2", "F64")]
SHAPE = (37, 53)


def oracle(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """All columns from long doubles; the rotation as half of the squared chord, uncancelled."""
    a, b = a.astype(np.longdouble).ravel(), b.astype(np.longdouble).ravel()
    d = b - a
    norm_a, norm_b, norm_d = (np.sqrt((x * x).sum()) for x in (a, b, d))
    chord = a / norm_a - b / norm_b
    rotation = (chord * chord).sum() / 2
    std_a, std_b, std_d = (x.std() for x in (a, b, d))
    correlation = ((a - a.mean()) * (d - d.mean())).mean() / std_a / std_d
    return {
        "delta_fro": norm_d,
        "relative": norm_d / norm_a,
        "cosine": 1 - rotation,
        "cosine_null": 1 / np.sqrt(np.longdouble(len(a))),
        "rotation": rotation,
        "delta_absmax": np.abs(d).max(),
        "delta_mean": d.mean(),
        "delta_std": std_d,
        "sqnr_db": -20 * np.log10(norm_d / norm_a),
        "std_a": std_a,
        "std_b": std_b,
        "std_ratio": std_b / std_a,
        "delta_correlation": correlation,
    }


def agree(found, expected) -> None:
    """1e-9 relative; the rotation 5e-15 absolute too; a mean relative to its deviations."""
    for name, value in expected.items():
        near = {
            "delta_mean": 1e-9 * float(expected["delta_fro"]),
            "delta_correlation": 1e-9,
            "sqnr_db": 1e-8,
            "rotation": 4e-15 * min(1.0, float(expected["relative"]) ** 2),
        }.get(name, 0)
        assert getattr(found, name) == pytest.approx(float(value), rel=1e-9, abs=near), name
    assert abs(found.rotation - expected["rotation"]) < 5e-15


def cases(rng):
    """A and B before rounding: small and large changes, means, directions, sizes."""
    x, y = rng.normal(size=(2, *SHAPE))
    yield "as large", x, y
    for relative in (0.5, 1e-2, 1e-4, 1e-7):
        yield f"relative {relative}", x, x + relative * y
    yield "large mean", 1 + 1e-4 * x, 1 + 1e-4 * x + 1e-6 * y
    yield "large mean of one", 1 + 1e-4 * x, 1e-4 * y
    yield "scaled", x, 1.001 * x
    yield "negated", x, -x + 1e-3 * y
    yield "small a", 1e-3 * x, y
    yield "few elements", x, np.where(rng.random(SHAPE) < 0.01, 1.1 * x, x)


@pytest.mark.parametrize(("of_a", "of_b"), [(name, name) for name in TYPES] + MIXED)
@pytest.mark.usefixtures("small_tiles")
def test_columns_are_those_of_numpy(pairs, of_a, of_b) -> None:
    """Down to relative changes of 1e-7, large means and mixed types, in tiles of several rows."""
    compared, stored = [], []
    for name, x, y in cases(np.random.default_rng(0)):
        a, b = pairs.stored(x, of_a), pairs.stored(y, of_b)
        of_values = pairs.values(a, of_a), pairs.values(b, of_b)
        if np.array_equal(*of_values) or 0 in (of_values[0].std(), of_values[1].std()):
            continue  # lost by rounding to the type
        compared.append((name, of_values))
        stored.append((a, of_a, b, of_b))
    assert len(compared) >= 7
    measured = pairs.measure(stored, DELTA.needs)
    for (name, of_values), sketches in zip(compared, measured, strict=True):
        found = pairs.evaluated(DELTA, sketches, SHAPE)
        expected = oracle(*of_values)
        if expected["delta_std"] < 1e-12 * expected["delta_fro"]:
            del expected["delta_correlation"]
        agree(found, expected)
        assert not found.noted, name


@pytest.mark.parametrize("size", [1e-2, 1e-4, 1e-6])
def test_a_b_that_is_small_beside_a_keeps_its_digits(pairs, size) -> None:
    """Pruned or decayed weights: |B|^2 = |A|^2 + 2<A, D> + |D|^2 would cancel."""
    x, y = np.random.default_rng(1).normal(size=(2, *SHAPE))
    for b in (size * y, size * x + size * y, np.where(y > 3, size, 0.0), size + 1e-3 * size * y):
        of_a, of_b = torch.from_numpy(x), torch.from_numpy(b)
        agree(pairs.columns(DELTA, of_a, "F64", of_b, "F64"), oracle(x, b))


@pytest.mark.usefixtures("small_tiles")
def test_layouts_threads_and_stacks_change_no_number(pairs) -> None:
    """Row-major and column-major, one worker and two, one pair and several of one shape."""
    rng = np.random.default_rng(2)
    several = []
    for shape in ((120, 80), (8, 12), (8, 12), (8, 12), (1, 90), (16, 300)):
        x, y = rng.normal(size=(2, *shape))
        several.append((pairs.stored(x, "F32"), "F32", pairs.stored(x + 1e-3 * y, "BF16"), "BF16"))
    moments = labels.MOMENTS
    together = [plain(s[moments]) for s in pairs.measure(several, {moments})]
    assert together == [plain(s[moments]) for s in pairs.measure(several, {moments}, threads=2)]
    for pair, expected in zip(several, together, strict=True):
        assert plain(pairs.measure([pair], {moments})[0][moments]) == expected
    a, of_a, b, of_b = several[0]
    for turn_a, turn_b in product((False, True), repeat=2):
        one = a.mT.contiguous().mT if turn_a else a
        other = b.mT.contiguous().mT if turn_b else b
        found = pairs.columns(DELTA, one, of_a, other, of_b, threads=2)
        agree(found, oracle(pairs.values(a, of_a), pairs.values(b, of_b)))


def test_pooled_tensors_are_one_concatenated_tensor(pairs) -> None:
    """Sums add: relative, rotation and std of a group are those of all its elements."""
    rng = np.random.default_rng(3)
    several = []
    for shape, mean, size, type_b in (
        ((20, 30), 0.0, 1.0, "F64"),
        ((7, 9), 5.0, 1e-3, "F32"),
        ((1, 40), -1.0, 2.0, "BF16"),
        ((6, 6), 0.0, 0.0, "F64"),
    ):
        x, y = rng.normal(size=(2, *shape))
        b = pairs.stored(mean + size * (x + 0.1 * y), type_b)
        several.append((pairs.stored(mean + size * x, "F64"), "F64", b, type_b))
    total = PairMoments()
    for sketches in pairs.measure(several, {labels.MOMENTS}):
        total = total + sketches[labels.MOMENTS].forget()
    a = np.concatenate([pairs.values(a, of_a).ravel() for a, of_a, _, _ in several])
    b = np.concatenate([pairs.values(b, of_b).ravel() for _, _, b, of_b in several])
    agree(pairs.evaluated(DELTA, {labels.MOMENTS: total}), oracle(a, b))


def test_adding_nothing_changes_nothing(pairs) -> None:
    """The moments of no pairs are the zero of the sum, from the left and from the right."""
    x, y = np.random.default_rng(4).normal(size=(2, 5, 5))
    (sketches,) = pairs.measure(
        [(pairs.stored(x, "F64"), "F64", pairs.stored(y, "F64"), "F64")], {labels.MOMENTS}
    )
    moments = sketches[labels.MOMENTS]
    none = PairMoments(left_out=3, one_sided=2)
    for total in (none + moments, moments + none):
        assert (total.left_out, total.one_sided) == (3, 2)
        assert plain(total + PairMoments()) == plain(PairMoments() + total) == plain(total)
        assert (total.n, total.aa, total.rotation) == (25, moments.aa, moments.rotation)


def f64(pairs, a, b):
    """The columns of two arrays in F64."""
    a, b = (torch.from_numpy(np.array(x, np.float64, ndmin=2)) for x in (a, b))
    return pairs.columns(DELTA, a, "F64", b, "F64")


X = np.random.default_rng(5).normal(size=(6, 7))


def test_no_ratio_to_an_a_of_zeros(pairs) -> None:
    """Fresh biases: relative, cosine and rotation are null with a note, norms are there."""
    found = f64(pairs, 0 * X, X)
    assert (found.relative, found.cosine, found.rotation, found.sqnr_db) == (None,) * 4
    assert (found.std_a, found.std_ratio, found.delta_correlation) == (0, None, None)
    assert found.delta_fro == pytest.approx(np.linalg.norm(X), rel=1e-14)
    assert found.std_b == found.delta_std == pytest.approx(X.std(), rel=1e-14)
    assert found.noted["zero-norm"].text.startswith("A is 0 everywhere")


def test_no_direction_of_a_b_of_zeros(pairs) -> None:
    """A tensor that was set to zero: relative is 1, cosine and rotation are null with a note."""
    found = f64(pairs, X, 0 * X)
    assert (found.relative, found.cosine, found.rotation) == (1, None, None)
    assert (found.std_b, found.std_ratio, found.delta_correlation) == (0, 0, pytest.approx(-1))
    assert found.noted["zero-norm"].text == "B is 0 everywhere: cosine and rotation are null"


def test_of_identical_tensors_nothing_differs(pairs) -> None:
    """Rotation exactly 0 and cosine exactly 1; a ratio to a zero delta is null."""
    for x in (X, 1 + 1e-9 * X, np.full((3, 3), 0.1)):
        found = f64(pairs, x, x)
        assert (found.relative, found.rotation, found.cosine) == (0, 0, 1)
        assert (found.delta_fro, found.delta_absmax, found.delta_std, found.delta_mean) == (0,) * 4
        assert (found.sqnr_db, found.delta_correlation) == (None, None)
        assert found.std_a == found.std_b
        assert not found.noted


def test_of_a_negated_tensor_all_is_turned(pairs) -> None:
    """Rotation 2, never more."""
    found = f64(pairs, X, -X)
    assert found.rotation == pytest.approx(2, abs=5e-16)
    assert found.rotation <= 2
    assert found.delta_correlation == pytest.approx(-1, abs=1e-15)
    assert found.delta_correlation >= -1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1e200 * X, 1e200 * X[::-1]),
        (X, 1e200 * X),
        (1e200 * X, X),
        (1e-200 * X, 1e-200 * X[::-1]),
        (1e-200 * X, X),
        (np.full((2, 2), 1e308), np.full((2, 2), -1e308)),
        (np.full((2, 2), 1e308), np.full((2, 2), 1e308)),
        (1e-170 * X, 1e-170 * X),
        (X * 1e-150, X * 1e-150),
    ],
)
def test_squares_that_leave_float64_are_null_with_a_note(pairs, a, b) -> None:
    """Overflow above 1e154, underflow below 1e-145: no NaN, no Inf, no wrong 0."""
    found = f64(pairs, a, b)
    for column in COLUMNS:
        value = getattr(found, column.name)
        assert value is None or np.isfinite(value), column.name
    assert found.noted["overflow-squared"]
    assert (found.relative, found.rotation, found.cosine) in (
        (None, None, None),
        (0, None, None),  # nothing changed
    )
    assert found.cosine_null == pytest.approx(1 / np.sqrt(np.size(a)))


def test_a_delta_that_underflows_is_not_zero(pairs) -> None:
    """One element that changed by 1e-200: delta_fro is null, its largest difference is there."""
    b = X.copy()
    b[0, 0], x = 1e-200, np.where(X[0, 0] == X, 0, X)
    found = f64(pairs, x, b)
    assert found.delta_absmax == 1e-200
    assert (found.delta_fro, found.relative, found.delta_std) == (None, None, None)
    assert found.noted["overflow-squared"]


@pytest.mark.parametrize("dtype", TYPES)
def test_pairs_with_nan_on_one_side_are_left_out_of_both(pairs, dtype) -> None:
    """They are counted; all numbers are those of the other pairs."""
    x, y = np.random.default_rng(6).normal(size=(2, 9, 11))
    x[1, 1] = x[2, 3] = np.nan
    y[2, 3] = y[4, 4] = np.nan
    if dtype != "F8_E4M3":  # which has no Inf
        x[5, 5], y[6, 6] = np.inf, -np.inf
    a, b = pairs.stored(x, dtype), pairs.stored(y, dtype)
    found = pairs.columns(DELTA, a, dtype, b, dtype)
    of_a, of_b = pairs.values(a, dtype), pairs.values(b, dtype)
    both = np.isfinite(of_a) & np.isfinite(of_b)
    agree(found, oracle(of_a[both], of_b[both]))
    note = found.noted["pairs-left-out"]
    left_out, one_sided = (3, 2) if dtype == "F8_E4M3" else (5, 4)
    assert note.text == (
        f"{left_out} elements are NaN or Inf in A or B, {one_sided} of them in one only: "
        "left out of both"
    )


def test_of_nothing_finite_all_is_null(pairs) -> None:
    """Only the note is left."""
    found = f64(pairs, np.nan * X, X)
    assert all(getattr(found, column.name) is None for column in COLUMNS)
    assert "42 elements are NaN or Inf" in found.noted["pairs-left-out"].text


def test_signal_to_noise_is_a_ratio_of_norms(pairs) -> None:
    """-20 log10(relative): a change of a tenth is 20 dB."""
    assert f64(pairs, X, 1.1 * X).sqnr_db == pytest.approx(20, abs=1e-9)
    assert f64(pairs, X, X).sqnr_db is None


def test_the_cosine_of_independent_tensors_has_its_null(pairs) -> None:
    """The standard deviation over 200 pairs is 1/sqrt(N) within its own error."""
    rng = np.random.default_rng(7)
    several = []
    for _ in range(200):
        x, y = (torch.from_numpy(z) for z in rng.normal(size=(2, 10, 10)))
        several.append((x, "F64", y, "F64"))
    found = [pairs.evaluated(DELTA, s) for s in pairs.measure(several, DELTA.needs)]
    cosines = [one.cosine for one in found]
    assert np.std(cosines) == pytest.approx(found[0].cosine_null, rel=0.15)
    assert found[0].cosine_null == 0.1
