"""Layers of a file without the usual containers: `net.0`, `mixers.0.mixer_layers.3.mlp.fc1`.

A number in a path is an element of a list. An element that holds modules is a layer; one that is
itself the module of the tensor (a position in an nn.Sequential) is a layer only if nothing around
it is numbered. Of two lists the inner one gives the layers if it is called layers or blocks, and
the outer one its stages; else the outer one gives the layers. Three lists give no layers, nor does
a list of one element.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .location import NOWHERE, Where, is_number

_DEPTH = re.compile(r"(?:\w*_)?(?:layers?|blocks?)", re.IGNORECASE)


def numbered(names: Iterable[str]) -> dict[str, Where]:
    """The position of each name by the numbers of its path; names without one are left out.

    >>> numbered(["net.0.weight", "net.2.weight"])["net.2.weight"]
    Where(tower='net', stage='', number=2, rest='weight')
    """
    positions = {name: _where(name) for name in names}
    elements: dict[str, set[tuple[str, int | None]]] = {}
    for where in positions.values():
        if where.number is not None:
            elements.setdefault(where.tower, set()).add((where.stage, where.number))
    # a single number is no sequence
    towers = {tower for tower, of_tower in elements.items() if len(of_tower) > 1}
    return {
        name: where
        for name, where in positions.items()
        if where.number is not None and where.tower in towers
    }


def _where(name: str) -> Where:
    words = name.split(".")
    at = [i for i, word in enumerate(words) if word.isascii() and is_number(word)]
    holders = [i for i in at if i < len(words) - 2]
    if len(holders) > 2 or not at:
        return NOWHERE
    outer, inner = (holders or at)[0], (holders or at)[-1]
    if inner != outer and _DEPTH.fullmatch(words[inner - 1]):
        return _at(words, inner, outer)
    return _at(words, outer, outer)


def _at(words: list[str], layer: int, stage: int) -> Where:
    """The position whose layer and stage are these words; without a stage both are one."""
    tower = ".".join(words[:stage])
    rest = ".".join(words[layer + 1 :])
    staged = ""
    if layer != stage:
        staged = words[stage]
    return Where(tower, staged, int(words[layer]), rest)
