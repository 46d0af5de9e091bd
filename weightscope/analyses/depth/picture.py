"""The picture of `depth`: a panel per statistic, a line per series, rings at outlier layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...columns import Curve, Panel
from ...lazy import numpy as np
from ..residual import drawn_group
from .catalogue import statistics
from .judging import Judged


def panels(
    drawn: Sequence[tuple[str, Judged]], ends: Mapping[str, int], names: Sequence[str]
) -> Iterator[Panel]:
    """One panel per statistic with the series of every model; vectors only if nothing else is.

    `ends` are the last layers of the models by source: of all their weights, selected or not.
    """
    several = len({source for source, _ in drawn}) > 1
    if any(not one.series.key.is_vector for _, one in drawn):
        drawn = [(source, one) for source, one in drawn if not one.series.key.is_vector]
    for name in names:
        of_name = [(source, one) for source, one in drawn if one.statistic == name]
        yield _panel(name, of_name, ends if several else {})


def _panel(name: str, drawn: Sequence[tuple[str, Judged]], ends: Mapping[str, int]) -> Panel:
    curves: list[Curve] = []
    values: dict[str, Mapping[str, str]] = {}
    for source, one in drawn:
        if not one.measured:
            continue
        label = one.series.key.name
        values_of_label = {
            "source": source,
            "name": label,
            "group": drawn_group(one.series.members[0].piece.place),
        }
        if ends:
            label = f"{source}: {label}"
        curves += _curves(label, one, ends.get(source))
        values[label] = values_of_label
    return Panel(
        name,
        "depth",
        "relative depth" if ends else "layer",
        statistics()[name].unit,
        tuple(curves),
        of={"statistic": name},
        note="" if curves else "no layer has a value",
        values=values,
    )


def _curves(label: str, one: Judged, end: int | None) -> Iterator[Curve]:
    """The values over the layers, on relative depth l/(L - 1) with `end`; then the outliers."""
    layers = np.array([point.layer for point in one.measured])
    heights = np.array([point.value for point in one.measured], np.float64)
    places = layers.astype(np.float64)
    if end is not None:
        places = places / end
    yield Curve(label, places, heights)
    if one.outlying is not None and one.outlying.layers:
        marked = np.isin(layers, one.outlying.layers)
        yield Curve(label, places[marked], heights[marked], "points")
