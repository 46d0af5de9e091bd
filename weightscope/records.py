"""The records that options fill: those of an analysis, those it uses, and those of every report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .analyses import Analysis
from .keywords import check_known
from .options import Declared, declared
from .reports.gate import Gates
from .reports.view import View

OF_REPORTS = (View, Gates)


def records_of(analysis: Analysis) -> tuple[type, ...]:
    """The kinds of records whose fields are the options of an analysis, its own first."""
    return (analysis.options, *analysis.uses, *OF_REPORTS)


def options_of(analysis: Analysis) -> dict[str, Declared]:
    """The options of an analysis by name, its own first."""
    return {option.name: option for record in records_of(analysis) for option in declared(record)}


def filled(analysis: Analysis, keywords: Mapping[str, Any], several: bool) -> dict[type, Any]:
    """The records of one call, by kind; `several`: there are several models.

    Raises UsageError where a keyword is unknown or a value is refused.
    """
    check_known(analysis.name, keywords, options_of(analysis))
    records = {}
    for kind in records_of(analysis):
        known = {option.name: option for option in declared(kind)}
        given = {
            name: _value(known[name], value) for name, value in keywords.items() if name in known
        }
        if kind is analysis.options:
            given["several"] = several
        records[kind] = kind(**given)
    return records


def _value(option: Declared, value: Any) -> Any:
    """A tuple where several are taken: one string is one of them."""
    if option.several and isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value
