"""The library: opens checkpoints, places and measures their tensors, and returns a report.

The command line and the Python functions call the same `ask`. Keywords are the fields of a few
frozen records, one for each concern (records.py). Errors of usage are raised before any file opens.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from . import against
from .analyses import Analysis, NameOptions, Selection
from .analyses.coverage import Run, coverage
from .analyses.gathering import Setting, measurable, readable, require_enough
from .analyses.piece import Model
from .analyses.reasons import reasons
from .analyses.several import Several
from .checkpoints import Checkpoint, Opening, changed, open_checkpoint, uncollected
from .columns import Column, Found, Message, Row
from .engine import Meter, Session, Watch
from .errors import CheckpointError, GateFailed, UsageError
from .escape import escaped
from .input_files import BY_NAME, inputs_against, inputs_of
from .notes import COLUMNS
from .provenance import column_versions, provenance
from .records import filled, options_of, recorded
from .reports.collecting import collected
from .reports.expression import parse
from .reports.gate import Gate, Gates, gate
from .reports.report import Report
from .reports.view import View, usual
from .running import Running

__all__ = ["Meter", "answer", "ask", "open_checkpoint"]


def answer(name: str, /, models: Sequence[Any], **given: Any) -> Report:
    """The report of a Python call; `given` are all keywords of the function with their values.

    Warns of a model that cannot be opened among others, and of a gate that is null on every row.
    Raises GateFailed, which carries the report, where a gate matches.
    """
    report = ask(name, models, _given(name, given))
    for refusal in report.refused:
        warnings.warn(refusal, stacklevel=4)
    for undecided in report.gates:
        if undecided.undecided:
            # level 4 is the user's call, above the generated function and its check of keywords
            warnings.warn(str(undecided), stacklevel=4)
    matching = [str(gate) for gate in report.gates if gate.count]
    if matching:
        raise GateFailed("\n".join(matching), report=report)
    return report


def _given(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The keywords that differ from their defaults, in the types of the records."""
    options = options_of(BY_NAME[name])
    keywords = {}
    for key, value in given.items():
        accepted = recorded(options[key], value)
        if accepted is options[key].default or accepted == options[key].default:
            continue
        # the provenance has texts and lists as they were given
        is_kept = isinstance(value, str | list) and not options[key].option.numbers
        keywords[key] = value if is_kept else accepted
    return keywords


def ask(
    name: str, sources: Sequence[Any], keywords: Mapping[str, Any], watch: Watch | None = None
) -> Report:
    """Runs the analysis `name` on checkpoints and returns its report.

    Raises UsageError before anything is opened, CheckpointError where no source can be opened and
    trusted, or where one changes during the run. A comparison needs its first source, of two both.
    """
    begun = time.monotonic()
    analysis = BY_NAME[name]
    if len(sources) < analysis.least:
        raise _too_few(analysis, len(sources))
    if against.applies(analysis, sources, keywords):
        asked = against.question(analysis, sources, keywords, BY_NAME)
        report = against.answered(name, asked, sources[1], keywords, partial(ask, watch=watch))
        return replace(report, inputs=inputs_against(asked, sources[1]))
    records = filled(analysis, keywords, len(sources))
    options = _checked(analysis, records)
    models, refused = _models(analysis, options, sources, records)
    checkpoints = _checkpoints(models)
    engine = Session(records.get(Running, Running()), watch)
    answers = _answers(analysis, models, options, engine)
    _check_unchanged(checkpoints)
    report = collected(name, analysis.columns(options), answers)
    timing = _timing(begun, engine.meter)
    failed = [name for item in answers if isinstance(item, Row) for name in item.unmeasured]
    unmeasured: tuple[str, ...] = ()
    if analysis.measures:
        unmeasured = _unmeasured(analysis, models, engine, failed)
    refused_tensors = frozenset(engine.refused)
    run = Run(analysis, records[Selection], options, refused_tensors, frozenset(failed))
    origin = provenance(name, checkpoints, keywords, engine.device)
    origin |= _kept(answers) | _without(refused)
    return replace(
        report,
        view=records[View],
        timing=timing,
        notes=(*_notes(checkpoints, answers), *engine.notes),
        provenance=origin | {"column_versions": _versions(report)},
        gates=_gates(records[Gates], report),
        strict=records[Opening].strict,
        unmeasured=unmeasured,
        coverage=coverage(models, run),
        reasons=reasons(_choices(engine), models),
        incomplete=any(checkpoint.missing for checkpoint in checkpoints),
        inputs=inputs_of(name, sources, keywords),
        refused=refused,
    )


def _models(
    analysis: Analysis, options: Any, sources: Sequence[Any], records: Mapping[type, Any]
) -> tuple[tuple[Model, ...], tuple[str, ...]]:
    """(the models that can be opened and measured, the refusals of the others)."""
    # ls needs no model: it lists all tensors of a file
    opening = replace(records[Opening], listing=not analysis.measures)
    several = records.get(Several) if len(sources) > 1 else None
    needed = analysis.required(options, len(sources))
    with uncollected():
        opened, faults = readable(needed, sources, several, opening)
        require_enough(partial(analysis.required, options), len(opened), faults)
        setting = Setting(opening, records[NameOptions], records[Selection], tuple(opened))
        gathered = analysis.models(tuple(opened.values()), options, setting)
        return measurable(
            gathered,
            lambda model: analysis.refusal(model, setting.selection, options),
            several,
            faults,
        )


def _answers(
    analysis: Analysis, models: Sequence[Model], options: Any, engine: Session
) -> list[Found]:
    """All rows, panels and messages; where nothing is measured, without the cycle collector."""
    if analysis.measures:
        return list(analysis.rows(models, options, engine))
    with uncollected():
        return list(analysis.rows(models, options, engine))


def _too_few(analysis: Analysis, count: int) -> UsageError:
    if analysis.least == 1:
        models = "at least one MODEL"
    else:
        models = f"at least {analysis.least} MODELs"
    return UsageError(
        f"expected {models}",
        f"found {count or 'none'}",
        "name a checkpoint, a folder or demo:gpt",
    )


def _checked(analysis: Analysis, records: Mapping[type, Any]) -> Any:
    """The options, with `wanted` = the columns that the call needs where it needs only some.

    Refuses expressions and columns that the analysis does not declare.
    """
    options, view, gates = records[analysis.options], records[View], records[Gates]
    declared = analysis.columns(options)
    texts = [*gates.fail_if]
    if view.where is not None:
        texts.append(view.where)
    absent: Mapping[str, str] = {}
    if view.named or texts:  # a call that names no column cannot name an absent one
        absent = _absent(analysis, options, declared)
    view.check(declared, absent)
    used: set[str] = set()
    for text in texts:
        used.update(parse(text, declared, absent).names)
    wanted = {*view.named, *used}
    # a note may be about any statistic: an expression over notes needs every statistic
    if not view.columns or used & COLUMNS:
        wanted.update(usual(declared))
    if "all" in view.columns or wanted.issuperset(column.name for column in declared):
        return options
    # `std_median` of a group is computed from `std`
    pooled = {column.of for column in declared if column.of and column.name in wanted}
    wanted.update(pooled)
    if records[Opening].strict:
        wanted.add("note")  # --strict also fails for statistics that no column shows
    return replace(options, wanted=frozenset(wanted))


def _absent(analysis: Analysis, options: Any, declared: Sequence[Column]) -> dict[str, str]:
    """The columns that a run lacks, and the option that adds each."""
    names = {column.name for column in declared}
    optional = analysis.optional(options)
    return {name: flag for name, flag in optional.items() if name not in names}


def _without(refused: Sequence[str]) -> dict[str, list[str]]:
    """The key of provenance that names the sources which could not be opened; else empty."""
    if not refused:
        return {}
    return {"refused": list(refused)}


def _checkpoints(models: Sequence[Model]) -> list[Checkpoint]:
    """Every open checkpoint once: the models, those beside them, then their bases."""
    beside = [other for model in models for other in model.beside]
    bases = [model.base for model in models if model.base is not None]
    every = (*models, *beside, *bases)
    by_identity = {id(model.checkpoint): model.checkpoint for model in every}
    return list(by_identity.values())


def _check_unchanged(checkpoints: Sequence[Checkpoint]) -> None:
    """Refuses a report of files that were written to while they were read."""
    for checkpoint in checkpoints:
        change = changed(checkpoint)
        if change:
            raise CheckpointError(
                "expected files that do not change during the run",
                change,
                "run again when nothing writes to them",
            )


def _timing(begun: float, meter: Meter) -> dict[str, object]:
    """Measured times, bytes and the date: values that differ between runs of one command."""
    return {
        "seconds": round(time.monotonic() - begun, 3),
        "bytes_read": meter.bytes_read,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _versions(report: Report) -> dict[str, int]:
    """The version of each column of the main table, then of the named tables."""
    extra = [columns for columns, _ in report.tables.values()]
    return column_versions([report.columns, *extra])


def _gates(gates: Gates, report: Report) -> tuple[Gate, ...]:
    """Every expression of --fail-if, evaluated on all rows."""
    evaluated = []
    for text in gates.fail_if:
        expression = parse(text, report.columns)
        evaluated.append(gate(expression, report.rows))
    return tuple(evaluated)


def _notes(checkpoints: Sequence[Checkpoint], answers: Sequence[Found]) -> tuple[str, ...]:
    """Notes, flags and missing parts of each checkpoint, then messages of the analysis."""
    notes: list[str] = []
    for checkpoint in checkpoints:
        remarks = (*checkpoint.notes, *checkpoint.flags, *checkpoint.missing)
        notes.extend(escaped(remark) for remark in remarks)
    messages = [item for item in answers if isinstance(item, Message)]
    notes.extend(message.text for message in messages if not message.after)
    return tuple(dict.fromkeys(notes))


def _kept(answers: Sequence[Found]) -> dict[str, list[str]]:
    """Messages that provenance keeps, by key."""
    kept: dict[str, list[str]] = {}
    for item in answers:
        if isinstance(item, Message) and item.key:
            kept.setdefault(item.key, []).append(item.text)
    return kept


def _choices(engine: Session) -> list[str]:
    """Reasons of the automatic choices of the engine: device, batches."""
    choices = []
    if engine.device:
        choices = [engine.device.why]
    choices.extend(engine.meter.plans)
    return choices


def _unmeasured(
    analysis: Analysis, models: Sequence[Model], engine: Session, failed: Sequence[str]
) -> tuple[str, ...]:
    """Names of tensors that the command applies to and could not measure, each once.

    They were not decoded, exceed the budget, or were read without a result (`failed`).
    """
    names: list[str] = []
    for model in models:
        undecoded = [piece for piece in model.pieces if piece.entry is None]
        names.extend(piece.name for piece in undecoded if analysis.applies(piece))
    names.extend(engine.refused)
    names.extend(failed)
    return tuple(dict.fromkeys(names))
