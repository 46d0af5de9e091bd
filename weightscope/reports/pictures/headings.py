"""A legend of several parts, each with its heading at the left and its entries beside it.

The entries of all parts are in columns, as many as fit on the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ...lazy import matplotlib_lines
from .page import INK, key

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# inches
LINE = 0.17  # a line of the legend
ENTRY = 0.57  # an entry without its letters: its sample and gaps
SAMPLE = 2.6  # letters: the length of a sample
SIZE = 8 / 72  # the letters
NARROW, BROAD = "abcdefghijklnopqrstuvxyz.,:;-_ 0123456789", "mwMW@%…"


@dataclass(frozen=True)
class Entry:
    """Words of a legend, and the sample of a line before them."""

    words: str
    sample: Any


@dataclass(frozen=True)
class Part:
    """A heading with its colour, and its entries by their words: a sample of each."""

    heading: str
    colour: str
    entries: Mapping[str, Any]


def headings(figure: Figure, parts: Sequence[Part], wide: float) -> None:
    """The legend at the top of a page `wide` inches wide."""
    if not parts:
        return
    across = _across(parts, wide)
    table = [_filled(line, across) for line in _lines(parts, across)]
    # matplotlib fills a legend column by column
    ordered = [entry for column in zip(*table, strict=True) for entry in column]
    samples = [entry.sample for entry in ordered]
    # a text that begins with _ would be left out
    key(figure, samples, ["."] * len(ordered), across + 1, sample=SAMPLE)
    texts = figure.legends[-1].get_texts()
    for text, entry in zip(texts, ordered, strict=True):
        text.set_text(entry.words)
    colours = {part.heading: part.colour for part in parts}
    for text in texts[: len(table)]:
        text.set_color(colours.get(text.get_text(), INK))
        text.set_fontweight("bold")


def height(parts: Sequence[Part], wide: float) -> float:
    """Inches of the legend."""
    if not parts:
        return 0.0
    return 0.12 + LINE * len(_lines(parts, _across(parts, wide)))


def _filled(line: Sequence[Entry], across: int) -> list[Entry]:
    """A line with empty entries at its end."""
    return [*line, *[_empty()] * (across + 1 - len(line))]


def _empty(words: str = "") -> Entry:
    """Words without a sample."""
    return Entry(words, matplotlib_lines.Line2D([], [], linestyle=""))


def _lines(parts: Sequence[Part], across: int) -> list[list[Entry]]:
    """The lines of the legend: a heading or nothing, then entries."""
    lines = []
    for part in parts:
        entries = [Entry(words, sample) for words, sample in part.entries.items()]
        heading = part.heading
        for first in range(0, len(entries), across):
            lines.append([_empty(heading), *entries[first : first + across]])
            heading = ""
    return lines


def _across(parts: Sequence[Part], wide: float) -> int:
    """Entries in a line beside the heading: the fewest that give no more lines than must be."""
    most = max(len(part.entries) for part in parts)
    fitting = [across for across in range(1, most + 1) if _wide(parts, across) <= wide]
    if not fitting:
        return 1
    fewest = len(_lines(parts, fitting[-1]))
    return next(across for across in fitting if len(_lines(parts, across)) == fewest)


def _wide(parts: Sequence[Part], across: int) -> float:
    """Inches of all columns."""
    columns = zip_longest(*_lines(parts, across), fillvalue=_empty())
    return sum(ENTRY + max(_inches(entry.words) for entry in column) for column in columns)


def _inches(text: str) -> float:
    """The width of a text of the legend; letters outside NARROW count as wide ones."""
    letters = 0.0
    for letter in text:
        if letter in NARROW:
            letters += 0.64
        elif letter in BROAD:
            letters += 1.0
        else:
            letters += 0.84
    return letters * SIZE
