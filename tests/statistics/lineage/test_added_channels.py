"""Added input channels."""

from __future__ import annotations

import pytest

from weightscope.statistics.lineage import Slice, channels


@pytest.mark.parametrize(
    ("rows", "columns", "a", "b", "expected"),
    [
        ("all", "first 3/4", (64, 3, 7, 7), (64, 4, 7, 7), "channels 3/4"),
        ("all", "first 1/3", (8, 1, 5), (8, 3, 5), "channels 1/3"),
        ("all", "first 3/4", (64, 4, 7, 7), (64, 3, 7, 7), ""),  # fewer
        ("all", "stride 2", (64, 3, 7, 7), (64, 6, 7, 7), ""),
        ("first 1/2", "first 3/4", (32, 3, 7, 7), (64, 4, 7, 7), ""),
        ("all", "first 3/4", (64, 3, 7, 7), (64, 4, 5, 5), ""),
        ("all", "first 3/4", (64, 3), (64, 4), ""),  # no convolution
    ],
)
def test_added_channels_have_a_name(rows, columns, a, b, expected: str) -> None:
    """Equal outputs and kernels, more inputs, of which A's are the first."""
    assert channels(Slice(rows, columns, 1.0, 0.0, 1.0, 0.0), a, b) == expected
