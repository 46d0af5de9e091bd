"""The scheme that the matrices of a series were drawn by, and the distance to a known one.

A std alone proves nothing: training leads near a scheme by accident. A scheme is named only where
the elements, the rows and the columns are still those of fresh draws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf, log, sqrt
from statistics import median

from ...columns import Column
from .element_forms import ERRORS, Elements, form_stds, forms
from .known_schemes import BY_NAME, SCHEMES
from .scheme import Scheme, Setting

NEAR = 0.05  # the largest distance
UNEVEN, EVEN = 2.0, 0.02  # spread over its null: uneven lines above, equal norms below
ORTHOGONAL = 0.01  # coefficient of variation of the singular values
MEDIAN = 1.2533  # standard error of a median, over that of a mean
LAW = Column(
    "law",
    "str",
    "initialisation that elements, rows, columns and std are still those of; all that fit, joined "
    "by commas; null: none is established",
)
LAW_DISTANCE = Column(
    "law_distance",
    "float",
    "|ln(median over layers of std/law)| of the nearest of `law`, or of --law",
)


@dataclass(frozen=True)
class Spread:
    """Sd of the log RMS of the lines of a side, and its expectation; None where undefined."""

    value: float | None
    null: float | None

    @property
    def fresh(self) -> bool:
        """Whether the lines are those of independent elements."""
        if self.value is None or self.null is None:
            return False
        return EVEN * self.null <= self.value <= UNEVEN * self.null


@dataclass(frozen=True)
class Matrix:
    """A matrix of a layer: where it stands, and what was measured."""

    setting: Setting
    elements: Elements
    rows: Spread
    columns: Spread
    orthogonality: float | None = None  # None: not measured


@dataclass(frozen=True)
class Named:
    """The names of the schemes, joined in a fixed order, and the distance of the nearest."""

    law: str | None = None
    distance: float | None = None


def nearest(matrices: Sequence[Matrix]) -> Named:
    """All schemes that fit and that the shapes cannot tell apart; None where none fits.

    Those count whose distance exceeds the least one by no more than its sampling error.
    """
    if all(one.elements.largest == 0 for one in matrices):
        return Named("zero", 0.0)
    if all(_orthogonal(one) for one in matrices):
        return Named("orthogonal", distance(BY_NAME["orthogonal"], matrices))
    if not all(one.rows.fresh and one.columns.fresh for one in matrices):
        return Named()
    drawn = forms([one.elements for one in matrices])
    distances: dict[str, float] = {}
    for scheme in SCHEMES:
        relative = [std for form in drawn if form in scheme.forms for std in form_stds(form)]
        fitting = list(_fitting(scheme, matrices, relative))
        if fitting:
            distances[scheme.name] = min(fitting)
    if not distances:
        return Named()
    least = min(distances.values())
    farthest = least + ERRORS * _error(matrices)
    names = [name for name, value in distances.items() if value <= farthest]
    return Named(",".join(names), least)


def distance(scheme: Scheme, matrices: Sequence[Matrix], relative: float = 1.0) -> float | None:
    """|ln(median over layers of std/law)|, of a law that changes with the layer a median of |ln|.

    Over several matrices of a layer, such as experts, std/law is their median. None where a std or
    the law is unknown or 0.

    >>> setting = Setting(100, 100, None, 1, 0, writes=False)
    >>> matrix = Matrix(
    ...     setting, Elements(10_000, 0, 0.2, 0, 0.12, 1), Spread(1, 1), Spread(1, 1)
    ... )
    >>> round(distance(BY_NAME["linear"], [matrix]), 4)  # ln 2
    0.6931
    """
    by_layer: dict[int, list[float]] = {}
    for one in matrices:
        ratio = _ratio(scheme, one)
        if ratio is None:
            return None
        by_layer.setdefault(one.setting.layer, []).append(ratio / relative)
    ratios = [median(of_layer) for of_layer in by_layer.values()]
    if scheme.by_layer:
        return median(abs(log(ratio)) for ratio in ratios)
    return abs(log(median(ratios)))


def _fitting(
    scheme: Scheme, matrices: Sequence[Matrix], relative: Iterable[float]
) -> Iterable[float]:
    """The distances below NEAR; each matrix must be as near, within its sampling error."""
    for std in relative:
        value = distance(scheme, matrices, std)
        if value is None or value >= NEAR:
            continue
        if all(_is_near(scheme, one, std) for one in matrices):
            yield value


def _is_near(scheme: Scheme, one: Matrix, relative: float) -> bool:
    ratio = _ratio(scheme, one)
    if ratio is None:
        return False
    return abs(log(ratio / relative)) <= NEAR + ERRORS * _std_error(one.elements)


def _ratio(scheme: Scheme, one: Matrix) -> float | None:
    """std/law; None where one of them is unknown or 0, or the ratio beyond float64."""
    law = scheme.std(one.setting)
    if not law or not one.elements.std:
        return None
    ratio = one.elements.std / law
    if not 0 < ratio < inf:
        return None
    return ratio


def _orthogonal(one: Matrix) -> bool:
    return one.orthogonality is not None and one.orthogonality < ORTHOGONAL


def _error(matrices: Sequence[Matrix]) -> float:
    """Relative standard error of the median std."""
    errors = [_std_error(one.elements) for one in matrices]
    return MEDIAN * max(errors) / sqrt(len(errors))


def _std_error(elements: Elements) -> float:
    """Relative standard error of a std, sqrt((kurtosis + 2)/(4N))."""
    if elements.kurtosis is None:
        return 0.0
    return sqrt(max(elements.kurtosis + 2, 0.0) / (4 * elements.n))
