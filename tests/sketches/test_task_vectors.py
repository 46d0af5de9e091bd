"""Products, co-moments and signs of several vectors against numpy in extended precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.plain import plain
from tests.sketches.vectors import f64, measured, products, turned
from weightscope.checkpoints import Stored
from weightscope.checkpoints.views import Difference
from weightscope.engine import Device, Executor, Meter, Unit, device
from weightscope.sketches import Pairwise, TaskVectors, VectorProducts, chunks

TYPES = ["F64", "F32", "BF16", "F16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ"]
SHAPE = (23, 31)


def oracle(arrays):
    """All fields from long doubles, of elements that are finite in every array."""
    x = np.stack([array.ravel() for array in arrays]).astype(np.longdouble)
    finite = np.isfinite(x).all(0)
    x = x[:, finite]
    signs = np.sign(x)
    apart = x - x.mean(1, keepdims=True)
    return {
        "n": x.shape[1],
        "left_out": int((~finite).sum()),
        "sums": x.sum(1),
        "gram": x @ x.T,
        "moments": apart @ apart.T,
        "agree": ((signs[:, None] == signs[None]) & (signs[:, None] != 0)).sum(-1),
        "both": ((signs[:, None] != 0) & (signs[None] != 0)).sum(-1),
    }


def check(record, arrays, near=1e-13):
    """A record is that of the arrays: numbers of elements exactly, sums to their rounding."""
    expected = oracle(arrays)
    for name in ("n", "left_out"):
        assert getattr(record, name) == expected[name], name
    for name in ("agree", "both"):
        found = getattr(record, name)
        assert found.dtype == np.int64
        assert np.array_equal(found, expected[name]), name
    for name in ("gram", "moments"):
        size = np.sqrt(np.diagonal(expected[name]))
        error = np.abs(getattr(record, name) - expected[name])
        assert (error <= near * np.outer(size, size)).all(), name
        assert np.array_equal(getattr(record, name), getattr(record, name).T), name
    size = np.sqrt(np.diagonal(expected["gram"]) * expected["n"])
    assert (np.abs(record.sums - expected["sums"]) <= near * size).all()


def vectors(lab, types, seed=0, shape=SHAPE, stack=1):
    """Vectors with a common part, zeros, NaN and Inf, and their values."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(stack, *shape))
    several = []
    for i, dtype in enumerate(types):
        x = common * rng.choice([-1, 1]) + 0.3 * i * rng.normal(size=(stack, *shape)) + 0.01 * i
        x[rng.random(x.shape) < 0.1] = 0
        x[rng.random(x.shape) < 0.01] = np.nan
        x[rng.random(x.shape) < 0.01] = np.inf
        several.append((lab.numbers(dtype, x), dtype))
    return several


def values(lab, several, i=0):
    return [lab.values(dtype, stored)[i] for stored, dtype in several]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_every_field_is_that_of_numpy(lab, dtype, k):
    """One type, and every type beside the others; zeros, NaN and Inf included."""
    start = TYPES.index(dtype)
    mixed = [TYPES[(start + 3 * i) % len(TYPES)] for i in range(k)]
    for types in ([dtype] * k, mixed):
        several = vectors(lab, types, k)
        check(measured(TaskVectors, several)[0], values(lab, several))


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("layout", [(0, 0, 0), (1, 1, 1), (0, 1, 0), (1, 0, 1)])
def test_tiles_and_layouts_do_not_matter(lab, axis, layout):
    """Row tiles and column tiles, folded in a row and merged, of transposed entries or not."""
    several = vectors(lab, ["F32", "BF16", "F64"], 5)
    expected = values(lab, several)
    for merged in (False, True):
        found = measured(TaskVectors, turned(several, layout), axis, (8, 16), merged)
        check(found[0], expected)


def test_chunks_do_not_matter(lab, monkeypatch):
    """Sums of chunks of 16 elements are those of the whole, to their rounding."""
    monkeypatch.setattr(chunks, "CHUNK", 48)
    several = vectors(lab, ["F32", "F16", "F64"], 6, stack=2)
    for i, record in enumerate(measured(TaskVectors, several, 0, (9,))):
        check(record, values(lab, several, i))


def test_tensors_add_to_their_concatenation():
    """Records of several tensors of other sizes and means are that of all elements."""
    rng = np.random.default_rng(7)
    tensors = []
    for shape, mean in (((7, 9), 0), ((1, 40), 5), ((20, 3), -1), ((1, 1), 2)):
        tensors.append(mean + rng.normal(size=(3, *shape)))
    tensors[1][0, 0, 3] = np.nan
    total = VectorProducts.none(3)
    for tensor in tensors:
        total = total + products(*tensor).forget()
    check(total, [np.concatenate([t[i].ravel() for t in tensors]) for i in range(3)])
    assert plain(total + VectorProducts.none(3)) == plain(VectorProducts.none(3) + total)


@pytest.mark.parametrize("base", [0, 1e6, -1e12, 1e15, 2.0**53])
def test_small_noise_beside_a_large_mean_keeps_its_digits(base, monkeypatch):
    """In one chunk and in several: co-moments are those of the noise alone."""
    noise = 2 * np.random.default_rng(8).normal(1, 8, (3, 40, 50)).round()
    noise[1] += noise[0]
    for size in (chunks.CHUNK, 3 * 256):
        monkeypatch.setattr(chunks, "CHUNK", size)
        found = products(*(base + noise))
        expected = oracle(noise)["moments"].astype(float)
        np.testing.assert_allclose(found.moments, expected, rtol=1e-11, atol=1e-11 * expected.max())


@pytest.mark.parametrize("value", [0.1, 1e15 / 3, -2.5e-30])
def test_constants_have_no_deviation(value, monkeypatch):
    """Deviations from a rounded mean are whole units of its rounding, so sums of them are exact."""
    for size in (chunks.CHUNK, 3 * 256):
        monkeypatch.setattr(chunks, "CHUNK", size)
        found = products(np.full((97, 101), value), np.full((97, 101), 3 * value))
        assert not found.moments.any()
        assert found.means.tolist() == [value, 3 * value]


def test_numbers_below_float32_have_a_sign():
    """1e-60 is not 0, though its square underflows."""
    x = np.array([1e-60, -1e-60, 1.0, 0.0, 1e-320])
    found = products(x, -x)
    assert np.array_equal(found.both, np.full((2, 2), 4))
    assert np.array_equal(found.agree, [[4, 0], [0, 4]])


def test_squares_that_overflow_are_no_error():
    """Elements above 1e154 are finite: they are counted, and products are not."""
    found = products(np.full((3, 4), 1e300), np.full((3, 4), -1e308), np.ones((3, 4)))
    assert (found.n, found.left_out) == (12, 0)
    assert not np.isfinite(np.diagonal(found.gram)[:2]).any()
    assert np.array_equal(found.agree, 12 * np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]]))


def test_nothing_finite_is_nothing():
    """NaN in one vector leaves an element out of all; an empty tensor has none."""
    found = products(np.full((2, 3), np.nan), np.ones((2, 3)))
    assert (found.n, found.left_out, found.both.sum()) == (0, 6, 0)
    empty = (torch.zeros(1, 0, 4), "F32")
    assert plain(measured(TaskVectors, [empty, empty])[0]) == plain(VectorProducts.none(2))


def test_two_vectors_have_the_moments_of_a_pair():
    """`Pairwise` of A and B gives the same products."""
    a, b = np.random.default_rng(9).normal(0.3, 1, (2, 1, 30, 40))
    (pair,) = measured(lambda others: Pairwise(*others), [f64(b), f64(a)])
    found = products(b, a)
    assert found.gram[0, 1] == pytest.approx(pair.ab, rel=1e-13)
    assert found.moments[0, 1] == pytest.approx(pair.s_ab, rel=1e-13)
    assert found.gram[0, 0] == pytest.approx(pair.bb, rel=1e-13)


def test_the_engine_gives_deltas_for_any_number_of_workers(monkeypatch):
    """Differences from one base in a unit: the numbers of one worker and of two, bit for bit."""
    monkeypatch.setattr(device, "TILE", 512)
    monkeypatch.setattr(device, "SEGMENT", 2048)
    rng = np.random.default_rng(10)
    arrays = [rng.normal(size=(120, 80)).astype(np.float32) for _ in range(4)]
    base, *sources = (
        Stored("w", a.shape, "F32", strides=(80, 1), tensor=torch.from_numpy(a)) for a in arrays
    )
    entries = {f"d{i}": Difference(base, source) for i, source in enumerate(sources)}
    measure = TaskVectors(("d1", "d2"))
    unit = Unit(None, entries, {"d0": frozenset({measure})}, {"d0": measure.others})
    found = []
    for workers in (1, 2):
        executor = Executor(Device("cpu", 1 << 30, workers, "test"), Meter())
        (result,) = executor([unit], lambda measured: {})
        found.append(result.sketches["d0"][measure])
    assert plain(found[0]) == plain(found[1])
    check(found[0], [(a - arrays[0]).astype(float) for a in arrays[1:]])
