"""The error tree: each class has its exit code; cli/exits.py turns an error into one message.

    WeightscopeError (70)
    |-- GateFailed (1)     a gate of `fail_if` matches rows of the complete report
    |-- UsageError (2)          wrong option, column, expression; a selection that matches nothing
    |   `-- NotChosen (2)       a file of several dicts of tensors, none of them chosen by `root`
    |-- CheckpointError (3)      a source that cannot be found, opened or trusted
    `-- Unmeasured (4)     one tensor cannot be measured: a `note`, an error only under --strict

A message has three parts: expected, found, advice.
"""

from __future__ import annotations

from typing import Any

from .notes import Note

PART = 8192  # characters of a part: paths and names have at most 4 KiB


class WeightscopeError(Exception):
    """An error with an exit code; its text is the message for people."""

    code: int = 70

    def __init__(self, expected: str, found: str = "", advice: str = "") -> None:
        self.expected = _cut(expected)
        self.found = _cut(found)
        self.advice = _cut(advice)
        parts = (self.expected, self.found, self.advice)
        super().__init__("; ".join(part for part in parts if part))


class GateFailed(WeightscopeError):
    """A gate matches rows: `report` is complete, `report.gates` has the rows.

    Only the Python functions raise it.
    """

    code = 1

    def __init__(self, text: str, report: Any) -> None:
        self.report = report
        super().__init__(text)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles keep the report: worker processes raise it too."""
        return type(self), (str(self), self.report)


class UsageError(WeightscopeError):
    """The command or call is wrong: nothing was opened."""

    code = 2


class NotChosen(UsageError):
    """A file has no dict of tensors that is the model; other MODELs may be measured."""


class CheckpointError(WeightscopeError):
    """The source is missing, damaged or dangerous: nothing was measured."""

    code = 3


class Unmeasured(WeightscopeError):
    """One tensor cannot be measured; its row has the note."""

    code = 4

    def __init__(self, note: Note) -> None:
        self.note = note
        super().__init__(note.text)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles keep the note."""
        return type(self), (self.note,)


def _cut(part: str) -> str:
    """A part of a message at bounded length: it may quote any text of a file."""
    if len(part) <= PART:
        return part
    return part[:PART] + "..."
