"""Units that do not fit are measured in their parts, with the same results."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from weightscope.analyses.joining import JoinedUnits
from weightscope.checkpoints import Stored, open_checkpoint
from weightscope.engine import Session, Unit
from weightscope.running import Running
from weightscope.sketches import Count
from weightscope.sketches.changes import Changes
from weightscope.sketches.pair_moments import Pairwise

COUNT = frozenset({Count()})
STEPS = 6


def series(entries: list[Stored]) -> list[Unit]:
    """Each entry with the one before it."""
    beside = frozenset({Pairwise("a"), Changes("a")})
    units = []
    for a, b in pairwise(entries):
        wants = {"a": COUNT, "b": COUNT | beside}
        units.append(Unit("key", {"a": a, "b": b}, wants, {"b": ("a",)}))
    return units


@pytest.fixture(scope="module")
def entries() -> list[Stored]:
    draw = torch.Generator().manual_seed(0)
    matrices = [torch.randn(512, 1024, generator=draw) for _ in range(STEPS)]
    return [open_checkpoint({"w": matrix}).tensors[0] for matrix in matrices]


def measured(units: list[Unit], divisible: bool, memory: str):
    """(what each unit has as if alone, the session)."""
    joined = JoinedUnits("key")
    shares = [joined.share(unit) for unit in units]
    session = Session(Running(device="cpu", memory=memory, threads=1), None)
    whole = list(session(joined.freeze(divisible), lambda one: {"labels": len(one.sketches)}))
    return [share.of(whole) for share in shares], whole, session


def test_parts_have_the_results_of_the_whole(entries) -> None:
    """Also where memory is enough for two entries alone: no measure is refused."""
    units = series(entries)
    plenty, whole, once = measured(units, True, "2GiB")
    tight, parts, session = measured(units, True, "72MiB")
    assert session.refused == []
    assert [one.note for one in parts] == [""]
    assert [one.values for one in parts] == [one.values for one in whole] == [{"labels": STEPS}]
    for rich, poor in zip(plenty, tight, strict=True):
        a, b = rich.sketches["b"], poor.sketches["b"]
        assert a[Pairwise("a")] == b[Pairwise("a")]
        assert a[Changes("a")].elements == b[Changes("a")].elements
        assert a[Count()].std == b[Count()].std
        assert poor.sketches["a"].keys() == poor.unit.wants["a"]
    size = 512 * 1024 * 4
    assert once.meter.bytes_read == STEPS * size
    assert session.meter.bytes_read == 2 * (STEPS - 1) * size  # both of each pair


def test_a_unit_without_parts_is_refused(entries) -> None:
    """The same memory, with a unit that may not be divided."""

    class Key:
        name = "w"

    joined = JoinedUnits(Key())
    for unit in series(entries):
        joined.share(unit)
    session = Session(Running(device="cpu", memory="72MiB", threads=1), None)
    (one,) = session(joined.freeze(), lambda measured: {})
    assert "MiB of memory, has 72" in one.note
    assert session.refused == ["w"]


def test_each_measure_is_in_one_part(entries) -> None:
    """An entry of two requests is counted in the first."""
    joined = JoinedUnits("key")
    for unit in series(entries):
        joined.share(unit)
    (unit,) = joined.freeze(divisible=True)
    taken = [(label, m) for part in unit.parts for label, ms in part.wants.items() for m in ms]
    wanted = [(label, m) for label, ms in unit.wants.items() for m in ms]
    assert len(taken) == len(set(taken))
    assert set(taken) == set(wanted)
    assert joined.freeze()[0].parts == ()
