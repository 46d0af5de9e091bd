"""Margins with extremes: sum, squares, least, greatest, start and end of each row and column."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import sketches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...lazy import numpy as np

    # sum, squares, min, max, nonfinite, start, end: an array of each over the lines of a side
    Margin = Mapping[str, NDArray[np.float64]]

MARGINS = sketches.MarginSums(extremes=True)
