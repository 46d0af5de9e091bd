"""fit: which law do the weights follow, how well, and are they i.i.d.?"""

from __future__ import annotations

from .options import FitOptions
from .rows import FIT

__all__ = ["FIT", "FitOptions"]
