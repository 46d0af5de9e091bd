"""Sends stored bytes to a GPU while it computes: pinned memory in two slots, a stream of copies.

The host reads the next tile while the GPU computes the last one. Everything that a tile needs, of
all its tensors, is one copy. A slot is written again after its copy has left the pinned memory and
the GPU has computed the tile that was in it; only the former is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

ALIGNED = 512  # bytes: parts begin where every type may
FIXED = 2  # the slot of what all tiles of a matrix need; their own parts take slots 0 and 1 in turn
Read = Callable[[int, memoryview], None]  # (number of a part, where its bytes go)


@dataclass(eq=False)
class Slot:
    """Pinned memory, and its copy on the device, of one size."""

    pinned: Tensor
    there: Tensor
    copied: Any  # event: the copy has left the pinned memory
    computed: Any  # event: what was computed of the copy is done


class Sender:
    """The slots of one worker."""

    def __init__(self, device: str) -> None:
        self.device = device
        cuda: Any = torch.cuda  # its classes have no types
        self.stream = cuda.Stream(device)
        self.event = cuda.Event
        self.slots: dict[int, Slot] = {}
        self.last: int | None = None  # the slot that was written last

    def sent(self, lengths: Sequence[int], read: Read, slot: int) -> list[Tensor]:
        """Parts of these lengths as bytes on the device, valid until `slot` is sent again."""
        starts = _starts(lengths)
        self._mark_computed(slot)
        into = self._prepared(slot, starts[-1])
        into.copied.synchronize()
        for i, length in enumerate(lengths):
            part = into.pinned[starts[i] : starts[i] + length]
            read(i, part.numpy().data)
        with torch.cuda.stream(self.stream):
            self.stream.wait_event(into.computed)
            there = into.there[: starts[-1]]
            there.copy_(into.pinned[: starts[-1]], non_blocking=True)
            into.copied.record(self.stream)
        torch.cuda.current_stream(self.device).wait_event(into.copied)
        self.last = slot
        parts = zip(starts[:-1], lengths, strict=True)
        return [into.there[start : start + length] for start, length in parts]

    def free(self, number: int) -> None:
        """Frees a slot, which may not exist."""
        slot = self.slots.pop(number, None)
        if slot is not None:
            slot.copied.synchronize()
        if self.last == number:
            self.last = None

    def clear(self) -> None:
        """Frees all slots."""
        for number in list(self.slots):
            self.free(number)

    def _mark_computed(self, next_slot: int) -> None:
        """All work on the last slot is queued by now, and on that of all tiles before its next."""
        numbers = {self.last, next_slot if next_slot == FIXED else None}
        for number in self.slots.keys() & numbers:
            self.slots[number].computed.record(torch.cuda.current_stream(self.device))

    def _prepared(self, number: int, size: int) -> Slot:
        """A slot of at least `size` bytes."""
        slot = self.slots.get(number)
        if slot is not None and len(slot.pinned) >= size:
            return slot
        if slot is not None:
            slot.copied.synchronize()
        size = max(size, 1)
        slot = Slot(
            torch.empty(size, dtype=torch.uint8, pin_memory=True),
            torch.empty(size, dtype=torch.uint8, device=self.device),
            self.event(),
            self.event(),
        )
        # the memory may have been that of a tensor which the GPU still computes with
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        self.slots[number] = slot
        return slot


def _starts(lengths: Sequence[int]) -> list[int]:
    """Where parts begin, and where the last one ends.

    >>> _starts([4, 600])
    [0, 512, 1112]
    """
    starts, at = [], 0
    for length in lengths:
        at = -(-at // ALIGNED) * ALIGNED
        starts.append(at)
        at += length
    return [*starts, at]
