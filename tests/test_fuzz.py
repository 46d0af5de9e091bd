"""`make fuzz` calls every parser and reports what is no refusal; its long run is no test."""

import pytest
from hypothesis import Phase

from tests.fuzz import __main__ as fuzz
from tests.fuzz.__main__ import edited, is_sound
from tests.fuzz.targets import TARGETS, Target
from weightscope.errors import UsageError


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "other formats"])
def test_sound_inputs_are_read(tmp_path, name):
    """One of them at least is no refusal: changes would end at the first check otherwise."""
    target = TARGETS[name]
    refused = 0
    for data in target.seeds:
        try:
            target.call(data, tmp_path)
        except UsageError:
            refused += 1
    assert refused < len(target.seeds)


@pytest.mark.parametrize(
    ("edit", "result"),
    [
        ("replace", b"aXYdef"),
        ("insert", b"aXYbcdef"),
        ("delete", b"adef"),
        ("repeat", b"abcbcbcdef"),
        ("flip", b"a`adef"),
        ("cut", b"a"),
    ],
)
def test_edits(edit, result):
    """Each changes two bytes of six, or what follows them."""
    assert edited(b"abcdef", edit, 1, 2, b"XY") == result


def test_a_fault_is_reported(monkeypatch, capsys):
    """Any exception except a refusal, with the input that causes it."""

    def faulty(data, folder):
        if len(data) != 3:
            raise KeyError("seven")
        raise UsageError("expected something else")

    monkeypatch.setattr(fuzz, "PHASES", (Phase.generate,))  # shrinking takes seconds
    monkeypatch.setitem(TARGETS, "faulty", Target((b"abc",), faulty))
    assert not is_sound("faulty", 30.0, 1)
    out = capsys.readouterr().out
    assert "faulty: FAILED: KeyError" in out
    assert "Falsifying example" in out or "data=" in out
