"""Scale spreads from the log scales of a balanced matrix."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.notes import texts
from weightscope.sketches.balanced import BalancedMatrix
from weightscope.statistics.lines.balancing import NONE_EXISTS, SPREADS, scale_spreads


def _matrix(log_rows, log_cols, of=("counts",)) -> BalancedMatrix:
    return BalancedMatrix(np.asarray(log_rows, float), np.asarray(log_cols, float), 5, of)


def _balanced(w: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    balanced_elements = w.copy()
    for _ in range(30):
        balanced_elements /= np.sqrt((balanced_elements**2).mean(1, keepdims=True))
        balanced_elements /= np.sqrt((balanced_elements**2).mean(0, keepdims=True))
    logs = np.log(np.abs(w / balanced_elements))
    return balanced_elements, logs.mean(1) - logs.mean(), logs.mean(0) - logs.mean()


def _kurtosis(x: np.ndarray) -> float:
    return float((x**4).mean() / (x**2).mean() ** 2 - 3)


def test_planted_scales_are_recovered():
    """Log-normal scales of 0.5 and 0.1 by balancing; noise alone has the null values."""
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((300, 500))
    a, b = rng.normal(0, 0.5, 300), rng.normal(0, 0.1, 500)
    got = scale_spreads(_matrix(*_balanced(noise * np.exp(a[:, None] + b))[1:]))
    assert got["row_scale_spread"] == pytest.approx(a.std(), rel=0.03)
    assert got["col_scale_spread"] == pytest.approx(np.hypot(b.std(), np.sqrt(1 / 600)), rel=0.05)
    bare = scale_spreads(_matrix(*_balanced(noise)[1:]))
    assert bare["row_scale_spread"] == pytest.approx(bare["row_scale_spread_null"], rel=0.1)
    assert bare["col_scale_spread"] == pytest.approx(bare["col_scale_spread_null"], rel=0.1)
    assert bare["row_scale_spread_null"] == pytest.approx(np.sqrt(1 / 1000))


def test_balancing_shrinks_isolated_outliers_too():
    """Kurtosis is ambiguous: one weight at 175 sigma falls from 1436 to 0.23, t(3) to about 14."""
    rng = np.random.default_rng(2)
    spiked = rng.standard_normal((384, 1536))
    spiked[100, 200] = 175
    assert [_kurtosis(spiked), _kurtosis(_balanced(spiked)[0])] == pytest.approx(
        [1436, 0.23], rel=0.02
    )
    heavy = np.random.default_rng(0).standard_t(3, (384, 1536))
    assert _kurtosis(heavy) > 45
    assert 11 < _kurtosis(_balanced(heavy)[0]) < 17


def test_zero_lines_are_left_out():
    """Zero lines have no scale: NaN entries change neither spread nor null."""
    rows, cols = (
        np.random.default_rng(3).normal(0, 0.2, 40),
        np.random.default_rng(4).normal(0, 0.1, 60),
    )
    holes = _matrix(np.insert(rows, [1, 5], np.nan), np.append(cols, np.nan))
    assert scale_spreads(holes) == scale_spreads(_matrix(rows, cols))
    assert scale_spreads(holes)["row_scale_spread"] == pytest.approx(rows.std())
    assert scale_spreads(holes)["col_scale_spread_null"] == pytest.approx(np.sqrt(1 / 80))


def test_a_missing_balanced_matrix_has_nulls_and_a_reason():
    """Where no balancing exists the scales have no meaning."""
    got = dict(scale_spreads(_matrix(np.arange(9), np.arange(9), of=())))
    assert got == dict.fromkeys(SPREADS) | {"notes": (NONE_EXISTS,)}


@pytest.mark.parametrize("rows", [[], [0.0], [0.0, np.nan]])
def test_one_line_has_no_spread(rows):
    """Fewer than two non-zero lines have nulls and a reason."""
    got = dict(scale_spreads(_matrix(rows, [0.1, 0.2])))
    assert "fewer than two" in texts(got.pop("notes"))
    assert got == dict.fromkeys(SPREADS)
