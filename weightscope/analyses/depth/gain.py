"""The gain of a matrix: its std times the square root of its number of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from ...columns import Column
from ..piece import Piece

GAIN = Column(
    "gain",
    "float",
    "std sqrt(fan_in): rms of the outputs for independent inputs of rms 1",
    error="gain_se",
)
GAIN_SE = Column("gain_se", "float", "standard error of gain", on_request=True)


def fan_in(piece: Piece) -> int | None:
    """The number of inputs of an output: columns of the matrix; None for a vector.

    Of a convolution, input channels of a group times the positions of the kernel.
    """
    if piece.entry is None or not piece.is_matrix or piece.place.kind in ("norm", "bias"):
        return None
    return piece.entry.shape[1]


def gain(piece: Piece, values: Mapping[str, object]) -> dict[str, float | None]:
    """`gain` and `gain_se` from the std of a piece; None for vectors."""
    inputs = fan_in(piece)
    gains: dict[str, float | None] = {}
    for name, of_std in (("gain", "std"), ("gain_se", "std_se")):
        value = values.get(of_std)
        gains[name] = None
        if inputs is not None and isinstance(value, int | float):
            gains[name] = value * sqrt(inputs)
    return gains
