"""Statistics of rows and columns: deviations from i.i.d., marked lines, crowding, balancing."""

from __future__ import annotations

from .balancing import balanced_elements
from .crowding import CROWDING
from .iid import IID
from .marked_lines import MARKED_LINES
from .untrained import UNTRAINED

__all__ = ["CROWDING", "IID", "MARKED_LINES", "UNTRAINED", "balanced_elements"]
