"""OutputsFirst: kernels of a transposed convolution as the matrix of an ordinary one.

The stored tensor is (in, out / groups, k...), the matrix is (out, in / groups * k). The order of
the columns is that of an ordinary convolution: input channel, then kernel. An input channel is one
stored row, so columns are cheap to read, as in a transpose; a box that begins inside a kernel reads
the whole channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span
from .boxes import made, needed

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutputsFirst:
    """The view of `of`, (in, out / groups * kernel); groups share no inputs and no outputs."""

    of: Entry
    kernel: int  # elements of one kernel
    groups: int = 1

    @property
    def name(self) -> str:
        """As stored."""
        return self.of.name

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.of.dtype

    @property
    def outputs(self) -> int:
        """Output channels of one group."""
        return self.of.shape[1] // self.kernel

    @property
    def inputs(self) -> int:
        """Input channels of one group."""
        return self.of.shape[0] // self.groups

    @property
    def shape(self) -> Shape:
        """All outputs by the inputs of one group, kernels flattened."""
        rows = self.groups * self.outputs
        columns = self.inputs * self.kernel
        return rows, columns

    @property
    def cut(self) -> Axis:
        """The other axis."""
        return 0 if self.of.cut else 1

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The input channels of the columns, in each group of the rows."""
        return needed(self.of, self._boxes(box))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The groups below each other, column-major."""
        columns = []
        for inner, rows in made(self.of, self._boxes(box), stored):
            columns.append(self._turned(inner, box, rows))
        if len(columns) == 1:  # without a copy
            return columns[0].mT
        return torch.cat(columns, 1).mT

    def _turned(self, inner: Box, box: Box, rows: Tensor) -> Tensor:
        """Transpose of one group: (input channel * kernel, output)."""
        channels, elements = inner.shape
        outputs = elements // self.kernel
        kernels = rows.reshape(channels, outputs, self.kernel)
        # (channels, kernel, outputs), flattened; the box may begin inside a kernel
        columns = kernels.mT.reshape(channels * self.kernel, outputs)
        first = box.cols[0] % self.kernel
        return columns[first : first + box.shape[1]]

    def _boxes(self, box: Box) -> Iterator[Box]:
        """A box of `of` for each group of the rows; one without columns for a box without rows."""
        first_channel = box.cols[0] // self.kernel
        last_channel = -(-box.cols[1] // self.kernel)
        first, last = box.rows
        if first == last:
            yield Box((first_channel, last_channel), (0, 0))
            return
        last_group = -(-last // self.outputs)
        for group in range(first // self.outputs, last_group):
            start = group * self.outputs
            low = max(first - start, 0)
            high = min(last - start, self.outputs)
            before = group * self.inputs  # input channels of the groups before
            channels = (before + first_channel, before + last_channel)
            yield Box(channels, (low * self.kernel, high * self.kernel))
