"""Statistics of rows and columns: deviations from i.i.d., marked lines, crowding, balancing."""

from __future__ import annotations

from .balancing import core
from .crowding import CROWDING
from .iid import LINES
from .marked_lines import MARKED_LINES
from .untrained import UNTRAINED

__all__ = ["CROWDING", "LINES", "MARKED_LINES", "UNTRAINED", "core"]
