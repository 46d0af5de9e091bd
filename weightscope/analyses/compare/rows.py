"""The rows of `compare A B`: one per pair or group, after the verdict; or a list of changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from ...columns import Found, Message, Row
from ...engine.unit import Measurer
from ..measuring import answers
from ..piece import Model
from ..rows import row_of
from .comparison import Comparison
from .differences import differences
from .lineage.asked import is_searched
from .lineage.rotations import rotated
from .lineage.search import searched
from .lineage.sentence import sentence
from .opening import complete, one_source, pairs_of
from .options import CompareOptions
from .request import VERDICT, CompareRequest
from .top import changes_of, largest
from .verdict import verdict


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """The verdict, then one row per pair or group; or a list of changes."""
    (model,) = models
    assert model.base is not None
    pairs = complete(pairs_of(model), model, measure)
    lineage = None
    if is_searched(pairs, o):
        if o.wanted is not None:
            o = replace(o, wanted=o.wanted | VERDICT)  # which confirm the rules
        lineage = searched(model, pairs, o, measure)
        pairs = tuple(lineage.pairs)
    request = CompareRequest(o)
    comparison = Comparison(request, pairs, draws=o.panels and not o.top)
    changes: list[dict[str, Any]] = []  # of --top
    for answer in answers(pairs, request, measure):
        comparison.take(answer)
        changes.extend(changes_of(answer, o.top))
    if o.lineage:
        comparison.rotate(frozenset(rotated(comparison.facts, measure)))
    sentences = verdict(comparison.facts, request.has_change)
    yield from (Message(text, key="verdict") for text in sentences)
    if lineage is not None:
        yield Message(sentence(lineage, comparison.facts, o), key="lineage")
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
