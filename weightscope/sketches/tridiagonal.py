"""Eigenvalues of a symmetric band: LAPACK's dsbtrd and dsterf, as scipy carries them.

They are called at the addresses that scipy publishes for Cython (scipy.linalg.cython_lapack): its wrapper for Python
holds the interpreter's lock, for seconds, and every other worker would wait.
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
    """(s,) float64, ascending, of a band (s, w + 1) as `banded` gives it, which is overwritten.

    Equals scipy.linalg.eigvals_banded(band.T, lower=True). Raises numpy.linalg.LinAlgError where it does not converge.

    >>> eigenvalues_of_band(np.array([[2.0, 1.0], [2.0, 0.0]]))
    array([1., 3.])
    """
    side, width = band.shape
    diagonal, beside, work, none = np.empty(side), np.empty(side), np.empty(side), np.empty(1)
    _called("dsbtrd", b"N", b"L", side, width - 1, band, width, diagonal, beside, none, 1, work)
    _called("dsterf", side, diagonal, beside)
    return diagonal


def _called(name: str, *arguments: bytes | int | NDArray[np.float64]) -> None:
    """One routine with its arguments by reference, and its verdict."""
    verdict = ctypes.c_int(0)
    _routine(name, len(arguments) + 1)(*map(_by_reference, arguments), ctypes.byref(verdict))
    if verdict.value:
        raise np.linalg.LinAlgError(f"{name} ended with {verdict.value}")


def _by_reference(argument: bytes | int | NDArray[np.float64]) -> object:
    if isinstance(argument, bytes):
        return ctypes.c_char_p(argument)
    return (
        ctypes.byref(ctypes.c_int(argument))
        if isinstance(argument, int)
        else ctypes.c_void_p(argument.ctypes.data)
    )


@cache
def _routine(name: str, arguments: int) -> Callable[..., None]:
    """A routine of LAPACK that takes pointers and lets other threads run."""
    capsule, api = cython_lapack.__pyx_capi__[name], ctypes.pythonapi
    api.PyCapsule_GetName.restype, api.PyCapsule_GetName.argtypes = (
        ctypes.c_char_p,
        [ctypes.py_object],
    )
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    address = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * arguments)(address)
