"""Index sets and tilings cover what they should, once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from weightscope.geometry import Box, Index, segments, tiles, whole


@given(
    start=st.integers(0, 9),
    length=st.integers(1, 9),
    groups=st.integers(1, 5),
    gap=st.integers(0, 7),
    data=st.data(),
)
def test_runs_are_the_lines_of_an_index_set(start, length, groups, gap, data) -> None:
    """The stored lines behind any range of the set, as numpy would write them down."""
    index = Index(start, length, groups, length + gap)
    lines = np.concatenate([np.arange(length) + start + g * (length + gap) for g in range(groups)])
    assert index.size == len(lines)
    lo, hi = sorted(data.draw(st.tuples(*[st.integers(0, len(lines))] * 2)))
    runs = list(index.runs(lo, hi))
    assert [i for first, last in runs for i in range(first, last)] == lines[lo:hi].tolist()
    assert all(first < last for first, last in runs)


@given(
    rows=st.integers(0, 300),
    cols=st.integers(0, 300),
    axis=st.sampled_from([0, 1]),
    size=st.integers(1, 5000),
)
def test_tiles_cover_a_box_once_and_in_order(rows, cols, axis, size) -> None:
    """Runs of whole rows or columns, bounded in size, multiples of eight where they are short."""
    box = Box((3, 3 + rows), (5, 5 + cols))
    cut = tiles(box, axis, size)
    spans = [(b.rows, b.cols)[axis] for b in cut]
    assert {(b.rows, b.cols)[1 - axis] for b in cut} == {(box.rows, box.cols)[1 - axis]}
    assert spans[0][0] == (box.rows, box.cols)[axis][0]
    assert spans[-1][1] == (box.rows, box.cols)[axis][1]
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all((b - a) % 8 == 0 or b - a < 8 for a, b in spans[:-1])
    assert all(b.size <= 1.5 * size or b.shape[axis] == 1 for b in cut)
    assert sum(b.size for b in cut) == box.size


def test_segments_are_made_of_tiles() -> None:
    """A segment's tiles are the tiles of the whole: cutting twice cuts nowhere else."""
    shape = (5000, 333)
    together = [t for s in segments(shape, 0, 8 * 333 * 40) for t in tiles(s, 0, 8 * 333)]
    assert together == list(tiles(whole(shape), 0, 8 * 333))


def test_a_box_knows_its_size_and_its_mirror() -> None:
    """Shape, elements and transpose."""
    box = Box((2, 5), (10, 14))
    assert (box.shape, box.size, box.T, box.T.T) == ((3, 4), 12, Box((10, 14), (2, 5)), box)


def test_a_box_of_nothing_is_one_tile() -> None:
    """However many lines a shape claims, without elements there is one tile and one segment."""
    for shape in ((1 << 62, 0), (0, 1 << 80), (0, 0)):
        assert (
            tiles(whole(shape), 0)
            == tiles(whole(shape), 1)
            == segments(shape, 0)
            == (whole(shape),)
        )
