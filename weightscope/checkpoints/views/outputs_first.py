"""OutputsFirst: kernels of a transposed convolution as the matrix of an ordinary one.

Stored is (in, out / groups, k...), the matrix is (out, in / groups * k). The order of the columns
is that of an ordinary convolution: input channel, then kernel. An input channel is one stored line,
so columns are cheap to read, as in a transpose; a box that begins inside a kernel reads the whole
channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...geometry import Axis, Box, Shape
from ...lazy import torch
from ..entry import Entry, Span

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class OutputsFirst:
    """The view of `of`, (in, out / groups * kernel); each group has inputs and outputs of its own."""

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
        return self.groups * self.outputs, self.inputs * self.kernel

    @property
    def cut(self) -> Axis:
        """The other axis."""
        return 0 if self.of.cut else 1

    def needs(self, box: Box) -> tuple[Span, ...]:
        """The input channels of the columns, in each group of the rows."""
        return tuple(span for inner in self._boxes(box) for span in self.of.needs(inner))

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The groups below each other, column-major."""
        made, at = [], 0
        for inner in self._boxes(box):
            used = len(self.of.needs(inner))
            made.append(self._turned(inner, box, stored[at : at + used]))
            at += used
        return made[0].mT if len(made) == 1 else torch.cat(made, 1).mT

    def _turned(self, inner: Box, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """Transpose of one group: (input channel * kernel, output)."""
        channels, elements = inner.shape
        lines = self.of.make(inner, stored)
        kernels = lines.reshape(channels, elements // self.kernel, self.kernel)
        columns = kernels.mT.reshape(channels * self.kernel, elements // self.kernel)
        first = box.cols[0] % self.kernel
        return columns[first : first + box.shape[1]]

    def _boxes(self, box: Box) -> Iterator[Box]:
        """A box of `of` for each group of the rows; one without columns for a box without rows."""
        begin, end = box.cols[0] // self.kernel, -(-box.cols[1] // self.kernel)
        first, last = box.rows
        if first == last:
            yield Box((begin, end), (0, 0))
            return
        for group in range(first // self.outputs, -(-last // self.outputs)):
            start = group * self.outputs
            low, high = max(first - start, 0), min(last - start, self.outputs)
            channels = group * self.inputs + begin, group * self.inputs + end
            yield Box(channels, (low * self.kernel, high * self.kernel))
