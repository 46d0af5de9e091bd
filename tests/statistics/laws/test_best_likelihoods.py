"""Every law of 44 hard samples is as likely as the best that other searches find (hard_peers)."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from tests.statistics.laws.hard_peers import PEERS
from tests.statistics.laws.hard_samples import NAMES, sample, standard, stored
from weightscope.statistics.laws import LAWS
from weightscope.statistics.laws.cells import prepare
from weightscope.statistics.laws.fitting import fit_laws

CLOSE = 1e-6  # of the best log-likelihood
BEST = {(record["sample"], record["law"]): record["loglik"] for record in stored()}


def _logliks(name: str, counts_of) -> dict[str, tuple[float, bool]]:
    """By law the log-likelihood, of densities but on a lattice, and whether the search ended."""
    hard = sample(name)
    counts = counts_of(hard.x)
    if hard.step:
        half = hard.step / 2
        counts = replace(counts, low=counts.value - half, high=counts.value + half)
    cells = prepare(counts)
    assert cells.n == len(hard.x)  # no zeros are dropped, which the other searches keep
    widths = 0.0
    if not hard.step:
        widths = cells.n * (cells.log_width + log(cells.scale))
    fits = fit_laws(counts).fits
    return {law: (fit.loglik - widths, fit.converged) for law, fit in fits.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_law_is_as_likely_as_other_searches_find(name, counts_of):
    """Within 1e-6 of the best log-likelihood; each search has ended."""
    logliks = _logliks(name, counts_of)
    assert list(logliks) == [law.name for law in LAWS]
    for law, (loglik, converged) in logliks.items():
        best = BEST[name, law]
        assert best - loglik <= CLOSE * abs(best), (law, loglik, best)
        assert converged, law


def test_the_samples_are_44_and_all_are_searched():
    """Each has a record of each law."""
    assert len(NAMES) == 44
    assert set(BEST) == {(name, law.name) for name in NAMES for law in LAWS}


@pytest.mark.parametrize("name", ["3 normal", "lattice of 5"])
def test_stored_records_are_those_of_the_searches(name):
    """The two quickest laws of two samples, searched again."""
    points = standard(sample(name))
    for law in ("laplace", "truncnorm"):
        assert PEERS[law](points) == pytest.approx(BEST[name, law], rel=1e-9)
