"""Pairs for the tests: matrices of any two types, measured as `compare` measures them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from weightscope.checkpoints import Stored
from weightscope.dtypes import DTYPES, decoded
from weightscope.engine import Device, Executor, Meter, Unit, device
from weightscope.notes import notes_of
from weightscope.statistics.pairs import labels
from weightscope.statistics.statistic import At, Evidence, evaluate

FLOAT8 = {
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F8_E4M3FNUZ": torch.float8_e4m3fnuz,
    "F8_E5M2FNUZ": torch.float8_e5m2fnuz,
}
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    **FLOAT8,
}


def stored(values, dtype: str) -> torch.Tensor:
    """Values rounded to a float type by torch, as words of its storage type."""
    x = torch.as_tensor(np.asarray(values, np.float64)) if not torch.is_tensor(values) else values
    rounded = x.to(TYPES[dtype])
    return rounded.view(torch.uint8) if dtype in FLOAT8 else rounded


def values(words: torch.Tensor, dtype: str) -> np.ndarray:
    """The values of stored words in float64."""
    if DTYPES[dtype].bits == 8:
        return decoded(dtype)[words.numpy()]
    return words.double().numpy()


def entry(words: torch.Tensor, dtype: str) -> Stored:
    """A tensor in memory."""
    strides = None if words.is_contiguous() else words.stride()
    return Stored("w", tuple(words.shape), dtype, strides=strides, tensor=words)


def measure(pairs, wants, threads=1):
    """The sketches of pairs (stored A, its type, stored B, its type), keyed by `At`."""
    units = []
    for a, of_a, b, of_b in pairs:
        entries = {labels.A: entry(a, of_a), labels.B: entry(b, of_b)}
        by_label = {}
        for at in wants:
            by_label.setdefault(at.label, set()).add(at.measure)
        by_label = {label: frozenset(measures) for label, measures in by_label.items()}
        beside = labels.BESIDE if labels.B in by_label else {}
        units.append(Unit(None, entries, by_label, beside))
    executor = Executor(Device("cpu", 1 << 30, threads, "test"), Meter())
    results = []
    for measured in executor(units, lambda measured: {}):
        sketches = {}
        for label, of_label in measured.sketches.items():
            sketches |= {At(label, measure): sketch for measure, sketch in of_label.items()}
        results.append(sketches)
    return results


def columns(statistic, a, of_a, b, of_b, threads=1):
    """The columns of a statistic of one pair, and its notes by code."""
    (sketches,) = measure([(a, of_a, b, of_b)], statistic.needs, threads)
    return evaluated(statistic, sketches, tuple(a.shape))


def evaluated(statistic, sketches, shape=None):
    """The columns of a statistic, and its notes by code."""
    found = evaluate([statistic], Evidence(sketches, shape))
    noted = {note.code: note for note in notes_of(found)}
    return SimpleNamespace(**{name: v for name, v in found.items() if name != "notes"}, noted=noted)


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 512 elements and segments of 4,096."""
    monkeypatch.setattr(device, "TILE", 512)
    monkeypatch.setattr(device, "SEGMENT", 4096)


@pytest.fixture(scope="session")
def pairs() -> SimpleNamespace:
    """The helpers of this folder under one name."""
    return SimpleNamespace(
        TYPES=TYPES,
        FLOAT8=FLOAT8,
        stored=stored,
        values=values,
        measure=measure,
        columns=columns,
        evaluated=evaluated,
    )
