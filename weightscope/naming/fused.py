"""A fused tensor and its parts: arguments and results of a scheme, and blocks of lines."""

from __future__ import annotations

from dataclasses import dataclass

from ..geometry import Index
from .facts import Facts

EXPERTS = 1 << 16  # of one stack: the largest known have a few thousand


@dataclass(frozen=True)
class Fused:
    """A fused tensor: its lines, its other side, its module, the parts wanted of it."""

    lines: int
    across: int  # columns of the (out, in) matrix; of a bias, those of its matrix
    module: str
    parts: tuple[str, ...]
    facts: Facts


@dataclass(frozen=True)
class Lack:
    """Why a fused tensor stays whole, as a format string with its values.

    `config` states whether config.json would help.
    """

    template: str
    values: tuple[tuple[str, str | int], ...] = ()
    config: bool = False

    @property
    def reason(self) -> str:
        """The sentence."""
        return self.template.format(**dict(self.values))


Parts = tuple[tuple[str, Index], ...]
Answer = Parts | Lack | None


def lack(template: str, **values: str | int) -> Lack:
    """A lack: the sizes do not fit."""
    return Lack(template, tuple(values.items()))


def needs(names: str) -> Lack:
    """A lack: keys that config.json would need."""
    return Lack("needs {names} of config.json", (("names", names),), config=True)


def too_many(experts: int) -> Lack:
    """A lack: more experts than any known model has."""
    return lack(f"{{experts}} experts, at most {EXPERTS} are told apart", experts=experts)


def blocks(parts: tuple[str, ...], widths: list[int]) -> Parts:
    """Parts of these widths, one after the other."""
    placed = []
    start = 0
    for part, width in zip(parts, widths, strict=True):
        placed.append((part, Index(start, width)))
        start += width
    return tuple(placed)


def in_each(first: Parts, groups: int, period: int) -> Parts:
    """The blocks of the first group in every group."""
    repeated = []
    for part, block in first:
        repeated.append((part, Index(block.start, block.length, groups, period)))
    return tuple(repeated)
