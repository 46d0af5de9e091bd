"""Slow functions of counts are called once a process with equal ones, where tests are of others."""

from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache

import numpy as np
import pytest

from weightscope.analyses.fit import picture
from weightscope.statistics.elements import extremes
from weightscope.statistics.laws import best_law
from weightscope.statistics.lines import balancing, iid

# where the commands find the functions, and their names
SLOW = (
    (best_law, "fit_laws"),
    (picture, "fit_laws"),
    (best_law, "after_filters"),
    (extremes, "largest_z"),
    (extremes, "precision_history"),
    (balancing, "spread_law"),
    (iid, "spread_law"),
)
PLAIN = [getattr(module, name) for module, name in SLOW]
KNOWN = {}  # results by the function and the content of its arguments


def once(function):
    """The function, of arguments that are new."""

    def known(*arguments):
        key = function.__name__, content(arguments)
        if key not in KNOWN:
            KNOWN[key] = function(*arguments)
        return KNOWN[key]

    return known


def content(arguments):
    """What a result follows from: arrays by the hash of their bytes, which takes less than text.

    Python's own hash of bytes takes a third of the time of a digest.
    """
    found = []
    for argument in arguments:
        parts = [argument]
        if is_dataclass(argument):
            parts = [getattr(argument, name) for name in names_of(type(argument))]
        for part in parts:
            if isinstance(part, np.ndarray):
                found.append((part.dtype, part.shape, hash(part.tobytes())))
            else:
                found.append(repr(part))
    return tuple(found)


@cache
def names_of(of):
    """The names of the fields of a dataclass."""
    return tuple(field.name for field in fields(of))


def fitted_once():
    """The commands look equal counts up until the `with` ends."""
    return _fitted_by(map(once, PLAIN))


def fitted_anew():
    """The commands call the functions themselves until the `with` ends."""
    return _fitted_by(PLAIN)


@contextmanager
def _fitted_by(functions):
    with pytest.MonkeyPatch.context() as patched:
        for (module, name), function in zip(SLOW, functions, strict=True):
            patched.setattr(module, name, function)
        yield
