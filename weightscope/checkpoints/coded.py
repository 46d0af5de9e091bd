"""Stored tensors that hold codes of a quantised layout, and their siblings such as scales.

Codes are no weights until they are decoded, so that statistics of them are wrong by any factor. A
tensor holds codes where its siblings belong to a layout (layouts.py), or where the config or the
metadata declares it (declared.py) and it is named like a weight. Only integers, bytes and small
floats can be codes: a float with a scale is a weight, and so are 8-bit floats without one. Only
names, shapes and types are used here.
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
ASIDE = re.compile(  # words in names of siblings of codes, and of positions and masks
    r"scale|zero|absmax|quant_map|quant_state|g_idx|perm|shape|bias|offset|mask|position|_ids|index"
    r"|codebook|centroid"
)
SCALE = re.compile(r"scal|amax")  # factors of codes, and their ranges
BESIDE = re.compile(r"scal|amax|zero")
OTHER = re.compile(  # scales that a model learns, and those of activations and of a cache
    r"logit_scale|layer_scale|scale_shift|embed_scale"
    r"|(^|_)([qkv]|kv|input|output|act|activation)_scale"
)


@dataclass(frozen=True)
class Group:
    """The layout of one coded tensor, the weight it represents, and the names of its siblings."""

    layout: str
    weight: str
    beside: tuple[str, ...] = ()


def with_codes(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with its codes marked as not measurable and their siblings named."""
    if not any(t.dtype in CODES for t in checkpoint.tensors):
        return checkpoint
    groups = coded(checkpoint)
    if not groups:
        return checkpoint
    tensors = []
    for tensor in checkpoint.tensors:
        if tensor.name in groups:
            tensor = _marked(tensor, groups[tensor.name])
        tensors.append(tensor)
    siblings = frozenset(_siblings(groups)) - groups.keys()
    return replace(checkpoint, tensors=tuple(tensors), siblings=siblings)


def coded(checkpoint: Checkpoint) -> Mapping[str, Group]:
    """The groups of a checkpoint by the names of their codes; optimizer state is in none.

    >>> codes, scales = Stored("a.qweight", (4, 8), "I32"), Stored("a.scales", (1, 8), "F16")
    >>> coded(Checkpoint("", (codes, scales)))
    {'a.qweight': Group(layout='GPTQ or AWQ', weight='a.weight', beside=('a.scales',))}
    """
    declaration = declared(checkpoint.config, checkpoint.metadata)
    tensors = {t.name: t for t in checkpoint.tensors if t.name not in checkpoint.optimizer}
    named = _dotted_names(tensors, checkpoint.aliases)
    layouts = _possible(named)
    scales = scales_by_module(tensors.values())
    groups: dict[str, Group] = {}
    if layouts or scales:  # without both no name can match
        for name, tensor in named.items():
            group = _by_siblings(name, tensor, named, layouts, declaration)
            group = group or _by_scales(tensor, scales)
            if group:
                groups.setdefault(tensor.name, group)
    siblings = _siblings(groups)
    for name, tensor in tensors.items():
        if name not in groups and name not in siblings:
            method = _alone(tensor, declaration)
            if method:
                groups[name] = Group(method, name)
    return groups


def _siblings(groups: Mapping[str, Group]) -> set[str]:
    return {name for group in groups.values() for name in group.beside}


def _dotted_names(
    tensors: Mapping[str, Stored], aliases: Mapping[str, str]
) -> Mapping[str, Stored]:
    """Tensors by name and alias after a dot: a bare `qweight` then ends like one in a module."""
    named = {_dotted(name): tensor for name, tensor in tensors.items()}
    for alias, name in aliases.items():
        if name in tensors and alias not in tensors:
            named[_dotted(alias)] = tensors[name]
    return named


def _dotted(name: str) -> str:
    return f".{name}"


def _possible(names: Iterable[str]) -> tuple[Layout, ...]:
    """The layouts that have any siblings; few last words occur in a hundred thousand names."""
    words = {_last(name) for name in names}
    text = "\n".join((*words, ""))  # one search in it instead of one in each word
    layouts = []
    for layout in LAYOUTS:
        endings = (*layout.needs, layout.codes)
        if all(f"{_last(ending)}\n" in text for ending in endings):
            layouts.append(layout)
    return tuple(layouts)


def _last(name: str) -> str:
    _, _, word = name.rpartition(".")
    return word


def _by_siblings(
    name: str,
    tensor: Stored,
    named: Mapping[str, Stored],
    layouts: Sequence[Layout],
    declaration: Declared,
) -> Group | None:
    """The first layout with all its siblings."""
    for layout in layouts:
        if not _may_be_codes(name, tensor, layout):
            continue
        if layout.methods and declaration.of(tensor.name).lower() not in layout.methods:
            continue
        stem = name.removesuffix(layout.codes)
        needed = [named.get(stem + ending) for ending in layout.needs]
        if all(sibling is not None and sibling.dtype in layout.scales for sibling in needed):
            siblings = tuple(_sibling_names(stem, layout, named))
            return Group(layout.name, _weight(stem, layout), siblings)
    return None


def _may_be_codes(name: str, tensor: Stored, layout: Layout) -> bool:
    """Whether the type, the dimensions and the end of the name are those of the layout's codes."""
    return (
        tensor.dtype in layout.dtypes
        and len(tensor.dims) >= layout.least
        and name.endswith(layout.codes)
    )


def _weight(stem: str, layout: Layout) -> str:
    """The name of the weight that codes represent.

    >>> _weight(".a.", Layout("GPTQ", "qweight", ()))
    'a.weight'
    >>> _weight(".a.weight", Layout("NVFP4", "_packed", ()))
    'a.weight'
    """
    ending = STANDS_FOR.get(layout.codes, layout.codes)
    return f"{stem}{ending}".removeprefix(".")


def _sibling_names(stem: str, layout: Layout, named: Mapping[str, Stored]) -> Iterator[str]:
    """The stored names of the siblings that exist."""
    for ending in dict.fromkeys((*layout.needs, *layout.also)):
        sibling = named.get(stem + ending)
        if sibling is not None:
            yield sibling.name


def _by_scales(tensor: Stored, scales: Mapping[str, Sequence[Stored]]) -> Group | None:
    """Bytes and small floats in a module with scales for them, in a spelling of no layout."""
    is_narrow = tensor.dtype in BYTES or tensor.dtype in SMALL_FLOATS
    if not is_narrow or len(tensor.dims) < 2 or ASIDE.search(_last(tensor.name)):
        return None
    module, _, _ = tensor.name.rpartition(".")
    candidates = scales.get(module, ())
    # a scale is wider than its codes, and there are fewer scales than codes
    siblings = [s for s in candidates if s.dtype in WIDER and s.params < tensor.params]
    if not any(SCALE.search(_last(sibling.name)) for sibling in siblings):
        return None
    noun = "integers" if tensor.dtype in BYTES else "small floats"
    names = tuple(sibling.name for sibling in siblings)
    return Group(f"{noun} with scales", tensor.name, names)


def scales_by_module(tensors: Iterable[Stored]) -> Mapping[str, Sequence[Stored]]:
    """Scales, ranges and zero points by module; of a quantiser by the module around it.

    >>> w = Stored("a.weight_quantizer._amax", (), "F32")
    >>> list(scales_by_module([w, Stored("logit_scale", (), "F32")]))
    ['a']
    """
    modules: dict[str, list[Stored]] = {}
    for tensor in tensors:
        module, _, word = tensor.name.rpartition(".")
        if module.endswith("quantizer"):
            module, _, _ = module.rpartition(".")
        if module and BESIDE.search(word) and not OTHER.search(word):
            modules.setdefault(module, []).append(tensor)
    return modules


def _alone(tensor: Stored, declaration: Declared) -> str:
    """The method of codes without siblings: as declared, or by the name `qweight`."""
    if tensor.dtype not in CODES or len(tensor.dims) < 2:
        return ""
    method = _declared_method(tensor, declaration)
    if not method and _last(tensor.name) == "qweight":
        return "packed integers"
    return method


def _declared_method(tensor: Stored, declaration: Declared) -> str:
    """The method that is declared for a tensor, "" where its name is not that of codes."""
    name = _dotted(tensor.name)
    if not declaration.any or ASIDE.search(_last(name)):
        return ""
    # any tensor of small floats may hold codes; integers are often tables of indices
    if tensor.dtype in SMALL_FLOATS or name.endswith(WEIGHT_LIKE):
        return declaration.of(tensor.name)
    return ""


def _marked(tensor: Stored, group: Group) -> Stored:
    """The tensor as codes, its earlier notes kept."""
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
