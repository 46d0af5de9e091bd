"""Margins with extremes: sum, squares, least, greatest, start and end of each row and column, for `marked_lines`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import sketches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...lazy import numpy as np

    Lines = Mapping[
        str, NDArray[np.float64]
    ]  # sum, squares, min, max, nonfinite, start, end of each line

MARGINS = sketches.Lines(extremes=True)
