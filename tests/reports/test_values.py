"""Values as plain Python and as text."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightscope.columns import Column
from weightscope.reports.values import brief, exact, plain


@given(st.floats())
def test_floats_are_written_shortest_round_trip(x):
    """Reading the text of a float gives the same float, NaN included."""
    back = float(exact(x))
    assert back == x or (math.isnan(back) and math.isnan(x))


def test_numpy_scalars_become_plain_values():
    """A row may hold numpy scalars; formats see the declared Python type."""
    row = {"i": np.int64(3), "f": np.float32(0.5), "b": np.bool_(True)}
    kinds = [
        type(plain(row, Column(n, k, ""))) for n, k in (("i", "int"), ("f", "float"), ("b", "bool"))
    ]
    assert kinds == [int, float, bool]
    assert plain(row, Column("absent", "float", "")) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (12345.6, "12346"),
        (1e-7, "1e-07"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (123456, "123456"),
        (True, "true"),
        (None, "·"),
        ("a\x1b", r"a\x1b"),
        (12345678.9, "1.235e+07"),
    ],
)
def test_brief_has_four_digits(value, text):
    """The eye gets four significant digits, and text that cannot act."""
    assert brief(value) == text
