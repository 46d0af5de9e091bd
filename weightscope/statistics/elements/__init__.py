"""Statistics of elements without position: moments, shape, extremes, coding and quantisation."""

from __future__ import annotations

from .coding import CODING
from .extremes import EXTREMES
from .largest_z import LARGEST_Z
from .moments import MOMENTS
from .quantisation import quantisation
from .shape import SHAPE

__all__ = ["CODING", "EXTREMES", "LARGEST_Z", "MOMENTS", "SHAPE", "quantisation"]
