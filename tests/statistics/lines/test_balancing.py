"""Scale spreads from the log scales of a balanced matrix."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.notes import texts
from weightscope.sketches.balanced import BalancedMatrix
from weightscope.statistics.lines.balancing import (
    NONE_EXISTS,
    SPREADS,
    balanced_elements,
    f_score,
    scale_spreads,
    spread_scores,
)
from weightscope.statistics.statistic import Evidence, evaluate


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


@pytest.mark.parametrize(("w", "told"), [("signs", True), ("gaussian", False)])
def test_a_balanced_beta_at_its_bound_has_a_note(taken, w, told):
    """Weights of nearly one size have tails lighter than beta 8."""
    noise = np.random.default_rng(5).standard_normal((64, 64))
    if w == "signs":
        noise = np.sign(noise) * (1 + noise / 10)
    statistic = balanced_elements(0)
    sketches = {measure: taken(measure, noise) for measure in statistic.needs}
    values = evaluate([statistic], Evidence(sketches, noise.shape, "F64"))
    codes = [note.code for note in values["notes"]]
    assert ("beta-at-bound" in codes) == told
    assert (values["balanced_beta"] == pytest.approx(8)) == told


def test_scale_spreads_of_noise_score_as_a_standard_gaussian():
    """Ratios of two chi-squared variables, each over 20 degrees of freedom."""
    random = np.random.default_rng(6)
    ratios = random.chisquare(20, 4000) / random.chisquare(40, 4000) * 2
    scores = [f_score(ratio, 20, 40) for ratio in ratios.tolist()]
    assert np.mean(scores) == pytest.approx(0, abs=0.05)
    assert np.std(scores) == pytest.approx(1, abs=0.05)


def test_uneven_scales_score_beside_a_shuffle(counts_of):
    """Rows of log-sd 0.3 among Laplace elements; columns are even, more so than the heavy tails."""
    random = np.random.default_rng(7)
    w = random.laplace(size=(60, 80)) * np.exp(random.normal(0, 0.3, (60, 1)))
    matrices = [_matrix(*_balanced(m)[1:]) for m in (w, random.permuted(w.ravel()).reshape(60, 80))]
    got = spread_scores(matrices[0], matrices[1:], counts_of(w))
    assert got["row_scale_spread_score"] > 5
    assert got["col_scale_spread_score"] < 0
    missing = _matrix(np.arange(9), np.arange(9), of=())
    assert set(spread_scores(missing, [missing], counts_of(w)).values()) == {None}
