"""Statistics of singular values: ranks, power law, bulk and spikes, effective depth, and nulls."""

from __future__ import annotations

from .bulk import noise
from .chance import chance
from .drawn import against
from .effective_depth import depth
from .evenness import evenness
from .power_law import tail
from .ranks import sizes
from .twin import twin

__all__ = ["against", "chance", "depth", "evenness", "noise", "sizes", "tail", "twin"]
