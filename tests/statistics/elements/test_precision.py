"""The format from which a tensor was upcast, on weights that a quantiser has rounded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.rates.precision import history
from tests.rates.quantisers import QUANTISERS, drawn
from weightscope.sketches import PairedRows, ValueCounts
from weightscope.statistics.elements.precision import precision_history

SHAPE = (64, 256)


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
@pytest.mark.parametrize("name", [name for name in QUANTISERS if name not in ("F16", "BF16")])
def test_a_quantiser_is_named(name, dtype):
    """By its grid and by the weights that share a scale, also where they were rounded again."""
    expected, quantise = QUANTISERS[name]
    assert history(quantise(drawn("gaussian", SHAPE, 3)), dtype) == expected


@pytest.mark.parametrize("name", ["F16", "BF16"])
def test_a_type_is_named(name):
    """Where float32 holds values of a narrower type alone; F16 only in float32."""
    w = QUANTISERS[name][1](drawn("gaussian", SHAPE, 4))
    assert history(w, "F32") == name
    w[0, 0] = 0.1
    assert history(w, "F32") is None


@pytest.mark.parametrize("dtype", ["F32", "BF16", "F16"])
@pytest.mark.parametrize("law", ["gaussian", "t3", "uniform", "rows"])
def test_ordinary_weights_have_no_history(law, dtype):
    """In any stored type."""
    assert history(drawn(law, SHAPE, 5), dtype) is None


@pytest.mark.parametrize("seed", range(4))
def test_scales_that_are_multiples_of_one_are_no_int8(seed):
    """FP4 in groups of 16 whose scales have 4 bits: those of a row are multiples of one step."""
    r = np.random.default_rng(seed)
    scales = r.integers(8, 16, (64, 6, 1)) * r.uniform(0.1, 1, (64, 1, 1))
    numbers = r.choice([0, 0.5, 1, 1.5, 2, 3, 4], (64, 6, 16)) * r.choice([-1, 1], (64, 6, 16))
    numbers[:, :, 5] = 6
    w = torch.tensor((scales * numbers).reshape(64, 96))
    assert history(w, "BF16") == "fp4_e2m1 g16"


def test_zeros_are_no_evidence():
    """Weights that are zero or of one size are on any grid."""
    signs = drawn("gaussian", SHAPE, 6).sign()
    assert history(0.3 * signs, "F32") is None
    pruned = drawn("gaussian", SHAPE, 7)
    pruned[pruned.abs() < 0.03] = 0
    assert history(pruned, "BF16") is None


def test_a_quantised_half_is_not_named():
    """Nearly all groups must be on their grids."""
    w = drawn("gaussian", SHAPE, 8)
    w[::2] = QUANTISERS["int4 g32"][1](w[::2].contiguous())
    assert history(w, "F32") is None


def test_rows_with_nan_are_left_out():
    """The others show the grid."""
    w = QUANTISERS["int4 g64"][1](drawn("gaussian", SHAPE, 9))
    w[3, 5], w[9, 0] = float("nan"), float("inf")
    assert history(w, "F32") == "int4 g64"


@pytest.mark.parametrize("dtype", ["F32", "I8", "F8_E4M3"])
def test_nothing_has_no_history(dtype):
    """Without weights, and in types that are narrow themselves."""
    empty = PairedRows(np.zeros((0, 0)))
    assert precision_history(ValueCounts(), empty, dtype) is None


def test_float64_from_float32():
    """A type of 64 bits has a history too."""
    w = torch.randn(SHAPE, generator=torch.Generator().manual_seed(1))
    assert history(w, "F64") == "F32"
