"""Order of the rows in each head of q and k that a rotary embedding turns.

The rotation turns pairs of rows. transformers stores the first rows of all pairs of a head and then
the second ones (`halves`); Meta, and llama.cpp for some architectures, store the two rows of a pair
side by side (`interleaved`). The rules of a family state it, some of them by the model_type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from .facts import Facts
from .place import Place
from .rule import by_type

RowOrder = Literal["halves", "interleaved", "unknown"]


def row_order(place: Place, configs: Iterable[Mapping[str, object]]) -> RowOrder:
    """The order at a place; the first config that has a model_type decides where the name does not.

    >>> row_order(Place("attn.q", rotary={"llama": "interleaved"}), [{}, {"model_type": "qwen2"}])
    'halves'
    """
    if isinstance(place.rotary, str):
        return _order(place.rotary == "interleaved")
    for config in configs:
        model_types = list(_model_types(config))
        if model_types:
            words = [by_type(place.rotary, model_type) for model_type in model_types]
            return _order("interleaved" in words)
    return "unknown"


def _order(interleaved: bool) -> RowOrder:
    return "interleaved" if interleaved else "halves"


def _model_types(config: Mapping[str, object]) -> Iterator[str]:
    """The model_type of a config, and of the language model inside."""
    text = config.get("text_config")
    inner = text if isinstance(text, Mapping) else {}
    for part in (config, inner):
        model_type = Facts(part, {}).model_type
        if model_type:
            yield model_type
