"""Held: several entries whose stored bytes are on the device, each byte once.

Every box is made from them as its entry requires, so entries of one unit may be cut along different
axes and share leaves. Values would take more room: a difference beside its terms is a third tensor.
A single entry is held as `made` instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..checkpoints import Entry, Span, Stored, joined
from ..geometry import Axis, Box, Shape, whole
from ..sketches.tile import Scratch
from .loading import Check, load, load_apart

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False)
class StoredLines:
    """Stored rows or columns by leaf: spans that overlap or touch share one run."""

    device: str
    runs: Mapping[Stored, list[tuple[Span, Tensor]]]

    def of(self, span: Span) -> Tensor:
        """The tensor that loading the span gives: a view, converted where the type needs it."""
        offset, length = span.bytes
        if not length:
            return load((span,), Scratch(self.device), 0)[span]
        run, stored = self._run_around(span)
        if span.leaf.tensor is not None:
            return stored.narrow(span.leaf.cut, span.first - run.first, span.last - span.first)
        start = offset - run.bytes[0]
        return span.typed(stored[start : start + length])

    def _run_around(self, span: Span) -> tuple[Span, Tensor]:
        """The run that contains a span."""
        for run, stored in self.runs[span.leaf]:
            if run.first <= span.first and span.last <= run.last:
                return run, stored
        raise KeyError(span)


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


def read_lines(entries: Iterable[Entry], scratch: Scratch, check: Check) -> StoredLines:
    """Reads everything that the entries need, each byte once."""
    runs: dict[Stored, list[tuple[Span, Tensor]]] = {}
    spans = [span for entry in entries for span in entry.needs(whole(entry.shape))]
    for span in joined(spans):
        tensor = load_apart(span, scratch, check)
        runs.setdefault(span.leaf, []).append((span, tensor))
    return StoredLines(scratch.device, runs)
