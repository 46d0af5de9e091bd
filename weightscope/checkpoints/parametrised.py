"""Weights that a model computes from other tensors, and what stands beside those: names, shapes
and types decide.

Weight norm keeps g and v of g * v / |v|: `weight_g` and `weight_v`, or `original0` and
`original1` of `parametrizations.weight`; along which dimension the norms run is the one where g
is longer than 1. Spectral norm and masks keep the weight itself, before the division or the
product: `weight_orig`, or `original`; its vectors and bases are buffers. `weight_v` is either, so
that what stands beside it decides.
"""

from __future__ import annotations

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
_USUAL = re.compile(
    r"weight(?:_[ih]h_l\d+(?:_reverse)?)?"
)  # torch's own: others are no halves by their names alone
_PARTNER = {
    "g": "v",
    "v": "g",
    "0": "1",
    "1": "0",
}  # last letters: weight_g, weight_v, original0, original1
_VECTORS = ("_u", "_v")  # of the power iteration of a spectral norm
LONGEST = 512  # characters of a name that is taken apart

Parts = Mapping[str, Stored]  # what stands for one weight, by its last word


@dataclass(frozen=True)
class Read:
    """What the parts of one weight are: a pair or the tensor that stands for it, and buffers."""

    pair: NormPair | None = None
    stored: str = ""
    buffers: tuple[str, ...] = ()
    notes: tuple[tuple[str, Note], ...] = ()


def with_parametrised(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its weight norms; what stands for a weight is called by it."""
    named = {t.name: t for t in checkpoint.tensors if t.name not in checkpoint.optimizer}
    reads = {weight: read for weight, read in _reads(named) if read != Read()}
    if not reads:
        return checkpoint
    weights = {name: weight for weight, read in reads.items() for name in _stand_ins(read)}
    notes: dict[str, Notes] = {}
    for name, note in (found for read in reads.values() for found in read.notes):
        notes[name] = (*notes.get(name, ()), note)
    tensors = tuple(
        replace(
            t, weight=t.weight or weights.get(t.name, ""), notes=(*t.notes, *notes.get(t.name, ()))
        )
        if t.name in weights or t.name in notes
        else t
        for t in checkpoint.tensors
    )
    buffers = frozenset(name for read in reads.values() for name in read.buffers)
    pairs = tuple(read.pair for read in reads.values() if read.pair)
    return replace(checkpoint, tensors=tensors, siblings=checkpoint.siblings | buffers, norms=pairs)


def _stand_ins(read: Read) -> Iterator[str]:
    if read.stored:
        yield read.stored
    if read.pair:
        yield read.pair.v


def _reads(named: Mapping[str, Stored]) -> Iterator[tuple[str, Read]]:
    """Every weight of which parts are stored, by the name that the model calls it."""
    for weight, parts in _grouped(_OLD, named):
        yield weight, _old(weight, parts, named)
    for weight, parts in _grouped(_NEW, named):
        yield weight, _new(weight, parts, named)


def _grouped(pattern: re.Pattern[str], named: Mapping[str, Stored]) -> Iterable[tuple[str, Parts]]:
    groups: dict[str, dict[str, Stored]] = {}
    for name, tensor in named.items():
        # most names end otherwise, and a long one is nobody's
        likely = "_" in name[-5:] if pattern is _OLD else "parametrizations." in name
        found = pattern.fullmatch(name) if likely and len(name) <= LONGEST else None
        if found:
            words = found.groupdict()
            weight = words.get("weight") or f"{words['module']}{words['name']}"
            groups.setdefault(weight, {})[words["part"]] = tensor
    return groups.items()


def _old(weight: str, parts: Parts, named: Mapping[str, Stored]) -> Read:
    """`weight_orig` with its vectors or its mask, else `weight_g` and `weight_v`."""
    stored = parts.get("orig")
    vectors = tuple(
        parts[word] for word in ("u", "v") if word in parts and len(parts[word].dims) == 1
    )
    if stored is None and "bar" in parts and len(vectors) == 2:
        stored = parts["bar"]
    if stored is not None:
        masks = (parts["mask"],) if "mask" in parts else ()
        notes = (SPECTRAL,) * bool(vectors) + (MASKED,) * bool(masks)
        return _before(stored, (*vectors, *masks), notes)
    halves = {word: parts[word] for word in ("g", "v") if word in parts}
    alone = len(halves) < 2 and ("u" in parts or not _USUAL.fullmatch(weight.rpartition(".")[2]))
    return Read() if alone else _normed(weight, halves, named)


def _new(weight: str, parts: Parts, named: Mapping[str, Stored]) -> Read:
    """`original`, or `original0` and `original1`, with the buffers of the parametrisations."""
    ends = {word.partition(".")[2]: tensor for word, tensor in parts.items() if "." in word}
    vectors = tuple(ends[end] for end in _VECTORS if end in ends)
    spectral = len(vectors) == len(_VECTORS)
    buffers = (*(vectors if spectral else ()), *((ends["base"],) if "base" in ends else ()))
    originals = {word: tensor for word, tensor in parts.items() if word.startswith("original")}
    if set(originals) == {"original"}:
        return _before(originals["original"], buffers, (SPECTRAL,) if spectral else ())
    words = {"original0": "g", "original1": "v"}
    if not originals or not originals.keys() <= words.keys():
        return Read(notes=tuple((tensor.name, OTHER) for tensor in originals.values()))
    read = _normed(weight, {words[word]: tensor for word, tensor in originals.items()}, named)
    if spectral and read.pair:
        return replace(
            read, buffers=tuple(b.name for b in buffers), notes=((read.pair.v, SPECTRAL),)
        )
    return read


def _before(stored: Stored, buffers: Iterable[Stored], notes: Notes) -> Read:
    said = tuple((stored.name, note) for note in notes or (OTHER,))
    return Read(None, stored.name, tuple(b.name for b in buffers), said)


def _normed(weight: str, halves: Parts, named: Mapping[str, Stored]) -> Read:
    """A pair of weight norm, or why the halves are none."""
    if len(halves) < 2:
        (tensor,) = halves.values()
        own = tensor.name.rpartition(".")[2]
        why = f"{own} without {own[:-1]}{_PARTNER[own[-1]]} beside it"
    else:
        why = _apart(halves["g"], halves["v"])
        if weight in named:
            why = "g and v of a weight norm beside the weight itself"
    if why:
        note = Note("lone-weight-norm", f"{why}: measured alone")
        return Read(notes=tuple((tensor.name, note) for tensor in halves.values()))
    g, v = halves["g"], halves["v"]
    return Read(NormPair(weight, g.name, v.name, _dim(g.dims, v.dims)))


def _apart(g: Stored, v: Stored) -> str:
    """Why g and v are no pair; "" where an element of g belongs to one slice of v, or to all."""
    readable = all(t.params and t.measurable and DTYPES[t.dtype].kind == "float" for t in (g, v))
    if not readable or len(v.dims) < 2:
        return "g and v of a weight norm that are not both floats"
    longer = _longer(g.dims)
    fits = len(g.dims) == len(v.dims) and all(g.dims[d] == v.dims[d] for d in longer)
    if len(longer) > 1 or (longer and not fits):
        return "g and v of a weight norm whose shapes do not fit"
    return ""


def _longer(dims: tuple[int, ...]) -> list[int]:
    return [d for d, size in enumerate(dims) if size != 1]


def _dim(g: tuple[int, ...], v: tuple[int, ...]) -> int | None:
    """The dimension with a norm for each index; None for one norm, as where it is 1 long."""
    longer = _longer(g)
    return longer[0] if longer else None
