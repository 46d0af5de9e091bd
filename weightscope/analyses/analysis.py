"""An analysis is one subcommand: its options, its columns, and a generator of rows from measured models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..checkpoints import Opening, open_checkpoint
from ..columns import Block, Column, Message, Panel, Row
from ..engine.unit import Measurer
from .piece import Model, Piece
from .pieces import Reading
from .selection import Selection, selected

Found = Row | Panel | Block | Message
Placing = Callable[[Any, Reading], Model]   # checkpoint -> pieces: as stored, or as measured


@dataclass(frozen=True)
class Setting:
    """How models are opened, how their names are read, and which of their pieces count."""

    opening: Opening
    reading: Reading
    selection: Selection


def gathered(placing: Placing, sources: Sequence[Any], options: Any, setting: Setting) -> tuple[Model, ...]:
    """The sources as models: opened, placed, and with the pieces that the selection admits."""
    opened = [open_checkpoint(source, setting.opening) for source in sources]
    return selected([placing(checkpoint, setting.reading) for checkpoint in opened], setting.selection)


@dataclass(frozen=True)
class Analysis:
    """The subcommand `name`: `columns` and `optional` follow from the options alone, before anything is opened.

    `rows` may yield a Message, a sentence for people before or after the table.
    """

    name: str
    options: type  # frozen dataclass; flags, keywords and docs come from its fields
    columns: Callable[[Any], tuple[Column, ...]]
    optional: Callable[[Any], Mapping[str, str]]  # absent columns -> the option that brings them
    rows: Callable[[Sequence[Model], Any, Measurer], Iterator[Found]]
    models: Callable[[Sequence[Any], Any, Setting], tuple[Model, ...]]  # what is opened, and which pieces of it
    least: int = 1                              # of MODELs
    measures: bool = True                       # a tensor that could not be measured is an error under --strict
    draws: bool = False                         # has a picture
    applies: Callable[[Piece], bool] = field(default=lambda piece: True)  # else it cannot be unmeasured
