"""Grouped rows: tensors of one role, layer or model pooled, beside the median, least and greatest of the tensors.

Pooling exact Gaussians of different sigma fakes heavy tails, so a pooled value never stands alone; kinds are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..columns import Column
from .analysis import Piece
from .identity import KEYS, KIND, SIZES, of_group

SPREAD = {
    "_median": "median over the tensors of",
    "_min": "least over the tensors of",
    "_max": "greatest over the tensors of",
}


@dataclass
class Group:
    """What has come in so far: keys, the tensors' values, and their sketches added up without positions."""

    keys: dict[str, object]
    piece: Piece
    params: int = 0
    values: list[Mapping[str, object]] = field(default_factory=list)
    pooled: dict[Any, Any] = field(default_factory=dict)

    def take(self, piece: Piece, values: Mapping[str, object], sketches: Mapping[Any, Any]) -> None:
        """One tensor more."""
        self.params += piece.params
        self.values.append(values)
        for measure, sketch in sketches.items():
            free = sketch.forget()
            if free is not None:
                self.pooled[measure] = self.pooled[measure] + free if measure in self.pooled else free


def columns(by: str, statistics: Sequence[Column]) -> tuple[Column, ...]:
    """Keys, kind and sizes, then every statistic pooled and, where it is a number, its spread over the tensors."""
    spread = [
        x
        for c in statistics
        for x in (c, *(c.suffixed(s, m) for s, m in SPREAD.items() if c.dtype in ("int", "float")))
    ]
    return (*KEYS[by], KIND, *SIZES, *spread)


def grouped(answers: Iterable[tuple[Piece, Mapping[str, object], Mapping[Any, Any]]], by: str) -> tuple[Group, ...]:
    """Groups in the order in which their first tensor came."""
    groups: dict[tuple[object, ...], Group] = {}
    for piece, values, sketches in answers:
        keys = of_group(piece, by) | {"kind": piece.place.kind}
        group = groups.setdefault(tuple(keys.values()), Group(keys, piece))
        group.take(piece, values, sketches)
    return tuple(groups.values())


def spread(group: Group, statistics: Sequence[Column]) -> Iterator[tuple[str, object]]:
    """<name>_median, _min, _max over the tensors that have the value."""
    for column in statistics:
        if column.dtype not in ("int", "float"):
            continue
        seen = [v for row in group.values if isinstance(v := row.get(column.name), int | float) and v == v]
        for suffix, of in zip(SPREAD, (median, min, max), strict=True):
            yield column.name + suffix, of(seen) if seen else None
