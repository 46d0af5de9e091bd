"""Positions beyond 4 robust_std in several vectors, against masks of numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.plain import plain
from tests.sketches.vectors import f64, measured, turned
from weightscope.sketches import Count, SharedOutliers, chunks, count, few_values
from weightscope.sketches.quantiles import median, robust_std

TYPES = ["F64", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2"]
SHAPE = (40, 60)


def oracle(arrays):
    """The numbers from masks of whole arrays, with numpy's quantiles of the finite elements."""
    finite = np.isfinite(arrays).all(0)
    masks = []
    for x in arrays:
        own = x[np.isfinite(x)]
        low, middle, high = np.quantile(own, (0.25, 0.5, 0.75))
        with np.errstate(invalid="ignore"):
            masks.append((np.abs(x - middle) > 4 * ((high - low) / 1.349)) & finite)
    masks = np.stack(masks).reshape(len(arrays), -1).astype(np.int64)
    return int(finite.sum()), masks @ masks.T


def check(record, arrays):
    """A record is that of the arrays, exactly."""
    n, shared = oracle(np.stack(arrays))
    assert record.n == n
    assert np.array_equal(record.shared, shared)
    assert np.array_equal(record.beyond, np.diagonal(shared))
    assert not record.unresolved.any()
    assert record.shared.dtype == record.beyond.dtype == np.int64


def vectors(lab, types, seed=0, stack=1):
    """Vectors with heavy tails at common and at other positions, NaN and Inf."""
    rng = np.random.default_rng(seed)
    common = rng.random((stack, *SHAPE)) < 0.03
    several = []
    for dtype in types:
        x = rng.standard_t(4, size=common.shape)
        x = np.where(common & (rng.random(x.shape) < 0.8), 12 * np.sign(x), x)
        x[rng.random(x.shape) < 0.01] = np.nan
        x[rng.random(x.shape) < 0.01] = -np.inf
        several.append((lab.numbers(dtype, x), dtype))
    return several


def values(lab, several, i=0):
    return [lab.values(dtype, stored)[i] for stored, dtype in several]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("k", [2, 3, 4])
def test_every_number_is_that_of_numpy(lab, dtype, k):
    """One type, and every type beside the others."""
    start = TYPES.index(dtype)
    mixed = [TYPES[(start + 2 * i + 1) % len(TYPES)] for i in range(k)]
    for types in ([dtype] * k, mixed):
        several = vectors(lab, types, k)
        record = measured(SharedOutliers, several)[0]
        check(record, values(lab, several))
        assert record.shared[0, 1] > 0


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("layout", [(0, 0, 0), (1, 1, 1), (1, 0, 1)])
def test_tiles_stacks_layouts_and_chunks_do_not_matter(lab, axis, layout, monkeypatch):
    """Any tiling of a stack, transposed entries beside others, chunks of few elements."""
    monkeypatch.setattr(chunks, "CHUNK", 600)
    several = vectors(lab, ["F32", "BF16", "F64"], 3, stack=2)
    for i, record in enumerate(measured(SharedOutliers, turned(several, layout), axis, (8, 24))):
        check(record, values(lab, several, i))


def test_tensors_add():
    """Numbers beyond each tensor's own thresholds add up."""
    rng = np.random.default_rng(4)
    records = [
        measured(SharedOutliers, [f64(x) for x in rng.standard_t(2, size=(2, *shape))])[0]
        for shape in ((9, 30), (1, 400))
    ]
    total = records[0].forget() + records[1].forget()
    assert total.n == 670
    assert np.array_equal(total.shared, records[0].shared + records[1].shared)
    assert np.array_equal(total.beyond, np.diagonal(total.shared))


@pytest.mark.parametrize("way", ["exact", "bins"])
@pytest.mark.parametrize("constant", [0.0, 0.5])
def test_of_sparse_changes_all_that_differ_are_beyond(way, constant, monkeypatch):
    """More than half are equal: robust_std is 0, and the others differ from the median."""
    if way == "bins":
        monkeypatch.setattr(count, "EXACT", -1)
        monkeypatch.setattr(few_values, "FEW", -1)
    rng = np.random.default_rng(5)
    x = np.full(1000, constant)
    x[:80] = rng.normal(size=80)
    y = np.full(1000, constant)
    y[60:100] = 1e-30
    record = measured(SharedOutliers, [f64(x), f64(y)])[0]
    if way == "bins" and constant:
        assert record.unresolved.all()  # both quartiles are in one bin
        assert not record.beyond.any()
        return
    assert record.beyond.tolist() == [80, 40]
    assert record.shared[0, 1] == 20
    assert not record.unresolved.any()


def test_bins_have_the_thresholds_of_fit(monkeypatch):
    """Large wide tensors are counted in bins; median and robust_std are those of the columns."""
    monkeypatch.setattr(count, "EXACT", -1)
    monkeypatch.setattr(few_values, "FEW", -1)
    x, y = np.random.default_rng(6).standard_t(3, size=(2, 1, 30, 50)).astype(np.float32)
    stored = [(torch.from_numpy(a[None]), "F32") for a in (x[0], y[0])]
    record = measured(SharedOutliers, stored)[0]
    masks = []
    for a in (x[0], y[0]):
        counts = measured(lambda others: Count(), [(torch.from_numpy(a[None]), "F32")])[0]
        assert not counts.exact
        masks.append(np.abs(a.astype(float) - median(counts)) > 4 * robust_std(counts))
    assert record.beyond.tolist() == [int(mask.sum()) for mask in masks]
    assert record.shared[0, 1] == (masks[0] & masks[1]).sum()


@pytest.mark.parametrize("mean", [30, 1e4])
def test_bins_too_wide_for_quartiles_are_unresolved(mean, monkeypatch):
    """Noise beside a large mean in bins of 0.1 std and more: no outliers of that vector alone."""
    monkeypatch.setattr(count, "EXACT", -1)
    monkeypatch.setattr(few_values, "FEW", -1)
    x, y = 0.5 * np.random.default_rng(7).standard_t(4, size=(2, 40, 40))
    record = measured(SharedOutliers, [f64(mean + x), f64(y)])[0]
    assert record.unresolved.tolist() == [True, False]
    assert record.beyond[0] == 0 < record.beyond[1]
    other = measured(SharedOutliers, [f64(x), f64(y)])[0]
    assert not other.unresolved.any()
    for total in (record + other, other + record):
        assert total.unresolved.tolist() == [True, False]


@pytest.mark.parametrize("value", [0.0, 1.5, np.nan, np.inf])
def test_constants_have_nothing_beyond(value):
    """Zero, another constant, and nothing finite."""
    normal = np.random.default_rng(8).normal(size=(5, 6))
    record = measured(SharedOutliers, [f64(np.full((5, 6), value)), f64(normal)])[0]
    assert record.n == (30 if np.isfinite(value) else 0)
    assert record.beyond[0] == record.shared[0, 1] == 0
    assert not record.unresolved.any()


def test_an_empty_tensor_has_no_positions():
    """One pass, without tiles."""
    empty = (torch.zeros(2, 0, 4), "F32")
    first, second = measured(SharedOutliers, [empty, empty])
    assert plain(first) == plain(second)
    assert (first.n, first.shared.sum(), first.unresolved.any()) == (0, 0, False)
