"""Grouped heads: the vector of each kv head, repeated over the query heads of its group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ....naming import heads_in
from ....notes import Note
from ...spectrum.heads import tower_config

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEADS, KV_HEADS = "heads", "kv_heads"
UNPAIRED = Note(
    "heads-unknown",
    "not paired with vectors of query heads: the heads of config.json do not divide both lengths",
)


def repeated(
    values: NDArray[Any], length: int, config: Mapping[str, object], stack: str
) -> NDArray[Any] | None:
    """The vector of kv heads as one of `length` elements of query heads; None if heads are unknown.

    Elements of kv head i are those of the query heads i g to (i + 1) g - 1, g = heads / kv_heads.
    """
    if length == len(values):
        return values
    table = tower_config(config, stack)
    heads, kv_heads = heads_in(table, HEADS), heads_in(table, KV_HEADS)
    if not heads or not kv_heads or heads % kv_heads or len(values) % kv_heads:
        return None
    width = len(values) // kv_heads
    if heads * width != length:
        return None
    by_head = values.reshape(kv_heads, width)
    wide: NDArray[Any] = by_head.repeat(heads // kv_heads, axis=0)
    return wide.reshape(-1)
