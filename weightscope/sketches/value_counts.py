"""ValueCounts: a tensor as counted cells `(low, high, count)`, with exact power sums beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..heavy import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
