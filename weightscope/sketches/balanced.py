"""Balanced(of) -> BalancedMatrix: row and column scales a, b with W = a b g, and measures of g.

`Balanced(())` computes the scales alone. One pass is one sweep over rows and columns: those along
the cut are complete inside a tile, the others add up over tiles. Zero rows and columns are
excluded: they are NaN in the balanced matrix g, so that no sketch counts them. A matrix whose
scales do not converge in 200 sweeps, or spread by more than 1e6, has no balanced matrix
(triangular, very sparse).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .sketch import CUTS, Again, Cut, Measure, Passes, State, bytes_of
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SWEEPS = 200  # at most
FLAT = 1e-6  # scales have converged when the std of the change of their logarithms is smaller
WIDEST = 1e6  # largest max a / min a of a balanced matrix


@dataclass(frozen=True, eq=False)
class BalancedMatrix:
    """log a and log b (NaN for zero rows and columns), and the sketches `of` the balanced matrix.

    `exists`: whether there is a balanced matrix; otherwise `of` is empty, as it always is for
    `Balanced(())`.
    """

    log_rows: NDArray[np.float64]
    log_cols: NDArray[np.float64]
    sweeps: int
    of: tuple[Any, ...] = ()
    exists: bool = True

    def forget(self) -> None:
        """Scales belong to one matrix."""

    def __add__(self, other: BalancedMatrix) -> BalancedMatrix:
        raise TypeError("balanced matrices of different tensors do not add")


@dataclass(frozen=True)
class Balanced:
    """Balances a matrix for all measures `of` together."""

    of: tuple[Measure, ...]
    passes: ClassVar[Passes] = "more"

    @property
    def cut(self) -> Cut:
        """The strictest cut of the wrapped measures; sweeps work with any."""
        cuts = [measure.cut for measure in self.of]
        return max(cuts, key=CUTS.index, default="any")

    def bytes(self, shape: Shape) -> int:
        """Scales and sums of every row and column, and the states of the wrapped measures."""
        return self.bytes_on(shape, "cpu")

    def bytes_on(self, shape: Shape, device: str) -> int:
        """The same of a device, as the wrapped measures have it."""
        wrapped = sum(bytes_of(measure, shape, device) for measure in self.of)
        return 32 * sum(shape) + wrapped

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Unit scales of rows and columns; `open` matrices have not converged."""
        ones = [torch.ones(stack, n, dtype=torch.float64, device=device) for n in shape]
        return {
            "scales": ones,
            "sums": [0 * x for x in ones],
            "open": [True] * stack,
            "open there": torch.ones(stack, dtype=torch.bool, device=device),
            "sweeps": [0] * stack,
            "energy": torch.zeros(stack, dtype=torch.float64, device=device),
            "wrapped": None,  # states of the wrapped measures, in the last pass
            "arguments": (stack, shape, device),
        }

    def add(self, state: State, tile: Tile) -> State:
        """A sweep while any matrix is open, then the balanced matrix for the wrapped measures."""
        if not tile.box.size:
            return state
        if state["wrapped"] is None:
            return state | _sweep(state, tile)
        balanced = _balanced(state, tile)
        wrapped = []
        for measure, inner in zip(self.of, state["wrapped"], strict=True):
            wrapped.append(measure.add(inner, balanced))
        return state | {"wrapped": wrapped}

    def merge(self, a: State, b: State) -> State:
        """Sweeps are sequential, so one worker folds all tiles."""
        raise TypeError("balancing folds its tiles in one run")

    def finish(self, state: State) -> Sequence[BalancedMatrix] | Again:
        """The next sweep, the pass of the wrapped measures, or the records."""
        if state["wrapped"] is not None:
            pairs = zip(self.of, state["wrapped"], strict=True)
            return _records(state, [measure.finish(inner) for measure, inner in pairs])
        state = _end_sweep(state)
        if any(state["open"]):
            return Again(state)
        if not self.of:  # the scales alone need no further pass
            return _records(state, [])
        stack, shape, device = state["arguments"]
        wrapped = [measure.start(stack, shape, "F32", device) for measure in self.of]
        return Again(state | {"wrapped": wrapped})


def _balanced(state: State, tile: Tile) -> Tile:
    """The tile of the balanced matrices, scaled to the RMS of the originals."""
    row_scales, col_scales = state["scales"]  # squares of a and b
    a2 = row_scales[:, slice(*tile.box.rows), None]
    b2 = col_scales[:, None, slice(*tile.box.cols)]
    _, (rows, cols), _ = state["arguments"]
    rms = (state["energy"] / (rows * cols)).sqrt()[:, None, None]
    # 0/0 = NaN excludes zero rows and columns.
    g = _finite(tile, torch.nan) / (a2 * b2).sqrt() * rms
    return Tile(g.float(), "F32", tile.box, tile.shape, tile.axis, tile.scratch)


def _finite(tile: Tile, replacement: float) -> Tensor:
    """Values in float64, with a replacement for NaN and Inf."""
    w = tile.values.double()
    return w.nan_to_num(replacement, replacement, replacement)


def _sweep(state: State, tile: Tile) -> State:
    """Mean squares along the cut after division by the far scales; then the sums of the far side.

    Near are the rows (or columns) along the cut, complete in the tile; far are those of the other
    side.
    """
    w2 = _finite(tile, 0.0) ** 2
    near, far = tile.axis, 1 - tile.axis
    lines = slice(*tile.box.rows)
    if near == 1:
        w2, lines = w2.mT, slice(*tile.box.cols)
    # w2 is (b, near, far).
    near_scales, far_scales = state["scales"][near][:, lines], state["scales"][far]
    far_used = far_scales > 0
    # A sum instead of @: BLAS adds a stack in another order than one matrix.
    weighted = (w2 * _inverse(far_scales, far_used)[:, None]).sum(-1)
    mean_squares = weighted / far_used.sum(-1, keepdim=True)
    is_open = state["open there"][:, None]
    near_scales.copy_(torch.where(is_open, mean_squares, near_scales))
    state["sums"][far] += (w2 * _inverse(near_scales, near_scales > 0)[..., None]).sum(-2)
    if state["sweeps"][0] == 0:
        state["energy"] += w2.sum((-2, -1))
    return {"axis": near}


def _inverse(x: Tensor, used: Tensor) -> Tensor:
    return torch.where(used, x.reciprocal(), 0.0)


def _end_sweep(state: State) -> State:
    """Sets the far scales after a sweep; closes matrices that have converged, or reached SWEEPS."""
    if "axis" not in state:  # no tile with elements
        return state | {"open": [False] * len(state["open"])}
    near, far = state["axis"], 1 - state["axis"]
    near_count = (state["scales"][near] > 0).sum(-1, keepdim=True)
    mean_squares = state["sums"][far] / near_count
    far_scales = state["scales"][far]
    sums = [0 * s for s in state["sums"]]
    if far_scales.device.type != "cpu":
        return state | {"sums": sums} | _closed(state, mean_squares, far_scales)
    still_open, sweeps = list(state["open"]), list(state["sweeps"])
    for i, is_open in enumerate(still_open):
        if not is_open:
            continue
        # A matrix without positive scales has no change, and is closed.
        change = _change(mean_squares[i], far_scales[i])
        sweeps[i] += 1
        still_open[i] = change >= FLAT and sweeps[i] < SWEEPS  # False for NaN, too
        far_scales[i] = mean_squares[i]
    there = torch.tensor(still_open)
    return state | {"sums": sums, "open": still_open, "open there": there, "sweeps": sweeps}


def _closed(state: State, mean_squares: Tensor, far_scales: Tensor) -> State:
    """The same of all matrices at once, on a GPU: the host waits once, for those still open."""
    was_open = state["open there"]
    change = _changes(mean_squares, far_scales)
    far_scales.copy_(torch.where(was_open[:, None], mean_squares, far_scales))
    sweeps = [n + is_open for n, is_open in zip(state["sweeps"], state["open"], strict=True)]
    there = was_open & (change >= FLAT)  # False for NaN, too
    if max(sweeps) >= SWEEPS:
        there = torch.zeros_like(there)  # matrices that are open have had every sweep
    return {"open": there.tolist(), "open there": there, "sweeps": sweeps}


def _changes(new: Tensor, old: Tensor) -> Tensor:
    """(b,) `_change` of each matrix of (b, lines)."""
    both_positive = (new > 0) & (old > 0)
    change = torch.where(both_positive, 0.5 * (new / old).log(), 0.0)
    count = both_positive.sum(-1, keepdim=True).clamp(min=1)
    deviation = change - change.sum(-1, keepdim=True) / count
    squares = torch.where(both_positive, deviation.square(), 0.0)
    return (squares.sum(-1, keepdim=True) / count).sqrt()[:, 0]


def _change(new: Tensor, old: Tensor) -> float:
    """Standard deviation of the change of log scales; 0 where all scales are 0."""
    both_positive = (new > 0) & (old > 0)
    change = (0.5 * (new / old).log())[both_positive]
    if not len(change):
        return 0.0
    return float(change.std(correction=0))


def _records(state: State, sketches: list[Any]) -> list[BalancedMatrix]:
    """One record per matrix; `sketches` are those of each wrapped measure, by matrix."""
    log_rows, log_cols = (_logs(scales) for scales in state["scales"])
    records = []
    for i, sweeps in enumerate(state["sweeps"]):
        spread = max(_spread(log_rows[i]), _spread(log_cols[i]))
        exists = 0 < sweeps < SWEEPS and bool(spread < np.log(WIDEST))
        of = ()
        if exists:
            of = tuple(of_stack[i] for of_stack in sketches)
        records.append(BalancedMatrix(log_rows[i], log_cols[i], sweeps, of, exists))
    return records


def _logs(scales: Tensor) -> NDArray[np.float64]:
    """Logarithms of a or b, whose squares are the scales; NaN for zeros."""
    halved = 0.5 * scales.log()
    logs: NDArray[np.float64] = torch.where(scales > 0, halved, torch.nan).cpu().numpy()
    return logs


def _spread(logs: NDArray[np.float64]) -> float:
    finite = logs[np.isfinite(logs)]
    if not len(finite):
        return np.inf
    return float(np.ptp(finite))
