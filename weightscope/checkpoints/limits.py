"""Limits beyond which a file is refused as forged or harmful; messages state these numbers."""

from __future__ import annotations

HEADER = 100_000_000  # bytes of a safetensors header: the format's own limit
TENSORS = 2_000_000  # tensors in one file
NAME = 4096  # bytes of a tensor's name
RANK = 64  # dimensions: torch's limit
LISTED_RANK = 4096  # dimensions of a tensor that is listed: more are a forgery
DEPTH = 64  # JSON nesting
INDEX = 256 << 20  # bytes of a sharded index
PARSED = 192 << 20  # bytes of memory for the values of JSON, beside twice their text
PARSED_TENSOR = 1024  # bytes of memory more for each tensor
CONFIG = 16 << 20  # bytes of config.json and adapter_config.json
PRODUCT = 1 << 33  # elements of a low-rank update: small factors can claim any
LINES = 100  # notes and flags of a checkpoint, each
EXPANDED = 1 << 24  # elements of an expanded view that is still read
DESCRIPTORS = 256  # files kept open; beyond it each read opens its file anew
