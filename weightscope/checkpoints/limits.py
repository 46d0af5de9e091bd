"""What weightscope accepts of a file before it believes that the file means harm; messages name these numbers."""

from __future__ import annotations

HEADER = 100_000_000                            # bytes of a safetensors header: the format's own limit
TENSORS = 2_000_000                             # tensors in one file
NAME = 4096                                     # bytes of a tensor's name
RANK = 64                                       # dimensions: torch's limit
DEPTH = 64                                      # JSON nesting
INDEX = 256 << 20                               # bytes of a sharded index
CONFIG = 16 << 20                               # bytes of config.json and adapter_config.json
LISTED = 10                                     # names that a message shows before it counts the rest
PRODUCT = 1 << 33                               # elements of a low-rank update: small factors can claim any
DESCRIPTORS = 256                               # files kept open; beyond it each read opens its file anew
