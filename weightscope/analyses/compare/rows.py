"""The rows of `compare A B`: one per pair or group, after the verdict; or a list of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...columns import Found, Message, Row
from ...engine.unit import Measurer
from ..measuring import answers
from ..piece import Model
from ..rows import row_of
from .comparison import Comparison
from .differences import differences
from .opening import complete, one_source
from .options import CompareOptions
from .pair import Pair
from .request import CompareRequest
from .top import changes_of, largest
from .verdict import verdict


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """The verdict, then one row per pair or group; or a list of changes."""
    (model,) = models
    assert model.base is not None
    request = CompareRequest(o)
    paired = [piece for piece in model.pieces if isinstance(piece, Pair)]
    pairs = complete(paired, model, measure)
    comparison = Comparison(request, pairs, draws=o.panels and not o.top)
    changes: list[dict[str, Any]] = []  # of --top
    for answer in answers(pairs, request, measure):
        comparison.take(answer)
        changes.extend(changes_of(answer, o.top))
    sentences = verdict(comparison.facts, request.has_change)
    yield from (Message(text, key="verdict") for text in sentences)
    if one_source(model):
        yield Message("A and B are one source: every tensor is compared with itself")
    lines = differences(model.base.checkpoint, model.checkpoint)
    yield from (Message(text, key="differences") for text in lines)
    if o.top:
        yield from (Row(change) for change in largest(changes, o.top))
        return
    for row in comparison.rows():
        yield row_of(row.values, row.unmeasured)
        if row.panel is not None:
            yield row.panel
    yield from comparison.bars()
