"""Counts beyond thresholds equal numpy's in float64, for any type, tiling and layout."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from weightscope.dtypes import DTYPES
from weightscope.geometry import whole
from weightscope.sketches import Again, Beyond, Count, ValueCounts, beyond, count, few_values
from weightscope.sketches.quantiles import IQR_OF_NORMAL, median, robust_std
from weightscope.sketches.spans import span

HELD = [name for name, kind in DTYPES.items() if kind.kind != "none"]
FLOATS = ["F64", "F32", "F16", "BF16", "F8_E4M3"]
WIDE = ["F64", "F32"]
LARGE = (260, 256)  # more elements than are counted by value
GROUNDS = {  # name: draw of a shape
    "normal": lambda r, s: r.normal(0.002, 0.02, s),
    "offset": lambda r, s: r.normal(0.3, 0.02, s),
    "heavy": lambda r, s: 0.02 * r.standard_t(3, s),
    "peaked": lambda r, s: r.normal(0, 1, s) ** 5,
    "one-sided": lambda r, s: r.exponential(0.5, s) ** 2,
    "lattice": lambda r, s: np.round(r.normal(0, 3, s)) / 8,
}


@pytest.fixture(params=["as told", "bins"])
def ways(request, monkeypatch):
    """Small wide tensors counted by value, and in bins as large ones are."""
    if request.param == "bins":
        monkeypatch.setattr(count, "EXACT", -1)
        monkeypatch.setattr(few_values, "FEW", -1)


def check(result, x: np.ndarray, near: float = 2e-6) -> None:
    """Every number of a record against numpy on one matrix of float64 values."""
    counts, finite = result.counts, np.isfinite(x)
    with np.errstate(invalid="ignore"):
        apart = np.abs(x - counts.mean)
        assert result.beyond == tuple(
            int((finite & (apart > k * counts.std)).sum()) for k in (3, 4, 5, 6)
        )
        low, middle, high = np.quantile(x[finite], [0.25, 0.5, 0.75])
        outside = finite & (np.abs(x - middle) > 4 * (high - low) / IQR_OF_NORMAL)
    assert result.rows.dtype == result.cols.dtype == np.int64
    assert np.array_equal(result.rows, outside.sum(1))
    assert np.array_equal(result.cols, outside.sum(0))
    central = x[finite & ~outside]
    assert result.central.n == len(central)
    assert abs(result.central.mean - central.mean()) <= near * max(
        central.std(), abs(central.mean())
    )
    assert result.central.std == pytest.approx(central.std(), rel=near, abs=1e-300)


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("dtype", WIDE)
def test_numbers_are_those_of_numpy(lab, ground, dtype) -> None:
    """Totals, rows, columns, central weights; any layout and cut, with and without NaN and Inf."""
    check_numbers(lab, ground, dtype)


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("dtype", [dtype for dtype in FLOATS if dtype not in WIDE])
def test_numbers_of_narrow_types_are_those_of_numpy(lab, ground, dtype) -> None:
    """The same of types that are counted by value, however large a tensor is."""
    check_numbers(lab, ground, dtype)


def check_numbers(lab, ground, dtype) -> None:
    """The numbers of two matrices in three layouts and cuts."""
    x = GROUNDS[ground](np.random.default_rng(11), (2, 120, 90))
    if dtype not in ("F8_E4M3", "F16"):
        x[1, 5, 7], x[1, 80, :3], x[1, 2, 2] = np.nan, np.inf, -np.inf
    stored = lab.numbers(dtype, x)
    values = lab.values(dtype, stored)
    for layout, axis, cuts in (
        (stored, 0, ()),
        (stored.mT.contiguous().mT, 0, (8, 50)),
        (stored, 1, (16, 17, 70)),
    ):
        result = lab.take(Beyond(), layout, dtype, axis, cuts)
        for i in range(2):
            check(result[i], values[i])


@pytest.mark.usefixtures("ways")
@settings(max_examples=40, deadline=None)
@given(
    dtype=st.sampled_from(HELD),
    seed=st.integers(0, 99),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_any_words_of_any_type(lab, dtype, seed, shape) -> None:
    """Bit patterns at random: wherever there are thresholds, numpy counts the same."""
    stored = lab.bits(dtype, (1, *shape), seed)
    x = (
        lab.tile(stored, dtype, whole(shape)).values[0].double().numpy()
    )  # of U64 an ulp from numpy's
    result = lab.take(Beyond(), stored, dtype, cuts=(7, 20))[0]
    finite, mean, std = np.isfinite(x), result.counts.mean, result.counts.std
    varied = (
        result.counts.minimum < result.counts.maximum
    )  # in a constant nothing is beyond, whatever its mean
    if result.beyond is not None and result.counts.n and varied:
        with np.errstate(invalid="ignore", over="ignore"):
            assert result.beyond == tuple(
                int((finite & (np.abs(x - mean) > k * std)).sum()) for k in (3, 4, 5, 6)
            )
    if result.central is not None and result.counts.n:
        with np.errstate(invalid="ignore", over="ignore"):
            far = np.abs(x - median(result.counts)) > 4 * robust_std(result.counts)
        outside = finite & far & varied  # a constant of U64 is an ulp from its count
        assert np.array_equal(result.rows, outside.sum(1))
        assert np.array_equal(result.cols, outside.sum(0))
        assert result.central.n == result.counts.n - outside.sum()


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("dtype", ["F32", "F64", "BF16", "I32", "U32"])
def test_large_tensors_equal_numpy(lab, ground, dtype) -> None:
    """More elements than are counted by value, float32 and integers in bins among them."""
    x = GROUNDS[ground](np.random.default_rng(14), (1, *LARGE))
    if DTYPES[dtype].kind != "float":
        x[0, 9, 9] = 2e5
        x = (
            np.round(1e4 * x)
            if dtype == "I32"
            else np.abs(np.round(1e4 * x)).astype(np.uint32).view(np.int32)
        )
    stored = lab.numbers(dtype, x)
    result = lab.take(Beyond(), stored, dtype, cuts=(64, 128, 200))[0]
    check(result, lab.values(dtype, stored)[0])


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from([np.float32, np.float64]),
    centre=st.floats(-1e30, 1e30) | st.sampled_from([0.0, 1.0, -3.5, 1e-42]),
    reach=st.floats(0, 1e300) | st.sampled_from([0.0, 1.0, 3.5, 0.1, 2.0**-149, 1e39]),
    same=st.booleans(),
)
def test_a_span_ends_where_the_comparison_does(kind, centre, reach, same) -> None:
    """Its ends are not beyond, the next numbers are, even if the edge cancels or overflows."""
    centre = float(kind(centre))
    reach = abs(centre) if same else reach
    low, high = span((centre, reach), kind)
    assert (float(kind(low)), float(kind(high))) == (low, high)
    assert abs(low - centre) <= reach
    assert abs(high - centre) <= reach
    with np.errstate(over="ignore"):
        after = (
            float(np.nextafter(kind(low), kind(-np.inf))),
            float(np.nextafter(kind(high), kind(np.inf))),
        )
    assert all(abs(x - centre) > reach or np.isinf(x) for x in after)


def test_elements_at_a_threshold_are_not_beyond(lab) -> None:
    """Thresholds that are numbers of the type: elements equal to them are not beyond."""
    counts = lab.take(
        Count(), torch.randn(1, *LARGE, generator=torch.Generator().manual_seed(3)), "F32"
    )[0]
    edge, spans = (0.0, 3.0), (span((0.0, 3.0), np.float32),) * 4
    aim = beyond.Aim(counts, 0.0, (edge,) * 4, spans, edge, spans[0])
    state = Beyond().start(1, (1, 4), "F32", "cpu") | {"aims": [aim]}
    shown = torch.tensor([[[3.0, -3.0, 3.0000002384185791, -3.0000002384185791]]])
    result = Beyond().add(state, lab.tile(shown, "F32", whole((1, 4))))
    assert result["beyond"].tolist() == [[2, 2, 2, 2]]
    assert result["cols"].tolist() == [[0, 0, 1, 1]]


def test_values_at_a_threshold_are_not_beyond(lab) -> None:
    """Of exact cells neither: 3 where the std is 1, and 4 robust std from the median."""
    far = np.array([[[3.0, -3.0, *[0.0] * 16]]])
    assert lab.take(Beyond(), lab.numbers("F64", far), "F64")[0].beyond == (0, 0, 0, 0)
    edge = 4 * 2 / 1.349
    for value, many in ((edge, 0), (np.nextafter(edge, 9), 1)):
        shown = np.array([[[*[-1.0] * 100, *[1.0] * 100, *[0.0] * 50, value, -5.0]]])
        result = lab.take(Beyond(), lab.numbers("F64", shown), "F64")[0]
        assert (robust_std(result.counts), median(result.counts)) == (2 / 1.349, 0.0)
        assert (result.central.n, result.rows.tolist()) == (252 - many, [many])


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("huge", [1e4, 1e7])
def test_outliers_of_any_size_do_not_change_the_central_weights(lab, scale, huge) -> None:
    """A few weights with nearly all the energy do not change the std of the central weights."""
    x = np.random.default_rng(13).normal(0, scale, (1, *LARGE))
    calm = lab.take(Beyond(), lab.numbers("F32", x), "F32")[0]
    x[0, 7, ::40] *= huge
    result = lab.take(Beyond(), lab.numbers("F32", x), "F32")[0]
    check(result, lab.values("F32", lab.numbers("F32", x))[0])
    assert result.central.std == pytest.approx(calm.central.std, rel=1e-3)
    assert result.rows.argmax() == 7


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("dtype", FLOATS)
def test_without_a_robust_scale_there_are_no_central_weights(lab, dtype) -> None:
    """Three quarters identical values: counts beyond std exist, central weights are None."""
    for centre in (0.0, 1.0):
        x = np.random.default_rng(14).normal(0, 1, (1, 40, 40)) * (np.arange(40) % 4 == 0) + centre
        result = lab.take(Beyond(), lab.numbers(dtype, x), dtype)[0]
        assert (result.central, result.rows, result.cols) == (None, None, None)
        z = np.abs(lab.values(dtype, lab.numbers(dtype, x)) - result.counts.mean)
        assert result.beyond == tuple(int((z > k * result.counts.std).sum()) for k in (3, 4, 5, 6))


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("value", [0.0, 0.1, np.nan, np.inf])
@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16"])
def test_a_constant_has_no_element_beyond(lab, dtype, value) -> None:
    """All equal or none finite: no element beyond, all finite ones central, and no second pass."""
    stored = lab.numbers(dtype, np.full((1, 6, 5), value))
    measure = Beyond()
    state = measure.add(
        measure.start(1, (6, 5), dtype, "cpu"), lab.tile(stored, dtype, whole((6, 5)))
    )
    record = measure.finish(state)
    assert not isinstance(record, Again)
    assert record[0].beyond == (0, 0, 0, 0)
    assert (record[0].rows.tolist(), record[0].cols.tolist()) == ([0] * 6, [0] * 5)
    assert record[0].central.n == (30 if np.isfinite(value) else 0)
    assert record[0].central.std == 0 or not np.isfinite(value)


def test_the_counts_are_those_of_counting(lab) -> None:
    """The counts equal those of Count, bit for bit, with the position of the first NaN."""
    x = np.random.default_rng(15).normal(0, 1, (2, 50, 60))
    x[1, 4, 9] = np.nan
    for dtype in FLOATS:
        stored = lab.numbers(dtype, x)
        both = zip(lab.take(Beyond(), stored, dtype), lab.take(Count(), stored, dtype), strict=True)
        assert all(lab.plain(a.counts) == lab.plain(b) for a, b in both)


def test_rows_longer_than_float32_counts_are_added_in_float64(lab, monkeypatch) -> None:
    """Sums in float64 for very long rows equal those in float32."""
    stored = torch.randn(1, *LARGE, generator=torch.Generator().manual_seed(2))
    usual = lab.take(Beyond(), stored, "F32")[0]
    monkeypatch.setattr(beyond, "EXACT", 0)
    assert lab.plain(lab.take(Beyond(), stored, "F32")) == lab.plain([usual])


@pytest.mark.parametrize("bad", [1.0, np.nan, np.inf])
def test_far_from_zero_only_the_central_weights_are_none(lab, bad) -> None:
    """Bins wider than the spread resolve mean and std but no quantile; NaN and Inf are excluded."""
    x = np.random.default_rng(18).normal(1e6, 1000, (1, *LARGE))
    x[0, 3, 3:9] = bad * x[0, 3, 3:9]
    stored = lab.numbers("F32", x)
    result, v = lab.take(Beyond(), stored, "F32", cuts=(100,))[0], lab.values("F32", stored)[0]
    with np.errstate(invalid="ignore"):
        apart = np.where(np.isfinite(v), np.abs(v - result.counts.mean), 0.0)
    assert result.beyond == tuple(int((apart > k * result.counts.std).sum()) for k in (3, 4, 5, 6))
    assert result.beyond[0] > 0
    assert (result.central, result.rows, result.cols) == (None, None, None)


def test_spread_beyond_float64_has_no_sigmas(lab) -> None:
    """The square of 1e300 overflows: without std, the counts beyond it are None."""
    x = np.random.default_rng(16).normal(0, 1e300, (1, 30, 30))
    assert lab.take(Beyond(), lab.numbers("F64", x), "F64")[0].beyond is None


def test_numbers_of_several_tensors_add_without_rows_and_columns(lab) -> None:
    """Numbers refer to each tensor's own thresholds; a sum with None is None."""
    rng = np.random.default_rng(17)
    draws = [rng.normal(0, 1, (1, 50, 60)), rng.normal(0, 9, (1, 20, 60)), np.ones((1, 9, 9))]
    each = [lab.take(Beyond(), lab.numbers("F32", x), "F32")[0] for x in draws]
    free = [one.forget() for one in each]
    pooled = free[0] + free[1] + free[2]
    assert (pooled.rows, pooled.cols) == (None, None)
    assert pooled.beyond == tuple(
        sum(numbers) for numbers in zip(*(one.beyond for one in each), strict=True)
    )
    assert pooled.central.n == sum(one.central.n for one in each)
    assert pooled.counts.n == sum(x.size for x in draws)
    reach = [4 * robust_std(one.counts) for one in each]
    central = np.concatenate(
        [x[np.abs(x - np.median(x)) <= r] for x, r in zip(draws, reach, strict=True)]
    )
    assert pooled.central.std == pytest.approx(central.std(), rel=1e-6)
    sparse = lab.take(Beyond(), lab.numbers("F32", draws[0] * (np.arange(60) % 4 == 0)), "F32")[0]
    assert (pooled + sparse.forget()).central is None
    assert (pooled + sparse.forget()).beyond is not None
    assert free[0].counts.first_nonfinite is None
    assert isinstance(free[0].counts, ValueCounts)
