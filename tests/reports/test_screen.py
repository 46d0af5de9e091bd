"""What the reader of our output can show."""

import io

import pytest

from weightscope.reports.screen import Screen


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "color"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "xterm-256color"}, True),
    ],
)
def test_colour_is_for_terminals_that_want_it(environment, color):
    """NO_COLOR and a dumb terminal turn colour off; a pipe never has it."""
    assert Screen.of(Terminal(), environment).color is color
    assert not Screen.of(io.StringIO(), environment).color


@pytest.mark.parametrize(
    ("columns", "width"), [("60", 60), ("", 80), ("x", 80), ("0", 80), ("9" * 50, 80)]
)
def test_columns_is_honoured(columns, width):
    """COLUMNS is the width where it is a sane number."""
    assert Screen.of(Terminal(), {"COLUMNS": columns}).width == width


def test_encodings_carry_what_they_can():
    """ASCII has no block characters, and UTF-8 no lone surrogate."""
    assert not Screen(encoding="ascii").carries("▁")
    assert not Screen().carries("\ud800")
    assert Screen().carries("▁")
