"""Models in memory for the tests of pairs, and the values of their entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from tests.naming.spellings import Shapes
from weightscope.analyses.compare.pair import Pair
from weightscope.analyses.compare.pairing import paired
from weightscope.analyses.compare.renaming import Renaming
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.piece import Model
from weightscope.analyses.pieces import everything
from weightscope.checkpoints import Entry, Opening, lines_in_memory, open_checkpoint
from weightscope.geometry import whole

Tensors = Mapping[str, torch.Tensor]
LLAMA = {"model_type": "llama", "num_attention_heads": 2, "num_key_value_heads": 1}


def model(
    tensors: Tensors, config: Mapping[str, object] | None = None, split: bool = True
) -> Model:
    """The pieces of tensors in memory."""
    checkpoint = open_checkpoint(dict(tensors), Opening())
    return everything(replace(checkpoint, config=config or {}), NameOptions(split=split))


def drawn(shapes: Shapes, seed: int = 0) -> dict[str, torch.Tensor]:
    """Values that depend on the place in the file, not on the name."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(dims, generator=generator) for name, dims in shapes.items()}


def pairs(a: Model, b: Model, *rename: str, strip: tuple[str, ...] = ()) -> tuple[Pair, ...]:
    return paired(a, b, Renaming(rename, strip))


def met(found: tuple[Pair, ...]) -> set[tuple[str | None, str | None]]:
    """The names in A and in B of each pair."""
    names = [(p.a.name if p.a else None, p.b.name if p.b else None) for p in found]
    assert len(names) == len(set(names))
    return set(names)


def values(entry: Entry | None) -> torch.Tensor:
    """All values of an entry in memory."""
    assert entry is not None
    box = whole(entry.shape)
    return entry.make(box, tuple(lines_in_memory(span) for span in entry.needs(box)))


def interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows as Meta and llama.cpp store them: the conversion of the latter, from transformers."""
    rows = weight.shape[0]
    halves = weight.reshape(heads, 2, rows // heads // 2, *weight.shape[1:])
    return halves.swapaxes(1, 2).reshape(weight.shape)
