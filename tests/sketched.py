"""Equal tensors are measured once a process, where tests are of what follows from the sketches."""

import hashlib
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

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
MOST = 1 << 23  # bytes of a file that is told by its content
SKETCHES = {}  # by the place of a unit, and by label and measure
KNOWN = set()  # ids of these sketches, which stay alive
VALUES = {}  # of statistics, by their function and what it follows from


class NoFile(Exception):
    """A tensor in memory, or in a file too large to be told by its content."""


class Remembering(Executor):
    """Measures the units that are new, and knows the others."""

    def __call__(self, units, each):
        """The results in the order of the units; their values follow from the sketches anew."""
        if self.device.is_gpu or self.device.budget < ROOM:
            yield from super().__call__(units, each)
            return
        places = {id(unit): place_of(unit, self.device.workers) for unit in units}
        known = {id(unit): known_sketches(unit, places[id(unit)]) for unit in units}

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


def place_of(unit, workers):
    """What the sketches of a unit follow from beside its measures; None of tensors in memory."""
    try:
        entries = tuple((label, content(entry)) for label, entry in unit.entries.items())
    except NoFile:
        return None
    return workers, entries, tuple(sorted(unit.beside.items()))


def content(part):
    """An entry or a field of one by its values; a file by its bytes."""
    if isinstance(part, np.ndarray):
        return part.dtype, part.shape, part.tobytes()
    if not is_dataclass(part):
        return part
    found = [type(part)]
    for field in fields(part):
        value = getattr(part, field.name)
        if field.name == "file":
            value = bytes_of(value)
        found.append(content(value))
    return tuple(found)


def bytes_of(file):
    """The digest of a file as it is now."""
    if not file:
        raise NoFile
    stat = Path(file).stat()
    if stat.st_size > MOST:
        raise NoFile
    return digest(file, stat.st_ino, stat.st_mtime_ns, stat.st_size)


@cache
def digest(file, *_):
    """Of a file's bytes, read again after each change."""
    return hashlib.blake2b(Path(file).read_bytes()).digest()


def known_sketches(unit, place):
    """By label and measure; None unless all of them are known."""
    known = SKETCHES.get(place, {})
    sketches = {}
    for label, measures in unit.wants.items():
        if any((label, measure) not in known for measure in measures):
            return None
        sketches[label] = {measure: known[label, measure] for measure in measures}
    return sketches


def remember(measured, place):
    """The sketches of a unit, unless its tensors are in memory or it did not fit."""
    if place is None or measured.note or measured.moved:
        return
    known = SKETCHES.setdefault(place, {})
    for label, sketches in measured.sketches.items():
        for measure, sketch in sketches.items():
            # the first one stays, since its id is known
            KNOWN.add(id(known.setdefault((label, measure), sketch)))


def evaluated(statistics, evidence):
    """`evaluate`, of statistics that know their values of known sketches."""
    knowing = [replace(statistic, of=partial(values_of, statistic)) for statistic in statistics]
    return evaluate(knowing, evidence)


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
