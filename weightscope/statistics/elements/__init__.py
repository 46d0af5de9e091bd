"""Statistics of elements, whatever their position: moments, shape, extremes, coding cost, quantisation error."""

from __future__ import annotations

from .coding import CODING
from .extremes import EXTREMES
from .moments import MOMENTS
from .quantisation import quantisation
from .shape import SHAPE

__all__ = ["CODING", "EXTREMES", "MOMENTS", "SHAPE", "quantisation"]
