"""Planted changes of low rank, and changes of trainings and roundings, which have none."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from weightscope.sketches import SampledRows
from weightscope.statistics.pairs import labels
from weightscope.statistics.pairs.low_rank import FEWEST, is_low_rank

SHAPES = [(128, 96), (96, 160)]


def verdict(pairs, a, of_a, b, of_b):
    """Of stored words."""
    (found,) = verdicts(pairs, (a, of_a, b, of_b))
    return found


def verdicts(pairs, *cases):
    """Of several pairs, each stored A, its type, stored B, its type."""
    measured = pairs.measure(cases, {labels.SAMPLE})
    return [is_low_rank(sketches[labels.SAMPLE]) for sketches in measured]


def base(shape, seed: int) -> np.ndarray:
    """Weights of std 0.02."""
    return 0.02 * np.random.default_rng(seed).normal(size=shape)


def change(shape, rank: int, relative: float, seed: int) -> np.ndarray:
    """A product of factors, as large as `relative` of the weights."""
    rng = np.random.default_rng(seed + 1)
    d = rng.normal(size=(shape[0], rank)) @ rng.normal(size=(rank, shape[1]))
    return d * (0.02 * relative / d.std())


def decaying(shape, exponent: float, relative: float, seed: int) -> np.ndarray:
    """A change whose singular values fall as a power of their number, as those of SGD do."""
    rng = np.random.default_rng(seed + 2)
    u, _, vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    s = np.arange(1, len(vt) + 1) ** -exponent
    d = u * s @ vt
    return d * (0.02 * relative / d.std())


@pytest.mark.parametrize("rank", [1, 4, 16, 32])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("of_a", "of_b", "least"),
    [("F32", "F32", 1e-4), ("BF16", "BF16", 0.01), ("F32", "BF16", 0.01), ("F16", "F16", 1e-3)],
)
def test_a_merged_adapter_is_low_rank(pairs, rank, shape, of_a, of_b, least) -> None:
    """Up to half of the sampled rows, although merging rounds each element."""
    relatives, cases = (0.5, 0.1, least), []
    for seed, relative in enumerate(relatives):
        a = pairs.stored(base(shape, seed), of_a)
        merged = pairs.values(a, of_a) + change(shape, rank, relative, seed)
        cases.append((a, of_a, pairs.stored(merged, of_b), of_b))
    for relative, found in zip(relatives, verdicts(pairs, *cases), strict=True):
        if relative == 1e-4 or relative > least or rank <= 4:
            assert found is True, relative
        else:  # the smallest of many values come near rounding
            assert found is not False, relative


@pytest.mark.parametrize("dtype", ["F64", "F32", "BF16", "F16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_full_change_is_not_low_rank(pairs, dtype, shape) -> None:
    """Fine-tunes of any size, down to what rounding hides."""
    relatives, cases = (1.0, 0.1, 1e-2, 1e-3, 1e-4), []
    for seed, relative in enumerate(relatives):
        a = pairs.stored(base(shape, seed), dtype)
        b = pairs.values(a, dtype) + base(shape, seed + 50) * relative
        cases.append((a, dtype, pairs.stored(b, dtype), dtype))
    for relative, found in zip(relatives, verdicts(pairs, *cases), strict=True):
        assert found is not True, relative
        if relative >= 0.1:
            assert found is False, relative


@pytest.mark.parametrize(
    ("dtype", "exponent", "relatives"),
    [
        ("BF16", 0.5, (0.5, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3)),
        ("BF16", 0.75, (0.5, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3)),
        ("BF16", 1.0, (0.5, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3)),
        ("BF16", 1.25, (0.5, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3)),
        ("BF16", 1.5, (0.5, 0.1, 0.05, 0.02, 0.01, 5e-3, 1e-3)),
        ("F16", 1.5, (0.5, 0.1, 0.05, 0.02)),
        ("F16", 2.0, (0.5, 0.1, 0.05, 0.03, 0.02, 0.01)),
        ("F32", 1.0, (0.5, 0.1, 1e-2, 1e-4, 1e-6)),
        ("F32", 2.0, (0.5, 0.1, 1e-2)),
        ("F32", 3.0, (0.5, 0.1, 1e-2)),
    ],
)
def test_a_decaying_spectrum_is_not_low_rank(pairs, dtype, exponent, relatives) -> None:
    """Singular values of a training fall as a power law, and their tail lies above rounding."""
    cases = []
    for seed, relative in enumerate(relatives):
        shape = SHAPES[seed % 2]
        a = pairs.stored(base(shape, seed), dtype)
        b = pairs.values(a, dtype) + decaying(shape, exponent, relative, seed)
        cases.append((a, dtype, pairs.stored(b, dtype), dtype))
    for relative, found in zip(relatives, verdicts(pairs, *cases), strict=True):
        assert found is not True, relative


@pytest.mark.parametrize("of_a", ["F64", "F32"])
@pytest.mark.parametrize("of_b", ["BF16", "F16", "F8_E4M3", "F8_E5M2"])
def test_pure_rounding_is_not_low_rank(pairs, of_a, of_b) -> None:
    """A cast, stored in the narrow type or widened again, has no rank."""
    for seed, shape in enumerate(SHAPES):
        a = pairs.stored(base(shape, seed), of_a)
        b = pairs.stored(pairs.values(a, of_a), of_b)
        assert verdict(pairs, a, of_a, b, of_b) is not True
        assert verdict(pairs, b, of_b, a, of_a) is not True
        widened = pairs.stored(pairs.values(b, of_b), of_a)
        assert verdict(pairs, a, of_a, widened, of_a) is not True


@pytest.mark.parametrize("shape", [(64, 27), (300, 32), (27, 300), (64, 20), (2000, 40)])
def test_a_full_change_of_a_narrow_matrix_is_not_low_rank(pairs, shape) -> None:
    """The rank of 64 x 27 is at most 27, whatever changed: fewer columns than sampled rows."""
    a = pairs.stored(base(shape, 0), "F32")
    b = pairs.stored(pairs.values(a, "F32") + 0.1 * base(shape, 1), "F32")
    assert verdict(pairs, a, "F32", b, "F32") is False
    b = pairs.stored(pairs.values(a, "F32") + change(shape, 4, 0.1, 0), "F32")
    assert verdict(pairs, a, "F32", b, "F32") is True


def test_changed_rows_are_not_low_rank(pairs) -> None:
    """New rows of a table, or new columns of a matrix, are no merged adapter."""
    a = base((200, 96), 0)
    for box in ((slice(0, 200, 4), slice(None)), (slice(None), slice(30))):
        b = a.copy()
        b[box] = base((200, 96), 1)[box]
        found = verdict(pairs, pairs.stored(a, "F32"), "F32", pairs.stored(b, "F32"), "F32")
        assert found is not True


def test_of_an_unchanged_matrix_there_is_no_verdict(pairs) -> None:
    """None; also of fewer rows than a low rank takes to mean something."""
    a = pairs.stored(base((40, 30), 0), "F32")
    assert verdict(pairs, a, "F32", a.clone(), "F32") is None
    few = pairs.stored(base((FEWEST - 1, 30), 0), "F32")
    assert verdict(pairs, few, "F32", few + torch.outer(few[:, 0], few[0]), "F32") is None


def test_nan_and_huge_weights_end_no_verdict(pairs) -> None:
    """Elements without a difference count as unchanged; squares may overflow."""
    a = base((40, 30), 0)
    b = a + change((40, 30), 2, 0.5, 0)
    a[3, 3] = np.nan
    assert verdict(pairs, torch.from_numpy(a), "F64", torch.from_numpy(b), "F64") in (True, False)
    b = base((40, 30), 1)
    for size in (1e200, 1e-200):
        found = verdict(pairs, torch.from_numpy(size * a), "F64", torch.from_numpy(size * b), "F64")
        assert found is False


def test_a_gap_above_rounding_decides() -> None:
    """Four times its largest value; at most half of the values; the edge is that of noise."""
    width, rounding = 128, 32.0
    edge = 2 * rounding / 32 * (1 + np.sqrt(32 / width)) ** 2
    below = np.full(31, 0.9 * edge)
    assert is_low_rank(SampledRows(np.array([4.1 * edge, *below]), rounding, width)) is True
    assert is_low_rank(SampledRows(np.array([3.9 * edge, *below]), rounding, width)) is None
    assert is_low_rank(SampledRows(below[:20], 20.0, width)) is None  # nothing but rounding
    half = np.array([5 * edge] * 16 + [0.9 * edge] * 16)
    assert is_low_rank(SampledRows(half, rounding, width)) is True
    more = np.array([5 * edge] * 17 + [0.9 * edge] * 15)
    assert is_low_rank(SampledRows(more, rounding, width)) is False


def test_rounding_alone_stays_below_the_edge(pairs) -> None:
    """The largest squared singular value of casts is at most twice the edge of noise."""
    for seed, shape in enumerate(SHAPES * 3):
        a = pairs.stored(base(shape, seed), "F32")
        b = pairs.stored(pairs.values(a, "F32"), "BF16")
        (sketches,) = pairs.measure([(a, "F32", b, "BF16")], {labels.SAMPLE})
        sample = sketches[labels.SAMPLE]
        count = len(sample.energies)
        edge = sample.rounding / count * (1 + np.sqrt(count / sample.width)) ** 2
        assert sample.energies[0] < 2 * edge
