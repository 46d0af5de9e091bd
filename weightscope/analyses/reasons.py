"""Reasons of automatic choices, each as a text when it is read.

A checkpoint may have a million tensors, and only --verbose prints the rule of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..escape import escaped
from .piece import Model


@dataclass(frozen=True, eq=False)
class Reasons(Sequence[str]):
    """The reasons of a run, then the name of each placed tensor with its rule."""

    choices: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.choices) + len(self.names)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        position = index % len(self)
        if position < len(self.choices):
            return self.choices[position]
        position -= len(self.choices)
        return escaped(f"{self.names[position]}: {self.rules[position]}")


def reasons(choices: Sequence[str], models: Sequence[Model]) -> Reasons:
    """The choices of a run, and the reason for the place of each piece that has one."""
    names: list[str] = []
    rules: list[str] = []
    for model in models:
        for piece in model.pieces:
            # pairs of one tensor follow each other
            is_new = not names or (names[-1], rules[-1]) != (piece.name, piece.place.why)
            if piece.place.why and is_new:
                names.append(piece.name)
                rules.append(piece.place.why)
    return Reasons(tuple(choices), tuple(names), tuple(rules))
