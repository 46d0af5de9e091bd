"""What a person is told of the notes of rows.

Few lines, the weightiest first, nothing that is not so.
"""

from __future__ import annotations

import dataclasses

import pytest

from weightscope.notes import Note
from weightscope.reports import caveats as module
from weightscope.reports.caveats import MOST
from weightscope.reports.view import View


def noted(*notes, **more):
    """Rows beside their notes: each a note, some notes, a text with ".

    " between several, or None.
    """
    return [({"tensor": f"h.{i}.w"} | more, records(note)) for i, note in enumerate(notes)]


def records(notes):
    """Notes as records."""
    if isinstance(notes, Note):
        return (notes,)
    if isinstance(notes, tuple):
        return notes
    return tuple(Note("constant", text) for text in (notes or "").split("; ") if text)


def caveats(rows, unmeasured=()):
    """The lines on rows beside their notes."""
    return module.caveats([row for row, _ in rows], [notes for _, notes in rows], unmeasured)


def lines(text, *at, code="rows"):
    """Evidence."""
    return Note.of(code, text, rows=at)


def test_notes_are_counted_the_most_frequent_first():
    """A row's notes one by one; rows without one are silent; of equally frequent ones the first."""
    rows = noted(
        "zero matrix; no clean bulk", None, "no clean bulk", "", "odd", "no clean bulk", "odd"
    )
    assert caveats(rows) == ("3 rows: no clean bulk", "2 rows: odd", "h.0.w: zero matrix")
    assert caveats([]) == caveats(noted(None, "")) == ()


def uneven(times):
    return Note.of("uneven-lines", "{side} {times} times its null", side="row_spread", times=times)


def tail(ks):
    return Note.of("poor-power-law", "alpha_ks {ks} above 0.8/sqrt({tail})", ks=ks, tail=35)


def counted(values, of):
    return Note.of("rounding", "{values:,} values, {of} of them", values=values, of=of)


NAMED = Note.of("unlike-base", "types {dtype} and F8_E4M3 of h.2.w", dtype="C64")


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ([uneven(2.5), uneven(1e-07)], "row_spread ... times its null"),
        ([tail(0.1)] * 2, "alpha_ks 0.1 above 0.8/sqrt(35)"),
        ([tail(0.1), tail(0.2)], "alpha_ks ... above 0.8/sqrt(35)"),
        ([counted(5, 17), counted(1004, 2)], "... values, ... of them"),
        ([NAMED] * 2, "types C64 and F8_E4M3 of h.2.w"),
    ],
)
def test_notes_that_differ_in_numbers_are_one(notes, said):
    """A number that all share stands, others are left open; letters and names keep theirs."""
    assert caveats(noted(*notes)) == (f"{len(notes)} rows: {said}",)


def test_names_keep_tensors_apart():
    """The layer of a name is no number of a sentence."""
    same = [Note.of("unlike-base", "the same as {name}", name=name) for name in ("h.2.w", "h.3.w")]
    assert len(caveats(noted(*same))) == 2


def test_notes_of_two_codes_are_two():
    """Whatever their text: programs look at the code."""
    assert len(caveats(noted(Note("zero-iqr", "odd"), Note("no-bulk", "odd")))) == 2


def test_the_lines_behind_a_grave_finding_are_named():
    """Whole, one tensor a line, the gravest first."""
    (core,) = records("no core")
    rows = noted(core, core, core) + noted(
        (lines("changed rows {rows}", 4, 18), core), tensor="wte", severity_rank=3
    )
    rows += noted(lines("dead rows {rows}", 4, 18), tensor="up", severity_rank=2)
    rows += noted(lines("dead rows {rows}", 5), tensor="down", severity_rank=2)
    rows += noted(lines("outlier columns {rows}", 7, code="columns"), severity_rank=1)
    named = (
        "wte: changed rows 4, 18",
        "up: dead rows 4, 18",
        "down: dead rows 5",
        "h.0.w: outlier columns 7",
    )
    said = (*named, "4 rows: no core")
    assert caveats(rows) == said


def test_at_most_five_lines_and_what_was_not_measured_first():
    """However rare; the others are counted."""
    rows = noted(*(word for i, word in enumerate("abcdefg") for _ in range(9 - i)), "non-finite")
    found = caveats(rows, [str(rows[-1][0]["tensor"])])
    assert found[:2] == ("h.42.w: non-finite", "9 rows: a")
    assert found[MOST:] == ("and 3 more: see the note column",)
    assert "non-finite" not in " ".join(caveats(rows))


def test_vectors_are_not_spoken_of():
    """But for those that could not be measured."""
    rows = noted("a vector", "complex", kind="norm")
    assert caveats(rows) == ()
    assert caveats(rows, ["h.1.w"]) == ("h.1.w: complex",)


def group(noted, seen):
    return Note.of(
        "group",
        "{noted} of {seen} tensors noted: {name}: odd",
        noted=noted,
        seen=seen,
        name="h.1.q",
    )


def test_of_groups_the_tensors_are_counted():
    """Their note is that of their rarest tensor; what is said of the group itself stands."""
    rows = [
        ({"role": "attn.q", "kind": "matrix"}, (*records("mixed"), group(3, 4))),
        ({"role": "mlp.up", "kind": "matrix"}, (group(1, 2),)),
    ]
    assert caveats(rows) == ("4 of 6 tensors noted: see the note column", "attn.q matrix: mixed")


def test_one_tensor_is_no_tensors():
    """In the singular."""
    assert caveats([({}, (group(1, 1),))]) == ("1 of 1 tensor noted: see the note column",)


def test_one_row_is_named_as_the_table_names_it():
    """By its source too, shortened, and never raw."""
    name = "model.layers.0.self_attn.q_proj.weight"
    assert caveats([({"source": "a.pt", "tensor": name}, records("odd"))]) == (
        f"a.pt: {name}: odd",
    )
    (line,) = caveats([({"tensor": f"encoder.{name}"}, records("odd"))])
    assert line == "e.model.layers.0.self_attn.q_proj.weight: odd"
    assert caveats([({"tensor": "\x1b[31mh\n"}, records("of \x1b[0m"))]) == (
        "\\x1b[31mh\\n: of \\x1b[0m",
    )
    assert caveats([({}, records("odd"))]) == ("1 row: odd",)


def test_one_series_is_named_with_its_statistic():
    """Other statistics of the series have rows of their own."""
    row = {"role": "conv", "slot": "2", "kind": "conv", "statistic": "kurtosis"}
    assert caveats([(row, records("3 of 9"))]) == ("conv[2] kurtosis: 3 of 9",)


def test_a_report_speaks_of_the_rows_shown_unless_it_shows_their_notes(report):
    """By its view."""
    assert report.caveats == ('a,"b"\\n\\x1b[31m[bold]|\\u202e\\ud800=1\\t: x', "é漢: NA")
    assert dataclasses.replace(report, view=View(where="params > 0")).caveats == ("é漢: NA",)
    assert dataclasses.replace(report, view=View(("std",))).caveats == report.caveats
    for columns in (("tensor", "note"), ("all",)):
        assert dataclasses.replace(report, view=View(columns)).caveats == ()
