"""What is measured of a tensor, and what follows from it, once for all commands of the pages.

A sketch is remembered by its measure and by the content that it is taken of, the values of a
statistic by the sketches that they follow from. What is asked again is the same to the bit, by the
laws of tests/sketches; anything unknown is measured.
"""

import os
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from functools import partial
from types import FunctionType

import numpy as np
import pytest
import torch

from weightscope.analyses.compare import request as of_compare
from weightscope.analyses.depth import initialisation
from weightscope.analyses.depth.products import norm
from weightscope.analyses.fit import request as of_fit
from weightscope.analyses.outliers import request as of_outliers
from weightscope.analyses.spectrum import request as of_spectrum
from weightscope.checkpoints import Stored
from weightscope.engine import stream
from weightscope.errors import Unmeasured
from weightscope.statistics.statistic import evaluate

EVALUATING = (of_compare, initialisation, norm, of_fit, of_outliers, of_spectrum)
PASSES = stream.passes


class Memory:
    """Sketches and values of one package of tests, and how often each was known."""

    def __init__(self):
        self.sketches = {}
        self.names = {}  # by the id of a sketch that is kept: what it is a sketch of
        self.values = {}
        self.known = self.new = 0

    def passes(self, batch, device, buffers, check):
        """`stream.passes`, of the measures that are new for any unit of the batch."""
        wanted = [
            (label, measure)
            for label, measures in batch.units[0].wants.items()
            for measure in measures
            if (label, measure) not in batch.refused
        ]
        names = {key: [name(unit, *key) for unit in batch.units] for key in wanted}
        new = {key for key in wanted if any(n not in self.sketches for n in names[key])}
        self.known += len(wanted) - len(new)
        self.new += len(new)
        if new:
            units = tuple(with_wants(unit, new) for unit in batch.units)
            taken = PASSES(replace(batch, units=units), device, buffers, check)
            for key, sketches in taken.items():
                self._keep(names[key], sketches)
        return {key: [self.sketches[n] for n in names[key]] for key in wanted}

    def _keep(self, names, sketches):
        for of, sketch in zip(names, sketches, strict=True):
            kept = self.sketches.setdefault(of, sketch)
            self.names[id(kept)] = of

    def evaluate(self, statistics, evidence):
        """`evaluate`, each statistic of known sketches once."""
        return evaluate([self._once(statistic) for statistic in statistics], evidence)

    def _once(self, statistic):
        return replace(statistic, of=partial(self._of, statistic))

    def _of(self, statistic, evidence):
        needs = sorted(statistic.needs, key=repr)
        names = tuple(self.names.get(id(evidence.sketches[need])) for need in needs)
        if None in names:
            return statistic.of(evidence)
        about = (evidence.shape, evidence.dtype, evidence.kind)
        key = (statistic.columns, tuple(needs), token(statistic.of), names, about)
        if key not in self.values:
            self.values[key] = outcome(statistic, evidence)
        values = self.values[key]
        if isinstance(values, Unmeasured):
            raise values
        return values


def outcome(statistic, evidence):
    """The values, or why there are none."""
    try:
        return statistic.of(evidence)
    except Unmeasured as reason:
        return reason


def with_wants(unit, new):
    """The unit with those of its measures that are new."""
    wants = {
        label: frozenset(measure for measure in measures if (label, measure) in new)
        for label, measures in unit.wants.items()
    }
    return replace(unit, wants=wants)


def name(unit, label, measure):
    """What a sketch follows from: the measure, and the entries whose tiles it sees."""
    seen = tuple((other, token(unit.entries[other])) for other in unit.seen(label))
    return measure, seen, token(next(iter(unit.entries.values())).cut)


def token(x):
    """Something hashable that is equal only where the content is: of files by their inode."""
    if isinstance(x, Stored):
        return of_stored(x)
    if isinstance(x, torch.Tensor):
        raw = x.detach().contiguous().reshape(-1).view(torch.uint8)
        return "tensor", str(x.dtype), tuple(x.shape), x.stride(), raw.numpy().tobytes()
    if isinstance(x, np.ndarray):
        return "array", x.dtype.str, x.shape, x.tobytes()
    if isinstance(x, partial):
        return token(x.func), token(x.args), token(x.keywords)
    if isinstance(x, FunctionType):
        cells = tuple(cell.cell_contents for cell in x.__closure__ or ())
        return x.__code__, token(cells), token(x.__defaults__), token(x.__kwdefaults__)
    if isinstance(x, dict):
        return "dict", tuple((token(key), token(value)) for key, value in x.items())
    if isinstance(x, list | tuple):
        return type(x).__name__, tuple(token(part) for part in x)
    if is_dataclass(x) and not isinstance(x, type):
        return type(x), tuple(token(getattr(x, field.name)) for field in fields(x))
    hash(x)
    return type(x), x


def of_stored(stored):
    """Of a tensor in a file its place in there: links of one file are equal."""
    if stored.tensor is not None:
        return "memory", stored.dims, stored.dtype, token(stored.tensor)
    file = os.stat(stored.file)
    of_file = (file.st_dev, file.st_ino, file.st_size, file.st_mtime_ns)
    how = (stored.offset, stored.strides, stored.swapped, stored.negated)
    return of_file, stored.dims, stored.dtype, how


@contextmanager
def measured_once():
    """The commands measure and evaluate with one memory until the `with` ends."""
    memory = Memory()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(stream, "passes", memory.passes)
        for module in EVALUATING:
            patched.setattr(module, "evaluate", memory.evaluate)
        yield memory
