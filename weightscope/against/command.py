"""The command that wrote a stored report, with the options that determine its numbers.

Options of the output, of gates and of the engine are ignored; so are those by which the old file
was trusted (`--salvage`, `--follow-symlinks`), which are given anew for the new one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..analyses import Analysis
from ..columns import Column
from ..errors import UsageError
from ..escape import escaped, listed, shown
from ..options import Declared, declared
from ..records import filled, options_of
from ..reports.gate import Gates
from ..reports.stored import StoredReport
from ..reports.view import View
from ..running import Running
from ..version import __version__

TRUST = ("strict", "salvage", "follow_symlinks")
HIDING = ("where", "limit")  # stored with them, a report lacks rows


@dataclass(frozen=True, eq=False)
class Command:
    """`options` are keywords; `hidden` the stored options that left rows out of the report."""

    analysis: Analysis
    options: Mapping[str, Any]
    hidden: tuple[str, ...] = ()
    versions: Mapping[str, Any] | None = None  # of stored columns; None: unknown
    origin: str = "provenance"  # or columns: where the command comes from

    @property
    def name(self) -> str:
        """The name of the command."""
        return self.analysis.name

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the command today."""
        records = filled(self.analysis, self.options)
        return self.analysis.columns(records[self.analysis.options])

    @property
    def absent(self) -> Mapping[str, str]:
        """Columns that the command lacks today, by the option that adds each."""
        records = filled(self.analysis, self.options)
        return self.analysis.optional(records[self.analysis.options])

    @property
    def text(self) -> str:
        """The command as it is typed.

        >>> from weightscope.analyses import FIT
        >>> Command(FIT, {"by": "role", "balance": True, "include": ("*.w",)}).text
        'fit --by role --balance --include *.w'
        """
        words = [self.name]
        by_name = options_of(self.analysis)
        for name, value in self.options.items():
            option = by_name[name]
            if option.option.follows:
                continue
            if option.switch:
                words.append(option.flag)
                continue
            values = [value] if isinstance(value, (str, int, float)) else value
            words.extend(f"{option.flag} {each}" for each in values)
        return " ".join(words)


def described(stored: StoredReport, analyses: Mapping[str, Analysis]) -> Command:
    """The command in the provenance of a report; raises UsageError where it cannot run again."""
    about = stored.provenance
    assert about is not None
    path = escaped(stored.path)
    analysis = analyses.get(about["command"])
    if analysis is None or not analysis.baseline:
        raise UsageError(
            f"{path}: expected a report of {_names(analyses.values())}",
            f"found one of {shown(about['command'])}",
            "name a report of one checkpoint",
        )
    options = options_of(analysis)
    unknown = [name for name in about["options"] if name not in options]
    if unknown:
        raise UsageError(
            f"{path}: expected options of {analysis.name} in weightscope {__version__}",
            f"found {listed(unknown)}, stored by weightscope {shown(about.get('version'))}",
            "update weightscope, or store the report again",
        )
    kept = {}
    hidden = []
    for name, value in about["options"].items():
        option = options[name]
        if name in HIDING:
            hidden.append(option.flag)
        if not _is_kept(option):
            continue
        if not _is_value(option, value):
            raise UsageError(
                f"{path}: expected a value of {option.flag}",
                f"found {shown(value)}",
                "store the report again, with files instead of tensors in memory",
            )
        kept[name] = value
    command = Command(analysis, kept, tuple(hidden), about.get("column_versions"))
    try:
        assert command.columns
    except UsageError as error:
        raise UsageError(f"{path}: {error.expected}", error.found, "store it again") from None
    return command


def baselines(analyses: Iterable[Analysis]) -> list[Analysis]:
    """The analyses whose reports can be repeated."""
    return [analysis for analysis in analyses if analysis.baseline]


def _names(analyses: Iterable[Analysis]) -> str:
    return ", ".join(analysis.name for analysis in baselines(analyses))


def _is_kept(option: Declared) -> bool:
    """Whether a stored option determines numbers or rows."""
    if option.name in _IGNORED or option.option.table:
        return False
    return option.option.follows not in ("plot", "drawn")


_IGNORED = frozenset(
    (*TRUST, *(option.name for record in (View, Gates, Running) for option in declared(record)))
)


def _is_value(option: Declared, value: object) -> bool:
    """Whether a value of JSON has the type of an option."""
    if value is None:
        return option.default is None
    if option.several and isinstance(value, list):
        return all(isinstance(item, str) for item in value)
    if option.switch or isinstance(value, bool):
        return option.switch and isinstance(value, bool)
    kind = option.kind
    if isinstance(value, int):
        return "int" in kind or "float" in kind
    if isinstance(value, float):
        return "float" in kind
    return isinstance(value, str) and ("str" in kind or "Source" in kind)
