"""The spacing of stored types."""

from __future__ import annotations

import numpy as np

from weightscope.statistics.elements.spacing import eps_of


def test_eps_is_the_spacing_at_one():
    """numpy.finfo of the types numpy has, mantissa bits of the others, 0 for integers."""
    for name, numpy_type in (("F64", np.float64), ("F32", np.float32), ("F16", np.float16)):
        assert eps_of(name) == np.finfo(numpy_type).eps
    mantissas = {
        "BF16": 7,
        "F8_E4M3": 3,
        "F8_E4M3FNUZ": 3,
        "F8_E5M2": 2,
        "F8_E5M2FNUZ": 2,
        "F4": 1,
        "F8_E8M0": 0,
    }
    assert {name: eps_of(name) for name in mantissas} == {
        name: 2.0**-bits for name, bits in mantissas.items()
    }
    assert {eps_of(name) for name in ("I8", "U8", "I64", "BOOL")} == {0.0}
