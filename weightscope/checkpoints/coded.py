"""Which stored tensors hold codes of a quantised layout, and which stand beside them: scales, zero points, codebooks.

Codes are no weights until they are decoded, so that statistics of them are wrong by any factor. A tensor is coded
where its siblings say so (layouts.py), or where the config or the metadata declares it (declared.py) and it stands
where a weight stands. Only integers, bytes and small floats can be codes: a float beside a scale is a weight, and so
are 8-bit floats without one. Nothing is read here but names, shapes and types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..escape import escaped
from ..notes import Note
from .checkpoint import Checkpoint
from .declared import Declared, declared
from .entry import Stored
from .layouts import BYTES, CODES, EIGHT, FOUR, LAYOUTS, STANDS_FOR, WEIGHT_LIKE, WIDER, Layout

SMALL_FLOATS = EIGHT | FOUR  # no position, mask or index is stored in these
ASIDE = re.compile(  # words of names that stand beside codes, or hold positions and masks
    r"scale|zero|absmax|quant_map|quant_state|g_idx|perm|shape|bias|offset|mask|position|_ids|index|codebook|centroid"
)


SCALE = re.compile(r"scal|amax")  # what codes are multiplied by, or its range
BESIDE = re.compile(r"scal|amax|zero")
OTHER = re.compile(  # scales that a model learns, and those of activations and of a cache
    r"logit_scale|layer_scale|scale_shift|embed_scale|(^|_)([qkv]|kv|input|output|act|activation)_scale"
)


@dataclass(frozen=True)
class Group:
    """The layout of one coded tensor, the weight it stands for, and the names beside it."""

    layout: str
    weight: str
    beside: tuple[str, ...] = ()


def with_codes(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its codes marked, none of them measurable, and with the names of their siblings."""
    if not any(t.dtype in CODES for t in checkpoint.tensors):
        return checkpoint
    groups = coded(checkpoint)
    if not groups:
        return checkpoint
    siblings = frozenset(name for group in groups.values() for name in group.beside) - groups.keys()
    tensors = tuple(
        _marked(t, groups[t.name]) if t.name in groups else t for t in checkpoint.tensors
    )
    return replace(checkpoint, tensors=tensors, siblings=siblings)


def coded(checkpoint: Checkpoint) -> Mapping[str, Group]:
    """The groups of a checkpoint by the names of their codes; optimizer state is in none.

    >>> codes, scales = Stored("a.qweight", (4, 8), "I32"), Stored("a.scales", (1, 8), "F16")
    >>> coded(Checkpoint("", (codes, scales)))
    {'a.qweight': Group(layout='GPTQ or AWQ', weight='a.weight', beside=('a.scales',))}
    """
    said = declared(checkpoint.config, checkpoint.metadata)
    tensors = {t.name: t for t in checkpoint.tensors if t.name not in checkpoint.optimizer}
    aliases = {
        a: tensors[n] for a, n in checkpoint.aliases.items() if n in tensors and a not in tensors
    }
    named = {_dotted(name): tensor for name, tensor in (*tensors.items(), *aliases.items())}
    groups: dict[str, Group] = {}
    layouts = _possible(named)
    scales = scales_by_module(tensors.values())
    for name, tensor in named.items() if layouts or scales else ():
        if found := _by_siblings(name, tensor, named, layouts, said) or _by_scales(tensor, scales):
            groups.setdefault(tensor.name, found)
    beside = {name for group in groups.values() for name in group.beside}
    for name, tensor in tensors.items():
        if name not in groups and name not in beside and (method := _alone(tensor, said)):
            groups[name] = Group(method, name)
    return groups


def _dotted(name: str) -> str:
    """Names count as if they began with a dot: a bare `qweight` ends like one inside a module."""
    return f".{name}"


def _possible(names: Iterable[str]) -> tuple[Layout, ...]:
    """The layouts of which siblings are there at all: of a hundred thousand names only few last words differ."""
    words = {_last(name) for name in names}
    text = "\n".join((*words, ""))
    return tuple(
        row
        for row in LAYOUTS
        if all(f"{_last(need)}\n" in text for need in (*row.needs, row.codes))
    )


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def _by_siblings(
    name: str,
    tensor: Stored,
    named: Mapping[str, Stored],
    layouts: Sequence[Layout],
    said: Declared,
) -> Group | None:
    """The first layout whose siblings are there."""
    for layout in layouts:
        if (
            tensor.dtype not in layout.dtypes
            or len(tensor.dims) < layout.least
            or not name.endswith(layout.codes)
        ):
            continue
        if layout.methods and said.of(tensor.name).lower() not in layout.methods:
            continue
        stem = name.removesuffix(layout.codes)
        needed = [named.get(stem + ending) for ending in layout.needs]
        if all(sibling is not None and sibling.dtype in layout.scales for sibling in needed):
            return Group(layout.name, _weight(stem, layout), tuple(_beside(stem, layout, named)))
    return None


def _weight(stem: str, layout: Layout) -> str:
    """The name of the weight that codes stand for.

    >>> _weight(".a.", Layout("GPTQ", "qweight", ())), _weight(".a.weight", Layout("NVFP4", "_packed", ()))
    ('a.weight', 'a.weight')
    """
    ending = STANDS_FOR.get(layout.codes, layout.codes)
    return f"{stem}{ending}".removeprefix(".")


def _beside(stem: str, layout: Layout, named: Mapping[str, Stored]) -> Iterator[str]:
    """The stored names of the siblings that are there."""
    for ending in dict.fromkeys((*layout.needs, *layout.also)):
        sibling = named.get(stem + ending)
        if sibling is not None:
            yield sibling.name


def _by_scales(tensor: Stored, scales: Mapping[str, Sequence[Stored]]) -> Group | None:
    """Bytes and small floats in a module that also holds scales for them, in a spelling that no layout has."""
    if (
        tensor.dtype not in BYTES | SMALL_FLOATS
        or len(tensor.dims) < 2
        or ASIDE.search(_last(tensor.name))
    ):
        return None
    beside = scales.get(tensor.name.rpartition(".")[0], ())
    of_codes = [s for s in beside if s.dtype in WIDER and s.params < tensor.params]
    if not any(SCALE.search(_last(s.name)) for s in of_codes):
        return None
    kind = "integers" if tensor.dtype in BYTES else "small floats"
    return Group(f"{kind} with scales", tensor.name, tuple(s.name for s in of_codes))


def scales_by_module(tensors: Iterable[Stored]) -> Mapping[str, Sequence[Stored]]:
    """Scales, ranges and zero points by the module that they are of; a quantiser's are of the module around it.

    >>> w = Stored("a.weight_quantizer._amax", (), "F32")
    >>> list(scales_by_module([w, Stored("logit_scale", (), "F32")]))
    ['a']
    """
    found: dict[str, list[Stored]] = {}
    for tensor in tensors:
        module, _, word = tensor.name.rpartition(".")
        if module.endswith("quantizer"):
            module = module.rpartition(".")[0]
        if module and BESIDE.search(word) and not OTHER.search(word):
            found.setdefault(module, []).append(tensor)
    return found


def _alone(tensor: Stored, said: Declared) -> str:
    """The method of codes without siblings: as it is declared, or by a name that nothing else has."""
    method = _by_declaration(tensor, said) if said.any else ""
    packed = tensor.dtype in CODES and len(tensor.dims) > 1 and _last(tensor.name) == "qweight"
    return method or ("packed integers" if packed else "")


def _by_declaration(tensor: Stored, said: Declared) -> str:
    """The method that is declared for a tensor without siblings, "" where it is none that holds codes."""
    name = _dotted(tensor.name)
    if tensor.dtype not in CODES or len(tensor.dims) < 2 or ASIDE.search(_last(name)):
        return ""
    is_weight = tensor.dtype in SMALL_FLOATS or name.endswith(WEIGHT_LIKE)
    return said.of(tensor.name) if is_weight else ""


def _marked(tensor: Stored, group: Group) -> Stored:
    """The tensor as codes, what was odd about it kept."""
    reason = Note.of(
        "codes-not-decoded",
        "codes of {layout}: not decoded, no statistics",
        layout=escaped(group.layout),
    )
    return replace(
        tensor,
        coded=group.layout,
        weight=group.weight,
        measurable=False,
        notes=(*tensor.notes, reason),
    )
