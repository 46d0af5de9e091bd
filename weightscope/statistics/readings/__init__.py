"""Which columns a statistic fills and which measures it needs: the join between pure functions and the engine."""

from __future__ import annotations

from .bulk import noise
from .chance import chance
from .coding import CODING
from .core import core
from .crowding import CROWDING
from .depth import depth
from .drawn import against
from .evenness import evenness
from .extremes import EXTREMES
from .laws import LAWS
from .lines import LINES
from .marked_lines import MARKED_LINES
from .moments import MOMENTS
from .power_law import tail
from .quantisation import quantisation
from .ranks import sizes
from .shape import SHAPE
from .twin import twin
from .untrained import UNTRAINED

__all__ = [
    "CODING", "CROWDING", "EXTREMES", "LAWS", "LINES", "MARKED_LINES", "MOMENTS", "SHAPE", "UNTRAINED", "against",
    "chance", "core", "depth", "evenness", "noise", "quantisation", "sizes", "tail", "twin",
]
