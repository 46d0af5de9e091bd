"""Balanced(of) -> Core: finds row scales a and column scales b with W = a b g, then takes `of` of the core g.

`Balanced(())` finds the scales alone. One pass is one whole sweep: a line along the cut is exact inside its tile, the
other side adds up. Zero lines are left out (NaN in the core, so no sketch counts them). A matrix whose scales do not
settle in 200 sweeps, or spread by more than 1e6, has no balancing (triangular, very sparse): its core is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..geometry import Shape
from ..lazy import numpy as np
from ..lazy import torch
from .sketch import CUTS, Again, Cut, Measure, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

SWEEPS, FLAT, WIDEST = (
    200,
    1e-6,
    1e6,
)  # the most sweeps; sd of log scale still moving; max a / min a


@dataclass(frozen=True, eq=False)
class Core:
    """log a and log b (NaN for zero lines), sweeps taken, and the core's sketches: none where no balancing exists.

    `exists` is for `Balanced(())`, which has no sketches to be missing.
    """

    log_rows: NDArray[np.float64]
    log_cols: NDArray[np.float64]
    sweeps: int
    of: tuple[Any, ...] = ()
    exists: bool = True

    def forget(self) -> None:
        """Scales belong to one matrix."""

    def __add__(self, other: Core) -> Core:
        raise TypeError("balanced cores of different tensors do not add")


@dataclass(frozen=True)
class Balanced:
    """Wraps measures, which share the sweeps."""

    of: tuple[Measure, ...]
    passes: ClassVar[Passes] = "more"

    @property
    def cut(self) -> Cut:
        """As the most demanding of what is wrapped; scales settle in any."""
        return max((m.cut for m in self.of), key=CUTS.index, default="any")

    def bytes(self, shape: Shape) -> int:
        """Scales and sums of every line, and what is wrapped."""
        return 32 * sum(shape) + sum(m.bytes(shape) for m in self.of)

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Unit scales; `open` matrices still move."""
        ones = [torch.ones(stack, n, dtype=torch.float64, device=device) for n in shape]
        return {
            "scales": ones,
            "sums": [0 * x for x in ones],
            "open": [True] * stack,
            "sweeps": [0] * stack,
            "energy": torch.zeros(stack, dtype=torch.float64, device=device),
            "shown": None,
            "cast": (stack, shape, device),
        }

    def add(self, state: State, tile: Tile) -> State:
        """A sweep while any matrix moves, then the core to the wrapped measures."""
        if not tile.box.size:
            return state
        return state | (_sweep(state, tile) if state["shown"] is None else self._show(state, tile))

    def merge(self, a: State, b: State) -> State:
        """Sweeps are sequential: a tensor that is balanced is folded by one worker."""
        raise TypeError("balancing folds its tiles in one run")

    def finish(self, state: State) -> Sequence[Core] | Again:
        """The next sweep, the last look, or the cores."""
        if state["shown"] is not None:
            return _cores(
                state, [m.finish(s) for m, s in zip(self.of, state["shown"], strict=True)]
            )
        after = _settled(state)
        if any(after["open"]):
            return Again(after)
        if not self.of:  # nothing looks at the core
            return _cores(after, [])
        return Again(
            after
            | {
                "shown": [
                    m.start(state["cast"][0], state["cast"][1], "F32", state["cast"][2])
                    for m in self.of
                ]
            }
        )

    def _show(self, state: State, tile: Tile) -> State:
        a, b = (
            s[:, slice(*span)]
            for s, span in zip(state["scales"], (tile.box.rows, tile.box.cols), strict=True)
        )
        size = state["cast"][1][0] * state["cast"][1][1]
        rms = (state["energy"] / size).sqrt()[:, None, None]
        core = (
            _finite(tile, torch.nan) / (a[:, :, None] * b[:, None]).sqrt() * rms
        ).float()  # 0/0 = NaN: zero lines leave
        shown = Tile(core, "F32", tile.box, tile.shape, tile.axis, tile.scratch)
        return {"shown": [m.add(s, shown) for m, s in zip(self.of, state["shown"], strict=True)]}


def _finite(tile: Tile, instead: float) -> Tensor:
    w = tile.values.double()
    return torch.where(w.isfinite(), w, instead)


def _sweep(state: State, tile: Tile) -> State:
    """Mean squares of the lines along the cut, the other side's scales divided out; their share of the other side's."""
    w2 = _finite(tile, 0.0) ** 2
    near, far = tile.axis, 1 - tile.axis
    here = slice(*(tile.box.rows, tile.box.cols)[near])
    if near == 1:
        w2 = w2.mT
    used = (state["scales"][far] > 0).sum(-1, keepdim=True)
    lines = (w2 * _inverse(state["scales"][far])[:, None]).sum(
        -1
    ) / used  # not @: BLAS adds a stack otherwise than one
    moving = torch.tensor(state["open"], device=w2.device)[:, None]
    state["scales"][near][:, here] = torch.where(moving, lines, state["scales"][near][:, here])
    state["sums"][far] += (w2 * _inverse(state["scales"][near][:, here])[..., None]).sum(-2)
    if state["sweeps"][0] == 0:
        state["energy"] += w2.sum((-2, -1))
    return {"axis": near}


def _inverse(x: Tensor) -> Tensor:
    return torch.where(x > 0, 1 / x, 0.0)


def _settled(state: State) -> State:
    """Scales of the far side after the sweep; a matrix stops when they no longer move, or never will."""
    if "axis" not in state:
        return state | {"open": [False] * len(state["open"])}
    far, near = 1 - state["axis"], state["axis"]
    used = (state["scales"][near] > 0).sum(-1, keepdim=True)
    new, old = state["sums"][far] / used, state["scales"][far]
    scales, still, sweeps = list(state["scales"]), list(state["open"]), list(state["sweeps"])
    for i in (i for i, moving in enumerate(still) if moving):
        move = (0.5 * (new[i] / old[i]).log())[(new[i] > 0) & (old[i] > 0)]
        still[i] = (
            len(move) > 0 and float(move.std(correction=0)) >= FLAT and sweeps[i] + 1 < SWEEPS
        )
        scales[far][i], sweeps[i] = new[i], sweeps[i] + 1
    return state | {
        "scales": scales,
        "sums": [0 * s for s in state["sums"]],
        "open": still,
        "sweeps": sweeps,
    }


def _cores(state: State, sketches: list[Any]) -> list[Core]:
    logs = [torch.where(s > 0, 0.5 * s.log(), torch.nan).cpu().numpy() for s in state["scales"]]
    found = []
    for i, sweeps in enumerate(state["sweeps"]):
        a, b = logs[0][i], logs[1][i]
        exists = 0 < sweeps < SWEEPS and all(_spread(x) < np.log(WIDEST) for x in (a, b))
        of = tuple(s[i] for s in sketches) if exists else ()
        found.append(Core(a, b, sweeps, of, exists))
    return found


def _spread(logs: NDArray[np.float64]) -> float:
    seen = logs[np.isfinite(logs)]
    return float(np.ptp(seen)) if len(seen) else np.inf
