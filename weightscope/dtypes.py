"""Element types by their safetensors names: width, storage type, and the value of each bit pattern.

C32 and C128, which safetensors lacks, are torch's complex types of half and double width.

Types of at most 16 bits are *narrow*: `decoded(name)[pattern]` is the value of every pattern, so
that counts of patterns are lossless. Wide types are counted by value or by the upper half of
float32.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from .lazy import numpy as np
from .lazy import torch
from .sending import sent

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    Decoder = Callable[[NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Dtype:
    """An element type."""

    name: str  # as safetensors spells it
    bits: int  # per element
    store: str  # the torch dtype that carries the stored bits
    kind: str  # float | int | uint | bool | code | none (not decodable)

    @property
    def narrow(self) -> bool:
        """At most 65,536 distinct values: counted by pattern, lossless."""
        return self.bits <= 16

    @property
    def negatable(self) -> bool:
        """Whether torch can negate the storage type: it carries the values, not codes for them."""
        is_signed = self.kind in ("float", "int")
        return is_signed or self.name == "U8"


DTYPES = {
    d.name: d
    for d in (
        Dtype("F64", 64, "float64", "float"),
        Dtype("F32", 32, "float32", "float"),
        Dtype("F16", 16, "float16", "float"),
        Dtype("BF16", 16, "bfloat16", "float"),
        Dtype("F8_E4M3", 8, "uint8", "code"),
        Dtype("F8_E5M2", 8, "uint8", "code"),
        Dtype("F8_E8M0", 8, "uint8", "code"),
        Dtype("F8_E4M3FNUZ", 8, "uint8", "code"),
        Dtype("F8_E5M2FNUZ", 8, "uint8", "code"),
        Dtype("F4", 4, "uint8", "code"),
        Dtype("I64", 64, "int64", "int"),
        Dtype("I32", 32, "int32", "int"),
        Dtype("I16", 16, "int16", "int"),
        Dtype("I8", 8, "int8", "int"),
        Dtype("U64", 64, "int64", "uint"),
        Dtype("U32", 32, "int32", "uint"),
        Dtype("U16", 16, "int16", "uint"),
        Dtype("U8", 8, "uint8", "uint"),
        Dtype("BOOL", 8, "uint8", "bool"),
        Dtype("F6_E2M3", 6, "uint8", "none"),
        Dtype("F6_E3M2", 6, "uint8", "none"),
        Dtype("C32", 32, "int32", "none"),
        Dtype("C64", 64, "int64", "none"),
        Dtype("C128", 128, "complex128", "none"),
    )
}


@cache
def decoded(name: str) -> NDArray[np.float64]:
    """The value of every bit pattern of a narrow type, NaN and Inf included: float64, 2**bits long.

    >>> float(decoded("BF16")[0x3F80]), float(decoded("F8_E4M3")[0x38]), float(decoded("F4")[3])
    (1.0, 1.0, 1.5)
    """
    codes = np.arange(1 << DTYPES[name].bits, dtype=np.int64)
    values: NDArray[np.float64] = _DECODERS[name](codes)
    values.setflags(write=False)
    return values


@cache
def table(name: str, store: str, device: str) -> Tensor:
    """`decoded` in a torch type on a device, where it is uploaded once; not to be changed.

    >>> table("F4", "float32", "cpu")[3].item()
    1.5
    """
    values = torch.from_numpy(decoded(name).astype(store))
    return sent(values, device)


def _float(
    codes: NDArray[np.int64], exponent: int, mantissa: int, bias: int
) -> NDArray[np.float64]:
    """sign * 2^(e - bias) * 1.m, subnormals below: IEEE without its specials."""
    e = codes >> mantissa & (1 << exponent) - 1
    m = codes & (1 << mantissa) - 1
    normal = (1 + m / 2**mantissa) * 2.0 ** (e - bias)
    subnormal = m / 2**mantissa * 2.0 ** (1 - bias)
    size = np.where(e > 0, normal, subnormal)
    is_negative = codes >> (exponent + mantissa) & 1
    return np.asarray(np.where(is_negative, -size, size))


def _ieee(exponent: int, mantissa: int, bias: int) -> Decoder:
    """All ones in the exponent: Inf where the mantissa is 0, NaN elsewhere."""

    def decode(codes: NDArray[np.int64]) -> NDArray[np.float64]:
        value = _float(codes, exponent, mantissa, bias)
        top = (1 << exponent) - 1
        is_special = (codes >> mantissa & top) == top
        is_infinite = codes & (1 << mantissa) - 1 == 0
        special = np.where(is_infinite, np.copysign(np.inf, value), np.nan)
        return np.asarray(np.where(is_special, special, value))

    return decode


def _finite(exponent: int, mantissa: int, bias: int, nans: tuple[int, ...]) -> Decoder:
    """No Inf; the listed codes are NaN (FN: both all-ones codes, FNUZ: negative zero)."""

    def decode(codes: NDArray[np.int64]) -> NDArray[np.float64]:
        value = _float(codes, exponent, mantissa, bias)
        return np.asarray(np.where(np.isin(codes, nans), np.nan, value))

    return decode


_DECODERS: dict[str, Decoder] = {
    "BF16": _ieee(8, 7, 127),
    "F16": _ieee(5, 10, 15),
    "F8_E5M2": _ieee(5, 2, 15),
    "F8_E4M3": _finite(4, 3, 7, (0x7F, 0xFF)),
    "F4": _finite(2, 1, 1, ()),
    "F8_E4M3FNUZ": _finite(4, 3, 8, (0x80,)),
    "F8_E5M2FNUZ": _finite(5, 2, 16, (0x80,)),
    "F8_E8M0": lambda c: np.where(c == 255, np.nan, 2.0 ** (c - 127.0)),
    "I16": lambda c: np.where(c < 1 << 15, c, c - (1 << 16)).astype(np.float64),
    "U16": lambda c: c.astype(np.float64),
    "I8": lambda c: np.where(c < 128, c, c - 256).astype(np.float64),
    "U8": lambda c: c.astype(np.float64),
    "BOOL": lambda c: (c != 0).astype(np.float64),
}
