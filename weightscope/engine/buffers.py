"""Reused memory of one worker: a buffer for stored bytes, and one for the tiles of each label."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ..sketches.tile import Scratch
from .sender import Sender


@dataclass(eq=False)
class Buffers:
    """One scratch per label: tiles of several entries are in use at once."""

    device: str
    stored: Scratch = field(init=False)
    labels: dict[str, Scratch] = field(default_factory=dict)
    sender: Sender | None = None  # of a GPU, once something is sent there

    def __post_init__(self) -> None:
        self.stored = Scratch(self.device)

    def sending(self) -> Sender:
        """What sends stored bytes to the GPU."""
        if self.sender is None:
            self.sender = Sender(self.device)
        return self.sender

    def slot(self, number: int) -> int:
        """The slot of a tile: of two in turn on a GPU, which computes one while another is read."""
        if self.device == "cpu":
            return 0
        return number % 2

    def of(self, label: str) -> Scratch:
        """The scratch of a label."""
        if label not in self.labels:
            self.labels[label] = Scratch(self.device)
        return self.labels[label]

    def keep(self, labels: Collection[str]) -> None:
        """Frees the buffers of all other labels: the plan counts those of one batch only."""
        for label in list(self.labels):
            if label not in labels:
                del self.labels[label]

    def free(self, slot: int) -> None:
        """Frees the stored bytes of a slot."""
        for name in [name for name in self.stored.held if name.startswith(f"bytes {slot}.")]:
            del self.stored.held[name]
        if self.sender is not None:
            self.sender.free(slot)

    def clear(self) -> None:
        """Frees all buffers."""
        self.stored.held.clear()
        self.labels.clear()
        if self.sender is not None:
            self.sender.clear()
