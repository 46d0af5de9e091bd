"""A dict of tensors in memory (`model.state_dict()`), on any device: nothing is copied and nothing is read.

Tensors come as views in the type that stores their bits, so that the engine treats them as it treats bytes from a
file. Values that are no tensors are left out with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from ...dtypes import DTYPES
from ...errors import CheckpointError, UsageError
from ...escape import NAMED, listed, quoted, shown
from ...lazy import torch
from ...notes import Note
from .. import limits
from ..checkpoint import Checkpoint
from ..entry import Stored
from .keys import name_of
from .torch_values import most_expanded
from .unread import complex_numbers, expanded, lazy_negation, too_many_dimensions

if TYPE_CHECKING:
    from torch import Tensor

EXPANDED = Note("expanded", "expanded: one stored value stands for many")
TORCH_NAMES = {  # torch's spelling -> the safetensors spelling
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "float8_e8m0fnu": "F8_E8M0",
    "float8_e4m3fnuz": "F8_E4M3FNUZ",
    "float8_e5m2fnuz": "F8_E5M2FNUZ",
    "float4_e2m1fn_x2": "F4",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
    "complex32": "C32",
    "complex64": "C64",
    "complex128": "C128",
}


def read(source: Mapping[Any, Any], root: str | None = None) -> Checkpoint:
    """The tensors of a dict; `root` names the inner dict to take. Raises CheckpointError, UsageError."""
    tensors, skipped, odd = {}, [], []
    inner = _root(source, root)
    for key, value in inner.items():
        name = name_of(key)
        if name is not key:
            odd.append(f"the key {quoted(name)} is a {type(key).__name__}, not a string")
        if name in tensors:
            raise CheckpointError(
                "expected one tensor per name", f"found two named {shown(name)}", "pass unique keys"
            )
        if isinstance(value, torch.Tensor) and dtype_name(value) is not None:
            tensors[name] = value
        else:
            skipped.append(f"{shown(name)} ({_kind(value)})")
    if not tensors:
        raise _nothing(inner, skipped)
    aliases = _aliases(tensors)
    left = f"left out, not tensors of a known type: {listed(skipped, NAMED)}"
    leaves = tuple(_stored(name, tensor) for name, tensor in tensors.items() if name not in aliases)
    return Checkpoint(
        "memory", leaves, aliases=aliases, notes=(left,) if skipped else (), flags=tuple(odd)
    )


def dtype_name(tensor: Tensor) -> str | None:
    """The safetensors name of a tensor's type, None for types that have none (quantised)."""
    return TORCH_NAMES.get(str(tensor.dtype).removeprefix("torch."))


def _nothing(source: Mapping[Any, Any], skipped: list[str]) -> CheckpointError:
    """What a dict without tensors holds, and how tensors come of it."""
    found = listed(skipped, NAMED)
    if any(_kind(value) == "ndarray" for value in source.values()):
        advice = "torch.from_numpy(array) makes a tensor of an array"
    elif any(isinstance(value, Mapping) for value in source.values()):
        advice = "name the inner dict with root"
    else:
        advice = "pass model.state_dict()"
    return CheckpointError(
        "expected a dict of torch tensors", f"found {found or 'an empty one'}", advice
    )


def _root(source: Mapping[Any, Any], root: str | None) -> Mapping[Any, Any]:
    """The dict itself, or the one that `root` names."""
    if root is None:
        return source
    inner = source.get(root)
    if not isinstance(inner, Mapping):
        raise UsageError(
            f"expected a dict under {root!r}",
            f"found {listed([name_of(key) for key in source])}",
            "name one of these",
        )
    return inner


def _aliases(tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Name -> the first name of the same elements in the same storage."""
    first: dict[object, str] = {}
    aliases = {}
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_meta or not tensor.numel():
            continue
        key = (
            tensor.device,
            tensor.data_ptr(),
            tensor.dtype,
            tuple(tensor.shape),
            tensor.stride(),
            tensor.is_neg(),
            tensor.is_conj(),
        )
        if first.setdefault(key, name) != name:
            aliases[name] = first[key]
    return aliases


def _stored(name: str, tensor: Tensor) -> Stored:
    """The leaf of a tensor: a view in its storage type, or a note why it cannot be measured."""
    dtype, dims = dtype_name(tensor) or "", tuple(tensor.shape)
    lack = _unmeasured(tensor, dtype)
    if lack:
        return Stored(name, dims, dtype, notes=(lack,), measurable=False)
    store = getattr(torch, DTYPES[dtype].store)
    view = tensor.detach() if tensor.dtype == store else tensor.detach().view(store)
    return Stored(
        name,
        dims,
        dtype,
        strides=None if tensor.is_contiguous() else tensor.stride(),
        tensor=view,
        notes=(EXPANDED,) if _expanded(tensor) else (),
    )


def _unmeasured(tensor: Tensor, dtype: str) -> Note | None:
    """Why a tensor has no values that can be measured; None where it has."""
    if tensor.is_meta:
        return Note("no-data", "no data: a meta tensor")
    if tensor.layout != torch.strided:
        layout = str(tensor.layout).removeprefix("torch.")
        return Note.of("not-strided", "sparse layout: {layout}", layout=layout)
    if DTYPES[dtype].kind == "none":
        return complex_numbers(dtype)
    if dtype == "F4":
        return Note("type-not-decoded", "packed half-byte values are measured from files only")
    if tensor.is_neg() and not DTYPES[dtype].negatable:
        return lazy_negation(dtype)
    if _expanded(tensor) and tensor.numel() > most_expanded(_distinct(tensor)):
        return expanded(_distinct(tensor), tensor.numel())
    return too_many_dimensions(tensor.ndim) if tensor.ndim > limits.RANK else None


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
