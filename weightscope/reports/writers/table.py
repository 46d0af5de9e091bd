"""A table for people.

On a terminal it is compact: the columns that matter, as many as fit, four significant digits, names shortened in
the middle. Elsewhere it has every column at full precision and width, and nothing is cut.
Names are data here, never markup; unprintable characters are made visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from ...columns import Column
from ...escape import escaped
from ...lazy import rich_cells
from ..screen import Screen
from ..spark import ascii
from ..tables import Table
from ..values import brief, exact
from .writer import Writer

GAP = 2  # blanks between columns
SHORTEST = 20  # a shortened name still shows its layer and its last two parts
NULL = "·"

Cells = list[list[str]]  # by column


def text(table: Table, screen: Screen) -> str:
    """The table as text for a screen, a line feed after every line."""
    columns = table.compact if screen.terminal else table.texts
    cells = _cells(table, columns, screen.terminal)
    if screen.terminal:
        columns, cells = fitted(columns, cells, screen.width, table.chosen)
    drawn = _drawn(columns, cells, screen)
    return drawn if screen.carries(drawn) else ascii(drawn)


def _cells(table: Table, columns: tuple[Column, ...], short: bool) -> Cells:
    rows = table.values(columns)
    as_text = brief if short else lambda value, null: escaped(exact(value, null))
    by_row = [[as_text(value, NULL) for value in values] for values in rows]
    return (
        [list(column) for column in zip(*by_row, strict=True)] if by_row else [[] for _ in columns]
    )


def fitted(
    columns: Sequence[Column], cells: Cells, width: int, chosen: bool
) -> tuple[tuple[Column, ...], Cells]:
    """As many columns from the left as fit with their text shortened, a reading never without the null that follows it.

    All of them where a person named them.
    """
    names = _texts(columns, cells)
    widest = [_widest(c, own) for c, own in zip(columns, cells, strict=True)]
    least = [min(w, SHORTEST) if i in names else w for i, w in enumerate(widest)]
    keep = len(columns)
    while (
        not chosen
        and keep > 1
        and (_parted(columns, keep) or sum(least[:keep]) + GAP * (keep - 1) > width)
    ):
        keep -= 1
    columns, cells = tuple(columns[:keep]), cells[:keep]
    excess = _width(columns, cells) - width
    for at in (i for i in names if i < keep):
        if excess > 0:
            before = _widest(columns[at], cells[at])
            room = max(min(SHORTEST, width), before - excess)
            cells[at] = [shortened(cell, room) for cell in cells[at]]
            excess -= before - _widest(columns[at], cells[at])
    return columns, cells


def _parted(columns: Sequence[Column], keep: int) -> bool:
    """Whether a cut here would leave a reading without its null."""
    return keep < len(columns) and columns[keep].reading == columns[keep - 1].name


def shortened(name: str, width: int) -> str:
    """The name in a width of character cells: leading parts as initials, then cut in the middle.

    What holds a number and the last two parts, which tell tensors apart, are cut last.

    >>> shortened("model.layers.10.mlp.down_proj.weight", 30), shortened("model.layers.10.mlp.down_proj.weight", 20)
    ('m.l.10.mlp.down_proj.weight', 'm.l.10.m.d…oj.weight')
    """
    parts = name.split(".")
    for i, part in enumerate(parts[:-2]):
        if cell_width(".".join(parts)) > width and not any(c.isdigit() for c in part):
            parts[i] = part[:1]
    initials = ".".join(parts)
    if cell_width(initials) <= width:
        return initials
    head, tail = width // 2, (width - 1) // 2
    return _taken(initials, head) + "…" + _taken(initials[::-1], tail)[::-1]


def _taken(name: str, width: int) -> str:
    taken = name[:width]
    while cell_width(taken) > width:
        taken = taken[:-1]
    return taken


def _texts(columns: Sequence[Column], cells: Cells) -> list[int]:
    """Columns of names, widest first; a drawn histogram is not text to cut."""
    names = [i for i, c in enumerate(columns) if c.dtype == "str" and c.name != "histogram"]
    return sorted(names, key=lambda i: -_widest(columns[i], cells[i]))


def _widest(column: Column, cells: Sequence[str]) -> int:
    return max([len(column.name), *(cell_width(cell) for cell in cells)])


def _width(columns: Sequence[Column], cells: Cells) -> int:
    return sum(_widest(c, own) for c, own in zip(columns, cells, strict=True)) + GAP * (
        len(columns) - 1
    )


def _drawn(columns: Sequence[Column], cells: Cells, screen: Screen) -> str:
    """Header, rule, rows; drawn here because rich's own table takes 50 times as long for thousands of rows."""
    blocks = [_padded(column, own) for column, own in zip(columns, cells, strict=True)]
    lines = [(" " * GAP).join(line).rstrip() for line in zip(*blocks, strict=True)]
    head, *body = lines or [""]
    rule = "─" * _width(columns, cells)
    if screen.color:
        head, body = (
            f"\x1b[1m{head}\x1b[0m",
            [line.replace(NULL, f"\x1b[2m{NULL}\x1b[0m") for line in body],
        )
    return "\n".join([head, rule, *body]) + "\n"


def _padded(column: Column, cells: Sequence[str]) -> list[str]:
    """A column with its header, text to the left and numbers to the right."""
    width = _widest(column, cells)
    blanks = [" " * (width - cell_width(cell)) for cell in (column.name, *cells)]
    pairs = zip((column.name, *cells), blanks, strict=True)
    return [cell + blank if column.dtype == "str" else blank + cell for cell, blank in pairs]


def cell_width(text: str) -> int:
    """How many cells of a terminal a text takes; rich knows the wide characters.

    >>> cell_width("abc"), cell_width("漢")
    (3, 2)
    """
    return len(text) if text.isascii() else rich_cells.cell_len(text)


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    stream.write(text(table, screen).encode(screen.encoding, "backslashreplace"))


TABLE = Writer("table", (".txt",), _write)
