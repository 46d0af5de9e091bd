"""The picture of a map: a panel per role, in which a curve is a row of the matrix of cosines."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

from ....columns import Curve, Panel
from ....lazy import numpy as np
from .maps import Map

PICTURE = "layer_map"
EQUAL = "equal"  # the style of a curve of layers that equal its layer


def panel(one: Map, source: Mapping[str, object]) -> Panel:
    """A curve per layer with its cosine to all layers, NaN to itself; points at equal layers."""
    layers = list(one.layers)
    curves: list[Curve] = []
    for a in layers:
        heights = [_cosine(one, a, b) for b in layers]
        curves.append(Curve(str(a), np.array(layers), np.array(heights)))
        equal = [b for b in layers if a != b and one.cells[min(a, b), max(a, b)].equal]
        if equal:
            curves.append(Curve(str(a), np.array(equal), np.ones(len(equal)), "points"))
    nulls = [cell.null for cell in one.cells.values() if cell.null is not None]
    title = one.key.name
    if source:
        title = f"{source['source']}: {title}"
    of = {**source, **one.key.columns}
    marks = {"null": max(nulls, default=nan)}
    return Panel(title, PICTURE, "layer", "layer", tuple(curves), marks, of)


def _cosine(one: Map, a: int, b: int) -> float:
    if a == b:
        return nan
    cosine = one.cells[min(a, b), max(a, b)].cosine
    return nan if cosine is None else cosine
