"""The story in a page: open, place, ask, collect. The command line and a notebook call the same functions.

Keywords are the fields of a few frozen records, one for each concern: see records.py. Everything that can be refused
before opening anything is.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from .analyses import ANALYSES, Analysis, Reading, Selection
from .analyses.gathering import Setting
from .analyses.piece import Model
from .checkpoints import Checkpoint, Opening, changed, inputs, open_checkpoint
from .columns import Block, Found, Message, Panel, Row
from .engine import Device, Each, Executor, Measured, Meter, Unit, choose
from .errors import CheckpointError, GateFailed, UsageError
from .escape import escaped
from .geometry import whole
from .notes import COLUMNS
from .provenance import column_versions, provenance
from .records import filled, options_of
from .reports.expression import parse
from .reports.gate import Gates, gate
from .reports.inputs import Inputs
from .reports.report import Report
from .reports.view import View
from .running import Running
from .sizes import size_of

__all__ = ["Meter", "answer", "ask", "open_checkpoint"]

Watch = Callable[
    [Meter, int, int], AbstractContextManager[None]
]  # meter, tensors, bytes -> shown while measuring


QUESTIONS = {question.name: question for question in ANALYSES}


def answer(analysis: str, /, models: Sequence[Any], **given: Any) -> Report:
    """What a Python function returns: the report of a call, of which `given` are all keywords with their values.

    Warns of a gate that is null on every row, which decides nothing. Raises GateFailed, which carries the report.
    """
    options = options_of(QUESTIONS[analysis])
    keywords = {name: value for name, value in given.items() if value != options[name].default}
    report = ask(analysis, models, keywords)
    for undecided in (g for g in report.gates if g.undecided):
        warnings.warn(
            str(undecided), stacklevel=4
        )  # the call of the user, above the function and its check
    matching = [str(g) for g in report.gates if g.count]
    if matching:
        raise GateFailed("\n".join(matching), report=report)
    return report


def ask(
    name: str, sources: Sequence[Any], keywords: Mapping[str, Any], watch: Watch | None = None
) -> Report:
    """Puts a question to checkpoints and collects the answer."""
    begun, question = time.monotonic(), QUESTIONS[name]
    if len(sources) < question.least:
        raise _too_few(question, len(sources))
    records = filled(question, keywords, len(sources) > 1)
    options = _checked(question, records)
    setting = Setting(records[Opening], records[Reading], records[Selection])
    models = question.models(sources, options, setting)
    opened = _checkpoints(models)
    engine = _Engine(records.get(Running, Running()), watch)
    answers = list(question.rows(models, options, engine))
    for sentence in filter(None, (changed(c) for c in opened)):
        raise CheckpointError(
            "expected files that stay as they are",
            sentence,
            "run again when nothing writes to them",
        )
    report = _collect(question, options, answers)
    timing = {
        "seconds": round(time.monotonic() - begun, 3),
        "bytes_read": engine.meter.bytes_read,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return replace(
        report,
        view=records[View],
        timing=timing,
        notes=_notes(opened, answers),
        provenance=provenance(question.name, opened, keywords, engine.device)
        | {
            "column_versions": column_versions(
                [report.columns, *(columns for columns, _ in report.tables.values())]
            )
        },
        gates=tuple(
            gate(parse(text, report.columns), report.rows) for text in records[Gates].fail_if
        ),
        strict=records[Opening].strict,
        unmeasured=_unmeasured(question, models, engine, answers) if question.measures else (),
        reasons=_reasons(models, engine),
        incomplete=any(c.missing for c in opened),
        inputs=inputs_of(name, sources, keywords),
    )


def inputs_of(name: str, sources: Sequence[Any], keywords: Mapping[str, Any]) -> Inputs:
    """What a call reads: its sources, and what its options name."""
    question = QUESTIONS[name]
    options = filled(question, keywords, len(sources) > 1)[question.options]
    models, files = list(sources), []
    for option in options_of(question).values():
        value = keywords.get(option.name)
        if value is not None and option.option.reads == "model":
            models.append(value)
        elif value is not None and option.option.reads == "file":
            files.append(value)
    read = [inputs(source) for source in models]
    columns = frozenset(column.name for column in question.columns(options))
    return Inputs(
        (*(path for found, _ in read for path in found), *files),
        tuple(path for _, found in read for path in found),
        columns,
    )


def _too_few(question: Analysis, found: int) -> UsageError:
    expected = "at least one MODEL" if question.least == 1 else f"at least {question.least} MODELs"
    return UsageError(
        f"expected {expected}",
        f"found {found or 'none'}",
        "name a checkpoint, a folder or demo:gpt",
    )


def _checkpoints(models: Sequence[Model]) -> list[Checkpoint]:
    """Everything that was opened: the models, then what they are compared with."""
    bases = [model.base for model in models if model.base is not None]
    return list({id(m.checkpoint): m.checkpoint for m in (*models, *bases)}.values())


class _Engine:
    """The measurer of one call: chooses its device when first asked, so that what measures nothing loads no torch."""

    def __init__(self, running: Running, watch: Watch | None) -> None:
        self.running, self.watch, self.meter = running, watch, Meter()
        self.refused: list[str] = []
        self.device: Device | None = None

    def _chosen(self) -> Device:
        memory = self.running.memory
        return choose(
            self.running.device, None if memory is None else size_of(memory), self.running.threads
        )

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        self.device = self.device or self._chosen()
        with self.watch(self.meter, len(units), _size(units)) if self.watch else nullcontext():
            for answer in Executor(self.device, self.meter)(units, each):
                self.refused += [answer.unit.key.name] if answer.note else []
                yield answer


def _size(units: Sequence[Unit]) -> int:
    """Bytes that the units will read."""
    return sum(
        s.bytes[1] for u in units for e in u.entries.values() for s in e.needs(whole(e.shape))
    )


def _checked(question: Analysis, records: Mapping[type, Any]) -> Any:
    """Expressions and columns against what is declared, before anything is opened; then which columns are wanted."""
    options, view, gates = records[question.options], records[View], records[Gates]
    declared, absent = question.columns(options), question.optional(options)
    absent = {k: v for k, v in absent.items() if k not in {c.name for c in declared}}
    view.check(declared, absent)
    where = () if view.where is None else (view.where,)
    expressions = [parse(text, declared, absent) for text in (*gates.fail_if, *where)]
    read = {name for expression in expressions for name in expression.names}
    if (
        not view.columns or "all" in view.columns or read & COLUMNS
    ):  # notes are about every statistic
        return options
    named = {*view.named} | read
    summed = {c.of for c in declared if c.name in named and c.of}
    every = (
        {"note"} if records[Opening].strict else set()
    )  # also what nobody looks at has to be measured
    return replace(options, wanted=frozenset(named | summed | every))


def _collect(question: Analysis, options: Any, answers: Sequence[Found]) -> Report:
    """Rows to the main table, blocks to their tables, panels beside them."""
    rows = [a for a in answers if isinstance(a, Row)]
    found = [a for a in answers if isinstance(a, Block)]
    tables = {
        b.table: (b.columns, Blocks(tuple(x for x in found if x.table == b.table))) for b in found
    }
    panels = tuple(a for a in answers if isinstance(a, Panel))
    closing = "\n".join(a.text for a in answers if isinstance(a, Message) and a.after)
    return Report(
        question.name,
        tuple(row.values for row in rows),
        question.columns(options),
        tables=tables,
        panels=panels,
        closing=closing,
        row_notes=tuple(row.notes for row in rows),
    )


@dataclass(frozen=True, eq=False)
class Blocks(Sequence[Mapping[str, object]]):
    """The lines of many blocks, made one by one: a table of millions of cells stays arrays until it is written."""

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return sum(len(b) for b in self.blocks)

    def __iter__(self) -> Iterator[Mapping[str, object]]:
        for block in self.blocks:
            yield from block

    def __getitem__(self, at: Any) -> Any:
        return list(self)[at]


def _notes(opened: Sequence[Checkpoint], answers: Sequence[Found]) -> tuple[str, ...]:
    """What was chosen, what is odd and what is missing, in the order of the models; then what the analysis says."""
    found = [escaped(note) for c in opened for note in (*c.notes, *c.flags, *c.missing)]
    said = [a.text for a in answers if isinstance(a, Message) and not a.after]
    return tuple(dict.fromkeys([*found, *said]))


def _reasons(models: Sequence[Model], engine: _Engine) -> tuple[str, ...]:
    """Why each automatic choice was made: device, batches, families."""
    families = [
        escaped(f"{p.name}: {p.place.why}") for m in models for p in m.pieces if p.place.why
    ]
    return (
        ((engine.device.why,) if engine.device else ())
        + tuple(engine.meter.plans)
        + tuple(families)
    )


def _unmeasured(
    question: Analysis, models: Sequence[Model], engine: _Engine, answers: Sequence[Found]
) -> tuple[str, ...]:
    """Tensors that the command applies to and could not measure: not decoded, over the budget, without an answer."""
    pieces = (p.name for m in models for p in m.pieces if p.entry is None and question.applies(p))
    rows = (name for a in answers if isinstance(a, Row) for name in a.unmeasured)
    return tuple(dict.fromkeys((*pieces, *engine.refused, *rows)))
