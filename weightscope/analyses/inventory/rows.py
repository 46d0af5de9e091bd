"""The rows of `ls`: stored tensors, groups of them, or metadata; no tensor is read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from ...columns import Column, Found, Message, Row
from ...engine.unit import Measurer
from ...notes import Note, united
from ...order import natural
from .. import pieces
from ..analysis import Answering
from ..collapse import collapsed
from ..gathering import gathered
from ..piece import Model, Piece
from ..rows import CODES, KEYS, NOTE, SIZES, TENSOR, of_tensor, row_of, source_columns, sourced
from .options import InventoryOptions

BYTES = Column("bytes", "int", "bytes that the elements take; 0 for an alias", "B", shown=True)
STORAGE = (
    BYTES,
    Column("alias_of", "str", "the tensor whose storage this name shares; counted once"),
    Column("orientation", "str", "out_in, in_out (stored transposed) or unknown"),
    Column("family", "str", "naming rules that matched the name"),
    Column("file", "str", "file that contains it"),
)
METADATA = (
    Column("key", "str", "key of the metadata", shown=True),
    Column("length", "int", "characters of the value", shown=True),
    Column("value", "str", "its first 200 characters", shown=True),
)
OPTIMIZER = Note("optimizer", "optimizer")
KEY = 4096  # characters of a metadata key that are shown: the limit of names
ORIENTED = ("matrix", "conv", "embedding", "router")  # kinds that have rows and columns
LONGEST = 200  # characters of a metadata value that are shown


def columns(o: InventoryOptions) -> tuple[Column, ...]:
    """Identity and storage; keys and totals where grouped."""
    source = source_columns(o.several)
    if o.metadata:
        return (*source, *METADATA)
    if o.by != "tensor":
        return (*source, *KEYS[o.by], *SIZES, BYTES)
    return (*source, *TENSOR, *STORAGE, NOTE, CODES)


def optional(o: InventoryOptions) -> Mapping[str, str]:
    """Columns that another option would add."""
    option = {column.name: "--by tensor" for column in (*TENSOR, *STORAGE, NOTE, CODES)}
    option |= {"tensors": "--by", "source": "several MODELs"}
    option |= {column.name: "--metadata" for column in METADATA}
    return option


def rows(models: Sequence[Model], o: InventoryOptions, measure: Measurer) -> Iterator[Found]:
    """Totals as messages, then one row per stored tensor, alias, group or key; never measures."""
    if not o.metadata:
        for model in models:
            yield from _totals(model)
    for model in models:
        source = sourced(o.several, model)
        if o.metadata:
            yield from (Row(source | values) for values in _metadata(model))
        elif o.by == "tensor":
            listed: Iterable[dict[str, object]] = _tensors(model)
            if not o.flat:
                listed = collapsed(listed)
            yield from (row_of(source | values) for values in listed)
        else:
            yield from (Row(source | values) for values in _groups(model, o.by))


def _tensors(model: Model) -> Iterator[dict[str, object]]:
    """The stored tensors, each followed by its aliases."""
    aliases = _aliases(model)
    for piece in model.pieces:
        yield _row(piece)
        for alias in aliases.pop(piece.stored.name, ()):
            of_alias = {"tensor": alias, "alias_of": piece.stored.name, "bytes": 0, "params": 0}
            yield _row(piece) | of_alias


def _aliases(model: Model) -> dict[str, list[str]]:
    """The aliases of each tensor that has some; one with a piece of its own is none."""
    if not model.checkpoint.aliases:  # most files: no set of all names is made
        return {}
    names = {piece.name for piece in model.pieces}
    aliases = defaultdict[str, list[str]](list)
    for alias, target in model.checkpoint.aliases.items():
        if alias not in names:
            aliases[target].append(alias)
    return aliases


def _row(piece: Piece) -> dict[str, object]:
    place, stored = piece.place, piece.stored
    has_orientation = place.kind in ORIENTED
    notes = united(piece.notes)
    if place.role == "optimizer":
        notes = united(OPTIMIZER, notes)
    return {
        **of_tensor(piece),
        "bytes": stored.nbytes,
        "alias_of": None,
        "orientation": place.orientation if has_orientation else None,
        "family": place.family or None,
        "file": stored.file or None,
        "notes": notes,
    }


def _groups(model: Model, by: str) -> Iterator[dict[str, object]]:
    """Keys and totals of each group, in the order of their first tensors."""
    names = [column.name for column in KEYS[by]]
    groups: dict[tuple[object, ...], list[Piece]] = {}
    for piece in model.pieces:
        identity = of_tensor(piece)
        keys = tuple(identity[name] for name in names)
        groups.setdefault(keys, []).append(piece)
    for keys, group in groups.items():
        yield {
            **dict(zip(names, keys, strict=True)),
            "tensors": len(group),
            "params": sum(piece.params for piece in group),
            "bytes": sum(piece.stored.nbytes for piece in group),
        }


def _metadata(model: Model) -> Iterator[dict[str, object]]:
    metadata = model.checkpoint.metadata
    for key in sorted(metadata, key=natural):
        value = metadata[key]
        yield {"key": key[:KEY], "length": len(value), "value": value[:LONGEST]}


def _totals(model: Model) -> Iterator[Message]:
    """The sizes by element type, and the numbers of tensors by role."""
    if not model.pieces:
        return
    sizes, roles = Counter[str](), Counter[str]()
    for piece in model.pieces:
        sizes[piece.dtype] += piece.stored.nbytes
        roles[piece.place.role] += 1
    params = sum(piece.params for piece in model.pieces)
    total = f"{len(model.pieces):,} tensors, {params:,} elements, {_bytes(sum(sizes.values()))}"
    by_dtype = ", ".join(f"{dtype} {_bytes(size)}" for dtype, size in sizes.most_common())
    by_role = ", ".join(f"{role} {count}" for role, count in roles.most_common())
    yield Message(f"{total}: {by_dtype}")
    yield Message(f"by role: {by_role}")


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.4g} {unit}"


ANSWERING = Answering(columns, optional, rows, partial(gathered, pieces.listed))
