"""An opened source: stored tensors in natural order, config, metadata, identity and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..notes import Notes
from .entry import Stored
from .identity import Identity


@dataclass(frozen=True)
class LoraPair:
    """A low-rank update scale * B A of a module, detected by names."""

    module: str
    a: str  # stored names of A (r x in) and B (out x r)
    b: str
    scale: float = 1.0
    notes: Notes = ()  # an unknown scale, an omitted DoRA magnitude
    turned: bool = False  # stored the other way: A (in x r) and B (r x out)
    table: bool | None = None  # whether it adapts an embedding; None = by its place
    adapter: str = ""  # its name in a model that holds several; "" for the usual `default`
    magnitudes: str = ""  # stored name of the magnitudes of DoRA


@dataclass(frozen=True)
class NormPair:
    """A weight g * v / |v|, detected by names."""

    weight: str  # its name in the model
    g: str  # stored names
    v: str
    dim: int | None = None  # the dimension of v that g has; None: one norm of all of v


@dataclass(frozen=True)
class Checkpoint:
    """The content of a source; nothing of the payload has been read."""

    source: str  # as the user typed it
    tensors: tuple[Stored, ...]  # every stored tensor, without aliases
    config: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    # alias -> the tensor with which it shares storage
    aliases: Mapping[str, str] = field(default_factory=dict)
    # names of optimizer state and EMA copies: listed, never measured
    optimizer: frozenset[str] = frozenset()
    # names of tensors that belong to a weight and are no weights: scales of codes, alphas
    siblings: frozenset[str] = frozenset()
    pairs: tuple[LoraPair, ...] = ()
    norms: tuple[NormPair, ...] = ()
    # path, size, identity at opening
    files: tuple[tuple[str, int, Identity], ...] = ()
    notes: tuple[str, ...] = ()  # choices and oddities, one sentence each
    flags: tuple[str, ...] = ()  # oddities that --strict makes an error
    missing: tuple[str, ...] = ()  # parts that --salvage omits: the run ends with exit 3
