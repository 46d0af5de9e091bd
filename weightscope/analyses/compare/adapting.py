"""Adapting: the second source of `compare base adapter` represents the adapted base.

Every pair of factors becomes the update of the base tensor with its module's name or place; where
that is split the update is split with the same rows and columns. Tensors that the adapter brings
along (`modules_to_save`, biases) replace those of the base or are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ...checkpoints import Checkpoint, LoraPair, Stored, lone_factors
from ...checkpoints.adapters import other_factor
from ...errors import UsageError
from ...escape import escaped, shown
from ...factors import factor
from ...naming import strip_prefixes
from ...naming.location import locate
from ..name_options import NameOptions
from ..piece import Model, Piece
from ..pieces import measured, product, split_at
from .partners import Partner, Partners, partners
from .updating import Updates

MERGE = "merge the adapter with the library that trained it and compare the merged model"
ALONE = "measure an adapter alone with fit or spectrum, which list its updates as rows [lora]"

# differences that are no products: LyCORIS, ComfyUI, trained rows of PEFT
DIFFERENCES = frozenset(
    {"diff", "diff_b", "w_norm", "b_norm", "set_weight", "reshape_weight", "trainable_tokens_delta"}
)


def is_adapter(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint has factors of an adapter and not the weights that they adapt.

    An adapter may bring tensors along: any with an adapter_config.json; without one only norms and
    biases in layers, and anything outside of them.
    """
    factors = _factor_names(checkpoint)
    if not factors:
        return False
    brought = [tensor for tensor in checkpoint.tensors if tensor.name not in factors]
    names = {strip_prefixes(tensor.name) for tensor in brought}
    modules = [strip_prefixes(pair.module) for pair in checkpoint.pairs if not pair.table]
    with_weight = [m for m in modules if f"{m}.weight" in names or f"{m}.linear.weight" in names]
    # an adapted head may be saved with its weight
    if any(_in_layer(module) for module in with_weight):
        return False
    if with_weight and len(with_weight) == len(modules):
        return False
    if "peft" in checkpoint.config:
        return True
    return not any(len(t.dims) > 1 and _in_layer(strip_prefixes(t.name)) for t in brought)


def require_base(first: Checkpoint, second: Checkpoint) -> None:
    """UsageError where the first source is an adapter and the second is none."""
    if is_adapter(first) and not is_adapter(second):
        raise UsageError(
            "expected the base before its adapter",
            f"found the adapter {escaped(first.source)} first",
            f"exchange the two; {ALONE}",
        )


def alone(adapter: Checkpoint) -> UsageError:
    """The error for an adapter as the only source."""
    return UsageError(
        "expected a base and its adapter", f"found {escaped(adapter.source)} alone", ALONE
    )


def adapted(base: Model, adapter: Model | Checkpoint, reading: NameOptions) -> Model:
    """The adapted base: pieces of the base, with updates where the adapter has some.

    `base` has all of its pieces: selections come later. Untouched ones stay themselves. Norms of
    DoRA are unknown until `with_norms` measures them. UsageError for an adapter of another method
    or of another base.
    """
    checkpoint = adapter.checkpoint if isinstance(adapter, Model) else adapter
    _require_lora(checkpoint)
    tensors = {tensor.name: tensor for tensor in checkpoint.tensors}
    brought = _brought(checkpoint)
    shapes = {tensor.name: tensor.dims for tensor in brought}
    for pair in checkpoint.pairs:
        shapes[_weight(pair)] = product(pair, tensors).shape
    known = partners(base, shapes, reading)

    pieces = {piece: piece for piece in base.pieces}
    added = _bring(pieces, brought, known)
    peft = checkpoint.config.get("peft")
    fan_in_fan_out = isinstance(peft, Mapping) and peft.get("fan_in_fan_out") is True
    updates = Updates(tensors, fan_in_fan_out)
    taken: dict[Piece, str] = {}
    for pair in checkpoint.pairs:
        partner = _partner(pair, known)
        for piece in partner.pieces:
            _take(taken, piece, pair.module)
            pieces[piece] = updates.applied(pair, partner, pieces[piece])
    own = _own(checkpoint, added, reading)
    return Model(checkpoint.source, checkpoint, (*pieces.values(), *own))


def _own(checkpoint: Checkpoint, added: frozenset[str], reading: NameOptions) -> Sequence[Piece]:
    """The pieces of tensors that the base lacks."""
    if not added:
        return ()
    model = measured(checkpoint, reading)
    return [piece for piece in model.pieces if piece.stored.name in added]


def _weight(pair: LoraPair) -> str:
    """The name of the weight that a pair updates."""
    return f"{pair.module}.weight"


def _factor_names(checkpoint: Checkpoint) -> set[str]:
    """Names of factors of any method, and of the scalars and magnitudes beside them."""
    names = set(checkpoint.siblings)
    for pair in checkpoint.pairs:
        names |= {pair.a, pair.b, pair.magnitudes}
    others = [t.name for t in checkpoint.tensors if other_factor(t.name) or _half(t.name)]
    if not checkpoint.pairs and not others:
        return set()
    return names.union(others)


def _half(name: str) -> bool:
    """Whether a tensor is one of two factors by its name, or the bias of one."""
    stem = name.removesuffix(".bias")
    return factor(name) is not None or (stem != name and factor(f"{stem}.weight") is not None)


def _in_layer(name: str) -> bool:
    return locate(name, None).number is not None


def _require_lora(checkpoint: Checkpoint) -> None:
    """UsageError that names the method of an adapter other than LoRA and DoRA."""
    peft = checkpoint.config.get("peft")
    method = peft.get("peft_type", "LORA") if isinstance(peft, Mapping) else "LORA"
    if method != "LORA":
        raise _unsupported(f"the adapter type {shown(method)} in adapter_config.json")
    paired = {name for pair in checkpoint.pairs for name in (pair.a, pair.b, pair.magnitudes)}
    lone = lone_factors(checkpoint.tensors, checkpoint.config)
    for tensor in checkpoint.tensors:
        name = tensor.name
        if name in paired:
            continue
        other = other_factor(name)
        if other is not None:
            raise _unsupported(f"{escaped(name)}, a factor of {other.kind}")
        if name in lone:
            raise _unsupported(f"{escaped(name)}, {lone[name].text}")
        if _half(name):
            raise _unsupported(f"{escaped(name)}, which is not part of a pair of matrices")
        _, _, word = name.rpartition(".")
        if word in DIFFERENCES:
            raise _unsupported(f"{escaped(name)}, a difference of another kind")
    if not checkpoint.pairs:
        raise _unsupported("no pair of factors")


def _unsupported(found: str) -> UsageError:
    return UsageError("expected an adapter of LoRA or DoRA", f"found {found}", MERGE)


def _brought(checkpoint: Checkpoint) -> list[Stored]:
    """Weights that an adapter brings along, without the originals of those that PEFT replaced."""
    factors = _factor_names(checkpoint) | checkpoint.optimizer
    return [
        tensor
        for tensor in checkpoint.tensors
        if tensor.name not in factors and ".original_module." not in tensor.name
    ]


def _bring(
    pieces: dict[Piece, Piece], brought: Sequence[Stored], known: Partners
) -> frozenset[str]:
    """Replaces the pieces that an adapter has a weight for; the names of those it adds."""
    added = set()
    taken: dict[Piece, str] = {}
    for tensor in brought:
        partner = known.find(tensor.name)
        if not partner.pieces or partner.is_part:
            added.add(tensor.name)
            continue
        places = tuple(piece.place for piece in partner.pieces)
        is_split = any(place.piece for place in places)
        first = partner.pieces[0].stored
        if is_split and tensor.dims != first.dims:
            raise UsageError(
                f"expected {escaped(tensor.name)} in the shape of the base, {first.dims}",
                f"found {tensor.dims}",
                "add --no-split",
            )
        for piece, new in zip(partner.pieces, split_at(tensor, places, None), strict=True):
            _take(taken, piece, tensor.name)
            pieces[piece] = replace(new, name=piece.name)
    return frozenset(added)


def _partner(pair: LoraPair, known: Partners) -> Partner:
    """What a pair updates; UsageError where the base has nothing like it."""
    partner = known.module(pair.module)
    if not partner.pieces:
        raise UsageError(
            "expected an adapter of the base",
            f"found no tensor for the module {escaped(pair.module)}",
            f"the nearest names of the base are {known.nearest(_weight(pair))}",
        )
    return partner


def _take(taken: dict[Piece, str], piece: Piece, name: str) -> None:
    """UsageError where two tensors or modules of an adapter mean one piece."""
    if piece in taken:
        raise UsageError(
            f"expected one adapter, with one update of {escaped(piece.name)}",
            f"found {escaped(taken[piece])} and {escaped(name)}",
            "save each adapter in a file of its own",
        )
    taken[piece] = name
