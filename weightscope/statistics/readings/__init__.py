"""Which columns a statistic fills and which measures it needs: the join between pure functions and the engine."""

from __future__ import annotations

from .bulk import noise
from .chance import chance
from .coding import CODING
from .core import core
from .depth import depth
from .drawn import against
from .evenness import evenness
from .laws import LAWS
from .lines import LINES
from .moments import MOMENTS
from .power_law import tail
from .ranks import sizes
from .shape import SHAPE
from .twin import twin

__all__ = [
    "CODING", "LAWS", "LINES", "MOMENTS", "SHAPE", "against", "chance", "core", "depth", "evenness", "noise", "sizes",
    "tail", "twin",
]
