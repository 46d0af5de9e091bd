"""Seconds of the four costly steps on a device, as shares of what the device can do.

The bandwidth and the float64 rate are measured beside them, with a copy and a product of large
matrices: the numbers of a data sheet are those of no machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch

from tests.bench.__main__ import LLAMA
from weightscope.geometry import long_side, tile_size, whole
from weightscope.sketches import Count, Decompose, MarginSums, Scratch, Tile
from weightscope.sketches.gram import added, blank, eigenvalues
from weightscope.sketches.sketch import tiling

SIDES = (256, 1024, 4096)
ROUNDS = 5  # of each step; the best counts
SHAPES = [shape for shape in LLAMA.values() if len(shape) == 2]


@dataclass(frozen=True)
class Line:
    """One step on one shape: bytes that it has to read, and its float64 operations."""

    step: str
    shape: str
    seconds: float
    bytes: int
    operations: float
    of_bandwidth: float
    of_float64: float


@dataclass(frozen=True)
class Rates:
    """What a device can do: bytes copied and float64 operations, a second."""

    bandwidth: float
    float64: float


def rates(device: str, side: int = 4096) -> Rates:
    """Of a copy, which reads and writes, and of a product."""
    x = torch.ones(side, side, dtype=torch.float64, device=device)
    y = torch.empty_like(x)
    copying = seconds(lambda: y.copy_(x), device)
    multiplying = seconds(lambda: torch.mm(x, x, out=y), device)
    return Rates(2 * 8 * side**2 / copying, 2 * side**3 / multiplying)


def seconds(call: Callable[[], object], device: str) -> float:
    """The best of several rounds, each to its end; the first is a trial."""
    call()
    times = []
    for _ in range(ROUNDS):
        _wait(device)
        begun = time.perf_counter()
        call()
        _wait(device)
        times.append(time.perf_counter() - begun)
    return min(times)


def lines(device: str, sides=SIDES, shapes=SHAPES, of: Rates | None = None) -> list[dict]:
    """Every step of square matrices and of a layer of Llama-7B, bf16."""
    can = of or rates(device)
    measured = []
    for side in sides:
        measured += _steps(f"{side}x{side}", [(side, side)], device, can)
    measured += _steps("Llama-7B layer", shapes, device, can)
    return [asdict(line) for line in measured]


def _steps(name: str, shapes, device: str, can: Rates) -> Iterator[Line]:
    """Counting, lines, Gram matrices and eigenvalues of some matrices together."""
    stored = [torch.randn(shape, device=device).bfloat16()[None] for shape in shapes]
    elements = sum(x.numel() for x in stored)
    products = sum(float(max(shape)) * min(shape) ** 2 for shape in shapes)
    reductions = sum(4 / 3 * min(shape) ** 3 for shape in shapes)
    folds = {"counting": (Count(), 0.0), "lines": (MarginSums(), 0.0)}
    for step, (measure, operations) in folds.items():
        spent = seconds(lambda measure=measure: _folded(measure, stored, device), device)
        yield _line(step, name, spent, 2 * elements, operations, can)
    spent = seconds(lambda: _folded(Decompose(), stored, device), device)
    yield _line("Gram", name, spent, 2 * elements, products, can)
    grams = [_gram(shape, device) for shape in shapes]
    spent = seconds(lambda: [eigenvalues([b.clone() for b in gram]) for gram in grams], device)
    squares = sum(8 * min(shape) ** 2 for shape in shapes)
    yield _line("eigenvalues", name, spent, squares, reductions, can)


def _line(step: str, shape: str, spent: float, read: int, operations: float, can: Rates) -> Line:
    of_bandwidth = read / spent / can.bandwidth
    of_float64 = operations / spent / can.float64
    return Line(step, shape, spent, read, operations, of_bandwidth, of_float64)


def _folded(measure, stored, device: str) -> None:
    """A measure of all tiles of each matrix, without its end."""
    scratch = Scratch(device)
    for x in stored:
        shape = tuple(x.shape[1:])
        state = measure.start(1, shape, "BF16", device)
        axis, boxes = tiling(measure.cut, whole(shape), long_side(shape), tile_size(device))
        for box in boxes:
            part = x[:, slice(*box.rows), slice(*box.cols)]
            state = measure.add(state, Tile(part, "BF16", box, shape, axis, scratch))


def _gram(shape, device: str):
    """The Gram matrix of Gaussian rows, of which there are twice as many as columns."""
    side = min(shape)
    gram = blank(1, side, device)
    added(gram, torch.randn(1, 2 * side, side, dtype=torch.float64, device=device))
    return gram


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)
