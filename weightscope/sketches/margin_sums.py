"""MarginSums -> Margins: sums and sums of squares of every row and column, and both lag products.

Sums run in float32 inside a tile (torch adds in a cascade) and in float64 across tiles. A tile
whose squares overflow, underflow or contain NaN or Inf is computed again in float64 with zeros for
the non-finite values. Such tiles are rare, so the second computation costs nothing on ordinary
tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    from numpy.typing import NDArray
    from torch import Tensor

    from ..lazy import numpy as np

SAFE = (1e-24, 1e30)  # mean square between which float32 squares keep their digits

# Fields of every row and column, with their initial values.
SUMS = {"sum": 0.0, "squares": 0.0}
EXTREMES = {"min": inf, "max": -inf, "nonfinite": 0.0, "start": inf, "end": -inf}

# Name of the torch function that merges a field; every other field is added.
MERGED_BY = {"min": "minimum", "max": "maximum", "start": "minimum", "end": "maximum"}


@dataclass(frozen=True)
class MarginSums:
    """Sums by row and column, and lag products or (with `extremes`) extremes and ends."""

    extremes: bool = False
    cut: ClassVar[Cut] = "any"
    passes: ClassVar[Passes] = "one"

    def bytes(self, shape: Shape) -> int:
        """float64 fields of every row and column, two border lines and the lag products."""
        fields = len(SUMS)
        if self.extremes:
            fields += len(EXTREMES)
        borders = 16 * max(shape)
        return 8 * sum(shape) * fields + borders + 16

    def start(self, stack: int, shape: Shape, dtype: str, device: str) -> State:
        """Zero sums and no border line."""
        fields, lag = dict(SUMS), None
        if self.extremes:
            fields |= EXTREMES
        else:
            lag = torch.zeros(stack, 2, dtype=torch.float64, device=device)
        state: State = {"lag": lag, "axis": 0, "first": None, "last": None}
        for side, length in zip(("rows", "cols"), shape, strict=True):
            for name, value in fields.items():
                state[side, name] = torch.full(
                    (stack, length), value, dtype=torch.float64, device=device
                )
        return state

    def add(self, state: State, tile: Tile) -> State:
        """Adds the tile's margins, its lags, and the lag across the border to the tile before."""
        if not tile.box.size:
            return state
        w = tile.values  # (b, rows, columns)
        squares = _product(tile, w, w)
        row_squares = squares.sum(-1)
        if self.extremes:
            all_finite = bool(row_squares.isfinite().all())
            _update_extremes(state, tile, all_finite)
            _update_ends(state, tile)
        mean_square = row_squares.sum(-1) / tile.box.size
        sound = _sound(w, mean_square)
        if all(sound):
            return state | _accumulate(state, tile, w, squares, row_squares)
        # Matrix by matrix: only those that need float64 are converted.
        borders = [_accumulate_matrix(state, tile, i, sound[i]) for i in range(tile.stack)]
        return state | _stacked(borders)

    def merge(self, a: State, b: State) -> State:
        """Sums add, extremes compare, and the last line of a is multiplied with the first of b."""
        merged = dict(a)
        for key in a:
            if isinstance(key, tuple):
                _, name = key
                function = getattr(torch, MERGED_BY.get(name, "add"))
                merged[key] = function(a[key], b[key])
        if not self.extremes:
            merged |= _merged_borders(a, b)
        return merged

    def finish(self, state: State) -> Sequence[Margins]:
        """One record per matrix."""
        host = _on_host(state, "rows") | _on_host(state, "cols")
        lags = [[nan, nan]] * len(host["rows", "sum"])
        if not self.extremes:
            lags = state["lag"].tolist()
        margins = []
        for i, (along, across) in enumerate(lags):
            lag = (along, across)
            margins.append(Margins(_fields(host, "rows", i), _fields(host, "cols", i), lag))
        return margins


def _on_host(state: State, side: str) -> dict[tuple[str, str], NDArray[np.float64]]:
    """The fields of rows or columns, (b, lines) each: one copy, for which the host waits once."""
    keys = [key for key in state if isinstance(key, tuple) and key[0] == side]
    fields = torch.stack([state[key] for key in keys]).cpu().numpy()
    return dict(zip(keys, fields, strict=True))


def _merged_borders(a: State, b: State) -> State:
    """Lag products and border lines of both states, the tiles of a being before those of b."""
    lag = a["lag"] + b["lag"]
    axis, first, last = a["axis"], a["first"], a["last"]
    if b["last"] is not None:
        axis, last = b["axis"], b["last"]
    if first is None:
        first = b["first"]
    if a["last"] is not None and b["first"] is not None:
        lag[:, 1 - axis] += (a["last"] * b["first"]).sum(-1)
    return {"lag": lag, "axis": axis, "first": first, "last": last}


def _fields(
    host: Mapping[tuple[str, str], NDArray[np.float64]], side: str, i: int
) -> dict[str, NDArray[np.float64]]:
    """The fields of the rows or the columns of matrix i, by name."""
    fields = {}
    for (field_side, name), values in host.items():
        if field_side == side:
            fields[name] = values[i]
    return fields


def _sound(w: Tensor, mean_square: Tensor) -> list[bool]:
    """Which matrices have finite values and squares that keep their digits."""
    if w.dtype == torch.float64:
        sound = w.isfinite().all(-1).all(-1)
    else:
        # NaN and Inf make the mean square NaN or Inf, which is not between the two, either.
        sound = (mean_square > SAFE[0]) & (mean_square < SAFE[1])
    return [bool(x) for x in sound.tolist()]


def _accumulate_matrix(state: State, tile: Tile, i: int, sound: bool) -> State:
    """Adds matrix i alone, in float64 where float32 is not enough; returns its borders."""
    w = tile.values[i : i + 1]
    if not sound:
        clean = tile.buffer("clean", w, torch.float64)
        w = clean.copy_(w).nan_to_num_(0.0, 0.0, 0.0)
    squares = _product(tile, w, w)
    return _accumulate(_views(state, i), tile, w, squares, squares.sum(-1))


def _views(state: State, i: int) -> State:
    """The state of matrix i, as views of the stack's."""
    views = dict(state)
    for key, value in state.items():
        if hasattr(value, "shape"):
            views[key] = value[i : i + 1]
    return views


def _stacked(borders: Sequence[State]) -> State:
    """The borders of all matrices as one state."""
    stacked: State = {"axis": borders[0]["axis"]}
    for key in borders[0]:
        if key != "axis":
            stacked[key] = torch.cat([border[key] for border in borders])
    return stacked


def _accumulate(state: State, tile: Tile, w: Tensor, squares: Tensor, row_squares: Tensor) -> State:
    """Adds values and squares into the sums, in place; returns the borders."""
    rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
    state["rows", "squares"][:, rows] += row_squares
    state["cols", "squares"][:, cols] += squares.sum(-2)
    state["rows", "sum"][:, rows] += w.sum(-1)
    state["cols", "sum"][:, cols] += w.sum(-2)
    if state["lag"] is None:  # extremes and ends instead
        return {"axis": tile.axis}
    first, last = _border(w, tile.axis, 0), _border(w, tile.axis, -1)
    lag = state["lag"].add_(_lag_products(w, tile))
    if state["last"] is not None:
        # Neighbours across the border to the tile before.
        lag[:, 1 - tile.axis] += (state["last"] * first).sum(-1)
    if state["first"] is not None:
        first = state["first"]
    return {"axis": tile.axis, "first": first, "last": last}


def _product(tile: Tile, a: Tensor, b: Tensor) -> Tensor:
    """a * b in a reused buffer of the same layout."""
    buffer = tile.buffer("product", a, a.dtype)
    return torch.mul(a, b, out=buffer)


def _lag_products(w: Tensor, tile: Tile) -> Tensor:
    """(b, 2): sums of w[i,j] w[i,j+1] and of w[i,j] w[i+1,j] inside the tile."""
    # Each is summed at once: both products are written into the same buffer.
    products = _product(tile, w[..., 1:], w[..., :-1])
    row_sums = products.sum(-1)
    along = row_sums.sum(-1, dtype=torch.float64)
    products = _product(tile, w[:, 1:], w[:, :-1])
    row_sums = products.sum(-1)
    across = row_sums.sum(-1, dtype=torch.float64)
    return torch.stack((along, across), -1)


def _border(w: Tensor, axis: int, index: int) -> Tensor:
    """One row (axis 0) or column of each matrix, a float64 copy."""
    line = w.select(axis + 1, index)
    return line.to(torch.float64, copy=True)


def _update_extremes(state: State, tile: Tile, all_finite: bool) -> None:
    """Minimum, maximum and number of non-finite values by row and by column, in place."""
    w = tile.values
    for side, dim, span in (("rows", -1, tile.box.rows), ("cols", -2, tile.box.cols)):
        lines = slice(*span)
        if all_finite:
            low, high = w.amin(dim), w.amax(dim)
        else:
            finite = w.isfinite()
            low = torch.where(finite, w, torch.inf).amin(dim)
            high = torch.where(finite, w, -torch.inf).amax(dim)
            state[side, "nonfinite"][:, lines] += (~finite).sum(dim)
        # + 0.0 turns -0 into 0: which of the two is returned would depend on the order.
        low, high = low.double() + 0.0, high.double() + 0.0
        state[side, "min"][:, lines] = torch.minimum(state[side, "min"][:, lines], low)
        state[side, "max"][:, lines] = torch.maximum(state[side, "max"][:, lines], high)


def _update_ends(state: State, tile: Tile) -> None:
    """Positions of the first and the last non-zero element of each row and column, in place."""
    w, box = tile.values, tile.box
    for side, x, lines, along in (
        ("rows", w, box.rows, box.cols),
        ("cols", w.mT, box.cols, box.rows),
    ):
        start = state[side, "start"][:, slice(*lines)]
        end = state[side, "end"][:, slice(*lines)]
        first, last = along
        start.clamp_(max=first + zeros_before(x))
        end.clamp_(min=last - 1 - zeros_after(x))
