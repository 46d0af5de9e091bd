"""Which panels a picture has: those of the rows that are shown, in their order, and what is said of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..columns import Panel
from ..escape import escaped

FEW = 3  # titles named in a sentence


def shown(panels: Sequence[Panel], rows: Sequence[Mapping[str, object]]) -> tuple[Panel, ...]:
    """The panels that belong to some rows, in the order of the rows, each once.

    >>> of = [Panel(name, "density", of={"tensor": name}) for name in ("a", "b", "c")]
    >>> [panel.title for panel in shown(of, [{"tensor": "c"}, {"tensor": "a"}, {"tensor": "c"}])]
    ['c', 'a']
    """
    waiting: dict[tuple[tuple[str, object], ...], list[Panel]] = {}
    for panel in panels:
        waiting.setdefault(tuple(panel.of.items()), []).append(panel)
    keys = dict.fromkeys(tuple(panel.of) for panel in panels)
    asked = (tuple((name, row.get(name)) for name in names) for row in rows for names in keys)
    return tuple(panel for known in asked for panel in waiting.pop(known, ()))


def missing(panels: Sequence[Panel]) -> tuple[str, ...]:
    """What the panels with nothing to draw say, in one sentence for each reason.

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
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")
