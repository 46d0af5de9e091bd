"""Initialisation schemes: the laws that weights were drawn from, and distances to them."""

from __future__ import annotations

from .edge_of_chaos import CRITICAL_RELU, CRITICAL_TANH, RELU, TANH
from .element_forms import Elements
from .known_schemes import BY_NAME, SCHEMES
from .nearest_scheme import LAW, LAW_DISTANCE, Matrix, Spread, distance, nearest
from .scheme import Scheme, Setting
from .target_ratio import TVR, beyond_target, target_ratio

__all__ = [
    "BY_NAME",
    "CRITICAL_RELU",
    "CRITICAL_TANH",
    "LAW",
    "LAW_DISTANCE",
    "RELU",
    "SCHEMES",
    "TANH",
    "TVR",
    "Elements",
    "Matrix",
    "Scheme",
    "Setting",
    "Spread",
    "beyond_target",
    "distance",
    "nearest",
    "target_ratio",
]
