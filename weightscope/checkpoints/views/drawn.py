"""Drawn: a matrix of i.i.d. random elements that stands beside a stored one, made box by box and never held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...geometry import Axis, Box, Shape, long_side
from ...lazy import numpy as np
from ...lazy import torch
from ..entry import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

LINES = 8  # drawn from one seed: a box redraws at most seven lines on either side


@dataclass(frozen=True)
class Drawn:
    """Elements of a law with this mean and scale, float32; `seed` and the line fix each, whatever box asks."""

    shape: Shape
    law: Literal["gaussian", "logistic"]
    mean: float
    scale: float
    seed: int
    name: str = "drawn"
    dtype: str = "F32"

    @property
    def cut(self) -> Axis:
        """Across the long side, as it is decomposed."""
        return long_side(self.shape)

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing is stored."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The groups of lines that the box meets, cut to it; drawn on the host, the same for every device."""
        near, far = (box.rows, box.cols)[self.cut], (box.cols, box.rows)[self.cut]
        first = near[0] // LINES
        groups = [self._group(i) for i in range(first, -(-near[1] // LINES))] or [
            self._group(first)[:0]
        ]
        lines = np.concatenate(groups)[near[0] - first * LINES :][: near[1] - near[0], slice(*far)]
        made = torch.from_numpy(lines)
        return made if self.cut == 0 else made.mT

    def _group(self, i: int) -> NDArray[np.float32]:
        rng, size = np.random.default_rng((self.seed, i)), (LINES, self.shape[1 - self.cut])
        drawn = (
            rng.standard_normal(size, np.float32)
            if self.law == "gaussian"
            else rng.logistic(size=size)
        )
        return (self.mean + self.scale * drawn).astype(np.float32)
