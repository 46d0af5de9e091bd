"""Lines -> Margins: sums and squares of every row and column, and both lag products, wherever the tile lies.

Sums run in float32 inside a tile (torch adds in a cascade) and in float64 across tiles. A tile whose squares overflow,
vanish or hold NaN or Inf is taken again in float64 with the non-finite values left out: rare, and so for free.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING, ClassVar

from ..geometry import Shape
from ..lazy import torch
from .line_ends import zeros_after, zeros_before
from .margins import Margins
from .sketch import Cut, Passes, State
from .tile import Tile

if TYPE_CHECKING:
    from torch import Tensor

SAFE = (1e-24, 1e30)  # mean square between which float32 squares keep their digits
EXTREMES = {"min": inf, "max": -inf, "nonfinite": 0.0, "start": inf, "end": -inf}


@dataclass(frozen=True)
class Lines:
    """Adds a tile's line sums and lag products; with `extremes` their extremes and ends instead of lags."""

    extremes: bool = False
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """float64 fields of every line, two border lines and the lag products."""
        return 8 * sum(shape) * (7 if self.extremes else 2) + 16 * max(shape) + 16

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums; no border seen."""
        fields = {"sum": 0.0, "squares": 0.0} | (EXTREMES if self.extremes else {})
        full = {
            (side, name): torch.full(
                (stack, shape[axis]), value, dtype=torch.float64, device=device
            )
            for axis, side in enumerate(("rows", "cols"))
            for name, value in fields.items()
        }
        return full | {
            "lag": None
            if self.extremes
            else torch.zeros(stack, 2, dtype=torch.float64, device=device),
            "axis": 0,
            "first": None,
            "last": None,
        }

    def add(self, state: State, tile: Tile) -> State:
        """One tile more: its margins into their places, its lags and the seam to the tile before."""
        if not tile.box.size:
            return state
        w = tile.values
        squares = _product(tile, w, w)
        rows = squares.sum(-1)
        if self.extremes:
            _extremes(state, tile, bool(rows.isfinite().all()))
            _ends(state, tile)
        sound = _sound(w, rows.sum(-1) / tile.box.size)
        if all(sound):
            return state | _shown(state, tile, w, squares, rows)
        ends = [
            _shown(_one(state, i), tile, *_safe(tile, w[i : i + 1], sound[i]))
            for i in range(len(sound))
        ]
        return state | {
            k: ends[0][k] if k == "axis" else torch.cat([e[k] for e in ends]) for k in ends[0]
        }

    def merge(self, a: State, b: State) -> State:
        """Sums add, extremes compare, and a's last line meets b's first."""
        merged = {
            k: getattr(torch, _MERGE.get(k[1], "add"))(a[k], b[k])
            for k in a
            if isinstance(k, tuple)
        }
        if self.extremes:
            return a | merged
        lag, axis = a["lag"] + b["lag"], b["axis"] if b["last"] is not None else a["axis"]
        if a["last"] is not None and b["first"] is not None:
            lag[:, 1 - axis] += (a["last"] * b["first"]).sum(-1)
        first = a["first"] if a["first"] is not None else b["first"]
        return merged | {
            "lag": lag,
            "axis": axis,
            "first": first,
            "last": b["last"] if b["last"] is not None else a["last"],
        }

    def finish(self, state: State) -> Sequence[Margins]:
        """One record a matrix."""
        host = {k: v.cpu().numpy() for k, v in state.items() if isinstance(k, tuple)}
        found = []
        for i in range(len(host["rows", "sum"])):
            rows, cols = (
                {k[1]: v[i] for k, v in host.items() if k[0] == side} for side in ("rows", "cols")
            )
            along, across = (nan, nan) if self.extremes else state["lag"][i].tolist()
            found.append(Margins(rows, cols, (along, across)))
        return found


_MERGE = {"min": "minimum", "max": "maximum", "start": "minimum", "end": "maximum"}  # else they add


def _sound(w: Tensor, mean: Tensor) -> list[bool]:
    """Which matrices have squares with digits to spare and nothing non-finite."""
    found = (
        w.isfinite().all(-1).all(-1)
        if w.dtype == torch.float64
        else (mean > SAFE[0]) & (mean < SAFE[1])
    )
    return [bool(x) for x in found.tolist()]


def _safe(tile: Tile, w: Tensor, sound: bool) -> tuple[Tensor, Tensor, Tensor]:
    """One matrix's values, their squares and row sums of squares; in float64 where float32 would not do."""
    if not sound:
        w = tile.buffer("clean", w, torch.float64).copy_(w).nan_to_num_(0.0, 0.0, 0.0)
    squares = _product(tile, w, w)
    return w, squares, squares.sum(-1)


def _one(state: State, i: int) -> State:
    """Views of what belongs to matrix i."""
    return {k: v[i : i + 1] if hasattr(v, "shape") else v for k, v in state.items()}


def _shown(state: State, tile: Tile, w: Tensor, squares: Tensor, rows: Tensor) -> State:
    """Adds into the sums in place; answers the borders."""
    near, far = slice(*tile.box.rows), slice(*tile.box.cols)
    state["rows", "squares"][:, near] += rows
    state["cols", "squares"][:, far] += squares.sum(-2)
    state["rows", "sum"][:, near] += w.sum(-1)
    state["cols", "sum"][:, far] += w.sum(-2)
    if state["lag"] is None:
        return {"axis": tile.axis}
    first, last = _borders(w, tile.axis)
    lags = state["lag"].add_(_lags(w, tile))
    if state["last"] is not None:
        lags[:, 1 - tile.axis] += (state["last"] * first).sum(-1)
    return {
        "axis": tile.axis,
        "first": first if state["first"] is None else state["first"],
        "last": last,
    }


def _product(tile: Tile, a: Tensor, b: Tensor) -> Tensor:
    """a * b in a reused buffer of the same layout."""
    return torch.mul(a, b, out=tile.buffer("product", a, a.dtype))


def _lags(w: Tensor, tile: Tile) -> Tensor:
    """(b, 2): sums of w[i,j] w[i,j+1] and of w[i,j] w[i+1,j] inside the tile."""
    along = _product(tile, w[..., 1:], w[..., :-1]).sum(-1).sum(-1, dtype=torch.float64)
    across = _product(tile, w[:, 1:], w[:, :-1]).sum(-1).sum(-1, dtype=torch.float64)
    return torch.stack((along, across), -1)


def _borders(w: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """First and last line along the cut, float64 copies."""
    pair = (w[:, 0], w[:, -1]) if axis == 0 else (w[..., 0], w[..., -1])
    return pair[0].to(torch.float64, copy=True), pair[1].to(torch.float64, copy=True)


def _extremes(state: State, tile: Tile, finite: bool) -> None:
    """min and max by line, and what is not finite, which counts apart; never -0, whose place depends on the order."""
    w = tile.values
    ok = None if finite else w.isfinite()
    for side, dim, span in (("rows", -1, tile.box.rows), ("cols", -2, tile.box.cols)):
        part = slice(*span)
        low = (w if ok is None else torch.where(ok, w, torch.inf)).amin(dim).double() + 0.0
        high = (w if ok is None else torch.where(ok, w, -torch.inf)).amax(dim).double() + 0.0
        state[side, "min"][:, part] = torch.minimum(state[side, "min"][:, part], low)
        state[side, "max"][:, part] = torch.maximum(state[side, "max"][:, part], high)
        if ok is not None:
            state[side, "nonfinite"][:, part] += (~ok).sum(dim)


def _ends(state: State, tile: Tile) -> None:
    """Where each line has its first and its last element that is not zero."""
    w, (rows, cols) = tile.values, (tile.box.rows, tile.box.cols)
    for side, x, lines, (first, last) in (("rows", w, rows, cols), ("cols", w.mT, cols, rows)):
        start, end = (state[side, name][:, slice(*lines)] for name in ("start", "end"))
        start.clamp_(max=first + zeros_before(x))
        end.clamp_(min=last - 1 - zeros_after(x))
