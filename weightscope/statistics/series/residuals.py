"""Layers whose value is far from the line that the other layers follow.

Residuals are those from the Theil-Sen line of the values, or from that of their logarithms on
log(layer + 1), whichever is closer: a clean 1/sqrt(layer) is no series of outliers. Of noise alone
17% of series of 8 layers have an outlier, 13% of 12, 14% of 24 and 12% of 32.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...columns import Column
from ...lazy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 8  # layers
FAR = 3.5  # robust standard deviations
TO_STD = 1.4826  # the MAD of a Gaussian times this is its std
HIGHEST = 690.0  # logarithm: a steep line, far from its layers, overflows float64
ROUNDING = 1e-13  # of the largest value: residuals below are rounding, and their MAD counts as 0
MANY = 0.15  # share of the layers above which they follow neither line
OUTLIER_LAYERS = Column(
    "outlier_layers",
    "str",
    "layers beyond 3.5 x 1.4826 MAD from the closer of two Theil-Sen lines, joined by commas; "
    "empty without any; null below 8 layers or where the MAD is 0",
    shown=True,
)


@dataclass(frozen=True)
class Outlying:
    """`layers` that are outliers; `curved` is how many of a series that follows neither line."""

    layers: tuple[int, ...] = ()
    curved: int = 0


def outlying(
    layers: Sequence[int], values: Sequence[float], slope: float, power: float | None
) -> Outlying | None:
    """Residuals beyond 3.5 x 1.4826 MAD, from their median; None below 8 layers or if MAD = 0.

    `slope` is that of the values, `power` (None: there is none) that of their logarithms. From the
    line of the logarithms a layer is far only if its relative residual is far too.

    >>> outlying(range(9), [1.0, 1.1, 1.0, 0.9, 1.0, 1.1, 3.0, 1.0, 0.9], 0.0, None).layers
    (6,)
    """
    if len(values) < FEWEST:
        return None
    y = np.asarray(values, np.float64)
    residuals = _linear(layers, y, slope)
    mad = _mad(residuals)
    far = _far(residuals, mad)
    if power is not None:
        fitted = _power(layers, y, power)
        of_power = _centred(y - fitted)
        mad_of_power = _mad(of_power)
        if mad_of_power < mad:
            mad = mad_of_power
            # noise is a share of the value: it is largest where the line is highest
            shares = _centred(y / fitted)
            far = _far(of_power, mad) & _far(shares, _mad(shares))
    if not mad > ROUNDING * np.abs(y).max():
        return None
    found = np.flatnonzero(far).tolist()
    if len(found) > MANY * len(values):
        return Outlying(curved=len(found))
    return Outlying(tuple(layers[i] for i in found))


def _linear(layers: Sequence[int], y: NDArray[Any], slope: float) -> NDArray[Any]:
    """Residuals from the line of the values, about their median."""
    x = np.asarray(layers, np.float64)
    return _centred(y - slope * x)


def _power(layers: Sequence[int], y: NDArray[Any], slope: float) -> NDArray[Any]:
    """The line of the logarithms on log(layer + 1), in the unit of the values."""
    x = np.log1p(np.asarray(layers, np.float64))
    level = np.median(np.log(y)) - slope * np.median(x)  # as scipy.stats.theilslopes
    logs = np.minimum(level + slope * x, HIGHEST)
    fitted: NDArray[Any] = np.exp(logs)
    return fitted


def _far(residuals: NDArray[Any], mad: float) -> NDArray[Any]:
    """Which residuals are beyond 3.5 robust standard deviations."""
    far: NDArray[Any] = np.abs(residuals) > FAR * TO_STD * mad
    return far


def _centred(residuals: NDArray[Any]) -> NDArray[Any]:
    centred: NDArray[Any] = residuals - np.median(residuals)
    return centred


def _mad(residuals: NDArray[Any]) -> float:
    """The median absolute residual."""
    return float(np.median(np.abs(residuals)))
