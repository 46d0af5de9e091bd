"""Eigenvalues of a symmetric band matrix, by the routines dsbtrd and dsterf of scipy's LAPACK.

They are called at the addresses that scipy publishes for Cython (scipy.linalg.cython_lapack):
scipy's Python wrapper holds the interpreter lock for seconds, during which every other worker would
wait.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import TYPE_CHECKING

from ..lazy import cython_lapack
from ..lazy import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def eigenvalues_of_band(band: NDArray[np.float64]) -> NDArray[np.float64]:
    """(s,) float64, ascending, of a band (s, w + 1) as of `banded`; the band is overwritten.

    Equals scipy.linalg.eigvals_banded(band.T, lower=True). Raises numpy.linalg.LinAlgError where it
    does not converge.

    >>> eigenvalues_of_band(np.array([[2.0, 1.0], [2.0, 0.0]]))
    array([1., 3.])
    """
    side, width = band.shape
    diagonal, beside, work, none = np.empty(side), np.empty(side), np.empty(side), np.empty(1)
    _called("dsbtrd", b"N", b"L", side, width - 1, band, width, diagonal, beside, none, 1, work)
    _called("dsterf", side, diagonal, beside)
    return diagonal


def _called(name: str, *arguments: bytes | int | NDArray[np.float64]) -> None:
    """Calls one routine with its arguments by reference; raises where it reports an error."""
    info = ctypes.c_int(0)
    references = [_by_reference(argument) for argument in arguments]
    routine = _routine(name, len(arguments) + 1)
    routine(*references, ctypes.byref(info))
    if info.value:
        raise np.linalg.LinAlgError(f"{name} ended with {info.value}")


def _by_reference(argument: bytes | int | NDArray[np.float64]) -> object:
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    if isinstance(argument, int):
        return ctypes.byref(ctypes.c_int(argument))
    return ctypes.c_void_p(argument.ctypes.data)


@cache
def _routine(name: str, arguments: int) -> Callable[..., None]:
    """A routine of LAPACK with pointers as arguments, which releases the interpreter lock."""
    capsule, api = cython_lapack.__pyx_capi__[name], ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)
    return prototype(address)
