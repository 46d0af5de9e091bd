"""What a person is told of the notes of rows: few lines, the weightiest first, nothing that is not so."""

from __future__ import annotations

import dataclasses

import pytest

from weightscope.reports.caveats import MOST, caveats
from weightscope.reports.view import View


def noted(*notes, **more):
    """Rows with these notes."""
    return [{"tensor": f"h.{i}.w", "note": note} | more for i, note in enumerate(notes)]


def test_notes_are_counted_the_most_frequent_first():
    """A row's notes one by one; rows without one are silent; of equally frequent ones the first."""
    rows = noted("zero matrix; no clean bulk", None, "no clean bulk", "", "odd", "no clean bulk", "odd")
    assert caveats(rows) == ("3 rows: no clean bulk", "2 rows: odd", "h.0.w: zero matrix")
    assert caveats([]) == caveats(noted(None, "")) == ()


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        (["row_spread 2.5 times its null", "row_spread 1e-07 times its null"], "row_spread ... times its null"),
        (["alpha_ks 0.1 above 0.8/sqrt(35)"] * 2, "alpha_ks 0.1 above 0.8/sqrt(35)"),
        (["alpha_ks 0.1 above 0.8/sqrt(35)", "alpha_ks 0.2 above 0.8/sqrt(35)"], "alpha_ks ... above 0.8/sqrt(35)"),
        (["5 values, 17 of them", "1,004 values, 2 of them"], "... values, ... of them"),
        (["types C64 and F8_E4M3 of h.2.w"] * 2, "types C64 and F8_E4M3 of h.2.w"),
    ],
)
def test_notes_that_differ_in_numbers_are_one(notes, said):
    """A number that all share stands, others are left open; letters and names keep theirs."""
    assert caveats(noted(*notes)) == (f"{len(notes)} rows: {said}",)


def test_names_keep_tensors_apart():
    """The layer of a name is no number of a sentence."""
    assert len(caveats(noted("the same as h.2.w", "the same as h.3.w"))) == 2


def test_the_lines_behind_a_grave_finding_are_named():
    """Whole, one tensor a line, the gravest first."""
    rows = noted("no core", "no core", "no core") + noted("changed rows 4, 18; no core", tensor="wte", gravity=3)
    rows += noted("dead rows 4, 18", tensor="up", gravity=2) + noted("dead rows 5", tensor="down", gravity=2)
    rows += noted("loud columns 7", gravity=1)
    named = ("wte: changed rows 4, 18", "up: dead rows 4, 18", "down: dead rows 5", "h.0.w: loud columns 7")
    said = (*named, "4 rows: no core")
    assert caveats(rows) == said


def test_at_most_five_lines_and_what_was_not_measured_first():
    """However rare; the others are counted."""
    rows = noted(*(word for i, word in enumerate("abcdefg") for _ in range(9 - i)), "non-finite")
    found = caveats(rows, [str(rows[-1]["tensor"])])
    assert found[:2] == ("h.42.w: non-finite", "9 rows: a")
    assert found[MOST:] == ("and 3 more: see the note column",)
    assert "non-finite" not in " ".join(caveats(rows))


def test_vectors_are_not_spoken_of():
    """But for those that could not be measured."""
    rows = noted("a vector", "complex", kind="norm")
    assert caveats(rows) == ()
    assert caveats(rows, ["h.1.w"]) == ("h.1.w: complex",)


def test_of_groups_the_tensors_are_counted():
    """Their note is that of their rarest tensor; what is said of the group itself stands."""
    rows = [
        {"role": "attn.q", "kind": "matrix", "note": "mixed; 3 of 4 tensors noted: h.1.q: odd"},
        {"role": "mlp.up", "kind": "matrix", "note": "1 of 2 tensors noted: h.0.up: no clean bulk"},
    ]
    assert caveats(rows) == ("4 of 6 tensors noted: see the note column", "attn.q matrix: mixed")


def test_one_tensor_is_no_tensors():
    """In the singular."""
    assert caveats([{"note": "1 of 1 tensors noted: h.0.q: odd"}]) == ("1 of 1 tensor noted: see the note column",)


def test_one_row_is_named_as_the_table_names_it():
    """By its source too, shortened, and never raw."""
    name = "model.layers.0.self_attn.q_proj.weight"
    assert caveats([{"source": "a.pt", "tensor": name, "note": "odd"}]) == (f"a.pt: {name}: odd",)
    (line,) = caveats([{"tensor": f"encoder.{name}", "note": "odd"}])
    assert line == "e.model.layers.0.self_attn.q_proj.weight: odd"
    assert caveats([{"tensor": "\x1b[31mh\n", "note": "of \x1b[0m"}]) == ("\\x1b[31mh\\n: of \\x1b[0m",)
    assert caveats([{"note": "odd"}]) == ("1 row: odd",)


def test_a_report_speaks_of_the_rows_shown_unless_it_shows_their_notes(report):
    """By its view."""
    assert report.caveats == ('a,"b"\\n\\x1b[31m[bold]|\\u202e\\ud800=1\\t: x', "é漢: NA")
    assert dataclasses.replace(report, view=View(where="params > 0")).caveats == ("é漢: NA",)
    assert dataclasses.replace(report, view=View(("std",))).caveats == report.caveats
    for columns in (("tensor", "note"), ("all",)):
        assert dataclasses.replace(report, view=View(columns)).caveats == ()
