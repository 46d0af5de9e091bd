"""The panels of a picture: those of the rows shown, in their order, and reasons for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..columns import FRAMES, Panel
from ..escape import escaped

FEW = 3  # titles named in a sentence


def shown(panels: Sequence[Panel], rows: Sequence[Mapping[str, object]]) -> tuple[Panel, ...]:
    """The panels that belong to some rows, in the order of the rows, each once.

    >>> of = [Panel(name, "density", of={"tensor": name}) for name in ("a", "b", "c")]
    >>> [panel.title for panel in shown(of, [{"tensor": "c"}, {"tensor": "a"}, {"tensor": "c"}])]
    ['c', 'a']
    """
    by_values: dict[tuple[tuple[str, object], ...], list[Panel]] = {}
    for panel in panels:
        by_values.setdefault(tuple(panel.of.items()), []).append(panel)
    columns = dict.fromkeys(tuple(panel.of) for panel in panels)
    ordered: list[Panel] = []
    for row in rows:
        for names in columns:
            values = tuple((name, row.get(name)) for name in names)
            ordered += by_values.pop(values, ())  # popped: a panel of several rows is drawn once
    return tuple(ordered)


def drawn(panels: Sequence[Panel], animated: bool) -> tuple[Panel, ...]:
    """The panels of an animation, or those of a page.

    >>> panels = [Panel("std", "depth"), Panel("attn.q", "frames")]
    >>> [panel.title for animated in (True, False) for panel in drawn(panels, animated)]
    ['attn.q', 'std']
    """
    return tuple(panel for panel in panels if (panel.kind == FRAMES) == animated)


def missing(panels: Sequence[Panel]) -> tuple[str, ...]:
    """One sentence for each reason why panels have nothing to draw.

    >>> missing([Panel(name, "density", note="one distinct value") for name in "abcde"])
    ('no picture of a, b, c and 2 more: one distinct value',)
    """
    if not panels:
        return ("nothing to draw: no row is shown",)
    titles: dict[str, list[str]] = {}
    for panel in panels:
        if panel.note:
            titles.setdefault(panel.note, []).append(escaped(panel.title))
    return tuple(f"no picture of {_some(names)}: {reason}" for reason, names in titles.items())


def _some(names: Sequence[str]) -> str:
    text = ", ".join(names[:FEW])
    more = len(names) - FEW
    if more > 0:
        return f"{text} and {more} more"
    return text
