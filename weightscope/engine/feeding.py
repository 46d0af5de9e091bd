"""One worker feeds a GPU: several would share it, and its memory.

What the GPU has no memory for is measured on the CPU, whole batches at a time, and the results say
so. The batches and their order are the same for any number of workers and any memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..lazy import torch
from ..out_of_memory import is_out_of_memory
from . import stream
from .buffers import Buffers
from .device import Device
from .divided import divided, united
from .loading import Check
from .plan import Batch, plan
from .results import in_order, result
from .room import Wanted
from .unit import Each, Measured

# sketches, or the reason why the GPU could not measure them
Fed = tuple[dict[Wanted, Any], str]


@dataclass(frozen=True)
class Feeding:
    """Measures batches on a GPU, and on the CPU of the same machine what does not fit there."""

    device: Device
    check: Check
    # one batch at a time on the CPU, so that it has all of its memory
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fed(self, batch: Batch, local: Any) -> Fed:
        """The sketches of a batch, in the worker of the GPU."""
        if batch.refused and self.device.host is not None:
            return {}, _too_large(batch)
        try:
            # pinned memory and events are those of the current device, the first one by default
            torch.cuda.set_device(self.device.name)
            return stream.passes(batch, self.device, local.buffers, self.check), ""
        except Exception as error:
            if self.device.host is None or not is_out_of_memory(error):
                raise
        # after the handler, whose error holds what the GPU has of the batch
        local.buffers.clear()
        torch.cuda.empty_cache()
        return {}, f"{self.device.name} ran out of memory: lower --memory, or use --device cpu"

    def followed(self, batch: Batch, fed: Fed, each: Each) -> list[Measured]:
        """The results of a batch, in a worker of the host."""
        sketches, reason = fed
        if not reason:
            return [result(batch, sketches, i, each) for i in range(len(batch.units))]
        with self.lock:
            return list(self._on_host(batch, reason, each))

    def _on_host(self, batch: Batch, reason: str, each: Each) -> Iterator[Measured]:
        """The results of the units of a batch, measured on the CPU."""
        assert self.device.host is not None
        device = replace(self.device.host, workers=1)
        buffers = Buffers(device.name)
        parts = divided(batch.units, device)
        units = [unit for _, measured in parts for unit in measured]
        batches: list[Sequence[Measured]] = []
        for part in plan(units, device):
            sketches = stream.passes(part, device, buffers, self.check)
            numbers = range(len(part.units))
            batches.append([result(part, sketches, i, _nothing) for i in numbers])
        for measured in united(parts, in_order(units, batches), _nothing):
            moved = replace(measured, moved=f"measured on the CPU: {reason}")
            yield replace(moved, values=each(moved))  # with the note of it


def _nothing(measured: Measured) -> dict[str, object]:
    """No values: they follow once it is known where a unit was measured."""
    return {}


def _too_large(batch: Batch) -> str:
    """Why a batch is not measured on the GPU."""
    need = -(-max(batch.refused.values()) >> 20)
    return f"needs {need} MiB of the GPU's memory, has {batch.share >> 20}"
