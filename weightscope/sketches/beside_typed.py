"""Elements of a tile beside another in the types that torch rounds to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dtypes import DTYPES
from ..lazy import torch
from .beside import numbers, stored_alike
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

# torch's names of 8-bit floats; the engine carries them as bytes
FLOAT8 = {
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def in_type_of_torch(tile: Tile, source: Tile) -> Tensor:
    """(b, elements) of `source` in a floating type of torch, in the memory order of `tile`."""
    dtype = DTYPES[source.dtype]
    if source.dtype in FLOAT8:
        return stored_alike(tile, source).view(getattr(torch, FLOAT8[source.dtype]))
    if dtype.kind == "float":
        return stored_alike(tile, source)
    return numbers(tile, source).double()
