"""Piece and Model: an entry at its place, and an opened checkpoint as its pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from ..checkpoints import Checkpoint, Entry, Stored
from ..naming import Place
from ..notes import Notes

RANK = 1024  # dimensions of a shape that is shown
SHAPES = 256  # shapes whose text is kept: most tensors share a few


@dataclass(frozen=True, eq=False, slots=True)
class Piece:
    """An entry at its place, which has one row of the table."""

    name: str  # as stored, with [part] or [lora]
    place: Place
    stored: Stored
    entry: Entry | None = None  # None: listed, never measured
    shape: str = ""  # 768x3072, as stored
    dtype: str = ""
    params: int = 0
    notes: Notes = ()
    named: bool = False  # a buffer that a glob of the selection means: measured as a weight is

    @property
    def is_weight(self) -> bool:
        """Whether it is measured as a weight: buffers are where the selection names them."""
        return self.named or self.place.kind != "buffer"

    @property
    def is_matrix(self) -> bool:
        """Whether it is measured and has rows and columns: vectors have element statistics only."""
        if self.entry is None:
            return False
        return min(self.entry.shape) > 1

    def tensors(self, model: Model) -> Iterator[tuple[Checkpoint, str]]:
        """The stored tensors that it represents: checkpoint and name."""
        yield model.checkpoint, self.stored.name


@dataclass(frozen=True, eq=False)
class Model:
    """An opened checkpoint and its pieces in natural order.

    `placed` are all pieces, with buffers and with those that the selection leaves out.
    """

    source: str
    checkpoint: Checkpoint
    pieces: tuple[Piece, ...]
    base: Model | None = None  # the model that this one came from
    aliases: tuple[Piece, ...] = ()  # other names of the same storage, where an analysis needs them
    last_layer: int | None = None  # of all weights, selected or not, where an analysis needs it
    placed: tuple[Piece, ...] = ()
    beside: tuple[Model, ...] = ()  # further models that the pieces of this one are compared with
    # of this model and those beside it, among the MODELs that the user named
    positions: tuple[int, ...] = ()

    @cached_property
    def by_name(self) -> Mapping[str, Piece]:
        """The pieces by their names."""
        return {piece.name: piece for piece in self.pieces}


@lru_cache(maxsize=SHAPES)
def shape_text(dims: tuple[int, ...]) -> str:
    """`768x3072`; of a hostile file with very many dimensions the first ones."""
    if not dims:
        return "scalar"
    text = "x".join(str(size) for size in dims[:RANK])
    if len(dims) > RANK:
        return text + "x..."
    return text
