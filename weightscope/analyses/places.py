"""The places of all tensors of a checkpoint: codes, siblings and weight norms besides weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..checkpoints import Checkpoint
from ..naming import Place, places
from .name_options import NameOptions

BESIDE = "beside the weight that it belongs to: codes, factors, a norm"


def places_of(checkpoint: Checkpoint, options: NameOptions) -> dict[str, tuple[Place, ...]]:
    """The places of every tensor by its stored name; codes have the place of their weight."""
    names = _names(checkpoint)
    called = {}  # the name in the model; codes are placed under their own name at first
    dims = {}
    for tensor in checkpoint.tensors:
        if tensor.coded:
            call = tensor.name
        else:
            call = names[tensor.name]
        called[tensor.name] = call
        dims[call] = tensor.dims
    by_call = places(dims, checkpoint.config, split=options.split, name_map=options.name_map)
    by_name = {name: by_call[call] for name, call in called.items()}
    for name in checkpoint.siblings:
        by_name[name] = (_beside(by_name[name][0]),)
    for norm in checkpoint.norms:
        by_name[norm.g] = (_gain(by_name[norm.g][0]),)
    coded = [tensor.name for tensor in checkpoint.tensors if tensor.coded]
    if not coded:
        return by_name
    # in a second call: the shapes of packed codes must not decide the places of other tensors
    as_weights = {}
    for tensor in checkpoint.tensors:
        as_weights[names[tensor.name]] = tensor.matrix if tensor.coded else tensor.dims
    whole = places(as_weights, checkpoint.config, split=False, name_map=options.name_map)
    for name in coded:
        by_name[name] = whole[names[name]]
    return by_name


def _names(checkpoint: Checkpoint) -> Mapping[str, str]:
    """The name by which each tensor is placed: codes by their weight unless the name is taken."""
    taken = {t.name for t in checkpoint.tensors} | checkpoint.aliases.keys()
    names = {}
    for tensor in checkpoint.tensors:
        free = bool(tensor.weight) and tensor.weight not in taken
        names[tensor.name] = tensor.weight if free else tensor.name
        taken.add(names[tensor.name])
    return names


def _beside(place: Place) -> Place:
    """Scales, zero points, alphas and vectors of a norm: buffers in the layer of their weight."""
    return Place("buffer", "buffer", place.layer, place.stack, slot=place.slot, why=BESIDE)


def _gain(place: Place) -> Place:
    """g of a weight norm is a factor, not a matrix, whatever its dimensions."""
    if place.kind in ("matrix", "conv"):
        return replace(place, kind="norm")
    return place
