"""What a tensor is for the judgements, beyond its role: an update, a factor, a table of tokens."""

from __future__ import annotations

import re

from ...checkpoints.views import Product
from ..piece import Piece

FACTORS = ("lora.a", "lora.b")
# The last word of a module, as in item_emb, wordEmb, src_embed.0.lut; not as in `ensemble`.
TABLE = re.compile(r"(?:^|[^A-Za-z])emb|Emb|embed|emb$|(?i:lookup|vocab)|^lut$")
LAYER = re.compile(r"(?i)proj|linear|conv|norm|fc|mlp|dense")


def is_product(piece: Piece) -> bool:
    """Whether it is a LoRA product.

    Its rows are as uneven, and as often zero, equal or parallel, as those of its factors.
    """
    return isinstance(piece.entry, Product)


def is_factor(piece: Piece) -> bool:
    """Whether it is a part of an adapter, which starts at its identity: zeros, ones, unit blocks.

    Lines that get no gradient stay there.
    """
    if piece.place.role in FACTORS:
        return True
    return any(note.code == "adapter-factor" for note in piece.notes)


def is_started_at_zero(piece: Piece) -> bool:
    """Whether it is one learned token (mask, class), or a layer that its name calls zero."""
    if piece.place.kind == "embedding" and not piece.is_matrix:
        return True
    return "zero_conv" in piece.name


def is_vector_kind(piece: Piece) -> bool:
    """Whether its place is that of a bias or a norm."""
    return piece.place.kind in ("bias", "norm")


def is_gain(piece: Piece) -> bool:
    """Whether a tensor of the role norm is its weight.

    The scale of a residual branch (LayerScale) may start at zero and is not named `weight`.
    """
    return piece.name.endswith(".weight") or "norm" in piece.name.lower()


def is_table_name(name: str) -> bool:
    """Whether the last word of a module is that of an embedding and not of its projection.

    >>> is_table_name("src_embed.0.lut.weight"), is_table_name("embed_proj.weight")
    (True, False)
    """
    word = last_word(name)
    return bool(TABLE.search(word)) and not LAYER.search(word)


def last_word(name: str) -> str:
    """The last word of a name that is no number and not `weight`; "" where there is none.

    >>> last_word("embs.0.weight"), last_word("mask")
    ('embs', 'mask')
    """
    words = [word for word in name.split(".") if not word.isdigit()]
    if len(words) > 1 and words[-1] == "weight":
        words.pop()
    return words[-1] if words else ""
