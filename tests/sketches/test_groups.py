"""N:M patterns: planted ones are found, one broken group ends them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import Groups

RNG = np.random.default_rng(0)


def sparse(n: int, m: int, shape: tuple[int, int] = (12, 64)) -> np.ndarray:
    """Gaussian values whose m - n smallest of every m neighbours are pruned to zero."""
    w = RNG.normal(size=shape).reshape(shape[0], -1, m)
    w[np.argsort(np.argsort(abs(w), -1), -1) < m - n] = 0
    return w.reshape(shape)


@pytest.mark.parametrize(
    ("w", "patterns"),
    [
        (sparse(2, 4), ("2:4", "4:8")),  # 2:4 holds in both halves of every eight
        (sparse(4, 8), ("4:8",)),
        (sparse(1, 4), ("2:4", "4:8")),
        (sparse(3, 4), ()),
        (sparse(5, 8), ()),
        (RNG.normal(size=(12, 64)), ()),
        (RNG.normal(size=(12, 64)) * (RNG.random((12, 64)) < 0.5), ()),
        (np.zeros((3, 3)), ()),
    ],
)
@pytest.mark.parametrize(("axis", "cuts"), [(0, ()), (0, (5,)), (1, (8, 40))])
def test_patterns_of_every_group(lab, w, patterns, axis, cuts) -> None:
    """Any tiling that divides no group; too narrow a matrix has none."""
    for stored in (torch.from_numpy(w)[None], torch.from_numpy(w)[None].mT.contiguous().mT):
        assert lab.take(Groups(), stored, "F64", axis, cuts)[0].patterns == patterns


def test_one_broken_group_is_enough(lab) -> None:
    """In the last row, and a NaN is not zero."""
    for value in (1.0, np.nan):
        w = sparse(2, 4)
        w[-1, -4:] = value
        assert lab.take(Groups(), torch.from_numpy(w)[None], "F64", cuts=(4,))[0].patterns == ()


def test_folds_merge(lab) -> None:
    """Broken in either half is broken."""
    w, measure = (
        torch.from_numpy(np.concatenate([sparse(2, 4), RNG.normal(size=(12, 64))]))[None],
        Groups(),
    )
    boxes = lab.boxes((24, 64), 0, [12])
    a, b = (
        measure.add(measure.start(1, (24, 64), "F64", "cpu"), lab.tile(w, "F64", box))
        for box in boxes
    )
    assert measure.finish(a)[0].patterns == ("2:4", "4:8")
    assert measure.finish(measure.merge(a, b))[0].patterns == ()
