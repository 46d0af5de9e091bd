"""Which columns a statistic fills and which measures it needs: the join between pure functions and the engine."""

from __future__ import annotations

from .coding import CODING
from .core import core
from .laws import LAWS
from .lines import LINES
from .moments import MOMENTS
from .shape import SHAPE

__all__ = ["CODING", "LAWS", "LINES", "MOMENTS", "SHAPE", "core"]
