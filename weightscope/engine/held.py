"""Held: several entries whose stored bytes are on the device, each byte once.

Every box is made from them as its entry requires, so entries of one unit may be cut along different
axes and share leaves. Values would take more room: a difference beside its terms is a third tensor.
A single entry is held as `made` instead.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span, Stored, joined
from ..geometry import Axis, Box, Shape, whole
from .buffers import Buffers
from .loading import Check, load_apart, nothing

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class StoredLines:
    """Stored rows or columns by leaf: spans that overlap or touch share one run."""

    device: str
    runs: Mapping[Stored, list[tuple[Span, Tensor]]]  # in the order of their lines

    def of(self, span: Span) -> Tensor:
        """The tensor that loading the span gives: a view, converted where the type needs it."""
        offset, length = span.bytes
        if not length:
            return nothing(span, self.device)
        run, stored = self._run_around(span)
        if span.leaf.tensor is not None:
            return stored.narrow(span.leaf.cut, span.first - run.first, span.last - span.first)
        start = offset - run.bytes[0]
        return span.typed(stored[start : start + length])

    def _run_around(self, span: Span) -> tuple[Span, Tensor]:
        """The run that contains a span: the last that begins no later."""
        runs = self.runs[span.leaf]
        at = bisect_right(runs, span.first, key=_first_line) - 1
        run, stored = runs[max(at, 0)]
        if run.first <= span.first and span.last <= run.last:
            return run, stored
        raise KeyError(span)


def _first_line(run: tuple[Span, Tensor]) -> int:
    """The first row or column of a run."""
    span, _ = run
    return span.first


@dataclass(frozen=True, eq=False)
class Held:
    """The same matrix as `entry`, without anything to read."""

    entry: Entry
    lines: StoredLines

    @property
    def name(self) -> str:
        """As stored."""
        return self.entry.name

    @property
    def shape(self) -> Shape:
        """As stored."""
        return self.entry.shape

    @property
    def dtype(self) -> str:
        """As stored."""
        return self.entry.dtype

    @property
    def cut(self) -> Axis:
        """As stored."""
        return self.entry.cut

    def needs(self, box: Box) -> tuple[Span, ...]:
        """Nothing: the stored bytes are in memory."""
        return ()

    def make(self, box: Box, stored: tuple[Tensor, ...]) -> Tensor:
        """The box, made of the held bytes."""
        spans = self.entry.needs(box)
        return self.entry.make(box, tuple(self.lines.of(span) for span in spans))


def read_lines(entries: Iterable[Entry], buffers: Buffers, check: Check) -> StoredLines:
    """Reads everything that the entries need, each byte once."""
    runs: dict[Stored, list[tuple[Span, Tensor]]] = {}
    spans = [span for entry in entries for span in entry.needs(whole(entry.shape))]
    for span in joined(spans):
        tensor = load_apart(span, buffers, check)
        runs.setdefault(span.leaf, []).append((span, tensor))
    return StoredLines(buffers.device, runs)
