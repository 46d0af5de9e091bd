"""The list of measures, and the law of merging for every member, bit for bit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sketches.conftest import EXAMPLES
from weightscope import sketches
from weightscope.geometry import long_side
from weightscope.sketches import MEASURES, PAIRED_MEASURES, Cross, Measure, Overlap

EIGHTS = [0, 8, 16, 24, 32]  # `tiles` cuts at multiples of 8


def test_the_list_has_every_measure_of_the_folder() -> None:
    """A class with `start` and `finish` is a measure."""
    measures = set()
    for module in pkgutil.iter_modules(sketches.__path__):
        members = vars(importlib.import_module(f"{sketches.__name__}.{module.name}"))
        for member in filter(inspect.isclass, members.values()):
            if hasattr(member, "start") and hasattr(member, "finish"):
                measures.add(member)
    of_pairs = {*PAIRED_MEASURES, Overlap, Cross}
    assert measures - {Measure} == set(MEASURES) | of_pairs


def merges(measure) -> bool:
    """Measures with more passes, and those of a whole matrix, do not."""
    return measure.passes == "one" and measure.cut != "whole"


@pytest.mark.parametrize(
    "of", [of for of in MEASURES if any(map(merges, EXAMPLES[of]))], ids=lambda of: of.__name__
)
@settings(max_examples=25, deadline=None)
@given(
    data=st.data(),
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    cuts=st.lists(st.sampled_from(EIGHTS), max_size=4),
    axis=st.sampled_from([0, 1]),
    zeros=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_small_integers_give_one_record(lab, data, of, shape, cuts, axis, zeros, seed) -> None:
    """Sums of small integers are exact, so any tiling and any grouping give the same record."""
    rng = np.random.default_rng(seed)
    integers = rng.integers(-3, 4, (1, *shape)).astype(np.float32)
    integers[rng.random((1, *shape)) < zeros] = 0
    stored = torch.from_numpy(integers)
    for measure in filter(merges, lab.EXAMPLES[of]):
        side = long_side(shape) if measure.cut == "long" else axis
        states = []
        for box in lab.boxes(shape, side, cuts):
            empty = measure.start(1, shape, "F32", "cpu")
            states.append(measure.add(empty, lab.tile(stored, "F32", box, side)))
        while len(states) > 1:
            i = data.draw(st.integers(0, len(states) - 2))
            states[i : i + 2] = [measure.merge(states[i], states[i + 1])]
        merged = measure.finish(states[0])[0]
        whole = lab.take(measure, stored, "F32")[0]
        assert lab.plain(merged) == lab.plain(whole), measure
