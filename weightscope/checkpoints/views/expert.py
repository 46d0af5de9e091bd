"""Expert: one matrix of a stack stored as (experts, a, b): a leaf of its own, so that only its bytes are read."""

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
    dims, bits = stack.dims[1:], DTYPES[stack.dtype].bits
    strides = stack.strides and stack.strides[1:]
    if stack.tensor is not None:
        return replace(stack, dims=dims, strides=strides, tensor=stack.tensor[number])
    step = stack.strides[0] if stack.strides else prod(dims)
    if number * step * bits % 8:
        template = "an expert begins on a whole byte; half-byte elements and {step} to an expert; pad the rows"
        raise Unmeasured(Note.of("unaligned-expert", template, step=step))
    return replace(
        stack, dims=dims, strides=strides, offset=stack.offset + number * step * bits // 8
    )
