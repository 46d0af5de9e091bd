"""The memory of the tests of commands: equal arguments are known, any other value is new."""

from dataclasses import replace

import numpy as np

from tests import fits
from weightscope.sketches import ValueCounts
from weightscope.statistics.laws import best_law

COUNTS = ValueCounts(value=np.arange(2000.0), counts=np.ones(2000, np.int64))
OTHER = np.where(np.arange(2000) == 1000, 2, 1)  # in the middle, which a short text leaves out


def test_equal_arguments_are_known_and_others_are_new(monkeypatch):
    """By their content, also within long arrays; arguments beside the counts matter too."""
    monkeypatch.setattr(fits, "KNOWN", {})
    calls = []
    slow = fits.once(lambda *arguments: calls.append(arguments))
    slow(COUNTS), slow(replace(COUNTS, value=np.arange(2000.0)))
    assert len(calls) == 1
    for others in ((replace(COUNTS, counts=OTHER),), (replace(COUNTS, zeros=1),), (COUNTS, "F32")):
        slow(*others), slow(*others)
    assert len(calls) == 4


def test_each_function_has_results_of_its_own(monkeypatch):
    """Two functions of the same counts."""
    monkeypatch.setattr(fits, "KNOWN", {})
    assert [fits.once(function)(4) for function in (abs, float)] == [4, 4.0]
    assert len(fits.KNOWN) == 2


def test_the_functions_come_back():
    """After the tests of commands, and for a test that compares two runs."""
    plain = best_law.fit_laws
    with fits.fitted_once():
        assert best_law.fit_laws is not plain
        with fits.fitted_anew():
            assert best_law.fit_laws is plain
    assert best_law.fit_laws is plain
