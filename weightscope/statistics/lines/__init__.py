"""Statistics of rows and columns: deviations from i.i.d., marked lines, norms, balancing."""

from __future__ import annotations

from .balancing import balanced_elements
from .crowding import CROWDING
from .iid import IID
from .marked_lines import MARKED_LINES
from .norm_inf import NORM_INF
from .untrained import UNTRAINED

__all__ = ["CROWDING", "IID", "MARKED_LINES", "NORM_INF", "UNTRAINED", "balanced_elements"]
