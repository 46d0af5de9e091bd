"""What balancing says of a matrix W_ij = a_i b_j g_ij: how uneven its row scales a and column scales b are.

Nulls are those of i.i.d. Gaussian elements. Kurtosis, beta and ks of the core g come from the core's own counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..heavy import numpy as np
from .nulls import scale_spread_null

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..sketches.balanced import Core

COLUMNS = ("row_scale_spread", "row_scale_spread_null", "col_scale_spread", "col_scale_spread_null")
NONE_EXISTS = "no balancing exists: scales do not settle (triangular or very sparse)"


def scale_spreads(core: Core) -> Mapping[str, float | str | None]:
    """`row_scale_spread`, `col_scale_spread` = population sd of log a and log b over non-zero lines.

    Nulls sqrt(1/(2n)) and sqrt(1/(2m)) for the m x n lines that are not zero; null, with a `note`, where the core is
    missing (`of` is empty: 200 sweeps did not suffice or max a/min a > 1e6) or fewer than two lines are left.
    """
    rows, cols = _scaled(core.log_rows), _scaled(core.log_cols)
    if min(len(rows), len(cols)) < 2:
        return dict.fromkeys(COLUMNS) | {"note": "fewer than two non-zero rows or columns to balance"}
    if not core.of:
        return dict.fromkeys(COLUMNS) | {"note": NONE_EXISTS}
    found = float(rows.std()), scale_spread_null(len(cols)), float(cols.std()), scale_spread_null(len(rows))
    return dict(zip(COLUMNS, found, strict=True))


def _scaled(log_scales: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_scales[np.isfinite(log_scales)]
