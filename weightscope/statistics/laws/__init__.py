"""Laws of the weights: distributions (listed in `members`), fits, goodness, the best law."""

from __future__ import annotations

from .best_law import BEST_LAW
from .law import Law
from .members import LAWS

__all__ = ["BEST_LAW", "LAWS", "Law"]
