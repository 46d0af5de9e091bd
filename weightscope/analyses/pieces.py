"""Entry + place -> piece: the only module that combines the meaning of names with stored tensors.

Applies views (transpose, part, expert, low-rank product, weight norm) to what the checkpoint
stores. The layout of a tensor follows from the checkpoint, its place from its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod

from ..checkpoints import Checkpoint, Entry, LoraPair, NormPair, Stored, lone_factors
from ..checkpoints.views import Empty, OutputsFirst, Part, Product, Transpose, WeightNorm, expert
from ..dtypes import DTYPES
from ..errors import Unmeasured
from ..naming import Place, apart, are_apart, places
from ..notes import Note, Notes, united
from .name_options import NameOptions
from .piece import Model, Piece, shape_text
from .places import places_of

OPTIMIZER = Place("optimizer", "buffer")
UPDATE = "lora"  # slot of an update beside its weight, and its role if no rule matches the module
ORIENTATION = Note("orientation-unknown", "orientation unknown: rows and columns may be exchanged")


def listed(checkpoint: Checkpoint, options: NameOptions) -> Model:
    """Every stored tensor as one piece, without splits and pairs: the rows of `ls`."""
    split = places_of(checkpoint, options)
    whole = split
    if any(places[0].piece for places in split.values()):
        whole = places_of(checkpoint, replace(options, split=False))
    lone = lone_factors(checkpoint.tensors, checkpoint.config)
    pieces = []
    for tensor in checkpoint.tensors:
        name = tensor.name
        notes: Notes = ()
        if name in checkpoint.optimizer:
            place = replace(OPTIMIZER, slot=name)
        else:
            place = whole[name][0]
            if not tensor.coded:
                notes = united(split[name][0].unsplit, lone.get(name))
        pieces.append(_whole(tensor, name, place, united(tensor.notes, notes)))
    return _model(checkpoint, pieces)


def measured(checkpoint: Checkpoint, options: NameOptions) -> Model:
    """The pieces that are weights: everything except buffers."""
    model = everything(checkpoint, options)
    return replace(model, pieces=tuple(p for p in model.pieces if p.place.kind != "buffer"))


def everything(checkpoint: Checkpoint, options: NameOptions) -> Model:
    """Every tensor but optimizer state, split where fused, low-rank pairs as their product."""
    tensors = {tensor.name: tensor for tensor in checkpoint.tensors}
    by_name = places_of(checkpoint, options)
    lone = lone_factors(checkpoint.tensors, checkpoint.config)
    pairs = {pair.a: pair for pair in checkpoint.pairs}
    products = {pair.a: product(pair, tensors) for pair in checkpoint.pairs}
    adapted = _adapted(checkpoint, products, options)
    norms = {norm.v: norm for norm in checkpoint.norms}
    # without a piece of their own: the second factor of a pair, the gain of a norm, optimizer state
    skipped = {pair.b for pair in checkpoint.pairs} | {norm.g for norm in checkpoint.norms}
    skipped |= checkpoint.optimizer
    pieces: list[Piece] = []
    for name, tensor in tensors.items():
        if name in pairs:
            place = adapted[pairs[name].module]
            pieces.append(_pair(pairs[name], products[name], place, tensors))
        elif name in norms:
            pieces += _normed(norms[name], tensors, by_name[name])
        elif name not in skipped:
            pieces += split_at(tensor, by_name[name], lone.get(name))
    return _model(checkpoint, pieces)


def _model(checkpoint: Checkpoint, pieces: Sequence[Piece]) -> Model:
    placed = _at_own_places(pieces)
    return Model(checkpoint.source, checkpoint, placed, placed=placed)


def _at_own_places(pieces: Sequence[Piece]) -> tuple[Piece, ...]:
    """The pieces at unique places, also among codes, products and optimizer state."""
    if are_apart(piece.place for piece in pieces):
        return tuple(pieces)
    placed: dict[str, tuple[Place, ...]] = {}
    for i, piece in enumerate(pieces):
        placed[f"{piece.name}\0{i}"] = (piece.place,)  # two pieces may have one name
    unique = apart(placed, lambda key: placed[key][0].slot)
    moved = []
    for piece, (place,) in zip(pieces, unique.values(), strict=True):
        if place is not piece.place:
            piece = replace(piece, place=place)
        moved.append(piece)
    return tuple(moved)


def _whole(tensor: Stored, name: str, place: Place, notes: Notes) -> Piece:
    """The stored tensor as a piece that is not measured."""
    shape = shape_text(tensor.dims)
    return Piece(name, place, tensor, None, shape, tensor.dtype, tensor.params, notes)


def split_at(
    tensor: Stored,
    parts: tuple[Place, ...],
    note: Note | None,
    normed: WeightNorm | None = None,
    stem: str = "",
) -> Iterator[Piece]:
    """One piece for each place of a tensor, with a note; `normed` replaces it under `stem`."""
    stem = stem or tensor.name
    for place in parts:
        name = stem
        if place.piece:
            name = f"{stem}[{place.piece}]"
        base = _whole(tensor, name, place, tensor.notes)
        if not tensor.measurable or DTYPES[tensor.dtype].kind == "none":
            yield replace(base, notes=tensor.notes or (_undecoded(tensor),))
            continue
        try:
            entry = _seen(normed or tensor, place)
        except Unmeasured as reason:
            yield replace(base, notes=(reason.note,))
            continue
        yield replace(
            base,
            entry=entry,
            params=entry.shape[0] * entry.shape[1],
            notes=_notes(tensor, place, note),
        )


def _normed(
    pair: NormPair, tensors: Mapping[str, Stored], parts: tuple[Place, ...]
) -> Iterator[Piece]:
    """g * v / |v|, split as the weight would be."""
    g, v = tensors[pair.g], tensors[pair.v]
    if any(place.expert is not None for place in parts):
        whole = replace(parts[0], part="", piece="", expert=None, rows=None, cols=None)
        parts = (whole,)
    normed = WeightNorm(g, v, pair.dim)
    yield from split_at(v, parts, None, normed, f"{pair.weight}[weight_norm]")


def _undecoded(tensor: Stored) -> Note:
    return Note.of("type-not-decoded", "{dtype} cannot be decoded", dtype=tensor.dtype)


def _seen(tensor: Stored | WeightNorm, place: Place) -> Entry:
    """The part of the stored tensor at a place: expert, orientation, rows, columns."""
    entry = oriented(tensor, place)
    return cut(entry, place) if tensor.params else Empty(entry)


def oriented(tensor: Stored | WeightNorm, place: Place) -> Entry:
    """The stored tensor with outputs as rows, of a stack one expert."""
    # positions of a vision transformer: 1 x 197 x 768
    alone = place.kind != "conv" and len(tensor.dims) > 2 and tensor.dims[0] == 1
    leaf: Entry = tensor
    if isinstance(tensor, Stored) and (alone or place.expert is not None):
        leaf = expert(tensor, place.expert or 0)
    return _outputs_first(tensor, leaf, place)


def cut(entry: Entry, place: Place) -> Entry:
    """The rows and columns of an oriented matrix that stand at a place."""
    if place.rows is not None:
        entry = Part(entry, place.rows)
    if place.cols is None:
        return entry
    return Transpose(Part(Transpose(entry), place.cols))


def _outputs_first(tensor: Stored | WeightNorm, leaf: Entry, place: Place) -> Entry:
    """The leaf with outputs as rows: (in, out) transposed, in a convolution the channels alone."""
    if not place.transpose:
        return leaf
    if place.kind == "conv" and len(tensor.dims) > 2:
        return OutputsFirst(leaf, prod(tensor.dims[2:]), place.groups)
    return Transpose(leaf)


def _notes(tensor: Stored, place: Place, note: Note | None) -> Notes:
    unsure = None
    if place.orientation == "unknown":
        unsure = ORIENTATION
    return united(tensor.notes, unsure, place.unsplit, _flattened(tensor, place), note)


def _flattened(tensor: Stored, place: Place) -> Note | None:
    """The note on a stack that is measured as one matrix, as with --no-split."""
    dims = tensor.dims
    if dims[:1] == (1,) or place.expert is not None:
        dims = dims[1:]
    if place.kind == "conv" or len(dims) < 3 or not tensor.params:
        return None
    template = "{many} dimensions read as one matrix of {m} x {n}"
    return Note.of("read-as-matrix", template, many=len(dims), m=dims[0], n=prod(dims[1:]))


def product(pair: LoraPair, tensors: Mapping[str, Stored]) -> Product:
    """scale * B A, out x in; its transpose for an embedding, so that tokens are rows."""
    a, b = tensors[pair.a], tensors[pair.b]
    if pair.turned:
        found = Product(Transpose(b), Transpose(a), pair.scale)
    else:
        found = Product(b, a, pair.scale)
    return turned(found) if pair.table else found


def turned(product: Product) -> Product:
    """The transpose, which is a product of the transposed factors."""
    return Product(Transpose(product.a), Transpose(product.b), product.scale)


def _adapted(
    checkpoint: Checkpoint, products: Mapping[str, Product], options: NameOptions
) -> Mapping[str, Place]:
    """The place of each adapted module, among all adapted modules."""
    shapes = {}
    for pair in checkpoint.pairs:
        shapes[f"{pair.module}.weight"] = products[pair.a].shape
    by_weight = places(shapes, checkpoint.config, split=False, name_map=options.name_map)
    by_module = {}
    for pair in checkpoint.pairs:
        by_module[pair.module] = by_weight[f"{pair.module}.weight"][0]
    return by_module


def _pair(pair: LoraPair, entry: Product, place: Place, tensors: Mapping[str, Stored]) -> Piece:
    """scale * B A as one piece, at the place of the adapted module."""
    a, b = tensors[pair.a], tensors[pair.b]
    table = pair.table
    if table is None:
        table = place.kind == "embedding"
        if table:
            entry = turned(entry)
    # The spelling is that of a layer, the place an embedding: tokens may be rows or columns.
    unsure = None
    if place.kind == "embedding" and not table:
        unsure = ORIENTATION
    word = UPDATE
    if pair.adapter:
        word = f"{UPDATE}.{pair.adapter}"
    slot = word
    if place.slot:
        slot = f"{place.slot}.{word}"
    place = replace(
        place,
        role=_role(place),
        slot=slot,
        kind=_kind(place, table),
        transpose=False,
        orientation="unknown" if unsure else "out_in",
    )
    rows, columns = entry.shape
    piece = Piece(
        f"{pair.module}[{word}]",
        place,
        a,
        entry,
        f"{rows}x{columns}",
        a.dtype,
        rows * columns,
        united(pair.notes, unsure, a.notes, b.notes),
    )
    if a.measurable and b.measurable:
        return piece
    return replace(piece, entry=None, params=a.params + b.params)


def _kind(place: Place, table: bool) -> str:
    """An update is a matrix, even if the name of its module is that of a vector."""
    if table:
        return "embedding"
    if place.kind in ("norm", "bias", "buffer"):
        return "matrix"
    return place.kind


def _role(place: Place) -> str:
    """The role of the adapted module, if a rule matches its name."""
    if place.role == "unknown":
        return UPDATE
    return place.role
