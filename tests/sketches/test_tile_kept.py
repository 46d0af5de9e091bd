"""A measure leaves a tile as it found it: others look at the same tile after it."""

from __future__ import annotations

import pytest
import torch

from weightscope.dtypes import DTYPES
from weightscope.sketches import Again
from weightscope.sketches.tile import Scratch

SHAPE = (30, 24)


def seen(tile) -> list[bytes]:
    """What measures share, in bytes: NaN is equal to itself."""
    shared = [tile.dense, tile.flat]
    if DTYPES[tile.dtype].narrow:
        shared.append(tile.patterns)
    return [x.contiguous().view(torch.uint8).numpy().tobytes() for x in shared]


def several(lab, dtype) -> torch.Tensor:
    """Column-major, with two equal rows."""
    stored = lab.matrices(dtype, SHAPE[::-1], 1, "normal", 2)
    stored[:, :, 3] = stored[:, :, 20]
    return stored.mT


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F8_E4M3", "F4", "I16", "U32"])
def test_a_measure_leaves_a_tile_as_it_was(lab, dtype) -> None:
    """In every pass, of types of each kind and size of word."""
    stored = several(lab, dtype)
    for measure in [m for examples in lab.EXAMPLES.values() for m in examples]:
        boxes = lab.boxes(SHAPE, 0, [] if measure.cut == "whole" else [17])
        state, scratch = measure.start(2, SHAPE, dtype, "cpu"), Scratch()
        passes = 0
        while passes < 300:
            for box in boxes:
                tile = lab.tile(stored, dtype, box, 0, scratch)
                before = seen(tile)
                state = measure.add(state, tile)
                assert seen(tile) == before, (measure, passes)
            end = measure.finish(state)
            if not isinstance(end, Again):
                break
            state, passes = end.state, passes + 1
