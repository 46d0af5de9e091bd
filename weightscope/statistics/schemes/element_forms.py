"""Which laws the elements of matrices may have been drawn from: normal, truncated, uniform.

Fresh elements have the kurtosis and the L-kurtosis of their law within sampling error, and no
element beyond its bound; elements that were trained have not. The errors are those of independent
elements.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import erfc, sqrt

from .scheme import NORMAL, TRUNCATED, UNIFORM

ERRORS = 5.0  # standard errors from the value of the law
# rounding of the stored types and the bins of the counts
KURTOSIS_ROUNDING, L_KURTOSIS_ROUNDING, EDGE_ROUNDING = 0.01, 0.001, 0.01
RARE = 1e-9  # chance of a normal element as large as the largest
FEWEST = 4096  # elements of all layers: below, a logistic law is not told from a normal one
CUT_STD = 0.87962566  # std of a standard normal between -2 and 2


@dataclass(frozen=True)
class Form:
    """A law: its values in a large sample, and their standard errors times sqrt(n).

    Closed forms; those of the L-kurtosis by simulation of 4,096 elements.
    """

    name: str
    kurtosis: float
    kurtosis_error: float
    l_kurtosis: float
    l_kurtosis_error: float
    edge: float | None  # the largest |w|/std; None = unbounded


FORMS = (
    Form(NORMAL, 0.0, sqrt(24), 0.12260, 0.283, None),
    Form(TRUNCATED, -0.63446, 1.962, 0.08498, 0.250, 2 / CUT_STD),
    Form(UNIFORM, -1.2, 1.148, 0.0, 0.236, sqrt(3)),
)


@dataclass(frozen=True)
class Elements:
    """What the elements of one matrix have; None where it is undefined."""

    n: int
    mean: float | None
    std: float | None
    kurtosis: float | None
    l_kurtosis: float | None
    largest: float | None  # |w|


def forms(matrices: Sequence[Elements]) -> tuple[str, ...]:
    """The laws that every matrix, and all together, may have been drawn from.

    >>> fresh = Elements(1_000_000, 0.0, 0.02, -1.2, 0.0, 0.02 * sqrt(3))
    >>> forms([fresh])
    ('uniform',)
    """
    if sum(one.n for one in matrices) < FEWEST:
        return ()
    return tuple(form.name for form in FORMS if _fits_all(form, matrices))


def _fits_all(form: Form, matrices: Sequence[Elements]) -> bool:
    """Whether a law fits each matrix, and the mean shape of all."""
    if not all(_centred(one) and _bounded(form, one) for one in matrices):
        return False
    total = sum(one.n for one in matrices)
    kurtosis = l_kurtosis = 0.0
    for one in matrices:
        if one.kurtosis is None or one.l_kurtosis is None:
            return False
        if not _shaped(form, one.n, one.kurtosis, one.l_kurtosis):
            return False
        kurtosis += one.kurtosis * one.n / total
        l_kurtosis += one.l_kurtosis * one.n / total
    return _shaped(form, total, kurtosis, l_kurtosis)


def _shaped(form: Form, n: int, kurtosis: float, l_kurtosis: float) -> bool:
    """Whether both shapes of n elements are within error of those of the law."""
    from_kurtosis = abs(kurtosis - form.kurtosis)
    from_l_kurtosis = abs(l_kurtosis - form.l_kurtosis)
    allowed = KURTOSIS_ROUNDING + ERRORS * form.kurtosis_error / sqrt(n)
    l_allowed = L_KURTOSIS_ROUNDING + ERRORS * form.l_kurtosis_error / sqrt(n)
    return from_kurtosis <= allowed and from_l_kurtosis <= l_allowed


def _centred(one: Elements) -> bool:
    """Whether the mean is 0 within error."""
    if one.mean is None or not one.std:
        return False
    return abs(one.mean) <= ERRORS * one.std / sqrt(one.n)


def _bounded(form: Form, one: Elements) -> bool:
    """Whether the largest element is within the bound of the law; of a normal one, not too rare."""
    if one.largest is None or not one.std:
        return False
    edge = one.largest / one.std
    if form.edge is None:
        return one.n * erfc(edge / sqrt(2)) >= RARE
    error = sqrt((form.kurtosis + 2) / (4 * one.n))  # of the std, relative
    return edge <= form.edge * (1 + EDGE_ROUNDING + ERRORS * error)


def form_stds(form: str) -> Iterator[float]:
    """The stds of a form, relative to that of its scheme.

    Some libraries cut a normal law at 2 sigma and leave its std at 0.88 sigma; others correct it.
    """
    yield 1.0
    if form == TRUNCATED:
        yield CUT_STD
