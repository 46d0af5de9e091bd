"""The shared records of options that an analysis accepts in addition to its own."""

from __future__ import annotations

from ..checkpoints.opening import Opening
from ..running import Running
from .name_options import NameOptions
from .selection import Selection
from .several import Several

LISTING = (
    Selection,
    Opening,
    NameOptions,
    Several,
)  # headers alone: no device, no memory, no threads
MEASURING = (*LISTING, Running)
