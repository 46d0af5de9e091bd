"""Quantise(schemes) -> QuantisationErrors: the energy lost when a tensor is rounded to each scheme.

Where tiles have whole rows, the scales of rows and of groups along them follow from the tile alone.
Other scales need a first pass, which collects the largest magnitude of each block. Elements are
rounded in float32, whose own rounding is 140 dB lower, and energies add in float64. Non-finite
elements are excluded: a block with NaN has the scale of its other elements. Schemes of one measure
share magnitudes, signal and peaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Axis, Shape
from ..lazy import torch
from .blocks import Block, Part, number, parts, peaks
from .magnitudes import Magnitudes, magnitudes, over_lines, squares
from .schemes import SCHEMES, Scheme
from .sketch import Again, Cut, Passes, State
from .tile import Scratch, Tile

if TYPE_CHECKING:
    from torch import Tensor

# Tolerance of clipping: the rounding of a scale may put its own peak just above the largest value.
CLOSE = 2.0**-20


@dataclass(frozen=True)
class QuantisationError:
    """Sums over the finite `elements`: `signal` of w^2, `error` of (w' - w)^2.

    `clipped` is the number of elements beyond the largest value.
    """

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
        total = {}
        for name, error in self.of.items():
            total[name] = error + other.of[name]
        return QuantisationErrors(total)


@dataclass(frozen=True)
class Quantise:
    """Rounds every element to nearest in each of some `SCHEMES` and sums the errors."""

    schemes: tuple[str, ...]
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "more"

    def bytes(self, shape: Shape) -> int:
        """The peak of each block, the largest of them, and four sums per scheme."""
        peak_count = 0
        for block in {SCHEMES[name].block for name in self.schemes}:
            rows, cols = number(shape, block)
            peak_count += rows * cols + 1
        return 8 * peak_count + 32 * len(self.schemes)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; no peaks."""
        sums = torch.zeros(stack, len(self.schemes), 4, dtype=torch.float64, device=device)
        return {"sums": sums, "peaks": {}, "top": None}

    def add(self, state: State, tile: Tile) -> State:
        """Peaks of blocks in the first pass, where there is one; energies in the last."""
        if not tile.box.size:
            return state
        peak_blocks = set()
        for name in self.schemes:
            block = _peak_block(SCHEMES[name], tile.axis)
            if block is not None:
                peak_blocks.add(block)
        if not peak_blocks or state["top"] is not None:
            return self._add_energies(state, tile)
        for block in peak_blocks:
            if block not in state["peaks"]:
                state["peaks"][block] = _zero_peaks(tile, block)
        _update_peaks(state["peaks"], tile)
        return state

    def merge(self, a: State, b: State) -> State:
        """Scales follow from the whole matrix, before any of it is rounded."""
        raise TypeError("a quantised tensor folds its tiles in one run")

    def finish(self, state: State) -> Sequence[QuantisationErrors] | Again:
        """The second pass, or one record per matrix."""
        if state["peaks"] and state["top"] is None:
            top = {block: x.amax((1, 2), keepdim=True) for block, x in state["peaks"].items()}
            return Again(state | {"top": top})
        records = []
        for matrix in state["sums"].tolist():  # one list of four sums per scheme
            errors = {}
            for name, sums in zip(self.schemes, matrix, strict=True):
                errors[name] = _record(*sums)
            records.append(QuantisationErrors(errors))
        return records

    def _add_energies(self, state: State, tile: Tile) -> State:
        for w in magnitudes(tile):
            sums = state["sums"][w.which]  # (b, schemes, 4)
            # elements, signal, error, clipped
            sums[..., 0] += w.finite
            sums[..., 1] += w.squares[:, None]
            for i, name in enumerate(self.schemes):
                scheme = SCHEMES[name]
                block_peaks, top = _known_peaks(state, scheme, tile.axis, w)
                for part in parts(w.values, tile, scheme.block):
                    sums[:, i, 2:] += _rounded(scheme, part, block_peaks, top, tile.scratch)
        return state


def _record(elements: float, signal: float, error: float, clipped: float) -> QuantisationError:
    return QuantisationError(int(elements), signal, error, int(clipped))


def _peak_block(scheme: Scheme, axis: Axis) -> Block | None:
    """The blocks whose peaks need a first pass, where tiles are cut along this axis."""
    if scheme.block[0] != 1 or axis != 0:
        return scheme.block
    # Blocks of one row, in tiles of whole rows: their peaks follow from the tile.
    if scheme.nested:
        return None, None
    return None


def _known_peaks(
    state: State, scheme: Scheme, axis: Axis, w: Magnitudes
) -> tuple[Tensor | None, Tensor | None]:
    """Peaks of the scheme's blocks and of whole matrices, where the first pass collected them."""
    block = _peak_block(scheme, axis)
    if block is None:
        return None, None
    top = state["top"][block][w.which]
    if block != scheme.block:
        return None, top
    return state["peaks"][block][w.which], top


def _zero_peaks(tile: Tile, block: Block) -> Tensor:
    """(b, block rows, block columns) zeros, in the layout of the tile."""
    rows, cols = number(tile.shape, block)
    if tile.mirrored:
        return tile.values.new_zeros(tile.stack, cols, rows).mT
    return tile.values.new_zeros(tile.stack, rows, cols)


def _update_peaks(block_peaks: Mapping[Block, Tensor], tile: Tile) -> None:
    """Raises the peaks of each block to those of the tile, in place."""
    for w in magnitudes(tile):
        for block, field in block_peaks.items():
            for part in parts(w.values, tile, block):
                peak = part.of(field[w.which])
                tile_peak = peaks(part.apart(part.values)).to(peak.dtype)
                torch.maximum(peak, tile_peak, out=peak)


def _rounded(
    scheme: Scheme, part: Part, block_peaks: Tensor | None, top: Tensor | None, scratch: Scratch
) -> Tensor:
    """(b, 2) float64 of a part: energy of the error, and number of clipped elements."""
    w, largest = part.values, scheme.grid.largest
    rounded = scratch.take("rounded", tuple(w.shape), w.dtype)
    spare = scratch.take("spare", tuple(w.shape), w.dtype)
    w_blocks = part.apart(w)  # (b, block rows, rows, block columns, columns)
    rounded_blocks = part.apart(rounded)
    if block_peaks is None:
        peak = peaks(w_blocks)
    else:
        peak = part.of(block_peaks).to(w.dtype)
    if top is None:
        top = peak
    scale = scheme.scale(peak, top.to(w.dtype), largest)[:, :, None, :, None]
    # A scale of 0 becomes the smallest normal number, by which zeros stay zeros.
    torch.div(w_blocks, scale.clamp(min=torch.finfo(w.dtype).tiny), out=rounded_blocks)
    if scheme.clips:
        rounded.clamp_(max=largest)
    scheme.grid.nearest_(rounded, spare)
    rounded_blocks.mul_(scale)
    error = squares(rounded.sub_(w))
    clipped = torch.zeros_like(error)
    if scheme.clips:
        torch.gt(w_blocks, scale * (largest * (1 + CLOSE)), out=part.apart(spare))
        clipped = over_lines(spare, lambda run: run.sum(-1))
    return torch.stack((error, clipped), -1)
