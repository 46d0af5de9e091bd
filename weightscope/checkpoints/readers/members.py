"""The formats that are read, in the order in which a folder is searched for them.

A new format is a file in this folder and its line below. The list is not in `__init__`, which
imports what recognises files by it.
"""

from __future__ import annotations

from . import safetensors, torch_file
from .reader import Reader

READERS: tuple[Reader, ...] = (
    safetensors.READER,
    torch_file.READER,
)

SUFFIXES = tuple(suffix for reader in READERS for suffix in reader.suffixes)
