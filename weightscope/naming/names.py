"""The places of all names of a checkpoint at once: some depend on other names of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from .context import Context
from .facts import Facts
from .family import name_map as load_map
from .location import locate
from .match import Matched, Search
from .nested import nested
from .numbered import numbered
from .parts import same_heads
from .place import Place
from .prefixes import strip_prefixes
from .rule import LONGEST
from .slots import apart


def places(
    shapes: Mapping[str, tuple[int, ...]],
    config: Mapping[str, object],
    *,
    split: bool = True,
    name_map: Path | str | None = None,
) -> dict[str, tuple[Place, ...]]:
    """The places of every name: one, or one per part of a fused tensor and per expert of a stack.

    >>> name = "h.0.attn.c_attn.weight"
    >>> [(place.piece, place.rows.start) for place in places({name: (24, 8)}, {})[name]]
    [('q', 0), ('k', 8), ('v', 16)]
    """
    rules = None
    if name_map is not None:
        rules = load_map(Path(name_map))
    stripped = {name: strip_prefixes(name) for name in shapes}
    dims = shapes
    if any(type(shape) is not tuple for shape in shapes.values()):
        dims = {name: tuple(shape) for name, shape in shapes.items()}
    bare = dims
    if any(stripped[name] != name for name in shapes):
        bare = _bare(stripped, dims)
    facts = Facts(config, bare)
    search = Search(facts, rules)
    names = _layered({name: search.find(stripped[name], dims[name]) for name in shapes})
    del stripped, search  # with very many names each table counts
    context = Context(facts, names)
    split_up = {name: context.places(matched, split) for name, matched in names.items()}
    placed = same_heads(split_up, dims)
    del split_up
    return apart(placed, lambda name: context.path(names[name]) + _copy(name))


def _bare(
    stripped: Mapping[str, str], dims: Mapping[str, tuple[int, ...]]
) -> dict[str, tuple[int, ...]]:
    """The shape of each name without prefixes; of several the largest, whatever their order."""
    bare: dict[str, tuple[int, ...]] = {}
    for name, shape in dims.items():
        short = stripped[name]
        bare[short] = max(shape, bare.get(short, ()))
    return bare


def _copy(name: str) -> str:
    """PEFT's word for a module of which `modules_to_save` has another copy."""
    return ".original_module" if ".original_module." in name else ""


def _layered(names: dict[str, Matched]) -> dict[str, Matched]:
    """The names with the positions that follow from all of them.

    Two numbers in a row may be a stage and a block. A file without the usual containers has layers
    in its own ones: a layer that a rule captures (an RNN, a name map) does not change, and makes no
    container usual.
    """
    short = {name: matched for name, matched in names.items() if len(matched.name) <= LONGEST}
    if any(locate(matched.name, None).number is not None for matched in short.values()):
        positions = nested(short.values())
    else:
        free = [m.name for m in short.values() if m.where.number is None and not m.is_state]
        positions = numbered(free)
    moved = {
        name: replace(matched, where=positions[matched.name])
        for name, matched in names.items()
        if matched.name in positions
    }
    return names | moved
