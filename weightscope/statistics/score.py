"""Scores: how many standard deviations a value lies from what i.i.d. elements would give.

Half of all noise lies above its expectation. A score tells an ordinary draw from an unusual one:
of i.i.d. elements of the measured kurtosis, |score| > 3 is rarer than one in a hundred.
"""

from __future__ import annotations

from math import isfinite

from ..columns import Column


def score_column(name: str) -> Column:
    """The column of the score of another column, `<name>_score`.

    >>> score_column("row_spread").name
    'row_spread_score'
    """
    meaning = f"({name} - {name}_null) in standard deviations of i.i.d. elements; null without any"
    return Column(f"{name}_score", "float", meaning)


def score(value: float | None, null: float | None, deviation: float | None) -> float | None:
    """(value - null)/deviation; None where one is unknown, or the deviation is 0.

    >>> score(1.5, 1.0, 0.25), score(1.5, 1.0, 0.0)
    (2.0, None)
    """
    if value is None or null is None or deviation is None or not deviation > 0:
        return None
    found = (value - null) / deviation
    return found if isfinite(found) else None
