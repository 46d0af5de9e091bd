"""What a torch pickle may ask for by name, and the inert value that each name becomes here.

Nothing of torch, numpy or Python itself is handed to a pickle: a storage type becomes a `Kind`, a rebuild function
an `Act` of ours that returns a `Found`, anything else that a state dict may carry a `Word` or an `Inert` record.
A name that is not in GLOBALS is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...dtypes import DTYPES
from ...escape import shown
from ...notes import Note
from .torch_values import Encoded, Found, Inert, Kind, RefusedError, Word, shape, sizes, view
from .unread import lazy_negation

ORDERED = "collections.OrderedDict"
META = Note("no-data", "meta tensor: no data")
NESTED = Note("not-strided", "nested tensor")
SPARSE = 8  # parts of a sparse tensor at most: indices, values, size, a flag


@dataclass(frozen=True)
class Act:
    """A function of ours that a pickle may call: it gets the arguments and returns an inert value."""

    name: str
    make: Callable[[tuple[object, ...]], object]


def _tensor(args: tuple[object, ...]) -> Found:
    """(storage, offset, size, stride) of torch._utils._rebuild_tensor."""
    if len(args) != 4:
        raise RefusedError(f"_rebuild_tensor with {len(args)} arguments")
    storage, offset, size, stride = args
    return view(storage, offset, size, stride)


def _tensor_v2(args: tuple[object, ...]) -> Found:
    """(storage, offset, size, stride, requires_grad, hooks[, metadata])."""
    if len(args) not in (6, 7):
        raise RefusedError(f"_rebuild_tensor_v2 with {len(args)} arguments")
    return _lazy_bits(view(args[0], args[1], args[2], args[3]), args[6] if len(args) == 7 else None)


def _tensor_v3(args: tuple[object, ...]) -> Found:
    """(storage, offset, size, stride, requires_grad, hooks, dtype[, metadata]): the storage is bytes."""
    if len(args) not in (7, 8) or not isinstance(args[6], Kind):
        raise RefusedError(f"_rebuild_tensor_v3 with {len(args)} arguments")
    return _lazy_bits(
        view(args[0], args[1], args[2], args[3], args[6]), args[7] if len(args) == 8 else None
    )


def _lazy_bits(found: Found, metadata: object) -> Found:
    """A negated view is negated when it is read; only complex numbers have a conjugate, and they are not measured."""
    if found.kind.note or not isinstance(metadata, Mapping) or not metadata.get("neg"):
        return found
    if DTYPES[found.kind.dtype].negatable:
        return replace(found, negated=True)
    return replace(found, notes=(lazy_negation(found.kind.dtype),), measurable=False)


def _parameter(args: tuple[object, ...]) -> Found:
    """(data, requires_grad, hooks[, state]): the data."""
    if len(args) not in (3, 4) or not isinstance(args[0], Found):
        raise RefusedError("_rebuild_parameter of what is no tensor")
    return args[0]


def _from_type(args: tuple[object, ...]) -> object:
    """(function, type, arguments, state): a tensor with attributes; the attributes are dropped."""
    match args:
        case (
            Act() as act,
            Word("torch.Tensor" | "torch.nn.parameter.Parameter" | "torch.nn.parameter.Buffer"),
            tuple(inner),
            _,
        ) if act.name in PLAIN:
            return act.make(inner)
    raise RefusedError("_rebuild_from_type_v2 of another type than torch.Tensor")


def _meta(args: tuple[object, ...]) -> Found:
    """(dtype, size, stride, requires_grad): a shape without data."""
    if len(args) != 4 or not isinstance(args[0], Kind):
        raise RefusedError("_rebuild_meta_tensor_no_storage without a dtype")
    return Found(args[0], shape(args[1]), notes=(META,), measurable=False)


def _sparse(args: tuple[object, ...]) -> Found:
    """(layout, (index tensors ..., values, size[, is_coalesced])): the stored values are not a matrix."""
    data = (
        args[1] if len(args) == 2 and isinstance(args[1], tuple) and len(args[1]) <= SPARSE else ()
    )
    tensors = [part for part in data if isinstance(part, Found)]
    shapes = [part for part in data if isinstance(part, (tuple, list))]
    if len(tensors) < 2 or len(shapes) != 1:
        raise RefusedError("a sparse tensor without indices, values and size")
    layout = args[0].name if isinstance(args[0], Inert) else "sparse"
    sparse = Note.of("not-strided", "sparse layout ({layout})", layout=layout)
    return Found(tensors[-1].kind, shape(shapes[0]), notes=(sparse,), measurable=False)


def _quantised(args: tuple[object, ...]) -> Found:
    """(storage, offset, size, stride, (scheme, ...), requires_grad, hooks): codes of a torch quantised type."""
    if len(args) != 7 or not isinstance(args[4], tuple):
        raise RefusedError("_rebuild_qtensor without a scheme")
    scheme = args[4][0].name if args[4] and isinstance(args[4][0], Word) else "quantised"
    layout = f"torch quantised ({scheme.removeprefix('torch.')})"
    return replace(
        view(*args[:4]), notes=(Note("codes-not-decoded", layout),), measurable=False, coded=layout
    )


def _nested(args: tuple[object, ...]) -> Found:
    """(buffer, sizes, strides, offsets): rows of different lengths."""
    if len(args) != 4 or not isinstance(args[0], Found):
        raise RefusedError("_rebuild_nested_tensor without a buffer")
    return replace(args[0], notes=(NESTED,), measurable=False)


def _size(args: tuple[object, ...]) -> tuple[int, ...]:
    return sizes(args[0] if len(args) == 1 else None, "size")


def _layout(args: tuple[object, ...]) -> Inert:
    return Inert(shown(args[0], 40) if len(args) == 1 and isinstance(args[0], str) else "layout")


def _passed_over(name: str) -> Callable[[tuple[object, ...]], Inert]:
    """A call whose value says nothing about tensors: the same record every time, so that a million cost nothing."""
    inert = Inert(name)
    return lambda args: inert


def _encoded(args: tuple[object, ...]) -> Encoded:
    """(text, "latin1"): bytes in protocol 2; (): no bytes."""
    match args:
        case ():
            return Encoded("")
        case (str(text), "latin1"):
            return Encoded(text)
    raise RefusedError("bytes that are no latin-1 text")


def _ordered(args: tuple[object, ...]) -> dict[object, object]:
    """An OrderedDict starts empty; pickles written by Python 2 hand over a list of pairs."""
    if not args:
        return {}
    pairs = args[0]
    if (
        len(args) != 1
        or not isinstance(pairs, list)
        or not all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and isinstance(pair[0], str)
            for pair in pairs
        )
    ):
        raise RefusedError("an OrderedDict of what are no pairs")
    return dict(pairs)


KINDS = {
    "float64": Kind("F64", 8),
    "float32": Kind("F32", 4),
    "float16": Kind("F16", 2),
    "bfloat16": Kind("BF16", 2),
    "int64": Kind("I64", 8),
    "int32": Kind("I32", 4),
    "int16": Kind("I16", 2),
    "int8": Kind("I8", 1),
    "uint64": Kind("U64", 8),
    "uint32": Kind("U32", 4),
    "uint16": Kind("U16", 2),
    "uint8": Kind("U8", 1),
    "bool": Kind("BOOL", 1),
    "float8_e4m3fn": Kind("F8_E4M3", 1),
    "float8_e5m2": Kind("F8_E5M2", 1),
    "float8_e4m3fnuz": Kind("F8_E4M3FNUZ", 1),
    "float8_e5m2fnuz": Kind("F8_E5M2FNUZ", 1),
    "float8_e8m0fnu": Kind("F8_E8M0", 1),
    "float4_e2m1fn_x2": Kind("F4", 1),
} | {
    name: Kind(dtype, width, Note("type-not-decoded", f"{what} ({name})"))
    for what, dtype, width, names in (
        ("complex numbers", "C32", 4, "complex32"),
        ("complex numbers", "C64", 8, "complex64"),
        ("complex numbers", "C128", 16, "complex128"),
        ("quantised", "I8", 1, "qint8"),
        ("quantised", "I32", 4, "qint32"),
        ("quantised", "U8", 1, "quint8 quint4x2 quint2x4"),
        ("bit patterns", "U8", 1, "bits8 bits1x8 bits2x4 bits4x2"),
        ("bit patterns", "U16", 2, "bits16"),
    )
    for name in names.split()
}
STORAGES = {
    name: KINDS[kind]
    for name, kind in (
        ("Double", "float64"),
        ("Float", "float32"),
        ("Half", "float16"),
        ("BFloat16", "bfloat16"),
        ("Long", "int64"),
        ("Int", "int32"),
        ("Short", "int16"),
        ("Char", "int8"),
        ("Byte", "uint8"),
        ("Bool", "bool"),
        ("ComplexFloat", "complex64"),
        ("ComplexDouble", "complex128"),
        ("QInt8", "qint8"),
        ("QInt32", "qint32"),
        ("QUInt8", "quint8"),
        ("QUInt4x2", "quint4x2"),
        ("QUInt2x4", "quint2x4"),
    )
}
UNTYPED = Kind("U8", 1)  # a storage of bytes; the tensor says what they are
PLAIN = {
    f"torch._utils.{name}": make
    for name, make in {
        "_rebuild_tensor": _tensor,
        "_rebuild_tensor_v2": _tensor_v2,
        "_rebuild_tensor_v3": _tensor_v3,
        "_rebuild_parameter": _parameter,
        "_rebuild_parameter_with_state": _parameter,
        "_rebuild_meta_tensor_no_storage": _meta,
        "_rebuild_sparse_tensor": _sparse,
        "_rebuild_sparse_csr_tensor": _sparse,
        "_rebuild_qtensor": _quantised,
        "_rebuild_nested_tensor": _nested,
    }.items()
}
CALLS = (
    PLAIN
    | {
        ORDERED: _ordered,
        "torch._tensor._rebuild_from_type_v2": _from_type,
        "torch.Size": _size,
        "torch.serialization._get_layout": _layout,
        "_codecs.encode": _encoded,
        "builtins.bytes": _encoded,
    }
    | {
        name: _passed_over(name)
        for name in (
            "torch.device",
            "builtins.set",
            "builtins.frozenset",
            "builtins.complex",
            "builtins.bytearray",
            "numpy.dtype",
            "numpy._core.multiarray.scalar",
            "numpy._core.multiarray._reconstruct",
            "numpy._core.numeric._frombuffer",
        )
    }
)
WORDS = (
    "torch.Tensor",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "numpy.ndarray",
    *(
        f"torch.per_{scheme}"
        for scheme in (
            "tensor_affine",
            "tensor_symmetric",
            "channel_affine",
            "channel_symmetric",
            "channel_affine_float_qparams",
        )
    ),
)
GLOBALS: Mapping[str, object] = {
    **{name: Act(name, make) for name, make in CALLS.items()},
    **{name: Word(name) for name in WORDS},
    **{f"torch.{name}": kind for name, kind in KINDS.items()},
    **{
        f"{module}.{name}Storage": kind
        for module in ("torch", "torch.cuda")
        for name, kind in STORAGES.items()
    },
    **{f"{module}.UntypedStorage": UNTYPED for module in ("torch", "torch.storage")},
}
RENAMED = {  # modules as older Pythons, torches and numpys called them
    "__builtin__": "builtins",
    "torch.tensor": "torch._tensor",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


def meaning(module: str, name: str) -> object | None:
    """The inert value of a global, None where it is not allowed.

    >>> meaning("torch", "FloatStorage"), meaning("os", "system")
    (Kind(dtype='F32', width=4, note=None), None)
    """
    return GLOBALS.get(f"{RENAMED.get(module, module)}.{name}")
