"""Small tensors cut into many tiles and segments, and answers compared bit for bit."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tests.plain import plain
from weightscope.checkpoints import Stored
from weightscope.engine import Device, Executor, Meter, Unit, device
from weightscope.sketches import Balanced, Count, Decompose, MarginSums, Shuffled

PASSING = frozenset({Count(), MarginSums(), MarginSums(extremes=True)})
AGAIN = frozenset(
    {
        Count(),
        Decompose(),
        Balanced((Count(), MarginSums())),
        Balanced((Decompose(),)),
        Shuffled(Count()),
    }
)


def unit(key, entry, wants=PASSING) -> Unit:
    """One entry and what is wanted of it."""
    return Unit(key, {"": entry}, {"": wants})


def run(units, threads=1, memory=1 << 30, each=lambda measured: {}, meter=None):
    """Measures on the CPU."""
    return list(Executor(Device("cpu", memory, threads, "test"), meter or Meter())(units, each))


def sketches(answers) -> list[object]:
    """What was measured, bit for bit."""
    return [plain(dict(a.sketches[""])) for a in answers]


def tensors() -> list[torch.Tensor]:
    """Equal small ones that stack, and larger ones of several segments.

    Row-major and column-major.
    """
    g = torch.Generator().manual_seed(0)
    some = [
        torch.randn(s, generator=g)
        for s in ((8, 12), (72, 64), (8, 12), (90,), (40, 133), (8, 12), (1, 1), (0, 4))
    ]
    return [
        *some,
        some[1].mT,
        some[2].mT,
        some[0].mT,
        torch.randn(16, 3, 3, 3, generator=g),
        some[1].bfloat16(),
    ]


def stored(xs) -> list[Stored]:
    """As a dict of tensors is opened."""
    return [
        Stored(
            f"t{i}",
            tuple(x.shape),
            "BF16" if x.dtype == torch.bfloat16 else "F32",
            strides=x.stride(),
            tensor=x,
        )
        for i, x in enumerate(xs)
    ]


@pytest.fixture
def small(monkeypatch):
    """Tiles of 512 elements and segments of 4096.

    So that small tensors are cut as large ones are.
    """
    monkeypatch.setattr(device, "TILE", 512)
    monkeypatch.setattr(device, "SEGMENT", 4096)


@pytest.fixture(scope="session")
def rig() -> SimpleNamespace:
    """The helpers of this folder under one name."""
    return SimpleNamespace(
        PASSING=PASSING,
        AGAIN=AGAIN,
        unit=unit,
        run=run,
        sketches=sketches,
        tensors=tensors,
        stored=stored,
        plain=plain,
    )
