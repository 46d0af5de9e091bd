"""Notes: reasons for missing values and remarks on a tensor, as records of any layer.

Programs compare the code and the values of a note; its text is for people and never parsed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from .note_codes import NOTES

COLUMNS = frozenset({"note", "note_codes"})  # columns of a row with the texts and the codes
OPEN = "..."  # replaces a number that differs between notes
RUNS = 8  # slices of rows in a text

Value = str | int | float


CODES = {code.name: code for code in NOTES}


@dataclass(frozen=True)
class Note:
    """One remark: a code for programs, a text for people, and the tensor and rows that it concerns.

    The text is `template` with `values`; a summary of several notes replaces numbers by `...`.
    """

    code: str
    text: str
    tensor: str = ""  # "" = the tensor of the row that has the note
    rows: tuple[int, ...] = ()  # rows or columns that are its evidence, from 0
    template: str = ""  # the text with its values in braces, "" where it has none
    values: tuple[tuple[str, Value], ...] = ()

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(
                f"expected a code of NOTES in note_codes.py; found {self.code!r}; add it there"
            )

    @classmethod
    def of(
        cls, code: str, template: str, tensor: str = "", rows: tuple[int, ...] = (), **values: Value
    ) -> Note:
        """A note whose text is a format string with values; `{rows}` in it is the rows as slices.

        >>> Note.of("zero-lines", "{n} zero rows left out", n=3).text
        '3 zero rows left out'
        >>> Note.of("rows", "dead {rows}", rows=(4, 5)).text
        'dead 4:6'
        """
        text = _filled(template, values, rows)
        return cls(code, text, tensor, rows, template, tuple(values.items()))

    def value(self, name: str) -> Value:
        """A value of the text by name."""
        return dict(self.values)[name]

    @property
    def numbers(self) -> frozenset[str]:
        """Names of values that may differ between notes on one line: numbers, and the rows."""
        names = {name for name, value in self.values if not isinstance(value, str)}
        if self.rows:
            names.add("rows")
        return frozenset(names)

    @property
    def alike(self) -> tuple[str, str]:
        """The code and the text without numbers: equal for notes that differ only in numbers."""
        return self.code, self.left_open(self.numbers)

    def left_open(self, names: Collection[str]) -> str:
        """The text with `...` for some of its values.

        >>> Note.of("memory", "needs {need} of {has}", need=3, has=2).left_open({"need"})
        'needs ... of 2'
        """
        if not self.template:
            return self.text
        return _filled(self.template, dict(self.values), self.rows, names)


Notes = tuple[Note, ...]


def united(*parts: Note | Iterable[Note] | None) -> Notes:
    """Single notes and groups of notes as one tuple, in order, each once; None is skipped.

    >>> zero, constant = Note("zero-matrix", "zero matrix"), Note("zero-iqr", "IQR is 0")
    >>> [note.code for note in united(zero, None, (constant, zero))]
    ['zero-matrix', 'zero-iqr']
    """
    if not any(parts):  # most tensors have none
        return ()
    notes: dict[Note, None] = {}
    for part in parts:
        if isinstance(part, Note):
            notes[part] = None
        elif part is not None:
            notes.update(dict.fromkeys(part))
    return tuple(notes)


def notes_of(values: Mapping[str, object], key: str = "notes") -> Notes:
    """The notes of a row before it is finished: its value under the key.

    >>> notes_of({"std": 1.0})
    ()
    """
    notes = values.get(key, ())
    assert isinstance(notes, tuple)
    return notes


def texts(notes: Iterable[Note]) -> str | None:
    """The texts joined, each once; None without notes.

    >>> texts([Note("zero-matrix", "zero matrix"), Note("zero-iqr", "IQR is 0")])
    'zero matrix; IQR is 0'
    """
    if not notes:
        return None
    unique = dict.fromkeys(note.text for note in notes)
    return "; ".join(unique) or None


def codes(notes: Iterable[Note]) -> str | None:
    """The codes joined by commas, each once; None without notes."""
    if not notes:
        return None
    unique = dict.fromkeys(note.code for note in notes)
    return ",".join(unique) or None


def slices(numbers: tuple[int, ...]) -> str:
    """Ascending row numbers as slices, the first eight.

    >>> slices((3, 32, 33, 34, 90)), slices(tuple(range(0, 20, 2)))
    ('3, 32:35, 90', '0, 2, 4, 6, 8, 10, 12, 14 and 2 more')
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    text = ", ".join(_slice(run[0], run[-1]) for run in runs[:RUNS])
    more = sum(len(run) for run in runs[RUNS:])
    if more:
        return f"{text} and {more} more"
    return text


def _slice(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}:{last + 1}"


def _filled(
    template: str, values: Mapping[str, Value], rows: tuple[int, ...], open: Collection[str] = ()
) -> str:
    """The template with its values; `open` names those that become `...`."""
    by_name = {"rows": slices(rows), **values}
    parts = []
    # Formatter.parse instead of str.format: an open number would not fit its format, as in {x:.1f}
    for literal, name, spec, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(OPEN if name in open else format(by_name[name], spec or ""))
    return "".join(parts)
