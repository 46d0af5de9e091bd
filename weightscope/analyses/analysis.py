"""An analysis is one question: options, columns, and a generator that asks (measure) and answers (rows, panels)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..checkpoints import Checkpoint, Entry, Stored
from ..columns import Block, Column, Panel, Row
from ..engine.unit import Measurer
from ..naming import Place


@dataclass(frozen=True, eq=False)
class Piece:
    """One thing that gets a row: an entry that stands at a place."""

    name: str  # as stored, with [part] or [lora]
    place: Place
    stored: Stored
    entry: Entry | None = None  # None: listed, never measured
    shape: str = ""  # 768x3072, as stored
    dtype: str = ""
    params: int = 0
    note: str = ""

    @property
    def is_matrix(self) -> bool:
        """Whether it is measured and has rows and columns: vectors have element statistics only."""
        return self.entry is not None and min(self.entry.shape) > 1


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of one piece."""

    piece: Piece
    values: Mapping[str, object]
    sketches: Mapping[Any, Any] = field(default_factory=dict)

    @property
    def pooling(self) -> Mapping[Any, Any]:
        """What may be added up over tensors."""
        return {m: s for m, s in self.sketches.items() if s.forget() is not None}


@dataclass(frozen=True, eq=False)
class Model:
    """An opened checkpoint and its pieces in natural order."""

    source: str
    checkpoint: Checkpoint
    pieces: tuple[Piece, ...]
    base: Mapping[str, Piece] = field(default_factory=dict)  # by name, of the checkpoint that this one came from


@dataclass(frozen=True)
class Analysis:
    """The subcommand `name`: `columns` and `optional` follow from the options alone, before anything is opened."""

    name: str
    options: type  # frozen dataclass; flags, keywords and docs come from its fields
    columns: Callable[[Any], tuple[Column, ...]]
    optional: Callable[[Any], Mapping[str, str]]  # absent columns -> the option that brings them
    rows: Callable[[Sequence[Model], Any, Measurer], Iterator[Row | Panel | Block]]
    place: Callable[[Checkpoint, Any], Model]   # checkpoint and Reading -> pieces: as stored, or as measured
    measures: bool = True                       # a tensor that could not be measured is an error under --strict
    draws: bool = False                         # has a picture
    applies: Callable[[Piece], bool] = field(default=lambda piece: True)  # else it cannot be unmeasured
    closing: Callable[[Sequence[Row]], str] = field(default=lambda rows: "")  # the last line for a person
    notes: Callable[[Sequence[Model], Any], tuple[str, ...]] = field(default=lambda models, options: ())
