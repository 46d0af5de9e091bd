"""Weights that a model computes from other tensors, and their buffers: by names, shapes and types.

Weight norm stores g and v of g * v / |v|: `weight_g` and `weight_v`, or `original0` and
`original1` of `parametrizations.weight`; g is longer than 1 in the dimension that has a norm for
each index. Spectral norm and masks store the weight before the division or the product:
`weight_orig`, or `original`; its vectors and bases are buffers. `weight_v` may belong to either
norm, so that its siblings decide.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..dtypes import DTYPES
from ..notes import Note, Notes
from .checkpoint import Checkpoint, NormPair
from .entry import Stored

SPECTRAL = Note("before-parametrisation", "stored before the division by its spectral norm")
MASKED = Note("before-parametrisation", "stored before its pruning mask")
OTHER = Note("before-parametrisation", "stored before a parametrisation of the model")
_OLD = re.compile(r"(?P<weight>(?:.*\.)?\w*weight\w*)_(?P<part>g|v|u|orig|bar|mask)")
_NEW = re.compile(
    r"(?P<module>(?:.*\.)?)parametrizations\.(?P<name>[^.]+)\.(?P<part>original\d*|\d+\.[^.]+)"
)
# names of torch's own modules: a single half with another name need not be of a weight norm
_USUAL = re.compile(r"weight(?:_[ih]h_l\d+(?:_reverse)?)?")
_PARTNER = {  # last letters: weight_g, weight_v, original0, original1
    "g": "v",
    "v": "g",
    "0": "1",
    "1": "0",
}
_HALVES = {"original0": "g", "original1": "v"}
_BASE = "base"  # of an orthogonal parametrisation
_VECTORS = ("_u", "_v")  # of the power iteration of a spectral norm
LONGEST = 512  # characters of a name that is matched

Parts = Mapping[str, Stored]  # the tensors of one weight, by their last words


@dataclass(frozen=True)
class Representation:
    """One weight: a pair or a tensor that represents it, and its buffers."""

    pair: NormPair | None = None
    stored: str = ""
    buffers: tuple[str, ...] = ()
    notes: tuple[tuple[str, Note], ...] = ()


def with_parametrised(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its weight norms; tensors that represent a weight get its name."""
    named = {t.name: t for t in checkpoint.tensors if t.name not in checkpoint.optimizer}
    representations = {
        weight: representation
        for weight, representation in _representations(named)
        if representation != Representation()
    }
    if not representations:
        return checkpoint
    weights: dict[str, str] = {}  # tensor -> the weight that it represents
    notes: dict[str, Notes] = {}
    buffers: set[str] = set()
    pairs = []
    for weight, representation in representations.items():
        if representation.stored:
            weights[representation.stored] = weight
        if representation.pair:
            weights[representation.pair.v] = weight
            pairs.append(representation.pair)
        for name, note in representation.notes:
            notes[name] = (*notes.get(name, ()), note)
        buffers.update(representation.buffers)
    tensors = tuple(_with_weight(t, weights, notes) for t in checkpoint.tensors)
    siblings = checkpoint.siblings | buffers
    return replace(checkpoint, tensors=tensors, siblings=siblings, norms=tuple(pairs))


def _with_weight(tensor: Stored, weights: Mapping[str, str], notes: Mapping[str, Notes]) -> Stored:
    weight = weights.get(tensor.name, "")
    more = notes.get(tensor.name, ())
    if not weight and not more:
        return tensor
    return replace(tensor, weight=tensor.weight or weight, notes=(*tensor.notes, *more))


def _representations(named: Mapping[str, Stored]) -> Iterator[tuple[str, Representation]]:
    """Every weight of which parts are stored, by its name in the model."""
    for weight, parts in _grouped(_OLD, named):
        yield weight, _old(weight, parts, named)
    for weight, parts in _grouped(_NEW, named):
        yield weight, _new(weight, parts, named)


def _grouped(pattern: re.Pattern[str], named: Mapping[str, Stored]) -> Iterable[tuple[str, Parts]]:
    groups: dict[str, dict[str, Stored]] = {}
    for name, tensor in named.items():
        if not _may_match(name, pattern):
            continue
        match = pattern.fullmatch(name)
        if match:
            words = match.groupdict()
            weight = words.get("weight") or f"{words['module']}{words['name']}"
            groups.setdefault(weight, {})[words["part"]] = tensor
    return groups.items()


def _may_match(name: str, pattern: re.Pattern[str]) -> bool:
    """A fast test that excludes most names; no model has such long ones."""
    if len(name) > LONGEST:
        return False
    if pattern is _OLD:
        return "_" in name[-5:]
    return "parametrizations." in name


def _old(weight: str, parts: Parts, named: Mapping[str, Stored]) -> Representation:
    """`weight_orig` with its vectors or its mask, else `weight_g` and `weight_v`."""
    stored = parts.get("orig")
    vectors = [parts[word] for word in ("u", "v") if word in parts]
    vectors = [vector for vector in vectors if len(vector.dims) == 1]
    if stored is None and len(vectors) == 2:
        stored = parts.get("bar")
    if stored is None:
        return _old_norm(weight, parts, named)
    buffers = list(vectors)
    notes: Notes = ()
    if vectors:
        notes += (SPECTRAL,)
    if "mask" in parts:
        notes += (MASKED,)
        buffers.append(parts["mask"])
    return _before(stored, buffers, notes)


def _old_norm(weight: str, parts: Parts, named: Mapping[str, Stored]) -> Representation:
    """`weight_g` and `weight_v`; a single half counts only in the usual names of torch."""
    halves = {word: parts[word] for word in ("g", "v") if word in parts}
    if not halves:  # a mask or a vector without its weight
        return Representation()
    if len(halves) < 2:
        _, _, word = weight.rpartition(".")
        if "u" in parts or not _USUAL.fullmatch(word):
            return Representation()
    return _normed(weight, halves, named)


def _new(weight: str, parts: Parts, named: Mapping[str, Stored]) -> Representation:
    """`original`, or `original0` and `original1`, with the buffers of the parametrisations."""
    by_end = _by_end(parts)
    is_spectral = all(end in by_end for end in _VECTORS)
    ends: tuple[str, ...] = (_BASE,)
    if is_spectral:
        ends = (*_VECTORS, _BASE)
    buffers = [by_end[end] for end in ends if end in by_end]
    originals = {word: tensor for word, tensor in parts.items() if word.startswith("original")}
    if set(originals) == {"original"}:
        notes: Notes = ()
        if is_spectral:
            notes = (SPECTRAL,)
        return _before(originals["original"], buffers, notes)
    if not originals or not originals.keys() <= _HALVES.keys():
        return Representation(notes=tuple((tensor.name, OTHER) for tensor in originals.values()))
    halves = {_HALVES[word]: tensor for word, tensor in originals.items()}
    representation = _normed(weight, halves, named)
    if is_spectral and representation.pair:
        names = tuple(buffer.name for buffer in buffers)
        return replace(representation, buffers=names, notes=((representation.pair.v, SPECTRAL),))
    return representation


def _by_end(parts: Parts) -> Parts:
    """The tensors of the parametrisations, `0._u` by `_u`."""
    by_end: dict[str, Stored] = {}
    for word, tensor in parts.items():
        _, dot, end = word.partition(".")
        if dot:
            by_end[end] = tensor
    return by_end


def _before(stored: Stored, buffers: Iterable[Stored], notes: Notes) -> Representation:
    """A weight that is stored before its parametrisation."""
    named_notes = tuple((stored.name, note) for note in notes or (OTHER,))
    names = tuple(buffer.name for buffer in buffers)
    return Representation(stored=stored.name, buffers=names, notes=named_notes)


def _normed(weight: str, halves: Parts, named: Mapping[str, Stored]) -> Representation:
    """A pair of weight norm, or a note why the halves are none."""
    fault = _fault(weight, halves, named)
    if fault:
        note = Note("lone-weight-norm", f"{fault}: measured alone")
        return Representation(notes=tuple((tensor.name, note) for tensor in halves.values()))
    g, v = halves["g"], halves["v"]
    return Representation(NormPair(weight, g.name, v.name, _norm_dim(g.dims)))


def _fault(weight: str, halves: Parts, named: Mapping[str, Stored]) -> str:
    if len(halves) < 2:
        (half,) = halves.values()
        _, _, word = half.name.rpartition(".")
        return f"{word} without {word[:-1]}{_PARTNER[word[-1]]} beside it"
    if weight in named:
        return "g and v of a weight norm beside the weight itself"
    return _misfit(halves["g"], halves["v"])


def _misfit(g: Stored, v: Stored) -> str:
    """Why g and v are no pair; "" where an element of g belongs to one slice of v, or to all."""
    if not _has_floats(g) or not _has_floats(v) or len(v.dims) < 2:
        return "g and v of a weight norm that are not both floats"
    dim = _norm_dim(g.dims)
    if dim is None:
        return ""
    is_vector = math.prod(g.dims) == g.dims[dim]  # longer than 1 in this dimension alone
    if not is_vector or len(g.dims) != len(v.dims) or g.dims[dim] != v.dims[dim]:
        return "g and v of a weight norm whose shapes do not fit"
    return ""


def _has_floats(tensor: Stored) -> bool:
    is_float = DTYPES[tensor.dtype].kind == "float"
    return is_float and tensor.measurable and tensor.params > 0


def _norm_dim(dims: tuple[int, ...]) -> int | None:
    """The first dimension of g that is longer than 1, None for a single norm."""
    for dim, size in enumerate(dims):
        if size != 1:
            return dim
    return None
