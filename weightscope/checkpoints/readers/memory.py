"""A dict of tensors in memory (`model.state_dict()`), on any device: nothing is copied and nothing is read.

Tensors come as views in the type that stores their bits, so that the engine treats them as it treats bytes from a
file. Values that are no tensors are left out with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from ...dtypes import DTYPES
from ...errors import Untrusted, Usage
from ...escape import NAMED, listed, quoted, shown
from ...heavy import torch
from .. import limits
from ..checkpoint import Checkpoint
from ..entry import Stored
from .keys import name_of
from .torch_values import most_expanded

if TYPE_CHECKING:
    from torch import Tensor

TORCH_NAMES = {                                 # torch's spelling -> the safetensors spelling
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ", "float4_e2m1fn_x2": "F4",
    "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8",
    "uint64": "U64", "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    "complex32": "C32", "complex64": "C64", "complex128": "C128",
}


def read(source: Mapping[Any, Any], root: str | None = None) -> Checkpoint:
    """The tensors of a dict; `root` names the inner dict to take. Raises Untrusted, Usage."""
    tensors, skipped, odd = {}, [], []
    inner = _root(source, root)
    for key, value in inner.items():
        name = name_of(key)
        if name is not key:
            odd.append(f"the key {quoted(name)} is a {type(key).__name__}, not a string")
        if name in tensors:
            raise Untrusted("expected one tensor per name", f"found two named {shown(name)}", "pass unique keys")
        if isinstance(value, torch.Tensor) and dtype_name(value) is not None:
            tensors[name] = value
        else:
            skipped.append(f"{shown(name)} ({_kind(value)})")
    if not tensors:
        raise _nothing(inner, skipped)
    aliases = _aliases(tensors)
    left = f"left out, not tensors of a known type: {listed(skipped, NAMED)}"
    leaves = tuple(_stored(name, tensor) for name, tensor in tensors.items() if name not in aliases)
    return Checkpoint("memory", leaves, aliases=aliases, notes=(left,) if skipped else (), flags=tuple(odd))


def dtype_name(tensor: Tensor) -> str | None:
    """The safetensors name of a tensor's type, None for types that have none (quantised)."""
    return TORCH_NAMES.get(str(tensor.dtype).removeprefix("torch."))


def _nothing(source: Mapping[Any, Any], skipped: list[str]) -> Untrusted:
    """What a dict without tensors holds, and how tensors come of it."""
    found = listed(skipped, NAMED)
    if any(_kind(value) == "ndarray" for value in source.values()):
        advice = "torch.from_numpy(array) makes a tensor of an array"
    elif any(isinstance(value, Mapping) for value in source.values()):
        advice = "name the inner dict with root"
    else:
        advice = "pass model.state_dict()"
    return Untrusted("expected a dict of torch tensors", f"found {found or 'an empty one'}", advice)


def _root(source: Mapping[Any, Any], root: str | None) -> Mapping[Any, Any]:
    """The dict itself, or the one that `root` names."""
    if root is None:
        return source
    inner = source.get(root)
    if not isinstance(inner, Mapping):
        raise Usage(f"expected a dict under {root!r}",
                    f"found {listed([name_of(key) for key in source])}",
                    "name one of these")
    return inner


def _aliases(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Name -> the first name of the same elements in the same storage."""
    first: dict[object, str] = {}
    aliases = {}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta or not tensor.numel():
            continue
        key = (tensor.device, tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride(), tensor.is_neg(),
               tensor.is_conj())
        if first.setdefault(key, name) != name:
            aliases[name] = first[key]
    return aliases


def _stored(name: str, tensor: Tensor) -> Stored:
    """The leaf of a tensor: a view in its storage type, or a note why it cannot be measured."""
    dtype, dims = dtype_name(tensor) or "", tuple(tensor.shape)
    why = _unmeasured(tensor, dtype)
    if why:
        return Stored(name, dims, dtype, note=why, measurable=False)
    store = getattr(torch, DTYPES[dtype].store)
    view = tensor.detach() if tensor.dtype == store else tensor.detach().view(store)
    return Stored(name, dims, dtype, strides=None if tensor.is_contiguous() else tensor.stride(), tensor=view,
                  note="expanded: one stored value stands for many" if _expanded(tensor) else "")


def _unmeasured(tensor: Tensor, dtype: str) -> str:
    """Why a tensor has no values that can be measured; empty where it has."""
    if tensor.is_meta:
        return "no data: a meta tensor"
    if tensor.layout != torch.strided:
        return f"sparse layout: {str(tensor.layout).removeprefix('torch.')}"
    if DTYPES[dtype].kind == "none":
        return f"complex numbers ({dtype}) are not measured"
    if dtype == "F4":
        return "packed half-byte values are measured from files only"
    if tensor.is_neg() and not DTYPES[dtype].negatable:
        return f"lazy neg bit, which torch does not resolve for {dtype}"
    if _expanded(tensor) and tensor.numel() > most_expanded(_distinct(tensor)):
        return f"expanded: {_distinct(tensor)} stored elements stand for {tensor.numel()}"
    return f"{tensor.ndim} dimensions, at most {limits.RANK} are measured" if tensor.ndim > limits.RANK else ""


def _expanded(tensor: Tensor) -> bool:
    """An empty tensor repeats nothing, whatever its strides: numpy's are all zero."""
    steps = zip(tensor.stride(), tensor.shape, strict=True)
    return tensor.numel() > 0 and any(step == 0 and extent > 1 for step, extent in steps)


def _distinct(tensor: Tensor) -> int:
    """Elements that an expanded view really has, those of its stepping dimensions."""
    steps = zip(tensor.stride(), tensor.shape, strict=True)
    return prod(extent for step, extent in steps if step)


def _kind(value: object) -> str:
    return str(value.dtype) if isinstance(value, torch.Tensor) else type(value).__name__
