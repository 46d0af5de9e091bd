"""ls: what is in a checkpoint, from its headers alone; no tensor is read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
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
from ..rows import CODES, KEYS, NOTE, SIZES, SOURCE, TENSOR, of_tensor, row_of, sourced
from .options import InventoryOptions

BYTES = Column("bytes", "int", "bytes that the elements take; 0 for an alias", "B", shown=True)
OWN = (
    BYTES,
    Column("alias_of", "str", "the tensor whose storage this name shares; counted once"),
    Column("orientation", "str", "out_in, in_out (stored transposed) or unknown"),
    Column("family", "str", "naming rules that matched"),
    Column("file", "str", "file that holds it"),
)
METADATA = (
    Column("key", "str", "key of the metadata", shown=True),
    Column("length", "int", "characters of the value", shown=True),
    Column("value", "str", "its first 200 characters", shown=True),
)
OPTIMIZER = Note("optimizer", "optimizer")
KEY = 4096  # characters of a key: as of a name
LONGEST = 200  # characters of a metadata value that are shown


def columns(o: InventoryOptions) -> tuple[Column, ...]:
    """Identity and storage; keys and totals where grouped."""
    source = (SOURCE,) if o.several else ()
    if o.metadata:
        return (*source, *METADATA)
    if o.by != "tensor":
        return (*source, *KEYS[o.by], *SIZES, BYTES)
    return (*source, *TENSOR, *OWN, NOTE, CODES)


def optional(o: InventoryOptions) -> Mapping[str, str]:
    """Columns that another option would bring."""
    of_tensors = {c.name: "--by tensor" for c in (*TENSOR, *OWN, NOTE, CODES)}
    return (
        of_tensors
        | {"tensors": "--by", "source": "several MODELs"}
        | {c.name: "--metadata" for c in METADATA}
    )


def rows(models: Sequence[Model], o: InventoryOptions, measure: Measurer) -> Iterator[Found]:
    """One row a stored tensor, an alias, or a group, after the totals; never asks for a measurement."""
    yield from [Message(line) for m in models if m.pieces and not o.metadata for line in _totals(m)]
    for model in models:
        own = sourced(models, model)
        asked = (
            _metadata(model)
            if o.metadata
            else _tensors(model)
            if o.by == "tensor"
            else _groups(model, o.by)
        )
        answers = list(asked)
        for values in (
            collapsed(answers) if o.by == "tensor" and not (o.flat or o.metadata) else answers
        ):
            yield row_of(own | values) if "notes" in values else Row(own | values)


def _tensors(model: Model) -> Iterator[dict[str, object]]:
    shown, aliases = {p.name for p in model.pieces}, defaultdict[str, list[str]](list)
    for alias, target in model.checkpoint.aliases.items():
        if alias not in shown:
            aliases[target].append(alias)
    for piece in model.pieces:
        yield _row(piece)
        for alias in aliases.pop(piece.stored.name, ()):
            yield _row(piece) | {
                "tensor": alias,
                "alias_of": piece.stored.name,
                "bytes": 0,
                "params": 0,
            }


def _row(piece: Piece) -> dict[str, object]:
    place, stored = piece.place, piece.stored
    state = OPTIMIZER if place.role == "optimizer" else None
    return {
        **of_tensor(piece),
        "bytes": stored.nbytes,
        "alias_of": None,
        "orientation": place.orientation
        if place.kind in ("matrix", "conv", "embedding", "router")
        else None,
        "family": place.family or None,
        "file": stored.file or None,
        "notes": united(state, piece.notes),
    }


def _groups(model: Model, by: str) -> Iterator[dict[str, object]]:
    groups: dict[tuple[object, ...], list[Piece]] = {}
    for piece in model.pieces:
        groups.setdefault(tuple(of_tensor(piece)[c.name] for c in KEYS[by]), []).append(piece)
    for keys, found in groups.items():
        named = {c.name: key for c, key in zip(KEYS[by], keys, strict=True)}
        size = sum(p.stored.nbytes for p in found)
        yield {
            **named,
            "tensors": len(found),
            "params": sum(p.params for p in found),
            "bytes": size,
        }


def _metadata(model: Model) -> Iterator[dict[str, object]]:
    for key, value in sorted(model.checkpoint.metadata.items(), key=lambda item: natural(item[0])):
        yield {"key": key[:KEY], "length": len(value), "value": value[:LONGEST]}


def _totals(model: Model) -> tuple[str, str]:
    sizes, roles = Counter[str](), Counter[str]()
    for piece in model.pieces:
        sizes[piece.dtype] += piece.stored.nbytes
        roles[piece.place.role] += 1
    params, size = sum(p.params for p in model.pieces), sum(sizes.values())
    by_dtype = ", ".join(f"{k} {_bytes(v)}" for k, v in sizes.most_common())
    by_role = ", ".join(f"{k} {v}" for k, v in roles.most_common())
    return (
        f"{len(model.pieces):,} tensors, {params:,} elements, {_bytes(size)}: {by_dtype}",
        f"by role: {by_role}",
    )


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{size:.4g} {unit}"


ANSWERING = Answering(columns, optional, rows, partial(gathered, pieces.listed))
