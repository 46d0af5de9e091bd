"""The comparison: what the command line shows against the definitions, cell by cell."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

import torch

from .case import Case, NotCompared
from .definitions import DEFINITIONS, PENDING
from .definitions.definition import Definition
from .storing import TYPES, write

Rows = Mapping[str, Mapping[str, object]]
Run = Callable[[Sequence[str]], None]  # with the arguments of the command line
OPTIONS = {"fit": ("--balance", "--coding")}
NAME = "model.layers.{}.mlp.up_proj.weight"


@dataclass(frozen=True)
class Cell:
    """A compared value; `error` is None where a null or a word is wrong."""

    tensor: str
    column: str
    shown: object
    expected: object
    error: float | None
    wrong: bool


@dataclass
class Result:
    """The cells of one column."""

    compared: int = 0
    nulls: int = 0
    left_out: int = 0
    largest: float = 0.0
    largest_wide: float = 0.0
    wrong: list[Cell] = field(default_factory=list)


def write_constructed(path: Path, tensors: Iterable[tuple[str, torch.Tensor]]) -> list[Case]:
    """Writes the tensors into a file under names of a model; the cases to expect."""
    named = {NAME.format(number): tensor for number, tensor in tensors}
    write(path, named)
    return cases_of(named)


def cases_of(named: Mapping[str, torch.Tensor]) -> list[Case]:
    """A case for each tensor."""
    types = {dtype: name for name, dtype in TYPES.items()}
    cases: list[Case] = []
    for name, tensor in named.items():
        cases.append(Case(name, types[tensor.dtype], tensor, tuple(cases)))
    return cases


def measured(run: Run, command: str, source: str) -> Rows:
    """The rows of a command by the name of their tensor."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "rows.json"
        run((command, source, *OPTIONS.get(command, ()), "--columns", "all", "-o", str(report)))
        rows = json.loads(report.read_text("utf-8"))
    return {row["tensor"]: row for row in rows}


def compare(
    cases: Iterable[Case], rows: Rows, command: str, slow: bool = True
) -> dict[str, Result]:
    """The result of each defined column; without `slow` only of those that take no time."""
    definitions = [d for d in DEFINITIONS[command] if slow or not d.slow]
    results = {definition.column: Result() for definition in definitions}
    for case in cases:
        for definition in definitions:
            if definition.column in rows[case.name]:
                _add(results[definition.column], definition, case, rows[case.name])
    return results


def _add(result: Result, definition: Definition, case: Case, row: Mapping[str, object]) -> None:
    try:
        expected = definition.value(case)
    except NotCompared:
        result.left_out += 1
        return
    cell = _cell(definition, case, row[definition.column], expected)
    result.compared += 1
    result.nulls += expected is None
    if cell.error is not None and case.is_wide and definition.wide is not None:
        result.largest_wide = max(result.largest_wide, cell.error)
    elif cell.error is not None:
        result.largest = max(result.largest, cell.error)
    if cell.wrong:
        result.wrong.append(cell)


def _cell(definition: Definition, case: Case, shown: object, expected: object) -> Cell:
    if isinstance(expected, float) and isnan(expected):
        expected = None
    if not (_is_number(shown) and _is_number(expected)):
        return Cell(case.name, definition.column, shown, expected, None, shown != expected)
    error = _error(definition, case, float(shown), float(expected))  # type: ignore[arg-type]
    return Cell(
        case.name, definition.column, shown, expected, error, not error <= definition.limit(case)
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _error(definition: Definition, case: Case, shown: float, expected: float) -> float:
    difference = abs(shown - expected)
    if difference == 0:
        return 0.0
    unit = abs(expected)
    if definition.unit is not None:
        unit = max(unit, definition.unit(case))
    return difference / unit if unit else float("inf")


def failures(results: Mapping[str, Result]) -> int:
    """The number of wrong cells, without those of columns whose change is announced."""
    return sum(len(r.wrong) for column, r in results.items() if column not in PENDING)


def wrong_cells(results: Mapping[str, Result]) -> Iterator[str]:
    """A line for each wrong cell."""
    for result in results.values():
        for cell in result.wrong:
            error = "" if cell.error is None else f", error {cell.error:.2g}"
            yield f"{cell.tensor} {cell.column}: {cell.shown}, expected {cell.expected}{error}"
