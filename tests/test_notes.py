"""Notes are records.

A code of the catalogue, a text for people, and data instead of sentences to parse.
"""

from __future__ import annotations

import ast
import pickle
import re
from pathlib import Path

import pytest

import weightscope
from weightscope.errors import Unmeasured
from weightscope.note_codes import NOTES
from weightscope.notes import CODES, Note, codes, slices, texts, united

HOUSE = Path(weightscope.__file__).parent
MODULES = [path for path in sorted(HOUSE.rglob("*.py")) if path.name != "note_codes.py"]


def constants(nodes):
    """The strings of some code."""
    return {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def made(nodes):
    """The codes that are written where notes are made."""
    for node in nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Note", "Note.of"):
            yield from constants(ast.walk(node.args[0]))


@pytest.fixture(scope="module")
def code():
    """The nodes of the code of every module of the package that makes a note or names a code."""
    named = re.compile("|".join(["Note[.(]", *(f'"{code.name}"' for code in NOTES)]))
    texts = {path: path.read_text(encoding="utf-8") for path in MODULES}
    return {
        path: list(ast.walk(ast.parse(text))) for path, text in texts.items() if named.search(text)
    }


def test_every_code_of_the_catalogue_is_used(code):
    """By a module that makes such a note."""
    used = set().union(*map(constants, code.values()))
    assert [code.name for code in NOTES if code.name not in used] == []


def test_every_code_that_is_made_is_in_the_catalogue(code):
    """Also where no test makes the note."""
    found = [(path.name, name) for path, nodes in code.items() for name in made(nodes)]
    assert len(found) > 60
    assert [(name, code) for name, code in found if code not in CODES] == []


def test_codes_are_short_stable_names():
    """Lower-case words, each once, none a part of another, so that `in` finds what it names.

    A sentence for each.
    """
    names = [code.name for code in NOTES]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalpha() and name == name.lower() for name in names)
    assert [(a, b) for a in names for b in names if a != b and a in b] == []
    assert all(code.meaning[0].isupper() and code.meaning.endswith(".") for code in NOTES)


def test_an_unknown_code_is_refused():
    """At once, with the place to add it."""
    with pytest.raises(
        ValueError, match=r"expected a code of NOTES in note_codes.py; found 'odd'; add it there"
    ):
        Note("odd", "text")


def test_a_text_is_made_of_its_values():
    """Numbers may be left open; strings are what alike notes share."""
    note = Note.of(
        "uneven-lines", "{side} {times:.1f} times its null", side="row_spread", times=2.46
    )
    assert note.text == "row_spread 2.5 times its null"
    assert (note.value("side"), note.value("times")) == ("row_spread", 2.46)
    assert note.alike == ("uneven-lines", "row_spread ... times its null")
    assert note.left_open(()) == note.text
    assert Note("zero-iqr", "no core {x}").alike == ("zero-iqr", "no core {x}")


def test_values_are_no_templates():
    """Braces in a name stay what they are."""
    assert Note.of("codes-not-decoded", "codes of {layout}", layout="{x}").text == "codes of {x}"


def test_rows_are_data_of_the_text():
    """Lines are named as slices, and left open among alike notes."""
    note = Note.of("rows", "dead rows {rows}", rows=(3, 32, 33))
    assert (note.text, note.rows) == ("dead rows 3, 32:34", (3, 32, 33))
    assert note.alike == Note.of("rows", "dead rows {rows}", rows=(7,)).alike
    assert slices(()) == ""


def test_notes_are_joined_each_once():
    """In order; equal texts and equal codes once."""
    zero, one, two = Note("zero-matrix", "zero"), Note("zero-iqr", "a"), Note("zero-iqr", "b")
    assert united(zero, None, (one, two), iter((zero,))) == (zero, one, two)
    assert (texts((zero, one, two)), codes((zero, one, two))) == (
        "zero; a; b",
        "zero-matrix,zero-iqr",
    )
    assert (texts(()), codes(())) == (None, None)
    assert texts((one, Note("no-bulk", "a"))) == "a"


def test_an_error_of_one_tensor_keeps_its_note():
    """Through copies and pickles."""
    error = Unmeasured(Note("zero-matrix", "zero matrix"))
    assert str(error) == "zero matrix"
    assert pickle.loads(pickle.dumps(error)).note == error.note
