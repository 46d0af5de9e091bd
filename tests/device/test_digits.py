"""Digits under a small --memory: of the device or of the CPU, and the note says which."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import weightscope as ws
from tests.device.pretended import NAME
from tests.engine.conftest import sketches, stored, unit
from weightscope.engine import Executor, choose, stream
from weightscope.sketches import Count, Decompose, MarginSums

WANTS = frozenset({Count(), MarginSums(), Decompose()})
# stacks of 2, 4 and 12, which need 2, 12 and 17 MiB of a device; a CPU has 3 for one of each
SHAPES = ((8, 12), *4 * [(160, 100)], *12 * [(60, 50)], (8, 12))
STAYING = {64: 18, 14: 6, 8: 2, 3: 2}  # tensors by the MiB of --memory


@pytest.fixture
def rounds(gpu, monkeypatch) -> None:
    """The device of the tests rounds as the CPU does: another last digit tells them apart."""
    passes = stream.passes

    def nudged(batch, device, buffers, check):
        found = passes(batch, device, buffers, check)
        for key in found:
            if device.is_gpu and isinstance(key[1], Decompose):
                found[key] = [
                    replace(one, values=np.nextafter(one.values, np.inf)) for one in found[key]
                ]
        return found

    monkeypatch.setattr(stream, "passes", nudged)


def taken(name: str, threads: int, memory: int):
    """(sketches, why the CPU measured it) of every tensor."""
    g = torch.Generator().manual_seed(0)
    entries = stored([torch.randn(shape, generator=g) for shape in SHAPES])
    units = [unit(i, entry, WANTS) for i, entry in enumerate(entries)]
    answers = list(Executor(choose(name, memory << 20, threads))(units, lambda _: {}))
    assert [answer.note for answer in answers] == [""] * len(units)
    return sketches(answers), [answer.moved for answer in answers]


def test_memory_decides_where_a_tensor_is_measured_and_nothing_else(rounds) -> None:
    """What stays has the digits of all other runs on the device, what moves those of the CPU."""
    here, _ = taken("cpu", 1, 64)
    there, _ = taken(NAME, 1, 64)
    assert all(x != y for x, y in zip(here, there, strict=True))
    for memory, staying in STAYING.items():
        found, reasons = taken(NAME, 1, memory)
        for i, reason in enumerate(reasons):
            assert found[i] == (here if reason else there)[i]
        assert reasons.count("") == staying
    assert taken(NAME, 3, memory) == (found, reasons), "threads decide nothing"


@pytest.mark.parametrize(("memory", "moves"), [("64MiB", []), ("1MiB", ["w0", "w1", "w2"])])
def test_a_table_says_whose_digits_a_row_has(rounds, memory, moves) -> None:
    """A row with the note `on-cpu` is that of --device cpu, every other that of the device."""
    g = torch.Generator().manual_seed(0)
    model = {f"w{i}": torch.randn(shape, generator=g) for i, shape in enumerate(SHAPES[-4:])}
    asked = ["tensor", "sigma_max", "note_codes"]
    here, there, small = (
        ws.spectrum(model, device=device, memory=size, columns=asked).table.set_index("tensor")
        for device, size in (("cpu", "64MiB"), (NAME, "64MiB"), (NAME, memory))
    )
    moved = small.index[small["note_codes"].astype(str).str.contains("on-cpu")]
    assert list(moved) == moves
    assert (here["sigma_max"] != there["sigma_max"]).all()
    for name in small.index:
        expected = here if name in moves else there
        assert small.at[name, "sigma_max"] == expected.at[name, "sigma_max"]
