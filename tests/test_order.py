"""Natural order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from weightscope.order import natural


def test_numbers_count() -> None:
    """Numbers are compared as numbers, text as text."""
    assert sorted(["h.10", "h.2", "h", "h.1.b", "h.1.a"], key=natural) == [
        "h",
        "h.1.a",
        "h.1.b",
        "h.2",
        "h.10",
    ]


def test_endless_digits() -> None:
    """A run of more digits than Python turns into an integer is still ordered."""
    assert natural("h." + "9" * 5000) > natural("h." + "8" * 5000)


@given(st.text(max_size=12), st.text(max_size=12))
def test_order_is_total(a: str, b: str) -> None:
    """Two names have one key exactly when they are one name."""
    assert (natural(a) == natural(b)) == (a == b)
