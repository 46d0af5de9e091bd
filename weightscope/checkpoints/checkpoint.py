"""An opened source: stored tensors in natural order, config, metadata, identity, and what was chosen on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..notes import Notes
from .entry import Stored


@dataclass(frozen=True)
class LoraPair:
    """A low-rank update scale * B A, found by its names: `module` is what it adapts."""

    module: str
    a: str  # stored names of A (r x in) and B (out x r)
    b: str
    scale: float = 1.0
    notes: Notes = ()  # that the scale is unknown, or a DoRA magnitude left out
    turned: bool = False  # stored the other way: A (in x r) and B (r x out)
    table: bool | None = None  # whether it adapts an embedding; None = its place tells
    adapter: str = ""  # its name in a model that holds several; "" for the usual `default`


@dataclass(frozen=True)
class NormPair:
    """A weight g * v / |v|, found by its names: `weight` is what the model calls it."""

    weight: str
    g: str  # stored names
    v: str
    dim: int | None = None  # the dimension of v that g goes along; None: |v| is of the whole


@dataclass(frozen=True)
class Checkpoint:
    """What a reader found; nothing of the payload has been read."""

    source: str  # as the user typed it
    tensors: tuple[Stored, ...]  # every stored tensor, aliases left out
    config: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(
        default_factory=dict
    )  # name -> name of the tensor it shares storage with
    optimizer: frozenset[str] = (
        frozenset()
    )  # names of optimizer state and EMA copies: listed, never measured
    siblings: frozenset[str] = (
        frozenset()
    )  # names of what belongs to a weight and is none: scales of codes, alphas
    pairs: tuple[LoraPair, ...] = ()
    norms: tuple[NormPair, ...] = ()
    files: tuple[
        tuple[str, int, tuple[int, int, int]], ...
    ] = ()  # path, size, (ino, size, mtime_ns) at opening
    notes: tuple[str, ...] = ()  # choices and oddities, one sentence each
    flags: tuple[str, ...] = ()  # what --strict turns into an error
    missing: tuple[str, ...] = ()  # what --salvage went without: the run ends with exit 3
