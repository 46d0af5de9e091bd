"""Tensors that are equal up to a tolerance: torch's own check imports its distributed tensors."""

import numpy as np


def assert_close(actual, expected, rtol, atol):
    """Of one type and shape, without NaN; |actual - expected| <= atol + rtol |expected|."""
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_allclose(
        actual.numpy(), expected.numpy(), rtol=rtol, atol=atol, equal_nan=False
    )
