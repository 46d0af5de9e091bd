"""A seeded tenth of `make truth`, by the command line in this process, and the page of results."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest
import torch

from weightscope.cli.app import run

from .case import Case
from .checking import Rows, compare, failures, measured, write_constructed, wrong_cells
from .definitions import DEFINITIONS
from .storing import read, write
from .tensors import constructed

SEED = 19


def _run(arguments: Sequence[str]) -> None:
    run(list(arguments))


@pytest.fixture(scope="module")
def tenth(tmp_path_factory) -> tuple[Path, list[Case]]:
    """A file with a tenth of the constructed tensors, without those of more than 65,536 weights."""
    tensors = [(name, tensor) for name, tensor in constructed() if tensor.numel() <= 65_536]
    chosen = random.Random(SEED).sample(tensors, len(tensors) // 10)
    path = tmp_path_factory.mktemp("truth") / "tenth.safetensors"
    return path, write_constructed(path, chosen)


@pytest.fixture(scope="module")
def rows(tenth) -> Callable[[str], Rows]:
    """`rows("fit")`: those of the tenth, by the name of their tensor."""
    path, _ = tenth
    return cache(lambda command: measured(_run, command, str(path)))


@pytest.mark.parametrize("command", DEFINITIONS)
def test_every_column_is_its_definition(tenth, rows, command):
    """A tenth of the tensors: no cell differs from the second computation of its column."""
    _, cases = tenth
    results = compare(cases, rows(command), command, slow=False)
    assert not failures(results), "\n".join(wrong_cells(results))
    assert sum(result.compared for result in results.values()) > 10 * len(results)


def test_a_wrong_cell_is_seen(tenth, rows):
    """Numbers beyond the tolerance, nulls and words are wrong."""
    _, cases = tenth
    found = rows("outliers")
    matrix = next(case for case in cases if case.values.size > 1000)
    assert not failures(compare([matrix], found, "outliers"))
    for column, value in (("max", 1e9), ("core_std", None), ("lattice", "step 1"), ("zeros", -1)):
        changed = {**found, matrix.name: {**found[matrix.name], column: value}}
        results = compare([matrix], changed, "outliers")
        assert [len(results[column].wrong), failures(results)] == [1, 1]


def test_files_are_read_as_they_are_written(tmp_path):
    """Every type, bit for bit."""
    tensors = dict(constructed())
    few = {name: tensors[name] for name in ("0", "1", "2", "3", "4", "5", "163", "179")}
    write(tmp_path / "few.safetensors", few)
    for name, tensor in read(tmp_path / "few.safetensors").items():
        assert tensor.dtype == few[name].dtype
        assert torch.equal(tensor.view(torch.uint8), few[name].view(torch.uint8))
