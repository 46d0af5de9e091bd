"""The story in a page: open, place, ask, collect. The command line and a notebook call the same functions.

Keywords are the fields of six frozen records, one for each concern; what a record does not know is a mistake with the
nearest name. Everything that can be refused before opening anything is.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from .analyses import ANALYSES, Analysis, Model, Reading, Selection, Setting
from .checkpoints import Checkpoint, Opening, changed, inputs, open_checkpoint
from .columns import Block, Message, Panel, Row
from .engine import Device, Each, Executor, Measured, Meter, Unit, choose
from .errors import GateFailed, Untrusted, Usage
from .escape import escaped
from .geometry import whole
from .provenance import provenance
from .reports.expression import parse
from .reports.gate import gate
from .reports.inputs import Inputs
from .reports.report import Report
from .reports.view import View
from .sizes import size_of

__all__ = ["Meter", "Running", "ask", "fit", "ls", "open_checkpoint", "outliers", "spectrum"]

Found = Row | Panel | Block | Message
Watch = Callable[[Meter, int, int], AbstractContextManager[None]]  # meter, tensors, bytes -> shown while measuring


@dataclass(frozen=True)
class Running:
    """Where and with how much: device, bytes of memory, threads."""

    device: str = "auto"
    memory: int | str | None = None  # 512MiB
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.memory is not None:
            size_of(self.memory)


@dataclass(frozen=True)
class Gates:
    """Expressions over all measured rows that decide the exit code."""

    fail_if: tuple[str, ...] = ()


QUESTIONS = {question.name: question for question in ANALYSES}
RECORDS = (Opening, Reading, Selection, Running, View, Gates)


def fit(*models: Any, **options: Any) -> Report:
    """Which law do the weights follow, how well, and are they i.i.d.: one row a tensor, or a group with `by`.

    `models`: paths, `demo:NAME`, open checkpoints or dicts of tensors. `options`: the fields of FitOptions (by, long,
    balance, coding, counts, panels, histogram, seed), Selection (include, exclude, role, layers, min_params), Opening
    (root, strict, follow_symlinks, salvage), Reading (name_map, split), Running (device, memory, threads), View
    (columns, where, sort, limit) and Gates (fail_if). Raises Usage, Untrusted, GateFailed.

    >>> report = fit("demo:gpt", by="role", columns=("role", "kind", "std"))
    >>> list(report.table.columns)
    ['role', 'kind', 'std']
    """
    return _passed(ask("fit", models, options))


def outliers(*models: Any, **options: Any) -> Report:
    """What stands out: extreme, dead, duplicate, untrained and non-finite weights, and what they cost in quantisation.

    `options`: the fields of OutliersOptions (by, quant, top, top_rows, base, ignore, panels) and of the records that
    `fit` takes. Raises Usage, Untrusted, GateFailed.

    >>> outliers("demo:gpt", role="head", quant="int8").rows[0]["nan"]
    0
    """
    return _passed(ask("outliers", models, options))


def spectrum(*models: Any, **options: Any) -> Report:
    """What the singular values say: ranks, power-law tail, noise bulk and spikes, effective depth, with their nulls.

    `options`: the fields of SpectrumOptions (by, svd, per_head, balance, alpha_cut, alpha_ci, null, draws, values,
    panels, seed) and of the records that `fit` takes. Raises Usage, Untrusted, GateFailed.

    >>> spectrum("demo:gpt-start", columns=("tensor", "spikes"), include="*.0.self_attn.o_proj.*").rows[0]["spikes"]
    0
    """
    return _passed(ask("spectrum", models, options))


def ls(*models: Any, **options: Any) -> Report:
    """What is in a checkpoint: name, layer, role, shape, dtype, bytes, from headers alone.

    `options`: the fields of InventoryOptions (by, flat, metadata) and of the records that `fit` takes.
    Raises Usage, Untrusted, GateFailed.

    >>> ls("demo:gpt", by="dtype").rows[0]["dtype"]
    'BF16'
    """
    return _passed(ask("ls", models, options))


def _passed(report: Report) -> Report:
    """The report, where no gate matches; a gate that is null on every row decides nothing, which is a warning.

    Raises GateFailed, which carries the report.
    """
    for undecided in (g for g in report.gates if g.undecided):
        warnings.warn(str(undecided), stacklevel=3)  # the call of the user
    matching = [str(g) for g in report.gates if g.count]
    if matching:
        raise GateFailed("\n".join(matching), report=report)
    return report


def ask(name: str, sources: Sequence[Any], keywords: Mapping[str, Any], watch: Watch | None = None) -> Report:
    """Puts a question to checkpoints and collects the answer."""
    begun, question = time.monotonic(), QUESTIONS[name]
    if len(sources) < question.least:
        raise _too_few(question, len(sources))
    records = _records(question, keywords, len(sources) > 1)
    options = _checked(question, records)
    setting = Setting(records[Opening], records[Reading], records[Selection])
    models = question.models(sources, options, setting)
    opened = _checkpoints(models)
    engine = _Engine(records[Running], watch)
    answers = list(question.rows(models, options, engine))
    for sentence in filter(None, (changed(c) for c in opened)):
        raise Untrusted("expected files that stay as they are", sentence, "run again when nothing writes to them")
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
        provenance=provenance(question.name, opened, keywords, engine.device),
        gates=tuple(gate(parse(text, report.columns), report.rows) for text in records[Gates].fail_if),
        strict=records[Opening].strict,
        unmeasured=_unmeasured(question, models, engine, answers) if question.measures else (),
        reasons=_reasons(models, engine),
        incomplete=any(c.missing for c in opened),
        inputs=inputs_of(name, sources, keywords),
    )


def inputs_of(name: str, sources: Sequence[Any], keywords: Mapping[str, Any]) -> Inputs:
    """What a call reads: its sources, the base that it compares with, and its own rules for names."""
    question = QUESTIONS[name]
    options = _records(question, keywords, len(sources) > 1)[question.options]
    base, rules = keywords.get("base"), keywords.get("name_map")
    read = [inputs(source) for source in (*sources, *(() if base is None else (base,)))]
    files = [path for found, _ in read for path in found]
    folders = [path for _, found in read for path in found]
    columns = frozenset(column.name for column in question.columns(options))
    return Inputs((*files, *(() if rules is None else (rules,))), tuple(folders), columns)


def _too_few(question: Analysis, found: int) -> Usage:
    expected = "at least one MODEL" if question.least == 1 else f"at least {question.least} MODELs"
    return Usage(f"expected {expected}", f"found {found or 'none'}", "name a checkpoint, a folder or demo:gpt")


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
        return choose(self.running.device, None if memory is None else size_of(memory), self.running.threads)

    def __call__(self, units: Sequence[Unit], each: Each) -> Iterator[Measured]:
        self.device = self.device or self._chosen()
        with self.watch(self.meter, len(units), _size(units)) if self.watch else nullcontext():
            for answer in Executor(self.device, self.meter)(units, each):
                self.refused += [answer.unit.key.name] if answer.note else []
                yield answer


def _size(units: Sequence[Unit]) -> int:
    """Bytes that the units will read."""
    return sum(s.bytes[1] for u in units for e in u.entries.values() for s in e.needs(whole(e.shape)))


def _records(question: Analysis, keywords: Mapping[str, Any], several: bool) -> dict[type, Any]:
    """Keywords sorted into the records that know them."""
    kinds = (question.options, *RECORDS)
    known = {f.name: f for kind in kinds for f in fields(kind)}
    own = {f.name: kind for kind in kinds for f in fields(kind) if f.name not in ("several", "wanted")}
    for name in keywords:
        if name not in own:
            near = get_close_matches(name, own, 1)
            raise Usage(
                f"{question.name} has no option {name!r}",
                f"options: {', '.join(sorted(own))}",
                f"did you mean {near[0]!r}?" if near else "leave it out",
            )
    given = {kind: {k: _frozen(v, known[k].default) for k, v in keywords.items() if own[k] is kind} for kind in kinds}
    given[question.options] |= {"several": several}
    return {kind: kind(**values) for kind, values in given.items()}


def _frozen(value: Any, default: Any) -> Any:
    """Where several are taken, one string is one of them."""
    if isinstance(value, str) and isinstance(default, tuple):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _checked(question: Analysis, records: Mapping[type, Any]) -> Any:
    """Expressions and columns against what is declared, before anything is opened; then which columns are wanted."""
    options, view, gates = records[question.options], records[View], records[Gates]
    declared, absent = question.columns(options), question.optional(options)
    absent = {k: v for k, v in absent.items() if k not in {c.name for c in declared}}
    view.check(declared, absent)
    where = () if view.where is None else (view.where,)
    expressions = [parse(text, declared, absent) for text in (*gates.fail_if, *where)]
    if not view.columns or "all" in view.columns:
        return options
    named = {*view.named} | {n for e in expressions for n in e.names}
    summed = {c.of for c in declared if c.name in named and c.of}
    every = {"note"} if records[Opening].strict else set()  # also what nobody looks at has to be measured
    return replace(options, wanted=frozenset(named | summed | every))


def _collect(question: Analysis, options: Any, answers: Sequence[Found]) -> Report:
    """Rows to the main table, blocks to their tables, panels beside them."""
    rows = tuple(a.values for a in answers if isinstance(a, Row))
    found = [a for a in answers if isinstance(a, Block)]
    tables = {b.table: (b.columns, Blocks(tuple(x for x in found if x.table == b.table))) for b in found}
    panels = tuple(a for a in answers if isinstance(a, Panel))
    closing = "\n".join(a.text for a in answers if isinstance(a, Message) and a.after)
    return Report(question.name, rows, question.columns(options), tables=tables, panels=panels, closing=closing)


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
    families = [escaped(f"{p.name}: {p.place.why}") for m in models for p in m.pieces if p.place.why]
    return ((engine.device.why,) if engine.device else ()) + tuple(engine.meter.plans) + tuple(families)


def _unmeasured(
    question: Analysis, models: Sequence[Model], engine: _Engine, answers: Sequence[Found]
) -> tuple[str, ...]:
    """Tensors that the command applies to and could not measure: not decoded, over the budget, without an answer."""
    pieces = (p.name for m in models for p in m.pieces if p.entry is None and question.applies(p))
    rows = (name for a in answers if isinstance(a, Row) for name in a.unmeasured)
    return tuple(dict.fromkeys((*pieces, *engine.refused, *rows)))
