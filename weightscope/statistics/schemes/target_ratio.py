"""The target variance ratio of layer index rescaling: the largest std over a target."""

from __future__ import annotations

from collections.abc import Mapping

from ...columns import Column

BEYOND = 1.2
TVR = Column(
    "tvr",
    "float",
    "largest std over the target (--target) of the layers; layers above 1.2 are in the note",
    "",
    "arXiv 2503.17500",
)


def target_ratio(stds: Mapping[int, float], target: float) -> float | None:
    """max over layers of std/target; None without a layer.

    >>> target_ratio({0: 0.02, 1: 0.03}, 0.02)
    1.5
    """
    if not stds:
        return None
    return max(stds.values()) / target


def beyond_target(stds: Mapping[int, float], target: float) -> list[int]:
    """The layers whose std is above 1.2 targets.

    >>> beyond_target({0: 0.02, 1: 0.03}, 0.02)
    [1]
    """
    return [layer for layer, std in stds.items() if std > BEYOND * target]
