"""The rows of a layer map: one per role and pair of layers; sentences on repeated blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ....columns import Found, Message, Row
from ....engine.unit import Measurer
from ....escape import escaped
from ...piece import Model
from ...rows import row_of, sourced
from ..options import DepthOptions
from .maps import Map, maps
from .picture import panel
from .repeats import repeats

NONE = "no role has matrices in two layers: no pairs to compare"


def rows(models: Sequence[Model], o: DepthOptions, measure: Measurer) -> Iterator[Found]:
    """Of each model the pairs of every role, then its sentences and pictures."""
    for model in models:
        source = sourced(o.several, model)
        of_model = []
        for one in maps(model, measure):
            yield from _rows(one, source)
            if o.panels:
                yield panel(one, source)
            of_model.append(one)
        texts = list(repeats(of_model))
        if not of_model:
            texts = [NONE]
        for text in texts:
            begin = f"{escaped(str(source['source']))}: " if source else ""
            yield Message(begin + text, after=True, key="repeats")


def _rows(one: Map, source: Mapping[str, object]) -> Iterator[Row]:
    """The pairs of a role, by the earlier layer."""
    for (a, b), cell in one.cells.items():
        values = {
            **source,
            **one.key.columns,
            "layer_a": a,
            "layer_b": b,
            "cosine": cell.cosine,
            "cosine_null": cell.null,
            "equal": cell.equal,
            "notes": cell.notes,
        }
        yield row_of(values)
