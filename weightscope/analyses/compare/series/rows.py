"""The rows of a series: by step, then tensor, against the first step before the previous one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ....columns import Found, Message
from ....engine.unit import Measurer
from ...analysis import Answering
from ...piece import Model
from ...rows import row_of
from ..comparison import Comparison, Finished
from ..differences import differences
from ..many.bundle import Sides
from ..many.opening import complete, models, sides_of
from ..many.together import compared
from ..options import CompareOptions
from ..request import CompareRequest
from .columns import FIRST, PREVIOUS, columns, optional
from .picture import Drawing
from .sentences import sentences
from .steps import named_steps


@dataclass(frozen=True, eq=False)
class Step:
    """A step after the first, with its comparisons by what it is compared with."""

    number: int
    source: str
    against: Mapping[str, Comparison]

    def keys(self, against: str) -> dict[str, object]:
        """The first columns of its rows."""
        return {"source": self.source, "step": self.number, "against": against}


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """Sentences about the whole series, then the rows of each step."""
    (first,) = models
    every = (first, *first.beside)
    request = CompareRequest(o)
    drawing = Drawing(o)
    pairs = complete(first, measure)
    sides = sides_of(o.mode, len(every))
    comparisons = compared(pairs, request, sides, measure, drawing.take)
    named = named_steps([model.source for model in every])
    numbers = named or first.positions
    steps = [
        Step(numbers[b], every[b].source, _against(b, comparisons)) for b in range(1, len(every))
    ]
    told = sentences(numbers, comparisons, request, timed=named is not None)
    yield from (Message(text, key="verdict") for text in told)
    yield from (Message(text, key="differences") for text in _differences(every, numbers))
    for step in steps:
        for against, row in _by_tensor(step, o.by):
            yield row_of({**step.keys(against), **row.values}, row.unmeasured)
    if o.panels:
        yield from drawing.panels(numbers, comparisons)


def _against(b: int, comparisons: Mapping[Sides, Comparison]) -> dict[str, Comparison]:
    """The comparisons of a step, the one with the first step first."""
    found = {FIRST: comparisons[0, b]}
    if b > 1:
        found[PREVIOUS] = comparisons[b - 1, b]
    return found


def _by_tensor(step: Step, by: str) -> Iterator[tuple[str, Finished]]:
    """The rows of a step: of each tensor or group those of all comparisons together."""
    by_key: dict[Any, list[tuple[str, Finished]]] = {}
    for against, comparison in step.against.items():
        for row in comparison.rows():
            key = row.key.tensor if by == "tensor" else row.key
            by_key.setdefault(key, []).append((against, row))
    keys: Iterable[Any] = by_key
    if by == "tensor":
        keys = sorted(by_key)  # of a tensor that the first step lacks too
    for key in keys:
        yield from by_key[key]


def _differences(every: Sequence[Model], numbers: Sequence[int]) -> Iterator[str]:
    """What differs beside the tensors, from step to step."""
    for (a, before), (b, after) in pairwise(zip(every, numbers, strict=True)):
        for text in differences(a.checkpoint, b.checkpoint):
            yield f"step {after}, with step {before} as A: {text}"


ANSWERING = Answering(columns, optional, rows, models)
