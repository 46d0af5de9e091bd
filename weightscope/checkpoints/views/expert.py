"""Expert: one matrix of a stack (experts, a, b) as a leaf, so that only its bytes are read."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from ...dtypes import DTYPES
from ...errors import Unmeasured
from ...notes import Note
from ..entry import Stored


def expert(stack: Stored, number: int) -> Stored:
    """The stored matrix `number` of a stack of rank three and more, as a leaf.

    >>> expert(Stored("w", (4, 2, 3), "F32", "f", 100), 2).offset
    148
    """
    dims = stack.dims[1:]
    strides = stack.strides and stack.strides[1:]
    if stack.tensor is not None:  # in memory: a view
        return replace(stack, dims=dims, strides=strides, tensor=stack.tensor[number])
    if stack.strides:
        step = stack.strides[0]
    else:
        step = prod(dims)
    bits = number * step * DTYPES[stack.dtype].bits
    if bits % 8:  # a leaf begins at a byte of its file
        template = (
            "an expert begins on a whole byte; half-byte elements and {step} to an expert; "
            "pad the rows"
        )
        raise Unmeasured(Note.of("unaligned-expert", template, step=step))
    return replace(stack, dims=dims, strides=strides, offset=stack.offset + bits // 8)
