"""Which pairs are measured: those with two sides, apart from buffers."""

from __future__ import annotations

from typing import Any

from .pair import Pair


def applies(pair: Any) -> bool:
    """Whether a pair without a measurement is an error under --strict."""
    return isinstance(pair, Pair) and pair.is_paired and pair.is_weight


def left_out(pair: Any) -> str:
    """The reason why nothing is compared: one side has no such tensor."""
    if isinstance(pair, Pair) and not pair.is_paired:
        return "no-partner"
    return ""
