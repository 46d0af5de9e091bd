"""Equal tensors are measured once a process, where tests are of what follows from the sketches."""

import hashlib
import os
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import torch

from weightscope.analyses import rows
from weightscope.analyses.compare import request as compare
from weightscope.analyses.depth import initialisation
from weightscope.analyses.fit import request as fit
from weightscope.analyses.outliers import request as outliers
from weightscope.analyses.spectrum import request as spectrum
from weightscope.engine import session
from weightscope.engine.executor import Executor
from weightscope.engine.unit import Measured
from weightscope.statistics.statistic import evaluate

EVALUATING = (rows, compare, initialisation, fit, outliers, spectrum)
ROOM = 1 << 28  # bytes of memory: with less, measures may be refused
MOST = 1 << 23  # bytes of a file or a tensor that is told by its content
SKETCHES = {}  # by the place of a unit, and by label and measure
KNOWN = set()  # ids of these sketches, which stay alive
VALUES = {}  # of statistics, by their function and what it follows from
KNOWING = {}  # statistics that do, by the ids of plain ones
NUMBERS = {}  # of contents, which are hashed once this way
ASKED = {}  # what a test has asked for, by the name of the test


class NotTold(Exception):
    """A tensor on a GPU, or one that is too large to be told by its content."""


class Remembering(Executor):
    """Measures the units that are new, and knows the others."""

    def __call__(self, units, each):
        """The results in the order of the units; their values follow from the sketches anew."""
        if self.device.is_gpu or self.device.budget < ROOM:
            yield from super().__call__(units, each)
            return
        content = Contents()
        places = {id(unit): self.place_of(unit, content) for unit in units}
        known = {id(unit): self.known(unit, places[id(unit)]) for unit in units}

        def values(measured):
            remember(measured, places[id(measured.unit)])
            return each(measured)

        new = [unit for unit in units if known[id(unit)] is None]
        results = super().__call__(new, values) if new else iter(())
        for unit in units:
            if known[id(unit)] is None:
                yield next(results)
            else:
                measured = Measured(unit, known[id(unit)])
                yield replace(measured, values=each(measured))
        yield from results  # none is left: the executor ends its workers

    def place_of(self, unit, content):
        """What the sketches of a unit follow from beside its measures; None where not told."""
        try:
            entries = tuple((label, content(entry)) for label, entry in unit.entries.items())
        except NotTold:
            return None
        return self.device.workers, entries, tuple(sorted(unit.beside.items()))

    def known(self, unit, place):
        """Its sketches by label and measure; None unless all of them are known."""
        known = SKETCHES.get(place, {})
        if any(wanted not in known for wanted in unit.wanted):
            return None
        return {
            label: {measure: known[label, measure] for measure in measures}
            for label, measures in unit.wants.items()
        }


class RememberingOthers(Remembering):
    """Knows what other tests have measured: a test that asks twice compares two measurements."""

    def known(self, unit, place):
        """Its sketches; None where the test has asked for one of them before."""
        test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
        if test not in ASKED:
            ASKED.clear()
        asked = ASKED.setdefault(test, set())
        wanted = {(place, *wanted) for wanted in unit.wanted}
        is_new = asked.isdisjoint(wanted)
        asked.update(wanted)
        return super().known(unit, place) if is_new else None


class Contents:
    """Entries and fields of theirs by their values, a file by its bytes, in one call.

    What several entries of a call share is looked at once.
    """

    def __init__(self):
        self.known = {}

    def __call__(self, entry):
        """Equal for equal entries."""
        if id(entry) not in self.known:
            found = self.of(entry)
            self.known[id(entry)] = NUMBERS.setdefault(found, len(NUMBERS))
        return self.known[id(entry)]

    def of(self, part):
        """The fields of an entry; other parts are told by themselves."""
        if isinstance(part, np.ndarray):
            return part.dtype, part.shape, part.tobytes()
        if isinstance(part, torch.Tensor):
            return elements_of(part)
        if isinstance(part, tuple):
            return tuple(map(self.of, part))
        if not is_dataclass(part):
            return part
        found = [type(part)]
        for name in names_of(type(part)):
            value = getattr(part, name)
            if name == "file" and value:
                value = bytes_of(value)
            found.append(self(value) if is_dataclass(value) else self.of(value))
        return tuple(found)


def elements_of(tensor):
    """A tensor in memory by the hash of its elements."""
    if tensor.nbytes > MOST or tensor.device.type != "cpu":
        raise NotTold
    words = tensor.resolve_neg().contiguous().reshape(-1).view(torch.uint8)
    return tensor.dtype, tensor.shape, tensor.is_neg(), hash(words.numpy().tobytes())


@cache
def names_of(of):
    """The names of the fields of a dataclass."""
    return tuple(field.name for field in fields(of))


def bytes_of(file):
    """The digest of a file as it is now."""
    stat = Path(file).stat()
    if stat.st_size > MOST:
        raise NotTold
    return digest(file, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@cache
def digest(file, *_):
    """Of a file's bytes, read again after each change."""
    return hashlib.blake2b(Path(file).read_bytes()).digest()


def remember(measured, place):
    """The sketches of a unit, unless it is not told by its content or did not fit."""
    if place is None or measured.note or measured.moved:
        return
    known = SKETCHES.setdefault(place, {})
    for label, sketches in measured.sketches.items():
        for measure, sketch in sketches.items():
            # the first one stays, since its id is known
            KNOWN.add(id(known.setdefault((label, measure), sketch)))


def evaluated(statistics, evidence):
    """`evaluate`, of statistics that know their values of known sketches."""
    return evaluate(list(map(knowing, statistics)), evidence)


def knowing(statistic):
    """A statistic that knows its values; made once, and it keeps the plain one alive."""
    if id(statistic) not in KNOWING:
        made = replace(statistic, of=partial(values_of, statistic))
        KNOWING[id(statistic)] = made
    return KNOWING[id(statistic)]


def values_of(statistic, evidence):
    """The columns of a statistic."""
    ids = frozenset((measure, id(evidence.sketches[measure])) for measure in statistic.needs)
    if not KNOWN.issuperset(number for _, number in ids):
        return statistic.of(evidence)
    key = function(statistic.of), ids, evidence.shape, evidence.dtype, evidence.kind
    try:
        known = key in VALUES
    except TypeError:  # a function with an unhashable part
        return statistic.of(evidence)
    if not known:
        VALUES[key] = statistic.of(evidence)
    return VALUES[key]


def function(of):
    """A function by its code and the values that it uses from around it."""
    if isinstance(of, list):
        return tuple(of)
    if not hasattr(of, "__code__"):
        return of
    return of.__code__, tuple(function(cell.cell_contents) for cell in of.__closure__ or ())


def measured_once():
    """The commands look equal tensors up until the `with` ends."""
    return _measured_by(Remembering, evaluated)


def measured_once_by_tests():
    """As `measured_once`, but a test that asks again for a tensor measures it."""
    return _measured_by(RememberingOthers, evaluated)


def measured_anew():
    """The commands measure every tensor until the `with` ends."""
    return _measured_by(Executor, evaluate)


@contextmanager
def _measured_by(executor, evaluation):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(session, "Executor", executor)
        for module in EVALUATING:
            patched.setattr(module, "evaluate", evaluation)
        yield
