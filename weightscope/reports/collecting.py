"""From what an analysis yields to a report: rows, named tables of blocks, panels and messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..columns import Block, Column, Found, Message, Panel, Row
from .report import Report


@dataclass(frozen=True, eq=False)
class BlockRows(Sequence[Mapping[str, object]]):
    """The rows of several blocks as one sequence.

    Each row is made when it is iterated: a table of millions of cells stays arrays until written.
    """

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for block in self.blocks:
            yield from block

    def __getitem__(self, index: Any) -> Any:
        return list(self)[index]


def collected(name: str, columns: tuple[Column, ...], answers: Sequence[Found]) -> Report:
    """A report of the command `name`: rows in the main table, blocks in the tables they name."""
    rows = [answer for answer in answers if isinstance(answer, Row)]
    blocks = [answer for answer in answers if isinstance(answer, Block)]
    panels = [answer for answer in answers if isinstance(answer, Panel)]
    messages = [answer for answer in answers if isinstance(answer, Message)]
    return Report(
        name,
        tuple(row.values for row in rows),
        columns,
        tables=_tables(blocks),
        panels=tuple(panels),
        closing="\n".join(message.text for message in messages if message.after),
        row_notes=tuple(row.notes for row in rows),
    )


def _tables(blocks: Sequence[Block]) -> dict[str, tuple[tuple[Column, ...], BlockRows]]:
    """Columns and rows of each named table; blocks of one table have the same columns."""
    columns: dict[str, tuple[Column, ...]] = {}
    members: dict[str, list[Block]] = {}
    for block in blocks:
        columns[block.table] = block.columns
        members.setdefault(block.table, []).append(block)
    return {table: (columns[table], BlockRows(tuple(members[table]))) for table in columns}
