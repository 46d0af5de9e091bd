"""The i.i.d. statistics against numpy, at their nulls for noise, and the reasons for nulls."""

from __future__ import annotations

import numpy as np
import pytest

from tests.noted import told
from weightscope.notes import texts
from weightscope.sketches import ValueCounts
from weightscope.sketches.margins import Margins
from weightscope.sketches.power_sums import PowerSums
from weightscope.statistics.lines.iid import COLUMNS, deviations

NAMES = tuple(c.name for c in COLUMNS)
READINGS = tuple(name for name in NAMES if f"{name}_null" in NAMES)


def _margins(w: np.ndarray) -> Margins:
    sides = ({"sum": w.sum(axis), "squares": (w**2).sum(axis)} for axis in (1, 0))
    return Margins(*sides, lag=(float((w[:, 1:] * w[:, :-1]).sum()), float((w[1:] * w[:-1]).sum())))


def _counts(w: np.ndarray) -> ValueCounts:
    value, counts = np.unique(w, return_counts=True)
    power = PowerSums.of(value, counts)
    ends = {"minimum": value.min(initial=np.inf), "maximum": value.max(initial=-np.inf)}
    return ValueCounts(value, value, value, counts, power, zeros=int((w == 0).sum()), **ends)


def _read(w: np.ndarray) -> dict:
    finite = np.where(np.isfinite(w), w, 0)
    return dict(deviations(_margins(finite), _counts(w[np.isfinite(w)])))


def _anova(w: np.ndarray) -> tuple[float, float]:
    """Sums of squares of a two-way layout without replication, built up cell by cell."""
    grand = np.full_like(w, w.mean())
    rows, cols = (
        np.repeat(w.mean(1, keepdims=True), w.shape[1], 1),
        np.repeat(w.mean(0, keepdims=True), w.shape[0], 0),
    )
    total = ((w - grand) ** 2).sum()
    return ((rows - grand) ** 2).sum() / total, ((cols - grand) ** 2).sum() / total


@pytest.mark.parametrize("shape", [(2, 2), (3, 50), (70, 4), (64, 96)])
def test_readings_equal_numpy_on_the_matrix(shape):
    """Spreads, mean shares and lags of a matrix with an offset and structure."""
    rng = np.random.default_rng(1)
    w = rng.laplace(0.3, 1, shape) * np.exp(rng.normal(0, 0.3, (shape[0], 1))) + rng.normal(
        0, 0.5, shape[1]
    )
    w[1:] += 0.5 * w[:-1]
    want = {
        "row_spread": np.log(np.sqrt((w**2).mean(1))).std(),
        "col_spread": np.log(np.sqrt((w**2).mean(0))).std(),
        "row_mean_share": _anova(w)[0],
        "col_mean_share": _anova(w)[1],
        "lag_row": np.corrcoef(w[:, :-1].ravel(), w[:, 1:].ravel())[0, 1],
        "lag_col": np.corrcoef(w[:-1].ravel(), w[1:].ravel())[0, 1],
        "lag_row_score": np.corrcoef(w[:, :-1].ravel(), w[:, 1:].ravel())[0, 1] * np.sqrt(w.size),
    }
    got = _read(w)
    assert {name: got[name] for name in want} == pytest.approx(want, rel=1e-9)
    assert set(got) == {*NAMES, "notes"}
    assert told(got) == ""


def test_noise_has_the_null_values():
    """Gaussian 512 x 384: spreads and shares near their nulls, lags within 4 standard errors."""
    got = _read(np.random.default_rng(2).normal(0, 0.02, (512, 384)))
    for name in READINGS[:4]:
        assert got[name] / got[name + "_null"] == pytest.approx(1, abs=0.25)
    assert got["row_spread_null"] == pytest.approx(np.sqrt(1 / 768), rel=2e-3)
    for name in READINGS[4:]:
        assert abs(got[name]) < 4 * got[name + "_null"]


def test_heavy_iid_elements_have_the_spread_of_their_kurtosis():
    """Laplace elements spread rows beyond the Gaussian null and up to the i.i.d. one."""
    got = _read(np.random.default_rng(3).laplace(0, 1, (2048, 512)))
    assert got["row_spread"] == pytest.approx(got["row_spread_iid"], rel=0.08)
    assert got["row_spread_iid"] == pytest.approx(got["row_spread_null"] * np.sqrt(2.5), rel=0.03)
    assert abs(got["row_spread_score"]) < 3


@pytest.mark.parametrize("transposed", [False, True])
def test_each_structure_raises_its_own_statistic(transposed):
    """Row scales, row means and neighbours along rows; transposing exchanges the sides."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((256, 300))
    smooth = (noise[:, 1:] + noise[:, :-1]) / np.sqrt(2)
    made = {
        "row_spread": noise * np.exp(rng.normal(0, 0.3, (256, 1))),
        "row_mean_share": noise + rng.normal(0, 0.3, (256, 1)),
        "lag_row": smooth,
    }
    side = {"row_spread": "col_spread", "row_mean_share": "col_mean_share", "lag_row": "lag_col"}
    for name, w in made.items():
        got = _read(w.T if transposed else w)
        mine, other = (side[name], name) if transposed else (name, side[name])
        assert got[mine] > 4 * got[mine + "_null"]
        assert abs(got[other]) < 4 * got[other + "_null"]


def test_zero_lines_are_excluded_from_spreads_and_counted():
    """Zero rows and columns have no log RMS."""
    w = np.random.default_rng(5).standard_normal((40, 60))
    holes = np.insert(np.insert(w, [3, 9, 20], 0.0, axis=0), [7], 0.0, axis=1)
    got, alone = _read(holes), _read(w)
    for name in NAMES:
        if "spread" in name:
            assert got[name] == pytest.approx(alone[name], rel=1e-9)
    assert told(got) == "3 zero rows and 1 zero column left out"
    assert got["row_mean_share"] == pytest.approx(_anova(holes)[0])


@pytest.mark.parametrize(
    ("mean", "resolved", "shaped"),
    [(10.0, True, True), (1e3, True, True), (1e6, True, False), (1e15, False, False)],
)
def test_without_zero_lines_a_large_mean_takes_the_digits(mean, resolved, shaped):
    """The same values as without the zero rows, or nulls with the reason."""
    w = mean + np.random.default_rng(9).gamma(3, 20, (40, 60)).round()
    got, alone = _read(np.insert(w, [3, 9], 0.0, axis=0)), _read(w)
    for name, shown in (("row_spread", resolved), ("row_spread_iid", shaped)):
        assert got[name] == (pytest.approx(alone[name], rel=1e-4) if shown else None)
    assert ("too small beside the mean:" in told(got)) == (resolved != shaped)
    assert ("for float64: rows and columns" in told(got)) == (not resolved)
    assert "2 zero rows left out" in told(got)


def test_equal_elements_beside_zero_lines_have_no_spread():
    """Rows of one value have a spread of exactly 0."""
    got = _read(np.insert(np.ones((40, 60)), [3, 9], 0.0, axis=0))
    assert (got["row_spread"], got["col_spread"], got["row_spread_iid"]) == (0, 0, None)


@pytest.mark.parametrize(
    ("w", "reason"),
    [
        (np.arange(9.0)[None], "a single row or column: rows and columns are not compared"),
        (np.arange(9.0)[:, None], "a single row or column: rows and columns are not compared"),
        (np.zeros((0, 4)), "a single row or column: rows and columns are not compared"),
        (np.full((30, 40), 0.1), "constant"),
        (1e-200 * np.arange(12.0).reshape(3, 4), "values overflow or underflow when squared"),
        (1e-147 * np.arange(12.0).reshape(3, 4), "values overflow or underflow when squared"),
        (np.zeros((3, 3)), "constant"),
        (np.array([[1.0, np.nan], [2.0, 3.0]]), "non-finite"),
    ],
)
def test_vectors_and_constants_have_nulls(w, reason):
    """Vectors, constants and matrices with NaN have nulls and a reason."""
    got = _read(w)
    assert reason in texts(got.pop("notes"))
    assert set(got.values()) == {None}


@pytest.mark.parametrize("size", [1e15, -1e14, 1e16])
def test_a_spread_below_the_rounding_of_sums_is_no_constant(size):
    """Sums of lines of 1e15 + noise have no digit of their spread: nulls with that reason."""
    got = _read(size + np.random.default_rng(7).normal(0, 16, (64, 64)))
    (reason,) = got.pop("notes")
    assert (reason.code, "small beside the mean" in reason.text) == ("small-spread", True)
    assert set(got.values()) == {None}


def test_a_spread_above_the_rounding_of_sums_has_digits():
    """Values of 1e11 + noise, against those of the noise."""
    noise = np.round(np.random.default_rng(8).gamma(3, 16, (64, 64)))
    got, want = _read(1e11 + noise), _anova(noise)
    assert (got["row_mean_share"], got["col_mean_share"]) == pytest.approx(want, rel=1e-5)


def test_one_row_that_is_not_zero_has_no_spread():
    """With a single non-zero row spreads are null while means and lags stay."""
    w = np.zeros((5, 6))
    w[2] = np.arange(1, 7)
    got = _read(w)
    assert (got["row_spread"], got["col_spread_iid"]) == (None, None)
    assert "fewer than two non-zero rows" in told(got)
    assert got["row_mean_share"] == pytest.approx(_anova(w)[0])


def test_lags_are_null_beside_a_large_mean():
    """Weights of 1 +- 1e-4 have no correct digit of a correlation from float32 sums."""
    got = _read(np.random.default_rng(6).normal(1, 1e-4, (50, 50)))
    assert (got["lag_row"], got["lag_col"]) == (None, None)
    assert "too small beside the mean" in told(got)
    assert got["row_mean_share"] == pytest.approx(got["row_mean_share_null"], rel=0.6)
