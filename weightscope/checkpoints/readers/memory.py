"""A dict of tensors in memory (`model.state_dict()`), on any device: nothing is copied or read.

Tensors become views in the type that stores their bits, so that the engine treats them like bytes
from a file. Values that are no tensors are omitted with a note.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import TYPE_CHECKING, Any

from ...dtypes import DTYPES
from ...errors import CheckpointError, NotChosen
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
    """The tensors of a dict; `root` names its inner dict. Raises CheckpointError, UsageError."""
    inner = _root(source, root)
    tensors: dict[str, Tensor] = {}
    skipped = []
    flags = []
    for key, value in inner.items():
        name = name_of(key)
        if name is not key:
            flags.append(f"the key {quoted(name)} is a {type(key).__name__}, not a string")
        if name in tensors:
            raise CheckpointError(
                "expected one tensor per name", f"found two named {shown(name)}", "pass unique keys"
            )
        if isinstance(value, torch.Tensor) and dtype_name(value) is not None:
            tensors[name] = value
        else:
            skipped.append(f"{shown(name)} ({_type_name(value)})")
    if not tensors:
        raise _no_tensors(inner, skipped)
    aliases = _aliases(tensors)
    leaves = tuple(_stored(name, tensor) for name, tensor in tensors.items() if name not in aliases)
    notes: tuple[str, ...] = ()
    if skipped:
        notes = (f"left out, not tensors of a known type: {listed(skipped, NAMED)}",)
    return Checkpoint("memory", leaves, aliases=aliases, notes=notes, flags=tuple(flags))


def dtype_name(tensor: Tensor) -> str | None:
    """The safetensors name of a tensor's type, None for types that have none (quantised)."""
    return TORCH_NAMES.get(str(tensor.dtype).removeprefix("torch."))


def _no_tensors(source: Mapping[Any, Any], skipped: list[str]) -> CheckpointError:
    """The refusal of a dict without tensors, with advice that follows from its values."""
    content = listed(skipped, NAMED) or "an empty one"
    if any(_type_name(value) == "ndarray" for value in source.values()):
        advice = "torch.from_numpy(array) makes a tensor of an array"
    elif any(isinstance(value, Mapping) for value in source.values()):
        advice = "name the inner dict with root"
    else:
        advice = "pass model.state_dict()"
    return CheckpointError("expected a dict of torch tensors", f"found {content}", advice)


def _root(source: Mapping[Any, Any], root: str | None) -> Mapping[Any, Any]:
    """The dict itself, or the one that `root` names."""
    if root is None:
        return source
    inner = source.get(root)
    if not isinstance(inner, Mapping):
        raise NotChosen(
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
        # all that makes two views the same values, lazy bits included
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
    dtype = dtype_name(tensor) or ""
    dims = tuple(tensor.shape)
    reason = _unmeasured(tensor, dtype)
    if reason:
        unmeasured = Stored(name, dims, dtype, notes=(reason,), measurable=False)
        if not _has_words(tensor, dtype):
            return unmeasured
        return replace(unmeasured, strides=_strides(tensor), tensor=_words(tensor, dtype))
    return Stored(
        name,
        dims,
        dtype,
        strides=_strides(tensor),
        tensor=_words(tensor, dtype),
        notes=(EXPANDED,) if _is_expanded(tensor) else (),
    )


def _words(tensor: Tensor, dtype: str) -> Tensor:
    """The elements in their storage type."""
    store = getattr(torch, DTYPES[dtype].store)
    view = tensor.detach()
    return view if view.dtype == store else view.view(store)


def _strides(tensor: Tensor) -> tuple[int, ...] | None:
    """None where they are row-major."""
    return None if tensor.is_contiguous() else tensor.stride()


def _has_words(tensor: Tensor, dtype: str) -> bool:
    """Whether stored words without values are readable, so that they can be compared."""
    if DTYPES[dtype].kind != "none" or tensor.is_meta or tensor.layout != torch.strided:
        return False
    is_lazy = tensor.is_conj() or tensor.is_neg()
    return not is_lazy and not _is_expanded(tensor) and tensor.ndim <= limits.RANK


def _unmeasured(tensor: Tensor, dtype: str) -> Note | None:
    """Why the values of a tensor cannot be measured; None where they can."""
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
    if _is_expanded(tensor):
        distinct = _distinct(tensor)
        if tensor.numel() > most_expanded(distinct):
            return expanded(distinct, tensor.numel())
    if tensor.ndim > limits.RANK:
        return too_many_dimensions(tensor.ndim)
    return None


def _is_expanded(tensor: Tensor) -> bool:
    """Whether stored elements repeat; never in an empty tensor: numpy's have strides of zero."""
    if not tensor.numel():
        return False
    return any(
        step == 0 and extent > 1 for step, extent in zip(tensor.stride(), tensor.shape, strict=True)
    )


def _distinct(tensor: Tensor) -> int:
    """Stored elements of an expanded view: those of the dimensions with a stride."""
    extents = [extent for step, extent in zip(tensor.stride(), tensor.shape, strict=True) if step]
    return prod(extents)


def _type_name(value: object) -> str:
    if isinstance(value, torch.Tensor):
        return str(value.dtype)
    return type(value).__name__
