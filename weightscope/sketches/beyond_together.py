"""Elements beyond the thresholds of all matrices of a stack at once, on a GPU.

A matrix without a threshold has one that no element exceeds. The host waits only for the elements
that the exact quartiles of bins need, once for the whole stack.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..lazy import torch
from ..sending import sent
from .count_bins import bin_codes
from .sketch import State
from .tile import Tile

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ..lazy import numpy as np

NO_CODE = -1


def thresholds(aims: Sequence[Sequence[float]], device: str) -> State:
    """The numbers of every matrix as one tensor (b, numbers), float64.

    A number that is never beyond, the unit of the central sums, then a span for each threshold.
    """
    return {"numbers": sent(torch.tensor(aims, dtype=torch.float64), device)}


def add(state: State, tile: Tile) -> State:
    """Counts of a tile beyond each span, by row and column for the last one, and central sums.

    Where the exact edge is still to come, elements of the band in which it may be are collected.
    """
    if not tile.box.size:
        return {}
    x = tile.values  # (b, rows, columns)
    numbers = state["numbers"].to(x.dtype)[:, :, None, None]
    middle, unit = numbers[:, 0], numbers[:, 1]
    x = torch.where(x.isfinite(), x, middle)
    *sigmas, inner, counted = numbers[:, 2:].split(2, 1)
    beyond = [_is_beyond(x, span).sum((-2, -1)) for span in sigmas]
    state["beyond"].add_(torch.stack(beyond, -1))
    far, outside = _is_beyond(x, counted), _is_beyond(x, inner)
    rows, cols = slice(*tile.box.rows), slice(*tile.box.cols)
    state["rows"][:, rows] += far.sum(-1)
    state["cols"][:, cols] += far.sum(-2)
    d = torch.where(outside, 0.0, (x - middle) / unit)
    scale = state["numbers"][:, 1]
    first = d.sum((-2, -1), dtype=torch.float64) * scale
    second = d.square().sum((-2, -1), dtype=torch.float64) * scale * scale
    state["central"].add_(torch.stack((first, second), -1))
    if any(aim.bins is not None for aim in state["aims"]):
        _collect(state, tile, x, outside & ~far)
    return {}


def _collect(state: State, tile: Tile, x: Tensor, band: Tensor) -> None:
    """Adds elements of the bins of the quartiles, and those of the band, to each matrix's look."""
    matrix, elements = _found(tile.flat, _in_bins(state, tile))
    of_band, values = _found(x, band)
    for i, (aim, look) in enumerate(zip(state["aims"], state["looks"], strict=True)):
        if aim.bins is None:
            continue
        look.elements.append(elements[matrix[:, 0] == i])
        here = of_band[:, 0] == i
        look.band.append(values[here])
        look.rows.append(of_band[here, 1] + tile.box.rows[0])
        look.cols.append(of_band[here, 2] + tile.box.cols[0])


def _in_bins(state: State, tile: Tile) -> Tensor:
    """(b, elements) whether an element is in a bin of a quartile of its matrix."""
    words = bin_codes(tile.flat, tile.scratch)
    wanted = [aim.bins.codes if aim.bins else [] for aim in state["aims"]]
    most = max(len(codes) for codes in wanted)
    padded = [codes + [NO_CODE] * (most - len(codes)) for codes in wanted]
    codes = sent(torch.tensor(padded, dtype=words.dtype), words.device)
    found = torch.zeros_like(words, dtype=torch.bool)
    for k in range(most):
        found |= words == codes[:, k : k + 1]
    return found


def _found(x: Tensor, mask: Tensor) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Indices (k, dimensions) of the marked elements and their values, on the host."""
    indices = mask.nonzero()
    values = x[indices.unbind(1)].double()
    return indices.cpu().numpy(), values.cpu().numpy()


def _is_beyond(x: Tensor, span: Tensor) -> Tensor:
    """Which elements are outside a span (b, 2, 1, 1) of their matrix."""
    return (x < span[:, 0]) | (x > span[:, 1])
