"""The engine owns devices, threads and memory; it knows entries and measures, no statistics."""

from __future__ import annotations

from .device import Device, choose
from .executor import Executor, Meter
from .plan import Batch, plan
from .session import Session, Watch
from .unit import Each, Measured, Measurer, Unit

__all__ = [
    "Batch",
    "Device",
    "Each",
    "Executor",
    "Measured",
    "Measurer",
    "Meter",
    "Session",
    "Unit",
    "Watch",
    "choose",
    "plan",
]
