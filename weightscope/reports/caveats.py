"""A short summary of the notes of some rows, printed below a table that has no room for them.

Notes of one code that differ only in their numbers share a line; numbers that differ are replaced
by `...`. Notes that name rows or columns are evidence: each has a line of its own, in full. The
note of a group quotes the rarest notes of its tensors, so for groups only a count of tensors with
notes is printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..columns import titled
from ..escape import escaped
from ..notes import Note, Notes
from .values import row_keys
from .writers.table import shortened

MOST = 5  # lines: a longer list below a table is not read
ROOM = 40  # terminal cells for the name of the only row of a line
VECTORS = ("norm", "bias")  # kinds that never have the statistics of matrices
GROUP = "group"  # the code of a group's own note


@dataclass(frozen=True, eq=False)
class RowNote:
    """A note and its row."""

    note: Note
    row: Mapping[str, object]

    @property
    def key(self) -> object:
        """Equal for notes that share a line; evidence shares none."""
        if self.note.rows:
            return self.row.get("source"), self.row.get("tensor"), self.note
        return self.note.alike

    @property
    def is_vector(self) -> bool:
        """Whether its row is a vector, whose notes are not listed."""
        return self.row.get("kind") in VECTORS

    @property
    def severity_rank(self) -> int:
        """The severity of the row for evidence, 0 for any other note."""
        if not self.note.rows:
            return 0
        return int(str(self.row.get("severity_rank") or 0))


def caveats(
    rows: Sequence[Mapping[str, object]], notes: Sequence[Notes], unmeasured: Sequence[str] = ()
) -> tuple[str, ...]:
    """Lines of text: each note with its number of rows, or with its only row.

    `notes` are those of each row. Notes of tensors in `unmeasured` come first, then evidence by
    severity, then the most frequent; of vectors only unmeasured ones count.

    >>> two, three = (Note.of("zero-lines", "{n} zero rows left out", n=n) for n in (2, 3))
    >>> caveats([{}, {"tensor": "h.0.w"}], [(two,), (three, Note("zero-iqr", "IQR is 0"))])
    ('2 rows: ... zero rows left out', 'h.0.w: IQR is 0')
    """
    row_notes = []
    for row, row_group in zip(rows, notes, strict=True):
        for note in row_group:
            row_note = RowNote(note, row)
            if not row_note.is_vector or _is_unmeasured([row_note], unmeasured):
                row_notes.append(row_note)
    by_key: dict[object, list[RowNote]] = {}
    for row_note in row_notes:
        if row_note.note.code != GROUP:
            by_key.setdefault(row_note.key, []).append(row_note)

    def urgency(members: Sequence[RowNote]) -> tuple[bool, int, int]:
        """Sorts unmeasured tensors first, then severe evidence, then frequent notes."""
        measured = not _is_unmeasured(members, unmeasured)
        return measured, -members[0].severity_rank, -len(members)

    lines = [_line(members) for members in sorted(by_key.values(), key=urgency)]
    summary = [*_group_counts(row_notes), *lines[:MOST]]
    more = len(lines) - MOST
    if more > 0:
        summary.append(f"and {more} more: see the note column")
    return tuple(summary)


def _is_unmeasured(members: Sequence[RowNote], unmeasured: Sequence[str]) -> bool:
    """Whether one of the rows is of a tensor that could not be measured."""
    names = [member.row.get("tensor") for member in members]
    return any(name in unmeasured for name in names)


def _group_counts(row_notes: Sequence[RowNote]) -> Iterator[str]:
    """How many tensors of all groups have a note."""
    groups = [member.note for member in row_notes if member.note.code == GROUP]
    noted = sum(int(note.value("noted")) for note in groups)
    total = sum(int(note.value("seen")) for note in groups)
    if groups:
        yield f"{noted} of {total} tensor{'s' * (total > 1)} noted: see the note column"


def _line(members: Sequence[RowNote]) -> str:
    """The text of alike notes, `...` for numbers that differ, after the row or the row count."""
    first = members[0]
    if len(members) == 1:
        return f"{_name(first.row)}: {escaped(first.note.text)}"
    open_text = first.note.left_open(_differing([member.note for member in members]))
    return f"{len(members)} rows: {escaped(open_text)}"


def _differing(notes: Sequence[Note]) -> set[str]:
    """Names of the numbers that differ between alike notes, as their texts show them."""
    numbers = notes[0].numbers
    differing = set()
    for name in numbers:
        texts = {note.left_open(numbers - {name}) for note in notes}
        if len(texts) > 1:
            differing.add(name)
    return differing


def _name(row: Mapping[str, object]) -> str:
    """The name of a row: its tensor, shortened as in the table, or the keys of its group."""
    keys = row_keys(row)
    parts = {}
    for key in keys:
        value = row.get(key)
        if value is not None:
            parts[key] = escaped(str(value))
    if "tensor" in parts:
        parts["tensor"] = shortened(parts["tensor"], ROOM)
    return titled(parts) or "1 row"
