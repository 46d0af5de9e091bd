"""Buffers of one worker: those that it reads into, and for each label those that its tiles are measured in."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ..sketches.tile import Scratch


@dataclass(eq=False)
class Buffers:
    """One scratch a label: tiles of several entries live at once, and each keeps its values."""

    device: str
    stored: Scratch = field(init=False)
    labels: dict[str, Scratch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stored = Scratch(self.device)

    def of(self, label: str) -> Scratch:
        """The scratch of a label."""
        if label not in self.labels:
            self.labels[label] = Scratch(self.device)
        return self.labels[label]

    def keep(self, labels: Collection[str]) -> None:
        """Lets go of the buffers of other labels: the plan counts those of the entries at hand."""
        self.labels = {label: scratch for label, scratch in self.labels.items() if label in labels}

    def clear(self) -> None:
        """Lets go of all."""
        self.stored.held.clear()
        self.labels.clear()
