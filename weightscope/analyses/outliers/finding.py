"""A finding: its meaning, its threshold, and how it behaves on noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..piece import Piece
from .judgements import RowValues, Severity
from .marks import Mark

# Reasons for which noise cannot have a finding.
ZERO = "Exact zeros of continuous noise are rare and single."
EQUAL = "Independent continuous values do not repeat by chance, in a line or a tensor."


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`judge(row, piece)` is its severity, None where it does not apply.

    Its notes list the rows and columns of `marks`.
    """

    id: str
    title: str
    why: str
    advice: str
    case: str  # where it was observed
    judge: Callable[[RowValues, Piece], Severity | None]
    threshold: str  # what decides
    reason: str  # why its severity is what it is
    noise: str = ""  # why noise cannot have it; where it can, tests/rates counts how often
    marks: tuple[Mark, ...] = ()
    buffers: bool = False  # whether it also applies to buffers
