"""Correlations of all vectors at once against numpy, scipy and pandas."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from weightscope.statistics.coupling import pearson, spearman

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((4, 30)) + np.arange(30) / 20
TIES = np.round(VECTORS)


@pytest.mark.parametrize("vectors", [VECTORS, TIES, VECTORS * 1e200, VECTORS * 1e-200])
def test_equals_numpy_and_scipy(vectors):
    """Whole vectors of any size; equal values have their mean rank."""
    assert pearson(vectors) == pytest.approx(np.corrcoef(vectors / vectors.max()), abs=1e-12)
    assert spearman(vectors) == pytest.approx(stats.spearmanr(vectors.T).statistic, abs=1e-12)


def test_positions_without_a_number():
    """A pair has the positions that both have, as in pandas."""
    vectors = VECTORS.copy()
    vectors[1, :4] = np.nan
    vectors[2, 3:9] = np.nan
    frame = pd.DataFrame(vectors.T)
    assert pearson(vectors) == pytest.approx(frame.corr().to_numpy(), abs=1e-12)
    assert spearman(vectors) == pytest.approx(frame.corr("spearman").to_numpy(), abs=1e-12)


def test_constants_and_nothing_in_common():
    """They have no correlation, without a warning."""
    vectors = np.array([[1.0, 1, 1, 1], [1, 2, np.nan, np.nan], [np.nan, np.nan, 1, 2]])
    assert np.isnan(pearson(vectors)[0]).all()
    assert np.isnan(pearson(vectors)[1, 2])
    assert np.isnan(spearman(vectors)[1, 2])
