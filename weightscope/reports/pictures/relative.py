"""Relative change |D|/|A| of the tensors of a layer and role, pooled.

|D| and |A| are norms over all tensors of a bar. Where bars would be too thin or colours too many,
roles are pooled by their first word, then altogether.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...columns import Panel
from .roles import first_word, rank

Group = tuple[str, int | None]  # stack and layer; no layer: outside
OUTSIDE: Group = ("", None)
MOST_ROLES = 12  # colours that can be told apart
THINNEST = 0.02  # inches: a bar


@dataclass
class Bar:
    """The pooled norms of the tensors of one layer and role."""

    norm_a: float = 0.0
    delta: float = 0.0

    def add(self, values: Mapping[str, Any]) -> None:
        """Adds one tensor: squares add up."""
        self.norm_a = math.hypot(self.norm_a, values["norm_a"])
        self.delta = math.hypot(self.delta, values["delta_fro"])

    @property
    def height(self) -> float | None:
        """|D|/|A|; None where A is 0."""
        if self.norm_a:
            return self.delta / self.norm_a
        return 0.0 if not self.delta else None


Chart = Mapping[Group, Mapping[str, Bar]]


def chart_of(panels: Sequence[Panel], wide: float) -> Chart:
    """The bars by group and role, with as many roles as the page can show."""
    values = [panel.values for panel in panels if panel.values]
    for pooling in (_role, first_word):
        chart = _pooled(values, pooling)
        bars = sum(len(bars) for bars in chart.values())
        if len(roles_of(chart)) <= MOST_ROLES and bars * THINNEST <= wide:
            return chart
    return _pooled(values, _all)


def _role(role: str) -> str:
    return role


def _all(role: str) -> str:
    return "all roles"


def _pooled(values: Sequence[Mapping[str, Any]], pooling: Callable[[str], str]) -> Chart:
    chart: dict[Group, dict[str, Bar]] = {}
    for of_tensor in values:
        group = OUTSIDE
        if of_tensor["layer"] is not None:
            group = of_tensor["stack"], of_tensor["layer"]
        bars = chart.setdefault(group, {})
        bars.setdefault(pooling(of_tensor["role"]), Bar()).add(of_tensor)
    ordered = sorted(group for group in chart if group != OUTSIDE)
    if OUTSIDE in chart:
        ordered.append(OUTSIDE)
    return {group: chart[group] for group in ordered}


def roles_of(chart: Chart) -> list[str]:
    """The roles of all groups, in the order of their bars."""
    roles = {role for bars in chart.values() for role in bars}
    return sorted(roles, key=rank)
