"""Options of the engine: device, memory, threads."""

from __future__ import annotations

from dataclasses import dataclass

from .options import option
from .sizes import size_of


@dataclass(frozen=True)
class Running:
    """Where tensors are measured, and with how much memory and how many threads."""

    device: str = option(
        "auto",
        "cpu, cuda, cuda:N, or auto (default): the CPU. No release was tested on a GPU yet;"
        " --device cuda takes one.",
        group="Run",
        metavar="DEVICE",
    )
    memory: int | str | None = option(
        None,
        "Limit for our buffers, like 512MiB; default a quarter of the free memory.",
        group="Run",
        metavar="SIZE",
    )
    threads: int | None = option(
        None, "Workers; default one per CPU core.", group="Run", metavar="N", minimum=1
    )

    def __post_init__(self) -> None:
        if self.memory is not None:
            size_of(self.memory)
