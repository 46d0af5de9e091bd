"""Where a shape ends at its bound, the bound itself is printed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from weightscope.statistics.fitting import fit_laws


@pytest.mark.parametrize(("law", "shape", "bound"), [("student_t", "nu", 200.0), ("gennorm", "beta", 8.0)])
def test_a_bound_is_printed_as_it_is_stated(law: str, shape: str, bound: float, counts_of: Any) -> None:
    """Uniform weights end at nu = 200 and beta = 8: a gate on `nu == 200` sees them."""
    found = fit_laws(counts_of(np.random.default_rng(4).uniform(-1, 1, 5000)))[law]
    assert found.at_bound
    assert found.params[shape] == bound
