"""Planted slices are found, others are not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.statistics.lineage import (
    NoSlice,
    Slice,
    SliceSample,
    axis_of,
    candidate_maps,
    find_slice,
)


def sample(a: np.ndarray, b: np.ndarray, count: int = 64, block: int = 1) -> SliceSample:
    """Evenly spaced lines of the shorter sides, and those that the maps pair with them."""
    rows = axis_of(len(a), len(b), count)
    columns = axis_of(a.shape[1], b.shape[1], 1024, block)
    of_a = a[np.ix_(rows.needed_a, columns.needed_a)]
    of_b = b[np.ix_(rows.needed_b, columns.needed_b)]
    return SliceSample(rows, columns, of_a, of_b)


def lines(rule: str, short: int, long: int, block: int = 1) -> np.ndarray:
    """The lines of a rule."""
    return next(m.lines for m in candidate_maps(short, long, block) if m.name.startswith(rule))


def cut(a: np.ndarray, rows: str, columns: str, shape: tuple[int, int]) -> np.ndarray:
    """Some rows and columns of a matrix."""
    kept = lines(rows, shape[0], a.shape[0])
    return a[kept][:, lines(columns, shape[1], a.shape[1])]


def drawn(seed: int, shape: tuple[int, int] = (192, 96)) -> np.ndarray:
    """Gaussian weights."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def noisy(b: np.ndarray, sigmas: float, seed: int = 9) -> np.ndarray:
    """With noise of so many standard deviations."""
    return (b + sigmas * b.std() * drawn(seed, b.shape)).astype(np.float32)


SHAPES = {"stride": (96, 48), "linspace": (128, 64), "first": (128, 64)}


@pytest.mark.parametrize("sigmas", [0, 1, 3])
@pytest.mark.parametrize("rows", ["stride", "linspace", "first"])
@pytest.mark.parametrize("columns", ["stride", "linspace", "first", "all"])
def test_planted_rules_are_found(rows: str, columns: str, sigmas: float) -> None:
    """On rows and columns apart, clean and with noise, with the cosine of the noise."""
    a = drawn(0)
    width = SHAPES[columns][1] if columns != "all" else 96
    b = noisy(cut(a, rows, columns, (SHAPES[rows][0], width)), sigmas)
    found = find_slice(sample(a, b))
    assert isinstance(found, Slice)
    assert found.rows.partition(" ")[0] == rows
    assert found.columns.partition(" ")[0] == columns
    assert found.cosine == pytest.approx((1 + sigmas**2) ** -0.5, abs=0.04)
    assert found.runner_up < 0.06
    assert found.factor is None


@pytest.mark.parametrize("grown", [(True, True), (True, False), (False, True)])
def test_either_side_may_be_the_larger_one(grown: tuple[bool, bool]) -> None:
    """On each axis: a matrix that grew, or that grew along one axis and shrank along the other."""
    whole = drawn(1, (96, 96))
    kept = lines("linspace", 64, 96)
    a, b = whole, whole
    a, b = (a[kept], b) if grown[0] else (a, b[kept])
    a, b = (a[:, kept], b) if grown[1] else (a, b[:, kept])
    found = find_slice(sample(a, b))
    assert isinstance(found, Slice)
    assert found.name == "rows and columns by linspace 2/3"
    assert found.cosine == pytest.approx(1)
    assert found.scale == pytest.approx(1)


def test_the_scale_is_a_factor_from_a_to_b() -> None:
    """Subcloning multiplies by a square root; the direction does not depend on which is lower."""
    a = drawn(2, (96, 96))
    b = np.float32(1.5**0.5) * cut(a, "first", "first", (64, 64))
    found = find_slice(sample(a, b))
    assert isinstance(found, Slice)
    assert found.name == "rows and columns by first 2/3, times 1.225"
    back = find_slice(sample(b, a))
    assert isinstance(back, Slice)
    assert back.scale == pytest.approx(1.5**-0.5)
    exact = find_slice(sample(1e30 * a, b))
    assert isinstance(exact, Slice)
    assert exact.scale == pytest.approx(1.5**0.5 * 1e-30)


def test_a_scale_within_its_error_is_no_factor() -> None:
    """Below 1%, or below 3 standard errors."""
    assert Slice("first 1/2", "all", 0.9, 0.0, 1.009, 1e-6).factor is None
    assert Slice("first 1/2", "all", 0.9, 0.0, 1.05, 0.02).factor is None
    assert Slice("first 1/2", "all", 0.9, 0.0, 0.95, 0.01).factor == 0.95


def test_the_error_of_the_scale_is_that_of_a_regression() -> None:
    """The scales of 60 draws of noise differ by it."""
    a = drawn(3, (48, 32))
    b = cut(a, "first", "first", (24, 16))
    found = [find_slice(sample(a, noisy(b, 1, seed))) for seed in range(60)]
    scales = [f.scale for f in found if isinstance(f, Slice)]
    assert len(scales) == 60
    errors = [f.scale_se for f in found if isinstance(f, Slice)]
    assert np.std(scales) == pytest.approx(np.mean(errors), rel=0.3)


@pytest.mark.parametrize(
    ("kind", "shift"), [("positive", 4.0), ("row bias", None), ("column bias", None)]
)
def test_common_means_are_no_rule_and_hide_none(kind: str, shift: float | None) -> None:
    """Raw cosines are 0.8 and more under every map; the planted rule is found all the same."""
    rng = np.random.default_rng(4)
    if shift is not None:
        offset = np.array(shift)
    else:
        offset = 3 * rng.standard_normal((96, 1) if kind == "row bias" else (1, 96))
    a, other = drawn(5, (96, 96)) + offset, drawn(6, (96, 96)) + offset
    found = find_slice(sample(a, cut(a, "linspace", "linspace", (64, 64))))
    assert isinstance(found, Slice)
    assert found.name == "rows and columns by linspace 2/3"
    none = find_slice(sample(a, cut(other, "linspace", "linspace", (64, 64))))
    assert isinstance(none, NoSlice)
    assert none.cosine is not None
    assert none.cosine < 0.1


def test_gains_of_a_norm() -> None:
    """One row: its elements differ from their mean."""
    gains = 1 + 0.1 * drawn(7, (1, 768))
    found = find_slice(sample(gains, gains[:, ::2]))
    assert isinstance(found, Slice)
    assert found.name == "columns by stride 2"
    none = find_slice(sample(gains, 1 + 0.1 * drawn(8, (1, 384))))
    assert isinstance(none, NoSlice)


@pytest.mark.parametrize("freedom", [3, 30])
def test_unrelated_matrices_have_no_rule(freedom: int) -> None:
    """In 80 draws, half of them with heavy tails, no cosine comes near 0.15 in 64 rows."""
    rng = np.random.default_rng(0)
    worst = 0.0
    for _ in range(40):
        a, b = rng.standard_t(freedom, (96, 48)), rng.standard_t(freedom, (64, 32))
        none = find_slice(sample(a, b))
        assert isinstance(none, NoSlice)
        worst = max(worst, none.cosine or 0.0)
    assert worst < 0.12


def test_a_weak_cosine_is_no_rule() -> None:
    """Noise of 9 sigma leaves 0.11: ten standard errors, and no claim."""
    a = drawn(20, (192, 192))
    none = find_slice(sample(a, noisy(cut(a, "first", "first", (128, 128)), 9)))
    assert none == NoSlice("cosine", none.cosine, none.runner_up)
    assert none.cosine == pytest.approx(0.11, abs=0.03)


def test_rules_that_give_the_same_values_are_none() -> None:
    """Where neighbouring rows are equal, stride and linspace cannot be told apart."""
    a = np.repeat(drawn(21, (48, 64)), 2, axis=0)
    none = find_slice(sample(a, a[::2]))
    assert none == NoSlice("runner-up", none.cosine, none.runner_up)
    assert none.cosine == pytest.approx(1)
    assert none.runner_up == pytest.approx(1, abs=1e-4)


def test_one_large_product_is_no_rule() -> None:
    """An outlier that both share is not evidence of a rule, nor are few elements."""
    a, b = drawn(10, (96, 96)), drawn(11, (64, 64))
    a[0, 0] = b[0, 0] = 300
    found = find_slice(sample(a, b))
    assert isinstance(found, NoSlice)
    assert found.reason in ("few elements", "runner-up")
    small = drawn(12, (1, 16))
    few = find_slice(sample(small, small[:, :8]))
    assert few == NoSlice("few elements", few.cosine, few.runner_up)


@pytest.mark.parametrize("constant", [np.ones((64, 64)), np.zeros((64, 64))])
def test_constant_matrices_have_no_rule(constant: np.ndarray) -> None:
    """All-equal rows and all-zero matrices, with the reason."""
    assert find_slice(sample(drawn(13, (96, 96)), constant)) == NoSlice("constant")
    rows = np.tile(drawn(14, (1, 64)), (64, 1))
    assert find_slice(sample(drawn(13, (96, 96)), rows)) == NoSlice("constant")


def test_shapes_without_elements_or_rows() -> None:
    """Fewer rows than the sample, and none at all."""
    assert find_slice(sample(np.zeros((4, 8)), np.zeros((4, 0)))) == NoSlice("no elements")
    assert find_slice(sample(np.zeros((0, 8)), np.zeros((0, 4)))) == NoSlice("no elements")
    a = drawn(15, (6, 300))
    found = find_slice(sample(a, a[::2, ::3]))
    assert isinstance(found, Slice)
    assert found.name == "rows by stride 2, columns by stride 3"


def test_elements_that_are_not_finite_are_left_out() -> None:
    """NaN and Inf on either side; nothing else changes."""
    a = drawn(16, (96, 96))
    b = cut(a, "first", "linspace", (64, 64)).copy()
    b[3, 5], a[7, 0], a[9, 9] = np.nan, np.inf, -np.inf
    found = find_slice(sample(a, b))
    assert isinstance(found, Slice)
    assert found.cosine == pytest.approx(1)
    assert found.name == "rows by first 2/3, columns by linspace 2/3"
    assert find_slice(sample(a, np.full((64, 64), np.nan))) == NoSlice("constant")


def test_rounding_to_bf16_leaves_the_rule() -> None:
    """The cosine falls by the rounding alone."""
    a = drawn(17, (96, 96))
    b = torch.from_numpy(cut(a, "linspace", "linspace", (64, 64))).bfloat16().float().numpy()
    found = find_slice(sample(a, b))
    assert isinstance(found, Slice)
    assert found.cosine > 0.9999


def test_channels_of_kernels_stay_together() -> None:
    """Every second input channel of 3 x 3 kernels."""
    a = drawn(18, (32, 16 * 9))
    b = a[:, lines("stride", 8 * 9, 16 * 9, 9)]
    found = find_slice(sample(a, b, block=9))
    assert isinstance(found, Slice)
    assert found.name == "columns by stride 2"
    without = find_slice(sample(a, b))
    assert isinstance(without, NoSlice)


def test_wide_matrices_are_sampled_in_columns() -> None:
    """The rule of 4096 columns is found on 1024 of them."""
    a = drawn(19, (8, 6144))
    chosen = sample(a, cut(a, "all", "linspace", (8, 4096)))
    assert len(chosen.columns.sampled) == 1024
    found = find_slice(chosen)
    assert isinstance(found, Slice)
    assert found.name == "columns by linspace 2/3"
