"""Seconds of the four costly steps on a device, as shares of what the device can do.

The bandwidth and the float64 rate are measured beside them, with a copy and a product of large
matrices: the numbers of a data sheet are those of no machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import torch

from tests.bench.__main__ import LLAMA
from weightscope.geometry import long_side, tile_size, whole
from weightscope.sketches import Count, Decompose, MarginSums, Scratch, Tile
from weightscope.sketches.gram import added, blank, eigenvalues
from weightscope.sketches.sketch import tiling

SIDES = (256, 1024, 4096)
ROUNDS = 5  # of each step; the best counts
LLAMA_SHAPES = tuple(shape for shape in LLAMA.values() if len(shape) == 2)
SHAPES = {**{f"{side}x{side}": ((side, side),) for side in SIDES}, "Llama-7B layer": LLAMA_SHAPES}

Shapes = Sequence[tuple[int, int]]


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


@dataclass(frozen=True)
class Work:
    """What a step does, and how much of it there is."""

    call: Callable[[], object]
    bytes: int
    operations: float


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


def lines(device: str, can: Rates) -> list[dict[str, object]]:
    """Every step of square matrices and of a layer of Llama-7B, bf16; an error where it has one."""
    measured: list[dict[str, object]] = []
    for name, shapes in SHAPES.items():
        for step, work in STEPS.items():
            try:
                measured.append(asdict(_line(step, name, work(shapes, device), device, can)))
            except Exception as error:
                failed = f"{type(error).__name__}: {error}"
                measured.append({"step": step, "shape": name, "error": failed})
    return measured


def _line(step: str, shape: str, work: Work, device: str, can: Rates) -> Line:
    spent = seconds(work.call, device)
    of_bandwidth = work.bytes / spent / can.bandwidth
    of_float64 = work.operations / spent / can.float64
    return Line(step, shape, spent, work.bytes, work.operations, of_bandwidth, of_float64)


def _counting(shapes: Shapes, device: str) -> Work:
    return _folding(Count(), shapes, device, 0.0)


def _lines(shapes: Shapes, device: str) -> Work:
    return _folding(MarginSums(), shapes, device, 0.0)


def _gram_matrices(shapes: Shapes, device: str) -> Work:
    products = sum(float(max(shape)) * min(shape) ** 2 for shape in shapes)
    return _folding(Decompose(), shapes, device, products)


def _eigenvalues(shapes: Shapes, device: str) -> Work:
    """Of Gram matrices, the lower triangles of which are read."""
    grams = [_gram(shape, device) for shape in shapes]
    squares = sum(8 * min(shape) ** 2 for shape in shapes)
    reductions = sum(4 / 3 * min(shape) ** 3 for shape in shapes)
    call = lambda: [eigenvalues([block.clone() for block in gram]) for gram in grams]
    return Work(call, squares, reductions)


STEPS = {
    "counting": _counting,
    "lines": _lines,
    "Gram": _gram_matrices,
    "eigenvalues": _eigenvalues,
}


def _folding(measure, shapes: Shapes, device: str, operations: float) -> Work:
    """A measure of all tiles of each matrix, without its end."""
    stored = [torch.randn(shape, device=device).bfloat16()[None] for shape in shapes]
    read = sum(x.numel() * x.element_size() for x in stored)
    return Work(lambda: _folded(measure, stored, device), read, operations)


def _folded(measure, stored, device: str) -> None:
    scratch = Scratch(device)
    for x in stored:
        shape = tuple(x.shape[1:])
        state = measure.start(1, shape, "BF16", device)
        axis, boxes = tiling(measure.cut, whole(shape), long_side(shape), tile_size(device))
        for box in boxes:
            part = x[:, slice(*box.rows), slice(*box.cols)]
            state = measure.add(state, Tile(part, "BF16", box, shape, axis, scratch))


def _gram(shape: tuple[int, int], device: str):
    """The Gram matrix of Gaussian rows, of which there are twice as many as columns."""
    side = min(shape)
    gram = blank(1, side, device)
    added(gram, torch.randn(1, 2 * side, side, dtype=torch.float64, device=device))
    return gram


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)
