"""The rows of `compare A B1 B2 B3 --bootstrap N`: means over the B with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite

from ....columns import Found, Message
from ....engine.unit import Measurer
from ....notes import Note, notes_of, united
from ....statistics.pairs.bootstrap import Resamples
from ...analysis import Answering
from ...piece import Model
from ...rows import INNER, row_of
from .. import columns as of_pair
from ..comparison import Comparison, Finished
from ..many.opening import complete, models, sides_of
from ..many.together import compared
from ..options import CompareOptions
from ..request import CompareRequest
from ..verdict import summed
from .columns import HIGH, LOW, columns, is_mean, optional


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """One row per tensor or group, over all seeds."""
    (first,) = models
    request = CompareRequest(o)
    pairs = complete(first, measure)
    sides = sides_of(o.mode, 1 + len(first.beside))
    comparisons = compared(pairs, request, sides, measure)
    yield Message(_sentence(list(comparisons.values())), key="verdict")
    resamples = Resamples(len(comparisons), o.bootstrap, o.seed)
    names = [column.name for column in of_pair.columns(o) if is_mean(column)]
    by_key: dict[object, list[Finished]] = {}
    for comparison in comparisons.values():
        for row in comparison.rows():
            key = row.key.tensor if o.by == "tensor" else row.key
            by_key.setdefault(key, []).append(row)
    for found in by_key.values():
        unmeasured = dict.fromkeys(name for row in found for name in row.unmeasured)
        values = _over_seeds([row.values for row in found], names, resamples)
        yield row_of(values, tuple(unmeasured))


def _over_seeds(
    rows: Sequence[Mapping[str, object]], names: Sequence[str], resamples: Resamples
) -> dict[str, object]:
    """Means and intervals of numbers that every seed has; else what all seeds have in common."""
    values: dict[str, object] = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        found = [row.get(name) for row in rows]
        values[name] = found[0] if all(value == found[0] for value in found) else None
    numbers = {}
    for name in names:
        values |= dict.fromkeys((name, f"{name}{LOW}", f"{name}{HIGH}"))
        of_seeds = [_number(row.get(name)) for row in rows]
        present = [number for number in of_seeds if number is not None]
        if len(present) == resamples.count:
            numbers[name] = present
    intervals = resamples.intervals(list(numbers.values()))
    for name, (mean, low, high) in zip(numbers, intervals, strict=True):
        values |= {name: mean, f"{name}{LOW}": low, f"{name}{HIGH}": high}
    values["notes"] = united(*(notes_of(row) for row in rows))
    inner: list[Note] = []
    for row in rows:
        inner.extend(notes_of(row, INNER))
    values[INNER] = tuple(inner)
    return values


def _number(value: object) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return None
    return float(value)


def _sentence(comparisons: Sequence[Comparison]) -> str:
    """How the seeds are related to A, and the range of their rotations."""
    names = Counter(c.relation.name if c.relation else "without matrices" for c in comparisons)
    words = ", ".join(f"{count} {name}" for name, count in names.items())
    rotations = []
    for comparison in comparisons:
        rotation = summed(facts for facts in comparison.facts if facts.is_matrix).rotation
        if rotation is not None:
            rotations.append(rotation)
    text = f"{len(comparisons)} seeds: {words}"
    if rotations:
        text += f"; rotation of the matrices {min(rotations):.3g} to {max(rotations):.3g}"
    return text


ANSWERING = Answering(columns, optional, rows, models)
