"""The engine during one call: chooses the device, shows progress, names what exceeds the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext

from ..geometry import whole
from ..running import Running
from ..sizes import size_of
from .device import Device, choose
from .divided import divided, of_wholes, united
from .executor import Executor, Meter
from .unit import Each, Measured, Unit

# (meter, tensors, bytes) -> a context that shows progress while it is open
Watch = Callable[[Meter, int, int], AbstractContextManager[None]]


class Session:
    """The measurer of one call.

    It chooses its device at the first measurement: a command that measures nothing loads no torch.
    """

    def __init__(self, running: Running, watch: Watch | None) -> None:
        self.running = running
        self.watch = watch
        self.meter = Meter()
        self.refused: list[str] = []  # names of tensors over the budget
        self.device: Device | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Why `--device auto` takes no GPU where there are some."""
        if self.device is None or not self.device.note:
            return ()
        return (self.device.note,)

    def _chosen(self) -> Device:
        memory = None
        if self.running.memory is not None:
            memory = size_of(self.running.memory)
        return choose(self.running.device, memory, self.running.threads)

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        """Measures the units, lazily, while progress is shown."""
        if self.device is None:
            self.device = self._chosen()
        shown: AbstractContextManager[None] = nullcontext()
        if self.watch:
            shown = self.watch(self.meter, len(units), _size(units))
        parts = divided(units, self.device)
        measured_units = [unit for _, measured in parts for unit in measured]
        with shown:
            results = Executor(self.device, self.meter)(measured_units, of_wholes(parts, each))
            for measured in united(parts, results, each):
                if measured.note:
                    self.refused.append(measured.unit.key.name)
                yield measured


def _size(units: Sequence[Unit]) -> int:
    """Bytes that the units will read."""
    size = 0
    for unit in units:
        for entry in unit.entries.values():
            size += sum(span.bytes[1] for span in entry.needs(whole(entry.shape)))
    return size
