"""What the notes of some rows say, in a few lines: the table on a terminal has no room for them.

Notes of one code that differ in their numbers are one; a number that is not the same in all of them is left open. But a
note that names rows or columns is evidence: it stands alone and whole. A group's own note tells the rarest of its
tensors' notes, so of groups only the tensors that have one are counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..columns import titled
from ..escape import escaped
from ..notes import Note, Notes
from .writers.table import shortened

MOST = 5  # lines: below a table nobody reads more
ROOM = 40  # cells for the name of the one row that a line is about
VECTORS = ("norm", "bias")  # kinds that lack what only matrices have, which is no news
GROUP = "group"  # the code of a group's own note


@dataclass(frozen=True, eq=False)
class Told:
    """A note and the row that has it."""

    note: Note
    row: Mapping[str, object]

    @property
    def key(self) -> object:
        """What notes of one line have in common; evidence has a line of its own."""
        if self.note.rows:
            return self.row.get("source"), self.row.get("tensor"), self.note
        return self.note.alike

    @property
    def is_news(self) -> bool:
        """Whether it is about more than a vector."""
        return self.row.get("kind") not in VECTORS

    @property
    def severity_rank(self) -> int:
        """How grave it is: evidence as much as its row, any other note not at all."""
        return int(str(self.row.get("severity_rank") or 0)) if self.note.rows else 0


def caveats(
    rows: Sequence[Mapping[str, object]], notes: Sequence[Notes], unmeasured: Sequence[str] = ()
) -> tuple[str, ...]:
    """Each note with how many rows have it, or with the one row that has it; `notes` are those of each row.

    Those of tensors in `unmeasured` come first, then the evidence of the gravest rows, then the most frequent; of
    vectors only the unmeasured count.

    >>> two, three = (Note.of("zero-lines", "{n} zero rows left out", n=n) for n in (2, 3))
    >>> caveats([{}, {"tensor": "h.0.w"}], [(two,), (three, Note("no-core", "no core"))])
    ('2 rows: ... zero rows left out', 'h.0.w: no core')
    """
    of_rows = [Told(note, row) for row, found in zip(rows, notes, strict=True) for note in found]
    every = [told for told in of_rows if told.is_news or _lost([told], unmeasured)]
    alike: dict[object, list[Told]] = {}
    for told in every:
        if told.note.code != GROUP:
            alike.setdefault(told.key, []).append(told)
    ordered = sorted(
        alike.values(),
        key=lambda told: (not _lost(told, unmeasured), -told[0].severity_rank, -len(told)),
    )
    lines = [_line(told) for told in ordered]
    more = len(lines) - MOST
    return (
        *_tensors(every),
        *lines[:MOST],
        *((f"and {more} more: see the note column",) if more > 0 else ()),
    )


def _lost(told: Sequence[Told], unmeasured: Sequence[str]) -> bool:
    return any(one.row.get("tensor") in unmeasured for one in told)


def _tensors(every: Sequence[Told]) -> Iterator[str]:
    """How many tensors of all groups have a note."""
    groups = [told.note for told in every if told.note.code == GROUP]
    noted, seen = (sum(int(note.value(name)) for note in groups) for name in ("noted", "seen"))
    if groups:
        yield f"{noted} of {seen} tensor{'s' * (seen > 1)} noted: see the note column"


def _line(told: Sequence[Told]) -> str:
    """The first of some notes, its numbers left open where they differ, and whose they are."""
    first = told[0]
    if len(told) == 1:
        return f"{_name(first.row)}: {escaped(first.note.text)}"
    open_text = first.note.left_open(_differing([one.note for one in told]))
    return f"{len(told)} rows: {escaped(open_text)}"


def _differing(notes: Sequence[Note]) -> set[str]:
    """Which numbers of alike notes are not the same in all of them, as their texts show them."""
    numbers = notes[0].numbers
    return {
        name for name in numbers if len({note.left_open(numbers - {name}) for note in notes}) > 1
    }


def _name(row: Mapping[str, object]) -> str:
    """What a row is known by; a tensor's name shortened as in the table."""
    keys = (
        ("source", "role", "stack", "layer", "kind")
        if row.get("tensor") is None
        else ("source", "tensor")
    )
    known = {key: str(row[key]) for key in keys if row.get(key) is not None}
    of = {
        key: shortened(escaped(text), ROOM) if key == "tensor" else escaped(text)
        for key, text in known.items()
    }
    return titled(of) or "1 row"
