"""The functions that a torch pickle may call: each checks its arguments and returns an inert value.

They replace torch's own rebuild functions (torch/_utils.py, torch/_tensor.py), whose arguments
each docstring lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeGuard

from ...dtypes import DTYPES
from ...escape import shown
from ...notes import Note
from .keys import decoded
from .torch_values import (
    Encoded,
    Found,
    Inert,
    Kind,
    Reference,
    RefusedError,
    Word,
    shape,
    sizes,
    view,
)
from .unread import lazy_negation

Args = tuple[object, ...]

META = Note("no-data", "meta tensor: no data")
NESTED = Note("not-strided", "nested tensor")
FLAGS = 16  # keys in the metadata of a tensor at most: torch writes conj and neg
TRUTHS = (bool, int, float, type(None))  # what torch takes as a bool there
SPARSE = 8  # parts of a sparse tensor at most: indices, values, size, a flag


def tensor(args: Args) -> Found:
    """(storage, offset, size, stride) of torch._utils._rebuild_tensor."""
    if len(args) != 4:
        raise RefusedError(f"_rebuild_tensor with {len(args)} arguments")
    return _view(args)


def tensor_v2(args: Args) -> Found:
    """(storage, offset, size, stride, requires_grad, hooks[, metadata])."""
    if len(args) not in (6, 7):
        raise RefusedError(f"_rebuild_tensor_v2 with {len(args)} arguments")
    metadata = None
    if len(args) == 7:
        metadata = args[6]
    return _with_lazy_bits(_view(args), metadata)


def tensor_v3(args: Args) -> Found:
    """(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]) of untyped bytes."""
    if len(args) not in (7, 8) or not isinstance(args[6], Kind):
        raise RefusedError(f"_rebuild_tensor_v3 with {len(args)} arguments")
    kind = args[6]  # the storage is one of bytes
    metadata = None
    if len(args) == 8:
        metadata = args[7]
    return _with_lazy_bits(_view(args, kind), metadata)


def _view(args: Args, kind: Kind | None = None) -> Found:
    """The view of (storage, offset, size, stride), with which most functions begin."""
    storage, offset, size, stride = args[:4]
    return view(storage, offset, size, stride, kind)


def _with_lazy_bits(found: Found, metadata: object) -> Found:
    """Negation is applied when the tensor is read; conjugation concerns complex numbers alone.

    torch sets a bit for each key that is present, whatever its value: {"neg": False} negates.
    """
    keys = _lazy_bits(metadata)
    if found.kind.note:
        return found
    if "conj" in keys:
        raise RefusedError("a conjugated tensor of numbers that are not complex")
    if "neg" not in keys:
        return found
    if DTYPES[found.kind.dtype].negatable:
        return replace(found, negated=True)
    return replace(found, notes=(lazy_negation(found.kind.dtype),), measurable=False)


def _lazy_bits(metadata: object) -> frozenset[str]:
    """The keys of the metadata; torch loads no tensor whose metadata is not a dict of flags."""
    if not metadata:
        return frozenset()
    # many tensors may share one dict, each of which looks at every key
    if not isinstance(metadata, Mapping) or len(metadata) > FLAGS:
        raise RefusedError("metadata of a tensor that is no dict of flags")
    keys = set()
    for key, value in metadata.items():
        if not isinstance(key, (str, bytes)) or not isinstance(value, TRUTHS):
            raise RefusedError("metadata of a tensor that is no dict of flags")
        keys.add(key if isinstance(key, str) else decoded(key))
    return frozenset(keys)


def parameter(args: Args) -> Found:
    """(data, requires_grad, hooks[, state]): the data."""
    if len(args) not in (3, 4) or not isinstance(args[0], Found):
        raise RefusedError("_rebuild_parameter of a value that is no tensor")
    return args[0]


def meta(args: Args) -> Found:
    """(dtype, size, stride, requires_grad): a shape without data."""
    if len(args) != 4 or not isinstance(args[0], Kind):
        raise RefusedError("_rebuild_meta_tensor_no_storage without a dtype")
    return Found(args[0], shape(args[1]), notes=(META,), measurable=False)


def sparse(args: Args) -> Found:
    """(layout, (index tensors ..., values, size[, is_coalesced])): the values are no matrix."""
    parts = _sparse_parts(args)
    tensors = [part for part in parts if isinstance(part, Found)]
    shapes = [part for part in parts if isinstance(part, (tuple, list))]
    if len(tensors) < 2 or len(shapes) != 1:
        raise RefusedError("a sparse tensor without indices, values and size")
    layout = "sparse"
    if isinstance(args[0], Inert):
        layout = args[0].name
    note = Note.of("not-strided", "sparse layout ({layout})", layout=layout)
    values = tensors[-1]  # the index tensors precede them
    return Found(values.kind, shape(shapes[0]), notes=(note,), measurable=False)


def _sparse_parts(args: Args) -> Args:
    if len(args) != 2:
        return ()
    parts = args[1]
    if not isinstance(parts, tuple) or len(parts) > SPARSE:
        return ()
    return parts


def quantised(args: Args) -> Found:
    """(storage, offset, size, stride, (scheme, ...), requires_grad, hooks): quantised codes."""
    if len(args) != 7 or not isinstance(args[4], tuple):
        raise RefusedError("_rebuild_qtensor without a scheme")
    scheme = "quantised"
    if args[4] and isinstance(args[4][0], Word):
        scheme = args[4][0].name.removeprefix("torch.")
    layout = f"torch quantised ({scheme})"
    note = Note("codes-not-decoded", layout)
    return replace(_view(args), notes=(note,), measurable=False, coded=layout)


def nested(args: Args) -> Found:
    """(buffer, sizes, strides, offsets): rows of different lengths."""
    if len(args) != 4 or not isinstance(args[0], Found):
        raise RefusedError("_rebuild_nested_tensor without a buffer")
    return replace(args[0], notes=(NESTED,), measurable=False)


def size(args: Args) -> tuple[int, ...]:
    """(sizes,) of torch.Size."""
    value = None
    if len(args) == 1:
        value = args[0]
    return sizes(value, "size")


def layout(args: Args) -> Inert:
    """(name,) of torch.serialization._get_layout."""
    if len(args) == 1 and isinstance(args[0], str):
        return Inert(shown(args[0], 40))
    return Inert("layout")


def dropped(name: str) -> Callable[[Args], Inert]:
    """A call whose value concerns no tensor: one record for all, so that a million are cheap."""
    inert = Inert(name)
    return lambda args: inert


def encoded(args: Args) -> Encoded:
    """(text, "latin1"): bytes in protocol 2; (): no bytes."""
    match args:
        case ():
            return Encoded("")
        case (str(text), "latin1"):
            return Encoded(text)
    raise RefusedError("bytes that are no latin-1 text")


def ordered(args: Args) -> dict[object, object]:
    """An OrderedDict starts empty; pickles written by Python 2 pass a list of pairs."""
    if not args:
        return {}
    pairs = args[0]
    if len(args) != 1 or not _are_pairs(pairs):
        raise RefusedError("an OrderedDict of values that are no pairs")
    return dict(pairs)


def defaulted(args: Args) -> dict[object, object]:
    """(factory,) of a defaultdict, which starts empty; the factory is not called."""
    if len(args) > 1:
        raise RefusedError("a defaultdict of more than a factory")
    return {}


def counted(args: Args) -> dict[object, object]:
    """(counts,) of a Counter: the dict of counts."""
    match args:
        case ():
            return {}
        case (dict(counts),):
            return counts
    raise RefusedError("a Counter of no dict")


def queued(args: Args) -> list[object]:
    """([items[, length]]) of a deque: a list, to which items are appended."""
    match args:
        case () | ((),) | ((), _):
            return []
        case (list(items),) | (list(items), _):
            return items
    raise RefusedError("a deque of no list")


def annotation(args: Args) -> Inert:
    """(type, parameters) of an annotation such as Dict[str, int]; of anything else it is a call."""
    match args:
        case (Reference(name), _) if name.startswith("typing."):
            return Inert("annotation")
    raise RefusedError("a call of operator.getitem, which nothing may call,")


def type_of_none(args: Args) -> Inert:
    """(None,): Python writes the type of None so; with more it would make a class."""
    if args == (None,):
        return Inert("builtins.NoneType")
    raise RefusedError("a call of builtins.type, which nothing may call,")


def _are_pairs(value: object) -> TypeGuard[list[tuple[object, object]]]:
    return isinstance(value, list) and all(_is_pair(item) for item in value)


def _is_pair(value: object) -> bool:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return False
    return isinstance(value[0], str)
