"""What the notes of some rows say, in a few lines: the table on a terminal has no room for them.

Notes that differ in their numbers are one; a number that is not the same in all of them is left open. But a note that
names rows or columns is evidence: it stands alone and whole. A group's own note tells the rarest of its tensors' notes,
so of groups only the tensors that have one are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ..columns import titled
from ..escape import escaped
from .writers.table import shortened

MOST = 5                                        # lines: below a table nobody reads more
ROOM = 40                                       # cells for the name of the one row that a line is about
VECTORS = ("norm", "bias")                      # kinds that lack what only matrices have, which is no news
_NUMBER = r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?!\w)"
_NUMBERS = re.compile(f"{_NUMBER}(?:, {_NUMBER})*")
_LINES = re.compile(r"\b(?:rows|columns) \d")
_GROUP = re.compile(r"(\d+) of (\d+) tensors? noted: ")

Said = tuple[str, Mapping[str, object]]         # a note and its row


def caveats(rows: Sequence[Mapping[str, object]], unmeasured: Sequence[str] = ()) -> tuple[str, ...]:
    """Each note with how many rows have it, or with the one row that has it.

    What tensors in `unmeasured` say comes first, then the evidence of the gravest rows, then the most frequent; of
    vectors only the unmeasured are spoken of.

    >>> caveats([{"note": "1.5 times its null"}, {"note": "3 times its null; zero matrix", "tensor": "h.0.w"}])
    ('2 rows: ... times its null', 'h.0.w: zero matrix')
    """
    of_matrices = [r for r in rows if r.get("kind") not in VECTORS or r.get("tensor") in unmeasured]
    every = [(note, row) for row in of_matrices for note in str(row.get("note") or "").split("; ") if note]
    alike: dict[str, list[Said]] = {}
    for note, row in every:
        if not _GROUP.match(note):
            alike.setdefault(_key(note, row), []).append((note, row))
    ordered = sorted(alike.values(), key=lambda said: (not _lost(said, unmeasured), -_weight(said), -len(said)))
    lines = [_line(said) for said in ordered]
    more = len(lines) - MOST
    return (*_tensors(every), *lines[:MOST], *((f"and {more} more: see the note column",) if more > 0 else ()))


def _key(note: str, row: Mapping[str, object]) -> str:
    """What notes of one line have in common."""
    return f"{row.get('source')} {row.get('tensor')} {note}" if _LINES.search(note) else _NUMBERS.sub("\0", note)


def _weight(said: Sequence[Said]) -> int:
    """How grave is what a line says: evidence as much as its row, any other note nothing."""
    note, row = said[0]
    return int(str(row.get("gravity") or 0)) if _LINES.search(note) else 0


def _lost(said: Sequence[Said], unmeasured: Sequence[str]) -> bool:
    return any(row.get("tensor") in unmeasured for _, row in said)


def _tensors(every: Sequence[Said]) -> Iterator[str]:
    """How many tensors of all groups have a note."""
    found = [[int(n) for n in match.groups()] for note, _ in every if (match := _GROUP.match(note))]
    if found:
        noted, seen = map(sum, zip(*found, strict=True))
        yield f"{noted} of {seen} tensor{'s' * (seen > 1)} noted: see the note column"


def _line(said: Sequence[Said]) -> str:
    """The first of some notes, its numbers left open where they differ, and whose they are."""
    numbers = zip(*(_NUMBERS.findall(note) for note, _ in said), strict=True)
    shared = ("..." if len(set(found)) > 1 else found[0] for found in numbers)
    note = _NUMBERS.sub(lambda _: next(shared), said[0][0])
    return f"{f'{len(said)} rows' if len(said) > 1 else _name(said[0][1])}: {escaped(note)}"


def _name(row: Mapping[str, object]) -> str:
    """What a row is known by; a tensor's name shortened as in the table."""
    keys = ("source", "role", "stack", "layer", "kind") if row.get("tensor") is None else ("source", "tensor")
    known = {key: str(row[key]) for key in keys if row.get(key) is not None}
    of = {key: shortened(escaped(text), ROOM) if key == "tensor" else escaped(text) for key, text in known.items()}
    return titled(of) or "1 row"
