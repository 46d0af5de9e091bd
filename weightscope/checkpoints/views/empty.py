"""Empty: a matrix without elements, 0 x 0 whatever other side a header claims.

A header may claim a side of 2^40, and measures allocate memory for each row and column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dtypes import DTYPES
from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Empty:
    """The 0 x 0 view of `of`, which has no elements."""

    of: Entry

    @property
    def name(self) -> str:
        """As stored."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.of.dtype

    @property
    def shape(self) -> Shape:
        """No rows, no columns."""
        return 0, 0

    @property
    def cut(self) -> Axis:
        """Rows: there is nothing to read."""
        return 0

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """No elements, of the storage type."""
        store = getattr(torch, DTYPES[self.dtype].store)
        return torch.empty(0, 0, dtype=store)
