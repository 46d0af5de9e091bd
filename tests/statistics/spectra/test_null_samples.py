"""Statistics of randomised matrices: columns beside their own, the same functions, notes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.noted import told
from weightscope.sketches import Decompose, SingularValues
from weightscope.statistics.spectra import noise, null_distance, sizes, tail, with_null_columns
from weightscope.statistics.spectra.null_samples import (
    NOTHING,
    NULL_COLUMNS,
    WITH_NULL,
    law_of,
    percentiles,
    statistics_of,
)
from weightscope.statistics.statistic import Evidence, evaluate

RNG = np.random.default_rng(0)
M = Decompose()
COLUMNS = [
    c
    for s in (sizes(M), tail(M, None, True, 0), noise(M, False), null_distance(M))
    for c in s.columns
]


@pytest.mark.parametrize(
    ("draws", "suffixes"), [(1, ["_null"]), (2, ["_null", "_null_low", "_null_high", "_score"])]
)
def test_nulls_follow_their_columns(draws, suffixes):
    """The median, and both percentiles of several matrices; of option --null, in the same unit."""
    made = with_null_columns(COLUMNS, draws)
    names = [c.name for c in made]
    assert [c for c in made if c.option != "--null"] == COLUMNS
    for name in WITH_NULL:
        at = names.index(name)
        assert names[at + 1 : at + 1 + len(suffixes)] == [name + s for s in suffixes]
        following = made[at + 1 : at + 1 + len(suffixes)]
        units = {c.unit for c in following if not c.name.endswith("_score")}
        assert units == {made[at].unit}
    assert {c.name for c in made} - {c.name for c in COLUMNS} == {
        n + s for n in WITH_NULL for s in suffixes
    }
    assert {c.name for c in made if c.option == "--null"} <= set(NULL_COLUMNS)


def test_a_random_matrix_has_the_statistics_of_the_spectrum(sketched):
    """By the same functions, the floor included."""
    for w in (
        RNG.standard_normal((40, 64)),
        RNG.standard_normal((40, 4)) @ RNG.standard_normal((4, 64)),
    ):
        sketches = sketched(w)
        own = evaluate(
            [sizes(M), tail(M, None, False, 0), noise(M, False)], Evidence(sketches, w.shape, "F64")
        )
        found = statistics_of(sketches[M], None)
        assert {n: found[n] for n in WITH_NULL} == {n: own[n] for n in WITH_NULL}
        cut = evaluate([tail(M, 2.0, False, 0)], Evidence(sketches, w.shape, "F64"))
        assert statistics_of(sketches[M], 2.0)["alpha"] == cut["alpha"]


def test_values_at_the_floor_are_no_tail():
    """The power law is fitted to the values above the floor."""
    law = np.sqrt(1 / np.linspace(0.01, 1, 64))
    found, above, every = (
        statistics_of(SingularValues(x, (len(x), 64), "gram", floor, 0.0), None)["alpha"]
        for x, floor in ((law, law[32]), (law[:32], 0.0), (law, 0.0))
    )
    assert found == above != every


@pytest.mark.parametrize(("tail", "alpha"), [(9, None), (10, 1 + 10 / (45 * np.log(2)))])
def test_a_random_matrix_with_a_short_tail_has_no_alpha(tail, alpha):
    """As the matrix itself: the median of `alpha_null` is over tails of 10 values or more.

    Of 2, 4, ..., 2^c with the start at 2, alpha is 1 + c/(ln 2 (0 + 1 + ... + c - 1)).
    """
    values = SingularValues(np.sqrt(2.0 ** np.arange(tail, 0, -1)), (tail, 64), "gram", 0.0, 0.0)
    found = statistics_of(values, None)["alpha"]
    assert found == (alpha and pytest.approx(alpha))


@pytest.mark.parametrize(("known", "nonfinite"), [(3, 1), (0, 0)])
def test_a_random_matrix_without_a_spectrum_has_no_statistics(known, nonfinite):
    """Non-finite elements, or squares beyond float64."""
    assert (
        statistics_of(SingularValues(np.ones(known), (3, 5), "gram", 0.0, 0.0, nonfinite), None)
        == {}
    )


def test_the_law_is_the_fitted_one(counts_of):
    """Location and scale by maximum likelihood, of samples by numpy; none of a constant."""
    for name, draw in (("gaussian", RNG.normal), ("logistic", RNG.logistic)):
        found = law_of(counts_of(draw(0.5, 0.02, 20_000)), name)
        assert found == (pytest.approx(0.5, abs=1e-3), pytest.approx(0.02, rel=0.03))
    assert law_of(counts_of([0.5] * 20), "gaussian") is None


def test_percentiles_are_numpy_s():
    """Median, 10% and 90% points over the random matrices that have the statistic."""
    draws = [{"alpha": a, "spikes": s} for a, s in ((2.0, 0), (3.0, 1), (None, 0), (7.0, 0))]
    found = percentiles(draws, 4)
    assert found["alpha_null"] == 3.0
    assert (found["alpha_null_low"], found["alpha_null_high"]) == tuple(
        np.percentile([2, 3, 7], [10, 90])
    )
    assert (found["spikes_null"], type(found["spikes_null"])) == (0.0, float)
    assert told(found) == "no stable_rank, effective_rank, sigma_max in the randomised matrices"
    drawn = {name for name in NULL_COLUMNS if not name.endswith("_score")}
    assert set(found) == {*drawn, "notes"}


def test_one_random_matrix_has_no_percentiles():
    """Without any random matrix all are null, with a note."""
    full = dict.fromkeys(WITH_NULL, 1.0)
    assert percentiles([full], 1) == {f"{n}_null": 1.0 for n in WITH_NULL} | {"notes": ()}
    for nothing in ([], [{}]):
        assert percentiles(nothing, 1) == {f"{n}_null": None for n in WITH_NULL} | {
            "notes": (NOTHING,)
        }
