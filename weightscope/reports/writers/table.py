"""A table for people.

On a terminal it is compact: the columns marked `shown`, as many as fit, four significant digits,
names shortened in the middle. Elsewhere it has every column at full precision and width. Names are
data, never markup; unprintable characters are escaped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

from ...columns import MODEL, Column
from ...escape import escaped
from ...lazy import rich_cells
from ...sources import distinct
from ..screen import Screen
from ..spark import ascii
from ..tables import CHARACTER_PICTURES, Table
from ..values import brief, exact
from .writer import Writer

GAP = 2  # blanks between columns
SHORTEST = 20  # a shortened name still shows its layer and its last two parts
NULL = "·"
MOST = 10_000  # different texts of cells that are kept to be shared

Cells = list[list[str]]  # by column


def text(table: Table, screen: Screen) -> str:
    """The table as text for a screen, a line feed after every line."""
    return "".join(_lines(table, screen))


def _lines(table: Table, screen: Screen) -> Iterator[str]:
    """The lines of a table; one at a time, since a long table has hundreds of megabytes."""
    columns = table.texts
    if screen.terminal:
        columns = table.compact
    cells = _cells(table, columns, screen.terminal)
    if screen.terminal:
        columns, cells = fitted(columns, cells, screen.width, table.chosen)
    widths = [_widest(*pair) for pair in zip(columns, cells, strict=True)]
    if all(screen.carries(line) for line in _rendered(columns, cells, widths, screen)):
        yield from _rendered(columns, cells, widths, screen)
    else:
        yield from map(ascii, _rendered(columns, cells, widths, screen))


def _cells(table: Table, columns: tuple[Column, ...], short: bool) -> Cells:
    """The text of every cell, by column; `short`: four significant digits."""
    cells: Cells = [[] for _ in columns]
    same: dict[str, str] = {}  # most numbers of a long table are equal
    for values in table.values(columns):
        for column_cells, value in zip(cells, values, strict=True):
            if short:
                cell = brief(value, NULL)
            else:
                cell = escaped(exact(value, NULL))
            if not isinstance(value, str):
                cell = same.setdefault(cell, cell)
            column_cells.append(cell)
        if len(same) > MOST:
            same.clear()
    return cells


def fitted(
    columns: Sequence[Column], cells: Cells, width: int, chosen: bool
) -> tuple[tuple[Column, ...], Cells]:
    """The columns from the left that fit, their text shortened; all of them if `chosen`.

    A statistic is never shown without the null that follows it.
    """
    names = _names(columns, cells)
    count = len(columns)
    if not chosen:
        count = _fitting(columns, cells, names, width)
    columns, cells = tuple(columns[:count]), cells[:count]
    excess = _width(columns, cells) - width
    for i in names:
        if i >= count or excess <= 0:
            continue
        before = _widest(columns[i], cells[i])
        room = max(min(SHORTEST, width), before - excess)
        if columns[i].unit == MODEL:
            # the ends of a path, which a cut keeps, are those of every model
            cells[i] = distinct(cells[i])
        cells[i] = [shortened(cell, room) for cell in cells[i]]
        excess -= before - _widest(columns[i], cells[i])
    return columns, cells


def _fitting(columns: Sequence[Column], cells: Cells, names: Sequence[int], width: int) -> int:
    """How many columns fit if the names are shortened as far as possible, at least 1."""
    widths = []
    for i, (column, column_cells) in enumerate(zip(columns, cells, strict=True)):
        widest = _widest(column, column_cells)
        if i in names:
            widest = min(widest, SHORTEST)
        widths.append(widest)
    count = len(columns)
    while count > 1:
        fits = sum(widths[:count]) + GAP * (count - 1) <= width
        if fits and not _separates(columns, count):
            break
        count -= 1
    return count


def _separates(columns: Sequence[Column], count: int) -> bool:
    """Whether the first `count` columns end with a statistic whose null comes next."""
    if count >= len(columns):
        return False
    last, following = columns[count - 1], columns[count]
    return following.null_of == last.name


def shortened(name: str, width: int) -> str:
    """The name within a number of terminal cells: leading parts as initials, then its middle cut.

    Numbers and the last two parts, which distinguish tensors, are cut last.

    >>> shortened("model.layers.10.mlp.down_proj.weight", 30)
    'm.l.10.mlp.down_proj.weight'
    >>> shortened("model.layers.10.mlp.down_proj.weight", 20)
    'm.l.10.m.d…oj.weight'
    """
    parts = name.split(".")
    for i, part in enumerate(parts[:-2]):
        if cell_width(".".join(parts)) <= width:
            break
        if not any(character.isdigit() for character in part):
            parts[i] = part[:1]
    initials = ".".join(parts)
    if cell_width(initials) <= width:
        return initials
    head = _prefix(initials, width // 2)
    tail = _prefix(initials[::-1], (width - 1) // 2)[::-1]
    return head + "…" + tail


def _prefix(text: str, width: int) -> str:
    """The longest beginning that takes at most `width` cells; wide characters take two."""
    prefix = text[:width]
    while cell_width(prefix) > width:
        prefix = prefix[:-1]
    return prefix


def _names(columns: Sequence[Column], cells: Cells) -> list[int]:
    """Positions of text columns, widest first; a picture in characters is never cut."""
    names = []
    for i, column in enumerate(columns):
        if column.dtype == "str" and column.name not in CHARACTER_PICTURES:
            names.append(i)
    return sorted(names, key=lambda i: -_widest(columns[i], cells[i]))


def _widest(column: Column, cells: Sequence[str]) -> int:
    """Terminal cells of a column with its header."""
    widths = [cell_width(cell) for cell in cells]
    return max([len(column.name), *widths])


def _width(columns: Sequence[Column], cells: Cells) -> int:
    """Terminal cells of a whole line."""
    return _line_width([_widest(*pair) for pair in zip(columns, cells, strict=True)])


def _line_width(widths: Sequence[int]) -> int:
    gaps = GAP * (len(widths) - 1)
    return gaps + sum(widths)


def _rendered(
    columns: Sequence[Column], cells: Cells, widths: Sequence[int], screen: Screen
) -> Iterator[str]:
    """Header, rule and rows: rich's own table takes 50 times as long for thousands of rows."""
    head = _line([column.name for column in columns], columns, widths)
    if screen.color:
        head = f"\x1b[1m{head}\x1b[0m"  # bold
    yield head + "\n"
    yield "─" * _line_width(widths) + "\n"
    dim_null = f"\x1b[2m{NULL}\x1b[0m"
    for row in zip(*cells, strict=True):
        line = _line(row, columns, widths)
        if screen.color:
            line = line.replace(NULL, dim_null)
        yield line + "\n"


def _line(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    """The cells of a row with blanks: text to the left, numbers to the right."""
    padded = []
    for cell, column, width in zip(row, columns, widths, strict=True):
        blanks = " " * (width - cell_width(cell))
        padded.append(cell + blanks if column.dtype == "str" else blanks + cell)
    return (" " * GAP).join(padded).rstrip()


def cell_width(text: str) -> int:
    """The number of terminal cells of a text; rich knows the wide characters.

    >>> cell_width("abc"), cell_width("漢")
    (3, 2)
    """
    if text.isascii():
        return len(text)
    return rich_cells.cell_len(text)


def _write(table: Table, stream: BinaryIO, screen: Screen) -> None:
    for line in _lines(table, screen):
        stream.write(line.encode(screen.encoding, "backslashreplace"))


TABLE = Writer(
    "table",
    (".txt",),
    "people: fitted to the terminal, four significant digits; full width in a pipe",
    _write,
)
