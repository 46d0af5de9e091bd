"""Records of options: of an analysis, those that it shares, and those of every report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .analyses import Analysis
from .conversions import converted
from .keywords import check_known
from .options import Declared, declared
from .reports.gate import Gates
from .reports.view import View

OF_REPORTS = (View, Gates)


def records_of(analysis: Analysis) -> tuple[type, ...]:
    """The record types whose fields are the options of an analysis, its own first."""
    return (analysis.options, *analysis.uses, *OF_REPORTS)


def options_of(analysis: Analysis) -> dict[str, Declared]:
    """The options of an analysis by name, its own first."""
    options = {}
    for record in records_of(analysis):
        for option in declared(record):
            options[option.name] = option
    return options


def filled(analysis: Analysis, keywords: Mapping[str, Any], models: int = 1) -> dict[type, Any]:
    """The records of one call by type; `models`: how many there are.

    Raises UsageError where a keyword is unknown or a value is refused.
    """
    check_known(analysis.name, keywords, options_of(analysis))
    records = {}
    for record in records_of(analysis):
        values: dict[str, Any] = {}
        for option in declared(record):
            if option.name in keywords:
                values[option.name] = recorded(option, keywords[option.name])
        if record is analysis.options:
            values |= _counted(record, models)
        records[record] = record(**values)
    return records


def _counted(record: type, models: int) -> dict[str, object]:
    """The fields of a record of options that follow from the number of models."""
    counted: dict[str, object] = {"several": models > 1, "models": models}
    names = {field.name for field in fields(record)}
    return {name: value for name, value in counted.items() if name in names}


def recorded(option: Declared, value: Any) -> Any:
    """A value in the type of the record: a tuple for several values, also of a single string.

    Raises UsageError for a value of another type.
    """
    return converted(option, value)
