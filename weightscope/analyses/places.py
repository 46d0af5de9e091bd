"""The places of all tensors of a checkpoint: codes, siblings and weight norms besides weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..checkpoints import Checkpoint, Stored
from ..naming import Place, places
from .name_options import NameOptions

BESIDE = "beside the weight that it belongs to: codes, factors, a norm"


def places_of(checkpoint: Checkpoint, options: NameOptions) -> dict[str, tuple[Place, ...]]:
    """The places of every tensor by its stored name; codes have the place of their weight."""
    names = _names(checkpoint)

    def call(tensor: Stored) -> str:
        """The name in the model; codes are placed under their own name at first."""
        if tensor.coded:
            return tensor.name
        return names.get(tensor.name, tensor.name)

    dims = {call(tensor): tensor.dims for tensor in checkpoint.tensors}
    by_call = places(dims, checkpoint.config, split=options.split, name_map=options.name_map)
    by_name = {tensor.name: by_call[call(tensor)] for tensor in checkpoint.tensors}
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
        name = names.get(tensor.name, tensor.name)
        as_weights[name] = tensor.matrix if tensor.coded else tensor.dims
    whole = places(as_weights, checkpoint.config, split=False, name_map=options.name_map)
    for name in coded:
        by_name[name] = whole[names.get(name, name)]
    return by_name


def _names(checkpoint: Checkpoint) -> Mapping[str, str]:
    """The tensors with another name in the model: codes, by their weight unless it is taken."""
    represent = [tensor for tensor in checkpoint.tensors if tensor.weight]
    if not represent:
        return {}
    taken = {t.name for t in checkpoint.tensors} | checkpoint.aliases.keys()
    names = {}
    for tensor in represent:
        if tensor.weight not in taken:
            names[tensor.name] = tensor.weight
            taken.add(tensor.weight)
    return names


def _beside(place: Place) -> Place:
    """Scales, zero points, alphas and vectors of a norm: buffers in the layer of their weight."""
    return Place("buffer", "buffer", place.layer, place.stack, slot=place.slot, why=BESIDE)


def _gain(place: Place) -> Place:
    """g of a weight norm is a factor, not a matrix, whatever its dimensions."""
    if place.kind in ("matrix", "conv"):
        return replace(place, kind="norm")
    return place
