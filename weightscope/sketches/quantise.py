"""Quantise(schemes) -> QuantisationErrors: the energy that rounding a tensor to each scheme would lose.

Where a tile has whole rows, scales of rows and of groups along them are its own; others come from a first look, which
keeps the largest magnitude of each block. Elements are rounded in float32, whose own rounding is 140 dB below them,
and energies add in float64. What is not finite counts nowhere and scales nothing: a block with NaN has the scale of its
other elements. Schemes asked together share magnitudes, signal and peaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Axis, Shape
from ..lazy import torch
from .blocks import Block, Part, number, parts, peaks
from .magnitudes import magnitudes, over_lines, squares
from .schemes import SCHEMES, Scheme
from .sketch import Again, Cut, Passes, State
from .tile import Scratch, Tile

if TYPE_CHECKING:
    from torch import Tensor

CLOSE = (
    2.0**-20
)  # a peak that is the largest value but for the rounding of its scale is not beyond it


@dataclass(frozen=True)
class QuantisationError:
    """`elements` finite ones; `signal` = sum w^2, `error` = sum (w' - w)^2; `clipped` lie beyond the largest value."""

    elements: int = 0
    signal: float = 0.0
    error: float = 0.0
    clipped: int = 0

    def __add__(self, other: QuantisationError) -> QuantisationError:
        return QuantisationError(
            self.elements + other.elements,
            self.signal + other.signal,
            self.error + other.error,
            self.clipped + other.clipped,
        )


@dataclass(frozen=True)
class QuantisationErrors:
    """The error of each scheme, by its name."""

    of: Mapping[str, QuantisationError]

    def forget(self) -> QuantisationErrors:
        """Energies have no positions."""
        return self

    def __add__(self, other: QuantisationErrors) -> QuantisationErrors:
        return QuantisationErrors({name: error + other.of[name] for name, error in self.of.items()})


@dataclass(frozen=True)
class Quantise:
    """Rounds every element to nearest by each of some `SCHEMES` and sums what that changes; the matrix itself stays."""

    schemes: tuple[str, ...]
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """A number for each block, where tiles cut through them, their largest, and four sums a scheme."""
        sizes = [number(shape, block) for block in {SCHEMES[name].block for name in self.schemes}]
        return 8 * sum(rows * cols + 1 for rows, cols in sizes) + 32 * len(self.schemes)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; no block seen."""
        sums = torch.zeros(stack, len(self.schemes), 4, dtype=torch.float64, device=device)
        return {"sums": sums, "peaks": {}, "top": None}

    def add(self, state: State, tile: Tile) -> State:
        """Peaks of blocks while some are to be learned, then energies."""
        if not tile.box.size:
            return state
        learned = {block for name in self.schemes if (block := _learned(SCHEMES[name], tile.axis))}
        if not learned or state["top"] is not None:
            return self._energies(state, tile)
        for block in learned:
            state["peaks"].setdefault(block, _unseen(tile, block))
        _raise(state["peaks"], tile)
        return state

    def merge(self, a: State, b: State) -> State:
        """Scales are learned from the whole matrix before any of it is measured."""
        raise TypeError("a quantised tensor folds its tiles in one run")

    def finish(self, state: State) -> Sequence[QuantisationErrors] | Again:
        """The second look, or one record a matrix."""
        if state["peaks"] and state["top"] is None:
            return Again(
                state
                | {
                    "top": {
                        block: x.amax((1, 2), keepdim=True) for block, x in state["peaks"].items()
                    }
                }
            )
        return [
            QuantisationErrors(
                {name: _record(*sums) for name, sums in zip(self.schemes, matrix, strict=True)}
            )
            for matrix in state["sums"].tolist()
        ]

    def _energies(self, state: State, tile: Tile) -> State:
        for some in magnitudes(tile):
            sums = state["sums"][some.which]
            sums[..., 0] += some.finite
            sums[..., 1] += some.squares[:, None]
            for i, scheme in enumerate(SCHEMES[name] for name in self.schemes):
                learned = _learned(scheme, tile.axis)
                top = state["top"][learned][some.which] if learned else None
                known = state["peaks"][learned][some.which] if learned == scheme.block else None
                for part in parts(some.values, tile, scheme.block):
                    sums[:, i, 2:] += _rounded(scheme, part, known, top, tile.scratch)
        return state


def _record(elements: float, signal: float, error: float, clipped: float) -> QuantisationError:
    return QuantisationError(int(elements), signal, error, int(clipped))


def _learned(scheme: Scheme, axis: Axis) -> Block | None:
    """The blocks whose peaks take a first look, where tiles are cut along this axis."""
    if scheme.block[0] == 1 and axis == 0:
        return (None, None) if scheme.nested else None
    return scheme.block


def _unseen(tile: Tile, block: Block) -> Tensor:
    """Peaks of no element yet, in the layout of the tile."""
    rows, cols = number(tile.shape, block)
    if tile.mirrored:
        return tile.values.new_zeros(tile.stack, cols, rows).mT
    return tile.values.new_zeros(tile.stack, rows, cols)


def _raise(known: Mapping[Block, Tensor], tile: Tile) -> None:
    """Raises peaks to those of one tile more, in place."""
    for some in magnitudes(tile):
        for block, field in known.items():
            for part in parts(some.values, tile, block):
                here = part.of(field[some.which])
                torch.maximum(here, peaks(part.apart(part.values)).to(here.dtype), out=here)


def _rounded(
    scheme: Scheme, part: Part, known: Tensor | None, top: Tensor | None, scratch: Scratch
) -> Tensor:
    """(b, 2) float64 of a part: energy of the error, elements clipped."""
    w, largest = part.values, scheme.grid.largest
    rounded, spare = (scratch.take(name, tuple(w.shape), w.dtype) for name in ("rounded", "spare"))
    old, new = part.apart(w), part.apart(rounded)
    peak = peaks(old) if known is None else part.of(known).to(w.dtype)
    scale = scheme.scale(peak, peak if top is None else top.to(w.dtype), largest)[
        :, :, None, :, None
    ]
    torch.div(
        old, scale.clamp(min=torch.finfo(w.dtype).tiny), out=new
    )  # zeros stay so on any scale
    if scheme.clips:
        rounded.clamp_(max=largest)
    scheme.grid.nearest_(rounded, spare)
    new.mul_(scale)
    error = squares(rounded.sub_(w))
    clipped = torch.zeros_like(error)
    if scheme.clips:
        torch.gt(old, scale * (largest * (1 + CLOSE)), out=part.apart(spare))
        clipped = over_lines(spare, lambda run: run.sum(-1))
    return torch.stack((error, clipped), -1)
