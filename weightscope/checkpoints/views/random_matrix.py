"""RandomMatrix: i.i.d. elements of a law, sampled box by box and never held as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...geometry import Axis, Box, Shape, long_side
from ...lazy import numpy as np
from ...lazy import torch
from ..entry import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

GROUP = 8  # rows or columns of one seed: a box samples at most seven more at either end


@dataclass(frozen=True)
class RandomMatrix:
    """Samples of a law, float32; seed and position fix each element, whichever box contains it."""

    shape: Shape
    law: Literal["gaussian", "logistic"]
    mean: float
    scale: float
    seed: int
    name: str = "random matrix"
    dtype: str = "F32"

    @property
    def cut(self) -> Axis:
        """Across the long side, as it is decomposed."""
        return long_side(self.shape)

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing is stored."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box; sampled on the host, so that every device has the same elements."""
        if self.cut == 1:
            return self._lines(box.cols, box.rows).mT
        return self._lines(box.rows, box.cols)

    def _lines(self, along: tuple[int, int], across: tuple[int, int]) -> Tensor:
        """Elements `across` of the rows or columns `along`, each a row of the result."""
        first, last = along
        first_group = first // GROUP
        last_group = -(-last // GROUP)
        groups = [self._group(index) for index in range(first_group, last_group)]
        if not groups:  # an empty box still has a length across
            groups = [self._group(first_group)[:0]]
        skipped = first - first_group * GROUP
        lines = np.concatenate(groups)[skipped:]  # (lines of the groups, length of a line)
        return torch.from_numpy(lines[: last - first, slice(*across)])

    def _group(self, index: int) -> NDArray[np.float32]:
        rng = np.random.default_rng((self.seed, index))
        size = (GROUP, self.shape[1 - self.cut])
        if self.law == "gaussian":
            return self._in_units(rng.standard_normal(size, np.float32))
        return self._in_units(rng.logistic(size=size))

    def _in_units(self, samples: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        elements = self.mean + self.scale * samples
        return elements.astype(np.float32)
