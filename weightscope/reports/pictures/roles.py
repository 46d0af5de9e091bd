"""Roles in pictures: their order, and a hue for the roles of each part of a model.

Attention is blue, the MLP orange, embeddings and head green: which part changed is seen before the
legend is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...lazy import numpy as np
from .page import GREY

FIRST = (  # words of roles
    "embed",
    "position",
    "head",
    "attn",
    "mlp",
    "moe",
    "conv",
    "norm",
    "bias",
)
SECOND = ("q", "k", "v", "qkv", "o", "gate", "up", "gate_up", "down")
# first words -> the dark, the middle and the pale end of their colours
HUES: Mapping[tuple[str, ...], tuple[str, str, str]] = {
    ("embed", "position", "head"): ("#00533d", "#009e73", "#8fd6c1"),
    ("attn",): ("#08306b", "#0072b2", "#a5cfee"),
    ("mlp", "moe"): ("#8c2d04", "#d55e00", "#fbc08a"),
    ("conv",): ("#6f2f5c", "#cc79a7", "#ebc9dc"),
    ("norm",): (GREY, GREY, GREY),
    ("bias",): ("#aaaaaa", "#aaaaaa", "#aaaaaa"),
    (): ("#5c4400", "#e69f00", "#f0e442"),
}


def first_word(role: str) -> str:
    """The part of a model that a role belongs to.

    >>> first_word("attn.q")
    'attn'
    """
    return role.partition(".")[0]


def rank(role: str) -> tuple[int, str, int, str]:
    """The key that sorts roles: from the input of a model to its norms, then other roles.

    >>> sorted(["norm", "mlp.up", "ssm.a", "attn.v", "attn.q"], key=rank)
    ['attn.q', 'attn.v', 'mlp.up', 'norm', 'ssm.a']
    """
    first, _, rest = role.partition(".")
    last = rest.rpartition(".")[2]
    block = FIRST.index(first) if first in FIRST else len(FIRST)
    word = SECOND.index(last) if last in SECOND else len(SECOND)
    return block, first, word, role


def colours(roles: Sequence[str]) -> dict[str, Any]:
    """A hue for each first word, from dark to pale over its roles."""
    by_role: dict[str, Any] = {}
    for firsts, ends in HUES.items():
        members = [role for role in roles if _hue(role) == firsts]
        by_role |= dict(zip(members, shades(ends, len(members)), strict=True))
    return by_role


def shades(ends: Sequence[str], count: int) -> list[Any]:
    """Colours from the dark to the pale end of a hue; one alone has its middle."""
    if count == 1:
        return [_mixed(ends, 0.5)]
    return [_mixed(ends, i / (count - 1)) for i in range(count)]


def _hue(role: str) -> tuple[str, ...]:
    """The first words that share the hue of a role; () where none is its own."""
    first = first_word(role)
    return next((firsts for firsts in HUES if first in firsts), ())


def _mixed(ends: Sequence[str], share: float) -> tuple[float, ...]:
    """The colour at a share of the way over three colours."""
    channels = []
    for at in (1, 3, 5):
        levels = [int(end[at : at + 2], 16) / 255 for end in ends]
        channels.append(float(np.interp(share, (0, 0.5, 1), levels)))
    return tuple(channels)
