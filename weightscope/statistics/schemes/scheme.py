"""An initialisation scheme: the std that a matrix is drawn with, from its shape and place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NORMAL, TRUNCATED, UNIFORM = "normal", "truncated", "uniform"  # laws of the elements
ANY_FORM = (NORMAL, TRUNCATED, UNIFORM)


@dataclass(frozen=True)
class Setting:
    """What a scheme knows of a matrix before it is drawn.

    `fan_in` is the number of inputs of an output, `fan_out` that of outputs of an input, both of a
    convolution times the positions of its kernel. `width` is the width of the residual stream, None
    for a matrix that neither reads nor writes it. `layers` counts those of its stack.
    """

    fan_in: int
    fan_out: int
    width: int | None
    layers: int
    layer: int
    writes: bool  # to the residual stream
    target: float = 0.02


@dataclass(frozen=True)
class Scheme:
    """A name, the std of the elements (None where it is unknown), and the laws that it draws from.

    `by_layer`: the std changes with the layer index, and the distance is a median over the layers.
    """

    name: str
    formula: str
    std: Callable[[Setting], float | None]
    forms: tuple[str, ...] = ANY_FORM
    by_layer: bool = False
