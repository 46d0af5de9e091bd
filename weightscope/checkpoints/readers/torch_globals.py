"""The names that a torch pickle may refer to, and the inert value that each becomes here.

A pickle gets no object of torch, numpy or Python: a storage type becomes a `Kind`, a rebuild
function an `Act` of ours that returns a `Found` (torch_rebuild.py), any other part of a state dict
a `Word` or an `Inert` record. A name that is not in GLOBALS is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ...notes import Note
from . import torch_rebuild as rebuild
from .placeholders import RefusedNameError
from .torch_values import Kind, Reference, RefusedError, Word

ORDERED = "collections.OrderedDict"
RECONSTRUCTED = "copyreg._reconstructor"


@dataclass(frozen=True)
class Act:
    """A function of ours that a pickle may call: it maps the arguments to an inert value."""

    name: str
    make: Callable[[tuple[object, ...]], object]


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
UNTYPED = Kind("U8", 1)  # a storage of bytes; the tensor has the type
PLAIN = {
    f"torch._utils.{name}": make
    for name, make in {
        "_rebuild_tensor": rebuild.tensor,
        "_rebuild_tensor_v2": rebuild.tensor_v2,
        "_rebuild_tensor_v3": rebuild.tensor_v3,
        "_rebuild_parameter": rebuild.parameter,
        "_rebuild_parameter_with_state": rebuild.parameter,
        "_rebuild_meta_tensor_no_storage": rebuild.meta,
        "_rebuild_sparse_tensor": rebuild.sparse,
        "_rebuild_sparse_csr_tensor": rebuild.sparse,
        "_rebuild_qtensor": rebuild.quantised,
        "_rebuild_nested_tensor": rebuild.nested,
    }.items()
}


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
    foreign = [part for part in args if isinstance(part, Reference)]
    text = "_rebuild_from_type_v2 of another type than torch.Tensor"
    if foreign:
        raise RefusedNameError(text, foreign[0].name)
    raise RefusedError(text)


CALLS = (
    PLAIN
    | {
        ORDERED: rebuild.ordered,
        RECONSTRUCTED: rebuild.dropped(RECONSTRUCTED),  # operations.py makes a placeholder of it
        "collections.defaultdict": rebuild.defaulted,
        "collections.Counter": rebuild.counted,
        "collections.deque": rebuild.queued,
        "operator.getitem": rebuild.annotation,
        "builtins.type": rebuild.type_of_none,
        "torch._tensor._rebuild_from_type_v2": _from_type,
        "torch.Size": rebuild.size,
        "torch.serialization._get_layout": rebuild.layout,
        "_codecs.encode": rebuild.encoded,
        "builtins.bytes": rebuild.encoded,
    }
    | {
        name: rebuild.dropped(name)
        for name in (
            "torch.device",
            "builtins.set",
            "builtins.frozenset",
            "builtins.complex",
            "builtins.bytearray",
            "builtins.range",
            "builtins.slice",
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
    "copy_reg": "copyreg",
    "_abcoll": "collections.abc",
    "_operator": "operator",
    "torch.tensor": "torch._tensor",
    "numpy.core.multiarray": "numpy._core.multiarray",
    "numpy.core.numeric": "numpy._core.numeric",
}


RENAMED_TYPES = {  # Python 3 writes these names in protocol 2
    "builtins.long": "builtins.int",
    "builtins.unicode": "builtins.str",
    "builtins.xrange": "builtins.range",
}


def meaning(module: str, name: str) -> object | None:
    """The inert value of a global, None where it is not allowed.

    >>> meaning("torch", "FloatStorage"), meaning("os", "system")
    (Kind(dtype='F32', width=4, note=None), None)
    """
    return GLOBALS.get(present(module, name))


def present(module: str, name: str) -> str:
    """A dotted name as Python and its packages spell it now.

    >>> present("__builtin__", "unicode")
    'builtins.str'
    """
    dotted = f"{RENAMED.get(module, module)}.{name}"
    return RENAMED_TYPES.get(dotted, dotted)
