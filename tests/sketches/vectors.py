"""Several vectors of any types for the tests of measures that see them all."""

from __future__ import annotations

import numpy as np
import torch

from tests.sketches.conftest import boxes, tile
from weightscope.sketches import Again, Scratch, TaskVectors

LABELS = ("d0", "d1", "d2", "d3", "d4")


def measured(of, vectors, axis=0, cuts=(), merged=False):
    """The records of a measure of vectors (stored (b, m, n), type), the first with the others.

    `of` is the class of the measure; `merged`: every tile is folded apart, and states merge.
    """
    stack, *shape = vectors[0][0].shape
    shape, labels = tuple(shape), LABELS[: len(vectors)]
    measure = of(labels[1:])
    scratches = [Scratch() for _ in vectors]

    def start():
        return measure.start(stack, shape, vectors[0][1], "cpu")

    def add(state, box):
        first, *others = (
            tile(stored, dtype, box, axis, scratch)
            for (stored, dtype), scratch in zip(vectors, scratches, strict=True)
        )
        first.beside = dict(zip(labels[1:], others, strict=True))
        return measure.add(state, first)

    state = start()
    for _ in range(2):
        for box in boxes(shape, axis, list(cuts)):
            state = measure.merge(state, add(start(), box)) if merged else add(state, box)
        result = measure.finish(state)
        if not isinstance(result, Again):
            return result
        state = result.state
    raise AssertionError("the passes do not end")


def products(*arrays):
    """The record of `TaskVectors` of float64 arrays."""
    return measured(TaskVectors, [f64(array) for array in arrays])[0]


def f64(array):
    """An array as a stack of one stored matrix, and its type."""
    return torch.from_numpy(np.array(array, np.float64, ndmin=3)), "F64"


def turned(vectors, layout):
    """The vectors, those marked in `layout` stored column-major."""
    return [
        (stored.mT.contiguous().mT if turn else stored, dtype)
        for (stored, dtype), turn in zip(vectors, layout, strict=True)
    ]
