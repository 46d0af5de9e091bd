"""Lattices are detected where they were constructed, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.statistics.elements.lattice import lattice

RNG = np.random.default_rng(0)


def stored(values, dtype: torch.dtype) -> np.ndarray:
    """What a type keeps of the values."""
    return torch.from_numpy(np.asarray(values, np.float64)).to(dtype).double().numpy()


@pytest.mark.parametrize(
    ("values", "dtype", "name"),
    [
        (RNG.integers(-127, 128, 60_000) * 0.013, "F32", "step 0.013"),
        (RNG.integers(-7, 8, 5000) * 0.25, "BF16", "step 0.25"),
        (RNG.choice(RNG.normal(size=16), 6000), "F32", "codebook 16"),
        (RNG.choice([-1.0, 0.0, 1.0], 6000), "F16", "codebook 3"),
        (
            RNG.choice(
                [s * (2.0**a + 2.0**b) for s in (-1, 1) for a in range(4) for b in (-9, -6, -3)],
                9000,
            ),
            "F32",
            "two powers",
        ),
    ],
)
def test_constructed_lattices_are_detected(counts_of, values, dtype, name) -> None:
    """Steps, codebooks and sums of two powers, in the type that holds them."""
    torch_type = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}[dtype]
    assert lattice(replace(counts_of(stored(values, torch_type)), coarse=False), dtype) == name


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (RNG.normal(0, 0.02, 60_000), "BF16"),
        (RNG.normal(0, 0.02, 60_000), "F32"),
        (
            1 + 0.05 * RNG.normal(size=8192),
            "BF16",
        ),  # gains near 1: few values, all that the type has
        (RNG.uniform(0.5, 1, 8192), "BF16"),  # one binade: the type's own step
        ([0.5] * 5000, "F32"),
        (RNG.choice([1.0, 2.0], 100), "F32"),
        (RNG.integers(-200, 200, 5000) * 0.25, "F32"),  # 12 weights to a value
        (
            RNG.choice(RNG.normal(size=300), 9000),
            "F32",
        ),  # no step, and more values than a codebook has
        ([], "F32"),
    ],
)
def test_ordinary_values_are_on_no_lattice(counts_of, values, dtype) -> None:
    """A type's own grid, a constant, few weights."""
    torch_type = {"F32": torch.float32, "BF16": torch.bfloat16}[dtype]
    assert lattice(replace(counts_of(stored(values, torch_type)), coarse=False), dtype) is None


def test_narrow_and_whole_types_are_lattices_by_themselves(counts_of) -> None:
    """Their lattice has no other cause than the type."""
    assert lattice(counts_of(RNG.integers(-7, 8, 5000).astype(float)), "I8") is None
    assert lattice(counts_of(RNG.integers(-7, 8, 5000) * 0.25), "F8_E4M3") is None


def test_a_narrow_type_stored_wide_shows_in_its_lower_halves(counts_of) -> None:
    """But a few values are the same in any type."""
    many, few = (
        counts_of(stored(RNG.normal(size=5000), torch.bfloat16)),
        counts_of([0.0, 1.0, 2.0] * 2000),
    )
    assert lattice(replace(many, coarse=True), "F32") == "bf16"
    assert lattice(replace(few, coarse=True), "F32") == "codebook 3"


@pytest.mark.parametrize("values", [[1e-308, 1e-160, 1e308], [-1e308, 0.0, 1e308]])
def test_values_of_all_sizes_have_no_step(values) -> None:
    """Their span over their least distance is beyond float64."""
    weights = torch.from_numpy(np.resize(values, (90, 100)))
    (row,) = ws.outliers({"w": weights}, panels=False).rows
    assert row["lattice"] == "codebook 3"
