"""Records of options: of an analysis, those that it shares, and those of every report."""

from __future__ import annotations

from collections.abc import Mapping
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


def filled(analysis: Analysis, keywords: Mapping[str, Any], several: bool) -> dict[type, Any]:
    """The records of one call by type; `several`: there are several models.

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
            values["several"] = several
        records[record] = record(**values)
    return records


def recorded(option: Declared, value: Any) -> Any:
    """A value in the type of the record: a tuple for several values, also of a single string.

    Raises UsageError for a value of another type.
    """
    return converted(option, value)
