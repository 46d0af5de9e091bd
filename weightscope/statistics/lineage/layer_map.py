"""The layer of A that each layer of B was made of: removed, repeated and up-scaled depth.

Per pair of layers the median over the roles counts, so that a role that was trained hard, or one
that all layers share, decides nothing. Equal layers of A have equal cosines with every layer of B
and count as one: they are no runner-ups of each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import TYPE_CHECKING

from ...lazy import numpy as np
from .layer_cosines import LayerCosines
from .slices import AHEAD, CERTAIN, LEAST

if TYPE_CHECKING:
    from numpy.typing import NDArray

EQUAL = 1e-9  # difference of the cosines of equal layers: the rounding of a product of matrices
UNMEASURED = -2.0  # no cosine
ABSENT = "?"  # in the text: a layer of B that is none of A


@dataclass(frozen=True)
class LayerMap:
    """For each layer of B its layer of A, None where there is none, with the cosines."""

    layers: tuple[int | None, ...]
    cosines: tuple[float, ...]  # the largest of each layer of B; NaN where none was measured
    runner_ups: tuple[float, ...]
    removed: tuple[int, ...]  # layers of A that are in no layer of B
    repeated: tuple[int, ...]  # layers of A that are in several

    @property
    def matched(self) -> int:
        """How many layers of B are layers of A."""
        return sum(layer is not None for layer in self.layers)

    @property
    def is_identity(self) -> bool:
        """Whether every layer is the one of its number, and none of A is missing."""
        return not self.removed and self.layers == tuple(range(len(self.layers)))

    @property
    def text(self) -> str:
        """The map as ranges: `0-3,2-5`; "" where no layer is one of A."""
        return ranges(self.layers) if self.matched else ""


def layer_map(roles: Mapping[str, LayerCosines]) -> LayerMap:
    """The best layer of A for each layer of B, by the median over the roles.

    A layer needs a cosine of at least 0.15, of at least 5 / sqrt(elements of a role), and twice
    that of the best layer of A that is not equal to it. Of equal layers the one after the last
    match is taken, else the one of the same number, else the first. Every value is (layers of A,
    layers of B) of one size.

    >>> cosines = LayerCosines(np.array([[0.9, 0.1, 0.8], [0.0, 0.7, 0.1]]), 10_000)
    >>> layer_map({"ffn.up": cosines}).text
    '0-1,0'
    """
    if not roles:
        return LayerMap((), (), (), (), ())
    stack = np.stack([role.values for role in roles.values()])  # (roles, A, B)
    median = _median(stack)
    elements = sorted(role.elements for role in roles.values())[len(roles) // 2]
    least = max(LEAST, CERTAIN / sqrt(max(elements, 1)))
    groups = _equal_layers(stack)
    layers: list[int | None] = []
    cosines, runner_ups = [], []
    for number in range(median.shape[1]):
        group, cosine, runner_up = _best(median[:, number], groups)
        matches = cosine >= least and cosine >= AHEAD * runner_up
        layers.append(_member(groups, group, layers, number) if matches else None)
        cosines.append(cosine if cosine >= -1 else nan)
        runner_ups.append(runner_up)
    uses = Counter(layer for layer in layers if layer is not None)
    removed = tuple(layer for layer in range(median.shape[0]) if layer not in uses)
    repeated = tuple(sorted(layer for layer, times in uses.items() if times > 1))
    return LayerMap(tuple(layers), tuple(cosines), tuple(runner_ups), removed, repeated)


def ranges(layers: Sequence[int | None]) -> str:
    """Runs of ascending numbers, `?` for None.

    >>> ranges([0, 1, 2, 3, 2, 3, None, 7])
    '0-3,2-3,?,7'
    """
    runs: list[list[int | None]] = []  # first, last
    for layer in layers:
        if runs and layer is not None and runs[-1][1] == layer - 1:
            runs[-1][1] = layer
        else:
            runs.append([layer, layer])
    return ",".join(_range(first, last) for first, last in runs)


def _range(first: int | None, last: int | None) -> str:
    """One run."""
    if first is None:
        return ABSENT
    return str(first) if first == last else f"{first}-{last}"


def _median(stack: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A, B): the median over the roles that both layers have; UNMEASURED where there is none."""
    absent = np.isnan(stack).all(0)
    filled = np.where(absent, UNMEASURED, stack)
    median: NDArray[np.float64] = np.nanmedian(filled, axis=0)
    return median


def _equal_layers(stack: NDArray[np.float64]) -> list[int]:
    """For each layer of A the first one that has the same cosines."""
    roles, layers, others = stack.shape
    rows = np.nan_to_num(stack.swapaxes(0, 1).reshape(layers, roles * others), nan=2.0)
    groups: list[int] = []
    for layer in range(layers):
        distances = np.abs(rows[:layer] - rows[layer]).max(1, initial=0.0)
        (equal,) = np.nonzero(distances <= EQUAL)
        groups.append(int(equal[0]) if equal.size else layer)
    return groups


def _best(column: NDArray[np.float64], groups: list[int]) -> tuple[int, float, float]:
    """The group of the largest cosine, this cosine, and that of the next group, at least 0."""
    if not column.size:
        return 0, UNMEASURED, 0.0
    best = int(np.argmax(column))
    others = [0.0]
    for cosine, group in zip(column.tolist(), groups, strict=True):
        if group != groups[best]:
            others.append(cosine)
    return groups[best], float(column[best]), max(others)


def _member(groups: list[int], group: int, before: list[int | None], number: int) -> int:
    """The member of a group of equal layers that continues the map."""
    preferred = [number]
    if before and before[-1] is not None:
        preferred.insert(0, before[-1] + 1)
    for layer in preferred:
        if layer < len(groups) and groups[layer] == group:
            return layer
    return group
