"""Whether the elements that a rule pairs belong together, by their cosine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...sketches.pair_record import PairMoments
from ...statistics.pairs import labels
from .pair import Pair


def lines_match(pair: Pair, sketches: Mapping[Any, Any]) -> bool:
    """Whether the elements of a pair belong together; unknown counts as a match."""
    moments: PairMoments | None = sketches.get(labels.MOMENTS)
    if pair.least is None or moments is None or moments.rotation is None:
        return True
    return 1 - moments.rotation >= pair.least


def common_moments(pair: Pair, sketches: Mapping[Any, Any]) -> PairMoments | None:
    """The moments of a pair; None where its elements do not belong together."""
    if not lines_match(pair, sketches):
        return None
    return sketches.get(labels.MOMENTS)
