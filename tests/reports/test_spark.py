"""Histograms in one line."""

import math

import pytest

from weightscope.reports.spark import ascii, blocks


@pytest.mark.parametrize(
    ("heights", "text"),
    [
        ([], ""),
        ([0, 0], "  "),
        ([1, 1], "██"),
        ([math.nan, -1, 1e-9, 1], "  ▁█"),
        ([1, 2, 3, 4, 5, 6, 7, 8], "▁▂▃▄▅▆▇█"),
        ([math.inf, 1], "██"),
    ],
)
def test_blocks(heights, text):
    """Heights are relative to the largest; what is not there is a space, what is there is seen."""
    assert blocks(heights) == text


def test_ascii_stand_in():
    """Every block has its own ASCII character."""
    assert ascii("▁▂▃▄▅▆▇█─·…é") == "._-=+*%#--~é"
