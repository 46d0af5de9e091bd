"""What is kept of each pair to decide relation and kind of change: no sketches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...sketches.pair_record import PairMoments
from ...statistics.pairs import labels
from ...statistics.pairs.low_rank import is_low_rank
from .matching_lines import common_moments
from .pair import Pair

MATRICES = ("matrix", "conv")


@dataclass(frozen=True)
class Facts:
    """A pair with its status and numbers; None where they were not measured."""

    pair: Pair
    status: str | None
    moments: PairMoments | None
    cosine: float | None
    changed_share: float | None
    changed_rows: int | None
    low_rank: bool | None  # None: no matrix, or nothing changed
    rank_90: int | None = None  # of --spectrum: of the difference
    rule: str = ""  # that pairs its elements, where these match
    is_rotated: bool = False  # equal singular values, no element alike

    @property
    def is_matrix(self) -> bool:
        """Whether it says that two models are related: norms, biases and buffers do not."""
        return self.pair.place.kind in MATRICES

    @property
    def is_buffer(self) -> bool:
        """Whether it is no weight."""
        return self.pair.place.kind == "buffer"

    @property
    def height(self) -> int:
        """Rows of the compared entries."""
        entry = self.pair.entry
        return entry.shape[0] if entry else 0


def facts_of(pair: Pair, values: Mapping[str, object], sketches: Mapping[Any, Any]) -> Facts:
    """The facts of a measured pair."""
    sample = sketches.get(labels.SAMPLE)
    status, cosine = values.get("status"), values.get("cosine")
    share, rows = values.get("changed_share"), values.get("changed_rows")
    rank = values.get("delta_rank_90")
    return Facts(
        pair,
        status if isinstance(status, str) else None,
        common_moments(pair, sketches),
        cosine if isinstance(cosine, float) else None,
        share if isinstance(share, float) else None,
        rows if isinstance(rows, int) else None,
        None if sample is None else is_low_rank(sample),
        rank if isinstance(rank, int) else None,
        str(values.get("rule") or ""),
    )
