"""Plans are made from shapes, types, measures and budget alone."""

from __future__ import annotations

import re

import pytest

from weightscope.checkpoints import Stored
from weightscope.engine import Device, Unit, plan
from weightscope.engine.plan import roomy
from weightscope.sketches import Count, Decompose, MarginSums, Shuffled

COUNTING = frozenset({Count()})


def planned(*shapes, wants=COUNTING, memory=1 << 30, workers=1, dtype="BF16"):
    units = [
        Unit(i, {"": Stored(f"w{i}", s, dtype, "f")}, {"": wants}) for i, s in enumerate(shapes)
    ]
    return list(plan(units, Device("cpu", memory, workers, "")))


def test_equal_small_units_are_stacked_and_large_ones_stand_alone() -> None:
    """Nothing is opened to decide it."""
    batches = planned((8, 8), (4096, 4096), (8, 8), (4096, 4096), (9, 8))
    assert [[u.key for u in b.units] for b in batches] == [[0, 2], [1], [3], [4]]


def test_a_large_tensor_is_cut_into_segments() -> None:
    """Each what one worker folds alone; one run where passes follow passes."""
    one = planned((16384, 4096))[0]
    assert len(one.runs) == 4
    assert one.why == "1 x 16384x4096 BF16: streamed in 4 runs"
    assert len(planned((16384, 4096), wants=frozenset({Shuffled(Count())}))[0].runs) == 1


def test_budget_decides_holding_and_never_the_runs() -> None:
    """More memory holds the tensor for its passes; the runs stay."""
    wants = frozenset({Count(), MarginSums(), Shuffled(Count())})
    rich, poor = (planned((4096, 4096), wants=wants, memory=m)[0] for m in (1 << 30, 32 << 20))
    assert (rich.hold, poor.hold) == (True, False)
    assert rich.runs == poor.runs
    assert not rich.refused
    assert list(poor.refused) == [("", Shuffled(Count()))]


def test_nothing_fits_into_nothing() -> None:
    """A budget below one tile refuses every measure, and says which would do.

    With that one all fit.
    """
    wants = frozenset({Count(), Decompose()})
    batch = planned((4096, 4096), wants=wants, memory=1 << 20)[0]
    assert set(batch.refused) == {("", m) for m in wants}
    assert (
        need := re.fullmatch(r"needs (\d+) MiB of memory, has 1: use --memory \1MiB", batch.lack)
    )
    assert not planned((4096, 4096), wants=wants, memory=int(need[1]) << 20)[0].refused
    assert planned((4096, 4096), wants=wants, memory=int(need[1]) - 1 << 20)[0].refused


@pytest.mark.parametrize(
    ("shape", "cut", "hold"), [((4096, 2048), 0, False), ((2048, 4096), 0, True)]
)
def test_a_matrix_is_held_for_its_gram_matrix_only_where_it_is_stored_across(
    shape, cut, hold
) -> None:
    """Lines that come as they are wanted are read once, for all measures, in one run."""
    batch = planned(shape, wants=frozenset({MarginSums(), Decompose()}))[0]
    assert (batch.hold, len(batch.runs), batch.units[0].entries[""].cut) == (hold, 1, cut)


def test_units_of_different_wants_are_not_stacked() -> None:
    """One stack, one set of measures."""
    units = [
        Unit(i, {"": Stored("w", (8, 8), "BF16", "f")}, {"": w})
        for i, w in enumerate((frozenset({Count()}), frozenset({MarginSums()})))
    ]
    assert len(list(plan(units, Device("cpu", 1 << 30, 1, "")))) == 2


def test_workers_are_given_up_before_a_measure_is() -> None:
    """A tensor that needs more than one worker's share is measured by fewer workers.

    Not refused.
    """
    entry = Stored("w", (4096, 4096), "BF16", "f")
    units = [Unit(0, {"": entry}, {"": frozenset({Count(), MarginSums()})})]
    need = 36 << 20
    chosen = [
        roomy(units, Device("cpu", memory, 4, "")).workers
        for memory in (4 * need, 2 * need, need, 1)
    ]
    assert chosen == [4, 2, 1, 1]
