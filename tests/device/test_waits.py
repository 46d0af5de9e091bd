"""What the host waits for does not grow with the number of matrices in a stack."""

from __future__ import annotations

import numpy as np
import pytest

from tests.device.bounds import bound, most_copies
from tests.device.cases import ALL, LARGE, PLANTED, of_kinds, planted, stacks_of_kind
from tests.device.pretended import Log
from tests.device.taking import differences, on_cpu, on_device
from tests.sketches.conftest import numbers
from weightscope.sketches import (
    Beyond,
    Count,
    Cross,
    Duplicates,
    Hashes,
    Overlap,
    SharedOutliers,
    Untrained,
    balanced,
)

KINDS = [name for name, _ in of_kinds(PLANTED)]
SIZES = (1, 3)  # of a stack


@pytest.fixture(autouse=True)
def few_sweeps(monkeypatch) -> None:
    """Of matrices that would take two hundred."""
    monkeypatch.setattr(balanced, "SWEEPS", 2)


def asked(measure, kind: str, shape: tuple[int, int], dtype: str) -> None:
    """One matrix and several have the same waits, copies and passes; nothing else is uploaded."""
    found = []
    for many in SIZES:
        log = Log()
        on_device(measure, stacks_of_kind(measure, kind, shape, dtype, many), log)
        assert log.uploaded == 0, log.uploads
        found.append((log.waits, log.passes))
        assert log.copied <= most_copies(measure, log.passes), log.copies
    assert found[0] == found[1]


@pytest.mark.parametrize("measure", ALL, ids=repr)
def test_a_stack_has_the_waits_of_one_matrix(measure) -> None:
    """Of every kind of matrix: with sets of rows, NaN, zeros, huge weights and few values."""
    for kind in KINDS:
        asked(measure, kind, PLANTED, "F32")
    asked(measure, "planted", PLANTED, "BF16")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("measure", [Count(), Beyond(), SharedOutliers(("a",))], ids=repr)
def test_a_stack_of_bins_has_the_waits_of_one_matrix(measure, kind) -> None:
    """Large matrices of wide types, whose few values are searched."""
    asked(measure, kind, LARGE, "F32")


@pytest.mark.parametrize("measure", [Overlap(), Cross()], ids=repr)
def test_a_stack_of_larger_gram_matrices_has_the_waits_of_one(measure) -> None:
    """A side for which a CPU iterates."""
    asked(measure, "planted", (96, 100), "F32")


@pytest.mark.parametrize("measure", [Untrained(), Duplicates(), Hashes()], ids=repr)
@pytest.mark.parametrize("dtype", ["F32", "BF16", "F64"])
def test_sets_of_rows_of_different_matrices(measure, dtype) -> None:
    """Each matrix has other sets, candidates and numbers of looks, one has none: as on the CPU."""
    x = np.stack([planted(PLANTED, seed) for seed in range(4)])
    x[1, 10:40] = planted(PLANTED, 9)[10:40]
    x[2] = np.random.default_rng(0).normal(size=PLANTED)
    x[3, 50:65] = 0.0
    stored = numbers(dtype, x)
    for layout in (stored, stored.mT.contiguous().mT):
        log = Log()
        there = on_device(measure, {"b": (layout, dtype)}, log)
        here = on_cpu(measure, {"b": (layout, dtype)})
        assert differences(here, there) == []
        assert log.waited <= bound(measure, log.passes)
    if isinstance(measure, Untrained):
        assert len({len(one.sets) for one in here}) > 1
        assert log.passes >= 5
