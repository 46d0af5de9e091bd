"""Every measure on every type: nothing that CUDA refuses, few waits, the numbers of the CPU."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from inspect import isclass

import numpy as np
import pytest
import torch

from tests.device.cases import (
    LARGE,
    PAIRED,
    PLAIN,
    SHAPE,
    WRAPPING,
    of_large_matrices,
    of_measures,
    of_one_entry,
    of_several_entries,
)
from tests.device.pretended import Log
from tests.device.taking import differences, on_cpu, on_device, stack_of
from weightscope import sketches
from weightscope.sketches import Balanced, Beyond, Count, Pairwise, Shuffled, balanced, few_values

# Waits of the host for one tile of a stack, most: of NaN and zeros, of any type.
WAITS = {
    "Count": 3,
    "MarginSums": 4,
    "Beyond": 7,
    "Decompose": 3,
    "Factor": 2,
    "Groups": 1,
    "Hashes": 1,
    "Quantise": 3,
    "Top": 2,
    "Duplicates": 5,
    "Untrained": 1,
    "Kept": 1,
    "RowPairs": 1,
    "AbsoluteSums": 1,
    "Pairwise": 1,
    "Changes": 2,
    "RowSample": 2,
    "TopChanges": 1,
    "TaskVectors": 1,
    "SharedOutliers": 8,
    "Overlap": 5,
    "Cross": 4,
}
# of them all: the others search matrix by matrix where a matrix is unusual
TOGETHER = ("Count", "MarginSums", "Beyond", "Decompose", "Factor", "Groups", "Hashes", "Top")
WRAPPERS = {"Balanced", "Shuffled"}  # their bounds follow from those of what they wrap
OF_A_SWEEP = 1
OF_BINS = 3  # of large matrices, which have no table of all values
OF_A_LATTICE = 8  # for each matrix of few values in a tile
OF_QUARTILES = 6  # of the look for them
SWEEPS = 3


def bound(measure) -> int:
    """The most waits of a measure, those of wrapped ones included."""
    if isinstance(measure, Balanced):
        logarithms = 2
        return SWEEPS * OF_A_SWEEP + logarithms + sum(bound(inner) for inner in measure.of)
    if isinstance(measure, Shuffled):
        return 1 + bound(measure.of)
    return WAITS[type(measure).__name__]


def check(measure, stacks) -> None:
    """The same on both, with few waits."""
    log = Log()
    there = on_device(measure, stacks, log)
    assert log.refused == []
    assert log.waited <= bound(measure), log.waits
    assert differences(on_cpu(measure, stacks), there) == []


def test_every_measure_has_a_bound() -> None:
    """Whatever a command may ask for: all measures of the package, with a case of each."""
    found = {
        name
        for module in pkgutil.iter_modules(sketches.__path__, "weightscope.sketches.")
        for name, one in vars(import_module(module.name)).items()
        if isclass(one) and hasattr(one, "finish") and one is not sketches.Measure
    }
    assert found == WAITS.keys() | WRAPPERS
    assert found == {type(measure).__name__ for measure in (*PLAIN, *WRAPPING, *PAIRED)}


@pytest.mark.parametrize("measure", PLAIN, ids=repr)
@pytest.mark.parametrize("turned", [False, True], ids=["rows", "columns"])
def test_measures_of_one_entry(measure, turned) -> None:
    """Ordinary numbers, NaN and Inf, and zeros of every type, row-major and column-major."""
    for stacks in of_one_entry(measure, turned):
        check(measure, stacks)


@pytest.mark.parametrize("measure", WRAPPING, ids=repr)
def test_measures_of_measures(measure, monkeypatch) -> None:
    """They hand on one type, so few types suffice."""
    monkeypatch.setattr(balanced, "SWEEPS", SWEEPS)
    for stacks in of_measures(measure):
        check(measure, stacks)


@pytest.mark.parametrize("measure", PAIRED, ids=repr)
def test_measures_of_several_entries(measure) -> None:
    """Of one type and of two, in one layout and in two."""
    for stacks in of_several_entries(measure):
        check(measure, stacks)


@pytest.mark.parametrize("measure", [Count(), Beyond()], ids=repr)
def test_bins_of_large_matrices(measure) -> None:
    """Wide types with NaN, Inf, subnormals, few values, and lower halves that are zero."""
    for stacks in of_large_matrices(measure):
        check_large(measure, stacks)


def check_large(measure, stacks) -> None:
    """The same on both; a matrix of few values is searched for them with waits of its own."""
    log = Log()
    there = on_device(measure, stacks, log)
    assert log.refused == []
    lattices = sum(len(matrix.unique()) <= few_values.FEW for matrix in stacks["b"][0])
    most = bound(measure) + OF_BINS + OF_A_LATTICE * lattices
    if isinstance(measure, Beyond):
        most += OF_QUARTILES
    assert log.waited <= most, log.waits
    assert differences(on_cpu(measure, stacks), there) == []


@pytest.mark.parametrize("measure", [m for m in PLAIN if type(m).__name__ in TOGETHER], ids=repr)
def test_a_stack_has_the_waits_of_one_matrix(measure) -> None:
    """No loop over its matrices asks for a number."""
    shape = LARGE if isinstance(measure, Count | Beyond) else SHAPE
    stored, dtype = stack_of("F32", shape)
    stored[1:] = stored[0]
    waits = []
    for stack in (stored[:1], stored):
        log = Log()
        on_device(measure, {"b": (stack, dtype)}, log)
        waits.append(log.waited)
    assert waits[0] == waits[1]


@pytest.mark.parametrize("scale", [0.02, 30.0])
def test_pairs_keep_their_digits_beside_large_means(scale) -> None:
    """Small changes of numbers near 1e6, and of such whose B is small beside A, to nine digits."""
    rng = np.random.default_rng(0)
    a = 1e6 + rng.normal(size=(2, *SHAPE))
    b = a - 1e6 * (scale < 1) + scale * rng.normal(size=a.shape)
    a[1, 0, :2] = b[1, 1, :3] = np.nan
    stacks = {name: (torch.from_numpy(x), "F64") for name, x in (("a", a), ("b", b))}
    log = Log()
    for i, there in enumerate(on_device(Pairwise(), stacks, log)):
        finite = np.isfinite(a[i]) & np.isfinite(b[i])
        x, y = a[i][finite].astype(np.longdouble), b[i][finite].astype(np.longdouble)
        d = y - x
        assert (there.n, there.left_out, there.one_sided) == (x.size, 5 * i, 5 * i)
        for name, values in (("a", x), ("d", d), ("b", y)):
            exact = values.mean()
            found = np.longdouble(getattr(there, f"mean_{name}")) + getattr(there, f"low_{name}")
            assert abs(found - exact) < 1e-11 * max(abs(exact), 1e-3)
        for name, (v, w) in {
            "aa": (x, x),
            "ad": (x, d),
            "dd": (d, d),
            "ab": (x, y),
            "bb": (y, y),
        }.items():
            v, w = v - v.mean(), w - w.mean()
            size = float(np.sqrt((v * v).sum() * (w * w).sum()))
            found = getattr(there, f"s_{name}")
            assert abs(found - float((v * w).sum())) < 1e-9 * size, name
    assert log.waited == 1


def test_balancing_ends_as_on_the_cpu() -> None:
    """All sweeps of matrices that need different numbers of them, and of one that has none."""
    stored, dtype = stack_of("F32", SHAPE, seed=4)
    stored[1] = stored[0].triu()
    measure = Balanced((Count(),))
    log = Log()
    there = on_device(measure, {"b": (stored, dtype)}, log)
    sketches = on_cpu(measure, {"b": (stored, dtype)})
    assert [one.exists for one in sketches] == [True, True, False]
    assert differences(sketches, there) == []
    most = max(one.sweeps for one in there)
    assert log.waited <= most + 2 + bound(Count()) + 1
