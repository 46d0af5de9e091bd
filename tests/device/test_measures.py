"""Every measure on every type: nothing that CUDA refuses, few waits, the numbers of the CPU."""

from __future__ import annotations

from importlib import import_module
from inspect import isclass
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

import weightscope
from tests.device.bounds import (
    COPIES,
    OF_BINS,
    OF_QUARTILES,
    WAITS,
    WRAPPERS,
    bound,
    most_copies,
)
from tests.device.cases import (
    ALL,
    LAYOUTS,
    PAIRED,
    SHAPE,
    TYPES,
    of_large_matrices,
    of_other_types,
    of_table,
)
from tests.device.pretended import Log
from tests.device.taking import differences, on_cpu, on_device, stack_of
from tests.sketches import conftest as lab
from weightscope.sketches import Balanced, Beyond, Count, Measure, Pairwise, TopChanges, balanced

HOUSE = Path(weightscope.__file__).parent
SWEEPS = 2


@pytest.fixture
def few_sweeps(monkeypatch) -> None:
    """Of matrices that would take two hundred."""
    monkeypatch.setattr(balanced, "SWEEPS", SWEEPS)


def check(measure, stacks) -> None:
    """The same on both, with few waits, and nothing from memory that is not pinned."""
    log = Log()
    there = on_device(measure, stacks, log)
    assert log.refused == []
    assert log.waited <= bound(measure, log.passes), log.waits
    assert log.uploaded == 0, log.uploads
    assert log.copied <= most_copies(measure, log.passes), log.copies
    assert differences(on_cpu(measure, stacks), there) == []


def measures_of_the_package() -> set[str]:
    """Names of the classes with `start` and `finish`, wherever they are."""
    found = set()
    for path in HOUSE.rglob("*.py"):
        if "def finish(" not in path.read_text(encoding="utf-8"):
            continue
        module = import_module(".".join(path.relative_to(HOUSE.parent).with_suffix("").parts))
        for one in vars(module).values():
            if isclass(one) and hasattr(one, "start") and hasattr(one, "finish"):
                found.add(one.__name__)
    return found - {Measure.__name__}


def test_every_measure_is_in_the_table() -> None:
    """Whatever a command may ask for has a case and bounds."""
    found = measures_of_the_package()
    assert found == {type(measure).__name__ for measure in ALL}
    assert found == WAITS.keys() | WRAPPERS
    assert found >= COPIES.keys()


def test_every_measure_has_every_type_layout_and_kind() -> None:
    """Plain numbers, NaN and Inf where the type has them, and zeros, in rows and in columns."""
    for measure in ALL:
        seen = set()
        for turned in LAYOUTS.values():
            for stacks in of_table(measure, turned):
                stored, dtype = stacks["b"]
                main, _ = stacks["delta" if isinstance(measure, TopChanges) else "b"]
                assert (main.stride(-1) == 1) != turned
                plain, odd, zero = stored
                assert np.isfinite(lab.values(dtype, plain)).any()
                assert np.isfinite(lab.values(dtype, odd)).all() == (not can_be_nan(dtype))
                assert not zero.any()
                seen.add((dtype, turned))
        assert seen == set(product(TYPES, LAYOUTS.values())), measure


def can_be_nan(dtype: str) -> bool:
    """Floating types, apart from that of 4 bits."""
    return dtype.startswith(("F", "BF")) and dtype != "F4"


@pytest.mark.parametrize("measure", ALL, ids=repr)
@pytest.mark.parametrize("turned", LAYOUTS.values(), ids=LAYOUTS)
def test_measures_are_those_of_the_cpu(measure, turned, few_sweeps) -> None:
    """Every type row-major, every second one column-major: numbers, NaN and Inf, and zeros.

    No code for a layout is for a type. Half of the measures have the one half of the types.
    """
    half = ALL.index(measure) % 2
    for i, stacks in enumerate(of_table(measure, turned)):
        if not turned or i % 2 == half:
            check(measure, stacks)


@pytest.mark.parametrize("measure", PAIRED, ids=repr)
def test_measures_of_two_types(measure) -> None:
    """A and B of two types, in one layout and in two."""
    for stacks in of_other_types(measure):
        check(measure, stacks)


@pytest.mark.parametrize("measure", [Count(), Beyond()], ids=repr)
def test_bins_of_large_matrices(measure) -> None:
    """Wide types with NaN, Inf, subnormals, few values, and lower halves that are zero."""
    for stacks in of_large_matrices(measure):
        check_large(measure, stacks)


def check_large(measure, stacks) -> None:
    """The same on both, with a few waits more."""
    log = Log()
    there = on_device(measure, stacks, log)
    assert log.refused == []
    most = bound(measure, log.passes) + OF_BINS
    if isinstance(measure, Beyond):
        most += OF_QUARTILES
    assert log.waited <= most, log.waits
    assert log.uploaded == 0, log.uploads
    assert differences(on_cpu(measure, stacks), there) == []


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
    stored = stored.clone()
    stored[1] = stored[0].triu()
    measure = Balanced((Count(),))
    log = Log()
    there = on_device(measure, {"b": (stored, dtype)}, log)
    sketches = on_cpu(measure, {"b": (stored, dtype)})
    assert [one.exists for one in sketches] == [True, True, False]
    assert differences(sketches, there) == []
    most = max(one.sweeps for one in there)
    assert log.waited <= most + 2 + bound(Count(), 1) + 1
