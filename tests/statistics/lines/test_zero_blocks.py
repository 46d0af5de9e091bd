"""Planted blocks of zeros are found at any edge; triangles, bands and scattered zeros are not."""

from __future__ import annotations

import numpy as np
import pytest

from weightscope.sketches import MarginSums
from weightscope.statistics.lines.zero_blocks import LEAST, zero_blocks

M, N = 96, 160
PLACES = {  # rectangle -> its text
    "rows 64:96 x cols 100:160": (slice(64, 96), slice(100, 160)),
    "rows 0:40 x cols 100:160": (slice(0, 40), slice(100, 160)),
    "rows 0:40 x cols 0:60": (slice(0, 40), slice(0, 60)),
    "rows 64:96 x cols 0:60": (slice(64, 96), slice(0, 60)),
    "rows 20:50 x cols 0:60": (slice(20, 50), slice(0, 60)),
    "rows 20:50 x cols 100:160": (slice(20, 50), slice(100, 160)),
    "rows 0:40 x cols 50:90": (slice(0, 40), slice(50, 90)),
    "rows 64:96 x cols 50:90": (slice(64, 96), slice(50, 90)),
    "rows 0:16 x cols 144:160": (slice(0, LEAST), slice(N - LEAST, N)),
}
STREWN = [0.0, 0.02, 0.5]


@pytest.fixture
def found(taken):
    """`found(matrix)`: the blocks from its margins."""

    def of(w):
        margins = taken(MarginSums(extremes=True), w)
        return zero_blocks(margins.rows, margins.cols)

    return of


def gaussian(share: float = 0.0, shape: tuple[int, int] = (M, N), seed: int = 0) -> np.ndarray:
    """Gaussians of which a share was set to zero."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) * (rng.random(shape) >= share)


@pytest.mark.parametrize("share", STREWN)
@pytest.mark.parametrize("text", PLACES)
def test_a_rectangle_at_an_edge(found, text, share) -> None:
    """In each corner and at each side, among any other zeros."""
    w = gaussian(share)
    w[PLACES[text]] = 0
    assert found(w) == text


@pytest.mark.parametrize("share", STREWN)
def test_several_blocks_the_largest_first(found, share) -> None:
    """Two blocks on the diagonal make two rectangles; padding comes first."""
    w = gaussian(share)
    w[:40, 100:], w[40:, :100] = 0, 0
    assert found(w) == "rows 40:96 x cols 0:100 + rows 0:40 x cols 100:160"
    w[70:], w[:, 150:] = 0, 0
    assert (
        found(w) == "rows 70:96 + cols 150:160 + rows 40:70 x cols 0:100 + rows 0:40 x cols 100:150"
    )


@pytest.mark.parametrize("share", STREWN)
def test_a_matrix_that_grew_twice_has_two_blocks(found, share) -> None:
    """At one edge two rectangles of different widths; at every edge."""
    w = gaussian(share, (128, 128))
    w[:64, 64:], w[64:96, 96:] = 0, 0
    assert found(w) == "rows 0:64 x cols 64:128 + rows 64:96 x cols 96:128"
    assert found(w.T) == "rows 64:128 x cols 0:64 + rows 96:128 x cols 64:96"
    assert found(w[::-1, ::-1]) == "rows 64:128 x cols 0:64 + rows 32:64 x cols 0:32"


def test_four_rectangles_are_listed(found) -> None:
    """The largest of six at one edge; equal ones in the order of their rows."""
    w = gaussian(shape=(240, 200))
    for top, width in zip(range(0, 240, 40), (20, 30, 40, 40, 60, 20), strict=True):
        w[top : top + 20, :width] = 0
    told = ("160:180 x cols 0:60", "80:100 x cols 0:40", "120:140 x cols 0:40", "40:60 x cols 0:30")
    assert found(w) == " + ".join(f"rows {text}" for text in told)


def test_dead_lines_within_a_rectangle_do_not_divide_it(found) -> None:
    """They are zero there too; the ranges include them."""
    w = gaussian()
    w[PLACES["rows 64:96 x cols 100:160"]] = 0
    w[[3, 70, 80]], w[:, [1, 99, 120]] = 0, 0
    assert found(w) == "rows 64:96 x cols 100:160"


@pytest.mark.parametrize("value", [1e-300, np.nan, np.inf])
def test_a_rectangle_is_zero_throughout(found, value) -> None:
    """One element in it, however small, and it is none; -0 is zero."""
    w = gaussian()
    w[PLACES["rows 64:96 x cols 100:160"]] = -0.0
    assert found(w) == "rows 64:96 x cols 100:160"
    w[70, 130] = value
    assert found(w) is None


@pytest.mark.parametrize("shape", [(LEAST - 1, 60), (60, LEAST - 1), (8, 8)])
def test_small_rectangles_are_chance(found, shape) -> None:
    """Less than 16 lines or 16 elements."""
    w = gaussian()
    w[: shape[0], : shape[1]] = 0
    assert found(w) is None


@pytest.mark.parametrize(
    ("rows", "cols", "text"),
    [
        ([95], [], "rows 95:96"),
        ([], [158, 159], "cols 158:160"),
        ([*range(64, 96)], [*range(100, 160)], "rows 64:96 + cols 100:160"),
        ([0, 1, 2, 50], [0, 70], None),
        ([*range(95)], [*range(159)], None),
        ([*range(96)], [], None),
    ],
    ids=str,
)
def test_padding_is_at_the_end(found, rows, cols, text) -> None:
    """Other dead lines are no padding, nor is a matrix of zeros; NaN is not zero."""
    w = gaussian()
    w[rows], w[:, cols] = 0, 0
    assert found(w) == text
    if rows == [95]:
        w[95, 3] = np.nan
        assert found(w) is None


def banded(low: int, high: int) -> np.ndarray:
    """Gaussians in a band of diagonals."""
    i, j = np.indices((M, M))
    return np.where((j - i >= -low) & (j - i <= high), gaussian(shape=(M, M)), 0.0)


NONE = {
    "ordinary": gaussian(),
    "strewn": gaussian(0.5),
    "dense": gaussian(0.95),
    "sparse": gaussian(0.99),
    "large and sparse": gaussian(0.99, (600, 400)),
    "nearly zero": gaussian(0.999, (600, 400)),
    "ReLU": np.maximum(gaussian(), 0),
    "2:4 by column": gaussian() * (np.arange(N) // 2 % 2),
    "2:4 by diagonal": gaussian() * ((np.arange(N) + np.arange(M)[:, None]) % 4 < 2),
    "dead rows": gaussian() * (np.arange(M)[:, None] % 20 > 0),
    "causal": banded(M, 0),
    "upper triangle": banded(0, M),
    "band": banded(3, 3),
    "half a band": banded(0, 30),
    "diagonal": banded(0, 0),
    "trapezium": np.tril(gaussian(shape=(600, 64)), -200),
    "permutation": np.eye(M)[np.random.default_rng(1).permutation(M)],
    "causal beside padding": np.concatenate(
        (banded(M, 0), np.zeros((M, 20)), gaussian(shape=(M, 30))), 1
    ),
    "blocks of a mask": np.tril(np.ones((5, 5))).repeat(24, 0).repeat(24, 1),
    "experts": np.kron(np.eye(4), np.ones((24, 24))),
    "zero": np.zeros((M, N)),
    "empty": np.zeros((0, 5)),
    "NaN": np.full((M, N), np.nan),
}


@pytest.mark.parametrize("name", NONE)
def test_other_zeros_are_no_block(found, name) -> None:
    """Scattered, in patterns, in single lines, in masks and bands, or everywhere."""
    assert found(NONE[name]) is None
