"""Memory of checkpoints with very many tensors: bounded for each tensor, in every phase of a run.

The peak of Python's own allocations is measured at a size that keeps the tests short. The rule is
1 KiB a tensor beside four times the header, which has 115 bytes a tensor here: 1,484.
"""

import io
import json
import struct
import tracemalloc

import pytest

import weightscope as ws
from weightscope.analyses.name_options import NameOptions
from weightscope.analyses.pieces import everything, listed
from weightscope.analyses.reasons import reasons
from weightscope.checkpoints import open_checkpoint
from weightscope.naming import Place, are_apart
from weightscope.reports.screen import FILE, Screen
from weightscope.reports.writers.csv import CSV
from weightscope.reports.writers.json import JSON
from weightscope.reports.writers.table import TABLE, cell_width

COUNT = 300


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A mixture of experts: names that differ in two numbers."""
    header = {}
    for number in range(COUNT):
        layer, expert = divmod(number, 50)
        name = f"model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight"
        extent = [16 * number, 16 * number + 16]
        header[name] = {"dtype": "F32", "shape": [2, 2], "data_offsets": extent}
    raw = json.dumps(header, separators=(",", ":")).encode()
    target = tmp_path_factory.mktemp("many") / "experts.safetensors"
    target.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(16 * COUNT))
    return str(target)


@pytest.fixture(scope="module")
def report(path):
    """Its list; the call also loads all modules and rules."""
    assert cell_width("·") == 1  # loads the table of wide characters
    return ws.ls(path)


def measured(call):
    """(bytes a tensor that are held at the end, at the peak), of Python's own allocations."""
    tracemalloc.start()
    try:
        kept = call()
        held, peak = tracemalloc.get_traced_memory()
        assert kept is not None
    finally:
        tracemalloc.stop()
    return held / COUNT, peak / COUNT


@pytest.mark.usefixtures("report")
def test_opened_checkpoint(path):
    """Header and parsed header are gone when the tensors are made."""
    held, peak = measured(lambda: open_checkpoint(path))
    assert held < 400
    assert peak < 1300


@pytest.mark.usefixtures("report")
@pytest.mark.parametrize("placing", [listed, everything])
def test_placed_tensors(path, placing):
    """No dict for each tensor, place and piece; texts that many have are one object."""
    checkpoint = open_checkpoint(path)
    held, peak = measured(lambda: placing(checkpoint, NameOptions()))
    assert held < 350
    assert peak < 950


def test_list(path, report):
    """Rows are made one at a time."""
    assert len(report.rows) == COUNT
    _, peak = measured(lambda: ws.ls(path))
    assert peak < 1400


@pytest.mark.parametrize("writer", [TABLE, CSV, JSON], ids=lambda writer: writer.name)
@pytest.mark.parametrize("screen", [FILE, Screen(True, 100)], ids=["file", "terminal"])
def test_written_tables(report, writer, screen):
    """Line by line: a table holds references to its cells, and no text of a whole column."""
    table = report.arranged()

    class Counted(io.BytesIO):
        def write(self, data):
            return len(data)

    _, peak = measured(lambda: writer.write(table, Counted(), screen) or True)
    assert peak < 250


def test_reasons_are_texts_when_they_are_read(path):
    """In order, with those of the run first; positions may be negative, and slices work."""
    model = listed(open_checkpoint(path), NameOptions())
    explained = reasons(["cpu: no accelerator"], [model])
    assert len(explained) == 1 + COUNT
    assert explained[0] == "cpu: no accelerator"
    first, second = explained[1:3]
    assert first.startswith("model.layers.0.block_sparse_moe.experts.0.w1.weight: moe: ")
    assert second.startswith("model.layers.0.block_sparse_moe.experts.1.w1.weight: moe: ")
    assert explained[-COUNT] == first
    assert list(explained)[1] == first
    with pytest.raises(IndexError):
        explained[COUNT + 1]
    held, _ = measured(lambda: reasons([], [model]))
    assert held < 50


def test_places_are_apart():
    """Each field of the key separates two places; others do not."""
    norm = Place("norm", "norm", 3)
    others = [
        Place("head", "norm", 3),
        Place("norm", "bias", 3),
        Place("norm", "norm", 4),
        Place("norm", "norm", 3, stack="vision"),
        Place("norm", "norm", 3, part="1"),
        Place("norm", "norm", 3, slot="attn"),
    ]
    assert are_apart([norm, *others])
    assert not are_apart([norm, *others, Place("norm", "norm", 3, family="llama")])
